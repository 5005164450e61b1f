//! Bytes, ends of streams, resets, back-pressure, datagrams, deadlines.

use super::*;

/// A world in which `a` and `b` are connected at 10 ms, and nobody has looked yet.
fn connected() -> World {
    let mut world = World::new();
    world.connect().run(10);
    world.story();
    world
}

#[test]
fn one_write_arrives_as_one_piece_when_nothing_is_chopped() {
    let mut world = connected();
    world.say(A, "EHLO a").send(A, vec![0; 3000]).run(20);
    world.check("10.5 b 6 bytes\n 10.5 b 3000 bytes");
}

#[test]
fn what_was_sent_before_a_close_arrives_before_the_end() {
    let mut world = connected();
    world.say(A, "QUIT").close(A).run(20);
    world.check("10 a gone\n 10.5 b 4 bytes\n 10.5 b gone: Eof").silent();
}

#[test]
fn an_end_of_stream_leaves_the_other_side_open_until_it_closes_too() {
    let mut world =
        World::with(Seed(1), false, Puppet { listen: Some(b()), closes: false, ..Puppet::default() });
    world.connect().run(10);
    world.close(A).run(20);
    world.check("1 a connected\n 1.5 b incoming\n 10 a gone\n 10.5 b gone: Eof");
    world.close(B).run(30);
    world.check("").silent();
}

#[test]
fn data_that_finds_its_reader_gone_makes_a_reset() {
    let mut world = connected();
    world.say(B, "221 bye").close(B).say(A, "MAIL").run(20);
    world.check("10 b gone\n 10.5 a 7 bytes\n 10.5 a gone: Eof").silent();

    let mut world =
        World::with(Seed(1), false, Puppet { listen: Some(b()), closes: false, ..Puppet::default() });
    world.connect().run(10);
    world.close(A).run(20);
    world.say(B, "250 late").run(30);
    world.check("1 a connected\n 1.5 b incoming\n 10 a gone\n 10.5 b gone: Eof").silent();
}

#[test]
fn a_reset_follows_what_is_on_the_wire_and_ends_both_sides() {
    let mut world = connected();
    world.say(A, "DATA").reset(A).run(20);
    world.check("10 a gone\n 10.5 b 4 bytes\n 10.5 b gone: Reset").silent();
}

#[test]
fn the_number_is_dead_after_a_close() {
    let mut world = connected();
    world.tell(A, |puppet, out| {
        let conn = latest(puppet);
        out.close(conn);
        out.send(conn, b"never");
        out.close(conn);
        out.reset(conn);
    });
    world.run(20);
    world.check("10 a gone\n 10.5 b gone: Eof").silent();
}

#[test]
fn a_writer_far_ahead_hears_nothing_until_its_output_has_drained() {
    let mut world = connected();
    world.send(A, vec![0; 40_000]).send(A, vec![0; 40_000]).say(B, "250 ok").run(20);
    world.check(
        "10.5 b 40000 bytes
         10.5 b 40000 bytes
         11 a sent
         11 a 6 bytes",
    );
    world.send(A, vec![0; 64 * 1024]).say(B, "250 ok").run(30);
    world.check("20.5 b 65536 bytes\n 20.5 a 6 bytes");
}

#[test]
fn a_writer_far_ahead_does_not_hear_the_end_of_the_stream_before_the_reset() {
    let mut world = connected();
    world.send(A, vec![0; 70_000]).close(B).run(20);
    world.check("10 b gone\n 11 a gone: Reset").silent();
}

#[test]
fn a_peer_that_crashes_resets_its_connections() {
    let mut world = connected();
    world.say(B, "250 stored").sim.crash(B);
    world.run(20);
    world.check("10 b gone: Reset\n 10 b Crashed\n 10.5 a 10 bytes\n 10.5 a gone: Reset").silent();
}

#[test]
fn a_datagram_arrives_once_at_who_listens() {
    let mut world = World::new();
    world.tell(A, |_, out| {
        out.datagram(a(), b(), Bytes::from_static(b"query"));
        out.datagram(a(), "192.0.2.2:26".parse().expect("an address"), Bytes::from_static(b"lost"));
        out.datagram(a(), "198.51.100.9:25".parse().expect("an address"), Bytes::from_static(b"lost"));
    });
    world.run(10);
    world.check("0.5 b query from 192.0.2.1:25").silent();
}

#[test]
fn a_datagram_to_a_machine_that_is_off_is_lost() {
    let mut world = World::new();
    world.tell(A, |_, out| out.datagram(a(), b(), Bytes::from_static(b"query"))).sim.crash(B);
    world.check("").silent();
}

#[test]
fn a_host_has_one_deadline() {
    let mut world = World::new();
    let at = |secs| Time::from_secs(secs);
    world.tell(A, move |_, out| {
        out.wake_at(at(5));
        out.wake_at(at(3));
    });
    world.tell(A, move |_, out| out.wake_at(at(4))).run(10_000);
    world.check("4000 a timer");
    world.tell(A, move |_, out| out.wake_at(at(1))).run(10_000);
    world.check("10000 a timer");
    world.tell(A, move |_, out| out.wake_at(at(20))).tell(A, |_, out| out.wake_never());
    world.silent();
    assert_eq!(world.sim.now(), at(10));
}

#[test]
fn input_comes_before_a_deadline_of_the_same_instant() {
    let mut world = connected();
    world.tell(B, |_, out| out.wake_at(Time::from_nanos(10_500_000))).say(A, "just in time").run(20);
    world.check("10.5 b 12 bytes\n 10.5 b timer");
}

#[test]
fn an_idle_world_keeps_its_last_time_until_somebody_acts() {
    let mut world = World::new();
    world.connect();
    assert_eq!(world.run(60_000), Stop::Idle);
    assert_eq!(world.sim.now(), Time::from_nanos(1_500_000));
    world.say(A, "EHLO a");
    assert_eq!(world.sim.now(), Time::from_secs(60));
    assert_eq!(world.run(60_000), Stop::Reached);
    world.check("1 a connected\n 1.5 b incoming");
    assert_eq!(world.run(61_000), Stop::Idle);
    world.check("60000.5 b 6 bytes");
}

#[test]
fn the_sink_may_ask_to_come_back_after_any_fact() {
    let mut world = connected();
    world.say(A, "one").say(A, "two").say(A, "three");
    for _ in 0..3 {
        let mut seen = 0;
        let stop = world.sim.run_until(Time::from_secs(9), &mut |_, _, _| {
            seen += 1;
            ControlFlow::Break(())
        });
        assert_eq!((stop, seen), (Stop::Asked, 1));
        assert_eq!(world.sim.now(), Time::from_nanos(10_500_000));
    }
    assert_eq!(world.run(20), Stop::Idle);
    world.check("");
}
