//! Nothing is still queued when the drill is over.

use mxdrill_net::Time;

use super::{Check, Rule, Wants, findings::Findings, licence};
use crate::{
    Measure, Violation,
    books::{Books, Class, Site},
    duration::clock,
};

pub(super) const RULE: Rule = Rule {
    name: "queued-at-end",
    clause: "RFC 5321 4.5.4.1",
    about: "nothing is still queued at the end unless an expectation gives the number",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(QueuedAtEnd),
};

#[derive(Debug)]
struct QueuedAtEnd;

impl Check for QueuedAtEnd {
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
        let found = findings.take();
        let unlicensed = found.filter(|(site, _)| !licence::is_licensed(at, books, Measure::Queued, *site));
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
