//! Exchange Server (2016, 2019) with its default transport settings, as documented: its code is not public. What the
//! documentation does not say is as RFC 5321 asks.

use std::time::Duration;

use mxdrill_smtp::Extensions;

use super::{
    Concurrency, Door, Expiry, Lacking, Lacks, Lifetime, Profile, Restart, Reuse, Verdicts, Warn, days,
    hours, minutes, rfc5321,
};
use crate::Retry;

pub(super) fn profile() -> Profile {
    let base = rfc5321::profile();
    let glitch = std::iter::repeat_n(minutes(1), 4); // QueueGlitchRetryCount, QueueGlitchRetryInterval
    let transient = std::iter::repeat_n(minutes(5), 6); // TransientFailureRetryCount, TransientFailureRetryInterval
    Profile {
        name: "exchange",
        about: "Exchange Server 2019 with the defaults of its transport service",
        source: "documented: message retry, resubmit and expiration intervals",
        // then OutboundConnectionFailureRetryInterval; MessageRetryInterval (15 min, after a refusal of one message)
        // is not kept apart
        retry: Retry::List(glitch.chain(transient).chain([minutes(10)]).collect()),
        // MessageExpirationTimeout
        lifetime: Lifetime { mail: Some(days(2)), bounce: Some(days(2)), expiry: Expiry::OnTime },
        warn: Warn { after: vec![hours(4)], every: None }, // DelayNotificationTimeout
        // MaxPerDomainOutboundConnections
        concurrency: Concurrency { initial: 20, max: 20, run: 20, ..base.concurrency },
        // SmtpMaxMessagesPerConnection of a send connector
        reuse: Reuse { messages_max: 20, idle: Duration::ZERO },
        verdicts: Verdicts { lacks: LACKS, ..Verdicts::both(rfc5321::STAGES) },
        door: Door {
            hops_max: 60, // MaxHopCount of a receive connector
            // MaxMessageSize of a receive connector: 36 MB
            extensions: Extensions { size: Some(36 << 20), ..Extensions::USUAL },
            recipients_max: 200, // MaxRecipientsPerMessage of a receive connector
            ..base.door
        },
        restart: Restart::Scheduled, // the queue database keeps the mail; its intervals begin anew
        ..base
    }
}

/// Bodies are converted as the next host needs them; addresses are not.
const LACKS: Lacks = Lacks { eight_bit: Lacking::Convert, utf8: Lacking::Bounce, size: Lacking::Bounce };
