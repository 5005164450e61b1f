//! No half message is stored anywhere.

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Violation,
    books::{Books, Differs, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "half-message",
    clause: "RFC 5321 3.8",
    about: "what a host stores is a whole message",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(HalfMessage::default()),
};

/// Cases by host, octets stored and octets sent.
#[derive(Debug, Default)]
struct HalfMessage(Findings<(Site, u64, u64)>);

impl Check for HalfMessage {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::Altered { message, site, how: Differs::CutOff { stored, sent } } = note else { return };
        for recipient in books.mail.of(*message) {
            self.0.add((*site, *stored, *sent), at, Some(books.name(*message, recipient)));
        }
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let violation = |((site, stored, sent), finding): ((Site, u64, u64), super::findings::Finding)| {
            let host = books.host_name(site);
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text: format!(
                    "{host} stored {stored} of {sent} octets of the body\na connection that ends before the dot is a \
                     failed transaction: nothing of it may be kept"
                ),
                recipients: finding.recipients,
            }
        };
        self.0.take().map(violation).collect()
    }
}
