//! Virtual time, and the wall time it stands for.

use std::{
    fmt,
    ops::{Add, Sub},
    time::Duration,
};

/// Nanoseconds since the drill began. Never read from a clock: it is handed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The beginning of the drill.
    pub const ZERO: Time = Time(0);
    /// Later than any drill lasts (584 years).
    pub const MAX: Time = Time(u64::MAX);

    /// The time `nanos` nanoseconds after the beginning.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// The time `secs` seconds after the beginning.
    pub const fn from_secs(secs: u64) -> Time {
        Time(secs * 1_000_000_000)
    }

    /// Nanoseconds since the beginning.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the beginning, for reports.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// How long after `earlier` this is; zero if it is not after.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Since the beginning, as a duration.
    pub const fn elapsed(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

impl From<Duration> for Time {
    fn from(since_start: Duration) -> Time {
        Time::ZERO + since_start
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    /// Saturates at [`Time::MAX`].
    fn add(self, rhs: Duration) -> Time {
        let nanos = rhs.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(rhs.subsec_nanos()));
        Time(self.0.saturating_add(nanos))
    }
}

impl Sub for Time {
    type Output = Duration;
    /// Saturates at zero.
    fn sub(self, rhs: Time) -> Duration {
        self.since(rhs)
    }
}

impl fmt::Display for Time {
    /// Hours and minutes, as a time line shows it: `2:05`; seconds and less where they are not zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0 / 1_000_000_000;
        write!(f, "{}:{:02}", secs / 3600, secs / 60 % 60)?;
        let millis = self.0 / 1_000_000 % 60_000;
        match (millis / 1000, millis % 1000) {
            (0, 0) => Ok(()),
            (s, 0) => write!(f, ":{s:02}"),
            (s, ms) => write!(f, ":{s:02}.{ms:03}"),
        }
    }
}

/// The wall time at which a drill's virtual time is zero. In `sim` it is fixed, so that Date fields repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(pub jiff::Timestamp);

impl Default for Epoch {
    /// 2030-01-01T00:00:00Z.
    fn default() -> Self {
        Epoch(jiff::Timestamp::constant(1_893_456_000, 0))
    }
}

impl Epoch {
    /// The wall time of a virtual time.
    pub fn wall(self, at: Time) -> jiff::Timestamp {
        let nanos = i128::from(at.as_nanos()) + self.0.as_nanosecond();
        jiff::Timestamp::from_nanosecond(nanos).unwrap_or(jiff::Timestamp::MAX)
    }
}
