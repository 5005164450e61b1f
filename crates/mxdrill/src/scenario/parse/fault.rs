//! `fault`: what is wrong with a host, a link or the DNS. Each says one thing; keys of another are mistakes.

use super::{
    Input, Read, dialogue,
    dialogue::odds,
    mistake::{Mistake, list},
    names::{link, name_and_type, place},
    value::{Value, clip},
    walk::Table,
};
use crate::scenario::{
    Answer, Connect, DnsFault, Fault, FaultKind, HostFault, LinkFault, Place, Scenario, TlsFault,
};

/// Keys that say what is wrong with a host. `crash` may stand beside `stage`, and so is not among them.
const HOST_KEYS: [&str; 8] =
    ["connect", "stage", "restart", "disk", "max-connections", "greylist", "size", "tls"];
/// Keys that a fault in the dialogue may have beside `stage`.
pub(super) const DIALOGUE_KEYS: [&str; 9] =
    ["reply", "drop", "delay", "tarpit", "first", "every", "odds", "per", "match"];
const LINK_KEYS: [&str; 5] = ["partition", "latency", "loss", "bandwidth", "cut-after"];

pub(super) fn read<'a>(input: Input<'a>, value: Value<'a>, scenario: &Scenario) -> Read<Fault> {
    let table = value.table("a fault", input.notes)?;
    let name = table.read("name", |v| fault_name(v, scenario));
    let lasting = table.read("for", Value::duration_above_zero);
    let may_miss = table.read("may-miss", Value::flag).unwrap_or(false);
    let may_bounce = table.read("may-bounce", Value::flag).unwrap_or(false);
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
    Ok(Fault { name, kind, lasting, may_miss, may_bounce })
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
pub(super) fn refuse(table: &Table<'_>, kind: &str, keys: &[&'static str]) -> Read<()> {
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
        return dialogue::crash(input, table, scenario).map(HostFault::Crash);
    }
    let Some(kind) = kind.or(table.has("per").then_some("stage")) else {
        let mut words = HOST_KEYS.to_vec();
        words.push("crash");
        let mistake = Mistake::new(table.span(), "the fault does not say what is wrong");
        return Err(table.incomplete(mistake.label(format!("expected one of {}", list(&words)))));
    };
    if kind == "stage" {
        return dialogue::read(input, table, scenario)
            .map(|dialogue| HostFault::Dialogue(Box::new(dialogue)));
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
