//! When a deferred recipient is tried again.

use std::time::Duration;

#[cfg(test)]
mod tests;

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

impl Retry {
    /// The wait after a failed attempt: the `attempts`th (from 1) of a message now `age` old, whose last wait
    /// was `last` (zero after the first attempt). Whole seconds and integers, so that it repeats everywhere.
    pub fn wait(&self, attempts: u32, age: Duration, last: Duration) -> Duration {
        match self {
            Retry::List(waits) => listed(waits, attempts),
            Retry::Age { min, max, .. } => age.max(*min).min(*max),
            Retry::Rules(rules) => gap(rules, age, last),
            Retry::Power { unit, exponent } => power(*unit, *exponent, age),
            Retry::Geometric { first, percent, max } => geometric(*first, *percent, *max, attempts),
        }
    }

    /// The word of scenario files for its kind.
    pub fn word(&self) -> &'static str {
        match self {
            Retry::List(_) => "list",
            Retry::Age { .. } => "age",
            Retry::Rules(_) => "rules",
            Retry::Power { .. } => "power",
            Retry::Geometric { .. } => "geometric",
        }
    }

    /// How long the schedule itself goes on: the end of the last of Exim's rules. `None`: for ever.
    pub fn cutoff(&self) -> Option<Duration> {
        match self {
            Retry::Rules(rules) => rules.last().map(RetryRule::until),
            _ => None,
        }
    }
}

impl RetryRule {
    /// When the rule ends.
    pub fn until(&self) -> Duration {
        match self {
            RetryRule::Fixed { until, .. } | RetryRule::Growing { until, .. } => *until,
        }
    }

    /// Exim, retry.c: `G` takes the last gap times the factor, but at least its own first interval.
    fn gap(&self, last: Duration) -> Duration {
        match self {
            RetryRule::Fixed { every, .. } => *every,
            RetryRule::Growing { first, .. } if last < *first => *first,
            RetryRule::Growing { percent, .. } => scaled(last, *percent),
        }
    }
}

/// Exim's `retry_interval_max`.
const GAP_MAX: Duration = Duration::from_secs(24 * 3600);

/// The gap by the first rule that still applies; past the last, that one goes on (retry.c, retry_update).
pub(crate) fn gap(rules: &[RetryRule], failing: Duration, last: Duration) -> Duration {
    let rule = rules.iter().find(|rule| failing <= rule.until()).or(rules.last());
    rule.map_or(GAP_MAX, |rule| rule.gap(last).min(GAP_MAX))
}

fn listed(waits: &[Duration], attempts: u32) -> Duration {
    let index = (attempts.max(1) - 1) as usize;
    waits.get(index).or(waits.last()).copied().unwrap_or_default()
}

/// The next of unit * k^exponent after `age`, seen from `age`.
fn power(unit: Duration, exponent: u32, age: Duration) -> Duration {
    let at = |k: u64| unit.as_secs().saturating_mul(k.saturating_pow(exponent));
    let mut k = root(age.as_secs() / unit.as_secs().max(1), exponent);
    while at(k) <= age.as_secs() && at(k) < u64::MAX {
        k += 1;
    }
    Duration::from_secs(at(k)).saturating_sub(age)
}

/// The largest k with k^exponent <= n, at least 1.
fn root(n: u64, exponent: u32) -> u64 {
    let (mut low, mut high) = (1, n.max(1));
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if middle.saturating_pow(exponent) <= n { low = middle } else { high = middle - 1 }
    }
    low
}

fn geometric(first: Duration, percent: u32, max: Duration, attempts: u32) -> Duration {
    let mut wait = first;
    for _ in 1..attempts {
        if wait >= max || percent <= 100 {
            break;
        }
        wait = scaled(wait, percent);
    }
    wait.min(max)
}

/// A duration times percent/100, in whole milliseconds.
pub(crate) fn scaled(duration: Duration, percent: u32) -> Duration {
    let millis = duration.as_millis() * u128::from(percent) / 100;
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}
