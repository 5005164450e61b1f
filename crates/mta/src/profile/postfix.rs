//! Postfix with its default settings (3.7). Names in comments are main.cf parameters and source files.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Dead, Door, Expiry, Fallback, Family, Jitter, Lacking, Lacks, Lifetime, Memory,
    Own, OwnDrops, Profile, Restart, Reuse, Routing, Stages, Tls, Verdict, Verdicts, Warn, days, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    Profile {
        name: "postfix",
        about: "Postfix 3.7 with the defaults of main.cf",
        source: "measured; postconf.proto, qmgr_active.c, smtp_addr.c",
        retry: Retry::Age {
            min: Duration::from_secs(300),  // minimal_backoff_time
            max: Duration::from_secs(4000), // maximal_backoff_time
            scan: Duration::from_secs(300), // queue_run_delay
        },
        jitter: Jitter::NONE,
        attempts_max: None,
        runner: None,
        lifetime: Lifetime {
            mail: Some(days(5)),          // maximal_queue_lifetime
            bounce: Some(days(5)),        // bounce_queue_lifetime
            expiry: Expiry::AfterAttempt, // qmgr_active.c, qmgr_active_done_3_generic
        },
        warn: Warn::default(), // delay_warning_time = 0h
        routing: ROUTING,
        concurrency: Concurrency {
            initial: 5,     // initial_destination_concurrency
            max: 20,        // default_destination_concurrency_limit
            feedback: true, // default_destination_concurrency_*_feedback = 1
            // minimal_backoff_time: qmgr_queue.c, qmgr_queue_throttle
            dead: Some(Dead { lasts: Duration::from_secs(300), at_once: false, counts: false }),
            immediate_max: None,
            run: u32::MAX,
        },
        memory: Memory::None, // each delivery tries the best host again (measured)
        // smtp_connection_cache_time_limit = 2s; smtp_connection_reuse_count_limit = 0: as many as it likes
        reuse: Reuse { messages_max: u32::MAX, idle: Duration::from_secs(2) },
        timeouts: TIMEOUTS,
        pipelining: true,
        chunking: false, // the client has no BDAT
        // smtp_tls_security_level = may, as distributions have it; smtp.h, PLAINTEXT_FALLBACK_OK_AFTER_STARTTLS_FAILURE:
        // only mail that has waited minimal_backoff_time. DANE is there but asked for (smtp_tls_security_level = dane)
        tls: Tls { fallback: Fallback::AfterWaiting(Duration::from_secs(300)), ..Tls::OPPORTUNISTIC },
        recipients_max: 50, // default_destination_recipient_limit
        verdicts: Verdicts { lacks: LACKS, ..Verdicts::both(STAGES) },
        door: Door {
            hops_max: 50,            // hopcount_limit
            sessions_max: Some(100), // default_process_limit
            // message_size_limit = 10240000
            extensions: Extensions { size: Some(10_240_000), ..Extensions::USUAL },
            recipients_max: 1000,           // smtpd_recipient_limit
            idle: Duration::from_secs(300), // smtpd_timeout
        },
        restart: Restart::Scheduled, // the deferred queue keeps its file times; incoming and active are read at start
    }
}

const ROUTING: Routing = Routing {
    family: Family::Any, // smtp_address_preference = any; smtp_addr.c sorts by preference, then shuffles
    addresses_max: Some(5), // smtp_mx_address_limit
    sessions_max: Some(2), // smtp_mx_session_limit
    // smtp_addr.c, smtp_find_self: by address (inet_interfaces, proxy_interfaces)
    own: Own { by_name: false, by_address: true, drops: OwnDrops::EqualAndWorse },
    best_is_self: Verdict::Bounce, // smtp_addr.c: 5.4.6 mail for ... loops back to myself
    better_unresolved: Verdict::Defer, // smtp_addr.c: 4.4.4 unable to find primary relay
    no_address: Verdict::Bounce,   // smtp_defer_if_no_mx_address_found = no
    ..rfc5321::ROUTING
};

/// smtp_trouble.c: a hard error is final, a soft one moves to the next host; smtp_skip_5xx_greeting = yes makes
/// a 5xx greeting soft, at the last host too. EHLO falls back to HELO, whose 5xx is hard.
const STAGES: Stages = Stages { ehlo: Answers::PLAIN, ..rfc5321::STAGES };

/// smtp_proto.c: a message that needs SMTPUTF8 and does not get it is returned (5.6.7); bodies are converted, as
/// disable_mime_output_conversion = no.
const LACKS: Lacks = Lacks { eight_bit: Lacking::Convert, utf8: Lacking::Bounce, size: Lacking::Bounce };

/// smtp_*_timeout of main.cf.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(30),
    greeting: Duration::from_secs(300), // smtp_helo_timeout
    ehlo: Duration::from_secs(300),
    starttls: Duration::from_secs(300),
    mail: Duration::from_secs(300),
    rcpt: Duration::from_secs(300),
    data_init: Duration::from_secs(120),
    data_block: Duration::from_secs(180), // smtp_data_xfer_timeout
    dot: Duration::from_secs(600),        // smtp_data_done_timeout
    rset: Duration::from_secs(20),
    quit: Duration::from_secs(300),
};
