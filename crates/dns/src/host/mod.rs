//! The name server as a process of its world: in `sim` the only one, in `live` the one that the world's own hosts
//! ask, beside [`Server`](crate::server::Server) for the others.

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use mxdrill_net::{self as net, Commands, Conn, Event, Process, Time};

use crate::{Authority, Transport};

/// Connections at once; a further one takes the place of the oldest (RFC 7766 6.2.3 lets a server close).
const CONNECTIONS_MAX: usize = 256;
/// Answers held back at once; beyond, delayed answers are lost as datagrams are.
const DELAYED_MAX: usize = 4096;
/// The port of DNS (RFC 1035 4.2).
const PORT: u16 = 53;

/// What a [`Host`] serves: an [`Authority`] of its own, or one that it shares with a server for clients from
/// outside its world.
pub trait Served: Send {
    /// Lets `ask` at the authority.
    fn with<R>(&mut self, ask: impl FnOnce(&mut Authority) -> R) -> R;
}

impl Served for Authority {
    fn with<R>(&mut self, ask: impl FnOnce(&mut Authority) -> R) -> R {
        ask(self)
    }
}

impl Served for Arc<Mutex<Authority>> {
    fn with<R>(&mut self, ask: impl FnOnce(&mut Authority) -> R) -> R {
        ask(&mut self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A host that serves an [`Authority`] over UDP and TCP, port 53.
#[derive(Debug)]
pub struct Host<A = Authority> {
    authority: A,
    address: SocketAddr,
    connections: VecDeque<Connection>,
    delayed: BTreeMap<(Time, u64), (To, Bytes)>,
    sequence: u64,
}

#[derive(Debug)]
struct Connection {
    conn: Conn,
    peer: IpAddr,
    input: Vec<u8>,
}

/// Where an answer goes.
#[derive(Clone, Copy, Debug)]
enum To {
    Datagram(SocketAddr),
    Stream(Conn),
}

impl Host {
    /// What it serves.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// What it serves, to be changed: set records, begin faults.
    pub fn authority_mut(&mut self) -> &mut Authority {
        &mut self.authority
    }
}

impl<A: Served> Host<A> {
    /// A name server at this address.
    pub fn new(authority: A, address: IpAddr) -> Host<A> {
        Host {
            authority,
            address: SocketAddr::new(address, PORT),
            connections: VecDeque::new(),
            delayed: BTreeMap::new(),
            sequence: 0,
        }
    }

    fn answer<F: From<net::Fact>>(
        &mut self,
        now: Time,
        query: &[u8],
        from: IpAddr,
        to: To,
        out: &mut Commands<F>,
    ) {
        let via = match to {
            To::Datagram(_) => Transport::Udp,
            To::Stream(_) => Transport::Tcp,
        };
        let response = self.authority.with(|authority| authority.answer(now, query, via, from));
        for tag in response.bit {
            out.record(net::Fact::Bit(tag));
        }
        let Some(bytes) = response.bytes else { return };
        if response.delay.is_zero() {
            self.send(to, bytes, out);
        } else if self.delayed.len() < DELAYED_MAX {
            self.sequence += 1;
            self.delayed.insert((now + response.delay, self.sequence), (to, bytes));
        }
    }

    fn send<F>(&self, to: To, bytes: Bytes, out: &mut Commands<F>) {
        match to {
            To::Datagram(peer) => out.datagram(self.address, peer, bytes),
            // the client may have gone while its answer was held back
            To::Stream(conn) if self.connections.iter().any(|open| open.conn == conn) => {
                out.send(conn, &(bytes.len() as u16).to_be_bytes());
                out.send_shared(conn, bytes);
            }
            To::Stream(_) => {}
        }
    }

    fn incoming<F>(&mut self, conn: Conn, peer: IpAddr, out: &mut Commands<F>) {
        if self.connections.len() == CONNECTIONS_MAX
            && let Some(oldest) = self.connections.pop_front()
        {
            out.reset(oldest.conn);
        }
        self.connections.push_back(Connection { conn, peer, input: Vec::new() });
    }

    fn bytes<F: From<net::Fact>>(&mut self, now: Time, conn: Conn, bytes: &[u8], out: &mut Commands<F>) {
        let Some(open) = self.connections.iter_mut().find(|open| open.conn == conn) else { return };
        let peer = open.peer;
        let mut input = std::mem::take(&mut open.input);
        input.extend_from_slice(bytes);
        let mut rest = &input[..];
        while let Some((query, after)) = frame(rest) {
            self.answer(now, query, peer, To::Stream(conn), out);
            rest = after;
        }
        // what is left is less than one message, and so is bounded
        let left = rest.len();
        input.drain(..input.len() - left);
        if let Some(open) = self.connections.iter_mut().find(|open| open.conn == conn) {
            open.input = input;
        }
    }

    fn release<F>(&mut self, now: Time, out: &mut Commands<F>) {
        while let Some(entry) = self.delayed.first_entry().filter(|entry| entry.key().0 <= now) {
            let (to, bytes) = entry.remove();
            self.send(to, bytes, out);
        }
    }
}

/// The first message of a stream and what follows it (RFC 1035 4.2.2).
fn frame(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = input.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

impl<A: Served, F: From<net::Fact>> Process<F> for Host<A> {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<F>) {
        match event {
            Event::Start | Event::Restart(_) => out.listen(self.address),
            Event::Datagram { from, bytes, .. } => {
                self.answer(now, bytes, from.ip(), To::Datagram(from), out);
            }
            Event::Incoming { conn, peer, .. } => self.incoming(conn, peer.ip(), out),
            Event::Bytes(conn, bytes) => self.bytes(now, conn, bytes, out),
            Event::Closed(conn, how) => {
                self.connections.retain(|open| open.conn != conn);
                if how == net::Closed::Eof {
                    out.close(conn);
                }
            }
            Event::Timer => self.release(now, out),
            _ => {}
        }
        match self.delayed.first_key_value() {
            Some(((due, _), _)) => out.wake_at(*due),
            None => out.wake_never(),
        }
    }
}
