//! maddy with its default settings. Names in comments are files of internal/target/.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile, Restart, Reuse,
    Routing, Stages, Tls, Verdict, Verdicts, minutes, rfc5321,
};
use crate::Retry;

/// queue/queue.go: a quarter of an hour times 1.25^(n - 1), of which only the whole part counts.
const QUARTERS: [u64; 19] = [1, 1, 1, 1, 2, 3, 3, 4, 5, 7, 9, 11, 14, 18, 22, 28, 35, 44, 55];

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "maddy",
        about: "maddy 0.7 with the defaults of target.queue and target.remote",
        source: "queue/queue.go, remote/connect.go, smtpconn.go",
        retry: Retry::List(QUARTERS.map(|n| minutes(15 * n)).to_vec()),
        attempts_max: Some(20), // max_tries: there is no lifetime
        lifetime: Lifetime { mail: None, bounce: None, expiry: Expiry::AfterAttempt },
        routing: ROUTING,
        concurrency: Concurrency { initial: 16, max: 16, run: 16, ..base.concurrency }, // max_parallelism
        // remote.go: conn_reuse_limit = 10, MaxConnLifetimeSec = 150
        reuse: Reuse { messages_max: 10, idle: Duration::from_secs(150) },
        timeouts: TIMEOUTS,
        pipelining: false, // go-smtp's client
        verdicts: Verdicts { more: MORE, last: LAST, lacks: LACKS },
        door: Door {
            hops_max: 50, // max_received
            // max_message_size = 32M
            extensions: Extensions { size: Some(32 << 20), ..Extensions::USUAL },
            ..base.door
        },
        restart: Restart::Scheduled, // queue.go, readDiskQueue
        // the shipped maddy.conf: mx_auth { dane, mtasts }
        tls: Tls { dane: true, mta_sts: true, ..Tls::OPPORTUNISTIC },
        ..base
    }
}

const ROUTING: Routing = Routing {
    shuffle: false, // connect.go sorts by preference and leaves it at that
    // it does not look for this host among the MX
    own: Own { by_name: false, by_address: false, drops: OwnDrops::Nothing },
    ..rfc5321::ROUTING
};

/// connect.go, newConn: the first MX with which a session can be had; after that there is no next one.
const MORE: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::all(Verdict::Next),
    ehlo: Answers::all(Verdict::Next),
    starttls: Answers::all(Verdict::Next),
    ..Stages::all(Answers::LATER)
};

/// "No usable MXs" has the class of the last error: a 5xx greeting there is permanent.
const LAST: Stages =
    Stages { greeting: Answers::PLAIN, ehlo: Answers::PLAIN, starttls: Answers::PLAIN, ..MORE };

/// smtpconn.go: addresses are converted to ASCII, or 5.6.7; eight bits go out as they are.
const LACKS: Lacks = Lacks { eight_bit: Lacking::AsIs, utf8: Lacking::Bounce, size: Lacking::Bounce };

/// remote.go: connect_timeout, command_timeout, submission_timeout.
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
