//! Postal with its default settings (3.x). Names in comments are files of app/.

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

use super::{
    Answers, Concurrency, Door, Expiry, Lacking, Lacks, Lifetime, Own, OwnDrops, Profile, Restart, Reuse,
    Routing, Stages, Verdict, Verdicts, days, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    Profile {
        name: "postal",
        about: "Postal 3.x with the defaults of postal.yml",
        source: "models/concerns/has_locking.rb, senders/smtp_sender.rb",
        // has_locking.rb, calculate_retry_time: 1.3^attempts * 5 minutes
        retry: Retry::Geometric { first: minutes(5), percent: 130, max: days(3650) },
        attempts_max: Some(18), // default_maximum_delivery_attempts: there is no lifetime
        lifetime: Lifetime { mail: None, bounce: None, expiry: Expiry::AfterAttempt },
        routing: ROUTING,
        concurrency: Concurrency { initial: 4, max: 4, run: 4, ..base.concurrency }, // worker.threads
        reuse: Reuse { messages_max: 10, idle: Duration::ZERO }, // a batch of one domain has one sender
        timeouts: TIMEOUTS,
        pipelining: false, // Net::SMTP
        recipients_max: 1, // a message for each recipient
        verdicts: Verdicts { lacks: Lacks::all(Lacking::AsIs), ..Verdicts::both(STAGES) },
        door: Door {
            // smtp_server.max_message_size = 14 MB
            extensions: Extensions {
                pipelining: false,
                utf8: false,
                size: Some(14 << 20),
                ..Extensions::USUAL
            },
            ..base.door
        },
        restart: Restart::Scheduled, // the database keeps retry_after
        ..base
    }
}

const ROUTING: Routing = Routing {
    shuffle: false,
    // it does not look for this host among the MX
    own: Own { by_name: false, by_address: false, drops: OwnDrops::Nothing },
    no_address: Verdict::Defer, // smtp_sender.rb: "No SMTP servers were available": a soft failure
    no_domain: Verdict::Defer,  // no MX: the domain itself is the server, and that has no address
    ..rfc5321::ROUTING
};

/// smtp_sender.rb: any error while the session is opened, a 5xx greeting too, leads to the next endpoint, and if
/// there is none to a soft failure; after that there is no next one, and only a fatal reply is hard.
const STAGES: Stages = Stages {
    connect: Answers::all(Verdict::Next),
    greeting: Answers::all(Verdict::Next),
    ehlo: Answers::all(Verdict::Next),
    starttls: Answers::all(Verdict::Next),
    ..Stages::all(Answers::LATER)
};

/// smtp_client.open_timeout, read_timeout.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(30),
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

const READ: Duration = Duration::from_secs(60);
