//! A backup that holds mail for a primary in trouble, and what it does when that is over.

use mxdrill_dns::{DnsFault, How, RecordType};
use mxdrill_net::Tag;
use mxdrill_smtp::{Enhanced, Stage};

use super::check;
use crate::world::{World, says};

const USER: &[&str] = &["u@example.test"];

fn outage(profile: &str, secs: u64, until: u64) -> World {
    let mut world = World::usual("rfc5321", profile);
    world.run(10).refuse("mx1").send(1, USER).run(secs).open("mx1").run(until);
    world
}

#[test]
fn backup_drains_by_its_schedule() {
    check(
        &outage("rfc5321", 3600, 7200),
        &["mx2"],
        "
         0:00:10 mx2 accepted for u
         0:00:10 mx2 failed mx1 connect Connect(Refused)
         0:00:10 mx2 deferred 1 until 0:30:11
         0:30:11 mx2 failed mx1 connect Connect(Refused)
         0:30:11 mx2 deferred 1 until 1:00:12
         1:00:12 mx2 relayed u to mx1",
    );
    check(
        &outage("postfix", 3600, 7200),
        &["mx2"],
        "
         0:00:10 mx2 accepted for u
         0:00:10 mx2 failed mx1 connect Connect(Refused)
         0:00:10 mx2 deferred 1 until 0:10:00
         0:10:00 mx2 failed mx1 connect Connect(Refused)
         0:10:00 mx2 deferred 1 until 0:20:00
         0:20:00 mx2 failed mx1 connect Connect(Refused)
         0:20:00 mx2 deferred 1 until 0:40:00
         0:40:00 mx2 failed mx1 connect Connect(Refused)
         0:40:00 mx2 deferred 1 until 1:20:00
         1:20:00 mx2 relayed u to mx1",
    );
    check(
        &outage("exim", 3600, 7200),
        &["mx2"],
        "
         0:00:10 mx2 accepted for u
         0:00:10 mx2 failed mx1 connect Connect(Refused)
         0:00:10 mx2 deferred 1 until 0:30:00
         0:30:00 mx2 failed mx1 connect Connect(Refused)
         0:30:00 mx2 deferred 1 until 1:00:00
         1:00:00 mx2 relayed u to mx1",
    );
}

#[test]
fn flush_drains_at_once() {
    for profile in ["rfc5321", "postfix", "exim"] {
        let mut world = outage(profile, 3000, 3001);
        world.on_node("mx2", |node, now, out| node.flush(now, out)).run(3010);
        assert_eq!(world.delivered("mx1"), 1, "{profile}");
        assert_eq!(world.queued("mx2"), 0);
    }
}

#[test]
fn dead_destination_of_postfix_spares_attempts() {
    let mut world = World::usual("rfc5321", "postfix");
    world.run(10).refuse("mx1").send(40, USER).run(599);
    let tried = |world: &World| world.count("mx2", |fact| matches!(fact, crate::Fact::Failed { .. }));
    // 1/5 + 1/4 + 1/3 + 1/2 of a cohort is more than one: the fourth failure makes the destination dead, and
    // the fifth was under way by then
    assert!((4..=5).contains(&tried(&world)));
    let before = tried(&world);
    world.run(1000);
    assert_eq!(tried(&world) - before, 5);
    let put_off =
        |fact: &crate::Fact| matches!(fact, crate::Fact::Deferred { count: 35, attempted: false, .. });
    assert_eq!(world.count("mx2", put_off), 1);
    assert_eq!(world.queued("mx2"), 40);
}

