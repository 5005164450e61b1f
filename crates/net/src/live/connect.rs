//! Connects: which reach the kernel, which meet no answer, and how they end.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use mio::Interest;

use super::{
    LiveError,
    addresses::Way,
    end::{End, Inbound, Other, Stage},
    engine::{Engine, Soon, What},
    listen::Arrival,
    sockets,
    timers::Due,
};
use crate::{Access, Conn, ConnectError, Fact, HostId, Tag, Time};

/// A connect that has not succeeded yet.
#[derive(Debug)]
pub(super) struct Connect {
    pub(super) host: HostId,
    from: IpAddr,
    pub(super) to: SocketAddr,
    began: Time,
    /// SYNs lost so far.
    tries: u32,
    /// It has met no fault, or passed them all, and goes to the kernel next.
    passed: bool,
}

/// What became of a SYN.
enum Syn {
    /// It goes through, and its answer is back at this time.
    Answered(Time),
    Lost,
    Failed(ConnectError),
}

impl<F: From<Fact>> Engine<F> {
    /// Begins a connect.
    pub(super) fn connect(&mut self, host: HostId, now: Time, conn: Conn, from: IpAddr, to: SocketAddr) {
        let own = self.addresses.host(from).filter(|(owner, _)| *owner == host);
        let actual = own.map_or(Ipv4Addr::UNSPECIFIED.into(), |(_, actual)| actual);
        let connect = Connect { host, from: actual, to, began: now, tries: 0, passed: false };
        self.connects.insert(conn, connect);
        self.soon.push_back(match own {
            Some(_) => Soon::Connect(conn), // behind hosts that are just beginning to listen
            None => Soon::ConnectFailed(conn, ConnectError::Unreachable),
        });
    }

    /// A deadline of a connect has come: it is answered, or tried again.
    pub(super) fn connect_due(&mut self, now: Time, conn: Conn) {
        match self.connects.get(&conn) {
            Some(Connect { passed: true, .. }) => self.dial(conn),
            Some(_) => self.send_syn(now, conn),
            None => {}
        }
    }

    /// The kernel gives up.
    pub(super) fn patience_over(&mut self, conn: Conn) {
        if self.connects.contains_key(&conn) && !self.keys.contains_key(&conn) {
            self.soon.push_back(Soon::ConnectFailed(conn, ConnectError::TimedOut));
        }
    }

    fn send_syn(&mut self, now: Time, conn: Conn) {
        let Some(connect) = self.connects.get(&conn) else { return };
        let (host, to) = (connect.host, connect.to);
        let syn = match self.addresses.way(to) {
            Way::Nowhere => Syn::Failed(ConnectError::Unreachable),
            Way::Outside(_) => Syn::Answered(now),
            Way::Host(peer, _) => self.fate(now, host, peer, to),
        };
        match syn {
            Syn::Failed(why) => self.soon.push_back(Soon::ConnectFailed(conn, why)),
            Syn::Lost => self.syn_lost(now, conn),
            Syn::Answered(at) => {
                if let Some(connect) = self.connects.get_mut(&conn) {
                    connect.passed = true;
                }
                if at > now { self.timers.arm(at, Due::Connect(conn)) } else { self.dial(conn) }
            }
        }
    }

    /// What faults of the peer and of the way make of a SYN. A refusal is left to the kernel.
    fn fate(&mut self, now: Time, host: HostId, peer: HostId, to: SocketAddr) -> Syn {
        let access = self.host(peer).access;
        if let Access::Unreachable(tag) = access {
            self.record(host, Fact::Bit(tag));
            return Syn::Failed(ConnectError::Unreachable);
        }
        let Some(there) = self.packet(host, peer, now) else { return Syn::Lost };
        if let Access::Blackhole(tag) = access {
            self.record(host, Fact::Bit(tag));
        }
        if !self.host(peer).up || matches!(access, Access::Blackhole(_)) {
            return Syn::Lost;
        }
        let is_listening = self.host(peer).listens.contains(&to);
        if let (Access::Refuse(tag), true) = (access, is_listening) {
            self.record(host, Fact::Bit(tag));
        }
        self.packet(peer, host, there).map_or(Syn::Lost, Syn::Answered)
    }

    /// When a packet that nobody retransmits arrives, if it does.
    pub(super) fn packet(&mut self, from: HostId, to: HostId, now: Time) -> Option<Time> {
        let passage = self.links.packet(from, to, now, 0);
        self.bit(from, passage.bit);
        passage.at
    }

    /// Nothing came back: sends again after 1 s, doubled each time (RFC 6298 2.1 and 5.5), until the kernel
    /// loses patience.
    fn syn_lost(&mut self, now: Time, conn: Conn) {
        let Some(connect) = self.connects.get_mut(&conn) else { return };
        connect.tries += 1;
        let next = connect.began + Duration::from_secs((1u64 << connect.tries.min(32)) - 1);
        let last = connect.began + self.patience;
        match next < last {
            true => self.timers.arm(next.max(now), Due::Connect(conn)),
            false => self.timers.arm(last.max(now), Due::Patience(conn)),
        }
    }

