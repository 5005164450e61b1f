//! The journal as JSON lines, one fact a line, for people and scripts. Not canonical.

use std::io;

use mxdrill_mta::{Message, Rejection, Route, Target};
use mxdrill_net::{HostId, Time};
use mxdrill_smtp::Failure;
use serde_json::{Map, Value, json};

use crate::{DRILL, Deed, Fact, Taken};

/// Writes facts as JSON lines: `{"at":360.2,"host":"mx2","fact":"accepted","key":"00c0ffee...", ...}`. Times are
/// virtual seconds.
#[derive(Debug)]
pub struct Lines<W> {
    writer: W,
    hosts: Vec<(HostId, String)>,
}

impl<W: io::Write> Lines<W> {
    /// Writes to `writer`, with names for hosts. Buffer it: each line is one write.
    pub fn new(writer: W, hosts: Vec<(HostId, String)>) -> Lines<W> {
        Lines { writer, hosts }
    }

    /// Writes one fact.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn see(&mut self, at: Time, host: HostId, fact: &Fact) -> io::Result<()> {
        let mut line = Map::new();
        line.insert("at".into(), json!(at.as_secs_f64()));
        if host != DRILL {
            line.insert("host".into(), self.name_of(host));
        }
        let (kind, fields) = describe(fact);
        line.insert("fact".into(), json!(kind));
        if let Value::Object(fields) = fields {
            line.extend(fields);
        }
        serde_json::to_writer(&mut self.writer, &Value::Object(line))?;
        self.writer.write_all(b"\n")
    }

    /// The writer back.
    pub fn into_inner(self) -> W {
        self.writer
    }

    fn name_of(&self, host: HostId) -> Value {
        match self.hosts.iter().find(|(id, _)| *id == host) {
            Some((_, name)) => json!(name),
            None => json!(host.0),
        }
    }
}

fn describe(fact: &Fact) -> (&'static str, Value) {
    match fact {
        Fact::Net(fact) => net(fact),
        Fact::Dns(fact) => dns(fact),
        Fact::Mta(fact) => mta(fact),
        Fact::Drill(deed) => drill(deed),
    }
}

fn net(fact: &mxdrill_net::Fact) -> (&'static str, Value) {
    use mxdrill_net::Fact::*;
    match fact {
        Connected { conn, to } => ("connected", json!({ "conn": conn.0, "to": to })),
        ConnectFailed { conn, to, why } => {
            ("connect_failed", json!({ "conn": conn.0, "to": to, "why": debug(why) }))
        }
        Incoming { conn, from } => ("incoming", json!({ "conn": conn.0, "from": from })),
        Gone { conn, how } => ("gone", json!({ "conn": conn.0, "how": how.as_ref().map(debug) })),
        Crashed => ("crashed", json!({})),
        Restarted => ("restarted", json!({})),
        Bit(tag) => ("bit", json!({ "fault": tag.0 })),
    }
}

fn dns(fact: &mxdrill_dns::Fact) -> (&'static str, Value) {
    use mxdrill_dns::Fact::*;
    match fact {
        Asked { name, kind } => ("asked", json!({ "name": name.as_str(), "type": debug(kind) })),
        Answered { name, kind, outcome } => {
            ("answered", json!({ "name": name.as_str(), "type": debug(kind), "outcome": debug(outcome) }))
        }
    }
}

fn mta(fact: &mxdrill_mta::Fact) -> (&'static str, Value) {
    use mxdrill_mta::Fact::*;
    match fact {
        Accepted { message, peer, .. } => ("accepted", json!({ "message": whole(message), "peer": peer })),
        TurnedAway { peer, stage, reply, recipient, key } => (
            "turned_away",
            json!({
                "peer": peer, "stage": stage.word(), "reply": reply.to_string(),
                "recipient": recipient.as_ref().map(ToString::to_string), "key": key.map(|key| hex(key.0)),
            }),
        ),
        Delivered { message, recipient } => ("delivered", of(message, *recipient)),
        Began { message, destination } => {
            ("began", json!({ "key": hex(message.key.0), "destination": destination.as_str() }))
        }
        Routed { destination, route } => {
            ("routed", json!({ "destination": destination.as_str(), "route": hosts(route) }))
        }
        Skipped { destination, host, preference, why } => (
            "skipped",
            json!({
                "destination": destination.as_str(), "mx": host.as_str(), "preference": preference,
                "why": debug(why),
            }),
        ),
        Failed { destination, target, stage, failure } => (
            "failed",
            json!({
                "destination": destination.as_str(), "target": to(target), "stage": stage.word(),
                "failure": failed(failure),
            }),
        ),
        Relayed { .. }
        | Rejected { .. }
        | InDoubt { .. }
        | Deferred { .. }
        | GivenUp { .. }
        | Bounced { .. }
        | Discarded { .. }
        | Warned { .. }
        | Recovered { .. }
        | Policy { .. }
        | Flushed
        | Holds { .. } => mta_recipient(fact),
    }
}

