//! RFC 5321 5.1 over answers made by hand: order, own preference, what is missing.

use std::{collections::BTreeMap, net::IpAddr};

use mxdrill_dns::{Answer, LookupConfig, Outcome, Record, RecordData};
use mxdrill_net::{DomainName, Seed};
use proptest::prelude::*;

use super::{Identity, RouterConfig, gather::Gathering, order};
use crate::{
    Basis, Route,
    profile::{OwnDrops, Profile},
    route::gather::Slot,
};

fn name(text: &str) -> DomainName {
    text.parse().expect("a name")
}

fn config(own: &[&str]) -> RouterConfig {
    let from: IpAddr = "192.0.2.1".parse().expect("an address");
    RouterConfig {
        lookup: LookupConfig::new("192.0.2.53:53".parse().expect("an address"), from, Seed(1), 0),
        own: Identity { names: own.iter().map(|own| name(own)).collect(), addresses: vec![from] },
        routes: BTreeMap::new(),
        dane: false,
        mta_sts: false,
        routing: Profile::default().routing,
        seed: Seed(1),
        key: 0,
    }
}

fn answer(data: Vec<RecordData>) -> Answer {
    let outcome = if data.is_empty() { Outcome::NoData } else { Outcome::Records(data.len() as u16) };
    let records = data.into_iter().map(|data| Record::new(name("any.test"), data)).collect();
    Answer { outcome, records, authentic: false }
}

/// A route from `10 mx1 192.0.2.10` lines; a host without an address has none.
fn route(hosts: &[(u16, &str, &str)], config: &RouterConfig, draw: u64) -> Route {
    let mut gathering = Gathering::new(name("example.test"), draw);
    let mx = |(preference, host, _): &(u16, &str, &str)| RecordData::Mx {
        preference: *preference,
        exchange: Some(name(host)),
    };
    gathering.take(Slot::Mx, answer(hosts.iter().map(mx).collect()));
    for index in 0..gathering.hosts.len() {
        let found = gathering.hosts[index].name.clone();
        let (_, _, at) = hosts.iter().find(|(_, host, _)| name(host) == found).expect("one of them");
        let addresses: Vec<IpAddr> =
            at.split_whitespace().map(|at| at.parse().expect("an address")).collect();
        let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addresses.into_iter().partition(IpAddr::is_ipv4);
        let data = |list: Vec<IpAddr>| answer(list.into_iter().map(RecordData::from).collect());
        gathering.take(Slot::Ipv4(index as u16), data(v4));
        gathering.take(Slot::Ipv6(index as u16), data(v6));
    }
    order::route(gathering, config)
}

/// Checks the hosts that may be tried, in order.
fn check(hosts: &[(u16, &str, &str)], expected: &str) {
    let route = route(hosts, &config(&["me.test"]), 1);
    let usable: Vec<&str> = route.usable().map(|host| host.name.first_label()).collect();
    assert_eq!(usable.join(" "), expected, "{route:?}");
}

#[test]
fn best_preference_first() {
    check(&[(20, "b.test", "192.0.2.20"), (10, "a.test", "192.0.2.10"), (30, "c.test", "")], "a b c");
}

#[test]
fn own_preference_and_worse_are_dropped() {
    check(&[(10, "a.test", "192.0.2.10"), (20, "me.test", "192.0.2.1"), (30, "c.test", "192.0.2.30")], "a");
    check(&[(10, "a.test", "192.0.2.10"), (20, "me.test", ""), (20, "c.test", "192.0.2.30")], "a");
    check(&[(10, "me.test", ""), (20, "c.test", "192.0.2.30")], "");
    // by address, under another name (Postfix proxy_interfaces, scenario of a host behind NAT)
    check(
        &[(10, "a.test", "192.0.2.10"), (20, "alias.test", "192.0.2.1"), (30, "c.test", "192.0.2.30")],
        "a",
    );
    // the best preference of a host counts, its own as well as another's
    check(&[(10, "a.test", "192.0.2.10"), (20, "me.test", ""), (30, "a.test", "192.0.2.10")], "a");
    check(&[(10, "me.test", ""), (5, "a.test", "192.0.2.10"), (30, "me.test", "")], "a");
}

