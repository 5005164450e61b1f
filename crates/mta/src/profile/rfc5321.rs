//! What RFC 5321 asks for, where it gives a number, and its plainest reading where it does not.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Family, Jitter, Lifetime, Memory, Own, OwnDrops, Profile, Restart,
    Reuse, Routing, Stages, Tls, Verdict, Verdicts, Warn, days, minutes,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    Profile {
        name: "rfc5321",
        about: "RFC 5321 to the letter: every MX in order of preference, a retry each half hour for five days",
        source: "RFC 5321",
        // 4.5.4.1: "the retry interval SHOULD be at least 30 minutes"
        retry: Retry::List(vec![minutes(30)]),
        jitter: Jitter::NONE,
        attempts_max: None,
        runner: None,
        // 4.5.4.1: "the give-up time generally needs to be at least 4-5 days"
        lifetime: Lifetime { mail: Some(days(5)), bounce: Some(days(5)), expiry: Expiry::AfterAttempt },
        warn: Warn::default(),
        routing: ROUTING,
        // no number in the RFC; 4.5.4.1 leaves room for "multiple concurrent outgoing mail transactions"
        concurrency: Concurrency {
            initial: 20,
            max: 20,
            feedback: false,
            dead: None,
            immediate_max: None,
            run: 20,
        },
        // 4.5.4.1: a client "SHOULD keep a list of hosts it cannot reach", but need not; without one, drills
        // show the MX order itself
        memory: Memory::None,
        // 4.5.4.1: "multiple copies to a host ... SHOULD be sent over one connection" in spirit
        reuse: Reuse { messages_max: u32::MAX, idle: Duration::from_secs(2) },
        // 4.5.3.2; where it is silent (connect, EHLO, RSET) the value is smtp's
        timeouts: Timeouts::default(),
        pipelining: true,
        chunking: false,
        // RFC 7435 3: some protection most of the time; RFC 3207 leaves it to the client
        tls: Tls::OPPORTUNISTIC,
        // 4.5.3.1.8: a server MUST take at least 100
        recipients_max: 100,
        // 4.2.1: 4yz "encouraged to try again", 5yz "SHOULD NOT repeat"; 5.1: next address on any other failure.
        // A 5yz greeting says that this host takes no mail (3.1), not that no host does.
        verdicts: Verdicts::both(STAGES),
        // 6.3: "a large rejection threshold, normally at least 100 Received entries"
        door: Door {
            hops_max: 100,
            sessions_max: None,
            extensions: Extensions { size: Some(0), ..Extensions::USUAL },
            recipients_max: 1000,
            idle: minutes(5), // 4.5.3.2.7
        },
        restart: Restart::Due,
    }
}

/// 5.1: every address in order, equals at random, "at least two addresses", self and worse dropped.
pub(super) const ROUTING: Routing = Routing {
    family: Family::Ipv6First,
    shuffle: true,
    hosts_max: None,
    host_addresses_max: None,
    addresses_max: None,
    each_preference: false,
    sessions_max: None,
    pause: Duration::ZERO,
    own: Own { by_name: true, by_address: true, drops: OwnDrops::EqualAndWorse },
    best_is_self: Verdict::Bounce,
    better_unresolved: Verdict::Defer,
    no_address: Verdict::Bounce,
    no_domain: Verdict::Bounce,
    no_answer: Verdict::Defer,
};

/// 5xx is final but at the greeting and at EHLO, where it speaks of the host alone.
pub(super) const STAGES: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::all(Verdict::Next),
    ehlo: Answers::all(Verdict::Next),
    starttls: Answers::all(Verdict::Next),
    ..Stages::all(Answers::PLAIN)
};
