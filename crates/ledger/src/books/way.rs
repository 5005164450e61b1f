//! The ways that hosts found for destinations, and where they failed: what MX order and failover are judged by.

use std::{net::IpAddr, sync::Arc};

use mxdrill_mta::{Basis, Route, Skip};
use mxdrill_net::{DomainName, Time};

/// Destinations and MX hosts remembered for each host; beyond, the oldest is forgotten.
const WAYS_MAX: usize = 4096;

/// The ways of one host.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    ways: Vec<Way>,
    troubles: Vec<(DomainName, Trouble)>,
    recent: usize,
}

/// The latest way to one destination.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// The destination.
    pub(crate) destination: DomainName,
    /// What the look-up gave.
    pub(crate) route: Arc<Route>,
    /// The best preference of a host that was not dropped; `u16::MAX` when there is none.
    pub(crate) best: u16,
    /// The preference at which the host itself stands in the MX list, whether or not it knows.
    pub(crate) own: Option<u16>,
}

/// What a host met at an MX.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// When it last failed there.
    pub(crate) failed: Option<Time>,
    /// When it last passed it over for another reason than that, and why.
    pub(crate) skipped: Option<(Time, Skip)>,
}

impl Ways {
    /// A destination was resolved by a host with these addresses.
    pub(crate) fn routed(&mut self, destination: &DomainName, route: &Arc<Route>, addresses: &[IpAddr]) {
        let standing = route.hosts.iter().filter(|host| !host.dropped);
        let best = standing.map(|host| host.preference).min().unwrap_or(u16::MAX);
        let is_own = |found: &IpAddr| addresses.contains(found);
        let own = route.hosts.iter().filter(|host| host.addresses.iter().flatten().any(is_own));
        let own = own.map(|host| host.preference).chain(route.own).min();
        let own = own.filter(|_| route.basis == Basis::Mx);
        let way = Way { destination: destination.clone(), route: route.clone(), best, own };
        match self.place(destination) {
            Some(place) => self.ways[place] = way,
            None => {
                if self.ways.len() == WAYS_MAX {
                    self.ways.remove(0);
                }
                self.ways.push(way);
            }
        }
    }

    /// The way to a destination.
    pub(crate) fn find(&mut self, destination: &DomainName) -> Option<&Way> {
        self.recent = self.place(destination)?;
        self.ways.get(self.recent)
    }

    /// The way to a destination, without remembering that it was asked for.
    pub(crate) fn known(&self, destination: &DomainName) -> Option<&Way> {
        self.place(destination).and_then(|place| self.ways.get(place))
    }

    fn place(&self, destination: &DomainName) -> Option<usize> {
        if self.ways.get(self.recent).is_some_and(|way| way.destination == *destination) {
            return Some(self.recent);
        }
        self.ways.iter().position(|way| way.destination == *destination)
    }

    /// What the host met at an MX so far.
    pub(crate) fn trouble(&self, mx: &DomainName) -> Trouble {
        let found = self.troubles.iter().find(|(name, _)| name == mx);
        found.map(|(_, trouble)| *trouble).unwrap_or_default()
    }

    /// The host failed at an MX.
    pub(crate) fn failed(&mut self, mx: &DomainName, at: Time) {
        self.trouble_mut(mx).failed = Some(at);
    }

    /// The host passed an MX over. That it remembers a failure is judged by that failure.
    pub(crate) fn skipped(&mut self, mx: &DomainName, at: Time, why: Skip) {
        if why != Skip::Remembered {
            self.trouble_mut(mx).skipped = Some((at, why));
        }
    }

    fn trouble_mut(&mut self, mx: &DomainName) -> &mut Trouble {
        let place = self.troubles.iter().position(|(name, _)| name == mx).unwrap_or_else(|| {
            if self.troubles.len() == WAYS_MAX {
                self.troubles.remove(0);
            }
            self.troubles.push((mx.clone(), Trouble::default()));
            self.troubles.len() - 1
        });
        &mut self.troubles[place].1
    }
}
