//! Mutation drills: nodes that are broken on purpose, which exploring must find and shrink. This is the proof that
//! exploring sees.

use mxdrill::{
    Verdict, World, Wrap,
    explore::{Explore, Family, Quiet},
    scenario::{NoFiles, Scenario},
};
use mxdrill_ledger::Fact;
use mxdrill_net::{Command, Commands, Event, Process, Time};

use crate::broken::{EndsWithTheLink, FalseSynced, Forgets, Ignores, Keeps, final_at_once};

/// Two MX and a sender; nothing happens of itself.
const SITE: &str = r#"
title = "A primary and its backup"
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
"#;

/// With `host` wrapped, exploring these families finds a drill that breaks `rule` within 150, shrinks it to at most
/// six steps, and what is left fails by itself. Without the wrapper it passes.
fn check<W: Wrap + 'static>(
    host: &str,
    make: impl Fn() -> W + Send + Sync + 'static,
    families: &[Family],
    rules: &[&str],
) {
    let scenario = Scenario::parse("site", SITE, &NoFiles).expect("the scenario is sound");
    let world = World::sim(1).wrap(host, make);
    let explore = Explore::new(&scenario).seeds(150).keep_going().families(families.iter().copied());
    let found = explore.in_world(world.clone()).run(&Quiet).expect("it can be explored");
    let kinds = found.kinds();
    let finding = kinds.iter().map(|(finding, _)| *finding).find(|finding| rules.contains(&&*finding.rule));
    let finding = finding.unwrap_or_else(|| panic!("none of {rules:?} in {} drills", found.played));
    assert!(finding.shrunk && finding.steps <= 6, "{}", finding.toml);
    let shrunk = Scenario::parse("shrunk", &finding.toml, &NoFiles).expect("it reads back");
    let outcome = shrunk.play(&world.seed(shrunk.seed)).expect("it can be played");
    assert_eq!(outcome.verdict, Verdict::Fail, "{}", finding.toml);
    assert!(outcome.violations.iter().any(|violation| violation.rule == finding.rule), "{}", finding.toml);
    let sound = shrunk.play(&World::sim(shrunk.seed)).expect("it can be played");
    assert_ne!(sound.verdict, Verdict::Fail, "{}", finding.toml);
}

type Inner<'a> = &'a mut dyn Process<Fact>;

#[test]
fn a_node_that_acknowledges_before_it_stores() {
    check("mx2", || FalseSynced, &[Family::Connect, Family::Crash], &["lost"]);
}

#[test]
fn a_node_that_loses_its_queue_at_a_restart() {
    check("mx2", || Forgets, &[Family::Connect, Family::Crash], &["lost"]);
}

#[test]
fn a_node_that_forgets_to_try_again() {
    // its second connect is never made, and no other
    let make = || {
        let mut connects = 0;
        Keeps(move |command: &Command<Fact>| {
            connects += u32::from(matches!(command, Command::Connect { .. }));
            !(matches!(command, Command::Connect { .. }) && connects > 1)
        })
    };
    check("mx2", make, &[Family::Connect], &["queued-at-end", "expectation", "bounced", "discarded"]);
}

#[test]
fn a_node_that_ignores_preference() {
    check("app", || Ignores("192.0.2.10"), &[Family::Connect, Family::Temporary], &["mx-order"]);
}

#[test]
fn a_node_that_bounces_on_a_temporary_reply() {
    check("app", final_at_once, &[Family::Temporary], &["bounced", "discarded"]);
}

#[test]
fn a_node_that_takes_servfail_for_nxdomain() {
    /// The response code stands in the low bits of the fourth octet (RFC 1035 4.1.1).
    fn misread(inner: Inner<'_>, now: Time, event: Event<'_>, out: &mut Commands<Fact>) {
        match event {
            Event::Datagram { from, to, bytes } if bytes.get(3).is_some_and(|flags| flags & 15 == 2) => {
                let mut read = bytes.to_vec();
                read[3] = read[3] & 0xf0 | 3;
                inner.handle(now, Event::Datagram { from, to, bytes: &read }, out);
            }
            event => inner.handle(now, event, out),
        }
    }
    check("app", || misread, &[Family::Dns], &["bounced", "discarded"]);
}

#[test]
fn a_node_that_keeps_half_a_message() {
    check("mx1", || EndsWithTheLink, &[Family::Link], &["half-message", "duplicated", "lost"]);
}

#[test]
fn a_node_that_relays_down() {
    /// Hears of another preference: its own MX (20) is the best it knows, and the better one is worse.
    fn swaps(inner: Inner<'_>, now: Time, event: Event<'_>, out: &mut Commands<Fact>) {
        const TEN: [u8; 4] = [0, 8, 0, 10];
        match event {
            Event::Datagram { from, to, bytes } => {
                let mut read = bytes.to_vec();
                // RDLENGTH of a compressed exchange, then the preference (RFC 1035 3.3.9)
                for at in 0..read.len().saturating_sub(1) {
                    if read[at..].starts_with(&TEN[2..]) && at > 12 {
                        read[at + 1] = 30;
                    }
                }
                inner.handle(now, Event::Datagram { from, to, bytes: &read }, out);
            }
            event => inner.handle(now, event, out),
        }
    }
    check("mx2", || swaps, &[Family::Connect], &["bounced", "discarded", "relayed-down", "loop"]);
}
