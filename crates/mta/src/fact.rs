//! What a node did, for anyone who keeps books. The node does not know who reads it.

use std::{net::IpAddr, sync::Arc};

use mxdrill_dns::Outcome;
use mxdrill_net::{Conn, DomainName, Time};
use mxdrill_smtp::{
    Address, Enhanced, Failure, Reply, Stage,
    tls::{Pin, Security},
};

use crate::{FetchError, Message, MessageKey, StsMode, StsRecord};

/// One thing a node did. `recipient` counts from 0 in the message's recipients.
#[derive(Clone, Debug)]
pub enum Fact {
    /// The message is stored and synced; its 250 after the dot is sent in the same breath (RFC 5321 4.2.5, 6.1).
    Accepted {
        /// The message, with this node's trace fields.
        message: Arc<Message>,
        /// The session it came in by.
        conn: Conn,
        /// The client.
        peer: IpAddr,
    },
    /// As a server, the node said no.
    TurnedAway {
        /// The client.
        peer: IpAddr,
        /// Where.
        stage: Stage,
        /// What was said.
        reply: Arc<Reply>,
        /// At RCPT: who.
        recipient: Option<Address>,
        /// At the dot: which message.
        key: Option<MessageKey>,
    },
    /// Put into a mailbox of this host: final delivery.
    Delivered {
        /// The message.
        message: Arc<Message>,
        /// The recipient.
        recipient: u16,
    },
    /// A delivery attempt for a message begins. What follows for each of its recipients of this destination is
    /// `Relayed`, `Rejected`, `InDoubt`, or that it stays queued.
    Began {
        /// The message.
        message: Arc<Message>,
        /// The destination.
        destination: DomainName,
    },
    /// The destination was resolved, at the start of a delivery attempt.
    Routed {
        /// The destination.
        destination: DomainName,
        /// All hosts found, in the order of trial, before any were dropped, and those dropped.
        route: Arc<Route>,
    },
    /// A host of the route was passed over without being tried.
    Skipped {
        /// The destination.
        destination: DomainName,
        /// The MX host name.
        host: DomainName,
        /// Its preference.
        preference: u16,
        /// Why.
        why: Skip,
    },
    /// A try at one address failed before any message could be offered, or as a session.
    Failed {
        /// The destination.
        destination: DomainName,
        /// Which address.
        target: Arc<Target>,
        /// How far it came.
        stage: Stage,
        /// What went wrong.
        failure: Failure,
    },
    /// The next host acknowledged the recipient: this node's responsibility ends.
    Relayed {
        /// The message.
        message: Arc<Message>,
        /// The recipient.
        recipient: u16,
        /// Who took it.
        target: Arc<Target>,
        /// When the delivery attempt that succeeded here began.
        began: Time,
    },
    /// The next host rejected the recipient, temporarily or permanently.
    Rejected {
        /// The message.
        message: Arc<Message>,
        /// The recipient.
        recipient: u16,
        /// Who.
        target: Arc<Target>,
        /// Where.
        stage: Stage,
        /// With what.
        rejection: Rejection,
    },
    /// The link died after the final dot, before the reply: the next host may have it (RFC 1047).
    InDoubt {
        /// The message.
        message: Arc<Message>,
        /// The recipient.
        recipient: u16,
        /// Who.
        target: Arc<Target>,
    },
    /// So many recipients of a destination stay queued, after an attempt or because the destination is known to
    /// be dead. One fact per destination and scan, however many messages.
    Deferred {
        /// The destination.
        destination: DomainName,
        /// How many recipients.
        count: u32,
        /// Whether this followed an attempt; otherwise they were put off without one.
        attempted: bool,
        /// When the earliest of them is due again.
        next: Time,
    },
    /// The node gave a recipient up. What follows is `Bounced` or `Discarded`.
    GivenUp {
        /// The message.
        message: Arc<Message>,
        /// The recipient.
        recipient: u16,
        /// Why.
        why: GiveUp,
        /// The status for the DSN (RFC 3463).
        status: Enhanced,
        /// For people: the last thing heard.
        text: Arc<str>,
    },
    /// A DSN of failure for the recipient was put into this node's own queue (RFC 3464).
    Bounced {
        /// The message given up.
        message: Arc<Message>,
        /// The recipient.
        recipient: u16,
        /// The DSN.
        dsn: Arc<Message>,
    },
    /// A recipient was given up without a DSN.
    Discarded {
        /// The message.
        message: Arc<Message>,
        /// The recipient.
        recipient: u16,
        /// Why nobody is told.
        why: Discard,
    },
    /// A delay warning was put into this node's own queue; the recipient stays queued.
    Warned {
        /// The delayed message.
        message: Arc<Message>,
        /// The warning.
        dsn: Arc<Message>,
    },
    /// After a restart: the spool still holds this message, for these recipients.
    Recovered {
        /// The message.
        message: Arc<Message>,
        /// Recipients not yet served.
        pending: Box<[u16]>,
    },
    /// A policy was fetched, or could not be (RFC 8461 3.3).
    Policy {
        /// Whose.
        domain: DomainName,
        /// In which mode it is, or why it is not known.
        fetched: Result<StsMode, FetchError>,
    },
    /// A queue run was asked for from outside (ETRN, postqueue -f, exim -qff).
    Flushed,
    /// Answer to a look into the queue: this recipient is still in it.
    Holds {
        /// The message.
        message: Arc<Message>,
        /// The recipient.
        recipient: u16,
    },
}

