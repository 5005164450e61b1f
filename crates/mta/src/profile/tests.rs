//! Profiles against what was read or measured of the MTAs they describe.

use mxdrill_net::Seed;

use super::{Profile, all};

/// Checks the times of the first attempts, in seconds, the last attempt and the end, in hours.
fn check(name: &str, first: &[u64], last: f64, end: f64) {
    let attempts = Profile::named(name).expect("a known profile").attempts(Seed(1));
    let seconds: Vec<u64> = attempts.at.iter().map(|at| at.as_secs()).collect();
    assert_eq!(seconds[..first.len()], *first, "{name}");
    let hours = |secs: u64| secs as f64 / 3600.0;
    let (last_at, ended) =
        (hours(seconds[seconds.len() - 1]), hours(attempts.given_up.expect("an end").as_secs()));
    assert!(
        (last_at - last).abs() < 0.06 * last + 0.01,
        "{name}: last attempt after {last_at} h, not {last} h"
    );
    assert!((ended - end).abs() < 0.06 * end + 0.01, "{name}: given up after {ended} h, not {end} h");
}

#[test]
fn schedules_last_as_long_as_those_of_their_mtas() {
    check("rfc5321", &[0, 1800, 3600], 120.0, 120.0);
    check("postfix", &[0, 300, 600, 1200, 2400, 4800, 9000], 120.0, 120.0);
    check("exim", &[0, 1800, 3600, 5400, 7200], 96.0, 96.0);
    check("one-try", &[0], 0.0, 0.0);
}

#[test]
fn names_are_those_of_the_profiles() {
    for (name, make) in all() {
        assert_eq!(make().name, *name);
        assert_eq!(Profile::named(name), Some(make()));
    }
    assert_eq!(Profile::named("pigeon"), None);
}
