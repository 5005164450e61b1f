//! What a profile's schedule comes to: the attempts of one message in an outage that does not end.

use std::{net::Ipv4Addr, time::Duration};

use mxdrill_net::{Seed, Time};

use crate::{
    Profile,
    deliver::HostMemory,
    queue::{Cause, Entry, Next, Picks, Timetable},
};

/// The attempts of a message whose only host refuses every connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// When, since the message arrived.
    pub at: Vec<Duration>,
    /// When it is given up. `None`: not within the attempts listed.
    pub given_up: Option<Duration>,
}

/// No schedule lists more attempts than this.
const ATTEMPTS_MAX: usize = 100_000;

impl Profile {
    /// The attempts at one message that arrives when its only host begins to refuse connections, for ever, on an
    /// otherwise idle node whose queue scans count from the message's arrival. The same code as in a node.
    pub fn attempts(&self, seed: Seed) -> Attempts {
        self.attempts_within(seed, Duration::MAX)
    }

    /// Like [`Profile::attempts`], but only what happens until the message is so old: a schedule need not end.
    pub fn attempts_within(&self, seed: Seed, age: Duration) -> Attempts {
        let table = Timetable::new(self, Time::ZERO, seed, 0);
        let mut memory = HostMemory::new(self);
        let host = Ipv4Addr::LOCALHOST.into();
        let mut entry = Entry {
            message: None,
            picks: Picks::One(0),
            line: 0,
            arrived: 0,
            wait: 0,
            attempts: 0,
            warned: 0,
            is_bounce: false,
        };
        let (mut now, mut at) = (Time::ZERO, Vec::new());
        while at.len() < ATTEMPTS_MAX && now.elapsed() <= age {
            if table.is_over_when_due(&entry, now) {
                return Attempts { at, given_up: Some(now.elapsed()) };
            }
            let is_skipped = memory.skips(now, host);
            if !is_skipped {
                at.push(now.elapsed());
                memory.failed(now, host, false);
            }
            if memory.is_past_cutoff(host, self.lifetime.expiry) {
                return Attempts { at, given_up: Some(now.elapsed()) };
            }
            let cause = if memory.has_clocks() { Cause::Hosts } else { Cause::Schedule };
            match table.next(&mut entry, now, !is_skipped, cause) {
                Next::Expired => return Attempts { at, given_up: Some(now.elapsed()) },
                Next::Due(due) => now = Time::from_secs(due.into()),
            }
        }
        Attempts { at, given_up: None }
    }
}
