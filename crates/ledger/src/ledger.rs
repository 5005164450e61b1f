//! The ledger: told every fact once, it keeps the books, runs the checks and writes the journal.

use mxdrill_net::{HostId, Time};

use crate::{Counts, Deed, Expectation, Fact, Figure, Outcome, Quantity, Setup, Spread, Story, Verdict};

/// A drill's own account of every message and recipient.
#[derive(Debug)]
pub struct Ledger {
    setup: Setup,
}

impl Ledger {
    /// An empty ledger.
    pub fn new(setup: Setup) -> Ledger {
        Ledger { setup }
    }

    /// Also writes the canonical journal. A failed write is reported by [`Ledger::journal_error`].
    pub fn journal_to(self, _writer: Box<dyn std::io::Write + Send>) -> Ledger {
        self
    }

    /// Sees one fact. Facts must come in order of time.
    pub fn see(&mut self, _at: Time, _host: HostId, _fact: &Fact) {}

    /// Reads a figure off the books as they stand at `at`.
    pub fn figure(&self, _at: Time, _figure: &Figure) -> Quantity {
        Quantity::None
    }

    /// Compares a figure with what is expected of it: the deed that records the answer, to be seen by this ledger
    /// as any other fact.
    pub fn expect(&self, at: Time, expectation: &Expectation) -> Deed {
        let found = self.figure(at, &expectation.figure);
        let held = expectation.holds(found);
        Deed::Expected { expectation: expectation.clone().into(), found, held }
    }

    /// Whether every recipient is final and nothing is queued anywhere, DSNs and warnings included.
    pub fn is_settled(&self) -> bool {
        true
    }

    /// Why the journal could not be written, if it could not.
    pub fn journal_error(&self) -> Option<&std::io::Error> {
        None
    }

    /// Closes the books.
    pub fn end(self, at: Time) -> Outcome {
        let again = self.setup.again();
        Outcome {
            scenario: self.setup.name,
            title: self.setup.title,
            world: self.setup.world,
            seed: self.setup.seed,
            site: self.setup.site,
            mx: self.setup.mx,
            verdict: Verdict::Unknown,
            counts: Counts::default(),
            hosts: Vec::new(),
            delay: Spread::default(),
            failover: Spread::default(),
            drain: None,
            violations: Vec::new(),
            off: Vec::new(),
            journal_hash: None,
            virtual_time: at.elapsed(),
            wall_time: std::time::Duration::ZERO,
            counterfactuals: Vec::new(),
            story: Story::default(),
            again,
        }
    }
}
