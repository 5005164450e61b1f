//! Hosts as tables.

use mxdrill_ledger::Span;
use mxdrill_mta::{RetryRule, StsPolicy};

use super::duration;
use crate::scenario::{
    Host, HostTls, KnownAs, Octets, Overrides, Policy, RetryPart, Timeouts,
    parse::{FILTERS, UNVERIFIED},
    toml_text::{Node, Table, put},
    units::print_factor,
};

pub(super) fn table(host: &Host) -> Table {
    let mut table = Table::new();
    let domains = |all: &[mxdrill_net::DomainName]| (!all.is_empty()).then(|| Node::texts(all));
    put(&mut table, "delivers", domains(&host.delivers));
    put(&mut table, "relays", domains(&host.relays));
    put(&mut table, "like", host.like.as_ref().map(Node::text));
    put(&mut table, "run", host.run.map(|program| Node::text(program.word())));
    put(&mut table, "spool", host.spool.map(octets));
    put(&mut table, "sessions", host.sessions.map(Node::plain));
    put(&mut table, "size", host.size.map(octets));
    put(&mut table, "lacks", (!host.lacks.is_empty()).then(|| Node::texts(&host.lacks)));
    put(&mut table, "route", (!host.route.is_empty()).then(|| routes(host)));
    put(&mut table, "recipients", host.recipients.as_ref().map(Node::texts));
    put(&mut table, "addresses", host.addresses.as_ref().map(Node::texts));
    put(
        &mut table,
        "known-as",
        (!host.known_as.is_empty()).then(|| Node::texts(host.known_as.iter().map(known_as))),
    );
    put(&mut table, "tls", host.tls.as_ref().map(tls));
    put(&mut table, "sts", host.sts.as_ref().map(sts));
    put(&mut table, "nat", (!host.nat.is_empty()).then(|| Node::texts(&host.nat)));
    policy(&mut table, &host.policy);
    overrides(&mut table, &host.overrides);
    table
}

fn tls(tls: &HostTls) -> Node {
    let usual = HostTls::default();
    if *tls == usual {
        return Node::plain(true);
    }
    let mut table = Table::new();
    put(&mut table, "names", (!tls.names.is_empty()).then(|| Node::texts(&tls.names)));
    put(&mut table, "expires", tls.expires.map(duration));
    put(&mut table, "trusted", (tls.trusted != usual.trusted).then(|| Node::plain(tls.trusted)));
    put(&mut table, "tlsa", (tls.tlsa != usual.tlsa).then(|| Node::plain(tls.tlsa)));
    Node::Table(table)
}

fn sts(policy: &StsPolicy) -> Node {
    let mut table = Table::new();
    put(&mut table, "mode", Some(Node::text(policy.mode.word())));
    put(&mut table, "mx", (!policy.mx.is_empty()).then(|| Node::texts(&policy.mx)));
    put(&mut table, "max-age", Some(duration(policy.max_age)));
    Node::Table(table)
}

fn policy(table: &mut Table, policy: &Policy) {
    put(table, "greylist", policy.greylist.map(duration));
    put(table, "rate", policy.rate.map(|rate| Node::text(rate.to_string())));
    let from = |(domain, hosts): &(mxdrill_net::DomainName, Vec<_>)| (domain.to_string(), Node::texts(hosts));
    let accepts = || Node::Table(policy.accept_from.iter().map(from).collect());
    put(table, "accept-from", (!policy.accept_from.is_empty()).then(accepts));
    let word = |filter| FILTERS.iter().find(|(known, _)| *known == filter).map(|(_, word)| Node::text(word));
    put(table, "filter", policy.filter.and_then(word));
    put(table, "verify", policy.verify.map(|_| Node::text("primary")));
    let word = |down| UNVERIFIED.iter().find(|(known, _)| *known == down).map(|(_, word)| Node::text(word));
    put(table, "verify-down", policy.verify.and_then(word));
}