#[test]
fn haraka_drops_only_itself() {
    let mut config = config(&["me.test"]);
    config.routing.own.drops = OwnDrops::SelfOnly;
    let hosts = [(10, "a.test", "192.0.2.10"), (20, "me.test", ""), (30, "c.test", "192.0.2.30")];
    let route = route(&hosts, &config, 1);
    assert_eq!(route.usable().map(|host| host.name.first_label()).collect::<String>(), "ac");
}

#[test]
fn all_addresses_of_a_host_ipv6_first() {
    let route = route(&[(10, "a.test", "192.0.2.10 2001:db8::10 192.0.2.11")], &config(&[]), 1);
    let addresses = route.hosts[0].addresses.as_ref().expect("some");
    let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    assert_eq!(texts, ["2001:db8::10", "192.0.2.10", "192.0.2.11"]);
}

#[test]
fn temporary_failure_of_one_family_outweighs_nothing_of_the_other() {
    let mut gathering = Gathering::new(name("example.test"), 1);
    gathering.take(Slot::Mx, answer(vec![]));
    assert_eq!(gathering.basis, Some(Basis::Implicit));
    gathering.take(Slot::Ipv4(0), answer(vec![]));
    gathering.take(Slot::Ipv6(0), Answer { outcome: Outcome::ServFail, ..answer(vec![]) });
    let route = order::route(gathering, &config(&[]));
    assert_eq!(route.hosts[0].addresses, Err(Outcome::ServFail));
}

#[test]
fn null_mx_stands_alone() {
    let null = RecordData::Mx { preference: 0, exchange: None };
    let mut gathering = Gathering::new(name("example.test"), 1);
    gathering.take(Slot::Mx, answer(vec![null]));
    assert_eq!(gathering.basis, Some(Basis::NullMx));
    assert!(gathering.hosts.is_empty());
}

#[test]
fn equals_share_the_load() {
    let hosts = [(10, "a.test", "192.0.2.10"), (10, "b.test", "192.0.2.20"), (10, "c.test", "192.0.2.30")];
    let config = config(&[]);
    let mut first = [0u32; 3];
    for draw in 0..3000 {
        let label = route(&hosts, &config, draw).hosts[0].name.first_label().as_bytes()[0];
        first[usize::from(label - b'a')] += 1;
    }
    // each about 1000, with a standard deviation of 26
    assert!(first.iter().all(|count| (850..1150).contains(count)), "{first:?}");
}

proptest! {
    /// Order, completeness and own preference, whatever the zone says.
    #[test]
    fn routes_keep_the_law(
        preferences in prop::collection::vec(0u16..4, 1..8), own in prop::option::of(0usize..8), draw in any::<u64>(),
    ) {
        let names: Vec<String> = (0..preferences.len()).map(|n| format!("h{n}.test")).collect();
        let hosts: Vec<(u16, &str, &str)> =
            preferences.iter().zip(&names).map(|(p, n)| (*p, n.as_str(), "198.51.100.7")).collect();
        let own = own.filter(|own| *own < hosts.len());
        let own_names: Vec<&str> = own.iter().map(|own| names[*own].as_str()).collect();
        let route = route(&hosts, &config(&own_names), draw);
        prop_assert_eq!(route.hosts.len(), hosts.len());
        prop_assert!(route.hosts.is_sorted_by_key(|host| host.preference));
        prop_assert_eq!(route.own, own.map(|own| preferences[own]));
        for host in &route.hosts {
            prop_assert_eq!(host.dropped, route.own.is_some_and(|own| host.preference >= own));
        }
        prop_assert_eq!(&route, &self::route(&hosts, &config(&own_names), draw));
    }
}
