//! Each rule has a node that breaks it: the drill must say so, by the right rule and with the recipients concerned.

use mxdrill::{
    Outcome, Verdict, World, Wrap, report,
    scenario::{NoFiles, Scenario, catalogue},
};

use crate::broken::{
    Clock, EndsWithTheLink, FalseSynced, Forgets, Ignores, Misreads, NoMx, appends_at_least, final_at_once,
    never_connects, swallows_append,
};

/// A primary, two backups, and `app`, which sends. The domain has an address of its own beside its MX records.
const HOSTS: &str = r#"
title = "A node is broken on purpose"
[zone]
text = """
$ORIGIN example.test.
@    MX 10 mx1
@    MX 20 mx2
@    MX 30 mx3
@    A  192.0.2.10
mx1  A  192.0.2.10
mx2  A  192.0.2.20
mx3  A  192.0.2.30
"""
[host.mx1]
delivers = ["example.test"]
[host.mx2]
relays = ["example.test"]
like   = "postfix"
[host.mx3]
relays = ["example.test"]
like   = "postfix"
[host.app]
like = "postfix"
"#;

/// Ten messages wait on the backup, for hours, while the primary refuses.
const OUTAGE: &str = r#"
[[step]]
at    = "0s"
fault = { host = "primary", connect = "refuse", for = "2h" }
[[step]]
at   = "1m"
send = { from = "alice@sender.test", to = "user@example.test", count = 10, over = "5m" }
"#;

/// The backup loses power while it holds the mail.
const CRASH: &str = r#"
[[step]]
at    = "1h"
fault = { host = "backup", crash = true, for = "10m" }
"#;

/// The backup loses power long after it has handed everything on.
const LATE_CRASH: &str = r#"
[[step]]
at    = "5h"
fault = { host = "backup", crash = true, for = "10m" }
"#;

/// The primary has a bad quarter of an hour, in which it says 451 to every recipient.
const GREY: &str = r#"
[[step]]
at    = "0s"
fault = { host = "primary", stage = "rcpt", reply = "451 4.3.0 later", for = "15m" }
[[step]]
at    = "0s"
fault = { host = "backup", stage = "rcpt", reply = "451 4.3.0 later", for = "15m", may-miss = true }
[[step]]
at    = "0s"
fault = { host = "mx3", stage = "rcpt", reply = "451 4.3.0 later", for = "15m", may-miss = true }
"#;

/// The way to the primary breaks each time in the middle of a message.
const CUT: &str = r#"
[[step]]
at    = "0s"
fault = { link = "app>mx1", cut-after = 20000, for = "1h" }
[[step]]
at   = "1m"
send = { from = "alice@sender.test", to = "user@example.test", count = 3, size = "100 kB" }
"#;

/// Three messages, and nothing is wrong.
const PLAIN: &str = r#"
[[step]]
at   = "1m"
send = { from = "alice@sender.test", to = "user@example.test", count = 3 }
"#;

fn scenario(steps: &[&str]) -> String {
    [&[HOSTS], steps].concat().concat()
}

fn play(text: &str, world: World) -> Outcome {
    let scenario = Scenario::parse("mutation", text, &NoFiles).expect("the scenario is sound");
    scenario.play(&world).expect("it can be played")
}

/// The sound twin passes; with `host` wrapped the drill fails by `rule`, which names so many recipients.
fn check<W: Wrap + 'static>(
    steps: &[&str],
    host: &str,
    make: impl Fn() -> W + Send + Sync + 'static,
    rule: &str,
    recipients: usize,
) {
    let text = scenario(steps);
    play(&text, World::sim(1)).assert_ok();
    let outcome = play(&text, World::sim(1).wrap(host, make));
    let story = report::text(&outcome, false);
    assert_eq!(outcome.verdict, Verdict::Fail, "{story}");
    let violation = outcome.violations.iter().find(|violation| violation.rule == rule);
    let violation = violation.unwrap_or_else(|| panic!("no `{rule}` in\n{story}"));
    assert_eq!(violation.recipients.iter().count(), recipients, "{story}");
}

#[test]
fn a_false_synced_loses_what_a_crash_catches() {
    // with this seed the disk keeps a torn part of what was not synced: eight records whole, and part of the ninth
    check(&[OUTAGE, CRASH], "mx2", || FalseSynced, "lost", 2);
}

#[test]
fn a_swallowed_append_loses_what_a_crash_catches() {
    check(&[OUTAGE, CRASH], "mx2", || appends_at_least(usize::MAX), "lost", 10);
}

#[test]
fn records_dropped_at_restart_are_lost() {
    check(&[OUTAGE, CRASH], "mx2", || Forgets, "lost", 10);
}

#[test]
fn one_message_dropped_is_named() {
    check(&[OUTAGE, CRASH], "mx2", || swallows_append(4), "lost", 1);
}

#[test]
fn what_was_delivered_and_not_written_down_comes_again() {
    check(&[OUTAGE, LATE_CRASH], "mx2", || appends_at_least(200), "duplicated", 10);
}

#[test]
fn a_worse_mx_without_reason_is_seen() {
    check(&[PLAIN], "app", || Ignores("192.0.2.10"), "mx-order", 3);
}

/// It looks up its own name and finds the address of another: it does not know itself among the MX.
fn does_not_know_itself() -> Misreads {
    Misreads { this: &[192, 0, 2, 20], as_that: &[192, 0, 2, 30] }
}