#[test]
fn hosts_of_exim_have_clocks() {
    let mut world = World::usual("rfc5321", "exim");
    world.run(10).refuse("mx1").send(3, USER).run(5000);
    check(
        &world,
        &["mx2"],
        "
         0:00:10 mx2 accepted for u x2
         0:00:10 mx2 failed mx1 connect Connect(Refused)
         0:00:10 mx2 deferred 1 until 0:30:00
         0:00:10 mx2 failed mx1 connect Connect(Refused)
         0:00:10 mx2 deferred 1 until 0:30:00
         0:00:10 mx2 accepted for u
         0:00:10 mx2 skipped mx1 Remembered
         0:00:10 mx2 put off 1 until 0:30:00
         0:30:00 mx2 failed mx1 connect Connect(Refused)
         0:30:00 mx2 deferred 1 until 1:00:00
         0:30:00 mx2 skipped mx1 Remembered
         0:30:00 mx2 put off 2 until 1:00:00
         1:00:00 mx2 failed mx1 connect Connect(Refused)
         1:00:00 mx2 deferred 1 until 1:30:00
         1:00:00 mx2 skipped mx1 Remembered
         1:00:00 mx2 put off 2 until 1:30:00",
    );
    assert_eq!(world.queued("mx2"), 3);
}

#[test]
fn accepted_mail_survives_a_crash() {
    for profile in ["rfc5321", "postfix", "exim"] {
        let mut world = World::usual("rfc5321", profile);
        world.run(10).refuse("mx1").send(5, USER).run(60).crash("mx2", 100).open("mx1").run(7200);
        assert_eq!(world.delivered("mx1"), 5, "{profile}");
        assert_eq!(world.count("mx2", |fact| matches!(fact, crate::Fact::Recovered { .. })), 5);
        assert_eq!(world.queued("mx2"), 0);
    }
}

#[test]
fn both_down_waits_at_the_sender() {
    let mut world = World::usual("postfix", "postfix");
    world.run(10).refuse("mx1").refuse("mx2").send(2, USER).run(1000);
    assert_eq!(world.queued("app"), 2);
    world.open("mx2").run(4000);
    assert_eq!((world.queued("app"), world.queued("mx2")), (0, 2));
    world.open("mx1").run(12_000);
    assert_eq!(world.delivered("mx1"), 2);
}

#[test]
fn look_up_that_fails_for_now_keeps_mail() {
    let mut world = World::usual("rfc5321", "rfc5321");
    let fault = |how| DnsFault { name: crate::world::name("example.test"), kind: Some(RecordType::Mx), how };
    for how in [How::ServFail, How::Timeout, How::Refused] {
        let fault = fault(how);
        world.on_names(move |names| names.fault(Tag(900), fault));
        world.send(1, USER);
        let now = world.now();
        world.run(now + 100);
        world.on_names(|names| assert!(names.clear(Tag(900))));
        assert_eq!(world.queued("app"), 1, "{how:?}");
        world.run(now + 4000);
        assert_eq!(world.queued("app"), 0);
    }
    assert_eq!(world.delivered("mx1"), 3);
    assert_eq!(world.count("app", |fact| matches!(fact, crate::Fact::GivenUp { .. })), 0);
}

#[test]
fn grey_primary_is_tried_until_it_takes_the_mail() {
    let mut world = World::usual("rfc5321", "postfix");
    world
        .run(10)
        .fault("mx1", Stage::Rcpt, says(451, Enhanced(4, 7, 1), "greylisted"))
        .send(1, USER)
        .run(700);
    assert_eq!(world.queued("mx2"), 1);
    world.heal("mx1").run(2000);
    assert_eq!((world.delivered("mx1"), world.queued("mx2")), (1, 0));
}

#[test]
fn made_up_domains_are_forgotten() {
    let mut world = World::usual("rfc5321", "rfc5321");
    world.run(1);
    for domain in 0..3000 {
        world.send(1, &[&format!("u@d{domain}.test")]);
        world.run(1 + domain / 10);
    }
    world.run(1000);
    assert_eq!(world.queued("app"), 0);
    assert_eq!(world.delivered("home"), 3000);
    world.on_node("app", |node, _, _| assert!(node.core.lanes.len() <= 1100, "{}", node.core.lanes.len()));
}
