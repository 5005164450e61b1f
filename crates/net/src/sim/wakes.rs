//! The deadlines of all hosts: one each, in an indexed heap, so that none goes stale.
//!
//! Processes move their deadline at nearly every event, mostly to later. So only an earlier deadline moves in
//! the heap at once; a later one is noted, and put in its place when the old one comes up.

use crate::Time;

/// Not in the heap.
const NOWHERE: u32 = u32::MAX;

/// The heap, and for each host what it wants and where it stands.
#[derive(Debug, Default)]
pub(super) struct Wakes {
    heap: Vec<(Time, u16)>,
    hosts: Vec<Wanted>,
}

#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// `Time::MAX` for never.
    at: Time,
    place: u32,
}

impl Wakes {
    /// Makes room for one more host.
    pub(super) fn add(&mut self) {
        self.hosts.push(Wanted { at: Time::MAX, place: NOWHERE });
    }

    /// Sets a host's deadline, replacing the last; `Time::MAX` disarms.
    pub(super) fn set(&mut self, host: u16, at: Time) {
        let wanted = &mut self.hosts[usize::from(host)];
        wanted.at = at;
        let place = wanted.place;
        if place == NOWHERE {
            if at < Time::MAX {
                self.heap.push((at, host));
                self.rise(self.heap.len() - 1);
            }
        } else if at < self.heap[place as usize].0 {
            self.heap[place as usize].0 = at;
            self.rise(place as usize);
        }
    }

    /// The next deadline and its host; the lowest host first when several are due at once.
    pub(super) fn next(&mut self) -> Option<(Time, u16)> {
        loop {
            let &(at, host) = self.heap.first()?;
            let wanted = self.hosts[usize::from(host)].at;
            if wanted == at {
                return Some((at, host));
            }
            if wanted == Time::MAX {
                self.remove_first();
            } else {
                self.heap[0].0 = wanted;
                self.sink();
            }
        }
    }

    /// Disarms the deadline that [`Wakes::next`] gave.
    pub(super) fn fire(&mut self, host: u16) {
        self.hosts[usize::from(host)].at = Time::MAX;
        self.remove_first();
    }

    fn remove_first(&mut self) {
        let (_, host) = self.heap.swap_remove(0);
        self.hosts[usize::from(host)].place = NOWHERE;
        if !self.heap.is_empty() {
            self.sink();
        }
    }

    /// Moves the entry at `place` up to where it belongs.
    fn rise(&mut self, mut place: usize) {
        while place > 0 && self.heap[place] < self.heap[(place - 1) / 2] {
            self.heap.swap(place, (place - 1) / 2);
            self.note(place);
            place = (place - 1) / 2;
        }
        self.note(place);
    }

    /// Moves the first entry down to where it belongs.
    fn sink(&mut self) {
        let mut place = 0;
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let mut least = place;
            if left < self.heap.len() && self.heap[left] < self.heap[least] {
                least = left;
            }
            if right < self.heap.len() && self.heap[right] < self.heap[least] {
                least = right;
            }
            self.heap.swap(place, least);
            self.note(place);
            if least == place {
                return;
            }
            place = least;
        }
    }

    fn note(&mut self, place: usize) {
        let host = self.heap[place].1;
        self.hosts[usize::from(host)].place = place as u32;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_earliest_wanted_deadline_comes_first(moves in proptest::collection::vec((0u16..6, 0u64..50), 1..200)) {
            let mut wakes = Wakes::default();
            let mut plain = [Time::MAX; 6];
            (0..6).for_each(|_| wakes.add());
            for (host, secs) in moves {
                if secs == 0 {
                    let next = wakes.next();
                    let expected = (0..6u16).map(|h| (plain[usize::from(h)], h)).min().filter(|(at, _)| *at < Time::MAX);
                    prop_assert_eq!(next, expected);
                    if let Some((_, host)) = next {
                        wakes.fire(host);
                        plain[usize::from(host)] = Time::MAX;
                    }
                } else {
                    let at = if secs == 49 { Time::MAX } else { Time::from_secs(secs) };
                    wakes.set(host, at);
                    plain[usize::from(host)] = at;
                }
                prop_assert!(wakes.heap.len() <= 6);
            }
        }
    }
}
