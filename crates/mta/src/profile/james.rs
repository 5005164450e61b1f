//! Apache James with the defaults of its RemoteDelivery mailet (3.8). Names in comments are files of its package
//! remote/delivery, and of the JavaMail library that it sends with.

use std::time::Duration;

use mxdrill_smtp::Timeouts;

use super::{
    Answers, Concurrency, Door, Expiry, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile, Restart, Reuse,
    Routing, Stages, Verdict, Verdicts, hours, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "james",
        about: "Apache James 3.8, RemoteDelivery with the defaults of its code",
        source: "RemoteDeliveryConfiguration.java, MailDelivrer.java, Delay.java",
        // Delay.java: six hours. (The sample mailetcontainer.xml says 5000, 100000, 500000 ms instead: ten minutes.)
        retry: Retry::List(vec![hours(6)]),
        attempts_max: Some(6), // DEFAULT_MAX_RETRY = 5 after the first; there is no lifetime
        lifetime: Lifetime { mail: None, bounce: None, expiry: Expiry::AfterAttempt },
        routing: ROUTING,
        // DeliveryRunnable.java: Queues.SMALL_BUFFER_SIZE at once, whatever the destination
        concurrency: Concurrency { initial: 256, max: 256, run: 256, ..base.concurrency },
        reuse: Reuse { messages_max: 1, idle: Duration::ZERO }, // MailDelivrerToHost.java closes its transport
        timeouts: TIMEOUTS,
        pipelining: false,
        verdicts: Verdicts { lacks: LACKS, ..Verdicts::both(STAGES) },
        door: Door { hops_max: 30, ..base.door }, // mailetcontainer.xml: RelayLimit=30
        restart: Restart::Scheduled,              // the queue keeps its delays
        ..base
    }
}

const ROUTING: Routing = Routing {
    // it does not look for this host among the MX; its documentation advises against backup MX
    own: Own { by_name: false, by_address: false, drops: OwnDrops::Nothing },
    // MailDelivrer.java, handleNoTargetServer: maxDnsProblemRetries = 0, so at once
    better_unresolved: Verdict::Bounce,
    ..rfc5321::ROUTING
};

/// MailDelivrer.java, doDeliver: an I/O error goes on to the next server, and so does a 4xx that leaves recipients
/// unsent; a 5xx is thrown at once. Of a greeting that is not 220, JavaMail makes a MessagingException without a
/// code, which ends the attempt and counts as temporary, a 5xx too.
const STAGES: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::all(Verdict::Next).temporary(Verdict::Defer).permanent(Verdict::Defer),
    ehlo: Answers::PLAIN.temporary(Verdict::Defer),
    ..rfc5321::STAGES
};

/// Converter7Bit for bodies; SmtpUtf8Strategy: domains are converted, a local part that cannot be is permanent.
const LACKS: Lacks = Lacks { eight_bit: Lacking::Convert, utf8: Lacking::Bounce, size: Lacking::AsIs };

/// RemoteDeliveryConfiguration.java: DEFAULT_CONNECTION_TIMEOUT, DEFAULT_SMTP_TIMEOUT.
const TIMEOUTS: Timeouts = Timeouts {
    connect: minutes(1),
    greeting: READ,
    ehlo: READ,
    starttls: READ,
    mail: READ,
    rcpt: READ,
    data_init: READ,
    data_block: READ,
    dot: READ,
    rset: READ,
    quit: READ,
};

const READ: Duration = minutes(3);
