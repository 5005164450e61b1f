//! MX order: a worse MX only after every better one failed.

use mxdrill_mta::RouteHost;
use mxdrill_net::{DomainName, Time};

use super::{Check, Rule, Wants, findings::Findings};
use crate::{
    Span, Violation,
    books::{Books, Note, Site},
};

pub(super) const RULE: Rule = Rule {
    name: "mx-order",
    clause: "RFC 5321 5.1",
    about: "a worse MX may be used only if the same host failed at, or could not resolve, every better one",
    undecided: false,
    wants: Wants::NOTHING,
    make: || Box::new(MxOrder::default()),
};

/// Cases by the host that chose, the MX that it took and the better one that it had not tried.
#[derive(Debug, Default)]
struct MxOrder(Findings<(Site, Use)>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    taken: (u16, DomainName),
    better: (u16, DomainName),
}

impl Check for MxOrder {
    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        let Note::WorseMx { message, recipient, site, target, offered } = note else { return };
        let state = books.mail.message(*message);
        let Some(address) = state.to.get((recipient.0 - state.first.0) as usize) else { return };
        let Some(way) = books.ways(*site).and_then(|ways| ways.known(address.domain())) else { return };
        let better =
            way.route.hosts.iter().filter(|host| !host.dropped && host.preference < target.preference);
        let untried = better.filter(|host| !is_excused(books, *site, host, *offered));
        if let Some(host) = untried.min_by_key(|host| host.preference) {
            let taken = (target.preference, target.host.clone());
            let better = (host.preference, host.name.clone());
            self.0.add((*site, Use { taken, better }), at, Some(books.name(*message, *recipient)));
        }
    }

    fn end(&mut self, _at: Time, books: &Books) -> Vec<Violation> {
        self.0.take().map(|((site, used), finding)| violation(books, site, &used, finding)).collect()
    }
}

/// Whether the host had reason to pass this better MX over.
fn is_excused(books: &Books, site: Site, better: &RouteHost, offered: Time) -> bool {
    let (Some(host), Some(ways)) = (books.host(site), books.ways(site)) else { return true };
    if better.addresses.as_ref().is_ok_and(Vec::is_empty) || better.addresses.is_err() {
        return true;
    }
    let trouble = ways.trouble(&better.name);
    let remembered = |failed: Time| failed + host.memory >= offered;
    let explained = |(at, why)| at >= offered && host.tolerates.contains(&why);
    trouble.failed.is_some_and(remembered) || trouble.skipped.is_some_and(explained)
}

fn violation(books: &Books, site: Site, used: &Use, finding: super::findings::Finding) -> Violation {
    let host = books.host_name(site);
    let memory = books.host(site).map(|host| host.memory).unwrap_or_default();
    let ago =
        if memory.is_zero() { String::new() } else { format!(" in the last {}", Span(memory).spoken()) };
    Violation {
        rule: RULE.name,
        clause: RULE.clause,
        host: Some(host.into()),
        at: Some(finding.at),
        text: format!(
            "a better MX was passed over\n{host} used {} (preference {}) and had not failed at {} (preference {}){ago}",
            used.taken.1, used.taken.0, used.better.1, used.better.0
        ),
        recipients: finding.recipients,
    }
}
