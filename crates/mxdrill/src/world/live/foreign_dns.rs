//! The DNS for programs that are no hosts of the world: the same zones, with the real addresses behind the
//! scenario's.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use mxdrill_dns::{
    Authority,
    server::{Map, Server},
};
use mxdrill_ledger::Fact;
use mxdrill_net::live::{Live, LiveError};

use crate::{host::HostProcess, plan::Cast};

/// Serves `authority` to foreign clients, UDP and TCP on one free port of 127.0.0.1. To be called once all hosts
/// are in the world.
///
/// # Errors
/// No socket is to be had.
pub(super) fn serve(
    cast: &Cast,
    live: &Live<HostProcess, Fact>,
    authority: Arc<Mutex<Authority>>,
) -> Result<Server, LiveError> {
    let bind = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let real = Real::of(pairs(cast, live));
    Server::start(&live.handle(), authority, live.clock(), bind, Some(Arc::new(real)))
        .map_err(LiveError::Start)
}

/// Every address of a host, and the loopback address that stands for it.
pub(super) fn pairs(cast: &Cast, live: &Live<HostProcess, Fact>) -> impl Iterator<Item = (IpAddr, IpAddr)> {
    let addresses = cast.members().flat_map(|(_, member)| member.addresses.iter().copied());
    addresses.filter_map(|address| Some((address, live.actual(SocketAddr::new(address, 25))?.ip())))
}

/// The addresses of a world, both ways.
#[derive(Debug, Default)]
struct Real {
    actual: BTreeMap<IpAddr, IpAddr>,
    scenario: BTreeMap<IpAddr, IpAddr>,
}

impl Real {
    fn of(pairs: impl IntoIterator<Item = (IpAddr, IpAddr)>) -> Real {
        let mut real = Real::default();
        for (scenario, actual) in pairs {
            real.actual.insert(scenario, actual);
            real.scenario.insert(actual, scenario);
        }
        real
    }
}

impl Map for Real {
    /// The world's own hosts ask another server.
    fn is_foreign(&self, _: SocketAddr) -> bool {
        true
    }

    fn actual(&self, scenario: IpAddr) -> IpAddr {
        self.actual.get(&scenario).copied().unwrap_or(scenario)
    }

    fn scenario(&self, actual: IpAddr) -> IpAddr {
        self.scenario.get(&actual).copied().unwrap_or(actual)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn hosts_are_told_both_ways_and_others_left_alone() {
        let real = Real::of([(ip("192.0.2.10"), ip("127.3.4.1")), (ip("2001:db8::10"), ip("127.3.4.2"))]);
        assert_eq!(real.actual(ip("192.0.2.10")), ip("127.3.4.1"));
        assert_eq!(real.actual(ip("2001:db8::10")), ip("127.3.4.2"));
        assert_eq!(real.scenario(ip("127.3.4.2")), ip("2001:db8::10"));
        assert_eq!(real.actual(ip("192.0.2.99")), ip("192.0.2.99"));
        assert_eq!(real.scenario(ip("127.0.0.1")), ip("127.0.0.1"));
    }
}
