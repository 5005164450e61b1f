//! qmail: netqmail 1.06, and notqmail, which keeps its behaviour. Names in comments are source files.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Family, Lacking, Lacks, Lifetime, Memory, Own, OwnDrops, Profile,
    Restart, Reuse, Routing, Stages, Verdict, Verdicts, days, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "qmail",
        about: "netqmail 1.06 and notqmail with the defaults of qmail-control",
        source: "qmail-send.c, qmail-remote.c, tcpto.c",
        // qmail-send.c, nextretry: (sqrt(age) + 20)^2, which is 400 s * k^2 when nothing is late
        retry: Retry::Power { unit: Duration::from_secs(400), exponent: 2 },
        // qmail-send.c: lifetime = 604800; pass_dochan: a pass that begins later is the last. So the attempt of
        // k = 39 at 169 h is made, and returns the message when it fails.
        lifetime: Lifetime { mail: Some(days(7)), bounce: Some(days(7)), expiry: Expiry::AfterAttempt },
        routing: ROUTING,
        concurrency: Concurrency { initial: 20, max: 20, run: 20, ..base.concurrency }, // concurrencyremote
        // tcpto.c: an address whose connect timed out twice, two minutes apart or more, is passed over for
        // (60 + pid % 32) * 64 s: the shortest of these
        memory: Memory::Timeouts {
            times: 2,
            apart: Duration::from_secs(120),
            lasts: Duration::from_secs(60 << 6),
        },
        reuse: Reuse { messages_max: 1, idle: Duration::ZERO }, // a qmail-remote for each recipient
        timeouts: TIMEOUTS,
        pipelining: false, // qmail-remote.c: HELO, one command at a time
        recipients_max: 1, // qmail-send.c: each recipient is a delivery of its own
        verdicts: Verdicts { lacks: Lacks::all(Lacking::AsIs), ..Verdicts::both(STAGES) },
        door: Door {
            hops_max: 100, // qmail-smtpd.c: MAXHOPS
            // qmail-smtpd.c, smtp_ehlo
            extensions: Extensions { pipelining: true, eight_bit: true, ..Extensions::NONE },
            sessions_max: Some(40),          // tcpserver -c
            idle: Duration::from_secs(1200), // timeoutsmtpd
            ..base.door
        },
        restart: Restart::Scheduled, // qmail-send.c, pqadd: the file times of the queue
        ..base
    }
}

const ROUTING: Routing = Routing {
    family: Family::Ipv4Only, // without the patches
    // qmail-remote.c: ipme, prefme
    own: Own { by_name: false, by_address: true, drops: OwnDrops::EqualAndWorse },
    // a better MX without an address is not in the list at all: perm_ambigmx, as if this host were the best
    better_unresolved: Verdict::Bounce,
    ..rfc5321::ROUTING
};

/// qmail-remote.c, main: hosts are tried until a connection stands; "smtp() does not return". From then on there
/// is no next host. Anything but 220 to the greeting, and anything but 250 to HELO, is temporary, a 5xx too.
const STAGES: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::all(Verdict::Defer),
    ehlo: Answers::all(Verdict::Defer),
    starttls: Answers::all(Verdict::Defer),
    ..Stages::all(Answers::LATER)
};

/// timeoutconnect = 60, timeoutremote = 1200.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(60),
    greeting: REMOTE,
    ehlo: REMOTE,
    starttls: REMOTE,
    mail: REMOTE,
    rcpt: REMOTE,
    data_init: REMOTE,
    data_block: REMOTE,
    dot: REMOTE,
    rset: REMOTE,
    quit: Duration::from_secs(1), // "waiting for remote side is just too ridiculous"
};

const REMOTE: Duration = Duration::from_secs(1200);
