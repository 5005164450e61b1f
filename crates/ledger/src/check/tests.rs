//! For each rule a story that keeps it and one that breaks it.

use std::{sync::Arc, time::Duration};

use insta::assert_snapshot;
use mxdrill_dns::{Outcome, RecordType};
use mxdrill_mta::{Basis, Discard, Fact as Node, GiveUp, Message, Route, Skip};
use mxdrill_net::{Conn, Fact as Net};
use mxdrill_smtp::{Enhanced, tls::Security};

use super::{RULES, example};
use crate::{
    Expectation, Guard, Life, Off, Schedule, Setup, Taken, Verdict, Waits,
    tale::{Tale, cast, id, reply},
};

/// The mail goes to the primary, as it should.
fn plain(count: u32) -> Tale {
    let mut tale = Tale::new();
    tale.send(count).routed("app").pass(1..=count, "app", "mx1");
    tale
}

/// The primary fails, the backup takes it and hands it on.
fn failed_over(count: u32) -> Tale {
    let mut tale = Tale::new();
    tale.send(count).routed("app").failed("app", "mx1").pass(1..=count, "app", "mx2");
    tale.at("2h").routed("mx2").pass(1..=count, "mx2", "mx1");
    tale
}

#[test]
fn good_mail_breaks_no_rule() {
    assert_eq!(plain(3).broken(), "");
    assert_eq!(failed_over(3).broken(), "");
    assert_eq!(plain(1).end().verdict, Verdict::Pass);
}

#[test]
fn rules_have_names_of_their_own() {
    let mut names: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), RULES.len());
}

