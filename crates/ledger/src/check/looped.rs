//! Mail does not go round in circles.

use mxdrill_mta::{Fact, GiveUp};
use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Violation,
    books::{Books, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "loop",
    clause: "RFC 5321 6.3",
    about: "no message comes by the same host twice",
    undecided: false,
    wants: Wants::GIVEN_UP,
    make: || Box::new(Looped::default()),
};

#[derive(Debug, Default)]
struct Looped {
    findings: Findings<Site>,
    /// The most trace fields seen.
    received: u16,
}

impl Check for Looped {
    fn see(&mut self, at: Time, site: Site, fact: &crate::Fact, books: &Books) {
        let crate::Fact::Mta(Fact::GivenUp { why: GiveUp::Loop, message, .. }) = fact else { return };
        self.received = self.received.max(message.received);
        let recipient = books.about().and_then(|about| Some((about.message, about.recipient?)));
        self.findings.add(site, at, recipient.map(|(message, recipient)| books.name(message, recipient)));
    }

    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::CameAgain { message, site, received } = note else { return };
        self.received = self.received.max(*received);
        for recipient in books.mail.of(*message) {
            self.findings.add(*site, at, Some(books.name(*message, recipient)));
        }
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let received = self.received;
        let violation = |(site, finding): (Site, super::findings::Finding)| {
            let host = books.host_name(site);
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text: format!(
                    "came by {host} more than once, with up to {received} Received fields\nwhich host does not know \
                     itself among the MX? (Postfix mydestination, proxy_interfaces; Exim hosts_treat_as_local)"
                ),
                recipients: finding.recipients,
            }
        };
        self.findings.take().map(violation).collect()
    }
}
