//! Stalwart's SMTP queue with its default settings (0.13 and later). Names in comments are files of crates/smtp and
//! crates/common.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile, Restart, Reuse,
    Routing, Stages, Tls, Verdict, Verdicts, Warn, days, hours, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "stalwart",
        about: "Stalwart 0.13 with its default queue schedule",
        source: "config/smtp/queue.rs, outbound/delivery.rs, outbound/session.rs",
        // config/smtp/queue.rs: the last but one leads to 28 h, the last beyond the lifetime
        retry: Retry::List(vec![
            minutes(2),
            minutes(5),
            minutes(10),
            minutes(15),
            minutes(30),
            hours(1),
            hours(2),
            days(1),
            days(3),
        ]),
        // config/smtp/queue.rs: expires after 3 d; outbound/delivery.rs, has_pending_delivery: at its own time
        lifetime: Lifetime { mail: Some(days(3)), bounce: Some(days(3)), expiry: Expiry::OnTime },
        warn: Warn { after: vec![days(1), days(3)], every: None }, // notify: 1d, 3d
        routing: ROUTING,
        // no limiter by default; the queue's own threads bound it: the number is a choice of this file
        concurrency: Concurrency { initial: 25, max: 25, run: 25, ..base.concurrency },
        reuse: Reuse { messages_max: 1, idle: Duration::ZERO }, // a connection for each message and route
        timeouts: TIMEOUTS,
        verdicts: Verdicts { more: MORE, last: LAST, lacks: LACKS },
        door: Door {
            hops_max: 50, // session.data.limits.received-headers
            // session.data.limits.size = 104857600
            extensions: Extensions { size: Some(104_857_600), ..Extensions::USUAL },
            ..base.door
        },
        restart: Restart::Scheduled, // the queue is in the store, with its times
        // reference, MtaTlsStrategy: dane, mtaSts and startTls are "optional". After a handshake that failed the next
        // attempt takes any certificate; here any is taken from the start
        tls: Tls { dane: true, mta_sts: true, ..Tls::OPPORTUNISTIC },
        ..base
    }
}

const ROUTING: Routing = Routing {
    hosts_max: Some(2),          // max_mx
    host_addresses_max: Some(2), // max_multihomed
    // outbound/lookup.rs does not look for this host among the MX
    own: Own { by_name: false, by_address: false, drops: OwnDrops::Nothing },
    ..rfc5321::ROUTING
};

/// outbound/delivery.rs: until EHLO is answered a host that fails is followed by the next; then `deliver` has the
/// only say (outbound/session.rs): 5xx is final, all else is put off.
const MORE: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::all(Verdict::Next),
    ehlo: Answers::all(Verdict::Next),
    starttls: Answers::all(Verdict::Next),
    ..Stages::all(Answers::LATER)
};

/// The status of the last host stands for the recipients: a 5xx greeting is then permanent.
const LAST: Stages =
    Stages { greeting: Answers::PLAIN, ehlo: Answers::PLAIN, starttls: Answers::PLAIN, ..MORE };

/// outbound/session.rs, build_mail_from: parameters only where they are offered.
const LACKS: Lacks = Lacks { eight_bit: Lacking::AsIs, utf8: Lacking::AsIs, size: Lacking::Bounce };

/// config/smtp/queue.rs: queue.connection.*.timeout.
const TIMEOUTS: Timeouts = Timeouts {
    connect: minutes(5),
    greeting: minutes(5),
    ehlo: minutes(5),
    starttls: minutes(3),
    mail: minutes(5),
    rcpt: minutes(5),
    data_init: minutes(10),
    data_block: minutes(10),
    dot: minutes(10),
    rset: minutes(5),
    quit: Duration::from_secs(5),
};
