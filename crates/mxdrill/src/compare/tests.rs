//! Comparisons against numbers worked out by hand, from the schedules alone.

use std::time::Duration;

use super::{Lineup, Row, compare, variants};
use crate::{
    Verdict,
    scenario::{Scenario, catalogue},
};

fn scenario(name: &str) -> Scenario {
    catalogue::named(name)[0].scenario().expect("a scenario of the catalogue")
}

fn backup(name: &str, profile: &str) -> Row {
    let lineup = Lineup { backup: Lineup::profiles(profile).expect("a profile"), ..Lineup::default() };
    compare(&scenario(name), &lineup, None).expect("the scenario has a backup").remove(0)
}

/// What a backup came to in the outage of 119 hours: mail `i` of 240 comes at 10 s + i * 1785 s, so at the repair
/// (428,400 s) it is 428,390 s - i * 1785 s old, and waits for the first attempt of its schedule from then on.
#[track_caller]
fn drained(profile: &str, held: u64, delivered: u64, percentiles: [u64; 3], within: u64) {
    let row = backup("outage-119h", profile);
    let outcome = row.played.as_ref().expect("played");
    let counts = &outcome.counts;
    assert_eq!((outcome.held_at_repair, outcome.drained.n), (held, delivered), "{profile}");
    assert_eq!(
        (counts.sent, counts.delivered, counts.bounced),
        (240, delivered, 240 - delivered),
        "{profile}"
    );
    assert_eq!((counts.lost, counts.duplicated), (0, 0), "{profile}");
    let spread = outcome.drained;
    for (found, expected) in [spread.p50, spread.p95, spread.max].into_iter().zip(percentiles) {
        let found = found.expect("some were delivered");
        assert!(
            found.abs_diff(Duration::from_secs(expected)) <= Duration::from_secs(within),
            "{profile}: {found:?}, not {expected} s"
        );
    }
}

#[test]
fn drain_of_opensmtpd_by_hand() {
    // Attempts at 400 s * k^2; the last before four days is k = 29, 336,400 s. Older at the repair: i <= 51, so 52
    // are lost, 47 of them already (older than 345,600 s: i <= 46). Of the others the worst off is i = 64, 314,150 s
    // old, which has just missed k = 28 (313,600 s): it waits 22,250 s.
    drained("opensmtpd", 240 - 47, 240 - 52, [6725, 17_960, 22_250], 5);
}

#[test]
fn drain_of_kumomta_by_hand() {
    // Attempts at 20 min * (2^k - 1); the last is k = 8, 306,000 s (85 h), for the next would come after seven days.
    // Older at the repair: i <= 68, so 69 are lost, at once with that attempt. i = 154, 153,500 s old, has just
    // missed k = 7 (152,400 s), and waits 152,500 s. Chance moves each wait by half a minute.
    drained("kumomta", 240 - 69, 240 - 69, [38_260, 138_220, 152_500], 200);
}

#[test]
fn drain_of_stalwart_by_hand() {
    // Attempts at 0, 2, 7, 17, 32, 62, 122 and 242 min and at 100,920 s, then none before it is over at three days
    // (259,200 s). Younger than 100,920 s at the repair: i >= 184, so 56 are delivered; i >= 95 were still held.
    // Each of the eight waits begins in a part of a second and ends at a whole one.
    drained("stalwart", 240 - 95, 240 - 184, [34_885, 81_295, 84_865], 8 + 5);
}

#[test]
fn drain_of_postfix_by_hand() {
    // Nothing is older than five days. Mail older than 4000 s is looked at by a scan (every 300 s) and then again
    // by the first scan 4000 s later, which is the 14th: 4200 s. The repair is a scan itself, with attempts too
    // early to see it; mail comes every 1785 s, so the phases are spread over the whole of it.
    drained("postfix", 240, 240, [2100, 4200, 4200], 300);
}

#[test]
fn loss_share_by_hand() {
    // one mail in 240 is 0.42 %: 69 of 240, and 184 of 240
    assert_eq!(backup("outage-119h", "kumomta").missed_basis_points(), 2875);
    assert_eq!(backup("outage-119h", "stalwart").missed_basis_points(), 7666);
    assert_eq!(backup("outage-24h", "stalwart").missed_basis_points(), 0);
}

