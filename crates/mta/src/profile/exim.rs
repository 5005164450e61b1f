//! Exim with the configuration that Debian and the distribution ship (4.96). Names in comments are options and
//! chapters of the specification.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Family, Jitter, Lacking, Lacks, Lifetime, Memory, Own, OwnDrops,
    Profile, Restart, Reuse, Routing, Stages, Tls, Verdicts, Warn, days, hours, minutes, rfc5321,
};
use crate::{Retry, RetryRule};

pub(super) fn profile() -> Profile {
    Profile {
        name: "exim",
        about: "Exim 4.96 with src/configure.default, started with -q30m",
        source: "measured; src/configure.default, spec.xfpt",
        // configure.default: * * F,2h,15m; G,16h,1h,1.5; F,4d,6h
        retry: Retry::Rules(vec![
            RetryRule::Fixed { until: hours(2), every: minutes(15) },
            RetryRule::Growing { until: hours(16), first: hours(1), percent: 150 },
            RetryRule::Fixed { until: days(4), every: hours(6) },
        ]),
        jitter: Jitter::NONE,
        attempts_max: None,
        runner: Some(minutes(30)), // -q30m
        lifetime: Lifetime {
            mail: None,            // only the retry rules end it
            bounce: Some(days(2)), // ignore_bounce_errors_after = 2d in configure.default: frozen till then
            expiry: Expiry::HostCutoff,
        },
        // delay_warning = 24h, a single time: also the interval of further ones
        warn: Warn { after: vec![hours(24)], every: Some(hours(24)) },
        routing: ROUTING,
        concurrency: Concurrency {
            initial: 100, // a process per message, all at once (measured)
            max: 100,
            feedback: false,
            dead: None,
            immediate_max: Some(10), // smtp_accept_queue_per_connection
            run: 1,                  // a runner delivers one message after the other; waiting mail follows it
        },
        memory: Memory::Clock { forget: days(7) }, // retry_data_expire
        reuse: Reuse { messages_max: 500, idle: Duration::ZERO }, // connection_max_messages
        timeouts: TIMEOUTS,
        pipelining: true,
        chunking: true, // BDAT wherever CHUNKING is offered (measured)
        // tls_tempfail_tryclear = true, at once over another connection; hosts_try_dane = *
        tls: Tls { dane: true, ..Tls::OPPORTUNISTIC },
        recipients_max: 100, // max_rcpt of the smtp transport
        verdicts: Verdicts { more: MORE, last: LAST, lacks: LACKS },
        door: Door {
            hops_max: 30,           // received_headers_max
            sessions_max: Some(20), // smtp_accept_max
            // message_size_limit = 50M
            extensions: Extensions { size: Some(50 << 20), ..Extensions::USUAL },
            recipients_max: 50_000,         // recipients_max
            idle: Duration::from_secs(300), // smtp_receive_timeout
        },
        restart: Restart::Due, // the hints database survives in life; a queue run comes with the start
    }
}

const ROUTING: Routing = Routing {
    family: Family::Ipv6First, // host.c, host_find_bydns: AAAA is looked up first
    addresses_max: Some(5),    // hosts_max_try
    each_preference: true,     // hosts_max_try: one host of every MX value is tried
    // dnslookup router, self = freeze for the best, removal of self and worse below it (spec, "self" option)
    own: Own { by_name: false, by_address: true, drops: OwnDrops::EqualAndWorse },
    ..rfc5321::ROUTING
};

/// transports/smtp.c: while other hosts remain, a 5xx to the greeting moves on (measured), a 5xx later is final.
const MORE: Stages = Stages { ehlo: Answers::PLAIN, ..rfc5321::STAGES };

/// At the last host a 5xx greeting returns the message (measured: a backup bounces what its hints do not spare).
const LAST: Stages = Stages { greeting: Answers::PLAIN, ..MORE };

/// accept_8bitmime: "Exim does not do any kind of conversion", eight-bit mail goes out as it is (spec, chapter on
/// main options). transports/smtp.c: without SMTPUTF8 the addresses are converted where utf8_downgrade allows, or
/// the delivery to this host fails.
const LACKS: Lacks = Lacks { eight_bit: Lacking::AsIs, utf8: Lacking::Bounce, size: Lacking::Bounce };

/// The smtp transport: connect_timeout (the kernel's own patience ends sooner), command_timeout, data_timeout,
/// final_timeout. QUIT is not waited for long.
const TIMEOUTS: Timeouts = Timeouts {
    connect: minutes(5),
    greeting: minutes(5),
    ehlo: minutes(5),
    starttls: minutes(5),
    mail: minutes(5),
    rcpt: minutes(5),
    data_init: minutes(5),
    data_block: minutes(5),
    dot: minutes(10),
    rset: minutes(5),
    quit: Duration::from_secs(5),
};
