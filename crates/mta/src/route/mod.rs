//! Routing (RFC 5321 5.1): from a destination to the hosts to try, over the look-ups of this host.
//!
//! [`Router`] asks, waits and remembers nothing but the last route of each destination, so that equal routes
//! share memory: each resolution is made afresh, from the answers that the look-ups still hold.

mod dane;
mod gather;
mod order;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mxdrill_dns::{Asked, Lookup, LookupConfig, RecordType, Ticket};
use mxdrill_net::{Closed, Commands, Conn, DomainName, Index, Seed, Time};

use crate::{Basis, NodeConfig, Route, profile::Routing};
use gather::{Gathering, Slot};

/// What a router goes by.
#[derive(Clone, Debug)]
pub struct RouterConfig {
    /// Whom it asks.
    pub lookup: LookupConfig,
    /// By which names and addresses it knows itself among the MX (RFC 5321 5.1).
    pub own: Identity,
    /// Static next hops: destination to host. A host that is an IP address is taken as such.
    pub routes: BTreeMap<DomainName, DomainName>,
    /// The order of hosts and addresses.
    pub routing: Routing,
    /// Whether TLSA records are looked for (RFC 7672).
    pub dane: bool,
    /// Whether MTA-STS policies are looked for (RFC 8461 3.1).
    pub mta_sts: bool,
    /// The seed of the drill.
    pub seed: Seed,
    /// The host's own number in every draw.
    pub key: u64,
}

/// By which names and addresses a host knows itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The names.
    pub names: Vec<DomainName>,
    /// The addresses.
    pub addresses: Vec<IpAddr>,
}

impl RouterConfig {
    /// As the node is configured: its profile says whether its own name and addresses count.
    pub fn of(config: &NodeConfig) -> RouterConfig {
        let own = config.profile.routing.own;
        let mut identity = Identity { names: config.known_as.clone(), addresses: config.known_at.clone() };
        if own.by_name {
            identity.names.push(config.name.clone());
        }
        if own.by_address {
            identity.addresses.extend(&config.addresses);
        }
        let from = source(&config.addresses, config.resolver.ip()).unwrap_or(config.resolver.ip());
        RouterConfig {
            lookup: LookupConfig::new(config.resolver, from, config.seed, config.key),
            own: identity,
            routes: config.routes.clone(),
            routing: config.profile.routing,
            dane: config.profile.tls.dane,
            mta_sts: config.profile.tls.mta_sts,
            seed: config.seed,
            key: config.key,
        }
    }
}

/// The first address of the family of `to`.
pub(crate) fn source(addresses: &[IpAddr], to: IpAddr) -> Option<IpAddr> {
    addresses.iter().copied().find(|address| address.is_ipv4() == to.is_ipv4())
}

/// Names a resolution whose route comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteTicket(u64);

/// What [`Router::resolve`] says at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// Every answer was known.
    Now(Arc<Route>),
    /// The route comes from [`Router::poll`] under this ticket.
    Later(RouteTicket),
}

/// Finds the hosts of destinations.
#[derive(Debug)]
pub struct Router {
    config: RouterConfig,
    lookup: Lookup,
    under_way: Index<u64, Gathering>,
    asked: Index<Ticket, (u64, Slot)>,
    next: u64,
    ready: VecDeque<(RouteTicket, Arc<Route>)>,
    last: Index<DomainName, Arc<Route>>,
}

/// Destinations whose last route is kept for sharing. A peer may name any domain: then sharing begins anew.
const LAST_MAX: usize = 65_536;

impl Router {
    /// A router that has asked nothing yet.
    pub fn new(config: RouterConfig) -> Router {
        Router {
            lookup: Lookup::new(config.lookup.clone()),
            config,
            under_way: Index::default(),
            asked: Index::default(),
            next: 0,
            ready: VecDeque::new(),
            last: Index::default(),
        }
    }

