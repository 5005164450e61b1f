//! Facts of mail hosts as lines of text, so that a test reads as what happened.

use std::fmt::Write;

use mxdrill_net::Time;

use super::{Fact, World};
use crate::{Fact as Mta, Message, Rejection, Target};

/// Writes stories.
pub(crate) struct Story;

impl Story {
    /// What these hosts did, in order, one line a fact; equal lines that follow each other are counted.
    pub(crate) fn of(world: &World, labels: &[&str]) -> String {
        let ids: Vec<_> = labels.iter().map(|label| world.id(label)).collect();
        let mut lines: Vec<(String, usize)> = Vec::new();
        for (at, host, fact) in world.facts.iter().filter(|(_, host, _)| ids.contains(host)) {
            let Fact::Mta(fact) = fact else { continue };
            let Some(text) = line(fact) else { continue };
            let line = format!("{} {} {text}", clock(*at), world.label(*host));
            match lines.last_mut() {
                Some((last, times)) if *last == line => *times += 1,
                _ => lines.push((line, 1)),
            }
        }
        let mut text = String::new();
        for (line, times) in lines {
            let times = if times > 1 { format!(" x{times}") } else { String::new() };
            writeln!(text, "{line}{times}").expect("memory");
        }
        text
    }
}

/// Whole seconds: fractions depend on latencies that no test is about.
fn clock(at: Time) -> String {
    let secs = at.as_nanos() / 1_000_000_000;
    format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
}

fn line(fact: &Mta) -> Option<String> {
    let due = |next: &Time| clock(*next);
    Some(match fact {
        Mta::Accepted { message, .. } => format!("accepted for {}", recipients(message)),
        Mta::TurnedAway { stage, reply, .. } => format!("said {} at {stage}", reply.code.number()),
        Mta::Delivered { message, recipient } => format!("delivered {}", who(message, *recipient)),
        Mta::Policy { domain, fetched: Ok(mode) } => {
            format!("learned the policy of {domain}: {}", mode.word())
        }
        Mta::Policy { domain, fetched: Err(why) } => format!("no policy of {domain}: {}", why.words()),
        Mta::Skipped { host, why, .. } => format!("skipped {} {why:?}", host.first_label()),
        Mta::Failed { target, stage, failure, .. } => match failure {
            mxdrill_smtp::Failure::Reply(reply) => {
                format!("failed {} {stage} {}", to(target), reply.code.number())
            }
            other => format!("failed {} {stage} {other:?}", to(target)),
        },
        Mta::Relayed { message, recipient, target, .. } => {
            format!("relayed {} to {}", who(message, *recipient), to(target))
        }
        Mta::Rejected { message, recipient, target, stage, rejection } => {
            let reply = match rejection {
                Rejection::Temporary(reply) | Rejection::Permanent(reply) => reply,
            };
            let code = reply.code.number();
            format!("rejected {} by {} {stage} {code}", who(message, *recipient), to(target))
        }
        Mta::InDoubt { message, recipient, target } => {
            format!("in doubt {} at {}", who(message, *recipient), to(target))
        }
        Mta::Deferred { count, attempted, next, .. } => {
            let how = if *attempted { "deferred" } else { "put off" };
            format!("{how} {count} until {}", due(next))
        }
        Mta::GivenUp { message, recipient, why, status, .. } => {
            format!("gave up {} {why:?} {status}", who(message, *recipient))
        }
        Mta::Bounced { message, recipient, .. } => format!("bounced {}", who(message, *recipient)),
        Mta::Discarded { message, recipient, why } => {
            format!("discarded {} {why:?}", who(message, *recipient))
        }
        Mta::Warned { message, .. } => format!("warned about {}", recipients(message)),
        Mta::Recovered { pending, .. } => format!("recovered {}", pending.len()),
        Mta::Flushed => "flushed".into(),
        Mta::Began { .. } | Mta::Routed { .. } | Mta::Holds { .. } => return None,
    })
}

fn who(message: &Message, recipient: u16) -> &str {
    message.recipients[usize::from(recipient)].address.local()
}

fn recipients(message: &Message) -> String {
    let locals: Vec<&str> = message.recipients.iter().map(|recipient| recipient.address.local()).collect();
    locals.join(",")
}

fn to(target: &Target) -> &str {
    target.host.first_label()
}