/// The facts about one recipient, or about the queue.
fn mta_recipient(fact: &mxdrill_mta::Fact) -> (&'static str, Value) {
    use mxdrill_mta::Fact::*;
    match fact {
        Relayed { message, recipient, target, began } => {
            let more = json!({ "target": to(target), "began": began.as_secs_f64() });
            ("relayed", with(of(message, *recipient), more))
        }
        Rejected { message, recipient, target, stage, rejection } => {
            let (severity, reply) = match rejection {
                Rejection::Temporary(reply) => ("temporary", reply),
                Rejection::Permanent(reply) => ("permanent", reply),
            };
            let more = json!({
                "target": to(target), "stage": stage.word(), "severity": severity, "reply": reply.to_string(),
            });
            ("rejected", with(of(message, *recipient), more))
        }
        InDoubt { message, recipient, target } => {
            ("in_doubt", with(of(message, *recipient), json!({ "target": to(target) })))
        }
        Deferred { destination, count, attempted, next } => (
            "deferred",
            json!({
                "destination": destination.as_str(), "count": count, "attempted": attempted,
                "next": next.as_secs_f64(),
            }),
        ),
        GivenUp { message, recipient, why, status, text } => {
            let more = json!({ "why": debug(why), "status": status.to_string(), "text": text });
            ("given_up", with(of(message, *recipient), more))
        }
        Bounced { message, recipient, dsn } => {
            ("bounced", with(of(message, *recipient), json!({ "dsn": whole(dsn) })))
        }
        Discarded { message, recipient, why } => {
            ("discarded", with(of(message, *recipient), json!({ "why": debug(why) })))
        }
        Warned { message, dsn } => ("warned", json!({ "key": hex(message.key.0), "dsn": whole(dsn) })),
        Recovered { message, pending } => {
            ("recovered", json!({ "message": whole(message), "pending": pending }))
        }
        Policy { domain, fetched } => {
            let (mode, why) = (fetched.ok().map(|mode| mode.word()), fetched.err().map(|why| why.words()));
            ("policy", json!({ "domain": domain.as_str(), "mode": mode, "why": why }))
        }
        Flushed => ("flushed", json!({})),
        Holds { message, recipient } => ("holds", of(message, *recipient)),
        Accepted { .. }
        | TurnedAway { .. }
        | Delivered { .. }
        | Began { .. }
        | Routed { .. }
        | Skipped { .. }
        | Failed { .. } => unreachable!("described by `mta`"),
    }
}

fn drill(deed: &Deed) -> (&'static str, Value) {
    match deed {
        Deed::Sends { send, from, to, count, over } => (
            "sends",
            json!({ "send": send, "from": from.to_string(), "to": to, "count": count, "over": over.as_secs_f64() }),
        ),
        Deed::Flush => ("flush", json!({})),
        Deed::Set { text } => ("set", json!({ "text": text })),
        Deed::Expected { expectation, found, held } => (
            "expected",
            json!({ "expectation": expectation.to_string(), "found": found.to_string(), "held": held }),
        ),
        Deed::Sending { number, send, key, from, forged, to, header, body } => (
            "sending",
            json!({
                "number": number, "send": send, "key": hex(key.0), "from": from.to_string(), "forged": forged,
                "to": to.iter().map(ToString::to_string).collect::<Vec<_>>(), "size": header.len() + body.len(),
            }),
        ),
        Deed::Sent { number, recipient, taken, .. } => {
            let (word, reply) = match taken {
                Taken::Acknowledged => ("acknowledged", None),
                Taken::Rejected(reply) => ("rejected", Some(reply.to_string())),
                Taken::InDoubt => ("in_doubt", None),
                Taken::Unreached => ("unreached", None),
            };
            ("sent", json!({ "number": number, "recipient": recipient, "taken": word, "reply": reply }))
        }
        Deed::Fault { tag, begins } => ("fault", json!({ "fault": tag.0, "begins": begins })),
        Deed::Looked => ("looked", json!({})),
        Deed::Ended { wall } => ("ended", json!({ "wall": wall.as_secs_f64() })),
    }
}

fn of(message: &Message, recipient: u16) -> Value {
    let to = message.recipients.get(usize::from(recipient)).map(|to| to.address.to_string());
    json!({ "key": hex(message.key.0), "recipient": recipient, "to": to })
}

fn whole(message: &Message) -> Value {
    let to: Vec<String> = message.recipients.iter().map(|to| to.address.to_string()).collect();
    json!({
        "key": hex(message.key.0), "from": message.reverse_path.to_string(), "to": to, "size": message.size(),
    })
}

fn with(base: Value, more: Value) -> Value {
    match (base, more) {
        (Value::Object(mut base), Value::Object(more)) => {
            base.extend(more);
            Value::Object(base)
        }
        (base, _) => base,
    }
}

fn to(target: &Target) -> Value {
    json!({
        "mx": target.host.as_str(), "preference": target.preference, "address": target.address,
        "security": target.security.word(),
    })
}

fn hosts(route: &Route) -> Value {
    let host = |host: &mxdrill_mta::RouteHost| {
        json!({
            "mx": host.name.as_str(), "preference": host.preference, "dropped": host.dropped,
            "addresses": host.addresses.as_ref().ok(), "unresolved": host.addresses.as_ref().err().map(debug),
        })
    };
    json!({
        "basis": debug(&route.basis), "own": route.own, "hosts": route.hosts.iter().map(host).collect::<Vec<_>>(),
    })
}

fn failed(failure: &Failure) -> Value {
    match failure {
        Failure::Connect(why) => json!(debug(why)),
        Failure::Reply(reply) => json!(reply.to_string()),
        Failure::Tls(why) => json!(why.to_string()),
        other => json!(debug(other)),
    }
}

fn hex(key: u64) -> String {
    format!("{key:016x}")
}

/// A variant's name in snake case: these enums have plain names.
fn debug(value: &impl std::fmt::Debug) -> String {
    let mut word = String::new();
    for c in format!("{value:?}").chars() {
        if c.is_ascii_uppercase()
            && !word.is_empty()
            && word.ends_with(|last: char| last.is_ascii_lowercase())
        {
            word.push('_');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}