#[test]
fn lost_at_a_restart() {
    let mut tale = Tale::new();
    tale.send(3).at("1m").crash("app", &[1, 3]).routed("app");
    tale.pass(1..=1, "app", "mx1").pass(3..=3, "app", "mx1");
    assert_snapshot!(tale.broken(), @r"
    lost [2] app: taken with a 250, and found nowhere
    app held it last, and crashed at 0:01: is the queue on disk before the 250 is sent?
    ");
}

#[test]
fn lost_when_a_look_does_not_find_it() {
    let mut tale = Tale::new();
    tale.send(2).at("1h").looked("app", &[1]).routed("app").pass(1..=1, "app", "mx1");
    assert_snapshot!(tale.broken(), @r"
    lost [2] app: taken with a 250, and found nowhere
    app held it last
    ");
}

#[test]
fn lost_dsn() {
    let mut tale = Tale::new();
    tale.send(1).rejected(1..=1, "app", "mx1", "550 5.1.1 no such user").at("1m").crash("app", &[]);
    assert_snapshot!(tale.broken(), @r"
    lost [1] app: the DSN was never seen again, so nobody knows of the bounce
    app held it last, and crashed at 0:01: is the queue on disk before the 250 is sent?
    bounced [1] app: 5xx is final, the sender does not retry
    mx1 says: 550 5.1.1 no such user
    ");
}

#[test]
fn bounced_by_a_backup_that_does_not_relay() {
    let mut setup = cast();
    setup.hosts[2].relays.clear();
    let mut tale = Tale::of(setup);
    tale.send(40).routed("app").failed("app", "mx1");
    tale.rejected(11..=40, "app", "mx2", "554 5.7.1 Relay access denied").dsns_delivered("app", "sender");
    tale.pass(1..=10, "app", "mx1");
    assert_snapshot!(tale.broken(), @r#"
    bounced [11..40] app: 5xx is final, the sender does not retry
    mx2 does not relay example.test: relays = ["example.test"] (Postfix relay_domains, Exim relay_to_domains)
    "#);
}

#[test]
fn bounced_for_other_reasons() {
    let broken = |why, text| {
        let mut tale = Tale::new();
        tale.send(1).at("1m").given_up("app", 1, 0, why, text).dsns_delivered("app", "sender");
        tale.broken()
    };
    assert_snapshot!(broken(GiveUp::Expired, "connection refused"), @r"
    bounced [1] app: the queue lifetime was over
    app gave up, having last heard `connection refused`; a longer lifetime is Postfix maximal_queue_lifetime, Exim retry rules
    ");
    assert_snapshot!(broken(GiveUp::BestMxIsSelf, "mail loops back to myself"), @r"
    bounced [1] app: no better MX is left than the host itself
    app finds itself the best MX of example.test and does not deliver it: a better MX is missing in the DNS, or the preferences are swapped
    ");
    assert_snapshot!(broken(GiveUp::NxDomain, "no such domain"), @r"
    bounced [1] app: a domain that does not exist is an error at once
    app says: no such domain
    ");
}

#[test]
fn bounced_with_a_licence() {
    let tale = |number| {
        let mut setup = cast();
        setup.licences = vec![Expectation::number("bounced.app".parse().expect("a figure"), number)];
        let mut tale = Tale::of(setup);
        tale.send(1).rejected(1..=1, "app", "mx1", "550 5.1.1 no such user").dsns_delivered("app", "sender");
        tale
    };
    assert_eq!(tale(1).broken(), "");
    assert_snapshot!(tale(2).broken(), @r"
    bounced [1] app: 5xx is final, the sender does not retry
    mx1 says: 550 5.1.1 no such user
    bounced.app = 2 expected, 1 found
    ");
}

#[test]
fn bounced_as_a_foreign_hosts_dsn_says() {
    let mut setup = cast();
    setup.hosts[0].foreign = true;
    let mut tale = Tale::of(setup);
    let first = tale.offer("alice@sender.test", false, &["user@example.test"], 1);
    tale.answered("app", first, 0, Taken::Acknowledged);
    assert_eq!(tale.figure("queued.app"), "1");
    let content = crate::dsn::tests::dsn("failed", "<1@drill.test>");
    let envelope = tale.dsn(1);
    let to = envelope.recipients.to_vec();
    let message = Arc::new(Message::new(envelope.reverse_path.clone(), to, &content.into()));
    tale.at("5d").accepted("sender", &message);
    tale.see(id("sender"), Node::Delivered { message, recipient: 0 });
    assert_eq!(tale.figure("bounced.app"), "1");
    assert_eq!(tale.figure("queued"), "0");
    assert_snapshot!(tale.broken(), @r"
    bounced [1] app: the sender was told that it could not be delivered
    app said so in a DSN
    ");
}

#[test]
fn discarded() {
    let mut tale = Tale::new();
    tale.send_from("", false, &["user@example.test"], 2).pass(1..=1, "app", "mx1");
    tale.given_up("app", 2, 0, GiveUp::Expired, "connection refused");
    assert_snapshot!(tale.broken(), @r"
    discarded [2] app: undeliverable, and its reverse-path is null: nobody may be told
    app discarded it
    ");
}

#[test]
fn discarded_because_nobody_wants_to_know() {
    let mut tale = Tale::new();
    tale.send(1);
    let message = tale.message(1);
    tale.see(id("app"), Node::Discarded { message, recipient: 0, why: Discard::NotifyNever });
    assert_snapshot!(tale.broken(), @r"
    discarded [1] app: undeliverable, and its sender wants no word of it (RFC 3461 4.1)
    app discarded it
    ");
}

#[test]
fn queued_at_end() {
    let mut tale = Tale::new();
    tale.send(3).routed("app").pass(1..=1, "app", "mx1");
    tale.at("1m").failed("app", "mx1").pass(2..=3, "app", "mx2").at("1h");
    assert_snapshot!(tale.broken(), @r"
    queued-at-end [2, 3] mx2: still queued at the end
    mx2 holds 2, the first since 0:01
    ");
}

#[test]
fn queued_at_end_with_a_licence() {
    let mut tale = Tale::new();
    tale.send(2).at("20m").expect("queued.all", "2").at("1h");
    assert_eq!(tale.broken(), "");
}

#[test]
fn a_licence_from_the_midst_of_an_outage_does_not_last() {
    let mut tale = Tale::new();
    tale.fault(true).send(2).at("20m").expect("queued.app", "2").at("2h").fault(false).at("3h");
    assert_snapshot!(tale.broken(), @r"
    queued-at-end [1, 2] app: still queued at the end
    app holds 2, the first since 0:00
    ");
}

#[test]
fn unexpected_mail_of_strangers() {
    let mut tale = plain(1);
    let message = tale.message_with(1, b"Message-ID: <other@stranger.test>\r\n\r\n", b"hello\r\n");
    tale.accepted("mx1", &message).see(id("mx1"), Node::Delivered { message, recipient: 0 });
    assert_snapshot!(tale.broken(), @"unexpected [] mx1: 1 delivered at mx1: nobody sent the message from <alice@sender.test> to user@example.test");
}

#[test]
fn unexpected_delivery_of_what_was_rejected() {
    let mut tale = Tale::new();
    let number = tale.offer("alice@sender.test", false, &["user@example.test"], 1);
    let message = tale.message(number);
    tale.accepted("mx1", &message).delivered("mx1", number);
    tale.answered("mx1", number, 0, Taken::Rejected(reply("451 4.3.0 later")));
    assert_eq!(tale.figure("unexpected.mx1"), "1");
    assert_snapshot!(tale.broken(), @"unexpected [1] mx1: 1 delivered at mx1: the first host had rejected it");
}

#[test]
fn duplicated_without_a_reason() {
    let mut tale = plain(2);
    let message = tale.message(2);
    tale.at("1h").accepted("mx1", &message).delivered("mx1", 2);
    assert_eq!(tale.figure("duplicated"), "1");
    assert_snapshot!(tale.broken(), @r"
    duplicated [2] mx1: delivered again though every sending host had recorded the 250
    first copies at mx1
    ");
}

#[test]
fn duplicated_after_doubt() {
    let mut tale = Tale::new();
    let message = tale.send(1).message(1);
    tale.routed("app").accepted("mx1", &message).delivered("mx1", 1).in_doubt("app", "mx1", 1);
    tale.at("5m").pass(1..=1, "app", "mx1");
    let outcome = tale.end();
    assert_eq!((outcome.counts.duplicated, outcome.counts.duplicated_explained), (1, 1));
    assert_eq!(outcome.verdict, Verdict::Pass);
}

#[test]
fn duplicated_after_a_crash() {
    let mut tale = Tale::new();
    let message = tale.send(1).message(1);
    tale.at("1m").routed("app").accepted("mx1", &message).delivered("mx1", 1).crash("app", &[1]);
    tale.at("5m").pass(1..=1, "app", "mx1");
    assert_eq!(tale.broken(), "");
}

#[test]
fn duplicated_long_after_it_was_recorded() {
    let mut tale = plain(1);
    tale.at("1h").crash("app", &[1]).pass(1..=1, "app", "mx1");
    assert_snapshot!(tale.broken(), @r"
    duplicated [1] mx1: delivered again though every sending host had recorded the 250
    first copies at mx1
    ");
}

#[test]
fn half_a_message() {
    let mut tale = Tale::new();
    let half = tale.send(1).message_with(1, b"Message-ID: <1@drill.test>\r\n\r\n", b"hel");
    tale.routed("app").accepted("mx1", &half).see(id("mx1"), Node::Delivered { message: half, recipient: 0 });
    tale.relayed("app", "mx1", 1);
    assert_snapshot!(tale.broken(), @r"
    half-message [1] mx1: mx1 stored 3 of 7 octets of the body
    a connection that ends before the dot is a failed transaction: nothing of it may be kept
    ");
}

#[test]
fn another_message() {
    let mut tale = Tale::new();
    let other = tale.send(1).message_with(1, b"Message-ID: <1@drill.test>\r\n\r\n", b"jello\r\n");
    tale.routed("app")
        .accepted("mx1", &other)
        .see(id("mx1"), Node::Delivered { message: other, recipient: 0 });
    tale.relayed("app", "mx1", 1);
    assert_snapshot!(tale.broken(), @r"
    altered [1] mx1: mx1 stored something else than was sent
    the body is another one, also when it is decoded
    ");
}

#[test]
fn another_header() {
    let mut tale = Tale::new();
    let other = b"Received: x\r\nMessage-ID:  <1@drill.test>\r\n\r\n";
    let other = tale.send(1).message_with(1, other, b"hello\r\n");
    tale.routed("app")
        .accepted("mx1", &other)
        .see(id("mx1"), Node::Delivered { message: other, recipient: 0 });
    tale.relayed("app", "mx1", 1);
    assert_snapshot!(tale.broken(), @r"
    altered [1] mx1: mx1 stored something else than was sent
    a header field as it was sent is missing there, added ones apart
    ");
}

/// The cast, where the backup promises what a Postfix does.
fn scheduled() -> Tale {
    let mut setup = cast();
    let (minutes, days) = (|n: u64| Duration::from_secs(n * 60), |n: u64| Duration::from_secs(n * 86_400));
    let life = Life { min: days(5), max: Some(days(5) + minutes(72)) };
    setup.hosts[2].schedule = Some(Schedule {
        waits: Waits::Age(minutes(5)..=minutes(67)),
        scan: minutes(5),
        recipients_max: 50,
        life,
        bounce_life: life,
    });
    let mut tale = Tale::of(setup);
    tale.send(2).routed("app").failed("app", "mx1").pass(1..=2, "app", "mx2");
    tale
}

/// The backup tries both messages in vain at these times; in the end the primary takes them.
fn tried_at(times: &[&str]) -> Tale {
    let mut tale = scheduled();
    for at in times {
        tale.at(at).routed("mx2").began(1..=2, "mx2").failed("mx2", "mx1");
    }
    tale
}

#[test]
fn attempts_at_their_time() {
    let mut tale = tried_at(&["1s", "10m", "20m", "40m", "1h20m"]);
    tale.at("2h35m").routed("mx2").pass(1..=2, "mx2", "mx1");
    assert_eq!(tale.broken(), "");
}

#[test]
fn an_attempt_before_its_time() {
    let mut tale = tried_at(&["1s", "10m", "12m"]);
    tale.at("30m").routed("mx2").pass(1..=2, "mx2", "mx1");
    assert_snapshot!(tale.broken(), @r"
    retry-early [1, 2] mx2: tried again sooner than the schedule of mx2 says
    first after 2 m, which should have been 9 m 58 s at least
    ");
}

#[test]
fn a_flush_a_restart_or_new_mail_bring_attempts_forward() {
    let flushed = |explain: &dyn Fn(&mut Tale)| {
        let mut tale = tried_at(&["1s", "10m"]);
        explain(&mut tale);
        tale.at("12m").routed("mx2").pass(1..=2, "mx2", "mx1");
        tale
    };
    assert_eq!(flushed(&|tale| _ = tale.at("11m").see(id("mx2"), Node::Flushed)).broken(), "");
    assert_eq!(flushed(&|tale| _ = tale.at("11m").crash("mx2", &[1, 2])).broken(), "");
    let mut tale = flushed(&|tale| _ = tale.at("11m").send(1).failed("app", "mx1").pass(3..=3, "app", "mx2"));
    tale.pass(3..=3, "mx2", "mx1");
    assert_eq!(tale.broken(), "");
}

#[test]
fn an_attempt_after_its_time() {
    let mut tale = tried_at(&["1s", "10m"]);
    tale.at("4h").routed("mx2").pass(1..=2, "mx2", "mx1");
    assert_snapshot!(tale.broken(), @r"
    retry-late [1, 2] mx2: tried later than the schedule of mx2 says, if at all
    first after 3 h 50 m, which should have been 45 m 2 s at most
    ");
}

#[test]
fn mail_that_is_forgotten() {
    let mut setup = scheduled();
    setup.at("1s").routed("mx2").began(1..=2, "mx2").failed("mx2", "mx1").at("3h");
    assert!(setup.broken().contains("retry-late [1, 2] mx2"));
}

#[test]
fn a_destination_known_to_be_dead_puts_attempts_off() {
    let mut tale = tried_at(&["1s", "10m"]);
    let put_off = Node::Deferred {
        destination: "example.test".parse().expect("a domain"),
        count: 2,
        attempted: false,
        next: mxdrill_net::Time::ZERO,
    };
    tale.at("30m").see(id("mx2"), put_off);
    tale.at("1h10m").routed("mx2").pass(1..=2, "mx2", "mx1");
    assert_eq!(tale.broken(), "");
}

#[test]
fn the_lifetime_is_honoured_or_not() {
    let given_up_at = |at: &str| {
        let mut tale = scheduled();
        tale.at("1s").routed("mx2").began(1..=2, "mx2").failed("mx2", "mx1").at(at);
        tale.given_up("mx2", 1, 0, GiveUp::Expired, "refused").given_up(
            "mx2",
            2,
            0,
            GiveUp::Expired,
            "refused",
        );
        tale.dsns_delivered("mx2", "sender");
        let told = tale.broken();
        told.lines().skip_while(|line| !line.starts_with("lifetime")).take(2).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(given_up_at("5d1m"), "");
    assert_eq!(given_up_at("5d1h"), "");
    assert_snapshot!(given_up_at("4d"), @r"
    lifetime [1, 2] mx2: the queue lifetime was not honoured
    mx2 gave up too early: at an age of 4 d, not of 5 d
    ");
    assert_snapshot!(given_up_at("5d3h"), @r"
    lifetime [1, 2] mx2: the queue lifetime was not honoured
    mx2 gave up too late: at an age of 5 d 3 h, where 5 d 1 h was promised
    ");
}

/// `app` uses the address record of example.test, after an answer about its MX.
fn implicit(answer: Option<Outcome>) -> String {
    let mut setup = cast();
    setup.routed = vec!["example.test".parse().expect("a domain")];
    let (mut tale, domain) = (Tale::of(setup), || "example.test".parse().expect("a domain"));
    tale.send(1);
    if let Some(outcome) = answer {
        tale.see(id("app"), mxdrill_dns::Fact::Answered { name: domain(), kind: RecordType::Mx, outcome });
    }
    let route = Route { basis: Basis::Implicit, hosts: Vec::new(), own: None, sts: None };
    tale.see(id("app"), Node::Routed { destination: domain(), route: Arc::new(route) });
    tale.pass(1..=1, "app", "mx1");
    tale.broken()
}

#[test]
fn the_address_record_beside_mx_records() {
    assert_eq!(implicit(Some(Outcome::NoData)), "");
    assert_snapshot!(implicit(Some(Outcome::Records(2))), @r"
    address-record [1] app: the address record of mx1.example.test used instead of its MX records
    app must use them, and wait where the look-up fails
    ");
    assert!(implicit(Some(Outcome::ServFail)).starts_with("address-record [1] app"));
    assert!(implicit(None).starts_with("address-record [1] app"));
}

#[test]
fn trace_fields_change_nothing() {
    let mut tale = Tale::new();
    let traced = b"Received: from app by mx1.example.test\r\nMessage-ID: <1@drill.test>\r\n\r\n";
    let traced = tale.send(1).message_with(1, traced, b"hello\r\n");
    tale.routed("app")
        .accepted("mx1", &traced)
        .see(id("mx1"), Node::Delivered { message: traced, recipient: 0 });
    tale.relayed("app", "mx1", 1);
    assert_eq!(tale.broken(), "");
}

#[test]
fn round_in_circles() {
    let mut tale = Tale::new();
    tale.send(1).routed("app").failed("app", "mx1").pass(1..=1, "app", "mx2");
    let trace = b"Received: from mx2 by mx2.example.test; now\r\n";
    let header = [&trace.repeat(7)[..], b"Message-ID: <1@drill.test>\r\n\r\n"].concat();
    let message = tale.message_with(1, &header, b"hello\r\n");
    tale.accepted("mx2", &message).relayed("mx2", "mx2", 1).routed("mx2").pass(1..=1, "mx2", "mx1");
    assert_snapshot!(tale.broken(), @r"
    loop [1] mx2: came by mx2 more than once, with up to 7 Received fields
    which host does not know itself among the MX? (Postfix mydestination, proxy_interfaces; Exim hosts_treat_as_local)
    ");
}

#[test]
fn a_worse_mx_first() {
    let mut tale = Tale::new();
    tale.send(1).routed("app").pass(1..=1, "app", "mx2").routed("mx2").pass(1..=1, "mx2", "mx1");
    assert_snapshot!(tale.broken(), @r"
    mx-order [1] app: a better MX was passed over
    app used mx2.example.test (preference 20) and had not failed at mx1.example.test (preference 10)
    ");
}

#[test]
fn a_worse_mx_with_one_better_untried() {
    let mut tale = Tale::new();
    tale.send(1).routed("app").failed("app", "mx1").pass(1..=1, "app", "mx3");
    tale.routed("mx3").failed("mx3", "mx2").pass(1..=1, "mx3", "mx1");
    assert_snapshot!(tale.broken(), @r"
    mx-order [1] app: a better MX was passed over
    app used mx3.example.test (preference 30) and had not failed at mx2.example.test (preference 20)
    ");
}

#[test]
fn a_failure_too_long_ago() {
    let tale = |memory: u64| {
        let mut setup = cast();
        setup.hosts[0].memory = std::time::Duration::from_secs(memory);
        let mut tale = Tale::of(setup);
        tale.send(1).routed("app").failed("app", "mx1").at("10m").pass(1..=1, "app", "mx2");
        tale.routed("mx2").pass(1..=1, "mx2", "mx1");
        tale
    };
    assert_eq!(tale(600).broken(), "");
    assert_snapshot!(tale(300).broken(), @r"
    mx-order [1] app: a better MX was passed over
    app used mx2.example.test (preference 20) and had not failed at mx1.example.test (preference 10) in the last 5 m
    ");
}

#[test]
fn a_profile_may_pass_an_mx_over() {
    let broken = |why| {
        let mut tale = Tale::new();
        tale.send(1).routed("app").skipped("app", "mx1", why).pass(1..=1, "app", "mx2");
        tale.routed("mx2").pass(1..=1, "mx2", "mx1");
        tale.broken()
    };
    assert_eq!(broken(Skip::TlsPolicy), "");
    assert!(broken(Skip::OpenSession).starts_with("mx-order [1] app"), "how did it come to stand?");
    let mut tale = Tale::new();
    tale.send(2).routed("app").failed("app", "mx1").pass(1..=1, "app", "mx2").after("1h");
    tale.skipped("app", "mx1", Skip::OpenSession).pass(2..=2, "app", "mx2");
    tale.routed("mx2").pass(1..=2, "mx2", "mx1");
    assert_eq!(tale.broken(), "");
    assert_snapshot!(broken(Skip::Remembered), @r"
    mx-order [1] app: a better MX was passed over
    app used mx2.example.test (preference 20) and had not failed at mx1.example.test (preference 10)
    ");
}

#[test]
fn a_backup_that_relays_down() {
    let mut tale = Tale::new();
    tale.send(1).routed("app").failed("app", "mx1").pass(1..=1, "app", "mx2");
    tale.routed("mx2").failed("mx2", "mx1").pass(1..=1, "mx2", "mx3");
    tale.at("1h").routed("mx3").failed("mx3", "mx2").pass(1..=1, "mx3", "mx1");
    assert_snapshot!(tale.broken(), @r"
    relayed-down [1] mx2: passed to an MX that is no better
    mx2 has preference 20 itself and used mx3.example.test (preference 30): does it know its names and addresses?
    ");
}

#[test]
fn backscatter() {
    let mut tale = Tale::new();
    tale.send_from("victim@sender.test", true, &["nobody@example.test"], 1);
    tale.routed("app").failed("app", "mx1").pass(1..=1, "app", "mx2").at("1h");
    tale.rejected(1..=1, "mx2", "mx1", "550 5.1.1 no such user").dsns_delivered("mx2", "sender");
    assert_snapshot!(tale.broken(), @r"
    bounced [1] mx2: 5xx is final, the sender does not retry
    mx1 says: 550 5.1.1 no such user
    backscatter [1] mx2: mx2 bounced to a forged sender
    what the primary would reject, the backup must reject in the session (Postfix relay_recipient_maps, reject_unverified_recipient; Exim recipient callout)
    ");
}

#[test]
fn expectations() {
    let mut tale = plain(2);
    tale.at("20m").expect("delivered.mx1", "2").expect("delay.max", "<= 1s").expect("queued.mx2", "40");
    tale.expect("failover.max", "<= 1s");
    assert_snapshot!(tale.broken(), @r"
    expectation [] mx2: at 0:20 queued.mx2 = 40 expected, 0 found
    expectation [] -: at 0:20 failover.max <= 1s expected, none found
    ");
}

#[test]
fn a_fault_that_never_bit() {
    let mut setup = cast();
    setup.faults[0].may_miss = false;
    let story = |bites: bool| {
        let mut tale = Tale::of(setup.clone());
        tale.send(1).routed("app").pass(1..=1, "app", "mx1").at("1m").fault(true);
        if bites {
            tale.bit();
        }
        tale.at("2h").fault(false);
        tale.end()
    };
    assert_eq!(story(true).verdict, Verdict::Pass);
    let idle = story(false);
    assert_eq!(idle.verdict, Verdict::Unknown);
    assert_snapshot!(idle.violations[0].text, @r"
    `mx1 refuses connections` never changed anything
    send mail while it lasts, or say may-miss = true
    ");
}

#[test]
fn a_check_switched_off() {
    let mut setup = cast();
    setup.off = vec![Off { rule: "queued-at-end".into(), reason: "the backup stays down".into() }];
    let mut tale = Tale::of(setup);
    tale.send(1);
    let outcome = tale.end();
    assert_eq!(outcome.verdict, Verdict::Pass);
    assert_eq!(outcome.off, [("queued-at-end".into(), "the backup stays down".into())]);
}

#[test]
fn bounces_whose_dsns_are_stored_later_keep_their_causes() {
    let mut tale = Tale::new();
    tale.send(3);
    let whys = [GiveUp::Expired, GiveUp::NxDomain, GiveUp::Expired];
    for (number, why) in (1..).zip(whys) {
        let (message, status) = (tale.message(number), Enhanced(5, 4, 4));
        tale.see(id("app"), Node::GivenUp { message, recipient: 0, why, status, text: "no answer".into() });
    }
    for number in 1..=3 {
        let (message, dsn) = (tale.message(number), tale.dsn(number));
        tale.see(id("app"), Node::Bounced { message, recipient: 0, dsn });
    }
    tale.dsns_delivered("app", "sender");
    assert_snapshot!(tale.broken(), @r"
    bounced [1, 3] app: the queue lifetime was over
    app gave up, having last heard `no answer`; a longer lifetime is Postfix maximal_queue_lifetime, Exim retry rules
    bounced [2] app: a domain that does not exist is an error at once
    app says: no answer
    ");
}

#[test]
fn duplicated_by_a_foreign_relay_while_a_fault_bites() {
    let story = |bites: bool| {
        let mut setup = cast();
        setup.hosts[0].foreign = true;
        let mut tale = Tale::of(setup);
        let number = tale.offer("alice@sender.test", false, &["user@example.test"], 1);
        tale.answered("app", number, 0, Taken::Acknowledged);
        for conn in 1..=2 {
            let from = "192.0.2.10:40000".parse().expect("an address");
            tale.see(id("mx1"), Net::Incoming { conn: Conn(conn), from });
            if bites {
                tale.bit();
            }
            let message = tale.message(number);
            tale.accepted("mx1", &message).delivered("mx1", number);
            tale.see(id("mx1"), Net::Gone { conn: Conn(conn), how: None }).after("5m");
        }
        tale.broken()
    };
    assert_eq!(story(true), "");
    assert_snapshot!(story(false), @r"
    duplicated [1] mx1: delivered again though every sending host had recorded the 250
    first copies at mx1
    ");
}

/// One message goes over a session that is so safe, where a policy stands; what is broken.
fn guarded(guard: Guard, to: &str, security: Security) -> String {
    let mut tale = Tale::of(Setup { guards: vec![guard], ..cast() });
    tale.send(1).routed("app").failed("app", "mx1").relayed_safely("app", to, 1, security);
    tale.routed("mx2").at("1h").delivered("mx1", 1);
    let outcome = tale.end();
    let found = outcome.violations.iter().filter(|violation| violation.rule == "clear-text");
    found.map(|found| format!("{} [{}] {}", found.clause, found.recipients, found.text)).collect()
}

#[test]
fn clear_text_where_tlsa_records_stand() {
    let dane = |least| Guard::Dane { host: "mx2.example.test".parse().expect("a name"), least };
    assert_eq!(guarded(dane(Security::Matched), "mx2", Security::Matched), "");
    assert_eq!(guarded(dane(Security::Encrypted), "mx2", Security::Encrypted), "");
    assert_eq!(guarded(dane(Security::Matched), "mx3", Security::Clear), "", "it is about another host");
    assert_snapshot!(guarded(dane(Security::Matched), "mx2", Security::Clear), @r"
    RFC 7672 2.2 [1] app sent mail to mx2.example.test in clear text
    TLSA records name its certificate: without TLS and a match the host must not be used
    ");
    assert_snapshot!(guarded(dane(Security::Matched), "mx2", Security::Verified), @r"
    RFC 7672 2.2 [1] app sent mail to mx2.example.test under TLS, without asking whether a TLSA record matches
    TLSA records name its certificate: without TLS and a match the host must not be used
    ");
}

#[test]
fn clear_text_where_a_policy_is_in_force() {
    let sts = |mx: &str| Guard::Sts { domain: "example.test".parse().expect("a name"), mx: vec![mx.into()] };
    assert_eq!(guarded(sts("*.example.test"), "mx2", Security::Verified), "");
    let other = Guard::Sts { domain: "other.test".parse().expect("a name"), mx: Vec::new() };
    assert_eq!(guarded(other, "mx2", Security::Clear), "", "it is about another domain");
    assert_snapshot!(guarded(sts("mx2.example.test"), "mx2", Security::Encrypted), @r"
    RFC 8461 5 [1] app sent mail to mx2.example.test under TLS, without asking whose certificate it was
    the MTA-STS policy is in force: without a verified certificate the host must not be used
    ");
    assert_snapshot!(guarded(sts("mx1.example.test"), "mx2", Security::Verified), @r"
    RFC 8461 5 [1] app sent mail to mx2.example.test, which the MTA-STS policy does not name
    the policy is in force: a backup must be in it before it is in the DNS
    ");
}

/// The example of ARCHITECTURE.md is a check that works, and stands there as it is.
#[test]
fn the_example_of_the_architecture_page() {
    let check = |count| {
        let mut tale = Tale::new();
        tale.send(count).routed("app").failed("app", "mx1").pass(1..=count, "app", "mx2").at("1h");
        let violations = (example::RULE.make)().end(mxdrill_net::Time::from_secs(3600), tale.ledger.books());
        violations.into_iter().map(|violation| violation.text).collect::<Vec<_>>()
    };
    assert_eq!(check(30), Vec::<String>::new());
    assert_eq!(check(31), ["31 recipients queued, 30 planned for"]);
    let page = include_str!("../../../../ARCHITECTURE.md");
    assert!(page.contains(include_str!("example.rs")), "ARCHITECTURE.md shows another check/example.rs");
}

/// A fault on the primary that may bounce mail, from the first minute on.
fn may_bounce(bounces: crate::Bounces) -> Tale {
    let mut setup = cast();
    setup.faults[0].may_bounce = Some(bounces);
    let mut tale = Tale::of(setup);
    tale.send(1).at("1m");
    tale
}

#[test]
fn what_a_fault_rejects_for_good_may_bounce() {
    let broken = |said: &str, heard: &str| {
        let replies = vec![(*reply(said)).clone()];
        let mut tale = may_bounce(crate::Bounces { replies, ..Default::default() });
        tale.rejected(1..=1, "app", "mx1", heard).dsns_delivered("app", "sender");
        tale.broken()
    };
    assert_eq!(broken("550 5.1.1 no such user", "550 5.1.1 no such user"), "");
    let other = broken("450 4.1.1 no such user", "550 5.1.1 no such user");
    assert!(other.starts_with("bounced [1] app: 5xx is final"), "{other}");
}

#[test]
fn what_grows_too_old_while_a_fault_lasts_may_bounce() {
    let broken = |patience: &str, given_up_at: &str, keeps: &str| {
        let mut setup = cast();
        let time = |text: &str| text.parse::<crate::Span>().expect("a time").0;
        setup.faults[0].may_bounce = Some(crate::Bounces::default());
        for host in &mut setup.hosts {
            (host.patience, host.keeps) = (time(patience), time(keeps));
        }
        let mut tale = Tale::of(setup);
        tale.send(1).fault(true).at("5d").fault(false).at(given_up_at);
        tale.given_up("app", 1, 0, GiveUp::Expired, "connection refused").dsns_delivered("app", "sender");
        tale.broken()
    };
    assert_eq!(broken("1h", "5d1h", "5d"), "");
    for (patience, at, keeps) in [("1h", "6d", "5d"), ("1h", "5d1h", "6d")] {
        let told = broken(patience, at, keeps);
        assert!(told.starts_with("bounced [1] app: the queue lifetime was over"), "{told}");
    }
}
