//! Faults in the dialogue: at which stage, in which sessions, how often, and what is said or done.

use mxdrill_net::DomainName;
use mxdrill_smtp::{Code, Enhanced, Reply, Stage};

use super::{
    Input, Read,
    fault::{DIALOGUE_KEYS, refuse},
    mistake::Mistake,
    names::place,
    send::reverse_path,
    value::{Value, clip},
    walk::Table,
};
use crate::scenario::{
    Crash, Dialogue, Matching, Moment, RecipientPattern, Scenario, Trigger, units::parse_odds,
};

fn stage(value: Value<'_>) -> Read<Stage> {
    if value.raw().as_str() == Some("connect") {
        return Err(value
            .mistake("`connect` is no stage of the dialogue")
            .label("no word has been said yet")
            .help("write `connect = \"refuse\"`, or another of its words, instead of `stage`"));
    }
    value.word("a stage", &Stage::ALL[1..], Stage::word)
}

pub(super) fn read<'a>(input: Input<'a>, table: &Table<'a>, scenario: &Scenario) -> Read<Dialogue> {
    let said = table.only_one(&["reply", "drop"])?;
    let mut dialogue = Dialogue {
        // Who speaks too often is told so at MAIL.
        stage: table.get("stage").map_or(Ok(Stage::Mail), stage)?,
        matching: matching(input, table, scenario)?,
        trigger: trigger(table)?,
        delay: table.get("delay").map(Value::duration_above_zero).transpose()?,
        tarpit: table.get("tarpit").map(tarpit).transpose()?,
        reply: table.get("reply").map(reply).transpose()?,
        drop: table.get("drop").map(moment).transpose()?,
    };
    let silent = said.is_none() && dialogue.delay.is_none() && dialogue.tarpit.is_none();
    if silent && dialogue.trigger.per.is_some() {
        dialogue.reply = Some(Reply::new(421, Enhanced(4, 7, 0), "too many messages, slow down"));
    } else if silent {
        return Err(Mistake::new(
            table.key_span("stage"),
            "the fault does not say what happens at this stage",
        )
        .label("expected `reply`, `drop`, `delay`, `tarpit` or `crash` beside it")
        .help("such as `reply = \"451 4.3.0 later\"`"));
    }
    Ok(dialogue)
}

/// `crash = true`, or with `stage` also the moment of it.
pub(super) fn crash<'a>(
    input: Input<'a>,
    table: &Table<'a>,
    scenario: &Scenario,
) -> Read<Option<Box<Crash>>> {
    let value = table.get("crash").ok_or_else(Mistake::again)?;
    refuse(table, "crash", &["reply", "drop", "delay", "tarpit"])?;
    let moment = match value.raw().is_bool() {
        true => value.only_true().map(|()| Moment::AtOnce)?,
        false => moment(value)?,
    };
    let Some(at) = table.get("stage") else {
        refuse(table, "crash", &DIALOGUE_KEYS)?;
        return match value.raw().is_bool() {
            true => Ok(None),
            false => Err(value.mistake("a moment of which stage?").label("needs `stage` beside it")),
        };
    };
    Ok(Some(Box::new(Crash {
        stage: stage(at)?,
        moment,
        matching: matching(input, table, scenario)?,
        trigger: trigger(table)?,
    })))
}

fn moment(value: Value<'_>) -> Read<Moment> {
    value.word("a moment of a stage", Moment::ALL, Moment::word)
}

fn tarpit(value: Value<'_>) -> Read<u32> {
    let rate = value.octets_a_second()?;
    u32::try_from(rate)
        .map_err(|_| value.mistake("this is no tarpit").label("expected a few octets a second"))
}

fn trigger(table: &Table<'_>) -> Read<Trigger> {
    Ok(Trigger {
        first: table.get("first").map(|v| v.count(1)).transpose()?,
        every: table.get("every").map(|v| v.count(1)).transpose()?,
        odds_ppm: table.get("odds").map(odds).transpose()?,
        per: table.get("per").map(|v| v.parsed("a rate such as \"10/min\"")).transpose()?,
    })
}

