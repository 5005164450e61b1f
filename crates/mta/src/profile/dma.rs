//! The DragonFly mail agent (0.13), which sends and does not listen. Names in comments are source files.

use std::time::Duration;

use mxdrill_smtp::Timeouts;

use super::{
    Answers, Concurrency, Expiry, Jitter, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile, Reuse, Routing,
    Stages, Verdict, Verdicts, days, hours, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "dma",
        about: "DragonFly Mail Agent 0.13 with its defaults",
        source: "measured; dma.c, net.c",
        // dma.h: MIN_RETRY = 5 min, MAX_RETRY = 3 h; dma.c: the next wait is 1.5 to 2.5 times the last
        retry: Retry::Geometric { first: minutes(5), percent: 150, max: hours(3) },
        jitter: Jitter { ppm: 666_667, carries: true, ..Jitter::NONE },
        // dma.h: MAX_TIMEOUT = 5 days, looked at after each failure
        lifetime: Lifetime { mail: Some(days(5)), bounce: Some(days(5)), expiry: Expiry::AfterAttempt },
        routing: ROUTING,
        // dma.c, go_background: a process for each recipient, all at once (measured)
        concurrency: Concurrency { initial: 1000, max: 1000, run: 1000, ..base.concurrency },
        reuse: Reuse { messages_max: 1, idle: Duration::ZERO },
        timeouts: TIMEOUTS,
        pipelining: false,
        recipients_max: 1,
        verdicts: Verdicts { lacks: Lacks::all(Lacking::AsIs), ..Verdicts::both(STAGES) },
        ..base
    }
}

const ROUTING: Routing = Routing {
    shuffle: false,
    // it does not look for this host among the MX
    own: Own { by_name: false, by_address: false, drops: OwnDrops::Nothing },
    ..rfc5321::ROUTING
};

/// Measured: a 4xx goes on to the next host, the greeting's too; a 5xx is final, the greeting's too; a connection
/// that is lost or falls silent once it stood ends the attempt.
const STAGES: Stages =
    Stages { connect: Answers::all(Verdict::Next), ..Stages::all(Answers::LATER.temporary(Verdict::Next)) };

/// net.c: CON_TIMEOUT = 5 min for each reply; the connect is left to the kernel (measured 135 s).
const TIMEOUTS: Timeouts = Timeouts {
    connect: minutes(5),
    greeting: minutes(5),
    ehlo: minutes(5),
    starttls: minutes(5),
    mail: minutes(5),
    rcpt: minutes(5),
    data_init: minutes(5),
    data_block: minutes(5),
    dot: minutes(5),
    rset: minutes(5),
    quit: minutes(5),
};
