//! No queue grows beyond what its operator planned for. The example of ARCHITECTURE.md, which holds this file.

use mxdrill_net::Time;

use super::{Check, Rule, Wants};
use crate::{Recipients, Violation, books::Books};

pub(super) const RULE: Rule = Rule {
    name: "crowded",
    clause: "RFC 5321 4.5.4.1",
    about: "a queue is planned for so many recipients, and no more",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(Crowded),
};

/// What was planned for.
const PLANNED: u64 = 30;

#[derive(Debug)]
struct Crowded;

impl Check for Crowded {
    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        let hosts = books.hosts(at).into_iter().filter(|host| host.queued_max > PLANNED);
        let violation = |host: crate::HostFigures| Violation {
            rule: RULE.name,
            clause: RULE.clause,
            text: format!("{} recipients queued, {PLANNED} planned for", host.queued_max),
            host: Some(host.name),
            at: None,
            recipients: Recipients::default(),
        };
        hosts.map(violation).collect()
    }
}
