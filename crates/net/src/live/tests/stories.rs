//! What happens between two hosts, in both worlds alike.

use super::*;

#[test]
fn an_echo_comes_back_and_both_close() {
    check(
        |world| {
            world.connect(b());
            world.send(b"hello");
            world.pass(1);
            world.close();
            world.pass(1);
        },
        "a connected to 192.0.2.2:25
         a gone None
         b connection from 192.0.2.1
         b gone Some(Eof)
         b 5 bytes came in",
    );
}

#[test]
fn a_host_that_closes_first_is_followed() {
    check(
        |world| {
            world.connect(b());
            world.visit(B, |puppet, out| {
                out.send(puppet.latest(), b"421 bye");
                out.close(puppet.latest());
            });
            world.pass(1);
        },
        "a connected to 192.0.2.2:25
         a gone Some(Eof)
         a 7 bytes came in
         b connection from 192.0.2.1
         b gone None",
    );
}

#[test]
fn a_reset_is_told_apart() {
    check(
        |world| {
            world.connect(b());
            world.visit(A, |puppet, out| out.reset(puppet.latest()));
            world.pass(1);
        },
        "a connected to 192.0.2.2:25
         a gone None
         b connection from 192.0.2.1
         b gone Some(Reset)
         b 0 bytes came in",
    );
}

#[test]
fn a_refusal_is_typed_and_tagged() {
    check(
        |world| {
            world.driver.access(B, Access::Refuse(Tag(7)));
            world.connect(b());
            world.driver.access(B, Access::Open);
            world.connect(b());
        },
        "a bit by 7
         a no connection to 192.0.2.2:25: Refused
         a connected to 192.0.2.2:25
         b connection from 192.0.2.1",
    );
}

#[test]
fn nobody_listens_on_other_ports() {
    check(
        |world| world.connect("192.0.2.2:587".parse().expect("an address")),
        "a no connection to 192.0.2.2:587: Refused",
    );
}

#[test]
fn nothing_leaves_the_world() {
    check(
        |world| {
            world.connect("198.51.100.1:25".parse().expect("an address"));
            world.connect("127.0.0.1:25".parse().expect("an address"));
        },
        "a no connection to 198.51.100.1:25: Unreachable
         a no connection to 127.0.0.1:25: Unreachable",
    );
}

#[test]
fn an_unreachable_host_fails_at_once() {
    check(
        |world| {
            world.driver.access(B, Access::Unreachable(Tag(7)));
            world.connect(b());
        },
        "a bit by 7
         a no connection to 192.0.2.2:25: Unreachable",
    );
}

/// With a patience of 5 s there are three attempts: at 0, 1 and 3 s.
#[test]
fn a_black_hole_lasts_as_long_as_the_kernel() {
    check(
        |world| {
            world.driver.connect_patience(Duration::from_secs(5));
            world.driver.access(B, Access::Blackhole(Tag(7)));
            world.connect(b());
        },
        "a bit by 7
         a bit by 7
         a bit by 7
         a no connection to 192.0.2.2:25: TimedOut",
    );
}

#[test]
fn a_crash_resets_connections_and_a_restart_takes_new_ones() {
    check(
        |world| {
            world.connect(b());
            world.driver.crash(B);
            world.pass(1);
            world.connect(b());
            world.driver.restart(B, puppet(b()));
            world.connect(b());
        },
        "a connected to 192.0.2.2:25
         a gone Some(Reset)
         a 0 bytes came in
         a no connection to 192.0.2.2:25: TimedOut
         a connected to 192.0.2.2:25
         b connection from 192.0.2.1
         b gone Some(Reset)
         b Crashed
         b Restarted
         b restarts with
         b connection from 192.0.2.1",
    );
}

#[test]
fn a_mebibyte_arrives_whole_and_its_sender_is_told() {
    check(
        |world| {
            static MEBIBYTE: [u8; 1 << 20] = [b'x'; 1 << 20];
            world.visit(B, |puppet, _| puppet.echoes = false);
            world.connect(b());
            world.send(&MEBIBYTE);
            world.pass(1);
            world.close();
            world.pass(1);
        },
        "a connected to 192.0.2.2:25
         a sent
         a gone None
         b connection from 192.0.2.1
         b gone Some(Eof)
         b 1048576 bytes came in",
    );
}

#[test]
fn datagrams_go_both_ways() {
    check(
        |world| {
            world.visit(A, |_, out| out.datagram(a(), b(), Bytes::from_static(b"who?")));
            world.pass(1);
        },
        "a datagram who? from 192.0.2.2:25
         b datagram who? from 192.0.2.1:25",
    );
}

#[test]
fn a_timer_comes_when_it_was_last_set_to() {
    check(
        |world| {
            world.visit(A, |_, out| out.wake_at(hours(7)));
            world.visit(A, |_, out| out.wake_at(hours(120)));
            world.visit(B, |_, out| out.wake_at(hours(5)));
            world.visit(B, |_, out| out.wake_never());
            world.run(hours(1000));
        },
        "a timer at 120 h",
    );
}

#[test]
fn an_address_of_either_family_is_played() {
    let mut live = live();
    let mut world = World::new(&mut live);
    let six: SocketAddr = "[2001:db8::1]:25".parse().expect("an address");
    world.driver.add(spec("c", six.ip()), puppet(six));
    world.pass(1);
    world.connect(six);
    assert_eq!(by_host(&world.lines), ["a connected to [2001:db8::1]:25", "c connection from 192.0.2.1"]);
    let actual = world.driver.actual(six).expect("it is open");
    assert!(actual.ip().is_loopback());
    assert_eq!(world.driver.scenario(actual), Some(six));
}
