//! `[[step]]`: what happens when; and the words by which steps name hosts, links and names in the DNS.

use std::{ops::Range, time::Duration};

use mxdrill_dns::{RecordType, Zones};

use super::{
    Input, Read, Value, expect, fault,
    mistake::Mistake,
    send,
    walk::{Table, clip},
};
use crate::scenario::{Action, Clear, DnsName, Fault, Place, PlaceError, Record, Scenario, Send, Step};

const ACTIONS: [&str; 6] = ["send", "fault", "clear", "flush", "set", "expect"];

pub(super) fn read_all<'a>(input: Input<'a>, table: &Table<'a>, scenario: &Scenario) -> Vec<Step> {
    let Some(value) = table.get("step") else { return Vec::new() };
    let Some(array) = value.raw().as_array() else {
        input
            .notes
            .add(value.wrong("an array of steps").help("each step begins with [[step]], in two brackets"));
        return Vec::new();
    };
    let mut reader = Steps { input, scenario, before: None, named: Vec::new(), clears: Vec::new() };
    let mut steps: Vec<Step> = array.iter().filter_map(|step| reader.read(Value(step))).collect();
    reader.check_clears();
    steps.sort_by_key(|step| step.at);
    steps
}

/// Reads one step after the other.
struct Steps<'a, 's> {
    input: Input<'a>,
    scenario: &'s Scenario,
    /// The last send, from which the next takes what it omits.
    before: Option<Send>,
    /// Names of faults, where they stand, and when the fault begins.
    named: Vec<(String, Range<usize>, Duration)>,
    /// Names of faults that are cleared.
    clears: Vec<(Value<'a>, &'a str, Duration)>,
}

impl<'a> Steps<'a, '_> {
    fn read(&mut self, value: Value<'a>) -> Option<Step> {
        let table = self.input.notes.note(value.table("a step", self.input.notes))?;
        let at = table.need("at", "at = \"5m\"", Value::duration);
        let action = self.action(&table, at.unwrap_or_default());
        let action = self.input.notes.note(action);
        table.finish();
        Some(Step { at: at?, action: action? })
    }

    fn action(&mut self, table: &Table<'a>, at: Duration) -> Read<Action> {
        let Some(key) = table.only_one(&ACTIONS)? else {
            let words = super::mistake::list(&ACTIONS);
            return Err(
                Mistake::new(table.span(), "the step does nothing").label(format!("expected one of {words}"))
            );
        };
        let value = table.get(key).ok_or_else(Mistake::again)?;
        let (input, scenario) = (self.input, self.scenario);
        table.know(&["at"]);
        Ok(match key {
            "send" => {
                let send = send::read(input, value, scenario, self.before.as_ref())?;
                self.before = Some(send.clone());
                Action::Send(send)
            }
            "fault" => Action::Fault(self.fault(value, at)?),
            "clear" => Action::Clear(self.clear(value, at)?),
            "flush" => Action::Flush(place(value, scenario)?),
            "set" => Action::Set(set(input, value, scenario)?),
            _ => Action::Expect(expect::read(input, value, scenario)?),
        })
    }

    fn fault(&mut self, value: Value<'a>, at: Duration) -> Read<Fault> {
        let fault = fault::read(self.input, value, self.scenario)?;
        if let Some(name) = &fault.name {
            let span = value.raw().get("name").map_or(value.span(), |name| name.span());
            if let Some((_, first, _)) = self.named.iter().find(|(known, ..)| known == name) {
                self.input.notes.add(
                    Mistake::new(span, format!("two faults are called `{name}`"))
                        .label("the second")
                        .other(first.clone(), "the first"),
                );
                return Ok(fault);
            }
            self.named.push((name.clone(), span, at));
        }
        Ok(fault)
    }

    /// `clear = "primary"`, `"grey"`, `"mx2>mx1"`, `"example.test MX"`; or a table where that would be doubtful.
    fn clear(&mut self, value: Value<'a>, at: Duration) -> Read<Clear> {
        if value.raw().is_table() {
            return clear_table(self.input, value, self.scenario);
        }
        let text = value.text("what to clear: a host, a fault's name, a link, or a name in the DNS")?;
        if text.contains('>') {
            return link(value, self.scenario).map(|(from, to, both)| Clear::Link { from, to, both });
        }
        let named = place_of(text, self.scenario);
        if named.is_ok() || !matches!(Place::from(text), Place::Host(_)) {
            return place(value, self.scenario).map(Clear::Host);
        }
        if text.contains([' ', '.', '@']) {
            return name_and_type(value, self.scenario).map(|(name, kind)| Clear::Dns { name, kind });
        }
        self.clears.push((value, text, at));
        Ok(Clear::Fault(text.into()))
    }

    /// A fault may be cleared before it stands in the file, but not before it begins.
    fn check_clears(&self) {
        for (value, name, at) in &self.clears {
            let mistake = match self.named.iter().find(|(known, ..)| known == name) {
                Some((.., begins)) if begins <= at => continue,
                Some((_, span, _)) => value
                    .mistake(format!("`{name}` is cleared before it begins"))
                    .label("cleared here")
                    .other(span.clone(), "the fault"),
                None => {
                    let names = self.named.iter().map(|(name, ..)| name.as_str());
                    let labels = self.scenario.hosts.iter().map(|host| host.label.as_str());
                    value
                        .mistake(format!("no fault and no host is called `{}`", clip(name)))
                        .label("nothing to clear")
                        .suggest(name, names.chain(labels))
                }
            };
            self.input.notes.add(mistake);
        }
    }
}

