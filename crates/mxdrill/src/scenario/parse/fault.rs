//! `fault`: what is wrong with a host, a link or the DNS. Each says one thing; keys of another are mistakes.

use mxdrill_net::DomainName;
use mxdrill_smtp::{Code, Enhanced, Reply, Stage};

use super::{
    Input, Read, Value,
    mistake::{Mistake, list},
    send::reverse_path,
    step::{link, name_and_type, place},
    walk::{Table, clip},
};
use crate::scenario::{
    Answer, Connect, Crash, Dialogue, DnsFault, Fault, FaultKind, HostFault, LinkFault, Matching, Moment,
    Place, RecipientPattern, Scenario, TlsFault, Trigger, units::parse_odds,
};

/// Keys that say what is wrong with a host. `crash` may stand beside `stage`, and so is not among them.
const HOST_KEYS: [&str; 8] =
    ["connect", "stage", "restart", "disk", "max-connections", "greylist", "size", "tls"];
/// Keys that a fault in the dialogue may have beside `stage`.
const DIALOGUE_KEYS: [&str; 9] =
    ["reply", "drop", "delay", "tarpit", "first", "every", "odds", "per", "match"];
const LINK_KEYS: [&str; 5] = ["partition", "latency", "loss", "bandwidth", "cut-after"];

pub(super) fn read<'a>(input: Input<'a>, value: Value<'a>, scenario: &Scenario) -> Read<Fault> {
    let table = value.table("a fault", input.notes)?;
    let name = table.read("name", |v| fault_name(v, scenario));
    let lasting = table.read("for", Value::duration_above_zero);
    let may_miss = table.read("may-miss", Value::flag).unwrap_or(false);
    // Asked for in any case, so that a slip in one of them is known for what it is.
    for keys in [&HOST_KEYS[..], &DIALOGUE_KEYS, &LINK_KEYS, &["crash", "answer"]] {
        table.know(keys);
    }
    let kind = match table.only_one(&["host", "link", "dns"])? {
        Some("host") => {
            let place = table.read("host", |v| place(v, scenario)).unwrap_or(Place::Primary);
            host(input, &table, scenario).map(|fault| FaultKind::Host(place, fault))
        }
        Some("link") => link_fault(&table, scenario),
        Some(_) => dns(&table, scenario),
        None => Err(Mistake::new(table.span(), "a fault of what?")
            .label("expected `host`, `link` or `dns`")
            .help("such as `host = \"primary\"`")),
    };
    let kind = input.notes.note(kind);
    table.finish();
    let Some(kind) = kind else { return Err(Mistake::again()) };
    Ok(Fault { name, kind, lasting, may_miss })
}

/// A fault's name must not be read as something else when it is cleared.
fn fault_name(value: Value<'_>, scenario: &Scenario) -> Read<String> {
    let text = value.text("a name")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || !text.chars().all(plain) {
        return Err(value
            .mistake(format!("`{}` is no name for a fault", clip(text)))
            .label("letters, digits, - and _"));
    }
    if !matches!(Place::from(text), Place::Host(_)) || scenario.host(text).is_some() {
        return Err(value
            .mistake(format!("a fault cannot be called `{text}`"))
            .label("this is a host, so `clear` could mean both"));
    }
    Ok(text.into())
}

/// Notes a mistake for every key that does not go with `kind`.
fn refuse(table: &Table<'_>, kind: &str, keys: &[&'static str]) -> Read<()> {
    match keys.iter().find(|key| table.has(key)) {
        None => Ok(()),
        Some(key) => Err(Mistake::new(table.key_span(key), format!("`{key}` does not go with `{kind}`"))
            .label(goes_with(key))
            .other(table.key_span(kind), "this fault")),
    }
}

fn goes_with(key: &str) -> String {
    if DIALOGUE_KEYS.contains(&key) {
        "goes with `stage`".into()
    } else if LINK_KEYS.contains(&key) {
        "goes with `link`".into()
    } else if key == "answer" {
        "goes with `dns`".into()
    } else {
        "goes with `host`".into()
    }
}