#[test]
fn a_backup_that_passes_mail_to_a_worse_one_is_seen() {
    check(&[OUTAGE], "mx2", does_not_know_itself, "relayed-down", 10);
}

#[test]
fn two_backups_that_play_ball_are_seen() {
    check(&[OUTAGE], "mx2", does_not_know_itself, "loop", 10);
}

#[test]
fn a_bounce_on_a_temporary_reply_is_seen() {
    check(&[GREY, PLAIN], "app", final_at_once, "bounced", 3);
}

#[test]
fn a_bounce_to_somebody_who_sent_nothing_is_seen() {
    let forged = PLAIN.replace("count = 3", "count = 3, forged = true");
    check(&[GREY, &forged], "app", final_at_once, "backscatter", 3);
}

#[test]
fn mail_from_nobody_that_is_dropped_is_seen() {
    let null = PLAIN.replace("alice@sender.test", "<>");
    check(&[GREY, &null], "app", final_at_once, "discarded", 3);
}

#[test]
fn half_a_message_is_seen() {
    check(&[CUT], "mx1", || EndsWithTheLink, "half-message", 3);
}

#[test]
fn another_message_is_seen() {
    let jumps = || Misreads { this: b"jumps", as_that: b"limps" };
    check(&[PLAIN], "mx1", jumps, "altered", 3);
}

#[test]
fn another_header_is_seen() {
    check(&[PLAIN], "mx1", || Misreads { this: b"Subject: drill", as_that: b"Subject: spill" }, "altered", 3);
}

#[test]
fn the_address_record_beside_mx_records_is_seen() {
    check(&[PLAIN], "app", || NoMx, "address-record", 3);
}

#[test]
fn a_host_in_a_hurry_is_seen() {
    // all at once, as new mail brings waiting mail forward; two of ten are put off whenever they are due
    let at_once = OUTAGE.replace(", over = \"5m\"", "");
    check(&[&at_once], "mx2", || Clock { fast: 5, slow: 1 }, "retry-early", 8);
}

#[test]
fn a_host_that_dawdles_is_seen() {
    let long = OUTAGE.replace("\"2h\"", "\"12h\"");
    check(&[&long], "mx2", || Clock { fast: 1, slow: 8 }, "retry-late", 10);
}

#[test]
fn mail_given_up_too_early_is_seen() {
    let long = OUTAGE.replace("\"2h\"", "\"3d\"");
    check(&[&long], "mx2", || Clock { fast: 5, slow: 1 }, "lifetime", 10);
}

#[test]
fn a_queue_that_never_drains_is_seen() {
    let ends = format!("end = \"1d\"\n{}", scenario(&[OUTAGE]).trim_start());
    play(&ends, World::sim(1)).assert_ok();
    let outcome = play(&ends, World::sim(1).wrap("mx2", never_connects));
    let story = report::text(&outcome, false);
    let found = outcome.violations.iter().find(|violation| violation.rule == "queued-at-end");
    assert_eq!(found.map(|found| found.recipients.iter().count()), Some(10), "{story}");
}

/// A scenario of the catalogue fails by `clear-text` when its hosts no longer keep to the policy that `key` switches
/// on: the violation that says `what` names so many recipients.
fn ignores_policy(name: &str, key: &str, what: &str, recipients: usize) {
    let entry = catalogue::all().find(|entry| entry.name() == name).expect("it is in the catalogue");
    let sound = entry.scenario().expect("the catalogue is sound");
    sound.play(&World::sim(1)).expect("it can be played").assert_ok();
    let text = sound.to_toml();
    assert!(text.contains(&format!("{key} = true")), "{text}");
    let changed = text.replace(&format!("{key} = true"), &format!("{key} = false"));
    let outcome = play(&changed, World::sim(1));
    let story = report::text(&outcome, false);
    let mut found = outcome.violations.iter().filter(|violation| violation.rule == "clear-text");
    let found = found.find(|violation| violation.text.contains(what));
    let found = found.unwrap_or_else(|| panic!("no `clear-text` of that kind in\n{story}"));
    assert_eq!(outcome.verdict, Verdict::Fail, "{story}");
    assert_eq!(found.recipients.iter().count(), recipients, "{story}");
}

#[test]
fn clear_text_is_seen_where_starttls_is_stripped() {
    ignores_policy("starttls-stripped", "dane", "app sent mail to mx1.example.test in clear text", 20);
}

#[test]
fn an_mx_whose_tlsa_records_are_not_looked_up_is_seen() {
    ignores_policy("tlsa-servfail", "dane", "app sent mail to mx1.example.test under TLS", 50);
}

#[test]
fn a_backup_that_the_policy_does_not_name_is_seen() {
    ignores_policy(
        "sts-omits-backup",
        "mta-sts",
        "mx2.example.test, which the MTA-STS policy does not name",
        40,
    );
}

#[test]
fn a_certificate_for_another_name_is_seen() {
    ignores_policy("backup-cert-mismatch", "mta-sts", "app sent mail to mx2.example.test under TLS", 40);
}

#[test]
fn an_expired_certificate_is_seen() {
    ignores_policy("primary-cert-expired", "mta-sts", "app sent mail to mx1.example.test under TLS", 40);
}
