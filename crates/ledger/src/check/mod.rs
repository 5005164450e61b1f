//! Checks: each is a fold over facts, in a file of its own, and says in the end what broke its rule.
//!
//! To add one: copy a file, give it a rule of its own and put it into [`RULES`]. A scenario switches a check off
//! by the name of its rule.

mod address_record;
mod altered;
mod backscatter;
mod bounced;
mod clear_text;
mod discarded;
mod duplicated;
#[cfg(test)]
mod example;
mod excuse;
mod expectation;
mod fault_idle;
mod findings;
mod half_message;
mod licence;
mod lifetime;
mod looped;
mod lost;
mod mx_order;
mod queued;
mod relayed_down;
mod retry_early;
mod retry_late;
mod unexpected;

use std::fmt;

use mxdrill_net::Time;

use crate::{
    Deed, Fact, Setup, Violation,
    books::{Books, Note, Site},
};

/// A rule that is checked in every drill.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name: `mx-order`.
    pub name: &'static str,
    /// The clause it rests on.
    pub clause: &'static str,
    /// What it demands, in a line.
    pub about: &'static str,
    /// Whether breaking it makes the verdict `unknown` rather than `fail`: it shows that the drill proves nothing.
    pub undecided: bool,
    /// Facts that the check wants to see.
    wants: Wants,
    make: fn() -> Box<dyn Check>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("name", &self.name).field("clause", &self.clause).finish()
    }
}

/// All rules, in the order in which reports name what broke them.
pub const RULES: [Rule; 19] = [
    lost::RULE,
    bounced::RULE,
    discarded::RULE,
    queued::RULE,
    unexpected::RULE,
    duplicated::RULE,
    half_message::RULE,
    altered::RULE,
    looped::RULE,
    mx_order::RULE,
    relayed_down::RULE,
    address_record::RULE,
    lifetime::RULE,
    retry_early::RULE,
    retry_late::RULE,
    backscatter::RULE,
    clear_text::RULE,
    expectation::RULE,
    fault_idle::RULE,
];

/// Every clause that a violation can rest on.
pub(crate) fn clauses() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.clause).chain(bounced::clauses())
}

/// A fold over facts. The books have seen each fact before the check does.
pub(crate) trait Check: fmt::Debug + Send {
    /// Sees a fact of a kind that its rule wants.
    fn see(&mut self, _at: Time, _site: Site, _fact: &Fact, _books: &Books) {}

    /// Sees what the books noticed in a fact.
    fn note(&mut self, _at: Time, _note: &Note, _books: &Books) {}

    /// Says what broke the rule. The books are closed.
    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation>;
}

/// A set of kinds of facts: most facts are of no interest to most checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wants(u8);

impl Wants {
    pub(crate) const NOTHING: Wants = Wants(0);
    pub(crate) const GIVEN_UP: Wants = Wants(1);
    pub(crate) const DISCARDED: Wants = Wants(2);
    pub(crate) const REJECTED: Wants = Wants(4);
    pub(crate) const EXPECTED: Wants = Wants(8);
    pub(crate) const STEP: Wants = Wants(16);
    pub(crate) const FAILED: Wants = Wants(32);

    pub(crate) const fn and(self, other: Wants) -> Wants {
        Wants(self.0 | other.0)
    }

    fn of(fact: &Fact) -> Wants {
        match fact {
            Fact::Mta(mxdrill_mta::Fact::GivenUp { .. }) => Wants::GIVEN_UP,
            Fact::Mta(mxdrill_mta::Fact::Discarded { .. }) => Wants::DISCARDED,
            Fact::Mta(mxdrill_mta::Fact::Rejected { .. }) => Wants::REJECTED,
            Fact::Mta(mxdrill_mta::Fact::Failed { .. }) => Wants::FAILED,
            Fact::Drill(Deed::Expected { .. }) => Wants::EXPECTED,
            Fact::Drill(Deed::Sends { .. } | Deed::Fault { .. } | Deed::Flush | Deed::Set { .. }) => {
                Wants::STEP
            }
            _ => Wants::NOTHING,
        }
    }
}

/// The checks of a drill.
#[derive(Debug)]
pub(crate) struct Checks(Vec<(Rule, Box<dyn Check>)>);

impl Checks {
    /// All checks but those that the scenario switches off.
    pub(crate) fn new(setup: &Setup) -> Checks {
        let is_on = |rule: &Rule| setup.off.iter().all(|off| off.rule != rule.name);
        Checks(RULES.iter().filter(|rule| is_on(rule)).map(|rule| (*rule, (rule.make)())).collect())
    }

    /// Shows a fact, already in the books, to those who want it.
    pub(crate) fn see(&mut self, at: Time, site: Site, fact: &Fact, books: &Books) {
        let kind = Wants::of(fact);
        if kind == Wants::NOTHING && books.notes().is_empty() {
            return;
        }
        for (rule, check) in &mut self.0 {
            if rule.wants.0 & kind.0 != 0 {
                check.see(at, site, fact, books);
            }
            for note in books.notes() {
                check.note(at, note, books);
            }
        }
    }

    /// All violations, and whether one of them is more than a doubt about the drill.
    pub(crate) fn end(&mut self, at: Time, books: &Books) -> (Vec<Violation>, bool) {
        let mut all = Vec::new();
        let mut failed = false;
        for (rule, check) in &mut self.0 {
            let found = check.end(at, books);
            failed |= !found.is_empty() && !rule.undecided;
            all.extend(found);
        }
        (all, failed)
    }
}

#[cfg(test)]
mod tests;
