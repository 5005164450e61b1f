//! The deadlines of a world: what it leaps to when nothing is under way.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::{Conn, HostId, Time};

/// What is due at a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The deadline of a process; stale unless it is the one that the host has armed.
    Wake(HostId),
    /// A connect that a link delays goes out, or one that met no answer is tried again.
    Connect(Conn),
    /// The kernel gives up a connect.
    Patience(Conn),
    /// Bytes that a link holds back go on.
    Flow(Conn),
    /// The kernel gives up a connection whose bytes nobody acknowledges.
    Stalled(Conn),
    /// A datagram that a link holds back goes on.
    Datagram(u64),
    /// A closed connection whose foreign peer does not close is given up.
    Linger(Conn),
}

/// Deadlines in order of time, then of arming. Stale ones are skipped by whoever handles them.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Reverse<(Time, u64, Due)>>,
    count: u64,
}

impl Timers {
    pub(super) fn arm(&mut self, at: Time, due: Due) {
        self.count += 1;
        self.heap.push(Reverse((at, self.count, due)));
    }

    pub(super) fn next(&self) -> Option<Time> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes the first deadline that has come.
    pub(super) fn pop(&mut self, now: Time) -> Option<(Time, Due)> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((at, _, due))| (at, due))
    }
}
