//! OpenSMTPD with its default settings (6.8, 7.x), as a backup by `relay backup mx`. Names in comments are files of
//! usr.sbin/smtpd.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Lacking, Lacks, Lifetime, Memory, Own, OwnDrops, Profile, Restart,
    Reuse, Routing, Stages, Verdict, Verdicts, Warn, days, hours, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "opensmtpd",
        about: "OpenSMTPD 6.8 with the defaults of smtpd.conf, relay backup",
        source: "measured; scheduler_ramqueue.c, mta.c",
        // scheduler_ramqueue.c: BACKOFF_TRANSFER 400, the next of 400 s * k^2 since the message came
        retry: Retry::Power { unit: Duration::from_secs(400), exponent: 2 },
        // smtpd.conf: queue ttl 4d; scheduler_ramqueue.c, rq_queue_schedule: whichever comes first, the next
        // attempt or the end
        lifetime: Lifetime { mail: Some(days(4)), bounce: Some(days(4)), expiry: Expiry::OnTime },
        warn: Warn { after: vec![hours(4)], every: None }, // smtpd.conf: bounce warn-interval 4h
        routing: ROUTING,
        concurrency: Concurrency {
            initial: 1, // one connection to a route that is not proved yet, then one session for all (measured)
            max: 5,     // limit.c: max_conn_per_route
            ..base.concurrency
        },
        // mta.c, mta_route_disable: 15 s * penalty^2; each end of a penalty takes one back, so it stays at one
        // (measured: 15 s)
        memory: Memory::Fixed(Duration::from_secs(15)),
        // limit.c: max_mail_per_session 100, sessdelay_keepalive 10 (measured: idle 10 s)
        reuse: Reuse { messages_max: 100, idle: Duration::from_secs(10) },
        timeouts: TIMEOUTS,
        pipelining: false, // mta_session.c sends one command at a time
        verdicts: Verdicts { lacks: LACKS, ..Verdicts::both(STAGES) },
        door: Door {
            hops_max: 100, // smtpd.h: MAX_HOPS_COUNT
            // smtp_session.c: EHLO has 8BITMIME, ENHANCEDSTATUSCODES, SIZE, DSN; max-message-size 35M
            extensions: Extensions {
                pipelining: false,
                utf8: false,
                size: Some(35 << 20),
                ..Extensions::USUAL
            },
            idle: minutes(5), // smtpd.h: SMTPD_SESSION_TIMEOUT
            ..base.door
        },
        restart: Restart::Scheduled, // envelopes keep their time and number of tries
        ..base
    }
}

const ROUTING: Routing = Routing {
    pause: Duration::from_secs(2), // before the next host (measured)
    // `relay backup mx NAME`: MX of the preference of that name, and worse, are left out
    own: Own { by_name: true, by_address: false, drops: OwnDrops::EqualAndWorse },
    no_address: Verdict::Defer, // mta.c, mta_on_mx: DNS_ENOTFOUND is a temporary failure
    ..rfc5321::ROUTING
};

/// Before the session stands, whatever goes wrong disables the route and moves on, at the last host too; after
/// that there is no next host: a 5xx is final, all else is put off (measured).
const STAGES: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::all(Verdict::Next),
    ehlo: Answers::all(Verdict::Next),
    starttls: Answers::all(Verdict::Next),
    ..Stages::all(Answers::LATER)
};

/// mta_session.c: BODY=8BITMIME where it is offered, the same octets where not; SMTPUTF8 is unknown to it.
const LACKS: Lacks = Lacks { eight_bit: Lacking::AsIs, utf8: Lacking::AsIs, size: Lacking::Bounce };

/// mta_session.c: io_set_timeout 300 s for everything; the connect is left to the kernel (measured 135 s).
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
