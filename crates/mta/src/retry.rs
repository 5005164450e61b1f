//! When a deferred recipient is tried again.

use std::time::Duration;

/// A retry schedule. Each kind is how some family of MTAs thinks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Waits between attempts, the last one repeated (Stalwart, ZoneMTA, chasquid).
    List(Vec<Duration>),
    /// The age of the message clamped to min..max, seen only at queue scans every `scan` (Postfix).
    Age {
        /// minimal_backoff_time.
        min: Duration,
        /// maximal_backoff_time.
        max: Duration,
        /// queue_run_delay.
        scan: Duration,
    },
    /// Exim's retry rules: each applies until the time since the first failure exceeds its `until`.
    Rules(Vec<RetryRule>),
    /// Attempt k comes at `unit` * k^`exponent` after the first (qmail, OpenSMTPD: 400 s, 2).
    Power {
        /// The unit.
        unit: Duration,
        /// The exponent.
        exponent: u32,
    },
    /// `first`, then each wait `percent`/100 of the last, at most `max` (KumoMTA, mox, Postal, Haraka).
    Geometric {
        /// The first wait.
        first: Duration,
        /// Growth in hundredths: 200 doubles.
        percent: u32,
        /// No wait is longer.
        max: Duration,
    },
}

/// One of Exim's retry rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryRule {
    /// `F,until,every`.
    Fixed {
        /// Applies until so long after the first failure.
        until: Duration,
        /// The interval.
        every: Duration,
    },
    /// `G,until,first,factor`: each interval `percent`/100 of the last.
    Growing {
        /// Applies until so long after the first failure.
        until: Duration,
        /// The first interval.
        first: Duration,
        /// The factor in hundredths.
        percent: u32,
    },
}
