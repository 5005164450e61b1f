//! No mail goes in clear text, or to a host that nobody vouches for, where the destination forbids it.

use mxdrill_net::{DomainName, Time};
use mxdrill_smtp::tls::Security;

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Violation,
    books::{Books, Note, Site},
    guard::Objection,
};

pub(super) const RULE: Rule = Rule {
    name: "clear-text",
    clause: "RFC 7672 2.2",
    about: "where a destination publishes TLSA records or an MTA-STS policy in force, mail goes only to hosts that \
            prove who they are",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(ClearText::default()),
};

/// Cases by the host that sent, the MX that it used, and what the policy has against that.
#[derive(Debug, Default)]
struct ClearText(Findings<(Site, DomainName, Objection)>);

impl Check for ClearText {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::Unguarded { message, recipient, site, target, objection } = note else { return };
        let cause = (*site, target.host.clone(), *objection);
        self.0.add(cause, at, Some(books.name(*message, *recipient)));
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        let violation = |((site, mx, objection), finding): ((Site, DomainName, Objection), _)| {
            violation(books, site, &mx, objection, finding)
        };
        self.0.take().map(violation).collect()
    }
}

fn violation(
    books: &Books,
    site: Site,
    mx: &DomainName,
    objection: Objection,
    finding: super::findings::Finding,
) -> Violation {
    let host = books.host_name(site);
    let (clause, what, why) = match objection {
        Objection::Dane(security) => (
            RULE.clause,
            format!("{host} sent mail to {mx} {}", manner(security)),
            "TLSA records name its certificate: without TLS and a match the host must not be used",
        ),
        Objection::Sts(security) => (
            "RFC 8461 5",
            format!("{host} sent mail to {mx} {}", manner(security)),
            "the MTA-STS policy is in force: without a verified certificate the host must not be used",
        ),
        Objection::Outside => (
            "RFC 8461 5",
            format!("{host} sent mail to {mx}, which the MTA-STS policy does not name"),
            "the policy is in force: a backup must be in it before it is in the DNS",
        ),
    };
    let knows = books.host(site).map(|host| host.profile.as_str()).filter(|profile| !profile.is_empty());
    let hint = knows.map(|profile| format!(" ({host} is like {profile})")).unwrap_or_default();
    Violation {
        rule: RULE.name,
        clause,
        host: (site != Site::NONE).then(|| host.into()),
        at: Some(finding.at),
        text: format!("{what}\n{why}{hint}"),
        recipients: finding.recipients,
    }
}

fn manner(security: Security) -> &'static str {
    match security {
        Security::Clear => "in clear text",
        Security::Encrypted => "under TLS, without asking whose certificate it was",
        Security::Verified => "under TLS, without asking whether a TLSA record matches",
        Security::Matched => "under TLS",
    }
}
