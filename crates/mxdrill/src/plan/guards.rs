//! The policies against clear text that a world publishes from its beginning to its end.

use std::collections::BTreeSet;

use mxdrill_dns::{RecordData, RecordType, Zones};
use mxdrill_ledger::Guard;
use mxdrill_mta::StsMode;
use mxdrill_net::DomainName;
use mxdrill_smtp::tls::{Pin, Security};

use crate::scenario::{Action, Host, Scenario};

/// What the ledger holds every host to. A record that a step changes binds nobody.
pub(super) fn of(scenario: &Scenario, zones: &Zones) -> Vec<Guard> {
    let mut guards = dane(scenario, zones);
    guards.extend(scenario.hosts.iter().filter_map(sts));
    guards
}

/// A policy in force that a host serves (RFC 8461 5).
fn sts(host: &Host) -> Option<Guard> {
    let policy = host.sts.as_ref().filter(|policy| policy.mode == StsMode::Enforce)?;
    Some(Guard::Sts { domain: host.policy_domain()?, mx: policy.mx.clone() })
}

/// TLSA records of the hosts that mail goes to: they bind where the resolver vouches for them (RFC 7672 2.2).
fn dane(scenario: &Scenario, zones: &Zones) -> Vec<Guard> {
    if !scenario.zone.secure {
        return Vec::new();
    }
    let changed = changed(scenario);
    let names = zones.iter().filter(|record| record.kind() == RecordType::Tlsa).map(|record| &record.name);
    let names: BTreeSet<&DomainName> = names.filter(|name| !changed.contains(*name)).collect();
    names.into_iter().filter_map(|name| guard(name, zones)).collect()
}

fn guard(name: &DomainName, zones: &Zones) -> Option<Guard> {
    let host = name.as_str().strip_prefix("_25._tcp.")?.parse().ok()?;
    let pin = |data: &RecordData| match data {
        RecordData::Tlsa(tlsa) => Pin::new(tlsa.usage, tlsa.selector, tlsa.matching, &tlsa.data),
        _ => None,
    };
    let records = zones.iter().filter(|record| record.name == *name);
    let can_match = records.filter_map(|record| pin(&record.data)).next().is_some();
    Some(Guard::Dane { host, least: if can_match { Security::Matched } else { Security::Encrypted } })
}

/// The names whose TLSA records a step changes.
fn changed(scenario: &Scenario) -> BTreeSet<DomainName> {
    let of = |action: &Action| match action {
        Action::Set(record) if record.kind == RecordType::Tlsa => scenario.dns_name(&record.name).ok(),
        _ => None,
    };
    scenario.steps.iter().filter_map(|step| of(&step.action)).collect()
}
