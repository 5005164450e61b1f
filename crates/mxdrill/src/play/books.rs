//! What keeps the books of a play: the ledger, and the journal in lines beside it.

use std::io::{self, Write};

use mxdrill_ledger::{Deed, Expectation, Fact, FaultSetup, Ledger, Lines, Outcome};
use mxdrill_net::{HostId, Time};

use crate::{Journal, plan::Plan};

/// The ledger, and whoever else reads every fact.
pub(crate) struct Books {
    ledger: Ledger,
    lines: Option<Lines<Box<dyn Write + Send>>>,
    /// The first line that could not be written.
    failed: Option<io::Error>,
}

impl Books {
    /// Empty books for a plan.
    pub(crate) fn new(plan: &Plan, journal: Option<Journal>) -> Books {
        let ledger = Ledger::new(plan.setup.clone());
        let names = || plan.cast.members().map(|(id, member)| (id, member.label.clone())).collect();
        let (ledger, lines) = match journal {
            None => (ledger, None),
            Some(Journal::Records(writer)) => (ledger.journal_to(writer), None),
            Some(Journal::Lines(writer)) => (ledger, Some(Lines::new(writer, names()))),
        };
        Books { ledger, lines, failed: None }
    }

    /// Sees one fact.
    pub(super) fn see(&mut self, at: Time, host: HostId, fact: &Fact) {
        self.ledger.see(at, host, fact);
        if let Some(lines) = &mut self.lines
            && let Err(why) = lines.see(at, host, fact)
        {
            self.failed.get_or_insert(why);
        }
    }

    /// Adds a fault that the plan did not have.
    pub(super) fn add_fault(&mut self, fault: FaultSetup) {
        self.ledger.add_fault(fault);
    }

    /// Compares a figure with what is expected of it.
    pub(super) fn expect(&self, at: Time, expectation: &Expectation) -> Deed {
        self.ledger.expect(at, expectation)
    }

    /// Whether every recipient is final.
    pub(super) fn is_settled(&self) -> bool {
        self.ledger.is_settled()
    }

    /// Closes the books.
    ///
    /// # Errors
    /// When the journal could not be written.
    pub(super) fn end(mut self, at: Time) -> io::Result<Outcome> {
        self.ledger.finish_journal()?;
        match self.failed.or(self.lines.and_then(|lines| lines.into_inner().flush().err())) {
            Some(why) => Err(why),
            None => Ok(self.ledger.end(at)),
        }
    }
}
