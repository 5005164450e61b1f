//! What the scenario expects, holds.

use mxdrill_net::Time;

use super::{Check, Rule, Wants};
use crate::{
    Deed, Fact, Quantity, Recipients, Span, Subject, Violation,
    books::{Books, Site},
    duration::clock,
};

pub(super) const RULE: Rule = Rule {
    name: "expectation",
    clause: "scenario",
    about: "every figure is as the scenario expects it",
    undecided: false,
    wants: Wants::EXPECTED,
    make: || Box::new(Expected::default()),
};

/// Expectations that did not hold; a scenario has few.
const BROKEN_MAX: usize = 256;

#[derive(Debug, Default)]
struct Expected(Vec<Violation>);

impl Check for Expected {
    fn see(&mut self, at: Time, _site: Site, fact: &Fact, _books: &Books) {
        let Fact::Drill(Deed::Expected { expectation, found, held: false }) = fact else { return };
        if self.0.len() == BROKEN_MAX {
            return;
        }
        let host = match &expectation.figure.of {
            Subject::Host(name) => Some(name.to_string()),
            _ => None,
        };
        let found = match found {
            Quantity::Span(span) => Span(*span).spoken().to_string(),
            found => found.to_string(),
        };
        self.0.push(Violation {
            rule: RULE.name,
            clause: RULE.clause,
            host,
            at: Some(at),
            text: format!("at {} {expectation} expected, {found} found", clock(at)),
            recipients: Recipients::default(),
        });
    }

    fn end(&mut self, _at: Time, _books: &Books) -> Vec<Violation> {
        std::mem::take(&mut self.0)
    }
}
