//! `expect`: figures compared at a time. Every figure is a table: `queued.mx2 = 40`.

use mxdrill_ledger::{Expectation, Figure, FigureError, Measure, Subject};
use toml::de::DeValue;

use super::{Input, Read, Value, mistake::Mistake, value::clip};
use crate::scenario::{Expect, Place, Scenario, When};

pub(super) fn read<'a>(input: Input<'a>, value: Value<'a>, scenario: &Scenario) -> Read<Expect> {
    let table = value.table("an expect", input.notes)?;
    let within = table.read("eventually", Value::duration_above_zero);
    let mut expectations = Vec::new();
    let mut empty = true;
    for (key, value) in table.entries() {
        let measure: &str = key.get_ref();
        if measure == "eventually" {
            continue;
        }
        empty = false;
        if let Err(err) = measure.parse::<Measure>() {
            input.notes.add(no_figure(key.span(), measure, &err));
            continue;
        }
        let Some(figures) = value.raw().as_table() else {
            let help = format!("write `{measure}.all = ...`, or a host instead of `all`");
            input.notes.add(value.wrong("a figure of something").help(help));
            continue;
        };
        for (of, value) in figures.iter() {
            for value in Value(value).one_or_more() {
                let read = one(measure, of.get_ref(), of.span(), value, scenario);
                expectations.extend(input.notes.note(read));
            }
        }
    }
    if empty {
        return Err(value
            .mistake("nothing is expected")
            .label("expected figures such as `queued.backup = 40`"));
    }
    Ok(Expect { when: within.map_or(When::Now, When::Within), expectations })
}

fn no_figure(span: std::ops::Range<usize>, word: &str, err: &FigureError) -> Mistake {
    let known = Measure::ALL.iter().map(|(_, word)| *word).chain(["eventually"]);
    match err {
        FigureError::Measure { .. } => Mistake::new(span, format!("there is no figure `{}`", clip(word)))
            .label("not a figure")
            .suggest(word, known),
        _ => Mistake::new(span, err.to_string()),
    }
}

fn one(
    measure: &str,
    of: &str,
    span: std::ops::Range<usize>,
    value: Value<'_>,
    scenario: &Scenario,
) -> Read<Expectation> {
    let mut figure = Figure::new(measure, Some(of)).map_err(|err| no_figure(span.clone(), measure, &err))?;
    if let Subject::Host(host) = &figure.of {
        let label = label(host, scenario).ok_or_else(|| {
            let known = scenario.hosts.iter().map(|host| host.label.as_str());
            Mistake::new(span, format!("unknown host `{}`", clip(host)))
                .label("not a host of this scenario")
                .suggest(host, known.chain(["all", "primary", "backup", "sender"]))
        })?;
        figure.of = Subject::Host(label.into());
    }
    let text = match value.raw() {
        DeValue::Integer(integer) => integer.to_string(),
        _ => value.text("a number, or a comparison such as \"<= 40\"")?.to_owned(),
    };
    Expectation::parse(figure, &text)
        .map_err(|err| value.mistake(err.to_string()).label("expected such as 40, \"<= 40\" or \"<= 3h30m\""))
}

/// A host by its label, full name or place; places stay as they are.
fn label(host: &str, scenario: &Scenario) -> Option<String> {
    let place = Place::from(host);
    let label = scenario.place(&place).ok()?;
    Some(if matches!(place, Place::Host(_)) { label.to_owned() } else { place.to_string() })
}
