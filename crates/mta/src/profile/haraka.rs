//! Haraka's outbound queue with its default settings (3.x). Names in comments are files of outbound/ and settings of
//! outbound.ini.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Jitter, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile, Restart,
    Reuse, Routing, Stages, Verdict, Verdicts, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "haraka",
        about: "Haraka 3.x with the defaults of outbound.ini",
        source: "measured; outbound/hmail.js, config.js",
        // temp_fail_intervals: 2^(i + 5) s, i = 1..12
        retry: Retry::Geometric {
            first: Duration::from_secs(64),
            percent: 200,
            max: Duration::from_secs(64 << 11),
        },
        jitter: Jitter::NONE,
        attempts_max: Some(13), // hmail.js, temp_fail: after the 13th failure there is no interval left
        lifetime: Lifetime { mail: None, bounce: None, expiry: Expiry::AfterAttempt },
        routing: ROUTING,
        // concurrency_max for a worker, whatever the destination; one delivery a mail, all at once (measured)
        concurrency: Concurrency { initial: 10_000, max: 10_000, run: 10_000, ..base.concurrency },
        reuse: Reuse { messages_max: 1, idle: Duration::ZERO }, // no pool since 3.0
        timeouts: TIMEOUTS,
        pipelining: false, // hmail.js answers one line after the other
        verdicts: Verdicts { lacks: Lacks::all(Lacking::AsIs), ..Verdicts::both(STAGES) },
        door: Door {
            hops_max: 100, // max_received_count
            // config/databytes
            extensions: Extensions { size: Some(26_214_400), ..Extensions::USUAL },
            ..base.door
        },
        restart: Restart::Scheduled, // qfile.js: the file name says when
        ..base
    }
}

const ROUTING: Routing = Routing {
    // hmail.js, try_deliver, local_mx_ok = false: its own host is passed over, worse ones are not (RFC 5321 5.1
    // says they MUST be)
    own: Own { by_name: true, by_address: true, drops: OwnDrops::SelfOnly },
    // hmail.js, "Tried all MXs": a temporary failure, whyever none was left
    best_is_self: Verdict::Defer,
    better_unresolved: Verdict::Defer,
    no_address: Verdict::Defer,
    ..rfc5321::ROUTING
};

/// hmail.js, try_deliver_host_on_socket: a lost connection goes on to the next host, at any stage; a reply ends the
/// attempt, 4xx with temp_fail, 5xx with bounce, the greeting's too (measured).
const STAGES: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    ..Stages::all(Answers::all(Verdict::Next).temporary(Verdict::Defer).permanent(Verdict::Bounce))
};

/// connect_timeout = 30, which stays the socket's timeout for the whole dialogue (measured at the greeting).
const TIMEOUTS: Timeouts = Timeouts {
    connect: HALF,
    greeting: HALF,
    ehlo: HALF,
    starttls: HALF,
    mail: HALF,
    rcpt: HALF,
    data_init: HALF,
    data_block: HALF,
    dot: HALF,
    rset: HALF,
    quit: HALF,
};

const HALF: Duration = Duration::from_secs(30);
