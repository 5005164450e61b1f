//! When an entry is due again, and when its time is over: the profile's schedule in whole seconds.

use std::time::Duration;

use mxdrill_net::{Seed, Time};

use super::Entry;
use crate::{
    Profile, Retry,
    profile::{Expiry, Jitter},
};

/// The schedule of one node.
#[derive(Debug)]
pub(crate) struct Timetable {
    retry: Retry,
    /// Scans happen at `phase` + k * `grid`.
    grid: Option<u32>,
    phase: u32,
    jitter: Jitter,
    mail: u32,
    bounce: u32,
    attempts_max: u32,
    pub(crate) expiry: Expiry,
    warn_after: Vec<u32>,
    warn_every: Option<u32>,
    seed: Seed,
    key: u64,
}

/// Why an entry is put off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its own failure, or that of a destination: the schedule says when it is due.
    Schedule,
    /// Hosts that have clocks of their own: the next scan looks at them again (Exim).
    Hosts,
}

/// What a visit to an entry that stays behind brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Due at this second.
    Due(u32),
    /// Its time is over.
    Expired,
}

impl Timetable {
    /// The schedule of a node that starts at `start`: its scans count from there.
    pub(crate) fn new(profile: &Profile, start: Time, seed: Seed, key: u64) -> Timetable {
        Timetable {
            retry: profile.retry.clone(),
            grid: profile.grid().map(|grid| secs(grid).max(1)),
            phase: floor(start),
            jitter: profile.jitter,
            mail: profile.lifetime.mail.map_or(u32::MAX, secs),
            bounce: profile.lifetime.bounce.map_or(u32::MAX, secs),
            attempts_max: profile.attempts_max.unwrap_or(u32::MAX),
            expiry: profile.lifetime.expiry,
            warn_after: profile.warn.after.iter().copied().map(secs).collect(),
            warn_every: profile.warn.every.map(secs),
            seed,
            key,
        }
    }

    /// What becomes of an entry that was not served at `now`, after an attempt or without one. Counts an
    /// attempt in the entry, and keeps its wait.
    pub(crate) fn next(&self, entry: &mut Entry, now: Time, attempted: bool, cause: Cause) -> Next {
        entry.attempts = entry.attempts.saturating_add(u16::from(attempted));
        let (second, lifetime) = (floor(now), self.lifetime(entry));
        let is_over = match self.expiry {
            Expiry::BeforeAttempt => attempted && u32::from(entry.attempts) >= self.attempts_max,
            _ => entry.age(second) >= lifetime || u32::from(entry.attempts) >= self.attempts_max,
        };
        if is_over {
            return Next::Expired;
        }
        let due = self.due(entry, now, cause);
        match self.expiry {
            Expiry::NextTooLate if due.saturating_sub(entry.arrived) > lifetime => Next::Expired,
            Expiry::OnTime => Next::Due(due.min(entry.arrived.saturating_add(lifetime))),
            _ => Next::Due(due),
        }
    }

    /// Whether an entry that has become due is over instead of being tried.
    pub(crate) fn is_over_when_due(&self, entry: &Entry, now: Time) -> bool {
        matches!(self.expiry, Expiry::BeforeAttempt | Expiry::OnTime)
            && entry.age(floor(now)) >= self.lifetime(entry)
    }

    /// Whether some entries may be over when they become due: otherwise nobody need look.
    pub(crate) fn looks_when_due(&self) -> bool {
        matches!(self.expiry, Expiry::BeforeAttempt | Expiry::OnTime)
    }

    fn lifetime(&self, entry: &Entry) -> u32 {
        if entry.is_bounce { self.bounce } else { self.mail }
    }

    fn due(&self, entry: &mut Entry, now: Time, cause: Cause) -> u32 {
        let second = floor(now);
        if cause == Cause::Schedule {
            entry.wait = self.wait(entry, second);
        }
        let wait = if cause == Cause::Schedule { entry.wait } else { 0 };
        match self.grid {
            // clocks of MTAs that scan count whole seconds (time(2)), so a fraction never costs a scan
            Some(grid) => {
                self.scan_from(second.saturating_add(wait), grid).max(self.scan_after(second, grid))
            }
            None => ceil(now).saturating_add(wait.max(1)),
        }
    }

