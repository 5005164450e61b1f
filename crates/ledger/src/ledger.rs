//! The ledger: told every fact once, it keeps the books, runs the checks, gathers the story and writes the
//! journal.

use std::{io, sync::Arc, time::Duration};

use mxdrill_net::{HostId, Time};

use crate::{
    Deed, Expectation, Fact, FaultSetup, Figure, Journal, Outcome, Quantity, Setup, Verdict, books::Books,
    check::Checks, story::Teller,
};

/// A drill's own account of every message and recipient.
#[derive(Debug)]
pub struct Ledger {
    journal: Journal,
    books: Books,
    checks: Checks,
    teller: Teller,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(setup: Setup) -> Ledger {
        Ledger {
            journal: Journal::new(setup.hashed),
            checks: Checks::new(&setup),
            books: Books::new(Arc::new(setup)),
            teller: Teller::default(),
        }
    }

    /// Also writes the canonical journal. To be called before the first fact.
    pub fn journal_to(mut self, writer: Box<dyn io::Write + Send>) -> Ledger {
        self.journal = self.journal.write_to(writer);
        self
    }

    /// Adds a fault that was not foreseen, as a lab has them. To be called before the fault begins.
    pub fn add_fault(&mut self, fault: FaultSetup) {
        Arc::make_mut(&mut self.books.setup).faults.push(fault);
    }

    /// Sees one fact. Facts must come in order of time.
    pub fn see(&mut self, at: Time, host: HostId, fact: &Fact) {
        self.journal.see(at, host, fact);
        self.books.see(at, host, fact);
        let site = self.books.site(host);
        self.checks.see(at, site, fact, &self.books);
        self.teller.see(at, site, fact, &self.books);
    }

    /// Reads a figure off the books as they stand at `at`.
    pub fn figure(&self, at: Time, figure: &Figure) -> Quantity {
        self.books.figure(at, figure)
    }

    /// Compares a figure with what is expected of it: the deed that records the answer, to be seen by this ledger
    /// as any other fact.
    pub fn expect(&self, at: Time, expectation: &Expectation) -> Deed {
        let found = self.figure(at, &expectation.figure);
        let held = expectation.holds(found);
        Deed::Expected { expectation: expectation.clone().into(), found, held }
    }

    /// The books, for tests of them.
    #[cfg(test)]
    pub(crate) fn books(&self) -> &Books {
        &self.books
    }

    /// Whether every recipient is final and nothing is queued anywhere, DSNs and warnings included.
    pub fn is_settled(&self) -> bool {
        self.books.is_settled()
    }

    /// Writes out what is left of the journal.
    ///
    /// # Errors
    /// The first error of the writer that [`Ledger::journal_to`] was given.
    pub fn finish_journal(&mut self) -> io::Result<()> {
        self.journal.finish()
    }

    /// Closes the books: transactions still under way are in doubt from now on.
    pub fn end(mut self, at: Time) -> Outcome {
        let journal_hash = self.journal.hash();
        self.books.close(at);
        let (violations, failed) = self.checks.end(at, &self.books);
        let verdict = match (failed, violations.is_empty()) {
            (true, _) => Verdict::Fail,
            (false, false) => Verdict::Unknown,
            (false, true) => Verdict::Pass,
        };
        let books = &self.books;
        let setup = &books.setup;
        Outcome {
            scenario: setup.name.clone(),
            title: setup.title.clone(),
            world: setup.world.clone(),
            seed: setup.seed,
            site: setup.site.clone(),
            mx: setup.mx,
            verdict,
            counts: books.counts(),
            hosts: books.hosts(at),
            delay: books.delay(),
            failover: books.failover(),
            drain: books.drain(),
            held_at_repair: books.held_at_repair(),
            drained: books.drained(),
            violations,
            bitten: books.bitten().iter().map(|tag| tag.0).collect(),
            off: setup.off.iter().map(|off| (off.rule.clone(), off.reason.clone())).collect(),
            journal_hash,
            virtual_time: at.elapsed(),
            wall_time: Duration::ZERO,
            counterfactuals: Vec::new(),
            story: self.teller.tell(at, books),
            again: setup.again(),
        }
    }
}
