//! Nobody gets a message twice, unless the sending host never recorded the 250: then a copy is the price of not
//! losing it.

use std::collections::BTreeMap;

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings, licence};
use crate::{
    Measure, Violation,
    books::{Books, First, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "duplicated",
    clause: "RFC 1047",
    about: "no duplicate unless the sending host never recorded the 250: link cut, its own timeout, its crash",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(Duplicated::default()),
};

/// The first extra copy at each host.
#[derive(Debug, Default)]
struct Duplicated(BTreeMap<Site, Time>);

impl Check for Duplicated {
    fn note(&mut self, at: Time, note: &Note, _books: &Books) {
        if let Note::Delivered { site, first: false, .. } = note {
            self.0.entry(*site).or_insert(at);
        }
    }

    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        if self.0.is_empty() {
            return Vec::new();
        }
        // Only now is it known which sending hosts came to doubt.
        let mut findings: Findings<Site> = Findings::default();
        for (message, recipient) in books.sent_recipients() {
            let state = books.mail.state(recipient);
            if state.first == First::Acknowledged && state.extra > state.doubts {
                let site = state.delivered_by;
                let first = self.0.get(&site).or_else(|| self.0.values().next());
                findings.add(site, first.copied().unwrap_or(at), Some(books.name(message, recipient)));
            }
        }
        let found = findings.take();
        let unlicensed =
            found.filter(|(site, _)| !licence::is_licensed(at, books, Measure::Duplicated, *site));
        let violation = |(site, finding): (Site, super::findings::Finding)| Violation {
            rule: RULE.name,
            clause: RULE.clause,
            host: Some(books.host_name(site).into()),
            at: Some(finding.at),
            text: format!(
                "delivered again though every sending host had recorded the 250\nfirst copies at {}",
                books.host_name(site)
            ),
            recipients: finding.recipients,
        };
        unlicensed.map(violation).collect()
    }
}
