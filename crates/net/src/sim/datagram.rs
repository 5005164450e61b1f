//! Datagrams: they arrive once, or not at all, and jitter may let one overtake another.

use std::net::SocketAddr;

use bytes::Bytes;

use super::{Sim, queue::What, slab::Key};
use crate::{Event, Fact, Process, Sink};

/// A datagram under way.
#[derive(Debug)]
pub(super) struct Parcel {
    host: u16,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Bytes,
}

impl<P: Process<F>, F: From<Fact>> Sim<P, F> {
    /// Sends a datagram; to an address that nobody has, into the void.
    pub(super) fn datagram(
        &mut self,
        from_host: u16,
        from: SocketAddr,
        to: SocketAddr,
        bytes: Bytes,
        sink: &mut dyn Sink<F>,
    ) {
        let Some(host) = self.addresses.get(&to.ip()).copied() else { return };
        let number = self.way(from_host, host);
        let way = &mut self.ways[number as usize];
        way.datagrams += 1;
        let draw = self.datagrams.pick("", &[u64::from(from_host), u64::from(host), way.datagrams]);
        let Some(at) = self.packet(number, bytes.len(), draw, sink) else { return };
        let (key, place) = self.parcels.take();
        *place = Some(Parcel { host, from, to, bytes });
        self.queue.push(at, What::Datagram(key));
    }

    /// Hands a datagram over, if somebody listens for it.
    pub(super) fn datagram_arrives(&mut self, key: Key, sink: &mut dyn Sink<F>) {
        let Some(Parcel { host, from, to, bytes }) = self.parcels.free(key).and_then(Option::take) else {
            return;
        };
        if self.hosts[usize::from(host)].is_listening(to) {
            self.handle(host, Event::Datagram { from, to, bytes: &bytes }, sink);
        }
    }
}
