//! What was seen, and what it means: facts, journal, books, checks and reports. Nothing here acts.
//!
//! Start with [`Ledger`]: it is told every [`Fact`] of a drill once, and keeps no list of them. From what it
//! keeps come the figures at any time and, in the end, the [`Outcome`].
//!
//! - [`Setup`]: what must be known beforehand to understand the facts
//! - [`Figure`], [`Expectation`]: what can be read off the books, and what a scenario expects of it
//! - [`Journal`]: every fact as a record, hashed, so that two runs can be compared
//! - [`RULES`]: what is checked in every drill, one file a rule
//! - [`Outcome`], [`report`]: what it came to, for people and for machines

mod books;
mod check;
pub mod dsn;
mod duration;
mod expectation;
mod fact;
mod figure;
mod guard;
mod journal;
mod ledger;
mod outcome;
mod recipients;
pub mod report;
mod schedule;
mod setup;
mod story;
#[cfg(test)]
mod tale;
mod wire;

pub use check::{RULES, Rule};
pub use duration::{Span, SpanError, Spoken};
pub use expectation::{Comparison, Expectation, ExpectationError, Quantity};
pub use fact::{Deed, Fact, Taken};
pub use figure::{Figure, FigureError, Measure, Subject};
pub use guard::Guard;
pub use journal::{Journal, Lines};
pub use ledger::Ledger;
pub use outcome::{Counterfactual, Counts, HostFigures, Outcome, Skipped, Spread, Verdict, Violation};
pub use recipients::{RecipientName, Recipients};
pub use schedule::{Life, Schedule, Waits};
pub use setup::{Bounces, DRILL, FaultSetup, HostSetup, Off, Setup};
pub use story::{Line, Story};
