//! The rows of the catalogue of failures, and the scenarios that play them: a row without one is seen.

use std::collections::BTreeSet;

use mxdrill::scenario::catalogue;

const ROWS: [(u8, &[&str]); 52] = [
    (1, &["primary-refused", "application-fails-over"]),
    (2, &["primary-blackhole", "primary-silent", "primary-unreachable"]),
    (3, &["primary-flapping"]),
    (4, &["both-down", "application-both-down"]),
    (5, &["backup-primary-partition"]),
    (6, &["ipv6-half-dead"]),
    (7, &["tertiary-mx", "tertiary-mx-cap"]),
    (8, &["greet-421"]),
    (9, &["greet-554"]),
    (10, &["mail-452"]),
    (11, &["rcpt-4xx-one-of-n"]),
    (12, &["half-broken-550"]),
    (13, &["drop-mid-data"]),
    (14, &["drop-after-dot"]),
    (15, &["slow-final-dot", "slow-final-dot-late"]),
    (16, &["tarpit"]),
    (17, &["primary-crash-in-data"]),
    (18, &["stampede"]),
    (19, &["primary-rate-limits"]),
    (20, &["primary-greylists", "primary-spf-rejects", "primary-spf-exempts-backup"]),
    (21, &["cutoff-bounce", "cutoff-bounce-postfix"]),
    (22, &["five-days", "outage-1h", "outage-4h", "outage-24h", "outage-72h", "outage-119h"]),
    (23, &["last-try-vs-lifetime"]),
    (24, &["backup-disk-full"]),
    (25, &["backup-kill-after-250", "backup-killed-full"]),
    (26, &["outage-over-backup-lifetime"]),
    (27, &["backup-must-not-relay-down"]),
    (28, &["backup-unknown-user"]),
    (29, &["spam-to-worst-mx", "spam-through-backup"]),
    (30, &["size-agrees", "size-mismatch"]),
    (31, &["mx-servfail", "mx-timeout"]),
    (32, &["mx-nxdomain"]),
    (33, &["mx-none-a-exists"]),
    (34, &["dangling-mx", "dangling-mx-all"]),
    (35, &["bad-mx-target"]),
    (36, &["null-mx", "null-mx-beside-mx"]),
    (37, &["equal-preference", "equal-preference-relay"]),
    (38, &["mx-changed-mid-outage"]),
    (39, &["sts-omits-backup", "backup-cert-mismatch", "primary-cert-expired"]),
    (40, &["tlsa-servfail", "starttls-stripped"]),
    (41, &["backup-refuses-relay"]),
    (42, &["primary-removed-from-dns", "primary-address-removed"]),
    (43, &["priorities-swapped"]),
    (44, &["recovery-550", "recovery-451"]),
    (45, &["backup-stale-recipients"]),
    (46, &["backup-undersized", "backup-few-sessions"]),
    (47, &["dns-falls-with-primary"]),
    (48, &["two-domains"]),
    (49, &["mx-sandwich"]),
    (50, &["backup-behind-nat", "backup-knows-its-nat"]),
    (51, &["extensions-differ", "extensions-elsewhere"]),
    (52, &["monitoring-mode-split"]),
];

#[test]
fn every_row_has_a_scenario_and_every_scenario_a_row() {
    let played: BTreeSet<&str> = catalogue::all().map(|entry| entry.name()).collect();
    let listed: BTreeSet<&str> = ROWS.iter().flat_map(|(_, files)| *files).copied().collect();
    let missing: Vec<_> = listed.difference(&played).collect();
    let unlisted: Vec<_> = played.difference(&listed).collect();
    assert!(missing.is_empty() && unlisted.is_empty(), "no file: {missing:?}; no row: {unlisted:?}");
    for (place, (row, files)) in ROWS.iter().enumerate() {
        assert_eq!(usize::from(*row), place + 1);
        assert!(!files.is_empty(), "row {row}");
    }
}
