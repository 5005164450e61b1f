//! Everybody is asked again when the schedule says, and nobody is forgotten.

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Span, Violation,
    books::{Beat, Books, Kind, Note, Site, Wait},
};

pub(super) const RULE: Rule = Rule {
    name: "retry-late",
    clause: "RFC 5321 4.5.4.1",
    about: "no attempt later than the schedule's time, but where the host was down or had a queue to work through",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(RetryLate::default()),
};

/// Cases by host.
#[derive(Debug, Default)]
struct RetryLate(Findings<Site>);

impl RetryLate {
    fn add(&mut self, at: Time, site: Site, beat: Beat, name: crate::RecipientName) {
        if let Beat::Late(waited, max) = beat {
            self.0.add_timed(site, at, Some(name), (waited, max));
        }
    }

    /// What is still held, and should have been tried by now.
    fn forgotten(&mut self, at: Time, books: &Books) {
        for (message, state) in books.mail.messages().filter(|(_, state)| state.kind == Kind::Sent) {
            for (recipient, to) in books.mail.of(message).zip(state.to.iter()) {
                for hold in books.mail.state(recipient).holds() {
                    let Some(schedule) = books.promise(hold.site) else { continue };
                    if let Some(beat) = books.late(at, Wait { hold, destination: to.domain(), schedule }) {
                        self.add(at, hold.site, beat, books.name(message, recipient));
                    }
                }
            }
        }
    }
}

impl Check for RetryLate {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        if let Note::OffBeat { message, recipient, site, beat } = note {
            self.add(at, *site, *beat, books.name(*message, *recipient));
        }
    }

    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        self.forgotten(at, books);
        let violation = |(site, finding): (Site, super::findings::Finding)| {
            let (waited, max) = finding.first;
            let host = books.host_name(site);
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text: format!(
                    "tried later than the schedule of {host} says, if at all\nfirst after {}, which should have been {} \
                     at most",
                    Span(waited).spoken(),
                    Span(max).spoken()
                ),
                recipients: finding.recipients,
            }
        };
        self.0.take().map(violation).collect()
    }
}