#[test]
fn a_relay_that_does_not_find_itself_gets_a_route() {
    let note = "mx2: kumomta does not find itself among the MX, so it has a route to mx1.example.test";
    assert_eq!(backup("outage-1h", "kumomta").notes, [note]);
    assert_eq!(backup("outage-1h", "postfix").notes, [] as [&str; 0]);
}

#[test]
fn every_pair_stands_in_the_order_of_its_lists() {
    let lineup = Lineup {
        sender: Lineup::profiles("postfix, exim").expect("profiles"),
        backup: Lineup::profiles("qmail,postfix,dma").expect("profiles"),
        primary: Vec::new(),
    };
    let all = variants(&scenario("outage-1h"), &lineup).expect("its hosts are there");
    let pairs: Vec<String> =
        all.iter().map(|variant| format!("{} {}", variant.cast.sender, variant.cast.backup)).collect();
    assert_eq!(
        pairs,
        ["postfix qmail", "postfix postfix", "postfix dma", "exim qmail", "exim postfix", "exim dma"]
    );
    assert_eq!(all[0].cast.primary, "rfc5321");
    assert_eq!(Lineup::profiles("all").expect("all").len(), mxdrill_mta::profile::all().len());
    assert!(Lineup::profiles("postfix,pigeon").is_err());
}

const STORY: &str = r#"
title = "A backup with a schedule of its own"
[zone]
text = """
$ORIGIN example.test.
@    MX 10 mx1
@    MX 20 mx2
mx1  A  192.0.2.10
mx2  A  192.0.2.20
"""
[host.mx1]
delivers = ["example.test"]
[host.mx2]
relays = ["example.test"]
like   = "postfix"
retry  = { age = { min = "1m", max = "2m", scan = "1m" } }
[[step]]
at    = "0s"
fault = { host = "primary", connect = "refuse", for = "1h" }
[[step]]
at   = "20m"
send = { count = 3 }
"#;

#[test]
fn a_schedule_that_does_not_fit_is_dropped_and_named() {
    let scenario =
        crate::scenario::Scenario::parse("story.toml", STORY, &crate::scenario::NoFiles).expect("right");
    let lineup = Lineup {
        sender: Lineup::profiles("haraka").expect("a profile"),
        backup: Lineup::profiles("postfix,qmail").expect("profiles"),
        primary: Vec::new(),
    };
    let rows = compare(&scenario, &lineup, Some(7)).expect("its hosts are there");
    assert_eq!(rows[0].notes, Vec::<String>::new());
    assert_eq!(rows[1].notes, ["mx2: its `retry.age` does not fit qmail, dropped"]);
    for row in &rows {
        let outcome = row.played.as_ref().expect("played");
        assert_eq!((outcome.verdict, outcome.counts.delivered, outcome.seed), (Verdict::Pass, 3, 7));
        assert_eq!(row.cast.sender, "haraka", "the implicit sender has a profile, too");
    }
    let drains: Vec<Option<Duration>> =
        rows.iter().map(|row| row.played.as_ref().unwrap().drained.max).collect();
    assert!(drains[0] <= Some(Duration::from_secs(301)), "its own schedule, where that fits: {drains:?}");
    assert!(drains[1] > Some(Duration::from_secs(1000)), "qmail's, where it does not: {drains:?}");
}

#[test]
fn who_fails_over_and_who_returns_a_554() {
    let lineup = Lineup {
        sender: Lineup::profiles("postfix,haraka,mox,james").expect("profiles"),
        ..Lineup::default()
    };
    let rows = compare(&scenario("greet-554"), &lineup, None).expect("its hosts are there");
    let found: Vec<(String, bool, bool)> = rows
        .iter()
        .map(|row| {
            let outcome = row.played.as_ref().expect("played");
            (row.cast.sender.clone(), outcome.failover.n > 0, outcome.counts.bounced > 0)
        })
        .collect();
    let row = |name: &str, fails_over, bounces| (name.to_owned(), fails_over, bounces);
    assert_eq!(
        found,
        [
            row("postfix", true, false),
            row("haraka", false, true),
            row("mox", false, true),
            row("james", false, false)
        ]
    );
}