/// `0.05` or `"5%"`.
pub(super) fn odds(value: Value<'_>) -> Read<u32> {
    let text = match value.raw() {
        toml::de::DeValue::Float(float) => float.as_str().to_owned(),
        toml::de::DeValue::Integer(integer) => integer.to_string(),
        _ => value.text("a chance such as 0.05 or \"5%\"")?.to_owned(),
    };
    parse_odds(&text)
        .map_err(|err| value.mistake(format!("`{}` is no chance", clip(&text))).label(err.to_string()))
}

fn matching<'a>(input: Input<'a>, table: &Table<'a>, scenario: &Scenario) -> Read<Matching> {
    let Some(value) = table.get("match") else { return Ok(Matching::default()) };
    let table = value.table("`match`", input.notes)?;
    let matching = Matching {
        client: table.read("client", |v| place(v, scenario)),
        sender: table.read("sender", reverse_path),
        recipient: table.read("recipient", recipient),
    };
    table.finish();
    Ok(matching)
}

fn recipient(value: Value<'_>) -> Read<RecipientPattern> {
    let text = value.text("an address, or \"@example.test\"")?;
    match text.strip_prefix('@').map(str::parse::<DomainName>) {
        Some(Ok(domain)) => Ok(RecipientPattern::Domain(domain)),
        Some(Err(err)) => Err(value.mistake(err.to_string()).label("expected a domain after the @")),
        None => value.parsed("an address").map(RecipientPattern::Address),
    }
}

/// `"451 4.3.0 later"`. A fault says no: other replies are no faults.
fn reply(value: Value<'_>) -> Read<Reply> {
    let text = value.text("a reply such as \"451 4.3.0 later\"")?;
    parse_reply(text).map_err(|why| {
        value
            .mistake(format!("`{}` is no reply of a fault", clip(text)))
            .label(why)
            .help("such as \"451 4.3.0 later\"")
    })
}

/// Splits a reply into code, enhanced status code and text (RFC 5321 4.2, RFC 3463 2).
pub(crate) fn parse_reply(text: &str) -> Result<Reply, &'static str> {
    let (number, rest) = text.split_once(' ').unwrap_or((text, ""));
    let digits = number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit());
    let code = number.parse().ok().filter(|_| digits).and_then(Code::new);
    let code = code.ok_or("expected three digits first, such as 451 (RFC 5321 4.2)")?;
    if code.number() < 400 {
        return Err("expected a 4xx or 5xx code: a fault says no");
    }
    if rest.chars().any(|c| c.is_control() && c != '\n') || rest.len() > 400 {
        return Err("expected at most 400 octets of text without control characters");
    }
    let (first, after) = rest.split_once(' ').unwrap_or((rest, ""));
    let (enhanced, text) = match enhanced(first) {
        Some(enhanced) if u16::from(enhanced.0) != code.number() / 100 => {
            return Err("the enhanced status code is of another class than the code (RFC 3463 2)");
        }
        Some(enhanced) => (Some(enhanced), after),
        None => (None, rest),
    };
    Ok(Reply { code, enhanced, text: text.to_owned().into() })
}

fn enhanced(text: &str) -> Option<Enhanced> {
    let parts: Vec<&str> = text.split('.').collect();
    let number = |text: &str, digits| {
        let fits = !text.is_empty() && text.len() <= digits && text.bytes().all(|b| b.is_ascii_digit());
        let plain = text == "0" || !text.starts_with('0');
        if fits && plain { text.parse().ok() } else { None }
    };
    match parts[..] {
        [class, subject, detail] => {
            let class = u8::try_from(number(class, 1)?).ok()?;
            Some(Enhanced(class, number(subject, 3)?, number(detail, 3)?))
        }
        _ => None,
    }
}
