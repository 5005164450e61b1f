//! Sendmail with the settings of its cf/README (8.17), its queue run every half hour. Names in comments are options
//! of that page and source files.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Lacking, Lacks, Lifetime, Profile, Reuse, Stages, Verdicts, Warn,
    days, hours, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "sendmail",
        about: "Sendmail 8.17 with the defaults of cf/README, started with -q30m",
        source: "measured; cf/README, usersmtp.c",
        retry: Retry::List(vec![Duration::ZERO]), // MinQueueAge = 0: every queue run tries everything
        runner: Some(minutes(30)), // -q30m, as FreeBSD's rc.conf and the operations guide start it
        // Timeout.queuereturn = 5d; DSNs too
        lifetime: Lifetime { mail: Some(days(5)), bounce: Some(days(5)), expiry: Expiry::AfterAttempt },
        warn: Warn { after: vec![hours(4)], every: None }, // Timeout.queuewarn = 4h
        concurrency: Concurrency {
            initial: 100, // a process per message, all at once (measured)
            max: 100,
            run: 1, // ForkEachJob = false: a queue run takes one message after the other
            ..base.concurrency
        },
        // ConnectionCacheSize = 2, within one process: a queue run uses its session again, new mail has its own
        reuse: Reuse { messages_max: u32::MAX, idle: Duration::ZERO },
        timeouts: TIMEOUTS,
        verdicts: Verdicts { more: MORE, last: LAST, lacks: LACKS },
        door: Door {
            hops_max: 25,                                                  // MaxHopCount
            extensions: Extensions { size: Some(0), ..Extensions::USUAL }, // MaxMessageSize = infinite
            idle: hours(1),                                                // Timeout.command
            ..base.door
        },
        ..base
    }
}

/// While another host remains, whatever a host says before MAIL moves on, a 5xx too (measured), and so does a 4xx
/// at any stage.
const MORE: Stages = rfc5321::STAGES;

/// usersmtp.c, smtpinit, `unavailable`: at the last host a 5xx to the greeting or to HELO is EX_UNAVAILABLE, which
/// returns the message.
const LAST: Stages = Stages { greeting: Answers::PLAIN, ehlo: Answers::PLAIN, ..MORE };

/// EightBitMode = pass8: what was labelled 8BITMIME is converted for a host without it; a host without SMTPUTF8 gets none of it (8.17, EAI).
const LACKS: Lacks = Lacks { eight_bit: Lacking::Convert, utf8: Lacking::Bounce, size: Lacking::Bounce };

/// Timeout.*; the connect is left to the kernel, whose patience ends after some 134 s (measured).
const TIMEOUTS: Timeouts = Timeouts {
    connect: hours(1),    // Timeout.connect is not set
    greeting: minutes(5), // Timeout.initial
    ehlo: minutes(5),     // Timeout.helo
    starttls: hours(1),
    mail: minutes(10),
    rcpt: hours(1),
    data_init: minutes(5),
    data_block: hours(1),
    dot: hours(1), // Timeout.datafinal
    rset: minutes(5),
    quit: minutes(2),
};
