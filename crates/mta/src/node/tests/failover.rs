//! A sender and two MX, of which the better is in trouble.

use mxdrill_net::{Access, Tag};
use mxdrill_smtp::{Enhanced, Matching, Pattern, Stage, Then};

use super::check;
use crate::world::{World, says};

fn play(profile: &str, trouble: impl FnOnce(&mut World), to: &[&str], secs: u64) -> World {
    let mut world = World::usual(profile, "rfc5321");
    world.run(1);
    trouble(&mut world);
    world.send(1, to).run(secs);
    world
}

const USER: &[&str] = &["u@example.test"];

#[test]
fn best_host_takes_it() {
    let world = play("rfc5321", |_| {}, USER, 10);
    check(
        &world,
        &["app", "mx1", "mx2"],
        "
         0:00:01 app accepted for u
         0:00:01 mx1 accepted for u
         0:00:01 mx1 delivered u
         0:00:01 app relayed u to mx1",
    );
}

#[test]
fn refused_goes_to_the_next_in_the_same_attempt() {
    let world = play(
        "rfc5321",
        |world| {
            world.refuse("mx1");
        },
        USER,
        10,
    );
    check(
        &world,
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app failed mx1 connect Connect(Refused)
         0:00:01 app relayed u to mx2",
    );
}

#[test]
fn black_hole_costs_the_connect_timeout() {
    let hole = |world: &mut World| {
        world.access("mx1", Access::Blackhole(Tag(0)));
    };
    check(
        &play("postfix", hole, USER, 100),
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:31 app failed mx1 connect Timeout
         0:00:31 app relayed u to mx2",
    );
    check(
        &play("exim", hole, USER, 200),
        &["app"],
        "
         0:00:01 app accepted for u
         0:02:15 app failed mx1 connect Connect(TimedOut)
         0:02:15 app relayed u to mx2",
    );
}

#[test]
fn greeting_421_and_554() {
    let busy = |world: &mut World| {
        world.fault("mx1", Stage::Greeting, says(421, Enhanced(4, 3, 2), "busy"));
    };
    check(
        &play("postfix", busy, USER, 10),
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app failed mx1 greeting 421
         0:00:01 app relayed u to mx2",
    );
    let never = |world: &mut World| {
        world.fault("mx1", Stage::Greeting, says(554, Enhanced(5, 3, 2), "no"));
    };
    check(
        &play("postfix", never, USER, 10),
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app failed mx1 greeting 554
         0:00:01 app relayed u to mx2",
    );
    check(
        &play("exim", never, USER, 10),
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app failed mx1 greeting 554
         0:00:01 app relayed u to mx2",
    );
    check(
        &play("one-try", never, USER, 10),
        &["app", "home"],
        "
         0:00:01 app accepted for u
         0:00:01 app failed mx1 greeting 554
         0:00:01 app gave up u Rejected 5.3.2
         0:00:01 app bounced u
         0:00:01 home accepted for alice
         0:00:01 home delivered alice
         0:00:01 app relayed alice to home",
    );
}

#[test]
fn temporary_refusals_of_commands_go_to_the_next() {
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot] {
        let later = |world: &mut World| {
            world.fault("mx1", stage, says(451, Enhanced(4, 3, 0), "later"));
        };
        let world = play("postfix", later, USER, 10);
        let expected = format!(
            "0:00:01 app accepted for u
             0:00:01 app rejected u by mx1 {stage} 451
             0:00:01 app relayed u to mx2"
        );
        check(&world, &["app"], &expected);
    }
}

#[test]
fn permanent_refusals_of_commands_are_final() {
    for stage in [Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot] {
        let never = |world: &mut World| {
            world.fault("mx1", stage, says(550, Enhanced(5, 7, 1), "no"));
        };
        let world = play("rfc5321", never, USER, 10);
        let expected = format!(
            "0:00:01 app accepted for u
             0:00:01 app rejected u by mx1 {stage} 550
             0:00:01 app gave up u Rejected 5.7.1
             0:00:01 app bounced u
             0:00:01 home accepted for alice
             0:00:01 home delivered alice
             0:00:01 app relayed alice to home"
        );
        check(&world, &["app", "home"], &expected);
        assert_eq!(world.delivered("mx2"), 0);
    }
}