/// A size.
pub(super) fn octets(octets: u64) -> Node {
    Node::text(Octets(octets).to_string())
}

fn routes(host: &Host) -> Node {
    let route = |(domain, hop): &(mxdrill_net::DomainName, mxdrill_net::DomainName)| {
        (domain.to_string(), Node::text(format!("[{hop}]")))
    };
    Node::Table(host.route.iter().map(route).collect())
}

fn known_as(known: &KnownAs) -> String {
    match known {
        KnownAs::Name(name) => name.to_string(),
        KnownAs::Address(address) => address.to_string(),
    }
}

fn overrides(table: &mut Table, over: &Overrides) {
    put(table, "retry", over.retry.as_ref().map(retry));
    put(table, "lifetime", over.lifetime.map(duration));
    put(table, "bounce-lifetime", over.bounce_lifetime.map(duration));
    let ages = |all: &Vec<_>| Node::Array(all.iter().copied().map(duration).collect());
    put(table, "warn-after", over.warn_after.as_ref().map(ages));
    put(table, "attempts-max", over.attempts_max.map(Node::plain));
    put(table, "hosts-max", over.hosts_max.map(Node::plain));
    put(table, "addresses-max", over.addresses_max.map(Node::plain));
    put(table, "attempt-sessions-max", over.attempt_sessions_max.map(Node::plain));
    put(table, "concurrency", over.concurrency.map(Node::plain));
    put(table, "memory", over.memory.map(duration));
    put(table, "hops-max", over.hops_max.map(Node::plain));
    put(table, "dane", over.dane.map(Node::plain));
    put(table, "mta-sts", over.mta_sts.map(Node::plain));
    put(table, "timeout", (over.timeout != Timeouts::default()).then(|| timeouts(&over.timeout)));
}

fn timeouts(timeouts: &Timeouts) -> Node {
    let mut table = Table::new();
    let all = [
        ("connect", timeouts.connect),
        ("greeting", timeouts.greeting),
        ("ehlo", timeouts.ehlo),
        ("starttls", timeouts.starttls),
        ("mail", timeouts.mail),
        ("rcpt", timeouts.rcpt),
        ("data", timeouts.data),
        ("block", timeouts.block),
        ("dot", timeouts.dot),
        ("quit", timeouts.quit),
    ];
    for (word, timeout) in all {
        put(&mut table, word, timeout.map(duration));
    }
    Node::Table(table)
}

fn retry(part: &RetryPart) -> Node {
    let mut table = Table::new();
    match part {
        RetryPart::List(waits) => {
            return kind(part, Node::Array(waits.iter().copied().map(duration).collect()));
        }
        RetryPart::Rules(rules) => {
            let rules: Vec<String> = rules.iter().map(rule).collect();
            return kind(part, Node::text(rules.join("; ")));
        }
        RetryPart::Age { min, max, scan } => {
            for (word, time) in [("min", min), ("max", max), ("scan", scan)] {
                put(&mut table, word, time.map(duration));
            }
        }
        RetryPart::Power { unit, exponent } => {
            put(&mut table, "unit", unit.map(duration));
            put(&mut table, "exponent", exponent.map(Node::plain));
        }
        RetryPart::Geometric { first, percent, max } => {
            put(&mut table, "first", first.map(duration));
            put(&mut table, "factor", percent.map(|percent| Node::plain(print_factor(percent))));
            put(&mut table, "max", max.map(duration));
        }
    }
    kind(part, Node::Table(table))
}

fn kind(part: &RetryPart, node: Node) -> Node {
    Node::Table(vec![(part.word().to_owned(), node)])
}

fn rule(rule: &RetryRule) -> String {
    match *rule {
        RetryRule::Fixed { until, every } => format!("F,{},{}", Span(until), Span(every)),
        RetryRule::Growing { until, first, percent } => {
            format!("G,{},{},{}", Span(until), Span(first), print_factor(percent))
        }
    }
}