    /// To be called at the host's `Start` or `Restart`.
    pub fn start<F>(&self, out: &mut Commands<F>) {
        self.lookup.start(out);
    }

    /// Resolves a destination. `draw` keys the shuffle of equal preferences: a number of this attempt.
    pub fn resolve<F: From<mxdrill_dns::Fact>>(
        &mut self,
        now: Time,
        destination: &DomainName,
        draw: u64,
        out: &mut Commands<F>,
    ) -> Resolved {
        let mut gathering = Gathering::new(destination.clone(), draw);
        let id = self.next;
        match self.config.routes.get(destination) {
            Some(hop) => gathering.go_static(hop.clone()),
            None => {
                self.ask(now, id, &mut gathering, Slot::Mx, out);
                if self.config.mta_sts {
                    self.ask(now, id, &mut gathering, Slot::Sts, out);
                }
            }
        }
        self.ask_more(now, id, &mut gathering, out);
        if gathering.open == 0 {
            return Resolved::Now(self.finish(gathering));
        }
        self.next += 1;
        self.under_way.insert(id, gathering);
        Resolved::Later(RouteTicket(id))
    }

    fn ask<F: From<mxdrill_dns::Fact>>(
        &mut self,
        now: Time,
        id: u64,
        gathering: &mut Gathering,
        slot: Slot,
        out: &mut Commands<F>,
    ) {
        let Some((name, kind)) = gathering.question(slot) else { return };
        match self.lookup.ask(now, &name, kind, out) {
            Asked::Now(answer) => gathering.take(slot, answer),
            Asked::Later(ticket) => {
                gathering.open += 1;
                self.asked.insert(ticket, (id, slot));
            }
        }
    }

    /// Asks what the answers so far lead to.
    fn ask_more<F: From<mxdrill_dns::Fact>>(
        &mut self,
        now: Time,
        id: u64,
        gathering: &mut Gathering,
        out: &mut Commands<F>,
    ) {
        self.ask_addresses(now, id, gathering, out);
        if gathering.sts.is_some() && !std::mem::replace(&mut gathering.sts_asked, true) {
            self.ask(now, id, gathering, Slot::StsIpv4, out);
            self.ask(now, id, gathering, Slot::StsIpv6, out);
        }
        if self.config.dane && gathering.open == 0 && !std::mem::replace(&mut gathering.tlsa_asked, true) {
            let asked = |host: &u16| dane::is_asked(gathering, &gathering.hosts[usize::from(*host)]);
            let hosts: Vec<u16> = (0..gathering.hosts.len() as u16).filter(asked).collect();
            hosts.into_iter().for_each(|host| self.ask(now, id, gathering, Slot::Tlsa(host), out));
        }
    }

    /// Asks for the addresses of the hosts, once these are known: all at once, as RFC 5321 5.1 needs them all
    /// to find this host among them.
    fn ask_addresses<F: From<mxdrill_dns::Fact>>(
        &mut self,
        now: Time,
        id: u64,
        gathering: &mut Gathering,
        out: &mut Commands<F>,
    ) {
        if std::mem::replace(&mut gathering.addresses_asked, gathering.basis.is_some()) {
            return;
        }
        for host in 0..gathering.hosts.len() as u16 {
            if gathering.hosts[usize::from(host)].literal.is_none() {
                self.ask(now, id, gathering, Slot::Ipv6(host), out);
                self.ask(now, id, gathering, Slot::Ipv4(host), out);
            }
        }
    }

    fn finish(&mut self, gathering: Gathering) -> Arc<Route> {
        let destination = gathering.destination.clone();
        let route = order::route(gathering, &self.config);
        if let Some(last) = self.last.get(&destination)
            && **last == route
        {
            return last.clone();
        }
        if self.last.len() >= LAST_MAX {
            self.last.clear();
        }
        let route = Arc::new(route);
        self.last.insert(destination, route.clone());
        route
    }