#[test]
fn each_recipient_has_its_own_fate() {
    let user = |local: &str| format!("{local}@example.test").parse().expect("an address");
    let only =
        |local: &str| Matching { recipient: Some(Pattern::Address(user(local))), ..Matching::default() };
    let world = play(
        "postfix",
        |world| {
            world.fault_for("mx1", Stage::Rcpt, only("later"), says(451, Enhanced(4, 2, 1), "later"));
            world.fault_for("mx1", Stage::Rcpt, only("never"), says(550, Enhanced(5, 1, 1), "never"));
        },
        &["now@example.test", "later@example.test", "never@example.test"],
        10,
    );
    check(
        &world,
        &["app", "mx1", "mx2"],
        "
         0:00:01 app accepted for now,later,never
         0:00:01 mx1 said 451 at rcpt
         0:00:01 mx1 said 550 at rcpt
         0:00:01 mx1 accepted for now
         0:00:01 mx1 delivered now
         0:00:01 app relayed now to mx1
         0:00:01 app rejected later by mx1 rcpt 451
         0:00:01 app rejected never by mx1 rcpt 550
         0:00:01 mx2 accepted for later
         0:00:01 app relayed later to mx2
         0:00:01 app gave up never Rejected 5.1.1
         0:00:01 app bounced never
         0:00:01 mx1 said 451 at rcpt
         0:00:01 mx2 rejected later by mx1 rcpt 451
         0:00:01 mx2 deferred 1 until 0:30:02
         0:00:01 app relayed alice to home",
    );
}

#[test]
fn lost_after_the_dot_is_in_doubt_and_goes_on() {
    let cut = |world: &mut World| {
        world.fault("mx1", Stage::Dot, Then::DropBeforeReply);
    };
    check(
        &play("rfc5321", cut, USER, 10),
        &["app", "mx1", "mx2"],
        "
         0:00:01 app accepted for u
         0:00:01 mx1 accepted for u
         0:00:01 mx1 delivered u
         0:00:01 app failed mx1 dot Lost
         0:00:01 app in doubt u at mx1
         0:00:01 mx2 accepted for u
         0:00:01 app relayed u to mx2
         0:00:01 mx1 accepted for u
         0:00:01 mx1 delivered u
         0:00:01 mx2 failed mx1 dot Lost
         0:00:01 mx2 in doubt u at mx1
         0:00:01 mx2 deferred 1 until 0:30:02",
    );
}

#[test]
fn session_limit_of_postfix_counts_sessions_that_stood() {
    let zone = "\
$ORIGIN example.test.
@    MX 10 mx1
@    MX 20 mx2
@    MX 30 mx3
mx1  A  192.0.2.10
mx2  A  192.0.2.20
mx3  A  192.0.2.40
";
    let mut world = World::new(zone);
    world.node("app", "192.0.2.1", "postfix", |config| {
        config.trusted = vec!["192.0.2.99".parse().expect("ip")]
    });
    for (label, at) in [("mx1", "192.0.2.10"), ("mx2", "192.0.2.20"), ("mx3", "192.0.2.40")] {
        world.node(label, at, "rfc5321", |config| config.delivers = vec![crate::world::name("example.test")]);
    }
    world.run(1);
    for label in ["mx1", "mx2"] {
        world.fault(label, Stage::Mail, says(451, Enhanced(4, 3, 0), "later"));
    }
    world.send(1, USER).run(10);
    check(
        &world,
        &["app"],
        "
         0:00:01 app accepted for u
         0:00:01 app rejected u by mx1 mail 451
         0:00:01 app rejected u by mx2 mail 451
         0:00:01 app deferred 1 until 0:10:00",
    );
}
