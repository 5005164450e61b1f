//! A host of the simulated world.

use std::net::SocketAddr;

use super::disk::Store;
use crate::{Access, Kept};

/// A host and, while it is up, its process.
pub(super) struct Host<P> {
    /// `None` while the host is down.
    pub(super) process: Option<P>,
    /// The event that the process gets first, until it got it.
    pub(super) first: Option<First>,
    /// Counts crashes and restarts, so that events of a former life are known.
    pub(super) life: u32,
    pub(super) listens: Vec<SocketAddr>,
    pub(super) access: Access,
    pub(super) store: Store,
    /// Connects made so far, which key the draws of their streams and choose the source port.
    pub(super) connects: u64,
}

/// How a process begins.
pub(super) enum First {
    Start,
    Restart(Vec<Kept>),
}

impl<P> Host<P> {
    pub(super) fn new(process: P) -> Host<P> {
        Host {
            process: Some(process),
            first: Some(First::Start),
            life: 0,
            listens: Vec::new(),
            access: Access::Open,
            store: Store::default(),
            connects: 0,
        }
    }

    /// Whether anybody would take a connection or a datagram to this address.
    pub(super) fn is_listening(&self, at: SocketAddr) -> bool {
        self.listens.contains(&at)
    }

    /// The next source port: the dynamic range of RFC 6335 section 6, round and round.
    pub(super) fn next_port(&mut self) -> u16 {
        self.connects += 1;
        49152 + (self.connects % 16384) as u16
    }
}
