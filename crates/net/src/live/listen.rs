//! Listening, accepting, and a host that does not.

use std::{io, net::SocketAddr};

use mio::{
    Interest,
    net::{TcpListener, TcpStream},
};

use super::{
    LiveError,
    datagram::Datagrams,
    end::{End, Inbound, Other, Stage},
    engine::{Engine, Ready, What},
    sockets,
};
use crate::{Access, Closed, Commands, Conn, Fact, HostId};

/// An address that a process listens on.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) host: HostId,
    /// The scenario's address.
    pub(super) at: SocketAddr,
    pub(super) actual: SocketAddr,
    /// `None` while connects are refused.
    socket: Option<TcpListener>,
    /// Fills the kernel's queue while SYNs get no answer.
    choke: Option<TcpStream>,
}

impl Listener {
    pub(super) fn is_answering(&self) -> bool {
        self.socket.is_some() && self.choke.is_none()
    }
}

/// A connection of a host of the world that nobody has accepted yet.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) to: SocketAddr,
    /// The end that opened it, unless that is gone.
    pub(super) opener: Option<usize>,
    /// What is under way to the end that will be.
    pub(super) inbound: Inbound,
    pub(super) cut: bool,
}

/// An accepted connection, for its process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Incoming {
    pub(super) host: HostId,
    pub(super) conn: Conn,
    pub(super) local: SocketAddr,
    pub(super) peer: SocketAddr,
}

impl<F: From<Fact>> Engine<F> {
    /// Opens an address of a host.
    pub(super) fn listen(&mut self, host: HostId, at: SocketAddr) {
        let Some((_, own)) = self.addresses.host(at.ip()).filter(|(owner, _)| *owner == host) else {
            return tracing::warn!(%at, "a process listens on an address that its host does not have");
        };
        if self.host(host).listens.contains(&at) {
            return;
        }
        let actual = self.addresses.actual(at).unwrap_or_else(|| SocketAddr::from((own, 0)));
        if let Err(source) = self.open(host, at, actual) {
            return self.trouble(LiveError::Port { port: actual.port(), source });
        }
        self.host_mut(host).listens.push(at);
        self.set_access(host, self.host(host).access);
    }

    fn open(&mut self, host: HostId, at: SocketAddr, actual: SocketAddr) -> io::Result<()> {
        let (mut listener, mut socket, actual) = sockets::listen(actual)?;
        let key = self.listeners.next_key();
        self.watch(&mut listener, What::Listener(key), Interest::READABLE)?;
        let datagrams = self.datagrams.next_key();
        self.watch(&mut socket, What::Datagrams(datagrams), Interest::READABLE)?;
        self.listeners.insert(Listener { host, at, actual, socket: Some(listener), choke: None });
        self.datagrams.insert(Datagrams { host, at, actual, socket, counted: false });
        self.addresses.open(at, actual);
        Ok(())
    }

