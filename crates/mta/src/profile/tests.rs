//! Profiles against what was read or measured of the MTAs they describe.

use mxdrill_net::Seed;

use super::{Profile, all};

const HOUR: f64 = 3600.0;

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
    check("sendmail", &[0, 1800, 3600, 5400], 120.0, 120.0);
    // 400 s * k^2: the last before four days is k = 29
    check("opensmtpd", &[0, 400, 1600, 3600, 6400, 10_000], 336_400.0 / HOUR, 96.0);
    // the first after seven days, k = 39, is made, and is the last
    check("qmail", &[0, 400, 1600, 3600, 6400, 10_000], 608_400.0 / HOUR, 608_400.0 / HOUR);
    check("haraka", &[0, 64, 192, 448, 960, 1984], 72.8, 72.8);
    check("stalwart", &[0, 120, 420, 1020, 1920, 3720, 7320, 14_520, 100_920], 100_920.0 / HOUR, 72.0);
    check("kumomta", &[0], 85.0, 85.0);
    check("mox", &[0], 15.9, 15.9);
    check("chasquid", &[0], 19.8, 20.0);
    check("maddy", &[0, 900, 1800, 2700, 3600, 5400], 66.0, 66.0);
    check("postal", &[0, 300, 690, 1197], 23.75, 23.75);
    check("zonemta", &[0, 300, 720, 1200, 2700, 7200, 14_400], 48.0, 48.0);
    check("dma", &[0, 300], 120.0, 121.0);
    check("exchange", &[0, 60, 120, 180, 240, 540, 840, 1140, 1440, 1740, 2040, 2640, 3240], 47.9, 48.0);
    check("james", &[0, 21_600, 43_200], 30.0, 30.0);
    check("one-try", &[0], 0.0, 0.0);
}

/// Checks that each wait lies in its range, in seconds.
fn waits(name: &str, ranges: &[(u64, u64)]) {
    for seed in 1..20 {
        let at = Profile::named(name).expect("a known profile").attempts(Seed(seed)).at;
        for (pair, (least, most)) in at.windows(2).zip(ranges) {
            let wait = (pair[1] - pair[0]).as_secs();
            assert!((*least..=*most).contains(&wait), "{name}, seed {seed}: {wait} s, not {least} to {most}");
        }
    }
}

#[test]
fn chance_moves_waits_within_its_bounds() {
    waits("kumomta", &[(1170, 1230), (2370, 2430), (4770, 4830), (9570, 9630)]);
    waits("mox", &[(450, 455), (900, 910), (1800, 1820)]);
    waits("chasquid", &[(60, 120), (300, 360), (600, 660), (1200, 1260), (1200, 1260)]);
    // 1.5 to 2.5 times the last, three hours at most
    waits("dma", &[(300, 300), (450, 750), (675, 1875), (1012, 4688), (1518, 10_800)]);
    let spread: std::collections::BTreeSet<u64> = (1..20)
        .map(|seed| Profile::named("dma").expect("known").attempts(Seed(seed)).at[2].as_secs())
        .collect();
    assert!(spread.len() > 10, "seeds draw different waits: {spread:?}");
}

#[test]
fn names_are_those_of_the_profiles() {
    for (name, make) in all() {
        assert_eq!(make().name, *name);
        assert_eq!(Profile::named(name), Some(make()));
    }
    assert_eq!(Profile::named("pigeon"), None);
}
