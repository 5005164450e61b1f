//! What can be wrong with a host, a link or the DNS, and in which worlds.

use std::{fmt, time::Duration};

use mxdrill_dns::RecordType;
use mxdrill_net::DomainName;
use mxdrill_smtp::{Address, Reply, ReversePath, Stage};

use super::{Place, Rate, WorldKind};

/// Something wrong, from the time of its step on. Faults of one host compose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// A name to clear it by; no two faults share one.
    pub name: Option<String>,
    /// What is wrong.
    pub kind: FaultKind,
    /// How long; `None` lasts until it is cleared.
    pub lasting: Option<Duration>,
    /// Whether it may stay without effect: otherwise the verdict is then `unknown` (rule `fault-idle`).
    pub may_miss: bool,
    /// Whether mail may be given up because of it: what it rejects for good, what it hides in the DNS, and what
    /// grows too old while it lasts.
    pub may_bounce: bool,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// With a host.
    Host(Place, HostFault),
    /// With the way from one host to another.
    Link {
        /// From here.
        from: Place,
        /// To there.
        to: Place,
        /// And back (`mx1<>mx2`).
        both: bool,
        /// What.
        fault: LinkFault,
    },
    /// With the answers for a name.
    Dns {
        /// The name.
        name: DnsName,
        /// The type; `None` is every type.
        kind: Option<RecordType>,
        /// What.
        fault: DnsFault,
    },
}

/// What is wrong with a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostFault {
    /// `connect = "refuse"`: how it meets connects.
    Connect(Connect),
    /// `stage = ...`: what it says or does at a stage of the dialogue.
    Dialogue(Box<Dialogue>),
    /// `crash = true`: it loses power; when the fault ends it comes back with what its disk kept.
    Crash(Option<Box<Crash>>),
    /// `restart = true`: it loses power and comes back at once.
    Restart,
    /// `disk = "full"`: nothing more can be stored.
    DiskFull,
    /// `max-connections = 10`: further clients are told 421.
    MaxConnections(u32),
    /// `greylist = "5m"`: each client, sender and recipient is first told 451, until so long after its first try.
    Greylist(Duration),
    /// `size = "10 MB"`: larger messages are refused with 552 (RFC 1870).
    Size(u64),
    /// `tls = "expired"`: what is wrong with its TLS.
    Tls(TlsFault),
}

/// How a host meets connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Connect {
    /// A reset at once.
    Refuse,
    /// No answer.
    Blackhole,
    /// No way there.
    Unreachable,
    /// Accepted, then closed without a word.
    Close,
    /// Accepted, never greeted.
    Silent,
}

/// What a host says or does at a stage of the dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// Which stage; never [`Stage::Connect`].
    pub stage: Stage,
    /// In which sessions.
    pub matching: Matching,
    /// How often.
    pub trigger: Trigger,
    /// Wait so long before replying.
    pub delay: Option<Duration>,
    /// Send the reply at so many bytes a second.
    pub tarpit: Option<u32>,
    /// Say this instead.
    pub reply: Option<Reply>,
    /// Drop the connection.
    pub drop: Option<Moment>,
}

/// A crash in the middle of a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crash {
    /// At which stage.
    pub stage: Stage,
    /// At which moment of it.
    pub moment: Moment,
    /// In which sessions.
    pub matching: Matching,
    /// How often.
    pub trigger: Trigger,
}

/// A moment of a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// `at-once`: before the server does anything; at the dot, before it stores.
    AtOnce,
    /// `before-reply`: after the server did its work; at the dot, after it stored.
    BeforeReply,
    /// `after-reply`.
    AfterReply,
}

/// In which sessions a fault bites; empty matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// The client.
    pub client: Option<Place>,
    /// The envelope sender.
    pub sender: Option<ReversePath>,
    /// The recipient.
    pub recipient: Option<RecipientPattern>,
}

/// A recipient, or all of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecipientPattern {
    /// `user@example.test`
    Address(Address),
    /// `@example.test`
    Domain(DomainName),
}

/// How often a fault bites of the times it could; everything given must agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trigger {
    /// Only the first so many times.
    pub first: Option<u32>,
    /// Only every so many times: 3 is the third, the sixth ...
    pub every: Option<u32>,
    /// With this chance, in parts per million, keyed by the seed.
    pub odds_ppm: Option<u32>,
    /// Only what exceeds this rate, for each client.
    pub per: Option<Rate>,
}

