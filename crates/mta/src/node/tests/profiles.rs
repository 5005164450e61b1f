//! What each profile makes of each trouble, with a worse MX left and at the last host, and what it remembers.

use mxdrill_net::{Access, Tag};
use mxdrill_smtp::{Enhanced, Stage, Then};

use super::check;
use crate::{
    Fact, profile,
    world::{World, ZONE, name, says},
};

const USER: &[&str] = &["u@example.test"];

/// What may be wrong with mx1, in the order of the columns below.
const TROUBLES: [&str; 10] = [
    "refused",
    "SYN lost",
    "silent",
    "closes",
    "421",
    "554",
    "451 MAIL",
    "451 RCPT",
    "550 RCPT",
    "drop after dot",
];

fn trouble(world: &mut World, what: &str) {
    let (later, never) = (Enhanced(4, 3, 0), Enhanced(5, 7, 1));
    match what {
        "refused" => drop(world.refuse("mx1")),
        "SYN lost" => drop(world.access("mx1", Access::Blackhole(Tag(0)))),
        "silent" => drop(world.fault("mx1", Stage::Greeting, Then::Silence)),
        "closes" => drop(world.fault("mx1", Stage::Greeting, Then::DropBeforeReply)),
        "421" => drop(world.fault("mx1", Stage::Greeting, says(421, later, "busy"))),
        "554" => drop(world.fault("mx1", Stage::Greeting, says(554, never, "no"))),
        "451 MAIL" => drop(world.fault("mx1", Stage::Mail, says(451, later, "later"))),
        "451 RCPT" => drop(world.fault("mx1", Stage::Rcpt, says(451, later, "later"))),
        "550 RCPT" => drop(world.fault("mx1", Stage::Rcpt, says(550, never, "no"))),
        _ => drop(world.fault("mx1", Stage::Dot, Then::DropBeforeReply)),
    }
}

/// What the sender did with one mail: F failed over in its first attempt, D keeps it, B returned it.
fn fate(profile: &str, zone: &str, what: &str) -> char {
    let mut world = World::sending(zone, profile);
    world.run(1);
    trouble(&mut world, what);
    // the longest silence that a profile bears is half an hour
    world.send(1, USER).run(2000);
    let over = |fact: &Fact| {
        matches!(fact, Fact::Relayed { target, began, .. }
            if target.host == name("mx2.example.test") && began.elapsed().as_secs() < 2)
    };
    let (over, back) =
        (world.count("app", over), world.count("app", |fact| matches!(fact, Fact::Bounced { .. })));
    match (over, back, world.queued("app")) {
        (1, 0, 0) => 'F',
        (0, 1, 0) => 'B',
        (0, 0, 1) => 'D',
        other => panic!("{profile}, {what}: {other:?}\n{}", world.story(&["app"])),
    }
}

const LAST: &str = "\
$ORIGIN example.test.
@    MX 10 mx1
mx1  A  192.0.2.10
$ORIGIN sender.test.
@    MX 10 home
home A  192.0.2.30
";

/// Checks the fates of all troubles, with a worse MX left and without.
#[track_caller]
fn fates(profile: &str, more: &str, last: &str) {
    for (zone, expected) in [(ZONE, more), (LAST, last)] {
        let found: String = TROUBLES.iter().map(|what| fate(profile, zone, what)).collect();
        let expected: String = expected.split_whitespace().collect();
        assert_eq!(found, expected, "{profile}: {TROUBLES:?}");
    }
}

#[test]
fn fates_as_measured() {
    //                 refused, SYN lost, silent, closes, 421, 554, 451 MAIL, 451 RCPT, 550 RCPT, drop after dot
    fates("postfix", "F F F F F F F F B F", "D D D D D D D D B D");
    fates("exim", "F F F F F F F F B F", "D D D D D B D D B D");
    fates("sendmail", "F F F F F F F F B F", "D D D D D B D D B D");
    fates("opensmtpd", "F F F F F F D D B D", "D D D D D D D D B D");
    fates("haraka", "F F F F D B D D B F", "D D D D D B D D B D");
    fates("dma", "F F D D F B F F B D", "D D D D D B D D B D");
}

#[test]
fn fates_as_read() {
    fates("qmail", "F F D D D D D D B D", "D D D D D D D D B D");
    fates("stalwart", "F F F F F F D D B D", "D D D D D B D D B D");
    fates("kumomta", "F F F F F F D D B F", "D D D D D D D D B D");
    fates("mox", "F F F F F B F F B F", "D D D D D B D D B D");
    fates("chasquid", "F F F F F F F F B F", "D D D D D D D D B D");
    fates("maddy", "F F F F F F D D B D", "D D D D D B D D B D");
    fates("postal", "F F F F F F D D B D", "D D D D D D D D B D");
    fates("zonemta", "F F F F F F D D B D", "D D D D D B D D B D");
    fates("exchange", "F F F F F F F F B F", "D D D D D D D D B D");
    fates("james", "F F F F D D F F B F", "D D D D D D D D B D");
    fates("rfc5321", "F F F F F F F F B F", "D D D D D D D D B D");
    fates("one-try", "B B B B B B B B B B", "B B B B B B B B B B");
}

