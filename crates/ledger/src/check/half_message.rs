//! No half message is stored anywhere, and none that was changed.

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Violation,
    books::{Books, Differs, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "half-message",
    clause: "RFC 5321 3.8",
    about: "what a host stores is the whole message as it was sent, under further trace fields only",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(HalfMessage::default()),
};

#[derive(Debug, Default)]
struct HalfMessage(Findings<(Site, Option<(u64, u64)>)>);

impl Check for HalfMessage {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::Altered { message, site, how } = note else { return };
        let cut = match how {
            Differs::CutOff { stored, sent } => Some((*stored, *sent)),
            Differs::Changed => None,
        };
        for recipient in books.mail.of(*message) {
            self.0.add((*site, cut), at, Some(books.name(*message, recipient)));
        }
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let violation = |((site, cut), finding): ((Site, Option<(u64, u64)>), super::findings::Finding)| {
            let host = books.host_name(site);
            let text = match cut {
                Some((stored, sent)) => format!(
                    "{host} stored {stored} of {sent} octets of the body\na connection that ends before the dot is a \
                     failed transaction: nothing of it may be kept"
                ),
                None => format!("{host} stored another body or a shorter header than was sent"),
            };
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text,
                recipients: finding.recipients,
            }
        };
        self.0.take().map(violation).collect()
    }
}
