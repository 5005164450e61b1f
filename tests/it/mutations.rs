//! Nodes broken on purpose: the drill must say so, by the right rule and with the recipients concerned. A wrapper
//! stands between a sound node and its driver; the node knows nothing of it.

use mxdrill::{
    Outcome, Verdict, World, Wrap, report,
    scenario::{NoFiles, Scenario, catalogue},
};
use mxdrill_ledger::Fact;
use mxdrill_net::{Command, Commands, ConnectError, Event, Process, Time, Token};

/// Ten messages wait on the backup; it loses power for ten minutes; the primary comes back.
const OUTAGE: &str = r#"
title = "The backup loses power while it holds the mail"
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
[host.app]
like = "postfix"
[[step]]
at    = "0s"
fault = { host = "primary", connect = "refuse", for = "2h" }
[[step]]
at   = "1m"
send = { from = "alice@sender.test", to = "user@example.test", count = 10, over = "5m" }
[[step]]
at    = "1h"
fault = { host = "backup", crash = true, for = "10m" }
"#;

/// The primary has a bad quarter of an hour, in which it says 451 to every recipient.
const GREY: &str = r#"
title = "The primary says 451 for a while, and has no backup"
[zone]
text = """
$ORIGIN example.test.
@    MX 10 mx1
mx1  A  192.0.2.10
"""
[host.mx1]
delivers = ["example.test"]
[host.app]
like = "postfix"
[[step]]
at    = "0s"
fault = { host = "primary", stage = "rcpt", reply = "451 4.3.0 later", for = "15m" }
[[step]]
at   = "1m"
send = { from = "alice@sender.test", to = "user@example.test", count = 3 }
"#;

fn play(text: &str, world: World) -> Outcome {
    let scenario = Scenario::parse("mutation", text, &NoFiles).expect("the scenario is sound");
    scenario.play(&world).expect("it can be played")
}

/// The sound twin passes; with `host` wrapped the drill fails by `rule`, which names so many recipients.
fn check<W: Wrap + 'static>(
    text: &str,
    host: &str,
    make: impl Fn() -> W + Send + Sync + 'static,
    rule: &str,
    recipients: usize,
) {
    play(text, World::sim(1)).assert_ok();
    let outcome = play(text, World::sim(1).wrap(host, make));
    let story = report::text(&outcome, false);
    assert_eq!(outcome.verdict, Verdict::Fail, "{story}");
    let violation = outcome.violations.iter().find(|violation| violation.rule == rule);
    let violation = violation.unwrap_or_else(|| panic!("no `{rule}` in\n{story}"));
    assert_eq!(violation.recipients.iter().count(), recipients, "{story}");
}

/// Passes every command on that `keep` approves of.
fn filtered(out: &mut Commands<Fact>, mut keep: impl FnMut(&Command<Fact>) -> bool) {
    for command in out.take() {
        if keep(&command) {
            out.push(command);
        }
    }
}

/// Tells its node that everything is stable, and asks the disk for nothing.
struct FalseSynced;

impl Wrap for FalseSynced {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        inner.handle(now, event, out);
        loop {
            let mut tokens: Vec<Token> = Vec::new();
            filtered(out, |command| match command {
                Command::Sync(token) => {
                    tokens.push(*token);
                    false
                }
                _ => true,
            });
            if tokens.is_empty() {
                return;
            }
            tokens.into_iter().for_each(|token| inner.handle(now, Event::Synced(token), out));
        }
    }
}

#[test]
fn a_false_synced_loses_what_a_crash_catches() {
    // with this seed the disk keeps a torn part of what was not synced: eight records whole, and part of the ninth
    check(OUTAGE, "mx2", || FalseSynced, "lost", 2);
}

#[test]
fn a_swallowed_append_loses_what_a_crash_catches() {
    let swallow = || {
        |inner: &mut dyn Process<Fact>, now: Time, event: Event<'_>, out: &mut Commands<Fact>| {
            inner.handle(now, event, out);
            filtered(out, |command| !matches!(command, Command::Append(..)));
        }
    };
    check(OUTAGE, "mx2", swallow, "lost", 10);
}

#[test]
fn records_dropped_at_restart_are_lost() {
    let forget = || {
        |inner: &mut dyn Process<Fact>, now: Time, event: Event<'_>, out: &mut Commands<Fact>| match event {
            Event::Restart(_) => inner.handle(now, Event::Restart(&[]), out),
            event => inner.handle(now, event, out),
        }
    };
    check(OUTAGE, "mx2", forget, "lost", 10);
}

/// Drops one message of the disk alone: the fourth append is swallowed.
struct SwallowsOne(u32);

impl Wrap for SwallowsOne {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        inner.handle(now, event, out);
        filtered(out, |command| {
            self.0 += u32::from(matches!(command, Command::Append(..)));
            !(matches!(command, Command::Append(..)) && self.0 == 4)
        });
    }
}

#[test]
fn one_message_dropped_is_named() {
    check(OUTAGE, "mx2", || SwallowsOne(0), "lost", 1);
}

/// Never tries the best MX, and says nothing of it.
struct IgnoresPreference;

impl Wrap for IgnoresPreference {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        inner.handle(now, event, out);
        let mut refused = Vec::new();
        filtered(out, |command| match command {
            Command::Connect { conn, to, .. } if to.ip().to_string() == "192.0.2.10" => {
                refused.push(*conn);
                false
            }
            _ => true,
        });
        for conn in refused {
            inner.handle(now, Event::ConnectFailed(conn, ConnectError::Refused), out);
        }
        filtered(out, |command| {
            !matches!(command, Command::Record(Fact::Mta(mxdrill_mta::Fact::Failed { .. })))
        });
    }
}

#[test]
fn a_worse_mx_without_reason_is_seen() {
    let healthy = OUTAGE.replace("for = \"2h\" }", "for = \"30s\", may-miss = true }");
    check(&healthy, "app", || IgnoresPreference, "mx-order", 10);
}

/// Reads every 4xx as 5xx.
struct FinalAtOnce {
    line_begins: bool,
}

impl Wrap for FinalAtOnce {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        let Event::Bytes(conn, bytes) = event else { return inner.handle(now, event, out) };
        let mut changed = bytes.to_vec();
        for byte in &mut changed {
            if self.line_begins && *byte == b'4' {
                *byte = b'5';
            }
            self.line_begins = *byte == b'\n';
        }
        inner.handle(now, Event::Bytes(conn, &changed), out);
    }
}

#[test]
fn a_bounce_on_a_temporary_reply_is_seen() {
    check(GREY, "app", || FinalAtOnce { line_begins: true }, "bounced", 3);
}

/// Never connects: its queue stays.
struct NeverRelays;

impl Wrap for NeverRelays {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        inner.handle(now, event, out);
        filtered(out, |command| !matches!(command, Command::Connect { .. }));
    }
}

#[test]
fn a_queue_that_never_drains_is_seen() {
    let ends = format!("end = \"1d\"\n{}", OUTAGE.trim_start());
    check(&ends, "mx2", || NeverRelays, "queued-at-end", 10);
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