    /// Takes one connection from the kernel. `None` when there is none to be had for now.
    pub(super) fn accept(&mut self, key: usize, out: &mut Commands<F>) -> Option<Incoming> {
        loop {
            let listener = self.listeners.get(key).filter(|listener| listener.is_answering())?;
            match listener.socket.as_ref()?.accept() {
                Ok((stream, from)) => {
                    let (host, local) = (listener.host, listener.at);
                    let conn = out.new_conn();
                    match self.accepted(host, conn, stream, from) {
                        Ok(peer) => return Some(Incoming { host, conn, local, peer }),
                        Err(error) => self.trouble(LiveError::Port { port: local.port(), source: error }),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.forget_aborted(key);
                    return None;
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    // Most likely no descriptor is left; the next connection that goes makes room.
                    tracing::warn!(%error, "a connection cannot be accepted");
                    self.starved.push(key);
                    return None;
                }
            }
        }
    }

    /// Takes up an accepted connection, and says who the peer is.
    fn accepted(
        &mut self,
        host: HostId,
        conn: Conn,
        mut stream: TcpStream,
        from: SocketAddr,
    ) -> io::Result<SocketAddr> {
        let key = self.ends.next_key();
        self.watch(&mut stream, What::End(key), Interest::READABLE)?;
        let peer = self.addresses.scenario(from);
        let mut end = End::new(conn, host, stream, Other::Stranger, Stage::Open);
        match self.arrivals.remove(&from) {
            Some(arrival) => {
                self.flight.end();
                end.inbound = arrival.inbound;
                end.cut = arrival.cut;
                let opener =
                    peer.and_then(|peer| self.addresses.host(peer.ip())).map_or(host, |(host, _)| host);
                end.other = arrival.opener.map_or(Other::Gone(opener), |other| Other::Met(opener, other));
                if let Some(other) = arrival.opener.and_then(|other| self.ends.get_mut(other)) {
                    other.other = Other::Met(host, key);
                }
            }
            None => {
                self.flight.stranger_came();
                if self.acknowledges {
                    sockets::acknowledge(&end.stream);
                }
            }
        }
        self.ends.insert(end);
        self.keys.insert(conn, key);
        self.recount(key);
        Ok(peer.unwrap_or(from))
    }

    /// Connections that were reset before they could be accepted are not under way any more.
    fn forget_aborted(&mut self, key: usize) {
        let Some(actual) = self.listeners.get(key).map(|listener| listener.actual) else { return };
        let is_aborted =
            |arrival: &Arrival| arrival.to == actual && arrival.inbound.end == Some(Closed::Reset);
        let aborted = self.arrivals.extract_if(.., |_, arrival| is_aborted(arrival)).count();
        (0..aborted).for_each(|_| self.flight.end());
    }

    /// Tries again to accept where no descriptor was left.
    pub(super) fn accept_again(&mut self) {
        let starved = self.starved.drain(..);
        self.ready.extend(starved.map(|key| Ready {
            what: What::Listener(key),
            writable: false,
            ending: false,
        }));
    }

    /// The listeners of a host.
    pub(super) fn listeners_of(&self, host: HostId) -> Vec<usize> {
        self.listeners.iter().filter(|(_, listener)| listener.host == host).map(|(key, _)| key).collect()
    }

    /// Makes the listeners of a host answer as the fault says. What the kernel has taken before is to be
    /// accepted first.
    pub(super) fn set_access(&mut self, host: HostId, access: Access) {
        self.host_mut(host).access = access;
        if self.addresses.is_own() {
            return; // the packet filter in front of the listeners sees to it
        }
        for key in self.listeners_of(host) {
            let done = match access {
                Access::Open => self.answer(key),
                Access::Blackhole(_) => self.answer(key).and_then(|()| self.ignore(key)),
                // Loopback cannot make the kernel say "unreachable": a foreign peer sees a refusal.
                Access::Refuse(_) | Access::Unreachable(_) => {
                    self.refuse(key);
                    Ok(())
                }
            };
            if let (Err(source), Some(listener)) = (done, self.listeners.get(key)) {
                let port = listener.actual.port();
                self.trouble(LiveError::Port { port, source });
            }
        }
    }

    fn answer(&mut self, key: usize) -> io::Result<()> {
        let registry = &self.registry;
        let Some(listener) = self.listeners.get_mut(key) else { return Ok(()) };
        match &listener.socket {
            None => {
                let (mut socket, _) = sockets::listen_tcp(listener.actual)?;
                registry.register(&mut socket, What::Listener(key).token(), Interest::READABLE)?;
                listener.socket = Some(socket);
            }
            Some(socket) if listener.choke.is_some() => {
                sockets::unchoke(socket)?;
                let (filler, _) = socket.accept()?; // the first in the queue is the one that filled it
                drop((filler, listener.choke.take()));
                self.ready.push_back(Ready { what: What::Listener(key), writable: false, ending: false });
            }
            Some(_) => {}
        }
        Ok(())
    }

    fn ignore(&mut self, key: usize) -> io::Result<()> {
        let Some(listener) = self.listeners.get_mut(key) else { return Ok(()) };
        if let Some(socket) = &listener.socket {
            listener.choke = Some(sockets::choke(socket, listener.actual)?);
        }
        self.forget_arrivals(key);
        Ok(())
    }

    fn refuse(&mut self, key: usize) {
        if let Some(listener) = self.listeners.get_mut(key) {
            listener.choke = None;
            listener.socket = None;
        }
        self.forget_arrivals(key);
    }

    /// The kernel resets what nobody has accepted when it closes a listener.
    fn forget_arrivals(&mut self, key: usize) {
        let Some(actual) = self.listeners.get(key).map(|listener| listener.actual) else { return };
        let gone: Vec<_> = self.arrivals.extract_if(.., |_, arrival| arrival.to == actual).collect();
        for (_, arrival) in gone {
            self.flight.end();
            let Some(key) = arrival.opener else { continue };
            if let Some(end) = self.ends.get_mut(key) {
                end.inbound.end = Some(Closed::Reset);
                end.other = end.other.host().map_or(Other::Stranger, Other::Gone);
            }
            self.recount(key);
        }
    }

    /// Closes everything that a host listens on.
    pub(super) fn close_listeners(&mut self, host: HostId) {
        for key in self.listeners_of(host) {
            self.refuse(key);
            self.listeners.remove(key);
        }
        let of_host = |datagrams: &Datagrams| datagrams.host == host;
        let keys: Vec<_> = self.datagrams.iter().filter(|(_, d)| of_host(d)).map(|(key, _)| key).collect();
        for key in keys {
            if let Some(mut datagrams) = self.datagrams.remove(key) {
                self.flight.count(&mut datagrams.counted, false);
            }
        }
        self.host_mut(host).listens.clear();
    }
}

/// Errors of `accept` that are about the one connection, not about accepting (accept(2)).
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted | io::ErrorKind::ConnectionReset
    )
}