    /// The next route that was found, if any.
    pub fn poll(&mut self) -> Option<(RouteTicket, Arc<Route>)> {
        self.ready.pop_front()
    }

    fn collect<F: From<mxdrill_dns::Fact>>(&mut self, now: Time, out: &mut Commands<F>) {
        while let Some((ticket, answer)) = self.lookup.poll() {
            let Some((id, slot)) = self.asked.remove(&ticket) else { continue };
            let Some(mut gathering) = self.under_way.remove(&id) else { continue };
            gathering.open -= 1;
            gathering.take(slot, answer);
            self.ask_more(now, id, &mut gathering, out);
            if gathering.open == 0 {
                let route = self.finish(gathering);
                self.ready.push_back((RouteTicket(id), route));
            } else {
                self.under_way.insert(id, gathering);
            }
        }
    }

    /// The address that answers must come to.
    pub fn local(&self) -> SocketAddr {
        self.lookup.local()
    }

    /// Whether a connection belongs to the look-ups.
    pub fn owns(&self, conn: Conn) -> bool {
        self.lookup.owns(conn)
    }

    /// A datagram came to [`Router::local`].
    pub fn datagram<F: From<mxdrill_dns::Fact>>(
        &mut self,
        now: Time,
        from: SocketAddr,
        bytes: &[u8],
        out: &mut Commands<F>,
    ) {
        self.lookup.datagram(now, from, bytes, out);
        self.collect(now, out);
    }

    /// A connect of the look-ups succeeded.
    pub fn connected<F: From<mxdrill_dns::Fact>>(&mut self, conn: Conn, out: &mut Commands<F>) {
        self.lookup.connected(conn, out);
    }

    /// Bytes came over a connection of the look-ups.
    pub fn bytes<F: From<mxdrill_dns::Fact>>(
        &mut self,
        now: Time,
        conn: Conn,
        bytes: &[u8],
        out: &mut Commands<F>,
    ) {
        self.lookup.bytes(now, conn, bytes, out);
        self.collect(now, out);
    }

    /// A connect of the look-ups failed.
    pub fn connect_failed<F: From<mxdrill_dns::Fact>>(
        &mut self,
        now: Time,
        conn: Conn,
        out: &mut Commands<F>,
    ) {
        self.lookup.connect_failed(now, conn, out);
        self.collect(now, out);
    }

    /// A connection of the look-ups ended.
    pub fn closed<F: From<mxdrill_dns::Fact>>(
        &mut self,
        now: Time,
        conn: Conn,
        how: Closed,
        out: &mut Commands<F>,
    ) {
        self.lookup.closed(now, conn, how, out);
        self.collect(now, out);
    }

    /// The deadline has come, or another: too early is harmless.
    pub fn timer<F: From<mxdrill_dns::Fact>>(&mut self, now: Time, out: &mut Commands<F>) {
        self.lookup.timer(now, out);
        self.collect(now, out);
    }

    /// When [`Router::timer`] is due.
    pub fn deadline(&self) -> Option<Time> {
        self.lookup.deadline()
    }
}

impl Route {
    /// The hosts that may be tried, in order.
    pub fn usable(&self) -> impl Iterator<Item = &crate::RouteHost> {
        self.hosts.iter().filter(|host| !host.dropped)
    }

    /// Whether the route was not found for now, and the mail must be kept (RFC 5321 5.1).
    pub fn is_temporary(&self) -> bool {
        matches!(self.basis, Basis::Unresolved(outcome) if outcome.is_temporary())
    }
}

/// The type that is asked for.
const fn record_type(slot: Slot) -> RecordType {
    match slot {
        Slot::Mx => RecordType::Mx,
        Slot::Ipv6(_) | Slot::StsIpv6 => RecordType::Aaaa,
        Slot::Ipv4(_) | Slot::StsIpv4 => RecordType::A,
        Slot::Sts => RecordType::Txt,
        Slot::Tlsa(_) => RecordType::Tlsa,
    }
}
