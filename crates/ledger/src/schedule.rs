//! When a host tries again, and how long it keeps mail: what its profile promises, as bounds that checks can hold
//! it to. How the host comes to its own times is not looked at.

use std::{ops::RangeInclusive, time::Duration};

/// What a host's profile promises of its retries and its patience.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The wait after an attempt that failed.
    pub waits: Waits,
    /// What is due is seen only every so often; zero is at once.
    pub scan: Duration,
    /// Recipients of one destination that go into one attempt. What has more goes in several, which nobody can
    /// tell apart, and is not judged.
    pub recipients_max: u16,
    /// The age at which mail is given up for its age alone.
    pub life: Life,
    /// The same of mail with a null reverse-path.
    pub bounce_life: Life,
}

/// Bounds on the wait between two attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waits {
    /// After the first failed attempt, the second ...; the last goes on.
    Listed(Vec<RangeInclusive<Duration>>),
    /// The age of the message, within these bounds.
    Age(RangeInclusive<Duration>),
    /// Attempts at `unit` * k^`exponent` after arrival.
    Power {
        /// The unit.
        unit: Duration,
        /// The exponent.
        exponent: u32,
    },
    /// Somewhere between these bounds.
    Between(RangeInclusive<Duration>),
    /// Each address has its own clock, which stands on "not yet" so long after it failed (Exim). A message is
    /// tried as soon as one address may be.
    Clocks(RangeInclusive<Duration>),
}

/// The ages at which mail may be given up for its age alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// Not before.
    pub min: Duration,
    /// Not after, as long as the host is up. `None`: nothing is promised.
    pub max: Option<Duration>,
}

/// The longest dialogue of a session (RFC 5321 4.5.3.2: its timeouts add up to less than half an hour). An attempt
/// is known by its beginning, and its end is what waits count from.
pub(crate) const DIALOGUE_MAX: Duration = Duration::from_secs(1800);

/// Hosts count whole seconds, and cut off parts of them at both ends of a wait.
const ROUNDING: Duration = Duration::from_secs(2);

impl Schedule {
    /// Bounds on the wait after the `attempts`th attempt (`None`: nobody knows which it was) that began at an age;
    /// scans included, backlogs and the dialogue not.
    pub(crate) fn wait(&self, age: Duration, attempts: Option<u32>) -> (Duration, Duration) {
        let (min, max) = match &self.waits {
            Waits::Listed(waits) => listed(waits, attempts),
            Waits::Age(bounds) => (age.clamp(*bounds.start(), *bounds.end()), {
                (age + DIALOGUE_MAX).clamp(*bounds.start(), *bounds.end())
            }),
            Waits::Power { unit, exponent } => {
                (power(*unit, *exponent, age), power(*unit, *exponent, age + DIALOGUE_MAX) + DIALOGUE_MAX)
            }
            Waits::Between(bounds) | Waits::Clocks(bounds) => (*bounds.start(), *bounds.end()),
        };
        (min.saturating_sub(ROUNDING), max.saturating_add(self.scan).saturating_add(ROUNDING))
    }

    /// Whether each address has a clock of its own.
    pub(crate) fn has_clocks(&self) -> bool {
        matches!(self.waits, Waits::Clocks(_))
    }

    /// How long mail may stay.
    pub(crate) fn life(&self, null: bool) -> Life {
        if null { self.bounce_life } else { self.life }
    }
}

fn listed(waits: &[RangeInclusive<Duration>], attempts: Option<u32>) -> (Duration, Duration) {
    let place = |attempts: u32| (attempts.max(1) as usize - 1).min(waits.len().saturating_sub(1));
    let of = match attempts {
        Some(attempts) => waits.get(place(attempts)..=place(attempts)).unwrap_or_default(),
        None => waits,
    };
    let min = of.iter().map(|wait| *wait.start()).min().unwrap_or_default();
    (min, of.iter().map(|wait| *wait.end()).max().unwrap_or(Duration::MAX))
}

/// From an age to the next of unit * k^exponent after it.
fn power(unit: Duration, exponent: u32, age: Duration) -> Duration {
    let at = |k: u32| unit.saturating_mul(k.saturating_pow(exponent));
    let (mut low, mut high) = (0, 1 << 20);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if at(middle) > age { high = middle } else { low = middle }
    }
    at(high).saturating_sub(age)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(waits: Waits, age: u64, attempts: Option<u32>, min: u64, max: u64) {
        let life = Life { min: Duration::ZERO, max: None };
        let scan = Duration::from_secs(300);
        let schedule = Schedule { waits, scan, recipients_max: 50, life, bounce_life: life };
        let (found_min, found_max) = schedule.wait(Duration::from_secs(age), attempts);
        assert_eq!((found_min.as_secs(), found_max.as_secs()), (min, max), "{schedule:?}");
    }

    fn seconds(from: u64, to: u64) -> RangeInclusive<Duration> {
        Duration::from_secs(from)..=Duration::from_secs(to)
    }

    #[test]
    fn a_list_goes_by_the_number_of_the_attempt() {
        let waits = || Waits::Listed(vec![seconds(60, 66), seconds(600, 660)]);
        check(waits(), 5, Some(1), 58, 366 + 2);
        check(waits(), 5, Some(2), 598, 960 + 2);
        check(waits(), 5, Some(9), 598, 960 + 2);
        check(waits(), 5, None, 58, 960 + 2);
    }

    #[test]
    fn ages_and_powers_go_by_the_age() {
        check(Waits::Age(seconds(300, 4000)), 10, Some(1), 298, 1810 + 302);
        check(Waits::Age(seconds(300, 4000)), 86_400, Some(9), 3998, 4302);
        check(
            Waits::Power { unit: Duration::from_secs(400), exponent: 2 },
            0,
            Some(1),
            398,
            1800 + 1800 + 302,
        );
        check(
            Waits::Power { unit: Duration::from_secs(400), exponent: 2 },
            400,
            Some(2),
            1198,
            1400 + 1800 + 302,
        );
    }
}
