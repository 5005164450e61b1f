//! Datagrams: one socket for each address that a process listens on.

use std::{io, net::SocketAddr};

use bytes::Bytes;
use mio::net::UdpSocket;

use super::{addresses::Way, engine::Engine, timers::Due};
use crate::{Fact, HostId, Time};

/// The socket of an address.
#[derive(Debug)]
pub(super) struct Datagrams {
    pub(super) host: HostId,
    /// The scenario's address.
    pub(super) at: SocketAddr,
    pub(super) actual: SocketAddr,
    pub(super) socket: UdpSocket,
    /// Datagrams of the world's own hosts are under way to it, and counted as such.
    pub(super) counted: bool,
}

/// A datagram that a link holds back.
#[derive(Debug)]
pub(super) struct Held {
    host: HostId,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Bytes,
}

impl<F: From<Fact>> Engine<F> {
    /// Sends a datagram; to an address that nobody has, into the void.
    pub(super) fn send_datagram(
        &mut self,
        host: HostId,
        now: Time,
        from: SocketAddr,
        to: SocketAddr,
        bytes: Bytes,
    ) {
        let held = Held { host, from, to, bytes };
        let Way::Host(peer, _) = self.addresses.way(to) else { return self.pass_on(held) };
        let passage = self.links.packet(host, peer, now, held.bytes.len());
        self.bit(host, passage.bit);
        match passage.at {
            Some(at) if at > now => {
                let number = self.held.last_key_value().map_or(0, |(last, _)| last + 1);
                self.held.insert(number, held);
                self.timers.arm(at, Due::Datagram(number));
            }
            Some(_) => self.pass_on(held),
            None => {}
        }
    }

    /// The time of a datagram that was held back has come.
    pub(super) fn datagram_due(&mut self, number: u64) {
        if let Some(held) = self.held.remove(&number) {
            self.pass_on(held);
        }
    }

    fn pass_on(&mut self, held: Held) {
        let actual = match self.addresses.way(held.to) {
            Way::Host(_, actual) => actual,
            Way::Outside(actual) => Some(actual),
            // A foreign peer that has sent us something is answered where it is: on loopback.
            Way::Nowhere => Some(held.to).filter(|to| to.ip().is_loopback() && to.is_ipv4()),
        };
        let sender = |socket: &&Datagrams| socket.host == held.host && socket.at == held.from;
        let sender = self.datagrams.iter().map(|(_, socket)| socket).find(sender);
        let (Some(to), Some(sender)) = (actual, sender) else { return };
        let from = sender.actual;
        let inside = self.datagrams.iter().any(|(_, socket)| socket.actual == to);
        if !inside {
            self.clock.asked(from); // before it can be answered
            self.flight.movement();
        }
        match sender.socket.send_to(&held.bytes, to) {
            Ok(_) if inside => self.under_way(to),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "a datagram found no room");
                self.clock.unasked(from);
            }
        }
    }

    fn under_way(&mut self, actual: SocketAddr) {
        let key = self.datagrams.iter().find(|(_, socket)| socket.actual == actual).map(|(key, _)| key);
        if let Some(socket) = key.and_then(|key| self.datagrams.get_mut(key)) {
            self.flight.count(&mut socket.counted, true);
        }
    }

    /// Takes one datagram from the kernel: its host, where from, where to, and how long it is.
    pub(super) fn receive(
        &mut self,
        key: usize,
        buffer: &mut [u8],
    ) -> Option<(HostId, SocketAddr, SocketAddr, usize)> {
        loop {
            let socket = self.datagrams.get_mut(key)?;
            match socket.socket.recv_from(buffer) {
                Ok((count, from)) => {
                    let (host, to, local) = (socket.host, socket.at, socket.actual);
                    let name = self.addresses.scenario(from);
                    let is_own = name.is_some_and(|name| self.addresses.host(name.ip()).is_some());
                    if !is_own {
                        self.clock.answered(local);
                    }
                    return Some((host, name.unwrap_or(from), to, count));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // What was under way has been read, or there was no room for it.
                    self.flight.count(&mut socket.counted, false);
                    return None;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::debug!(%error, "a datagram could not be received");
                    return None;
                }
            }
        }
    }
}
