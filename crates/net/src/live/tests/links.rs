//! Links in both worlds.

use super::*;

fn rule(link: Link) -> Option<LinkRule> {
    Some(LinkRule { link, tag: Tag(9) })
}

#[test]
fn a_partition_lets_connects_time_out_and_heals() {
    check(
        |world| {
            world.driver.connect_patience(Duration::from_secs(2));
            world.driver.link(A, B, rule(Link { partition: true, ..Link::default() }));
            world.connect(b());
            world.driver.link(A, B, None);
            world.connect(b());
        },
        "a bit by 9
         a bit by 9
         a no connection to 192.0.2.2:25: TimedOut
         a connected to 192.0.2.2:25
         b connection from 192.0.2.1",
    );
}

#[test]
fn bytes_wait_for_a_partition_to_heal() {
    check(
        |world| {
            world.connect(b());
            world.driver.link(A, B, rule(Link { partition: true, ..Link::default() }));
            world.send(b"hello");
            let until = world.driver.now() + Duration::from_secs(60);
            world.run(until);
            world.visit(B, |puppet, out| out.record(Line::Saw(format!("has {}", puppet.got))));
            world.driver.link(A, B, None);
            world.pass(1);
            world.visit(B, |puppet, out| out.record(Line::Saw(format!("has {}", puppet.got))));
            world.pass(1);
        },
        "a connected to 192.0.2.2:25
         a bit by 9
         b connection from 192.0.2.1
         b has 0
         b has 5",
    );
}

#[test]
fn a_lasting_partition_outlasts_the_sender() {
    check(
        |world| {
            world.connect(b());
            world.driver.link(A, B, rule(Link { partition: true, ..Link::default() }));
            world.send(b"hello");
            world.pass(1);
        },
        "a connected to 192.0.2.2:25
         a bit by 9
         a gone Some(Reset)
         a 0 bytes came in
         b connection from 192.0.2.1",
    );
}

#[test]
fn a_link_cuts_after_so_many_bytes() {
    check(
        |world| {
            world.driver.link(A, B, rule(Link { cut_after: Some(1000), ..Link::default() }));
            world.visit(B, |puppet, _| puppet.echoes = false);
            world.connect(b());
            world.send(&[b'x'; 999]);
            world.pass(1);
            world.send(&[b'x'; 999]);
            world.pass(1);
        },
        "a connected to 192.0.2.2:25
         a bit by 9
         a gone Some(Reset)
         a 0 bytes came in
         b connection from 192.0.2.1
         b gone Some(Reset)
         b 1000 bytes came in",
    );
}

/// Everything that `a` sends is 2 h under way.
#[test]
fn latency_is_waited_for_in_virtual_time() {
    check(
        |world| {
            let slow = Link { latency: Duration::from_secs(7200), ..Link::default() };
            world.driver.connect_patience(Duration::from_secs(36000));
            world.driver.link(A, B, rule(slow));
            world.visit(A, |_, out| _ = out.connect(a().ip(), b()));
            world.pass(5);
            world.send(b"hello");
            world.pass(1);
            world.visit(B, |puppet, out| out.record(Line::Saw(format!("has {}", puppet.got))));
            world.pass(2);
            world.visit(B, |puppet, out| out.record(Line::Saw(format!("has {}", puppet.got))));
            world.close();
            world.pass(3);
        },
        "a bit by 9
         a connected to 192.0.2.2:25
         a gone None
         b connection from 192.0.2.1
         b has 0
         b has 5
         b gone Some(Eof)
         b 5 bytes came in",
    );
}

#[test]
fn a_lost_datagram_is_lost() {
    check(
        |world| {
            world.driver.link(A, B, rule(Link { loss_ppm: 1_000_000, ..Link::default() }));
            world.visit(A, |_, out| out.datagram(a(), b(), Bytes::from_static(b"who?")));
            world.pass(1);
        },
        "a bit by 9",
    );
}
