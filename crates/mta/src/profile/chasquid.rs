//! chasquid with its default settings. Names in comments are files of internal/.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Concurrency, Door, Expiry, Jitter, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile, Reuse, Routing, Tls,
    Verdict, Verdicts, hours, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "chasquid",
        about: "chasquid 1.x with its default queue",
        source: "queue/queue.go, courier/smtp.go",
        // queue.go, nextDelay: by age, under 1 min, 5 min, 10 min, and over: which comes to a list
        retry: Retry::List(vec![minutes(1), minutes(5), minutes(10), minutes(20)]),
        jitter: Jitter { after: Duration::from_secs(60), ..Jitter::NONE },
        // queue.go, SendLoop: GiveUpAfter = 20h, looked at before each attempt
        lifetime: Lifetime { mail: Some(hours(20)), bounce: Some(hours(20)), expiry: Expiry::BeforeAttempt },
        routing: ROUTING,
        concurrency: Concurrency { initial: 200, max: 200, run: 200, ..base.concurrency }, // max_queue_items
        reuse: Reuse { messages_max: 1, idle: Duration::ZERO },
        timeouts: TIMEOUTS,
        pipelining: false,
        recipients_max: 1, // queue.go: each recipient is sent by itself
        verdicts: Verdicts { lacks: LACKS, ..Verdicts::both(rfc5321::STAGES) },
        door: Door {
            hops_max: 50, // smtpsrv/conn.go: maxReceivedHeaders
            // max_data_size_mb = 50
            extensions: Extensions { size: Some(50 << 20), ..Extensions::USUAL },
            ..base.door
        },
        // MTA-STS is built in; there is no DANE
        tls: Tls { mta_sts: true, ..Tls::OPPORTUNISTIC },
        ..base
    }
}

/// courier/smtp.go: a failure before MAIL is transient whatever was said, and the next MX is tried; a 5xx to MAIL,
/// RCPT, DATA or the content is permanent. That is what RFC 5321 asks for.
const ROUTING: Routing = Routing {
    hosts_max: Some(5), // lookupMXs: the list is cut at five
    // it does not look for this host among the MX
    own: Own { by_name: false, by_address: false, drops: OwnDrops::Nothing },
    no_address: Verdict::Defer, // deliver: an address that cannot be dialled is transient
    ..rfc5321::ROUTING
};

/// internal/smtp: addresses are converted to IDNA, a local part that cannot be is a permanent error; eight bits go
/// out as they are.
const LACKS: Lacks = Lacks { eight_bit: Lacking::AsIs, utf8: Lacking::Bounce, size: Lacking::AsIs };

/// courier/smtp.go: smtpDialTimeout, smtpTotalTimeout for a whole session.
const TIMEOUTS: Timeouts = Timeouts {
    connect: minutes(1),
    greeting: TOTAL,
    ehlo: TOTAL,
    starttls: TOTAL,
    mail: TOTAL,
    rcpt: TOTAL,
    data_init: TOTAL,
    data_block: TOTAL,
    dot: TOTAL,
    rset: TOTAL,
    quit: TOTAL,
};

const TOTAL: Duration = minutes(10);
