//! Expectations of a drill built in code.

use std::{fmt, time::Duration};

use mxdrill_ledger::Span;

use super::Act;
use crate::scenario::{
    print::duration,
    toml_text::{Node, Table},
};

/// A figure of the books, to be compared: `queued("mx2").is(40)`.
#[derive(Clone, Debug)]
pub struct Figure {
    measure: String,
    of: String,
}

/// Figures compared at the time of the step.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    keys: Table,
}

/// Any figure: its measure, and of what.
pub fn figure(measure: &str, of: &str) -> Figure {
    Figure { measure: measure.into(), of: of.into() }
}

macro_rules! figures {
    ($($name:ident = $word:literal: $doc:literal),+ $(,)?) => {$(
        #[doc = $doc]
        pub fn $name(of: &str) -> Figure {
            figure($word, of)
        }
    )+};
}

figures! {
    sent = "sent": "Recipients whose first transaction has ended, by a host or `all`.",
    accepted = "accepted": "Recipients taken over by a host.",
    delivered = "delivered": "Recipients in a mailbox of a host or of `all`.",
    queued = "queued": "Recipients in the queue of a host or of `all`.",
    rejected = "rejected": "Recipients that the first host did not take.",
    bounced = "bounced": "Recipients given up with a DSN, by a host or `all`.",
    discarded = "discarded": "Recipients given up in silence.",
    in_doubt = "in-doubt": "Recipients whose link was lost after the final dot.",
    duplicated = "duplicated": "Extra copies.",
}

/// The longest delay from sending to delivery.
pub fn delay_max() -> Figure {
    figure("delay", "max")
}

/// The longest time from the start of an attempt to the 250 of a worse MX.
pub fn failover_max() -> Figure {
    figure("failover", "max")
}

/// A number or a duration that a figure is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// A number.
    Count(u64),
    /// A duration.
    Time(Duration),
}

impl From<i32> for Bound {
    /// What a number without a type is; below zero is zero.
    fn from(count: i32) -> Bound {
        Bound::Count(u64::try_from(count).unwrap_or(0))
    }
}

impl From<u64> for Bound {
    fn from(count: u64) -> Bound {
        Bound::Count(count)
    }
}

impl From<Duration> for Bound {
    fn from(time: Duration) -> Bound {
        Bound::Time(time)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Count(count) => count.fmt(f),
            Bound::Time(time) => Span(*time).fmt(f),
        }
    }
}

impl Figure {
    fn compared(self, sign: &str, bound: impl Into<Bound>) -> Expect {
        let value = match (sign, bound.into()) {
            ("", Bound::Count(count)) => Node::plain(count),
            (sign, bound) => Node::text(format!("{sign}{bound}")),
        };
        Expect { keys: vec![(self.measure, Node::Table(vec![(self.of, value)]))] }
    }

    /// It equals.
    pub fn is(self, bound: impl Into<Bound>) -> Expect {
        self.compared("", bound)
    }

    /// It is less.
    pub fn below(self, bound: impl Into<Bound>) -> Expect {
        self.compared("< ", bound)
    }

    /// It is not more.
    pub fn at_most(self, bound: impl Into<Bound>) -> Expect {
        self.compared("<= ", bound)
    }

    /// It is more.
    pub fn above(self, bound: impl Into<Bound>) -> Expect {
        self.compared("> ", bound)
    }

    /// It is not less.
    pub fn at_least(self, bound: impl Into<Bound>) -> Expect {
        self.compared(">= ", bound)
    }
}

/// Reads as a sentence: `expect(queued("mx2").is(40).and(delivered("mx1").is(10)))`.
pub fn expect(expectation: Expect) -> Expect {
    expectation
}

impl Expect {
    /// And this as well.
    pub fn and(mut self, other: Expect) -> Expect {
        for (key, node) in other.keys {
            merge(&mut self.keys, key, node);
        }
        self
    }

    /// At some moment within so much time, rather than now.
    pub fn within(mut self, time: Duration) -> Expect {
        super::set_key(&mut self.keys, "eventually", duration(time));
        self
    }
}

/// Puts a value beside others of the same key: tables are merged, values gathered in an array.
fn merge(table: &mut Table, key: String, node: Node) {
    let Some((_, known)) = table.iter_mut().find(|(known, _)| *known == key) else {
        return table.push((key, node));
    };
    match (known, node) {
        (Node::Table(known), Node::Table(more)) => {
            more.into_iter().for_each(|(key, node)| merge(known, key, node));
        }
        (Node::Array(known), node) => known.push(node),
        (known, node) => *known = Node::Array(vec![known.clone(), node]),
    }
}

impl From<Expect> for Act {
    fn from(expect: Expect) -> Act {
        Act::new("expect", Node::Table(expect.keys))
    }
}
