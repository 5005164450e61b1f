//! What a profile promises of retries and lifetimes, as bounds that the ledger can hold a host to.

use std::{ops::RangeInclusive, time::Duration};

use mxdrill_ledger::{Life, Schedule, Waits};
use mxdrill_mta::{
    Profile, Retry, RetryRule,
    profile::{Answers, Expiry, Jitter, Memory, Stages, Verdict},
};

/// The promises of a profile.
pub(super) fn of(profile: &Profile) -> Schedule {
    let waits = waits(profile);
    // the last attempt may last as long as a connect does, which for some is longer than any dialogue
    let longest = longest(&waits).saturating_add(scan(profile)).saturating_add(profile.timeouts.connect);
    let life = |lifetime| life(profile, lifetime, longest);
    Schedule {
        waits,
        scan: scan(profile),
        recipients_max: profile.recipients_max,
        life: life(profile.lifetime.mail),
        bounce_life: life(profile.lifetime.bounce),
    }
}

fn scan(profile: &Profile) -> Duration {
    profile.grid().unwrap_or_default()
}

fn waits(profile: &Profile) -> Waits {
    let drawn = |wait| drawn(wait, wait, profile.jitter);
    match &profile.retry {
        // what counts as an attempt although there was none leaves the place in a list open
        Retry::List(waits) if profile.concurrency.dead.is_some_and(|dead| dead.counts) => {
            let min = waits.iter().map(|wait| *drawn(*wait).start()).min();
            let max = waits.iter().map(|wait| *drawn(*wait).end()).max();
            Waits::Between(min.unwrap_or_default()..=max.unwrap_or(Duration::MAX))
        }
        Retry::List(waits) => Waits::Listed(waits.iter().copied().map(drawn).collect()),
        Retry::Age { min, max, .. } => Waits::Age(*min..=(*max).max(*min)),
        Retry::Rules(rules) => match profile.memory {
            Memory::Clock { .. } => Waits::Clocks(gaps(rules)),
            _ => Waits::Between(gaps(rules)),
        },
        Retry::Power { unit, exponent } => Waits::Power { unit: *unit, exponent: *exponent },
        Retry::Geometric { first, percent, max } => {
            Waits::Listed(geometric(*first, *percent, *max, profile.jitter))
        }
    }
}

/// The bounds of a wait between two others, with what chance takes away and adds.
fn drawn(min: Duration, max: Duration, jitter: Jitter) -> RangeInclusive<Duration> {
    let more = max.as_nanos() * u128::from(jitter.ppm) / 1_000_000;
    let more = Duration::from_nanos(u64::try_from(more).unwrap_or(u64::MAX));
    min.saturating_sub(jitter.before)..=max.saturating_add(more).saturating_add(jitter.after)
}

/// The shortest and the longest gap of Exim's rules; a growing one ends with its rule.
fn gaps(rules: &[RetryRule]) -> RangeInclusive<Duration> {
    let min = rules.iter().map(|rule| match *rule {
        RetryRule::Fixed { every, .. } => every,
        RetryRule::Growing { first, .. } => first,
    });
    let max = rules.iter().map(|rule| match *rule {
        RetryRule::Fixed { every, .. } => every,
        RetryRule::Growing { until, .. } => until,
    });
    min.min().unwrap_or_default()..=max.max().unwrap_or(Duration::MAX)
}

/// Each wait `percent`/100 of the last, until it grows no more. Where the schedule grows from what chance gave, its
/// bounds part; the first wait is then not chance's.
fn geometric(first: Duration, percent: u32, max: Duration, jitter: Jitter) -> Vec<RangeInclusive<Duration>> {
    let grown = |wait: Duration| {
        let millis = wait.as_millis() * u128::from(percent) / 100;
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)).min(max)
    };
    let first = first.min(max);
    let (mut low, mut high) = (first, first);
    let mut waits = vec![drawn(first, first, if jitter.carries { Jitter::NONE } else { jitter })];
    while low < max && percent > 100 && waits.len() < WAITS_MAX {
        (low, high) = (grown(low), grown(high));
        let bounds = drawn(low, high, jitter);
        if jitter.carries {
            high = *bounds.end();
        }
        waits.push(bounds);
    }
    waits
}

/// Waits listed at most.
const WAITS_MAX: usize = 250;

fn longest(waits: &Waits) -> Duration {
    match waits {
        Waits::Listed(waits) => waits.iter().map(|wait| *wait.end()).max().unwrap_or_default(),
        Waits::Age(bounds) | Waits::Between(bounds) | Waits::Clocks(bounds) => *bounds.end(),
        // the gaps of powers grow with the age: as long as the age itself is more than any of them
        Waits::Power { unit, .. } => *unit,
    }
}

