//! The end of patience, and routes that lead nowhere.

use super::check;
use crate::world::{World, name};

const USER: &[&str] = &["u@example.test"];
const DAY: u64 = 86_400;

#[test]
fn lifetime_over_means_one_dsn() {
    let mut world = World::usual("rfc5321", "postfix");
    world.run(10).refuse("mx1").send(2, USER).run(6 * DAY);
    assert_eq!(world.count("mx2", |fact| matches!(fact, crate::Fact::Bounced { .. })), 2);
    assert_eq!(world.delivered("home"), 2);
    assert_eq!(world.queued("mx2"), 0);
}

#[test]
fn null_sender_is_never_told() {
    let mut world = World::usual("rfc5321", "postfix");
    world.run(10).refuse("mx1").send_as(1, None, USER).run(6 * DAY);
    assert_eq!(world.count("mx2", |fact| matches!(fact, crate::Fact::Discarded { .. })), 1);
    assert_eq!(world.delivered("home"), 0);
}

#[test]
fn bounce_of_a_bounce_is_discarded() {
    let mut world = World::usual("rfc5321", "postfix");
    world.run(10).refuse("mx1").refuse("home").send(1, USER).run(11 * DAY);
    assert_eq!(world.count("mx2", |fact| matches!(fact, crate::Fact::Bounced { .. })), 1);
    assert_eq!(world.count("mx2", |fact| matches!(fact, crate::Fact::Discarded { .. })), 1);
    assert_eq!(world.queued("mx2"), 0);
}

#[test]
fn exim_returns_even_new_mail_after_four_days_of_outage() {
    let mut world = World::usual("rfc5321", "exim");
    world.run(10).refuse("mx1").send(1, USER).run(4 * DAY + 12 * 3600);
    world.send(1, USER).run(4 * DAY + 18 * 3600);
    assert_eq!(world.count("mx2", |fact| matches!(fact, crate::Fact::Bounced { .. })), 2);
}

#[track_caller]
/// What one mail to `u@example.test` comes to in a world with this zone.
fn route(zone: &str, profile: &str, expected: &str) {
    let mut world = World::new(&format!("{zone}\n$ORIGIN sender.test.\n@ MX 10 home\nhome A 192.0.2.30\n"));
    world
        .node("app", "192.0.2.1", profile, |config| config.trusted = vec!["192.0.2.99".parse().expect("ip")]);
    world.node("mx1", "192.0.2.10", "rfc5321", |config| config.delivers = vec![name("example.test")]);
    world.node("home", "192.0.2.30", "rfc5321", |config| config.delivers = vec![name("sender.test")]);
    world.run(1).send(1, USER).run(60);
    check(&world, &["app"], expected);
}

#[test]
fn routes_that_lead_nowhere() {
    route(
        "$ORIGIN example.test.\n@ MX 0 .\n",
        "rfc5321",
        "
         0:00:01 app accepted for u
         0:00:01 app gave up u NullMx 5.1.10
         0:00:01 app bounced u
         0:00:01 app relayed alice to home",
    );
    route(
        "$ORIGIN other.test.\n@ MX 0 .\n",
        "rfc5321",
        "
         0:00:01 app accepted for u
         0:00:01 app gave up u NxDomain 5.1.2
         0:00:01 app bounced u
         0:00:01 app relayed alice to home",
    );
    route(
        "$ORIGIN example.test.\n@ TXT nothing\n",
        "rfc5321",
        "
         0:00:01 app accepted for u
         0:00:01 app skipped example Unresolved
         0:00:01 app gave up u NoAddress 5.4.4
         0:00:01 app bounced u
         0:00:01 app relayed alice to home",
    );
    route(
        "$ORIGIN example.test.\n@ MX 10 gone\n",
        "rfc5321",
        "
         0:00:01 app accepted for u
         0:00:01 app skipped gone Unresolved
         0:00:01 app gave up u NoAddress 5.4.4
         0:00:01 app bounced u
         0:00:01 app relayed alice to home",
    );
    route(
        "$ORIGIN example.test.\n@ MX 10 app\n@ MX 20 mx1\napp A 192.0.2.1\nmx1 A 192.0.2.10\n",
        "postfix",
        "
         0:00:01 app accepted for u
         0:00:01 app gave up u BestMxIsSelf 5.4.6
         0:00:01 app bounced u
         0:00:01 app relayed alice to home",
    );
    route(
        "$ORIGIN example.test.\n@ MX 10 mx1\n@ MX 20 app\napp A 192.0.2.1\n",
        "postfix",
        "
         0:00:01 app accepted for u
         0:00:01 app skipped mx1 Unresolved
         0:00:01 app deferred 1 until 0:10:00",
    );
}

#[test]
fn routes_with_one_way_left() {
    route(
        "$ORIGIN example.test.\n@ A 192.0.2.10\n",
        "rfc5321",
        "
         0:00:01 app accepted for u
         0:00:01 app relayed u to example",
    );
    route(
        "$ORIGIN example.test.\n@ MX 10 gone\n@ MX 20 mx1\nmx1 A 192.0.2.10\n",
        "rfc5321",
        "
         0:00:01 app accepted for u
         0:00:01 app skipped gone Unresolved
         0:00:01 app relayed u to mx1",
    );
    route(
        "$ORIGIN example.test.\n@ MX 0 .\n@ MX 20 mx1\nmx1 A 192.0.2.10\n",
        "rfc5321",
        "
         0:00:01 app accepted for u
         0:00:01 app relayed u to mx1",
    );
    route(
        "$ORIGIN example.test.\n@ CNAME real\nreal MX 20 mx1\nmx1 A 192.0.2.10\n",
        "rfc5321",
        "
         0:00:01 app accepted for u
         0:00:01 app relayed u to mx1",
    );
    route(
        "$ORIGIN example.test.\n@ MX 10 mx1\n@ MX 20 app\napp A 192.0.2.1\nmx1 A 192.0.2.10\n",
        "rfc5321",
        "
         0:00:01 app accepted for u
         0:00:01 app relayed u to mx1",
    );
}

#[test]
fn exim_warns_of_delay_once_a_day() {
    let mut world = World::usual("rfc5321", "exim");
    world.run(10).refuse("mx1").send(1, USER).run(3 * DAY);
    assert_eq!(world.count("mx2", |fact| matches!(fact, crate::Fact::Warned { .. })), 2);
    assert_eq!(world.delivered("home"), 2);
}

#[test]
fn full_disk_keeps_what_would_bounce() {
    let mut world = World::usual("rfc5321", "postfix");
    world.run(10).refuse("mx1").send(1, USER).run(DAY);
    world.disk("mx2", mxdrill_net::Disk { full: Some(mxdrill_net::Tag(1)), ..Default::default() });
    world.run(6 * DAY);
    assert_eq!(world.queued("mx2"), 1);
    world.disk("mx2", mxdrill_net::Disk::default());
    world.run(6 * DAY + 600);
    assert_eq!(world.queued("mx2"), 0);
    assert_eq!(world.delivered("home"), 1);
}