    /// Hands the connect to the kernel.
    fn dial(&mut self, conn: Conn) {
        let Some(connect) = self.connects.get(&conn) else { return };
        let (host, from) = (connect.host, connect.from);
        let (peer, actual) = match self.addresses.way(connect.to) {
            Way::Host(peer, actual) => (Some(peer), actual),
            Way::Outside(actual) => (None, Some(actual)),
            Way::Nowhere => (None, None),
        };
        let Some(actual) = actual else {
            return self.soon.push_back(Soon::ConnectFailed(conn, ConnectError::Refused));
        };
        match sockets::connect(from, actual) {
            Ok((stream, local)) => {
                let other = peer.map_or(Other::Stranger, |peer| Other::Unmet(peer, local));
                let end = End::new(conn, host, stream, other, Stage::Connecting);
                self.dialled(end, local, actual);
            }
            Err(error) => {
                let why = self.why(error, actual.port());
                self.soon.push_back(Soon::ConnectFailed(conn, why));
            }
        }
    }

    fn dialled(&mut self, mut end: End, local: SocketAddr, actual: SocketAddr) {
        let key = self.ends.next_key();
        let conn = end.conn;
        let both = Interest::READABLE | Interest::WRITABLE;
        if let Err(error) = self.watch(&mut end.stream, What::End(key), both) {
            let why = self.why(error, actual.port());
            return self.soon.push_back(Soon::ConnectFailed(conn, why));
        }
        if end.other == Other::Stranger {
            self.flight.stranger_came();
        } else if self.is_open(actual) {
            let inbound = Inbound::default();
            self.arrivals.insert(local, Arrival { to: actual, opener: Some(key), inbound, cut: false });
            self.flight.begin();
        }
        self.ends.insert(end);
        self.keys.insert(conn, key);
        self.recount(key);
    }

    /// What the kernel's error means. Anything but an answer from the network is trouble of ours.
    fn why(&mut self, error: io::Error, port: u16) -> ConnectError {
        match error.kind() {
            io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => ConnectError::Refused,
            io::ErrorKind::TimedOut => ConnectError::TimedOut,
            io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => ConnectError::Unreachable,
            _ => {
                self.trouble(LiveError::Port { port, source: error });
                ConnectError::Unreachable
            }
        }
    }

    /// The kernel has an answer for a connecting end; says which is open now.
    pub(super) fn answered(&mut self, key: usize) -> Option<(HostId, Conn, SocketAddr)> {
        let end = self.ends.get_mut(key).filter(|end| end.stage == Stage::Connecting)?;
        let failure = match end.stream.take_error() {
            Ok(None) if end.stream.peer_addr().is_err() => return None, // not yet
            Ok(failure) => failure,
            Err(error) => Some(error),
        };
        let conn = end.conn;
        let Some(error) = failure else {
            end.stage = Stage::Open;
            let host = end.host;
            self.recount(key);
            let connect = self.connects.remove(&conn)?;
            return Some((host, conn, connect.to));
        };
        let port = self.connects.get(&conn).map_or(0, |connect| connect.to.port());
        let why = self.why(error, port);
        self.forget_arrival(key);
        self.drop_end(key);
        self.soon.push_back(Soon::ConnectFailed(conn, why));
        None
    }

    /// The kernel has refused: nobody will accept.
    fn forget_arrival(&mut self, key: usize) {
        if let Some(Other::Unmet(_, local)) = self.ends.get(key).map(|end| end.other)
            && self.arrivals.remove(&local).is_some()
        {
            self.flight.end();
        }
    }

    /// A process does not want its connect any more.
    pub(super) fn forget_connect(&mut self, conn: Conn) {
        self.connects.remove(&conn);
        if let Some(key) = self.keys.get(&conn).copied() {
            self.abort(key);
        }
    }

    /// Takes a failed connect off the books, to tell its process.
    pub(super) fn fail(&mut self, conn: Conn) -> Option<(HostId, SocketAddr)> {
        let connect = self.connects.remove(&conn)?;
        Some((connect.host, connect.to))
    }

    /// Whether anybody listens at this real address.
    fn is_open(&self, actual: SocketAddr) -> bool {
        self.listeners.iter().any(|(_, listener)| listener.actual == actual && listener.is_answering())
    }

    /// Records that a fault bit a host, if there was one.
    pub(super) fn bit(&mut self, host: HostId, tag: Option<Tag>) {
        if let Some(tag) = tag {
            self.record(host, Fact::Bit(tag));
        }
    }
}
