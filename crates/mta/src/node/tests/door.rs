//! What a node takes from clients, and what it turns away.

use mxdrill_net::{Disk, Tag};

use super::check;
use crate::{
    NodeConfig,
    world::{World, address, name},
};

/// A host `mx1` that delivers `example.test` and is reached by the pen, a stranger to it.
fn host(change: impl FnOnce(&mut NodeConfig)) -> World {
    let mut world = World::new(crate::world::ZONE);
    world.node("mx1", "192.0.2.10", "rfc5321", |config| {
        config.delivers = vec![name("example.test")];
        change(config);
    });
    world.run(1);
    world
}

fn ask(world: &mut World, to: &[&str]) {
    world.submit("192.0.2.10", 1, to);
    world.run(world.now() + 5);
}

#[test]
fn strangers_may_not_relay() {
    let mut world = host(|_| {});
    ask(&mut world, &["u@example.test"]);
    ask(&mut world, &["u@elsewhere.test"]);
    check(
        &world,
        &["mx1"],
        "0:00:01 mx1 accepted for u
         0:00:01 mx1 delivered u
         0:00:06 mx1 said 554 at rcpt",
    );
}

#[test]
fn recipients_are_known_or_not() {
    let mut world = host(|config| {
        config.recipients = Some(["known@example.test".parse().expect("an address")].into());
    });
    ask(&mut world, &["known@example.test", "unknown@example.test", "Postmaster@example.test"]);
    check(
        &world,
        &["mx1"],
        "0:00:01 mx1 said 550 at rcpt
         0:00:01 mx1 accepted for known,Postmaster
         0:00:01 mx1 delivered known
         0:00:01 mx1 delivered Postmaster",
    );
}

#[test]
fn sessions_are_capped() {
    let mut world = host(|config| config.sessions = Some(1));
    world.submit("192.0.2.10", 1, &["a@example.test"]);
    world.submit("192.0.2.10", 1, &["b@example.test"]);
    world.run(5);
    check(
        &world,
        &["mx1"],
        "0:00:01 mx1 said 421 at greeting
         0:00:01 mx1 accepted for a
         0:00:01 mx1 delivered a",
    );
}

#[test]
fn full_disk_takes_nothing() {
    let mut world = host(|_| {});
    world.disk("mx1", Disk { full: Some(Tag(7)), ..Disk::default() });
    ask(&mut world, &["u@example.test"]);
    world.disk("mx1", Disk::default());
    ask(&mut world, &["u@example.test"]);
    check(
        &world,
        &["mx1"],
        "0:00:01 mx1 said 452 at dot
         0:00:06 mx1 accepted for u
         0:00:06 mx1 delivered u",
    );
}

#[test]
fn loops_end() {
    // a host behind NAT that does not know its own public address relays to itself
    let mut world = World::new("$ORIGIN example.test.\n@ MX 10 public\npublic A 192.0.2.20\n");
    world.node("mx2", "192.0.2.20", "postfix", |config| {
        config.relays = vec![name("example.test")];
        let mut profile = (*config.profile).clone();
        profile.routing.own.by_address = false;
        profile.door.hops_max = 5;
        config.profile = profile.into();
    });
    world.run(1);
    world.submit("192.0.2.20", 1, &["u@example.test"]);
    world.run(60);
    assert_eq!(world.count("mx2", |fact| matches!(fact, crate::Fact::Accepted { .. })), 5);
    let looped = |fact: &crate::Fact| matches!(fact, crate::Fact::GivenUp { why: crate::GiveUp::Loop, .. });
    assert_eq!(world.count("mx2", looped), 1, "{}", world.story(&["mx2"]));
}

#[test]
fn etrn_starts_a_queue_run() {
    let mut world = World::usual("rfc5321", "postfix");
    world.run(1).refuse("mx1").send(1, &["u@example.test"]).run(20).open("mx1");
    assert_eq!(world.queued("mx2"), 1);
    world.on_node("mx2", |node, now, out| {
        use mxdrill_net::{Event, Process};
        let conn = out.new_conn();
        let (local, peer) = ((address("192.0.2.20"), 25).into(), (address("192.0.2.99"), 4000).into());
        node.handle(now, Event::Incoming { conn, local, peer }, out);
        node.handle(now, Event::Bytes(conn, b"EHLO pen.test\r\nETRN example.test\r\n"), out);
    });
    world.run(30);
    assert_eq!((world.queued("mx2"), world.delivered("mx1")), (0, 1));
}

#[test]
fn mixed_recipients_are_delivered_and_relayed() {
    let mut world = World::usual("rfc5321", "rfc5321");
    world.node("both", "192.0.2.50", "rfc5321", |config| {
        config.delivers = vec![name("here.test")];
        config.trusted = vec![address("192.0.2.99")];
    });
    world.run(1);
    world.submit("192.0.2.50", 1, &["a@here.test", "b@example.test", "c@here.test", "d@sender.test"]);
    world.run(20);
    check(
        &world,
        &["both"],
        "0:00:01 both accepted for a,b,c,d
         0:00:01 both delivered a
         0:00:01 both delivered c
         0:00:01 both relayed d to home
         0:00:01 both relayed b to mx1",
    );
}

#[test]
fn exim_tries_ten_mails_of_a_connection_at_once() {
    let mut world = World::usual("exim", "rfc5321");
    world.run(1).send(15, &["u@example.test"]).run(20);
    assert_eq!((world.delivered("mx1"), world.queued("app")), (10, 5));
    world.run(1900);
    assert_eq!((world.delivered("mx1"), world.queued("app")), (15, 0));
}
