//! From a route to the steps of an attempt: whom to try, whom to pass over and why, by the profile's limits.

use std::{net::IpAddr, sync::Arc};

use mxdrill_smtp::tls::Security;

use crate::{HostPolicy, Route, RouteHost, Skip, Target, profile::Routing};

/// The steps of an attempt. Shared by all attempts that have the same route.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) route: Arc<Route>,
    pub(crate) steps: Vec<PlanStep>,
}

/// One step.
#[derive(Debug)]
pub(crate) enum PlanStep {
    /// Try this address.
    Try(Arc<Target>),
    /// Pass over this host of the route.
    Pass {
        /// Its place in the route.
        host: u16,
        /// Why.
        why: Skip,
    },
}

impl Plan {
    pub(crate) fn new(route: Arc<Route>, routing: &Routing) -> Plan {
        let mut maker = Maker { routing, hosts: 0, addresses: 0, preference: None, steps: Vec::new() };
        for (index, host) in route.hosts.iter().enumerate() {
            if !host.dropped {
                maker.host(index as u16, host);
            }
        }
        Plan { steps: maker.steps, route }
    }

    /// The addresses to try, from a step on.
    pub(crate) fn tries(&self, from: usize) -> impl Iterator<Item = &Arc<Target>> {
        self.steps.iter().skip(from).filter_map(|step| match step {
            PlanStep::Try(target) => Some(target),
            PlanStep::Pass { .. } => None,
        })
    }
}

struct Maker<'a> {
    routing: &'a Routing,
    hosts: u16,
    addresses: u16,
    /// The preference of the last address taken.
    preference: Option<u16>,
    steps: Vec<PlanStep>,
}

impl Maker<'_> {
    fn host(&mut self, index: u16, host: &RouteHost) {
        if matches!(host.policy, HostPolicy::Unknown(_) | HostPolicy::Outside) {
            return self.steps.push(PlanStep::Pass { host: index, why: Skip::TlsPolicy });
        }
        let Ok(addresses) = &host.addresses else {
            return self.steps.push(PlanStep::Pass { host: index, why: Skip::Unresolved });
        };
        if self.routing.hosts_max.is_some_and(|max| self.hosts >= max) {
            return self.steps.push(PlanStep::Pass { host: index, why: Skip::AddressLimit });
        }
        let most = self.routing.host_addresses_max.map_or(usize::MAX, usize::from);
        let before = self.steps.len();
        for address in addresses.iter().take(most) {
            if self.fits(host.preference) {
                self.take(host, *address);
            }
        }
        match self.steps.len() == before {
            true => self.steps.push(PlanStep::Pass { host: index, why: Skip::AddressLimit }),
            false => self.hosts += 1,
        }
    }

    fn fits(&self, preference: u16) -> bool {
        let is_below = self.routing.addresses_max.is_none_or(|max| self.addresses < max);
        is_below || (self.routing.each_preference && self.preference != Some(preference))
    }

    fn take(&mut self, host: &RouteHost, address: IpAddr) {
        let (preference, host_name, security) = (host.preference, host.name.clone(), Security::Clear);
        let target = Target { preference, host: host_name, address, security };
        self.steps.push(PlanStep::Try(Arc::new(target)));
        self.addresses += 1;
        self.preference = Some(host.preference);
    }
}