fn host<'a>(input: Input<'a>, table: &Table<'a>, scenario: &Scenario) -> Read<HostFault> {
    refuse(table, "host", &LINK_KEYS)?;
    refuse(table, "host", &["answer"])?;
    let kind = table.only_one(&HOST_KEYS)?;
    if table.has("crash") {
        if let Some(other) = kind.filter(|kind| *kind != "stage") {
            return Err(table.clash("crash", other));
        }
        return crash(input, table, scenario).map(HostFault::Crash);
    }
    let Some(kind) = kind.or(table.has("per").then_some("stage")) else {
        let mut words = HOST_KEYS.to_vec();
        words.push("crash");
        let mistake = Mistake::new(table.span(), "the fault does not say what is wrong");
        return Err(table.incomplete(mistake.label(format!("expected one of {}", list(&words)))));
    };
    if kind == "stage" {
        return dialogue(input, table, scenario).map(|dialogue| HostFault::Dialogue(Box::new(dialogue)));
    }
    refuse(table, kind, &DIALOGUE_KEYS)?;
    plain(table, kind)
}

/// Faults of one key.
fn plain(table: &Table<'_>, kind: &'static str) -> Read<HostFault> {
    let value = table.get(kind).ok_or_else(Mistake::again)?;
    Ok(match kind {
        "connect" => {
            HostFault::Connect(value.word("what happens to a connect", Connect::ALL, Connect::word)?)
        }
        "restart" => {
            value.only_true()?;
            refuse(table, "restart", &["for"])?;
            HostFault::Restart
        }
        "disk" => {
            value.word("what is wrong with a disk", &["full"], |word| word)?;
            HostFault::DiskFull
        }
        "max-connections" => HostFault::MaxConnections(value.count(0)?),
        "greylist" => HostFault::Greylist(value.duration_above_zero()?),
        "size" => HostFault::Size(value.octets()?),
        _ => HostFault::Tls(value.word("what is wrong with TLS", TlsFault::ALL, TlsFault::word)?),
    })
}

fn stage(value: Value<'_>) -> Read<Stage> {
    if value.raw().as_str() == Some("connect") {
        return Err(value
            .mistake("`connect` is no stage of the dialogue")
            .label("no word has been said yet")
            .help("write `connect = \"refuse\"`, or another of its words, instead of `stage`"));
    }
    value.word("a stage", &Stage::ALL[1..], Stage::word)
}

fn dialogue<'a>(input: Input<'a>, table: &Table<'a>, scenario: &Scenario) -> Read<Dialogue> {
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
fn crash<'a>(input: Input<'a>, table: &Table<'a>, scenario: &Scenario) -> Read<Option<Box<Crash>>> {
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
fn odds(value: Value<'_>) -> Read<u32> {
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

fn link_fault<'a>(table: &Table<'a>, scenario: &Scenario) -> Read<FaultKind> {
    refuse(table, "link", &HOST_KEYS)?;
    refuse(table, "link", &DIALOGUE_KEYS)?;
    refuse(table, "link", &["crash", "answer"])?;
    let (from, to, both) = match table.get("link") {
        Some(value) => link(value, scenario)?,
        None => return Err(Mistake::again()),
    };
    let fault = LinkFault {
        partition: table.get("partition").map(Value::only_true).transpose()?.is_some(),
        latency: table.get("latency").map(Value::duration).transpose()?,
        loss_ppm: table.get("loss").map(odds).transpose()?,
        bandwidth: table.get("bandwidth").map(Value::octets_a_second).transpose()?,
        cut_after: table.get("cut-after").map(Value::octets).transpose()?,
    };
    if fault == LinkFault::default() {
        return Err(Mistake::new(table.span(), "the fault does not say what is wrong with the link")
            .label(format!("expected some of {}", list(&LINK_KEYS))));
    }
    Ok(FaultKind::Link { from, to, both, fault })
}

fn dns<'a>(table: &Table<'a>, scenario: &Scenario) -> Read<FaultKind> {
    refuse(table, "dns", &HOST_KEYS)?;
    refuse(table, "dns", &LINK_KEYS)?;
    refuse(table, "dns", &["reply", "drop", "tarpit", "first", "every", "odds", "per", "match", "crash"])?;
    let (name, kind) = match table.get("dns") {
        Some(value) => name_and_type(value, scenario)?,
        None => return Err(Mistake::again()),
    };
    let fault = match table.only_one(&["answer", "delay"])? {
        Some("answer") => {
            let answer = table.get("answer").ok_or_else(Mistake::again)?;
            DnsFault::Answer(answer.word("a wrong answer", Answer::ALL, Answer::word)?)
        }
        Some(_) => DnsFault::Delay(table.get("delay").ok_or_else(Mistake::again)?.duration_above_zero()?),
        None => {
            return Err(Mistake::new(table.span(), "the fault does not say what is wrong with the answer")
                .label("expected `answer` or `delay`")
                .help("such as `answer = \"servfail\"`"));
        }
    };
    Ok(FaultKind::Dns { name, kind, fault })
}
