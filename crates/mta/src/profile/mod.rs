//! Profiles: how MTAs behave, as plain data. One file per MTA; each number stands beside its source.
//!
//! A profile decides nothing by itself: queue, router and delivery read it. [`all`] lists what there is,
//! [`Profile::named`] finds one, and every field may be overridden before a node is built from it.

mod chasquid;
mod dma;
mod exchange;
mod exim;
mod haraka;
mod james;
mod kumomta;
mod maddy;
mod mox;
mod one_try;
mod opensmtpd;
mod postal;
mod postfix;
mod qmail;
mod rfc5321;
mod schedule;
mod security;
mod sendmail;
mod stalwart;
#[cfg(test)]
mod tests;
mod verdicts;
mod zonemta;

use std::time::Duration;

use mxdrill_smtp::{Extensions, Timeouts};

pub use schedule::Attempts;
pub use security::{Fallback, Tls};
pub use verdicts::{Answers, Lacking, Lacks, Stages, Verdict, Verdicts};

use crate::Retry;

/// How an MTA behaves. Public data: take one by name, change what you like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The word of scenario files: `postfix`.
    pub name: &'static str,
    /// Which program, version and settings it describes.
    pub about: &'static str,
    /// Where its numbers come from: measured, or read in which files. Each number names its own beside it.
    pub source: &'static str,
    /// When a deferred recipient is due again.
    pub retry: Retry,
    /// What chance adds to each wait.
    pub jitter: Jitter,
    /// Failed attempts after which a recipient is given up, whatever its age.
    pub attempts_max: Option<u32>,
    /// A queue runner: due messages are seen only every so often (Exim and Sendmail `-q30m`).
    pub runner: Option<Duration>,
    /// How long a message may stay.
    pub lifetime: Lifetime,
    /// Delay warnings.
    pub warn: Warn,
    /// Which hosts of a destination are tried.
    pub routing: Routing,
    /// How much is done at once for one destination.
    pub concurrency: Concurrency,
    /// What is remembered of hosts that failed.
    pub memory: Memory,
    /// When a session carries more than one message.
    pub reuse: Reuse,
    /// How long it waits as a client, and for what (RFC 5321 4.5.3.2).
    pub timeouts: Timeouts,
    /// Whether it pipelines where it may (RFC 2920).
    pub pipelining: bool,
    /// Whether it uses BDAT where it may (RFC 3030).
    pub chunking: bool,
    /// What it makes of TLS as a client.
    pub tls: Tls,
    /// Recipients of one destination that it puts into one envelope.
    pub recipients_max: u16,
    /// What each failure makes it do.
    pub verdicts: Verdicts,
    /// As a server.
    pub door: Door,
    /// What becomes of the queue at a restart.
    pub restart: Restart,
}

/// What chance adds to each wait, drawn by the seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jitter {
    /// A wait may be shorter by up to so much.
    pub before: Duration,
    /// A wait may be longer by up to so much.
    pub after: Duration,
    /// A wait may further be longer by up to so many parts per million of itself.
    pub ppm: u32,
    /// A geometric schedule grows from the wait that chance gave, not from the bare one (dma).
    pub carries: bool,
}

impl Jitter {
    /// None.
    pub const NONE: Jitter = Jitter { before: Duration::ZERO, after: Duration::ZERO, ppm: 0, carries: false };
}

/// How long a message may stay in the queue (RFC 5321 4.5.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Ordinary mail. `None`: only the schedule ends it.
    pub mail: Option<Duration>,
    /// Mail with a null reverse-path: bounces.
    pub bounce: Option<Duration>,
    /// When the end is noticed.
    pub expiry: Expiry,
}

/// When a node notices that a lifetime is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// After the next attempt has failed (Postfix).
    AfterAttempt,
    /// At the next attempt's time, which then does not take place (chasquid).
    BeforeAttempt,
    /// On the dot, between attempts (OpenSMTPD, Stalwart, Exchange).
    OnTime,
    /// As soon as the next attempt would come too late (KumoMTA).
    NextTooLate,
    /// When every host has been failing for longer than the last retry rule (Exim): without an attempt if no
    /// host's time has come.
    HostCutoff,
}

/// Delay warnings to the sender (RFC 3464, action delayed).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Warn {
    /// Ages at which one is sent. Empty: none ever.
    pub after: Vec<Duration>,
    /// After the last of them, one every so often.
    pub every: Option<Duration>,
}

/// Which hosts of a destination are tried, in which order (RFC 5321 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routing {
    /// The order of IPv6 and IPv4.
    pub family: Family,
    /// Whether hosts of equal preference are shuffled. RFC 5321 5.1: they MUST be.
    pub shuffle: bool,
    /// At most so many MX hosts of an attempt.
    pub hosts_max: Option<u16>,
    /// At most so many addresses of one host.
    pub host_addresses_max: Option<u16>,
    /// At most so many addresses of an attempt.
    pub addresses_max: Option<u16>,
    /// Beyond `addresses_max`, one address of each preference is tried nevertheless (Exim `hosts_max_try`).
    pub each_preference: bool,
    /// At most so many sessions of an attempt that came past EHLO.
    pub sessions_max: Option<u16>,
    /// A pause before the next host.
    pub pause: Duration,
    /// How a node finds itself among the MX.
    pub own: Own,
    /// This node is itself the best MX and does not deliver the domain.
    pub best_is_self: Verdict,
    /// Only better MX than this node remain, and none of them has an address.
    pub better_unresolved: Verdict,
    /// No MX has an address.
    pub no_address: Verdict,
    /// The domain does not exist.
    pub no_domain: Verdict,
    /// The look-up failed for now (SERVFAIL, REFUSED, no answer). RFC 5321 5.1: MUST be taken as temporary.
    pub no_answer: Verdict,
}

