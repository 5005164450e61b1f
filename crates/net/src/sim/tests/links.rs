//! Each rule of a link.

use super::*;

fn partition() -> Link {
    Link { partition: true, ..Link::default() }
}

/// A world in which `a` and `b` are connected at 10 ms, and then `link` lies on the way from `a` to `b`.
fn under(link: Link) -> World {
    let mut world = World::new();
    world.connect().run(10);
    world.story();
    world.rule(A, B, link);
    world
}

#[test]
fn latency_is_of_one_direction_and_bites_once() {
    let mut world = under(Link { latency: millis(40), ..Link::default() });
    world.say(A, "one").say(A, "two").say(B, "three").run(100);
    world.check("10 a bit 7\n 10.5 a 5 bytes\n 50 b 3 bytes\n 50 b 3 bytes");
}

#[test]
fn a_shorter_latency_does_not_let_bytes_overtake() {
    let mut world = under(Link { latency: millis(40), ..Link::default() });
    world.say(A, "one").sim.link(A, B, None);
    world.say(A, "three").run(100);
    world.check("10 a bit 7\n 50 b 3 bytes\n 50 b 5 bytes");
}

#[test]
fn jitter_delays_and_keeps_the_order() {
    let mut world = under(Link { jitter: millis(30), ..Link::default() });
    for text in ["1", "22", "333", "4444", "55555"] {
        world.say(A, text);
    }
    world.run(100);
    let sizes: Vec<_> =
        world.story().lines().filter(|line| line.ends_with("bytes")).map(String::from).collect();
    assert_eq!(sizes.len(), 5);
    for (line, size) in sizes.iter().zip(1..) {
        let at: f64 = line.split(' ').next().and_then(|at| at.parse().ok()).expect("a time");
        assert!((10.5..=40.5).contains(&at) && line.ends_with(&format!(" {size} bytes")), "{sizes:?}");
    }
}

#[test]
fn bandwidth_spreads_a_large_write() {
    let mut world = under(Link { bandwidth: Some(1_460_000), ..Link::default() });
    world.send(A, vec![0; 3000]).close(A).run(100);
    world.check(
        "10 a bit 7
         10 a gone
         11.5 b 1460 bytes
         12.5 b 1460 bytes
         12.554794 b 80 bytes
         12.554794 b gone: Eof",
    );
}

#[test]
fn a_link_cuts_after_exactly_so_many_bytes() {
    let mut world = under(Link { cut_after: Some(10), ..Link::default() });
    world.say(A, "1234567").say(A, "890abc").say(A, "more").run(100);
    world.check(
        "10 a bit 7
         10.5 b 7 bytes
         10.5 b 3 bytes
         10.5 b gone: Reset
         10.5 a gone: Reset",
    );
    world.silent();
}

#[test]
fn a_link_does_not_cut_what_it_carries_in_the_other_direction() {
    let mut world = under(Link { cut_after: Some(3), ..Link::default() });
    world.say(B, "much more than three").run(100);
    world.check("10.5 a 20 bytes");
}

#[test]
fn a_connect_over_a_partition_times_out() {
    for (from, to, host) in [(A, B, "a"), (B, A, "b")] {
        let mut world = World::new();
        world.sim.connect_patience(Duration::from_secs(5));
        world.rule(from, to, partition()).connect().run(100_000);
        let story = world.story();
        assert!(story.contains(&format!("{host} bit 7")), "{story}");
        assert!(story.ends_with("5000 a connect failed: TimedOut\n"), "{story}");
    }
}

#[test]
fn a_connection_outlives_a_short_partition_and_goes_on_with_a_retransmission() {
    let mut world = under(partition());
    world.say(A, "one").say(A, "two").close(A).run(5000);
    world.check("10 a bit 7\n 10 a gone");
    world.sim.link(A, B, None);
    world.run(10_000);
    world.check("7010.5 b 3 bytes\n 7010.5 b 3 bytes\n 7010.5 b gone: Eof").silent();
}

#[test]
fn a_long_partition_breaks_the_connection_for_who_sends() {
    let mut world = under(partition());
    world.say(A, "one").run(2_000_000);
    world.check("10 a bit 7\n 924610 a gone: Reset");
    // The other side has heard nothing; it learns when it sends.
    world.sim.link(A, B, None);
    world.say(B, "451 timeout").run(3_000_000);
    world.check("2000001 b gone: Reset").silent();
}

#[test]
fn what_is_on_the_wire_when_a_partition_begins_arrives() {
    let mut world = under(Link { bandwidth: Some(1_460_000), ..Link::default() });
    world.send(A, vec![0; 2920]).run(11);
    world.rule(A, B, partition()).run(1000);
    world.check("10 a bit 7\n 11 a bit 7\n 11.5 b 1460 bytes");
    world.sim.link(A, B, None);
    world.run(2000);
    world.check("1011.5 b 1460 bytes");
}

#[test]
fn loss_delays_a_stream_and_drops_datagrams() {
    let mut world = under(Link { loss_ppm: 400_000, ..Link::default() });
    world.send(A, vec![0; 14_600]).run(1_000_000);
    let story = world.story();
    assert_eq!(story.lines().filter(|line| line.ends_with("1460 bytes")).count(), 10, "{story}");
    assert!(story.contains("a bit 7") && !story.ends_with("\n10.5 b 1460 bytes\n"), "{story}");

    for _ in 0..200 {
        world.tell(A, |_, out| out.datagram(a(), b(), Bytes::from_static(b"query")));
    }
    world.run(2_000_000);
    let arrived = world.story().lines().filter(|line| line.contains("query")).count();
    assert!((90..150).contains(&arrived), "{arrived} of 200 arrived");
}

#[test]
fn certain_loss_resets_in_the_end() {
    let mut world = under(Link { loss_ppm: 1_000_000, ..Link::default() });
    world.say(A, "one").run(2_000_000);
    world.check("10 a bit 7\n 924610 a gone: Reset");
}

#[test]
fn a_reset_does_not_pass_a_partition() {
    let mut world = under(partition());
    world.reset(A).run(1000);
    world.check("10 a gone\n 10 a bit 7");
    world.sim.link(A, B, None);
    world.say(B, "250 ok").run(2000);
    world.check("1001 b gone: Reset").silent();
}

#[test]
fn a_handshake_whose_last_step_is_lost_is_forgotten_by_both() {
    let mut world = World::new();
    world.connect();
    world.sim.run_until(Time::from_nanos(600_000), &mut |_, _, _| ControlFlow::Continue(()));
    world.rule(A, B, partition()).run(2_000_000);
    world.check("1 a bit 7\n 1 a connected\n 924601 a gone: Reset").silent();
}
