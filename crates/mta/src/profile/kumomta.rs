//! KumoMTA with the defaults of its egress path and queue configuration. Names in comments are files of crates/ and
//! keys of `kumo.make_egress_path` and `kumo.make_queue_config`.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Fallback, Jitter, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile,
    Restart, Reuse, Routing, Stages, Tls, Verdict, Verdicts, days, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "kumomta",
        about: "KumoMTA with the defaults of make_egress_path and make_queue_config",
        source: "kumod/src/queue, smtp_dispatcher.rs, rfc5321/client_types.rs",
        // retry_interval = 20m, doubled for each attempt; max_retry_interval is not set
        retry: Retry::Geometric { first: minutes(20), percent: 200, max: days(3650) },
        // queue.rs, delay with jitter: 30 s to either side
        jitter: Jitter { before: Duration::from_secs(30), after: Duration::from_secs(30), ..Jitter::NONE },
        // max_age = 7d; it is over as soon as the next attempt would come later (85 h)
        lifetime: Lifetime { mail: Some(days(7)), bounce: Some(days(7)), expiry: Expiry::NextTooLate },
        routing: ROUTING,
        concurrency: Concurrency { initial: 32, max: 32, run: 32, ..base.concurrency }, // connection_limit
        // max_deliveries_per_connection = 1024, idle_timeout = 60s
        reuse: Reuse { messages_max: 1024, idle: Duration::from_secs(60) },
        timeouts: TIMEOUTS,
        recipients_max: 1, // max_recipients_per_batch
        verdicts: Verdicts { lacks: LACKS, ..Verdicts::both(STAGES) },
        door: Door {
            // max_message_size of a listener
            extensions: Extensions { size: Some(20 << 20), ..Extensions::USUAL },
            ..base.door
        },
        restart: Restart::Scheduled, // the spool keeps the time of the next attempt
        // make_egress_path: enable_tls = "Opportunistic" (an invalid certificate fails the delivery, and no clear text
        // follows on that host), enable_mta_sts = true, enable_dane = false
        tls: Tls { verifies: true, fallback: Fallback::Never, mta_sts: true, ..Tls::OPPORTUNISTIC },
        ..base
    }
}

const ROUTING: Routing = Routing {
    // skip_hosts and prohibited_hosts are the operator's; by itself it does not look for its own host
    own: Own { by_name: false, by_address: false, drops: OwnDrops::Nothing },
    no_address: Verdict::Defer, // smtp_dispatcher.rs: 451 MX didn't resolve to any hosts
    ..rfc5321::ROUTING
};

/// smtp_dispatcher.rs: until EHLO is answered, any failure, a 5xx greeting too, is a failed host and the next is
/// tried; when all failed, the messages are put off. After that a 4xx or a timeout puts the message off, a lost
/// connection goes on with another host.
const STAGES: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::all(Verdict::Next),
    ehlo: Answers::all(Verdict::Next),
    starttls: Answers::all(Verdict::Next),
    ..Stages::all(Answers::LATER.lost(Verdict::Next))
};

/// A message of eight bits, or with such an address, is not sent to a host that does not take it.
const LACKS: Lacks = Lacks::all(Lacking::Bounce);

/// client_types.rs; data_dot_timeout as its documentation has it.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(60),
    greeting: Duration::from_secs(60), // banner_timeout
    ehlo: minutes(5),
    starttls: Duration::from_secs(5),
    mail: minutes(5),
    rcpt: minutes(5),
    data_init: minutes(5),
    data_block: minutes(5),
    dot: Duration::from_secs(60),
    rset: Duration::from_secs(5),
    quit: minutes(5),
};
