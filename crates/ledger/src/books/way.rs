//! The ways that hosts found for destinations, and where they failed: what MX order and failover are judged by.

use std::sync::Arc;

use mxdrill_dns::Outcome;
use mxdrill_mta::{Basis, Route, RouteHost, Skip};
use mxdrill_net::{DomainName, Time};

use crate::HostSetup;

/// Destinations and MX hosts remembered for each host; beyond, the oldest is forgotten.
const WAYS_MAX: usize = 4096;

/// The ways of one host.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    ways: Vec<Way>,
    troubles: Vec<(DomainName, Trouble)>,
    /// What the DNS last said of the MX of destinations.
    answers: Vec<(DomainName, Outcome)>,
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

impl Way {
    /// How many addresses there are to try.
    pub(crate) fn addresses(&self) -> usize {
        let standing = self.route.hosts.iter().filter(|host| !host.dropped);
        standing.map(|host| host.addresses.as_ref().map_or(0, Vec::len)).sum()
    }
}

impl Ways {
    /// A destination was resolved by a host. It stands among the MX by its name or by an address.
    pub(crate) fn routed(&mut self, destination: &DomainName, route: &Arc<Route>, own: &HostSetup) {
        let standing = route.hosts.iter().filter(|host| !host.dropped);
        let best = standing.map(|host| host.preference).min().unwrap_or(u16::MAX);
        let is_own = |host: &&RouteHost| {
            own.domain.as_ref() == Some(&host.name)
                || host.addresses.iter().flatten().any(|found| own.addresses.contains(found))
        };
        let own = route.hosts.iter().filter(is_own);
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

    /// The DNS said what MX a name has.
    pub(crate) fn answered(&mut self, name: &DomainName, outcome: Outcome) {
        match self.answers.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = outcome,
            None => {
                if self.answers.len() == WAYS_MAX {
                    self.answers.remove(0);
                }
                self.answers.push((name.clone(), outcome));
            }
        }
    }

    /// What the DNS last said of the MX of a name.
    pub(crate) fn answer(&self, name: &DomainName) -> Option<Outcome> {
        self.answers.iter().find(|(known, _)| known == name).map(|(_, outcome)| *outcome)
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

    /// The host passed an MX over. That it remembers a failure is judged by that failure; and a session to a worse
    /// MX that stands explains nothing if nothing ever was wrong with the better one.
    pub(crate) fn skipped(&mut self, mx: &DomainName, at: Time, why: Skip) {
        let is_reason = match why {
            Skip::Remembered => false,
            Skip::OpenSession => self.trouble(mx) != Trouble::default(),
            _ => true,
        };
        if is_reason {
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
