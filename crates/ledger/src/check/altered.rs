//! Mail arrives as it was sent.

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Violation,
    books::{Books, Differs, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "altered",
    clause: "RFC 5321 6.4",
    about: "a host changes neither body nor header: it adds fields, and encodes 8-bit text for hosts without 8BITMIME",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(Altered::default()),
};

/// Cases by host, and by whether the header was altered alone.
#[derive(Debug, Default)]
struct Altered(Findings<(Site, bool)>);

impl Check for Altered {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::Altered { message, site, how: how @ (Differs::Changed | Differs::Header) } = note else {
            return;
        };
        for recipient in books.mail.of(*message) {
            self.0.add((*site, *how == Differs::Header), at, Some(books.name(*message, recipient)));
        }
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let violation = |((site, header), finding): ((Site, bool), super::findings::Finding)| {
            let host = books.host_name(site);
            let what = match header {
                true => "a header field as it was sent is missing there, added ones apart",
                false => "the body is another one, also when it is decoded",
            };
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text: format!("{host} stored something else than was sent\n{what}"),
                recipients: finding.recipients,
            }
        };
        self.0.take().map(violation).collect()
    }
}
