//! Whatever happens on the way: what was acknowledged arrives, once, and better hosts come first.

use std::{collections::BTreeMap, net::IpAddr};

use mxdrill_net::{Access, Tag};
use mxdrill_smtp::{Enhanced, Stage, Then};
use proptest::prelude::*;

use crate::{
    Fact,
    world::{World, says},
};

/// Something that happens to a host for a while, or a mail that is sent.
#[derive(Clone, Debug)]
enum Act {
    Send(usize),
    Access(&'static str, Access),
    Fault(&'static str, Stage, Then),
    Crash(&'static str),
    Heal,
    Flush(&'static str),
    Wait(u64),
}

const HOSTS: [&str; 2] = ["mx1", "mx2"];
const STAGES: [Stage; 6] = [Stage::Greeting, Stage::Ehlo, Stage::Mail, Stage::Rcpt, Stage::Data, Stage::Dot];

fn act() -> impl Strategy<Value = Act> {
    let host = prop::sample::select(&HOSTS[..]);
    let access = prop::sample::select(vec![
        Access::Open,
        Access::Refuse(Tag(0)),
        Access::Blackhole(Tag(0)),
        Access::Unreachable(Tag(0)),
    ]);
    let stage = prop::sample::select(&STAGES[..]);
    let then = prop::sample::select(vec![
        says(451, Enhanced(4, 3, 0), "later"),
        says(421, Enhanced(4, 3, 2), "closing"),
        Then::Drop,
        Then::DropBeforeReply,
        Then::DropAfterReply,
        Then::Silence,
    ]);
    prop_oneof![
        3 => (1usize..8).prop_map(Act::Send),
        2 => (host.clone(), access).prop_map(|(host, access)| Act::Access(host, access)),
        2 => (host.clone(), stage, then).prop_map(|(host, stage, then)| Act::Fault(host, stage, then)),
        1 => prop::sample::select(vec!["mx1", "mx2", "app"]).prop_map(Act::Crash),
        1 => Just(Act::Heal),
        1 => prop::sample::select(vec!["mx2", "app"]).prop_map(Act::Flush),
        4 => (1u64..4000).prop_map(Act::Wait),
    ]
}

fn apply(world: &mut World, act: Act) {
    match act {
        Act::Send(count) => {
            world.send(count, &["u@example.test"]);
            world.run(world.now() + 2);
        }
        Act::Access(host, access) => _ = world.access(host, access),
        Act::Fault(host, stage, then) => _ = world.fault(host, stage, then),
        Act::Crash(host) => _ = world.crash(host, 30),
        Act::Heal => heal(world),
        Act::Flush(host) => _ = world.on_node(host, |node, now, out| node.flush(now, out)),
        Act::Wait(secs) => _ = world.run(world.now() + secs),
    }
}

fn heal(world: &mut World) {
    for host in HOSTS {
        world.open(host).heal(host);
    }
}

/// By Message-ID: how often it was accepted at the sender, delivered, and in doubt or at risk of a crash.
fn books(world: &World) -> BTreeMap<u64, (u32, u32, u32)> {
    let mut books: BTreeMap<u64, (u32, u32, u32)> = BTreeMap::new();
    for (label, weight) in [("app", (1, 0)), ("mx1", (0, 1)), ("mx2", (0, 0))] {
        for (_, fact) in world.mta(label) {
            match fact {
                Fact::Accepted { message, .. } => books.entry(message.key.0).or_default().0 += weight.0,
                Fact::Delivered { message, .. } => books.entry(message.key.0).or_default().1 += weight.1,
                Fact::InDoubt { message, .. } => books.entry(message.key.0).or_default().2 += 1,
                Fact::Recovered { message, .. } => books.entry(message.key.0).or_default().2 += 1,
                _ => {}
            }
        }
    }
    books
}

/// No host of a worse preference is offered a message before the better ones failed or were passed over.
fn keeps_mx_order(world: &World, label: &str) -> bool {
    let best: IpAddr = "192.0.2.10".parse().expect("an address");
    let mut excused: Option<mxdrill_net::Time> = None;
    world.mta(label).all(|(at, fact)| match fact {
        Fact::Failed { target, .. } | Fact::Rejected { target, .. } | Fact::InDoubt { target, .. } => {
            if target.address == best {
                excused = Some(at);
            }
            true
        }
        Fact::Skipped { preference: 10, .. } => {
            excused = Some(at);
            true
        }
        Fact::Relayed { target, began, .. }
            if target.preference > 10 && target.host.first_label() == "mx2" =>
        {
            excused.is_some_and(|excused| excused >= *began)
        }
        _ => true,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn acknowledged_mail_arrives_once(
        profiles in prop::sample::select(vec![("postfix", "postfix"), ("exim", "postfix"), ("rfc5321", "exim")]),
        acts in prop::collection::vec(act(), 1..14),
    ) {
        let mut world = World::usual(profiles.0, profiles.1);
        world.run(1);
        for act in acts.clone() {
            apply(&mut world, act);
        }
        heal(&mut world);
        world.run(world.now() + 2 * 86_400);
        for (key, (accepted, delivered, doubts)) in books(&world) {
            if accepted > 0 {
                prop_assert!(delivered >= 1, "{key:x} was lost\n{}", world.story(&["app", "mx1", "mx2"]));
                prop_assert!(
                    delivered <= 1 + doubts, "{key:x} came {delivered} times\n{}", world.story(&["app", "mx1", "mx2"])
                );
            }
        }
        prop_assert_eq!((world.queued("app"), world.queued("mx2")), (0, 0));
        prop_assert!(keeps_mx_order(&world, "app"), "{}", world.story(&["app"]));
    }
}
