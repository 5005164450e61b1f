//! The event queue: what will happen next, and in which order when at the same time.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, VecDeque},
    time::Duration,
};

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

/// How far ahead an event may be to go into a lane. One that is far off would stand in the way of all that are
/// near.
const NEAR: Duration = Duration::from_millis(5);

/// The queue. Most events come a fixed latency after their cause, so that their times rise: those go into
/// lanes, which need no sifting, one for each common latency (the network's and the disk's, say). The heap
/// takes the rest. Where an event waits has no influence on when it is its turn.
#[derive(Debug, Default)]
pub(super) struct Queue {
    lanes: [VecDeque<Entry>; 2],
    heap: BinaryHeap<Entry>,
    sequence: u64,
    /// When the latest event was taken out.
    now: Time,
}

impl Queue {
    pub(super) fn push(&mut self, at: Time, what: What) {
        self.sequence += 1;
        let entry = Entry { at, sequence: self.sequence, what };
        let is_near = at <= self.now + NEAR;
        let fits = |lane: &&mut VecDeque<Entry>| is_near && lane.back().is_none_or(|last| last.at <= at);
        match self.lanes.iter_mut().find(fits) {
            Some(lane) => lane.push_back(entry),
            None => self.heap.push(entry),
        }
    }

    /// When the next event is due.
    pub(super) fn next_at(&self) -> Option<Time> {
        self.fronts().into_iter().flatten().max().map(|entry| entry.at)
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        let [first, second, third] = self.fronts();
        // `Entry` is ordered for the heap: the greatest is next.
        let next = if first >= second && first >= third {
            self.lanes[0].pop_front()
        } else if second >= third {
            self.lanes[1].pop_front()
        } else {
            self.heap.pop()
        };
        self.now = next.map_or(self.now, |entry| entry.at);
        next
    }

    fn fronts(&self) -> [Option<&Entry>; 3] {
        [self.lanes[0].front(), self.lanes[1].front(), self.heap.peek()]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn events_come_by_time_and_at_the_same_time_in_their_order(
            steps in proptest::collection::vec((0u64..12, 0usize..3), 1..200),
        ) {
            let mut queue = Queue::default();
            let (mut plain, mut now) = (Vec::new(), Time::ZERO);
            for (number, (millis, pops)) in steps.into_iter().enumerate() {
                let at = now + Duration::from_millis(millis);
                queue.push(at, What::Begin { host: 0, life: number as u32 });
                plain.push((at, number as u32));
                plain.sort();
                for _ in 0..pops.min(plain.len()) {
                    let (at, life) = plain.remove(0);
                    prop_assert_eq!(queue.next_at(), Some(at));
                    let entry = queue.pop().expect("not empty");
                    prop_assert_eq!((entry.at, entry.what), (at, What::Begin { host: 0, life }));
                    now = at;
                }
            }
        }
    }
}
