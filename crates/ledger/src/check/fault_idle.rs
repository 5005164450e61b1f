//! Every fault bit. One that never did proves nothing: a pass would be a pass without it, too.

use mxdrill_net::Time;

use super::{Check, Rule, Wants};
use crate::{FaultSetup, Recipients, Violation, books::Books};

pub(super) const RULE: Rule = Rule {
    name: "fault-idle",
    clause: "scenario",
    about: "every fault changes something, unless it says may-miss; otherwise the drill proves nothing",
    undecided: true,
    wants: Wants::NOTHING,
    make: || Box::new(FaultIdle),
};

#[derive(Debug)]
struct FaultIdle;

impl Check for FaultIdle {
    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let idle = |fault: &&FaultSetup| !fault.may_miss && !books.has_bitten(fault.tag);
        books.setup.faults.iter().filter(idle).map(violation).collect()
    }
}

fn violation(fault: &FaultSetup) -> Violation {
    Violation {
        rule: RULE.name,
        clause: RULE.clause,
        host: Some(fault.on.clone()),
        at: None,
        text: format!(
            "`{} {}` never changed anything\nsend mail while it lasts, or say may-miss = true",
            fault.on, fault.begins
        ),
        recipients: Recipients::default(),
    }
}
