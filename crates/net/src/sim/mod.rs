//! The world in virtual time: one event queue, one thread, one seed.
//!
//! Start with [`Sim`]. The same seed and the same calls give the same facts, byte for byte, on every computer.
//!
//! - `queue`, `wakes`: what happens next, events and deadlines of hosts
//! - `connect`: the handshake, and each way in which it fails
//! - `stream`: bytes, ends and resets between two sides; `pipe` is what is under way in one direction
//! - `way` (shared with `live`): when what leaves now arrives: latency, jitter, loss, bandwidth
//! - `disk`: what a host stores, and what a power cut leaves of it
//! - `outside`: what a scenario can do to all this
//!
//! What is simulated of TCP is what an application can notice. Acknowledgements are not: a kernel is taken to
//! know when its bytes were delivered one latency after they were. Nor is a window: bandwidth alone bounds the
//! rate. A host that is down answers nothing, so connects to it time out; one that crashed with connections
//! open resets them, as the machine that takes over its address would.

mod connect;
mod connection;
mod datagram;
mod disk;
mod host;
mod outside;
mod pipe;
mod queue;
mod run;
mod slab;
mod stream;
mod wakes;

#[cfg(test)]
mod tests;

use std::{net::IpAddr, time::Duration};

use connection::Connection;
use datagram::Parcel;
use host::Host;
use queue::{Queue, Side};
use slab::{Key, Slab};
use wakes::Wakes;

use crate::{Commands, Conn, Fact, HostId, Index, Process, Seed, Sink, Time, way::Way};

/// How long a connect that nobody answers lasts, unless [`crate::Driver::connect_patience`] says otherwise:
/// Linux's `tcp_syn_retries` of 6, with the linear timeouts before them, comes to about this.
const CONNECT_PATIENCE: Duration = Duration::from_secs(134);

/// A world in virtual time. Everything it can be asked to do is in [`crate::Driver`].
///
/// A sync takes 1 ms. When [`crate::Driver::run_until`] gives [`crate::Stop::Idle`], the time stays at the last
/// event, which is when the world fell silent; whoever acts from outside after that acts at the time that was
/// asked for, unless that was [`Time::MAX`].
pub struct Sim<P, F> {
    now: Time,
    /// How far time has been asked to run: where it stands when somebody acts on an idle world.
    asked_until: Time,
    /// The sink has asked to come back.
    is_asked: bool,
    chop: bool,
    patience: Duration,
    /// Keys the draws of connections.
    streams: Seed,
    /// Keys the draws of datagrams.
    datagrams: Seed,
    /// Keys what crashes leave.
    disks: Seed,
    queue: Queue,
    wakes: Wakes,
    hosts: Vec<Host<P>>,
    addresses: Index<IpAddr, u16>,
    ways: Vec<Way>,
    way_numbers: Index<(u16, u16), u32>,
    connections: Slab<Connection>,
    numbers: Index<Conn, (Key, Side)>,
    /// The number that was looked up last: a process mostly answers where it was asked.
    latest: Option<(Conn, Key, Side)>,
    parcels: Slab<Option<Parcel>>,
    scratch: Vec<u8>,
    out: Commands<F>,
    /// Facts recorded outside of a run, for the sink of the next.
    pending: Vec<(Time, HostId, F)>,
}

impl<P, F> Sim<P, F> {
    /// An empty world at time zero.
    pub fn new(seed: Seed) -> Sim<P, F> {
        Sim {
            now: Time::ZERO,
            asked_until: Time::ZERO,
            is_asked: false,
            chop: true,
            patience: CONNECT_PATIENCE,
            streams: Seed(seed.pick("sim streams", &[])),
            datagrams: Seed(seed.pick("sim datagrams", &[])),
            disks: Seed(seed.pick("sim disks", &[])),
            queue: Queue::default(),
            wakes: Wakes::default(),
            hosts: Vec::new(),
            addresses: Index::default(),
            ways: Vec::new(),
            way_numbers: Index::default(),
            connections: Slab::default(),
            numbers: Index::default(),
            latest: None,
            parcels: Slab::default(),
            scratch: Vec::new(),
            out: Commands::default(),
            pending: Vec::new(),
        }
    }

    /// Whether streams are split and joined by the seed, so that parsers meet half a line (the default), or
    /// every write arrives as one piece. To be set before hosts connect.
    pub fn chop(&mut self, chop: bool) {
        self.chop = chop;
    }

    /// The process of a host, to be looked at; `None` while the host is down.
    pub fn process(&self, host: HostId) -> Option<&P> {
        self.hosts.get(usize::from(host.0))?.process.as_ref()
    }

    /// The number of the way from one host to another.
    fn way(&mut self, from: u16, to: u16) -> u32 {
        let ways = &mut self.ways;
        *self.way_numbers.get_or_insert_with((from, to), || {
            ways.push(Way::new(from));
            ways.len() as u32 - 1
        })
    }

    /// Where the connection of this number is.
    fn find(&self, conn: Conn) -> Option<(Key, Side)> {
        match self.latest {
            Some((latest, key, side)) if latest == conn => Some((key, side)),
            _ => self.numbers.get(&conn).copied(),
        }
    }
}

impl<P: Process<F>, F: From<Fact>> Sim<P, F> {
    fn tell(&mut self, host: u16, fact: impl Into<F>, sink: &mut dyn Sink<F>) {
        if sink.see(self.now, HostId(host), fact.into()).is_break() {
            self.is_asked = true;
        }
    }

    /// Sends a packet that nobody retransmits and returns when it arrives, if it does.
    fn packet(&mut self, way: u32, bytes: usize, draw: u64, sink: &mut dyn Sink<F>) -> Option<Time> {
        let way = &mut self.ways[way as usize];
        let (from, passage) = (way.from, way.packet(self.now, bytes, draw));
        if let Some(tag) = passage.bit {
            self.tell(from, Fact::Bit(tag), sink);
        }
        passage.at
    }
}
