//! From the answers of a resolution to its route: the order of trial, and who is left out.

use std::{net::IpAddr, sync::Arc};

use mxdrill_dns::{Answer, Outcome};
use mxdrill_net::{DomainName, Draw};

use super::{
    Identity, RouterConfig, dane,
    gather::{Found, Gathering},
};
use crate::{
    Basis, Route, RouteHost, StsRecord,
    profile::{Family, OwnDrops},
};

/// Addresses of one host at most; a zone can hold thousands.
const ADDRESSES_MAX: usize = 64;

/// Makes the route.
pub(super) fn route(gathering: Gathering, config: &RouterConfig) -> Route {
    let basis = gathering.basis.unwrap_or(Basis::Unresolved(Outcome::Timeout));
    let sts = gathering.sts.map(|id| Arc::new(StsRecord { id, addresses: gathering.sts_addresses }));
    let mut draw = Shuffle { config, destination: &gathering.destination, key: gathering.draw, draw: None };
    let hosts = gathering.hosts.into_iter().map(|found| host(found, config.routing.family, &mut draw));
    let mut hosts: Vec<RouteHost> = hosts.collect();
    if config.routing.shuffle {
        shuffle_equals(&mut hosts, &mut draw);
    }
    let own = own_preference(&hosts, &config.own);
    if let Some(own) = own {
        drop_own(&mut hosts, own, config);
    }
    Route { basis, hosts, own, sts }
}

/// Draws that are made only when there is something to shuffle.
struct Shuffle<'a> {
    config: &'a RouterConfig,
    destination: &'a DomainName,
    key: u64,
    draw: Option<Draw>,
}

impl Shuffle<'_> {
    fn of<T>(&mut self, items: &mut [T]) {
        if items.len() < 2 {
            return;
        }
        let (config, destination, key) = (self.config, self.destination, self.key);
        let purpose = || config.seed.draw("mx-order", &[config.key, key, name_number(destination)]);
        self.draw.get_or_insert_with(purpose).shuffle(items);
    }
}

/// FNV-1a: a number for a name that is the same everywhere.
fn name_number(name: &DomainName) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    name.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, step)
}

fn host(found: Found, family: Family, draw: &mut Shuffle<'_>) -> RouteHost {
    let addresses = match found.literal {
        Some(address) => Ok(vec![address]),
        None => addresses(found.ipv6.as_ref(), found.ipv4.as_ref(), family, draw),
    };
    let policy = dane::policy(found.tlsa.as_ref());
    RouteHost { preference: found.preference, name: found.name, addresses, dropped: false, policy }
}

/// All addresses of a host in the profile's order. Where there is none, a temporary failure outweighs a final
/// answer of the other family: the address may be there (RFC 5321 5.1).
fn addresses(
    ipv6: Option<&Answer>,
    ipv4: Option<&Answer>,
    family: Family,
    draw: &mut Shuffle<'_>,
) -> Result<Vec<IpAddr>, Outcome> {
    let (ipv6, ipv4) = if family == Family::Ipv4Only { (None, ipv4) } else { (ipv6, ipv4) };
    let mut found = Vec::new();
    let order = if family == Family::Ipv4First { [ipv4, ipv6] } else { [ipv6, ipv4] };
    for answer in order.into_iter().flatten() {
        found.extend(answer.records.iter().filter_map(|record| record.data.address()));
    }
    found.truncate(ADDRESSES_MAX);
    if found.is_empty() {
        return Err(emptiness(ipv6, ipv4));
    }
    if family == Family::Any {
        draw.of(&mut found);
    }
    Ok(found)
}

fn emptiness(ipv6: Option<&Answer>, ipv4: Option<&Answer>) -> Outcome {
    let outcomes = || [ipv4, ipv6].into_iter().flatten().map(|answer| answer.outcome);
    let temporary = outcomes().find(|outcome| outcome.is_temporary());
    let final_ = outcomes().find(|outcome| !matches!(outcome, Outcome::Records(_)));
    temporary.or(final_).unwrap_or(Outcome::NoData)
}

/// RFC 5321 5.1: the sender MUST randomize among hosts of equal preference, to spread the load.
fn shuffle_equals(hosts: &mut [RouteHost], draw: &mut Shuffle<'_>) {
    for equals in hosts.chunk_by_mut(|a, b| a.preference == b.preference) {
        draw.of(equals);
    }
}

/// The best preference at which this host itself is listed.
fn own_preference(hosts: &[RouteHost], own: &Identity) -> Option<u16> {
    hosts.iter().filter(|host| is_own(host, own)).map(|host| host.preference).min()
}

fn is_own(host: &RouteHost, own: &Identity) -> bool {
    let here = |addresses: &Vec<IpAddr>| addresses.iter().any(|address| own.addresses.contains(address));
    own.names.contains(&host.name) || host.addresses.as_ref().is_ok_and(here)
}

/// RFC 5321 5.1: all of the same or a worse preference MUST be left out, or mail would loop among relays.
fn drop_own(hosts: &mut [RouteHost], own: u16, config: &RouterConfig) {
    for host in hosts {
        host.dropped = match config.routing.own.drops {
            OwnDrops::EqualAndWorse => host.preference >= own,
            OwnDrops::SelfOnly => is_own(host, &config.own),
            OwnDrops::Nothing => false,
        };
    }
}
