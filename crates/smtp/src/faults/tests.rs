//! When rules bite.

use mxdrill_net::Conn;

use super::*;
use crate::{Enhanced, Reply};

fn rule(tag: u32, act: Act) -> Rule {
    Rule {
        tag: Tag(tag),
        stage: Stage::Rcpt,
        matching: Matching::default(),
        trigger: Trigger::default(),
        act,
    }
}

fn say(code: u16) -> Act {
    Act::Then(Then::Reply(Reply::new(code, Enhanced((code / 100) as u8, 0, 0), "no")))
}

fn faults(rules: impl IntoIterator<Item = Rule>) -> Faults {
    let mut faults = Faults::new(Seed(7), 3);
    for rule in rules {
        faults.add(rule);
    }
    faults
}

fn session(conn: u64) -> SessionView<'static> {
    let peer = "192.0.2.1".parse().expect("an address");
    SessionView { conn: Conn(conn), peer, from: None, recipient: None, size: 0 }
}

/// Asks once a second; `x` where a rule bites.
fn pattern(trigger: Trigger, times: u64) -> String {
    let mut faults = faults([Rule { trigger, ..rule(1, say(451)) }]);
    let mut ask = |second: u64| {
        let effect = faults.at(Time::from_secs(second), Stage::Rcpt, &session(second));
        if effect.is_pass() { '.' } else { 'x' }
    };
    (0..times).map(&mut ask).collect()
}

#[test]
fn triggers() {
    let check = |trigger, expected: &str| assert_eq!(pattern(trigger, expected.len() as u64), expected);
    check(Trigger::default(), "xxxxx");
    check(Trigger { first: Some(3), ..Trigger::default() }, "xxx...");
    check(Trigger { every: Some(3), ..Trigger::default() }, "..x..x..x");
    check(Trigger { every: Some(0), ..Trigger::default() }, "xx");
    check(Trigger { first: Some(4), every: Some(2), ..Trigger::default() }, ".x.x....");
    check(Trigger { odds_ppm: Some(0), ..Trigger::default() }, "......");
    check(Trigger { odds_ppm: Some(1_000_000), ..Trigger::default() }, "xxxxxx");
    // At most 2 in any 5 seconds pass: at 0 and 1, then at 5 and 6.
    check(Trigger { per: Some((2, Duration::from_secs(5))), ..Trigger::default() }, "..xxx..xxx..");
    check(Trigger { per: Some((0, Duration::from_secs(5))), ..Trigger::default() }, "xxx");
}

#[test]
fn a_greylist_lets_a_triplet_in_after_its_wait() {
    let wait = Trigger { greylist: Some(Duration::from_secs(3)), ..Trigger::default() };
    assert_eq!(pattern(wait, 6), "xxx...");
    let mut faults = faults([Rule { trigger: wait, ..rule(1, say(451)) }]);
    let other = SessionView { peer: "192.0.2.2".parse().expect("an address"), ..session(1) };
    assert!(!faults.at(Time::ZERO, Stage::Rcpt, &session(1)).is_pass());
    let later = Time::from_secs(10);
    assert!(faults.at(later, Stage::Rcpt, &session(1)).is_pass(), "known by now");
    assert!(!faults.at(later, Stage::Rcpt, &other).is_pass(), "another client is not");
}

#[test]
fn a_rate_counts_each_client_for_itself() {
    let one = Trigger { per: Some((1, Duration::from_secs(60))), ..Trigger::default() };
    let mut faults = faults([Rule { trigger: one, ..rule(1, say(421)) }]);
    let other = SessionView { peer: "192.0.2.2".parse().expect("an address"), ..session(1) };
    assert!(faults.at(Time::ZERO, Stage::Rcpt, &session(1)).is_pass());
    assert!(faults.at(Time::ZERO, Stage::Rcpt, &other).is_pass());
    assert!(!faults.at(Time::ZERO, Stage::Rcpt, &session(1)).is_pass());
}

#[test]
fn size_bites_beyond_its_bound() {
    let matching = Matching { larger_than: Some(100), ..Matching::default() };
    let mut faults = faults([Rule { matching, ..rule(1, say(552)) }]);
    let mut bites = |size| !faults.at(Time::ZERO, Stage::Rcpt, &SessionView { size, ..session(1) }).is_pass();
    assert_eq!([0, 100, 101].map(&mut bites), [false, false, true]);
}

