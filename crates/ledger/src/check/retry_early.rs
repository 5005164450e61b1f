//! Nobody is asked again sooner than the schedule says.

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Span, Violation,
    books::{Beat, Books, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "retry-early",
    clause: "RFC 5321 4.5.4.1",
    about: "no attempt before the schedule's time, but after a flush, a restart or new mail to the same destination",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(RetryEarly::default()),
};

/// Cases by host.
#[derive(Debug, Default)]
struct RetryEarly(Findings<Site>);

impl Check for RetryEarly {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::OffBeat { message, recipient, site, beat: Beat::Early(waited, min) } = note else { return };
        self.0.add_timed(*site, at, Some(books.name(*message, *recipient)), (*waited, *min));
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let violation = |(site, finding): (Site, super::findings::Finding)| {
            let (waited, min) = finding.first;
            let host = books.host_name(site);
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text: format!(
                    "tried again sooner than the schedule of {host} says\nfirst after {}, which should have been {} at \
                     least",
                    Span(waited).spoken(),
                    Span(min).spoken()
                ),
                recipients: finding.recipients,
            }
        };
        self.0.take().map(violation).collect()
    }
}
