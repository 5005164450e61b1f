//! Drills that are measured: hops into a full node, mail held through an outage, small drills, an empty lab.

use std::time::Duration;

use mxdrill::{Drill, Lab, World, build::*, scenario::Scenario};

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
    let mx1 = if manner == Manner::Lockstep { mx1.lacks(["pipelining"]) } else { mx1 };
    let mail = match manner {
        // ten a second: each session is over before the next begins
        Manner::Single => send_at_rate("36000/h", Duration::from_millis(u64::from(count) * 100)),
        Manner::Pipelined | Manner::Lockstep => send(count),
    };
    let drill = Drill::new("hops").zone("example.test", [mx(10, "mx1")]).host(mx1).at(
        Duration::ZERO,
        mail.by("mx1").from("alice@sender.test").to("user@example.test").size(BODY as u64),
    );
    let drill = drill.at(days(365), expect(delivered("mx1").is(u64::from(count))));
    play(&drill.scenario().expect("a scenario"), &World::sim(1).alone());
}

/// So many messages that a backup holds while the primary is away, and then drains.
pub(crate) fn held(count: u64, outage: Duration) -> Scenario {
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
    drill.scenario().expect("a scenario")
}

/// A zone with two MX.
pub(crate) fn two_mx() -> Drill {
    Drill::new("two MX")
        .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
        .host(Host::delivers("mx1"))
        .host(Host::relays("mx2").like(Postfix))
}

/// From nothing to a lab whose DNS and two MX answer. It is handed over so that its end is not counted.
///
/// # Panics
/// When it cannot be built.
pub(crate) fn lab() -> Lab {
    Lab::start_blocking(&two_mx().scenario().expect("a scenario")).expect("a lab on loopback")
}

/// Plays a drill that passes.
///
/// # Panics
/// When it does not.
pub(crate) fn play(scenario: &Scenario, world: &World) {
    let outcome = scenario.play(world).expect("the drill can be played");
    assert!(outcome.violations.is_empty(), "the drill passes: {:?}", outcome.violations);
}