/// The ages at which a profile with this lifetime gives mail up for its age.
fn life(profile: &Profile, lifetime: Option<Duration>, longest: Duration) -> Life {
    let never = Life { min: Duration::ZERO, max: None };
    if profile.attempts_max.is_some() || is_hasty(profile) {
        return never;
    }
    let clocks = profile.retry.cutoff().filter(|_| profile.lifetime.expiry == Expiry::HostCutoff);
    match (lifetime, profile.lifetime.expiry) {
        // A host may fail since long before the message came, or only since the message was as old as the rules
        // go: twice that long it may take, and any shorter time.
        (None, Expiry::HostCutoff) => {
            Life { max: clocks.map(|cutoff| (cutoff * 2).saturating_add(longest)), ..never }
        }
        (None, _) => never,
        (Some(life), Expiry::HostCutoff) => Life { max: Some(life.saturating_add(longest)), ..never },
        (Some(life), Expiry::NextTooLate) => Life { min: life.saturating_sub(longest), max: Some(life) },
        (Some(life), Expiry::OnTime) => Life { min: life, max: Some(life) },
        (Some(life), Expiry::AfterAttempt | Expiry::BeforeAttempt) => {
            Life { min: life, max: Some(life.saturating_add(longest.max(power_gap(profile, life)))) }
        }
    }
}

/// The gap of a schedule of powers at an age.
fn power_gap(profile: &Profile, age: Duration) -> Duration {
    match &profile.retry {
        Retry::Power { .. } => profile.retry.wait(1, age, Duration::ZERO),
        _ => Duration::ZERO,
    }
}

/// Whether some failure that is not final makes it give up at once.
fn is_hasty(profile: &Profile) -> bool {
    let hasty =
        |answers: &Answers| [answers.temporary, answers.lost, answers.timeout].contains(&Verdict::Bounce);
    let of = |stages: &Stages| {
        let Stages { connect, greeting, ehlo, starttls, mail, rcpt, data, dot } = stages;
        [connect, greeting, ehlo, starttls, mail, rcpt, data, dot].into_iter().any(hasty)
    };
    let routing = &profile.routing;
    of(&profile.verdicts.more)
        || of(&profile.verdicts.last)
        || [routing.no_answer, routing.better_unresolved].contains(&Verdict::Bounce)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(name: &str) -> Schedule {
        of(&Profile::named(name).expect("a profile"))
    }

    fn hours(n: u64) -> Duration {
        Duration::from_secs(n * 3600)
    }

    #[test]
    fn postfix_promises_its_backoff_and_five_days() {
        let schedule = schedule("postfix");
        assert_eq!(schedule.waits, Waits::Age(Duration::from_secs(300)..=Duration::from_secs(4000)));
        assert_eq!(schedule.scan, Duration::from_secs(300));
        assert_eq!(schedule.life.min, hours(120));
        assert_eq!(schedule.life.max, Some(hours(120) + Duration::from_secs(4300 + 30)));
    }

    #[test]
    fn exim_promises_the_gaps_of_its_rules_and_no_least_age() {
        let schedule = schedule("exim");
        assert_eq!(schedule.waits, Waits::Clocks(Duration::from_secs(900)..=hours(16)));
        assert_eq!(schedule.life.min, Duration::ZERO);
        assert_eq!(schedule.life.max, Some(hours(192) + hours(16) + Duration::from_secs(1800 + 300)));
        assert_eq!(schedule.bounce_life.max, Some(hours(48) + hours(16) + Duration::from_secs(1800 + 300)));
    }

    #[test]
    fn who_tries_once_promises_nothing_of_ages() {
        assert_eq!(schedule("one-try").life, Life { min: Duration::ZERO, max: None });
    }

    #[test]
    fn every_schedule_keeps_its_own_promise() {
        for (name, make) in mxdrill_mta::profile::all() {
            let profile = make();
            let promised = of(&profile);
            let attempts = profile.attempts(mxdrill_net::Seed(1)).at;
            let (min, max) = match &promised.waits {
                Waits::Listed(waits) => {
                    let min = waits.iter().map(|wait| *wait.start()).min().unwrap_or_default();
                    (min, longest(&promised.waits))
                }
                Waits::Age(bounds) | Waits::Between(bounds) | Waits::Clocks(bounds) => {
                    (*bounds.start(), *bounds.end())
                }
                Waits::Power { unit, .. } => (*unit, Duration::MAX),
            };
            for pair in attempts.windows(2) {
                let wait = pair[1] - pair[0];
                let most = max.saturating_add(promised.scan).saturating_add(Duration::from_secs(1));
                assert!(
                    min <= wait + Duration::from_secs(1) && wait <= most,
                    "{name}: {wait:?} after {:?}",
                    pair[0]
                );
            }
        }
    }
}