/// The seconds it takes until mx2 has a mail, when the SYN to mx1 is lost.
fn patience(profile: &str) -> u64 {
    let mut world = World::usual(profile, "rfc5321");
    world.run(1);
    trouble(&mut world, "SYN lost");
    world.send(1, USER).run(1000);
    let relayed = world.mta("app").find(|(_, fact)| matches!(fact, Fact::Relayed { .. }));
    relayed.expect("mx2 takes it").0.elapsed().as_secs() - 1
}

#[test]
fn patience_with_a_host_that_does_not_answer() {
    // measured: 30 s of their own, or the kernel's 134 s, to which OpenSMTPD adds its pause
    for (profile, secs) in [
        ("postfix", 30),
        ("haraka", 30),
        ("exim", 134),
        ("sendmail", 134),
        ("dma", 134),
        ("opensmtpd", 136),
        ("qmail", 60),
        ("kumomta", 60),
        ("mox", 30),
        ("chasquid", 60),
        ("postal", 30),
        ("james", 60),
    ] {
        assert_eq!(patience(profile), secs, "{profile}");
    }
}

/// The MX that took each of some mails, sent one by one at these seconds while mx1 is in trouble.
fn ways(profile: &str, what: &str, at: &[u64], heal: u64) -> String {
    let mut world = World::usual(profile, "rfc5321");
    world.run(1);
    trouble(&mut world, what);
    for second in at {
        if *second >= heal {
            world.run(heal).open("mx1").heal("mx1");
        }
        world.run(*second).send(1, USER);
    }
    world.run(at[at.len() - 1] + 400);
    let way = |(_, fact): (_, &Fact)| match fact {
        Fact::Failed { target, .. } => Some(format!("!{}", target.host.first_label())),
        Fact::Skipped { host, why: crate::Skip::Remembered, .. } => Some(format!("-{}", host.first_label())),
        Fact::Relayed { target, .. } => Some(target.host.first_label().to_owned()),
        _ => None,
    };
    world.mta("app").filter_map(way).collect::<Vec<_>>().join(" ")
}

#[test]
fn memory_of_a_dead_host_cold_and_warm() {
    // cold, then warm: the second mail tries mx1 again, unless it is remembered
    for profile in ["postfix", "sendmail", "haraka", "dma", "mox", "chasquid", "james"] {
        assert_eq!(ways(profile, "refused", &[2, 9], 100), "!mx1 mx2 !mx1 mx2", "{profile}");
        assert_eq!(ways(profile, "refused", &[2, 9, 150], 100), "!mx1 mx2 !mx1 mx2 mx1", "{profile}: back");
    }
    // Exim passes over mx1 until its clock says otherwise, a quarter of an hour, also when mx1 is back
    assert_eq!(ways("exim", "refused", &[2, 9, 800], 700), "!mx1 mx2 -mx1 mx2 -mx1 mx2");
    assert_eq!(ways("exim", "refused", &[2, 9, 910], 700), "!mx1 mx2 -mx1 mx2 mx1");
    // OpenSMTPD: its session to mx2 lives for ten seconds, the route to mx1 is off for fifteen
    assert_eq!(ways("opensmtpd", "refused", &[2, 9], 100), "!mx1 mx2 mx2");
    assert_eq!(ways("opensmtpd", "refused", &[2, 15], 100), "!mx1 mx2 -mx1 mx2");
    assert_eq!(ways("opensmtpd", "refused", &[2, 60], 100), "!mx1 mx2 !mx1 mx2");
    // KumoMTA: its session to mx2 lives for a minute
    assert_eq!(ways("kumomta", "refused", &[2, 9], 100), "!mx1 mx2 mx2");
    assert_eq!(ways("kumomta", "refused", &[2, 90], 100), "!mx1 mx2 !mx1 mx2");
    // qmail passes over mx1 after two timeouts two minutes apart, and remembers nothing else
    assert_eq!(ways("qmail", "refused", &[2, 300, 600], 900), "!mx1 mx2 !mx1 mx2 !mx1 mx2");
    assert_eq!(ways("qmail", "SYN lost", &[2, 100, 300, 600], 900), "!mx1 mx2 !mx1 mx2 !mx1 mx2 -mx1 mx2");
}

