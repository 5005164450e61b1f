//! `retry`: a schedule of one kind, or a part of one.

use std::time::Duration;

use mxdrill_ledger::Span;
use mxdrill_mta::RetryRule;

use super::{Input, Read, Value, value::clip};
use crate::scenario::{RetryPart, units::parse_factor};

const KINDS: [&str; 5] = ["list", "age", "rules", "power", "geometric"];

pub(super) fn read<'a>(input: Input<'a>, value: Value<'a>) -> Read<RetryPart> {
    let table = value.table("a retry schedule", input.notes)?;
    let kind = table.only_one(&KINDS)?;
    let of = |key| table.get(key).ok_or_else(|| value.mistake("the schedule is empty"));
    let part = match kind {
        Some("list") => of("list").and_then(list),
        Some("age") => of("age").and_then(|v| age(input, v)),
        Some("rules") => of("rules").and_then(rules),
        Some("power") => of("power").and_then(|v| power(input, v)),
        Some(_) => of("geometric").and_then(|v| geometric(input, v)),
        None => Err(table.incomplete(
            value
                .mistake("the schedule is of no kind")
                .label(format!("expected one of {}", super::mistake::list(&KINDS))),
        )),
    };
    table.finish();
    part
}

fn list(value: Value<'_>) -> Read<RetryPart> {
    let waits: Vec<Duration> =
        value.array("an array of durations")?.map(Value::duration_above_zero).collect::<Read<_>>()?;
    match waits.is_empty() {
        true => Err(value.mistake("the list is empty").label("expected at least one duration")),
        false => Ok(RetryPart::List(waits)),
    }
}

fn age<'a>(input: Input<'a>, value: Value<'a>) -> Read<RetryPart> {
    let table = value.table("`age`", input.notes)?;
    let min = table.read("min", Value::duration_above_zero);
    let max = table.read("max", Value::duration_above_zero);
    let scan = table.read("scan", Value::duration_above_zero);
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        return Err(value
            .mistake("the shortest wait is longer than the longest")
            .label("expected min <= max"));
    }
    table.finish();
    Ok(RetryPart::Age { min, max, scan })
}

fn power<'a>(input: Input<'a>, value: Value<'a>) -> Read<RetryPart> {
    let table = value.table("`power`", input.notes)?;
    let unit = table.read("unit", Value::duration_above_zero);
    let exponent =
        table.read("exponent", |v| v.integer("an exponent", 1, 8)).and_then(|n| u32::try_from(n).ok());
    table.finish();
    Ok(RetryPart::Power { unit, exponent })
}

fn geometric<'a>(input: Input<'a>, value: Value<'a>) -> Read<RetryPart> {
    let table = value.table("`geometric`", input.notes)?;
    let first = table.read("first", Value::duration_above_zero);
    let percent = table.read("factor", factor);
    let max = table.read("max", Value::duration_above_zero);
    table.finish();
    Ok(RetryPart::Geometric { first, percent, max })
}

fn factor(value: Value<'_>) -> Read<u32> {
    let text = match value.raw() {
        toml::de::DeValue::Integer(integer) => integer.to_string(),
        toml::de::DeValue::Float(float) => float.as_str().to_owned(),
        _ => return Err(value.wrong("a factor such as 1.5")),
    };
    let factor = parse_factor(&text).filter(|percent| *percent >= 100);
    factor.ok_or_else(|| {
        value.mistake(format!("{text} is not a factor")).label("expected 1 or more, of at most two decimals")
    })
}

/// Exim's notation: `F,2h,15m; G,16h,1h,1.5; F,4d,6h`.
fn rules(value: Value<'_>) -> Read<RetryPart> {
    let text = value.text("retry rules such as \"F,2h,15m; G,16h,1h,1.5\"")?;
    let rules = text.split(';').map(str::trim).filter(|rule| !rule.is_empty());
    let rules: Vec<RetryRule> = rules
        .map(|one| {
            rule(one).ok_or_else(|| {
                value
                    .mistake(format!("`{}` is no retry rule", clip(one)))
                    .label("expected `F,until,every` or `G,until,first,factor`, separated by `;`")
            })
        })
        .collect::<Read<_>>()?;
    match rules.is_empty() {
        true => Err(value.mistake("there is no rule").label("expected rules such as \"F,2h,15m\"")),
        false => Ok(RetryPart::Rules(rules)),
    }
}

fn rule(text: &str) -> Option<RetryRule> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    let time = |text: &str| text.parse::<Span>().ok().map(|span| span.0).filter(|time| !time.is_zero());
    match parts[..] {
        ["F", until, every] => Some(RetryRule::Fixed { until: time(until)?, every: time(every)? }),
        ["G", until, first, factor] => {
            let percent = parse_factor(factor).filter(|percent| *percent >= 100)?;
            Some(RetryRule::Growing { until: time(until)?, first: time(first)?, percent })
        }
        _ => None,
    }
}
