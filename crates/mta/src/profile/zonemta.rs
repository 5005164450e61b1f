//! ZoneMTA with its default settings. Names in comments are files of lib/.

use std::time::Duration;

use mxdrill_smtp::Timeouts;

use super::{
    Answers, Concurrency, Dead, Door, Expiry, Family, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile,
    Restart, Reuse, Routing, Stages, Verdict, Verdicts, days, minutes, rfc5321,
};
use crate::Retry;

/// sender.js, ttlMinutes.
const MINUTES: [u64; 17] = [5, 7, 8, 25, 75, 120, 240, 240, 240, 240, 240, 240, 240, 240, 240, 240, 240];

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "zonemta",
        about: "ZoneMTA 3.x with its default sending zone",
        source: "lib/sender.js, lib/mail-queue.js",
        retry: Retry::List(MINUTES.map(minutes).to_vec()),
        attempts_max: Some(18), // handleResponseError: as many deferrals as there are intervals (48 h)
        lifetime: Lifetime { mail: Some(days(30)), bounce: Some(days(30)), expiry: Expiry::AfterAttempt }, // maxQueueTime
        routing: ROUTING,
        concurrency: Concurrency {
            initial: 5, // connections of a zone
            max: 5,
            run: 5,
            // getConnectionWithCache: ten minutes, and the mail that is put off meanwhile has had an attempt
            dead: Some(Dead { lasts: minutes(10), at_once: true, counts: true }),
            ..base.concurrency
        },
        reuse: Reuse { messages_max: 1, idle: Duration::ZERO }, // QUIT after each
        timeouts: TIMEOUTS,
        pipelining: false, // nodemailer's smtp-connection
        recipients_max: 1, // a delivery for each recipient
        verdicts: Verdicts { more: MORE, last: LAST, lacks: LACKS },
        door: Door { hops_max: 25, ..base.door }, // plugins: loop breaker
        restart: Restart::Scheduled,              // the database keeps the time
        ..base
    }
}

const ROUTING: Routing = Routing {
    family: Family::Ipv4First, // dns.preferIPv6 = false
    shuffle: false,
    // it does not look for this host among the MX
    own: Own { by_name: false, by_address: false, drops: OwnDrops::Nothing },
    no_address: Verdict::Defer, // tryConnectMX: 450 Can't connect to any MX server
    no_domain: Verdict::Defer,  // 450 Can't find an MX server
    ..rfc5321::ROUTING
};

/// sender.js, getConnection: as long as the session does not stand, the next address and the next exchange are
/// tried; after that a 5xx is final, and all else is put off.
const MORE: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::all(Verdict::Next),
    ehlo: Answers::all(Verdict::Next),
    starttls: Answers::all(Verdict::Next),
    ..Stages::all(Answers::LATER)
};

/// The last error's own response stands: a 5xx greeting is then rejected.
const LAST: Stages = Stages { greeting: Answers::PLAIN, ehlo: Answers::PLAIN, ..MORE };

/// nodemailer: BODY=8BITMIME and SMTPUTF8 where they are offered; an address that needs SMTPUTF8 is an error of its
/// own without a code, which is put off.
const LACKS: Lacks = Lacks { eight_bit: Lacking::AsIs, utf8: Lacking::Defer, size: Lacking::Bounce };

/// sender.js: connectionTimeout, greetingTimeout; nodemailer's socketTimeout of ten minutes for the rest.
const TIMEOUTS: Timeouts = Timeouts {
    connect: minutes(5),
    greeting: minutes(2),
    ehlo: SOCKET,
    starttls: SOCKET,
    mail: SOCKET,
    rcpt: SOCKET,
    data_init: SOCKET,
    data_block: SOCKET,
    dot: SOCKET,
    rset: SOCKET,
    quit: SOCKET,
};

const SOCKET: Duration = minutes(10);