/// The order of address families of one preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv6 of each host before its IPv4.
    Ipv6First,
    /// IPv4 of each host before its IPv6.
    Ipv4First,
    /// All addresses of one preference in one shuffle (Postfix `smtp_address_preference = any`).
    Any,
    /// IPv4 alone.
    Ipv4Only,
}

/// How a node finds itself among the MX of a domain that it relays (RFC 5321 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own {
    /// By name: its own, and those it is `known_as`.
    pub by_name: bool,
    /// By address.
    pub by_address: bool,
    /// What it then leaves out.
    pub drops: OwnDrops,
}

/// What a node leaves out of a route in which it found itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnDrops {
    /// Itself, and all of equal or worse preference (RFC 5321 5.1: MUST).
    EqualAndWorse,
    /// Itself only (Haraka).
    SelfOnly,
    /// Nothing.
    Nothing,
}

/// How much is done at once for one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Concurrency {
    /// Deliveries at once to a destination of which nothing is known.
    pub initial: u32,
    /// Never more.
    pub max: u32,
    /// Whether each success lets one more in, up to `max`, and each failure one less (Postfix).
    pub feedback: bool,
    /// When a destination is left alone, its mail put off without an attempt. `None`: never.
    pub dead: Option<Dead>,
    /// The first so many mails of one inbound connection are tried at once, the others wait for the queue
    /// runner (Exim `smtp_accept_queue_per_connection`).
    pub immediate_max: Option<u32>,
    /// Deliveries at once to a destination in a queue run (Exim: one runner, one message after the other).
    pub run: u32,
}

/// When a destination is left alone after no host of it worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dead {
    /// So long.
    pub lasts: Duration,
    /// After one delivery found no host (ZoneMTA). Otherwise after as many as are allowed at once (Postfix, whose
    /// `default_destination_concurrency_failed_cohort_limit` is one cohort).
    pub at_once: bool,
    /// Whether putting off counts as an attempt in the schedule (ZoneMTA).
    pub counts: bool,
}

/// What is remembered of a host that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Nothing: each attempt begins with the best host again.
    None,
    /// Each address has its own clock in the retry rules: until then it is skipped; a message for which every
    /// host is skipped is put off without an attempt (Exim). Forgotten so long after its last use.
    Clock {
        /// `retry_data_expire`.
        forget: Duration,
    },
    /// The address is skipped for `unit` * failures^2, at most `max` (OpenSMTPD).
    Penalty {
        /// The unit.
        unit: Duration,
        /// No penalty is longer.
        max: Duration,
    },
    /// The address is skipped for so long.
    Fixed(Duration),
    /// The address is skipped for so long once connects to it timed out so many times. Timeouts sooner than
    /// `apart` after the last that counted do not count, nor does any other failure (qmail).
    Timeouts {
        /// How many times.
        times: u32,
        /// How far apart.
        apart: Duration,
        /// How long.
        lasts: Duration,
    },
}

/// When a session carries more than one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reuse {
    /// At most so many messages of one session. 1: never.
    pub messages_max: u32,
    /// An idle session is kept so long for the next message. Zero: only mail that already waits.
    pub idle: Duration,
}

/// As a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// More Received fields than this are a loop (RFC 5321 6.3: at least 100 SHOULD be allowed).
    pub hops_max: u16,
    /// Sessions at once, beyond which the greeting is 421. The node's own cap comes first.
    pub sessions_max: Option<u32>,
    /// What it offers, and the largest message with it (SIZE, RFC 1870).
    pub extensions: Extensions,
    /// Recipients of one message (RFC 5321 4.5.3.1.8: at least 100).
    pub recipients_max: usize,
    /// How long a silent client is kept (4.5.3.2.7: at least 5 minutes).
    pub idle: Duration,
}

/// What becomes of the queue at a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Everything is due at once.
    Due,
    /// Deferred mail keeps its place in the schedule, counted from its arrival.
    Scheduled,
}

/// Makes a profile.
pub type Make = fn() -> Profile;

/// All profiles: name, and how to make it.
pub fn all() -> &'static [(&'static str, Make)] {
    &[
        ("rfc5321", rfc5321::profile),
        ("postfix", postfix::profile),
        ("exim", exim::profile),
        ("sendmail", sendmail::profile),
        ("opensmtpd", opensmtpd::profile),
        ("qmail", qmail::profile),
        ("haraka", haraka::profile),
        ("stalwart", stalwart::profile),
        ("kumomta", kumomta::profile),
        ("mox", mox::profile),
        ("chasquid", chasquid::profile),
        ("maddy", maddy::profile),
        ("postal", postal::profile),
        ("zonemta", zonemta::profile),
        ("dma", dma::profile),
        ("exchange", exchange::profile),
        ("james", james::profile),
        ("one-try", one_try::profile),
    ]
}

impl Profile {
    /// The profile of that name.
    pub fn named(name: &str) -> Option<Profile> {
        all().iter().find(|(known, _)| *known == name).map(|(_, make)| make())
    }

    /// The grid on which due messages are seen, if the MTA scans its queue rather than keeping timers.
    pub fn grid(&self) -> Option<Duration> {
        match &self.retry {
            Retry::Age { scan, .. } => Some(*scan),
            _ => self.runner,
        }
    }
}

impl Default for Profile {
    /// What RFC 5321 asks for.
    fn default() -> Self {
        rfc5321::profile()
    }
}

/// Minutes, for tables.
const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// Hours, for tables.
const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}

/// Days of 24 hours, for tables.
const fn days(n: u64) -> Duration {
    Duration::from_secs(n * 86_400)
}
