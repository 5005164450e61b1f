//! What people and machines see.

use std::time::Duration;

use insta::assert_snapshot;
use mxdrill_net::Time;

use super::{json, junit, text};
use crate::{
    Counterfactual, Outcome, Skipped,
    tale::{Tale, cast},
};

/// The first example of the design: an outage, and the backup does its work.
fn passed() -> Outcome {
    let mut tale = Tale::new();
    tale.send(10).routed("app").pass(1..=10, "app", "mx1");
    tale.at("5m").fault(true).bit().at("6m").send(40).failed("app", "mx1").pass(11..=50, "app", "mx2");
    tale.at("20m").expect("queued.mx2", "40");
    tale.at("2h5m").fault(false).at("2h45m").routed("mx2").pass(11..=50, "mx2", "mx1").at("3h30m");
    let mut outcome = tale.end();
    outcome.wall_time = Duration::from_micros(400);
    outcome.counterfactuals = vec![
        Counterfactual::Flush { at: Time::from_secs(7500), drain: Duration::from_secs(12) },
        Counterfactual::Without {
            host: "mx2".into(),
            delivered: 50,
            delay_max: Some(Duration::from_secs(7800)),
        },
    ];
    outcome
}

/// The second: the backup was never told that it relays the domain.
fn failed() -> Outcome {
    let mut setup = cast();
    setup.site = Some("my-site.toml".into());
    setup.hosts[2].relays.clear();
    let mut tale = Tale::of(setup);
    tale.send(10).routed("app").pass(1..=10, "app", "mx1").at("5m").fault(true).bit();
    tale.at("6m").send(40).failed("app", "mx1").after("300ms");
    tale.rejected(11..=50, "app", "mx2", "554 5.7.1 Relay access denied").dsns_delivered("app", "sender");
    tale.at("10m").expect("delivered.mx1", "50");
    tale.end()
}

/// A drill that proves nothing.
fn unknown() -> Outcome {
    let mut setup = cast();
    setup.faults[0].may_miss = false;
    let mut tale = Tale::of(setup);
    tale.at("1m").fault(true).at("2h").fault(false).send(1).routed("app").pass(1..=1, "app", "mx1");
    tale.end()
}

