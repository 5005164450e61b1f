//! The event queue: what will happen next, and in which order when at the same time.

use std::{cmp::Ordering, collections::BinaryHeap};

use super::slab::Key;
use crate::{ConnectError, Time};

/// What is to happen. Small and `Copy`: payloads wait in the slabs that the keys name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A process gets its first event, if it is still in the same life.
    Begin { host: u16, life: u32 },
    /// A connect sends its SYN (again).
    Syn(Key),
    /// The SYN reaches the host that was asked for.
    SynArrives(Key),
    /// The answer to the SYN comes back.
    Connected(Key),
    /// A connect fails.
    ConnectFails(Key, ConnectError),
    /// The front of what this side sent reaches the other side.
    Deliver(Key, Side),
    /// A reset reaches this side.
    ResetArrives(Key, Side),
    /// The kernel of this side gives up on what it could not get across.
    GiveUp(Key, Side),
    /// This side's output has drained.
    Drained(Key, Side),
    /// A datagram arrives.
    Datagram(Key),
    /// The oldest sync under way on this host ends.
    SyncEnds { host: u16, life: u32 },
}

/// One of the two sides of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Who connected.
    Opener = 0,
    /// Who was connected to.
    Acceptor = 1,
}

impl Side {
    pub(super) fn other(self) -> Side {
        match self {
            Side::Opener => Side::Acceptor,
            Side::Acceptor => Side::Opener,
        }
    }
}

/// An event and its place in the order: by time, and at the same time first come, first served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) at: Time,
    sequence: u64,
    pub(super) what: What,
}

impl Ord for Entry {
    /// Reversed: `BinaryHeap` gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.sequence).cmp(&(self.at, self.sequence))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Entry>,
    sequence: u64,
}

impl Queue {
    pub(super) fn push(&mut self, at: Time, what: What) {
        self.sequence += 1;
        self.heap.push(Entry { at, sequence: self.sequence, what });
    }

    /// When the next event is due.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.at)
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.heap.pop()
    }
}
