//! A backup passes mail up only: to hosts of a better preference than its own.

use mxdrill_net::{DomainName, Time};

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Violation,
    books::{Books, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "relayed-down",
    clause: "RFC 5321 5.1",
    about: "a host that is itself an MX drops itself and every MX that is no better",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(RelayedDown::default()),
};

#[derive(Debug, Default)]
struct RelayedDown(Findings<(Site, Down)>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Down {
    own: u16,
    to: DomainName,
    preference: u16,
}

impl Check for RelayedDown {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::RelayedDown { message, recipient, site, target, own } = note else { return };
        let down = Down { own: *own, to: target.host.clone(), preference: target.preference };
        self.0.add((*site, down), at, Some(books.name(*message, *recipient)));
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let violation = |((site, down), finding): ((Site, Down), super::findings::Finding)| {
            let host = books.host_name(site);
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text: format!(
                    "passed to an MX that is no better\n{host} has preference {} itself and used {} (preference {}): \
                     does it know its names and addresses?",
                    down.own, down.to, down.preference
                ),
                recipients: finding.recipients,
            }
        };
        self.0.take().map(violation).collect()
    }
}