#[test]
fn a_pass_as_text() {
    assert_snapshot!(text(&passed(), false), @r"
    primary-refused   The primary refuses connections for two hours
    sim   seed 1   3 MX   50 messages   3 h 30 m played in 0.4 ms

      0:00  app  sends 10 to user@example.test    mx1 delivers 10
      0:05  mx1  refuses connections
      0:06  app  sends 40                         mx2 holds 40, each at its first attempt (0.2 s)
      2:05  mx1  answers again
      2:45  mx2  queue empty                      mx1 delivers 40, the last 40 m after the repair

    PASS  50 sent  50 delivered  0 lost  0 duplicated   failover 0.2 s   drain 40 m   longest delay 2 h 39 m
          with a flush at 2:05 the drain takes 12 s; without mx2 50 delivered, longest delay 2 h 10 m
    ");
}

#[test]
fn a_failure_as_text() {
    assert_snapshot!(text(&failed(), false), @r#"
    primary-refused   The primary refuses connections for two hours   site my-site.toml
    sim   seed 1   3 MX   50 messages   10 m

      0:00  app  sends 10 to user@example.test    mx1 delivers 10
      0:05  mx1  refuses connections
      0:06  app  sends 40                         mx2 rejects 40: 554 5.7.1 Relay access denied
                                                  app bounces 40 to alice@sender.test within 0.3 s

    FAIL  50 sent  10 delivered  40 bounced  0 lost   longest delay 0.2 s
      bounced      40 recipients (11..50)     RFC 5321 4.2.1: 5xx is final, the sender does not retry
                   mx2 does not relay example.test: relays = ["example.test"] (Postfix relay_domains, Exim relay_to_domains)
      expectation  at 0:10 delivered.mx1 = 50 expected, 10 found
      again        mxdrill run primary-refused --site my-site.toml --seed 1
    "#);
}

#[test]
fn a_doubt_as_text() {
    assert_snapshot!(text(&unknown(), false), @r"
    primary-refused   The primary refuses connections for two hours
    sim   seed 1   3 MX   1 message   2 h

      0:01  mx1  refuses connections
      2:00  mx1  answers again
      2:00  app  sends 1 to user@example.test    mx1 delivers 1

    UNKNOWN  1 sent  1 delivered  0 lost   longest delay 0.2 s
      fault-idle  `mx1 refuses connections` never changed anything
                  send mail while it lasts, or say may-miss = true
      again       mxdrill run primary-refused --seed 1
    ");
}

#[test]
fn both_down_and_late_bounces_as_text() {
    let mut tale = Tale::new();
    tale.fault(true).send(3).began(1..=3, "app").routed("app").failed("app", "mx1").failed("app", "mx2");
    tale.at("1h").routed("app").failed("app", "mx1").pass(1..=1, "app", "mx2");
    tale.rejected(2..=2, "app", "mx2", "451 4.3.0 later").rejected(2..=2, "app", "mx2", "451 4.3.0 later");
    tale.at("5d").given_up("app", 2, 0, mxdrill_mta::GiveUp::Expired, "451 4.3.0 later");
    tale.dsns_delivered("app", "sender");
    assert_snapshot!(text(&tale.end(), false), @r"
    primary-refused   The primary refuses connections for two hours
    sim   seed 1   3 MX   3 messages   5 d

        0:00  mx1  refuses connections
        0:00  app  sends 3 to user@example.test    mx2 puts off 1: 451 4.3.0 later
                                                   app keeps 3
      120:00  app  bounces 1                       up to 5 d after they were sent
      120:00  app  still holds 1                   mx2 holds 1
      120:00  mx2  still holds 1

    FAIL  3 sent  0 delivered  2 queued  1 bounced  0 lost   failover 0.2 s
      bounced        1 recipient (2)     RFC 5321 4.5.4.1: the queue lifetime was over
                     app gave up, having last heard `451 4.3.0 later`; a longer lifetime is Postfix maximal_queue_lifetime, Exim retry rules
      queued-at-end  1 recipient (3)     RFC 5321 4.5.4.1: still queued at the end
                     app holds 1, the first since 0:00
      queued-at-end  1 recipient (1)     RFC 5321 4.5.4.1: still queued at the end
                     mx2 holds 1, the first since 1:00
      again          mxdrill run primary-refused --seed 1
    ");
}

#[test]
fn colours_are_only_paint() {
    let painted = text(&failed(), true);
    assert!(painted.contains("\x1b[31mFAIL\x1b[0m"));
    let mut bare = painted;
    for paint in ["\x1b[31m", "\x1b[1m", "\x1b[0m"] {
        bare = bare.replace(paint, "");
    }
    assert_eq!(bare, text(&failed(), false));
}

fn skipped() -> Skipped {
    Skipped { scenario: "five-days".into(), world: "netns".into(), reason: "five days of real time".into() }
}

#[test]
fn drills_as_json() {
    let mut outcome = passed();
    outcome.journal_hash = outcome.journal_hash.map(|_| "a hash".into());
    assert_snapshot!(json("0.1.0", &[outcome, failed_without_hash()], &[skipped()]), @r#"
    {
      "mxdrill": "0.1.0",
      "schema": 1,
      "drills": [
        {
          "scenario": "primary-refused",
          "world": "sim",
          "seed": 1,
          "verdict": "pass",
          "virtual_seconds": 12600.0,
          "wall_seconds": 0.0004,
          "counts": {
            "messages": 50,
            "sent": 50,
            "acknowledged": 50,
            "rejected": 0,
            "in_doubt": 0,
            "delivered": 50,
            "queued": 0,
            "bounced": 0,
            "discarded": 0,
            "lost": 0,
            "duplicated": 0,
            "unexpected": 0
          },
          "hosts": {
            "app": {
              "accepted": 50,
              "delivered": 0,
              "queued_max": 40,
              "bytes_max": 1520,
              "oldest_max": 0.2,
              "sessions_max": 0
            },
            "mx1": {
              "accepted": 50,
              "delivered": 50,
              "queued_max": 0,
              "bytes_max": 0,
              "oldest_max": 0.0,
              "sessions_max": 0
            },
            "mx2": {
              "accepted": 40,
              "delivered": 0,
              "queued_max": 40,
              "bytes_max": 1520,
              "oldest_max": 9540.0,
              "sessions_max": 0
            },
            "mx3": {
              "accepted": 0,
              "delivered": 0,
              "queued_max": 0,
              "bytes_max": 0,
              "oldest_max": 0.0,
              "sessions_max": 0
            },
            "sender": {
              "accepted": 0,
              "delivered": 0,
              "queued_max": 0,
              "bytes_max": 0,
              "oldest_max": 0.0,
              "sessions_max": 0
            }
          },
          "delay": {
            "n": 50,
            "p50": 9540.2,
            "p95": 9540.2,
            "max": 9540.2
          },
          "failover": {
            "p50": 0.2,
            "p95": 0.2,
            "max": 0.2
          },
          "drain_seconds": 2400.2,
          "drained": {
            "held": 40,
            "n": 40,
            "p50": 2400.2,
            "p95": 2400.2,
            "max": 2400.2
          },
          "violations": [],
          "journal_hash": "a hash"
        },
        {
          "scenario": "primary-refused",
          "world": "sim",
          "seed": 1,
          "verdict": "fail",
          "virtual_seconds": 600.0,
          "wall_seconds": 0.0,
          "counts": {
            "messages": 50,
            "sent": 50,
            "acknowledged": 50,
            "rejected": 0,
            "in_doubt": 0,
            "delivered": 10,
            "queued": 0,
            "bounced": 40,
            "discarded": 0,
            "lost": 0,
            "duplicated": 0,
            "unexpected": 0
          },
          "hosts": {
            "app": {
              "accepted": 50,
              "delivered": 0,
              "queued_max": 40,
              "bytes_max": 1520,
              "oldest_max": 0.3,
              "sessions_max": 0
            },
            "mx1": {
              "accepted": 10,
              "delivered": 10,
              "queued_max": 0,
              "bytes_max": 0,
              "oldest_max": 0.0,
              "sessions_max": 0
            },
            "mx2": {
              "accepted": 0,
              "delivered": 0,
              "queued_max": 0,
              "bytes_max": 0,
              "oldest_max": 0.0,
              "sessions_max": 0
            },
            "mx3": {
              "accepted": 0,
              "delivered": 0,
              "queued_max": 0,
              "bytes_max": 0,
              "oldest_max": 0.0,
              "sessions_max": 0
            },
            "sender": {
              "accepted": 0,
              "delivered": 0,
              "queued_max": 0,
              "bytes_max": 0,
              "oldest_max": 0.0,
              "sessions_max": 0
            }
          },
          "delay": {
            "n": 10,
            "p50": 0.2,
            "p95": 0.2,
            "max": 0.2
          },
          "failover": {
            "p50": null,
            "p95": null,
            "max": null
          },
          "drain_seconds": null,
          "drained": {
            "held": 0,
            "n": 0,
            "p50": null,
            "p95": null,
            "max": null
          },
          "violations": [
            {
              "rule": "bounced",
              "clause": "RFC 5321 4.2.1",
              "host": "app",
              "at": 360.3,
              "text": "5xx is final, the sender does not retry\nmx2 does not relay example.test: relays = [\"example.test\"] (Postfix relay_domains, Exim relay_to_domains)",
              "recipients": [
                "11",
                "12",
                "13",
                "14",
                "15",
                "16",
                "17",
                "18",
                "19",
                "20",
                "21",
                "22",
                "23",
                "24",
                "25",
                "26",
                "27",
                "28",
                "29",
                "30",
                "31",
                "32",
                "33",
                "34",
                "35",
                "36",
                "37",
                "38",
                "39",
                "40",
                "41",
                "42",
                "43",
                "44",
                "45",
                "46",
                "47",
                "48",
                "49",
                "50"
              ]
            },
            {
              "rule": "expectation",
              "clause": "scenario",
              "host": "mx1",
              "at": 600.0,
              "text": "at 0:10 delivered.mx1 = 50 expected, 10 found",
              "recipients": []
            }
          ],
          "journal_hash": null
        }
      ],
      "skipped": [
        {
          "scenario": "five-days",
          "world": "netns",
          "reason": "five days of real time"
        }
      ]
    }
    "#);
}

fn failed_without_hash() -> Outcome {
    Outcome { journal_hash: None, ..failed() }
}

#[test]
fn drills_as_junit() {
    let pass = Outcome { journal_hash: Some("a hash".into()), ..passed() };
    let unknown = Outcome { journal_hash: None, ..unknown() };
    assert_snapshot!(junit(&[pass, failed_without_hash(), unknown], &[skipped()]), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="mxdrill" tests="4" skipped="1" failures="1" errors="1">
        <testsuite name="netns" tests="1" skipped="1" errors="0" failures="0">
            <testcase name="five-days" classname="mxdrill.netns">
                <skipped message="five days of real time"/>
            </testcase>
        </testsuite>
        <testsuite name="sim" tests="3" skipped="0" errors="1" failures="1">
            <testcase name="primary-refused" classname="mxdrill.sim" time="0.000">
                <properties>
                    <property name="seed" value="1"/>
                    <property name="journal_hash" value="a hash"/>
                </properties>
            </testcase>
            <testcase name="primary-refused" classname="mxdrill.sim" time="0.000">
                <properties>
                    <property name="seed" value="1"/>
                </properties>
                <failure message="5xx is final, the sender does not retry" type="bounced">primary-refused   The primary refuses connections for two hours   site my-site.toml
    sim   seed 1   3 MX   50 messages   10 m

      0:00  app  sends 10 to user@example.test    mx1 delivers 10
      0:05  mx1  refuses connections
      0:06  app  sends 40                         mx2 rejects 40: 554 5.7.1 Relay access denied
                                                  app bounces 40 to alice@sender.test within 0.3 s

    FAIL  50 sent  10 delivered  40 bounced  0 lost   longest delay 0.2 s
      bounced      40 recipients (11..50)     RFC 5321 4.2.1: 5xx is final, the sender does not retry
                   mx2 does not relay example.test: relays = [&quot;example.test&quot;] (Postfix relay_domains, Exim relay_to_domains)
      expectation  at 0:10 delivered.mx1 = 50 expected, 10 found
      again        mxdrill run primary-refused --site my-site.toml --seed 1
    </failure>
            </testcase>
            <testcase name="primary-refused" classname="mxdrill.sim" time="0.000">
                <properties>
                    <property name="seed" value="1"/>
                </properties>
                <error message="`mx1 refuses connections` never changed anything" type="fault-idle">primary-refused   The primary refuses connections for two hours
    sim   seed 1   3 MX   1 message   2 h

      0:01  mx1  refuses connections
      2:00  mx1  answers again
      2:00  app  sends 1 to user@example.test    mx1 delivers 1

    UNKNOWN  1 sent  1 delivered  0 lost   longest delay 0.2 s
      fault-idle  `mx1 refuses connections` never changed anything
                  send mail while it lasts, or say may-miss = true
      again       mxdrill run primary-refused --seed 1
    </error>
            </testcase>
        </testsuite>
    </testsuites>
    "#);
}

#[test]
#[should_panic(expected = "FAIL  50 sent  10 delivered  40 bounced")]
fn a_failed_assertion_tells_the_story() {
    failed().assert_ok();
}

#[test]
fn a_passed_assertion_is_quiet() {
    passed().assert_ok();
}

#[test]
fn copies_after_doubt_as_text() {
    let mut tale = Tale::new();
    tale.send_from("alice@sender.test", false, &["a@example.test", "b@example.test"], 1).routed("app");
    let message = tale.message(1);
    tale.accepted("mx1", &message).delivered("mx1", 1).in_doubt("app", "mx1", 1).pass(1..=1, "app", "mx2");
    tale.routed("mx2").pass(1..=1, "mx2", "mx1");
    assert_snapshot!(text(&tale.end(), false), @r"
    primary-refused   The primary refuses connections for two hours
    sim   seed 1   3 MX   1 message   0.4 s

      0:00  app  sends 1 to a@example.test, b@example.test    mx1 delivers 2, and 2 again
                                                              link to mx1 lost after the dot: 1 in doubt

    FAIL  2 sent  2 delivered  0 lost  2 duplicated (1 explained)   failover 0.2 s   longest delay 0 s
      duplicated  1 recipient (1.2)     RFC 1047: delivered again though every sending host had recorded the 250
                  first copies at mx1
      again       mxdrill run primary-refused --seed 1
    ");
}
