//! Nothing is delivered that nobody sent, or to whom nobody sent it.

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings, licence};
use crate::{
    Measure, Violation,
    books::{Books, Note, Site, Unexpected},
};

pub(super) const RULE: Rule = Rule {
    name: "unexpected",
    clause: "RFC 5321 3.6.1",
    about: "nothing is delivered that was not sent to that recipient and taken",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(Strange::default()),
};

#[derive(Debug, Default)]
struct Strange(Findings<(Site, String)>);

impl Check for Strange {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::Unexpected { site, what } = note else { return };
        let (text, recipient) = match what {
            Unexpected::Stray { from, to } => (format!("nobody sent the message from {from} to {to}"), None),
            Unexpected::NotAddressed { message, to } => {
                let number = books.mail.message(*message).number;
                (format!("message {number} is not addressed to {to}"), None)
            }
            Unexpected::Rejected { message, recipient } => {
                let name = books.name(*message, *recipient);
                ("the first host had rejected it".into(), Some(name))
            }
        };
        self.0.add((*site, text), at, recipient);
    }

    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        let found = self.0.take();
        let unlicensed =
            found.filter(|((site, _), _)| !licence::is_licensed(at, books, Measure::Unexpected, *site));
        let violation = |((site, text), finding): ((Site, String), super::findings::Finding)| Violation {
            rule: RULE.name,
            clause: RULE.clause,
            host: Some(books.host_name(site).into()),
            at: Some(finding.at),
            text: format!("{} delivered at {}: {text}", finding.cases, books.host_name(site)),
            recipients: finding.recipients,
        };
        unlicensed.map(violation).collect()
    }
}
