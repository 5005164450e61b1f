//! Nothing is given up in silence.

use mxdrill_mta::{Discard, Fact};
use mxdrill_net::Time;

use super::{
    Check, Rule, Wants,
    excuse::{self, Excuses},
    findings::Findings,
    licence,
};
use crate::{
    Measure, Violation,
    books::{Books, Kind, RecipientId, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "discarded",
    clause: "RFC 5321 6.1",
    about: "nothing is given up in silence unless an expectation gives the number",
    undecided: false,
    wants: excuse::WANTS.and(Wants::DISCARDED),
    make: || Box::new(Discarded::default()),
};

#[derive(Debug, Default)]
struct Discarded {
    findings: Findings<(Site, Discard)>,
    excuses: Excuses,
    /// The recipient that was just given up for a reason that a fault explains.
    excused: Option<RecipientId>,
}

impl Check for Discarded {
    fn see(&mut self, at: Time, site: Site, fact: &crate::Fact, books: &Books) {
        self.excuses.see(at, site, fact, books);
        if let crate::Fact::Mta(Fact::GivenUp { message, why, .. }) = fact {
            let recipient = books.about().and_then(|about| about.recipient);
            let age = at.since(message.arrived);
            self.excused =
                recipient.filter(|recipient| self.excuses.explain(at, site, *why, *recipient, age, books));
        }
        let crate::Fact::Mta(Fact::Discarded { why, .. }) = fact else { return };
        let Some(about) = books.about().filter(|about| about.kind == Kind::Sent) else { return };
        let Some(recipient) = about.recipient.filter(|recipient| self.excused != Some(*recipient)) else {
            return;
        };
        self.findings.add((site, *why), at, Some(books.name(about.message, recipient)));
    }

    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        let found = self.findings.take();
        let unlicensed =
            found.filter(|((site, _), _)| !licence::is_licensed(at, books, Measure::Discarded, *site));
        let violation = |((site, why), finding): ((Site, Discard), super::findings::Finding)| {
            let host = books.host_name(site);
            let reason = match why {
                Discard::NullReversePath => "undeliverable, and its reverse-path is null: nobody may be told",
                Discard::NotifyNever => "undeliverable, and its sender wants no word of it (RFC 3461 4.1)",
                Discard::Filtered => "dropped by a filter, although the client was told 250 (RFC 5321 6.2)",
            };
            let broken = licence::broken(at, books, Measure::Discarded).map(|text| format!("\n{text}"));
            Violation {
                rule: RULE.name,
                clause: RULE.clause,
                host: Some(host.into()),
                at: Some(finding.at),
                text: format!("{reason}\n{host} discarded it{}", broken.unwrap_or_default()),
                recipients: finding.recipients,
            }
        };
        unlicensed.map(violation).collect()
    }
}
