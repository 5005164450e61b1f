//! Nothing is still queued when the drill is over.

use std::sync::Arc;

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings, licence};
use crate::{
    Deed, Expectation, Fact, Measure, Violation,
    books::{Books, Class, Site},
    duration::clock,
};

pub(super) const RULE: Rule = Rule {
    name: "queued-at-end",
    clause: "RFC 5321 4.5.4.1",
    about: "nothing is still queued at the end unless an expectation gives the number",
    undecided: false,
    wants: Wants::EXPECTED.and(Wants::STEP),
    make: || Box::new(QueuedAtEnd::default()),
};

/// Expectations on queues since the last step that did anything: only these speak of the end. One from the midst
/// of an outage says nothing of it.
#[derive(Debug, Default)]
struct QueuedAtEnd(Vec<Arc<Expectation>>);

/// Expectations kept; a scenario has few.
const KEPT_MAX: usize = 256;

impl QueuedAtEnd {
    fn is_licensed(&self, at: Time, books: &Books, site: Site) -> bool {
        self.0.iter().any(|expectation| licence::covers(expectation, at, books, site))
    }
}

impl Check for QueuedAtEnd {
    fn see(&mut self, _at: Time, _site: Site, fact: &Fact, _books: &Books) {
        let Fact::Drill(deed) = fact else { return };
        match deed {
            Deed::Expected { expectation, held: true, .. } => {
                if expectation.figure.measure == Measure::Queued && self.0.len() < KEPT_MAX {
                    self.0.push(expectation.clone());
                }
            }
            Deed::Expected { .. } => {}
            _ => self.0.clear(),
        }
    }

    fn end(&mut self, at: Time, books: &Books) -> Vec<Violation> {
        if books.counts().queued == 0 {
            return Vec::new();
        }
        let mut findings: Findings<Site> = Findings::default();
        for (message, recipient) in books.sent_recipients() {
            let state = books.mail.state(recipient);
            if state.class() != Class::Queued {
                continue;
            }
            let site = state.holds().next().map_or(Site::NONE, |hold| hold.site);
            let since = state.holds().map(|hold| hold.since).min().unwrap_or(at);
            findings.add(site, since, Some(books.name(message, recipient)));
        }
        let unlicensed = findings.take().filter(|(site, _)| !self.is_licensed(at, books, *site));
        unlicensed.map(|(site, finding)| violation(at, books, site, finding)).collect()
    }
}

fn violation(at: Time, books: &Books, site: Site, finding: super::findings::Finding) -> Violation {
    let host = books.host_name(site);
    let down = if books.sheet(site).is_some_and(|sheet| sheet.down) { ", and is down" } else { "" };
    Violation {
        rule: RULE.name,
        clause: RULE.clause,
        host: Some(host.into()),
        at: Some(at),
        text: format!(
            "still queued at the end\n{host} holds {}{down}, the first since {}",
            finding.cases,
            clock(finding.at)
        ),
        recipients: finding.recipients,
    }
}
