//! Drills that are measured: hops into a full node, mail held through an outage, small drills, an empty lab.

use std::time::Duration;

use mxdrill::{Drill, World, build::*};

/// Octets of a body.
pub(crate) const BODY: usize = 1024;
/// Sessions at once, as the originator of a drill has them.
pub(crate) const LANES: usize = 20;

/// How messages follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Over connections that are used again, with PIPELINING.
    Pipelined,
    /// Over connections that are used again, command by command.
    Lockstep,
    /// Each over a connection of its own.
    Single,
}

impl Manner {
    /// All of them.
    pub(crate) const ALL: [Manner; 3] = [Manner::Pipelined, Manner::Lockstep, Manner::Single];

    /// Its name.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Manner::Pipelined => "pipelined",
            Manner::Lockstep => "lockstep",
            Manner::Single => "single",
        }
    }
}

/// So many messages into one node, with ledger, checks and hashed journal.
///
/// # Panics
/// When the drill does not pass.
pub(crate) fn full(manner: Manner, count: u64) {
    let count = u32::try_from(count).expect("so many messages have numbers");
    let mx1 = Host::delivers("mx1");
    let mx1 = if manner == Manner::Lockstep { mx1.lacks(["PIPELINING"]) } else { mx1 };
    let mail = match manner {
        // ten a second: each session is over before the next begins
        Manner::Single => send_at_rate("36000/h", Duration::from_millis(u64::from(count) * 100)),
        Manner::Pipelined | Manner::Lockstep => send(count),
    };
    let drill = Drill::new("hops").zone("example.test", [mx(10, "mx1")]).host(mx1).at(
        Duration::ZERO,
        mail.by("mx1").from("alice@sender.test").to("user@example.test").size(BODY as u64),
    );
    play(&drill.at(days(365), expect(delivered("mx1").is(u64::from(count)))), &World::sim(1));
}

/// So many messages that a backup holds while the primary is away, and then drains.
///
/// # Panics
/// When the drill does not pass.
pub(crate) fn held(count: u64, outage: Duration, seed: u64) {
    let number = u32::try_from(count).expect("so many messages have numbers");
    let drill = Drill::new("held through an outage")
        .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
        .host(Host::delivers("mx1"))
        .host(Host::relays("mx2").like(Postfix))
        .at(Duration::ZERO, fault("mx1").refuse().lasting(outage))
        .at(
            if outage > days(1) { hours(2) } else { minutes(1) },
            send(number).by("mx2").from("alice@sender.test").to("user@example.test").size(BODY as u64),
        )
        .at(outage + days(1), expect(delivered("mx1").is(count)));
    play(&drill, &World::sim(seed));
}

/// A real world with DNS and two MX, in which nothing happens.
///
/// # Panics
/// When it cannot be built.
pub(crate) fn lab() {
    let drill = Drill::new("an empty lab")
        .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
        .host(Host::delivers("mx1"))
        .host(Host::relays("mx2").like(Postfix))
        .end(Duration::ZERO);
    play(&drill, &World::live());
}

fn play(drill: &Drill, world: &World) {
    let outcome = drill.play(world.clone());
    assert!(outcome.violations.is_empty(), "the drill passes: {:?}", outcome.violations);
}
