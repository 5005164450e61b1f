//! mox with its default settings. Names in comments are files of queue/ and smtpclient/.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Jitter, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile, Restart,
    Reuse, Routing, Stages, Tls, Verdict, Verdicts, Warn, days, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "mox",
        about: "mox 0.0.x with its default queue",
        source: "queue/queue.go, queue/direct.go, smtpclient/dial.go",
        // queue.go: seven and a half minutes, doubled with each attempt
        retry: Retry::Geometric { first: Duration::from_secs(450), percent: 200, max: days(3650) },
        // five seconds to either side of the first wait: a little over a percent, seen from its lower end
        jitter: Jitter { ppm: 11_000, ..Jitter::NONE },
        attempts_max: Some(8), // there is no lifetime: the eighth failure, after 15.9 h, is the last
        lifetime: Lifetime { mail: None, bounce: None, expiry: Expiry::AfterAttempt },
        warn: Warn { after: vec![minutes(112)], every: None }, // a DSN of delay with the fifth failure (112.5 min)
        routing: ROUTING,
        concurrency: Concurrency { initial: 1, max: 1, run: 1, ..base.concurrency }, // one delivery a domain
        reuse: Reuse { messages_max: 1, idle: Duration::ZERO },
        timeouts: TIMEOUTS,
        verdicts: Verdicts { lacks: LACKS, ..Verdicts::both(STAGES) },
        door: Door {
            // SMTP.SMTPMaxMessageSize: 100 MB
            extensions: Extensions { size: Some(100 << 20), ..Extensions::USUAL },
            ..base.door
        },
        restart: Restart::Scheduled, // the database keeps the next attempt
        // features of the delivery by default: DANE, MTA-STS; without a policy plain text follows a handshake that failed
        tls: Tls { dane: true, mta_sts: true, ..Tls::OPPORTUNISTIC },
        ..base
    }
}

const ROUTING: Routing = Routing {
    // direct.go does not look for this host among the MX: mox is not made to be a backup
    own: Own { by_name: false, by_address: false, drops: OwnDrops::Nothing },
    ..rfc5321::ROUTING
};

/// direct.go, deliverDirect: a permanent failure ends it, the greeting's too; after any other the next host is
/// tried.
const STAGES: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::PLAIN,
    ehlo: Answers::PLAIN,
    ..rfc5321::STAGES
};

/// smtpclient: what the message needs and the server lacks is a permanent error (5.6.3, 5.6.7).
const LACKS: Lacks = Lacks::all(Lacking::Bounce);

/// dial.go: 30 s for look-ups and all addresses of a host; direct.go: half an hour for a whole session.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(30),
    greeting: SESSION,
    ehlo: SESSION,
    starttls: SESSION,
    mail: SESSION,
    rcpt: SESSION,
    data_init: SESSION,
    data_block: SESSION,
    dot: SESSION,
    rset: SESSION,
    quit: Duration::from_secs(5),
};

const SESSION: Duration = minutes(30);