    fn wait(&self, entry: &Entry, second: u32) -> u32 {
        if let Retry::Age { min, max, .. } = &self.retry {
            return entry.age(second).clamp(secs(*min), secs(*max).max(secs(*min)));
        }
        let last = Duration::from_secs(entry.wait.into());
        let wait = match &self.retry {
            // the first wait is not chance's, and none is longer than the longest
            Retry::Geometric { first, percent, max } if self.jitter.carries => {
                let wait = if last.is_zero() { *first } else { crate::retry::scaled(last, *percent) };
                let drawn = if last.is_zero() { secs(wait) } else { self.jittered(secs(wait), entry) };
                return drawn.min(secs(*max));
            }
            retry => {
                let age = Duration::from_secs(entry.age(second).into());
                retry.wait(u32::from(entry.attempts.max(1)), age, last)
            }
        };
        self.jittered(secs(wait), entry)
    }

    fn jittered(&self, wait: u32, entry: &Entry) -> u32 {
        if self.jitter == Jitter::NONE {
            return wait;
        }
        let id = entry.message.as_ref().map_or(0, |message| message.id.0);
        let mut draw = self.seed.draw("retry-jitter", &[self.key, id, entry.attempts.into()]);
        let (before, after) = (secs(self.jitter.before), secs(self.jitter.after));
        let most = u64::from(wait) * u64::from(self.jitter.ppm) / 1_000_000 + u64::from(before + after);
        wait.saturating_add(draw.below(most + 1) as u32).saturating_sub(before)
    }

    /// The first scan at or after a second.
    fn scan_from(&self, second: u32, grid: u32) -> u32 {
        let past = second.saturating_sub(self.phase);
        self.phase.saturating_add(past.div_ceil(grid).saturating_mul(grid))
    }

    /// The first scan after a second.
    fn scan_after(&self, second: u32, grid: u32) -> u32 {
        self.scan_from(second.saturating_add(1), grid)
    }

    /// When the next queue run comes, for mail that waits for it.
    pub(crate) fn next_scan(&self, now: Time) -> u32 {
        self.grid.map_or(ceil(now), |grid| self.scan_after(floor(now), grid))
    }

    /// Where an entry that arrived long ago would stand in the schedule, had it been deferred at every attempt.
    pub(crate) fn resume(&self, entry: &mut Entry, now: Time) -> u32 {
        let (mut at, second) = (Time::from_secs(entry.arrived.into()), floor(now));
        loop {
            let due = self.due(entry, at, Cause::Schedule);
            if due >= second {
                return due;
            }
            entry.attempts = entry.attempts.saturating_add(1);
            at = Time::from_secs(due.into());
        }
    }

    /// Whether a delay warning is due for an entry that stays behind; counts it.
    pub(crate) fn warns(&self, entry: &mut Entry, now: Time) -> bool {
        if self.warn_after.is_empty() || entry.is_bounce {
            return false;
        }
        let sent = usize::from(entry.warned);
        let due = match self.warn_after.get(sent) {
            Some(after) => *after,
            None => match (self.warn_every, self.warn_after.last()) {
                (Some(every), Some(last)) => {
                    let further = (sent + 1 - self.warn_after.len()) as u32;
                    last.saturating_add(every.saturating_mul(further))
                }
                _ => return false,
            },
        };
        let is_due = entry.age(floor(now)) >= due;
        entry.warned = entry.warned.saturating_add(u8::from(is_due));
        is_due
    }
}

/// Whole seconds of a duration; a part counts as one.
pub(crate) fn secs(duration: Duration) -> u32 {
    let whole = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    u32::try_from(whole).unwrap_or(u32::MAX)
}

/// Whole seconds of virtual time.
pub(crate) fn floor(at: Time) -> u32 {
    u32::try_from(at.as_nanos() / 1_000_000_000).unwrap_or(u32::MAX)
}

/// The first whole second at or after a time.
pub(crate) fn ceil(at: Time) -> u32 {
    u32::try_from(at.as_nanos().div_ceil(1_000_000_000)).unwrap_or(u32::MAX)
}
