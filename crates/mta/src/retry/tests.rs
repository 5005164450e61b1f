//! Each kind of schedule by itself, and the laws that hold for all.

use std::time::Duration;

use proptest::prelude::*;

use super::{Retry, RetryRule};

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The first waits of a schedule whose attempts take no time.
fn check(retry: &Retry, expected: &[u64]) {
    let (mut age, mut last, mut waits) = (Duration::ZERO, Duration::ZERO, Vec::new());
    for attempt in 1..=expected.len() as u32 {
        last = retry.wait(attempt, age, last);
        age += last;
        waits.push(last.as_secs());
    }
    assert_eq!(waits, expected);
}

#[test]
fn list_repeats_its_last() {
    check(&Retry::List(vec![secs(120), secs(300), secs(600)]), &[120, 300, 600, 600]);
}

#[test]
fn age_is_clamped() {
    let retry = Retry::Age { min: secs(300), max: secs(4000), scan: secs(300) };
    check(&retry, &[300, 300, 600, 1200, 2400, 4000, 4000]);
}

#[test]
fn rules_of_exim() {
    let hours = |n: u64| secs(n * 3600);
    let rules = vec![
        RetryRule::Fixed { until: hours(2), every: secs(900) },
        RetryRule::Growing { until: hours(16), first: hours(1), percent: 150 },
        RetryRule::Fixed { until: hours(96), every: hours(6) },
    ];
    let quarter = 900;
    check(
        &Retry::Rules(rules),
        // the rule applies through its very end; the first hour comes after it, then each gap is half as long again
        &[
            quarter, quarter, quarter, quarter, quarter, quarter, quarter, quarter, quarter, 3600, 5400,
            8100, 12_150, 18_225, 27_337, 21_600,
        ],
    );
}

#[test]
fn power_counts_from_the_first_attempt() {
    let retry = Retry::Power { unit: secs(400), exponent: 2 };
    check(&retry, &[400, 1200, 2000, 2800]);
    // an attempt that came late goes on with the next square, not with the one it missed
    assert_eq!(retry.wait(1, secs(1700), secs(400)), secs(3600 - 1700));
}

#[test]
fn geometric_stops_growing() {
    check(
        &Retry::Geometric { first: secs(1200), percent: 200, max: secs(5000) },
        &[1200, 2400, 4800, 5000, 5000],
    );
    check(&Retry::Geometric { first: secs(300), percent: 130, max: secs(86_400) }, &[300, 390, 507, 659]);
}

fn any_retry() -> impl Strategy<Value = Retry> {
    let short = (1u64..100_000).prop_map(secs);
    prop_oneof![
        prop::collection::vec(short.clone(), 1..6).prop_map(Retry::List),
        (short.clone(), short.clone(), short.clone()).prop_map(|(min, max, scan)| Retry::Age {
            min,
            max: max.max(min),
            scan
        }),
        (1u64..5000, 1u32..4).prop_map(|(unit, exponent)| Retry::Power { unit: secs(unit), exponent }),
        (short.clone(), 100u32..400, short).prop_map(|(first, percent, max)| Retry::Geometric {
            first,
            percent,
            max: max.max(first)
        }),
    ]
}

proptest! {
    #[test]
    fn every_wait_is_positive_and_finite(
        retry in any_retry(), attempts in 0u32..10_000, age in 0u64..10_000_000, last in 0u64..1_000_000,
    ) {
        let wait = retry.wait(attempts, secs(age), secs(last));
        prop_assert!(wait > Duration::ZERO);
        prop_assert!(wait <= secs(400 * 86_400 * 100));
    }

    #[test]
    fn next_power_is_the_first_after_now(unit in 1u64..5000, exponent in 1u32..4, age in 0u64..10_000_000) {
        let next = age + Retry::Power { unit: secs(unit), exponent }.wait(1, secs(age), secs(0)).as_secs();
        let points = || (1u64..).map(|k| unit * k.pow(exponent));
        prop_assert_eq!(points().find(|at| *at > age), Some(next));
    }
}