fn clear_table<'a>(input: Input<'a>, value: Value<'a>, scenario: &Scenario) -> Read<Clear> {
    let table = value.table("a clear", input.notes)?;
    let clear = table.need("dns", "dns = \"mx1 A\"", |v| name_and_type(v, scenario));
    table.finish();
    clear.map(|(name, kind)| Clear::Dns { name, kind }).ok_or_else(Mistake::again)
}

/// `set = { dns = "mx1 A", to = ["192.0.2.11"], ttl = "5m" }`; an empty `to` deletes.
fn set<'a>(input: Input<'a>, value: Value<'a>, scenario: &Scenario) -> Read<Record> {
    let table = value.table("a set", input.notes)?;
    let named = table.need("dns", "dns = \"example.test MX\"", |v| match name_and_type(v, scenario)? {
        (name, Some(kind)) => Ok((name, kind)),
        (_, None) => Err(v.mistake("a set needs the type of the record").label("expected such as \"mx1 A\"")),
    });
    let to = table.need("to", "to = [\"10 mx1\"]", |v| {
        v.one_or_more()
            .into_iter()
            .map(|v| v.text("the data of a record").map(String::from))
            .collect::<Read<Vec<_>>>()
    });
    let ttl = table.read("ttl", Value::duration);
    table.finish();
    let ((name, kind), Some(to)) = (named.ok_or_else(Mistake::again)?, to) else {
        return Err(Mistake::again());
    };
    let record = Record { name, kind, to, ttl };
    check_record(scenario, &record).map_err(|err| {
        let values = table_get(value, "to").map_or(value, Value);
        values
            .mistake(format!("the record cannot be read: {err}"))
            .label("expected the data in master-file form")
    })?;
    Ok(record)
}

fn table_get<'a>(value: Value<'a>, key: &str) -> Option<&'a serde_spanned::Spanned<toml::de::DeValue<'a>>> {
    value.raw().as_table()?.get(key)
}

fn check_record(scenario: &Scenario, record: &Record) -> Result<(), String> {
    let mut whole = scenario.clone();
    whole.steps = Vec::new();
    let text = whole.record_text(record).map_err(|err| err.to_string())?;
    Zones::parse(&text).map(drop).map_err(|err| err.problem.to_string())
}