/// One address of one host of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The preference (lower is better, RFC 5321 5.1).
    pub preference: u16,
    /// The MX host name, or the destination itself.
    pub host: DomainName,
    /// The address.
    pub address: IpAddr,
    /// How safe the session is; before there is one, [`Security::Clear`].
    pub security: Security,
}

/// What the look-up of a destination gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// By which rule.
    pub basis: Basis,
    /// The hosts, best preference first, equals shuffled.
    pub hosts: Vec<RouteHost>,
    /// The preference at which this node found itself: hosts of this and worse preference were dropped.
    pub own: Option<u16>,
    /// What is announced of an MTA-STS policy, if that is looked for.
    pub sts: Option<Arc<StsRecord>>,
}

/// How a route came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// MX records.
    Mx,
    /// No MX records: the address of the destination itself, preference 0 (RFC 5321 5.1).
    Implicit,
    /// A static next hop of the configuration.
    Static,
    /// The domain takes no mail (RFC 7505).
    NullMx,
    /// There was no answer to build on.
    Unresolved(Outcome),
}

/// One host of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteHost {
    /// The preference.
    pub preference: u16,
    /// The name.
    pub name: DomainName,
    /// Its addresses in the order of trial, or why there are none.
    pub addresses: Result<Vec<IpAddr>, Outcome>,
    /// Dropped because this node itself has this or a better preference.
    pub dropped: bool,
    /// What a policy of the destination's says of its TLS.
    pub policy: HostPolicy,
}

/// What a policy of the destination's says of a host's TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HostPolicy {
    /// Nothing.
    #[default]
    None,
    /// There are TLSA records that the resolver vouches for, and these can be used: TLS must be had, and the
    /// certificate match one of them. If none can be used, TLS alone (RFC 7672 2.2).
    Dane(Arc<[Pin]>),
    /// The MTA-STS policy in force names it: TLS, and a certificate that is trusted, in date and for its name
    /// (RFC 8461 4.2).
    Sts,
    /// The MTA-STS policy in force does not name it: the host must not be used (RFC 8461 4.1).
    Outside,
    /// Whether there are TLSA records could not be found out: the host must not be used (RFC 7672 2.1.2).
    Unknown(Outcome),
}

/// Why a host was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Skip {
    /// It failed lately, and the profile remembers that.
    Remembered,
    /// The profile tries no more addresses than it already did.
    AddressLimit,
    /// The profile opens no more sessions than it already did.
    SessionLimit,
    /// Its address could not be resolved.
    Unresolved,
    /// A session to another host was open and was used again.
    OpenSession,
    /// TLS policy (MTA-STS, DANE) rules it out.
    TlsPolicy,
    /// It lacks an extension that the message needs (8BITMIME, SMTPUTF8, SIZE).
    Extension,
}

/// A rejection of a recipient: temporary and permanent as types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// 4xx: the recipient stays queued (RFC 5321 4.2.1).
    Temporary(Arc<Reply>),
    /// 5xx: final (RFC 5321 4.2.1).
    Permanent(Arc<Reply>),
}

/// Why a recipient was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GiveUp {
    /// The queue lifetime is over (RFC 5321 4.5.4.1).
    Expired,
    /// A 5xx.
    Rejected,
    /// The domain does not exist.
    NxDomain,
    /// The domain takes no mail (RFC 7505).
    NullMx,
    /// No MX has an address, or the domain has neither MX nor address.
    NoAddress,
    /// This node is itself the best MX, and does not deliver the domain (RFC 5321 5.1).
    BestMxIsSelf,
    /// Too many Received fields (RFC 5321 6.3).
    Loop,
    /// No host had an extension that the message needs.
    Extension,
}

/// Why a recipient was given up in silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Discard {
    /// The reverse-path is null (RFC 5321 6.1): this includes the bounce of a bounce.
    NullReversePath,
    /// NOTIFY=NEVER, or without FAILURE (RFC 3461 4.1).
    NotifyNever,
    /// The node's own filter, which takes such mail with a 250 and drops it.
    Filtered,
}