#[test]
fn odds_are_drawn_from_the_seed() {
    let half = Trigger { odds_ppm: Some(500_000), ..Trigger::default() };
    let drawn = pattern(half, 1000);
    assert_eq!(drawn, pattern(half, 1000), "the same seed draws the same");
    let bites = drawn.matches('x').count();
    assert!((400..600).contains(&bites), "{bites} of 1000 at even odds");
    // Another rule before it changes nothing.
    let mut two = faults([rule(9, Act::Delay(Duration::ZERO)), Rule { trigger: half, ..rule(1, say(451)) }]);
    let again: String = (0..1000)
        .map(|second| two.at(Time::from_secs(second), Stage::Rcpt, &session(second)))
        .map(|effect| if effect.then == Then::Pass { '.' } else { 'x' })
        .collect();
    assert_eq!(again, drawn);
}

#[test]
fn matching() {
    let address = |text: &str| text.parse::<Address>().expect("an address");
    let (from, null) = (ReversePath(Some(address("a@b.test"))), ReversePath::NULL);
    let to = address("u@d.test");
    let bites = |matching: Matching, from: Option<&ReversePath>, recipient: Option<&Address>| {
        let view = SessionView { from, recipient, ..session(1) };
        let mut faults = faults([Rule { matching, ..rule(1, say(550)) }]);
        !faults.at(Time::ZERO, Stage::Rcpt, &view).is_pass()
    };
    let sender = |pattern| Matching { sender: Some(pattern), ..Matching::default() };
    let recipient = |pattern| Matching { recipient: Some(pattern), ..Matching::default() };
    let client =
        |text: &str| Matching { client: vec![text.parse().expect("an address")], ..Matching::default() };
    let domain = |text: &str| Pattern::Domain(text.parse().expect("a domain"));
    assert!(bites(Matching::default(), None, None));
    assert!(bites(client("192.0.2.1"), None, None));
    assert!(!bites(client("192.0.2.2"), None, None));
    assert!(bites(sender(Pattern::Address(address("a@b.test"))), Some(&from), None));
    assert!(!bites(sender(Pattern::Address(address("A@b.test"))), Some(&from), None));
    assert!(bites(sender(domain("b.test")), Some(&from), None));
    assert!(!bites(sender(domain("test")), Some(&from), None));
    assert!(!bites(sender(Pattern::Null), Some(&from), None));
    assert!(bites(sender(Pattern::Null), Some(&null), None));
    assert!(!bites(sender(domain("b.test")), None, None));
    assert!(bites(recipient(domain("d.test")), None, Some(&to)));
    assert!(!bites(recipient(domain("d.test")), None, None));
    assert!(!bites(
        Matching { sender: Some(Pattern::Null), ..recipient(domain("d.test")) },
        Some(&from),
        Some(&to)
    ));
}

#[test]
fn rules_compose_in_order() {
    let seconds = Duration::from_secs;
    let mut all = faults([
        rule(1, Act::Delay(seconds(2))),
        rule(2, Act::Tarpit(10)),
        rule(3, say(451)),
        rule(4, say(550)),
        rule(5, Act::Delay(seconds(3))),
        rule(6, Act::Tarpit(5)),
        Rule { stage: Stage::Mail, ..rule(7, say(550)) },
    ]);
    let effect = all.at(Time::ZERO, Stage::Rcpt, &session(1));
    assert_eq!(effect.bit, [1, 2, 3, 5, 6].map(Tag), "one that is not heard does not bite");
    assert_eq!((effect.delay, effect.tarpit), (seconds(5), Some(5)));
    assert!(matches!(effect.then, Then::Reply(reply) if reply.code.number() == 451));
    assert!(all.clear(Tag(3)) && !all.clear(Tag(3)));
    let effect = all.at(Time::ZERO, Stage::Rcpt, &session(1));
    assert!(matches!(effect.then, Then::Reply(reply) if reply.code.number() == 550));
    assert!(!all.is_empty());
    assert!(faults([]).at(Time::ZERO, Stage::Rcpt, &session(1)).is_pass());
}