#[test]
fn domain_that_zonemta_could_not_reach_is_left_alone_for_ten_minutes() {
    let mut world = World::sending(LAST, "zonemta");
    world.run(10).refuse("mx1").send(1, USER).run(100).send(1, USER).run(1100);
    check(
        &world,
        &["app"],
        "
         0:00:10 app accepted for u
         0:00:10 app failed mx1 connect Connect(Refused)
         0:00:10 app deferred 1 until 0:05:11
         0:01:40 app accepted for u
         0:01:40 app put off 1 until 0:06:41
         0:05:11 app put off 1 until 0:12:11
         0:06:41 app put off 1 until 0:13:41
         0:12:11 app failed mx1 connect Connect(Refused)
         0:12:11 app deferred 1 until 0:20:12
         0:13:41 app put off 1 until 0:21:41",
    );
}

/// What becomes of a mail that comes to a backup while the primary is down and there is a worse MX.
fn sandwich(profile: &str) -> String {
    let zone = format!("{ZONE}$ORIGIN example.test.\n@ MX 30 mx3\nmx3 A 192.0.2.40\n");
    let mut world = World::new(&zone);
    world.node("mx2", "192.0.2.20", profile, |config| config.relays = vec![name("example.test")]);
    for (label, at) in [("mx1", "192.0.2.10"), ("mx3", "192.0.2.40")] {
        world.node(label, at, "rfc5321", |config| config.delivers = vec![name("example.test")]);
    }
    world.node("home", "192.0.2.30", "rfc5321", |config| config.delivers = vec![name("sender.test")]);
    world.run(1).refuse("mx1").submit("192.0.2.20", 1, USER).run(60);
    let accepted = world.count("mx2", |fact| matches!(fact, Fact::Accepted { .. }));
    let third = world.delivered("mx3");
    match (accepted, third, world.queued("mx2")) {
        (1, 0, 1) => "keeps it".into(),
        (1, 1, 0) => "goes to a worse MX".into(),
        (many, 0, _) if many > 10 => "loops".into(),
        other => format!("{other:?}"),
    }
}

#[test]
fn backup_that_must_not_relay_down() {
    for profile in ["rfc5321", "postfix", "exim", "sendmail", "opensmtpd", "qmail", "exchange"] {
        assert_eq!(sandwich(profile), "keeps it", "{profile}");
    }
    // RFC 5321 5.1 says that it MUST leave out worse ones as well
    assert_eq!(sandwich("haraka"), "goes to a worse MX");
    // made to send, not to be a backup by MX: those connect to themselves until the hops run out
    for profile in ["stalwart", "kumomta", "mox", "chasquid", "maddy", "postal", "zonemta", "dma", "james"] {
        assert_eq!(sandwich(profile), "loops", "{profile}");
    }
}

#[test]
fn every_profile_drains_over_a_static_route() {
    for (profile, _) in profile::all().iter().filter(|(name, _)| *name != "one-try") {
        let mut world = World::usual("rfc5321", "rfc5321");
        world.node("back", "192.0.2.21", profile, |config| {
            config.relays = vec![name("example.test")];
            config.routes = [(name("example.test"), name("mx1.example.test"))].into();
        });
        world.run(10).refuse("mx1").submit("192.0.2.21", 3, USER).run(1800).open("mx1").run(30_000);
        assert_eq!((world.delivered("mx1"), world.queued("back")), (3, 0), "{profile}");
    }
}

/// What a sender makes of a mail with eight bits when the only host lacks 8BITMIME: `true` if the host has it.
fn eight_bits(profile: &str) -> Option<bool> {
    let mut world = World::new(LAST);
    let pen = "192.0.2.99".parse().expect("ip");
    world.node("app", "192.0.2.1", profile, |config| config.trusted = vec![pen]);
    world.node("mx1", "192.0.2.10", "rfc5321", |config| {
        config.delivers = vec![name("example.test")];
        let mut poor = crate::Profile::default();
        poor.door.extensions.eight_bit = false;
        config.profile = std::sync::Arc::new(poor);
    });
    world.node("home", "192.0.2.30", "rfc5321", |config| config.delivers = vec![name("sender.test")]);
    world.run(1).send_eight_bit(USER).run(10);
    let stored = world.mta("mx1").find_map(|(_, fact)| match fact {
        Fact::Accepted { message, .. } => Some(message.body.is_ascii()),
        _ => None,
    });
    stored.map(|is_ascii| !is_ascii)
}

#[test]
fn eight_bits_are_converted_returned_or_sent_as_they_are() {
    for profile in ["postfix", "sendmail", "james", "exchange"] {
        assert_eq!(eight_bits(profile), Some(false), "{profile} converts");
    }
    for profile in
        ["exim", "opensmtpd", "qmail", "haraka", "stalwart", "chasquid", "maddy", "postal", "zonemta", "dma"]
    {
        assert_eq!(eight_bits(profile), Some(true), "{profile} sends it as it is");
    }
    for profile in ["rfc5321", "kumomta", "mox", "one-try"] {
        assert_eq!(eight_bits(profile), None, "{profile} returns it");
    }
}
