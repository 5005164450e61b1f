//! `[[step]]`: what happens when.

use std::{ops::Range, time::Duration};

use mxdrill_dns::Zones;
use serde_spanned::Spanned;
use toml::de::DeValue;

use super::{
    Input, Read, expect, fault,
    mistake::Mistake,
    names::{link, name_and_type, place, place_of},
    send,
    value::{Value, clip},
    walk::Table,
};
use crate::scenario::{Action, Clear, Fault, Place, Record, Scenario, Send, Step};

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
    let mut steps: Vec<Step> = array.iter().flat_map(|step| reader.read(Value(step))).collect();
    reader.check_clears();
    steps.sort_by_key(|step| step.at);
    steps
}

/// `repeat = { every = "4m", times = 15 }`: the same step again and again, such as a host that flaps.
fn repeat<'a>(input: Input<'a>, value: Value<'a>, action: Option<&Action>) -> Read<(Duration, u32)> {
    if let Some(Action::Fault(Fault { name: Some(name), .. })) = action {
        return Err(value
            .mistake(format!("all of these faults would be called `{name}`"))
            .label("leave out `name`"));
    }
    let table = value.table("a repetition", input.notes)?;
    let every = table.need("every", "every = \"4m\"", Value::duration_above_zero);
    let times = table.need("times", "times = 15", |v| v.integer("how often in all", 2, 1000));
    table.finish();
    let times = times.and_then(|times| u32::try_from(times).ok());
    every.zip(times).ok_or_else(Mistake::again)
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
    /// A step, or all of its repetitions.
    fn read(&mut self, value: Value<'a>) -> Vec<Step> {
        let notes = self.input.notes;
        let Some(table) = notes.note(value.table("a step", notes)) else { return Vec::new() };
        let at = table.need("at", "at = \"5m\"", Value::duration);
        let action = notes.note(self.action(&table, at.unwrap_or_default()));
        let repeat = table.read("repeat", |v| repeat(self.input, v, action.as_ref()));
        table.finish();
        let (Some(at), Some(action)) = (at, action) else { return Vec::new() };
        let (every, times) = repeat.unwrap_or((Duration::ZERO, 1));
        (0..times).map(|n| Step { at: at + every * n, action: action.clone() }).collect()
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

fn table_get<'a>(value: Value<'a>, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
    value.raw().as_table()?.get(key)
}

fn check_record(scenario: &Scenario, record: &Record) -> Result<(), String> {
    let mut whole = scenario.clone();
    whole.steps = Vec::new();
    let text = whole.record_text(record).map_err(|err| err.to_string())?;
    Zones::parse(&text).map(drop).map_err(|err| err.problem.to_string())
}