/// What is wrong with a host's TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsFault {
    /// The certificate has expired.
    Expired,
    /// The certificate is for another name.
    WrongName,
    /// STARTTLS is offered and refused with 454.
    Rejected,
    /// STARTTLS is not offered.
    Stripped,
}

/// What is wrong with a way. Several can be at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkFault {
    /// Nothing passes.
    pub partition: bool,
    /// One-way delay.
    pub latency: Option<Duration>,
    /// Chance of losing a packet, in parts per million. TCP resends it; only datagrams are lost for good.
    pub loss_ppm: Option<u32>,
    /// Bytes a second.
    pub bandwidth: Option<u64>,
    /// Each connection is reset after it carried so many bytes this way.
    pub cut_after: Option<u64>,
}

/// A name in the DNS as a step gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DnsName {
    /// `@`: the domain that the drill is about, see `Scenario::domain`.
    Own,
    /// `primary`, or the label of a host: that host's name.
    Host(Place),
    /// Any name.
    Name(DomainName),
}

/// What is wrong with the answers for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DnsFault {
    /// `answer = "servfail"`.
    Answer(Answer),
    /// `delay = "3s"`: the right answer, late.
    Delay(Duration),
}

/// A wrong answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Answer {
    /// The server could not answer.
    ServFail,
    /// The name does not exist.
    NxDomain,
    /// The server would not answer.
    Refused,
    /// No answer.
    Timeout,
    /// The name exists, the type does not.
    NoData,
    /// TC is set over UDP: ask again over TCP.
    Truncate,
    /// What the zone said before the last `set`.
    Stale,
}

impl FaultKind {
    /// The worlds in which it can be brought about.
    pub fn worlds(&self) -> &'static [WorldKind] {
        match self {
            FaultKind::Host(_, fault) => fault.worlds(),
            FaultKind::Link { fault, .. } => fault.worlds(),
            FaultKind::Dns { .. } => &WorldKind::ALL,
        }
    }
}

impl FaultKind {
    /// Whether it can be brought about in such a world; otherwise says where it can.
    pub fn exists_in(&self, world: WorldKind) -> Result<(), String> {
        if self.worlds().contains(&world) {
            return Ok(());
        }
        let words: Vec<&str> = self.worlds().iter().map(|world| world.word()).collect();
        Err(format!("a fault that exists in {} only", words.join(" and ")))
    }
}

impl HostFault {
    /// The worlds in which it can be brought about.
    pub fn worlds(&self) -> &'static [WorldKind] {
        match self {
            // An expired certificate or a wrong name needs a handshake that is ours on the server's side.
            HostFault::Tls(_) => &[WorldKind::Sim, WorldKind::Live],
            _ => &WorldKind::ALL,
        }
    }
}

impl LinkFault {
    /// The worlds in which it can be brought about.
    pub fn worlds(&self) -> &'static [WorldKind] {
        // Loopback has no packets to lose and no line to fill: only the simulated network models them.
        if self.loss_ppm.is_some() || self.bandwidth.is_some() { &[WorldKind::Sim] } else { &WorldKind::ALL }
    }
}

macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),+ $(,)? })+) => {$(
        impl $type {
            /// All of them.
            pub const ALL: &[$type] = &[$($type::$variant),+];

            /// The word of scenario files.
            pub fn word(self) -> &'static str {
                match self { $($type::$variant => $word),+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    )+};
}

words! {
    Connect { Refuse = "refuse", Blackhole = "blackhole", Unreachable = "unreachable", Close = "close", Silent = "silent" }
    Moment { AtOnce = "at-once", BeforeReply = "before-reply", AfterReply = "after-reply" }
    TlsFault { Expired = "expired", WrongName = "wrong-name", Rejected = "rejected", Stripped = "stripped" }
    Answer {
        ServFail = "servfail", NxDomain = "nxdomain", Refused = "refused", Timeout = "timeout", NoData = "nodata",
        Truncate = "truncate", Stale = "stale",
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DnsName::Own => f.write_str("@"),
            DnsName::Host(place) => place.fmt(f),
            DnsName::Name(name) => name.fmt(f),
        }
    }
}
