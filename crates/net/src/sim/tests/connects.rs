//! Each way in which a connect ends.

use super::*;

#[test]
fn a_connect_takes_a_round_trip_and_the_peer_hears_of_it_after_half_another() {
    let mut world = World::new();
    world.connect().run(10);
    world.check("1 a connected\n 1.5 b incoming");
}

#[test]
fn both_sides_know_each_other_by_address() {
    let mut world = World::new();
    world.connect().run(10);
    let facts: Vec<_> = world.lines.iter().map(|(_, _, line)| line.clone()).collect();
    let [Line::Net(Fact::Connected { conn, to }), Line::Net(Fact::Incoming { conn: other, from })] =
        &facts[..]
    else {
        panic!("{facts:?}")
    };
    assert_ne!(conn, other);
    assert_eq!((*to, from.ip()), (b(), a().ip()));
    assert!(from.port() >= 49152);
}

#[test]
fn nobody_listens_there() {
    let mut world = World::new();
    world.tell(A, |_, out| {
        out.connect(a().ip(), "192.0.2.2:26".parse().expect("an address"));
    });
    world.run(10);
    world.check("1 a connect failed: Refused").silent();
}

#[test]
fn nobody_has_the_address() {
    let mut world = World::new();
    world.tell(A, |_, out| {
        out.connect(a().ip(), "198.51.100.9:25".parse().expect("an address"));
    });
    world.run(10);
    world.check("0 a connect failed: Unreachable").silent();
}

/// Connects under `access`, which is lifted at `lifted`, and checks the story.
#[track_caller]
fn check(access: Access, lifted: u64, expected: &str) {
    let mut world = World::new();
    world.sim.access(B, access);
    world.connect().run(lifted);
    world.sim.access(B, Access::Open);
    world.run(1_000_000);
    world.check(expected);
}

#[test]
fn a_host_refuses() {
    check(Access::Refuse(Tag(3)), 100, "0.5 a bit 3\n 1 a connect failed: Refused");
}

#[test]
fn a_host_is_unreachable() {
    check(Access::Unreachable(Tag(3)), 100, "0 a bit 3\n 0 a connect failed: Unreachable");
}

#[test]
fn a_black_hole_outlasts_the_kernel() {
    check(
        Access::Blackhole(Tag(3)),
        500_000,
        "0.5 a bit 3
         1000.5 a bit 3
         3000.5 a bit 3
         7000.5 a bit 3
         15000.5 a bit 3
         31000.5 a bit 3
         63000.5 a bit 3
         127000.5 a bit 3
         134000 a connect failed: TimedOut",
    );
}

#[test]
fn a_black_hole_that_closes_in_time_lets_the_next_syn_through() {
    check(
        Access::Blackhole(Tag(3)),
        2000,
        "0.5 a bit 3
         1000.5 a bit 3
         3001 a connected
         3001.5 b incoming",
    );
}

#[test]
fn the_kernels_patience_can_be_set() {
    let mut world = World::new();
    world.sim.connect_patience(Duration::from_secs(2));
    world.sim.access(B, Access::Blackhole(Tag(3)));
    world.connect().run(1_000_000);
    world.check("0.5 a bit 3\n 1000.5 a bit 3\n 2000 a connect failed: TimedOut").silent();
}

#[test]
fn a_machine_that_is_off_answers_nothing_until_it_is_back() {
    let mut world = World::new();
    world.sim.crash(B);
    world.connect().run(20_000);
    world.check("0 b Crashed");
    world.sim.restart(B, Puppet { listen: Some(b()), ..Puppet::default() });
    world.run(40_000);
    world.check("20000 b Restarted\n 20000 b kept []\n 31001 a connected\n 31001.5 b incoming");
}

#[test]
fn a_connect_that_is_given_up_leaves_nothing_behind() {
    for end in [Commands::close, Commands::reset] {
        let mut world = World::new();
        world.sim.access(B, Access::Blackhole(Tag(3)));
        world.tell(A, move |_, out| {
            let conn = out.connect(a().ip(), b());
            end(out, conn);
        });
        world.check("").silent();
        assert!(world.sim.now() < Time::from_secs(1), "what came to nothing does not move the time");
    }
}

#[test]
fn a_connect_that_is_broken_off_before_it_was_taken_is_never_seen() {
    let mut world = World::new();
    world.connect().run(1);
    world.reset(A).run(10);
    world.check("1 a connected\n 1 a gone").silent();
}

#[test]
fn a_connect_that_is_closed_before_it_was_taken_is_seen_and_ended() {
    let mut world = World::new();
    world.connect().run(1);
    world.say(A, "QUIT").close(A).run(10);
    world.check("1 a connected\n 1 a gone\n 1.5 b incoming\n 1.5 b 4 bytes\n 1.5 b gone: Eof").silent();
}

#[test]
fn a_host_may_connect_to_itself() {
    let mut world = World::new();
    world.tell(B, |_, out| {
        out.connect(b().ip(), b());
    });
    world.run(10);
    world.check("1 b connected\n 1.5 b incoming");
    world.close(B).run(20);
    world.check("10 b gone\n 10.5 b gone: Eof").silent();
}
