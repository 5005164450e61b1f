//! How an application finds its MX: the look-ups of its messages, each until its route is known.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mxdrill_ledger::Fact;
use mxdrill_mta::{Resolved, Route, RouteTicket, Router, RouterConfig};
use mxdrill_net::{Commands, Conn, Event, Time};

use crate::errand::Errand;

/// The port of SMTP (RFC 5321 4.5.4.2).
const SMTP: u16 = 25;

/// Finds routes.
pub(crate) struct Finder {
    router: Router,
    /// The application's own addresses: a host of another family is out of its reach.
    addresses: Vec<IpAddr>,
    waiting: Vec<(RouteTicket, usize, Errand)>,
}

impl Finder {
    /// A finder of the application at these addresses.
    pub(crate) fn new(config: RouterConfig, addresses: Vec<IpAddr>) -> Finder {
        Finder { router: Router::new(config), addresses, waiting: Vec::new() }
    }

    /// Gives an errand of a stream its route: now, or later by [`Finder::poll`].
    pub(super) fn find(
        &mut self,
        now: Time,
        stream: usize,
        errand: Errand,
        out: &mut Commands<Fact>,
    ) -> Option<Errand> {
        let draw = u64::from(errand.parcel().number());
        match self.router.resolve(now, errand.domain(), draw, out) {
            Resolved::Now(route) => Some(errand.along(self.targets(&route))),
            Resolved::Later(ticket) => {
                self.waiting.push((ticket, stream, errand));
                None
            }
        }
    }

    /// The next errand whose route was found, and its stream.
    pub(super) fn poll(&mut self) -> Option<(usize, Errand)> {
        while let Some((ticket, route)) = self.router.poll() {
            if let Some(index) = self.waiting.iter().position(|(waits, ..)| *waits == ticket) {
                let (_, stream, errand) = self.waiting.swap_remove(index);
                return Some((stream, errand.along(self.targets(&route))));
            }
        }
        None
    }

    /// When [`Finder::handle`] wants a [`Event::Timer`].
    pub(super) fn deadline(&self) -> Option<Time> {
        self.router.deadline()
    }

    /// Whether a connection is one of its look-ups.
    pub(super) fn owns(&self, conn: Conn) -> bool {
        self.router.owns(conn)
    }

    /// Takes what concerns its look-ups.
    pub(super) fn handle(&mut self, now: Time, event: &Event<'_>, out: &mut Commands<Fact>) {
        match *event {
            Event::Start | Event::Restart(_) => self.router.start(out),
            Event::Timer => self.router.timer(now, out),
            Event::Datagram { from, bytes, .. } => self.router.datagram(now, from, bytes, out),
            Event::Connected(conn) => self.router.connected(conn, out),
            Event::ConnectFailed(conn, _) => self.router.connect_failed(now, conn, out),
            Event::Bytes(conn, bytes) => self.router.bytes(now, conn, bytes, out),
            Event::Closed(conn, how) => self.router.closed(now, conn, how, out),
            _ => {}
        }
    }

    fn targets(&self, route: &Route) -> Arc<[SocketAddr]> {
        let addresses = route.usable().flat_map(|host| host.addresses.iter().flatten().copied());
        let within_reach = |to: &IpAddr| self.addresses.iter().any(|own| own.is_ipv4() == to.is_ipv4());
        addresses.filter(within_reach).map(|address| SocketAddr::new(address, SMTP)).collect()
    }
}