/// A host, by label, full name or place.
pub(super) fn place(value: Value<'_>, scenario: &Scenario) -> Read<Place> {
    let text = value.text("a host")?;
    place_of(text, scenario).map_err(|err| unknown(value.span(), text, &err, scenario))
}

fn unknown(span: Range<usize>, text: &str, err: &PlaceError, scenario: &Scenario) -> Mistake {
    let labels = scenario.hosts.iter().map(|host| host.label.as_str());
    let places = ["primary", "backup", "backup2", "sender"];
    match err {
        PlaceError::Unknown(_) => Mistake::new(span, format!("unknown host `{}`", clip(text)))
            .label("not a host of this scenario")
            .suggest(text, labels.chain(places)),
        PlaceError::NoPlace { .. } => Mistake::new(span, err.to_string())
            .label("no such place")
            .help("places follow from the MX records of the zone; only hosts under [host] have one"),
    }
}

fn place_of(text: &str, scenario: &Scenario) -> Result<Place, PlaceError> {
    let place = Place::from(text);
    let label = scenario.place(&place)?.to_owned();
    // A full name is kept as the label, so that one host has one word.
    Ok(if matches!(place, Place::Host(_)) { Place::Host(label) } else { place })
}

/// `"mx2>mx1"`, or `"mx2<>mx1"` for both directions.
pub(super) fn link(value: Value<'_>, scenario: &Scenario) -> Read<(Place, Place, bool)> {
    let expected = "a link such as \"mx2>mx1\", or \"mx2<>mx1\" for both ways";
    let text = value.text(expected)?;
    let (from, to) = text.split_once('>').ok_or_else(|| {
        value.mistake(format!("`{}` is no link", clip(text))).label(format!("expected {expected}"))
    })?;
    let (from, both) = match from.strip_suffix('<') {
        Some(from) => (from, true),
        None => (from, false),
    };
    let end = |text: &str| {
        place_of(text.trim(), scenario).map_err(|err| unknown(value.span(), text.trim(), &err, scenario))
    };
    let (from, to) = (end(from)?, end(to)?);
    if scenario.place(&from) == scenario.place(&to) {
        return Err(value
            .mistake("a link goes from one host to another")
            .label("both ends are the same host"));
    }
    Ok((from, to, both))
}

/// `"example.test MX"`, `"@ MX"`, `"primary A"`, or a name alone for every type.
pub(super) fn name_and_type(value: Value<'_>, scenario: &Scenario) -> Read<(DnsName, Option<RecordType>)> {
    let text = value.text("a name in the DNS and a type, such as \"example.test MX\"")?;
    let mut words = text.split_ascii_whitespace();
    let (name, kind, more) = (words.next().unwrap_or_default(), words.next(), words.next());
    if more.is_some() {
        return Err(value
            .mistake(format!("`{}` is more than a name and a type", clip(text)))
            .label("expected \"example.test MX\""));
    }
    let kind: Option<RecordType> = kind
        .map(|kind| {
            kind.parse().map_err(|err| value.mistake(format!("{err}")).label("expected a record type"))
        })
        .transpose()?;
    let wrong = |err: &dyn std::fmt::Display| value.mistake(err.to_string()).label("expected a name");
    let name = match (name, Place::from(name)) {
        ("@", _) => DnsName::Own,
        (_, Place::Host(_)) if scenario.host(name).is_some() => {
            DnsName::Host(place_of(name, scenario).map_err(|err| wrong(&err))?)
        }
        (_, Place::Host(_)) if !name.contains('.') => {
            return Err(unknown(value.span(), name, &PlaceError::Unknown(name.into()), scenario));
        }
        (_, Place::Host(_)) => {
            DnsName::Name(name.parse().map_err(|err: mxdrill_net::NameError| wrong(&err))?)
        }
        (_, place) => {
            scenario.place(&place).map_err(|err| unknown(value.span(), name, &err, scenario))?;
            DnsName::Host(place)
        }
    };
    Ok((name, kind))
}
