//! Hosts of a scenario, and what they change in the profile they are like.

use std::{collections::BTreeSet, fmt, net::IpAddr, time::Duration};

use mxdrill_mta::{Filter, RetryRule, StsPolicy, Unverified};
use mxdrill_net::DomainName;
use mxdrill_smtp::Address;

use super::{Place, Rate};

/// A named machine. It delivers a domain, relays it, or only sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// What the scenario and reports call it: `mx1`, or a full name where it is not in the first zone.
    pub label: String,
    /// Its name in the DNS and in greetings.
    pub name: DomainName,
    /// Domains whose final destination it is.
    pub delivers: Vec<DomainName>,
    /// Domains it holds mail for until a better MX takes it.
    pub relays: Vec<DomainName>,
    /// The profile it behaves like; `None` is the default profile.
    pub like: Option<String>,
    /// The program that is this host where programs can run; elsewhere the profile is played.
    pub run: Option<Program>,
    /// What differs from the profile.
    pub overrides: Overrides,
    /// Bytes that fit into its spool; `None` is without bound.
    pub spool: Option<u64>,
    /// Sessions it takes at once; `None` is the profile's bound.
    pub sessions: Option<u32>,
    /// The largest message it takes, in octets (RFC 1870); `None` is the profile's bound.
    pub size: Option<u64>,
    /// Extensions it does not offer, as EHLO keywords in lower case (`8bitmime`, `smtputf8`).
    pub lacks: Vec<String>,
    /// Static next hops, by destination: that host itself instead of the MX.
    pub route: Vec<(DomainName, DomainName)>,
    /// The mailboxes it knows in the domains it delivers and relays; `None` takes any.
    pub recipients: Option<BTreeSet<Address>>,
    /// The addresses it has; `None` is what the zone gives for its name. A zone may say more than is true, such
    /// as an AAAA record of an address that nobody has.
    pub addresses: Option<Vec<IpAddr>>,
    /// Addresses by which a NAT leads to it, and which it does not know for its own.
    pub nat: Vec<IpAddr>,
    /// Whom and what it takes.
    pub policy: Policy,
    /// Further names and addresses by which it knows itself (Postfix `proxy_interfaces`).
    pub known_as: Vec<KnownAs>,
    /// Its certificate; `None` offers no STARTTLS.
    pub tls: Option<HostTls>,
    /// The MTA-STS policy that it serves over HTTPS, and does nothing else: its name is `mta-sts.` and the domain
    /// whose policy it is (RFC 8461 3.3).
    pub sts: Option<StsPolicy>,
}

/// The certificate of a host that offers STARTTLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostTls {
    /// The names that it is for; empty is the host's own.
    pub names: Vec<String>,
    /// When it expires, from the beginning of the drill; `None` is long after it.
    pub expires: Option<Duration>,
    /// Whether the authority that everybody trusts has issued it.
    pub trusted: bool,
    /// Whether the zone has a TLSA record for it (`3 1 1`, RFC 7672 3.1.1).
    pub tlsa: bool,
}

impl Default for HostTls {
    /// `tls = true`: a sound certificate for the host's own name.
    fn default() -> HostTls {
        HostTls { names: Vec::new(), expires: None, trusted: true, tlsa: false }
    }
}

/// Whom and what a host takes, beside its mailboxes and the size of mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// `greylist = "5m"`: each client, sender and recipient is first told 451 (RFC 6647).
    pub greylist: Option<Duration>,
    /// `rate = "10/min"`: what a client brings beyond is told 450.
    pub rate: Option<Rate>,
    /// `accept-from = { "sender.test" = ["app"] }`: mail from a domain is taken from these hosts only, as SPF has it
    /// (RFC 7208 8.4).
    pub accept_from: Vec<(DomainName, Vec<Place>)>,
    /// `filter = "reject"`: what becomes of the strings that filters are tested with (EICAR, GTUBE).
    pub filter: Option<Filter>,
    /// `verify = "primary"`: a better MX is asked about each recipient; where it cannot be, `verify-down` is said.
    pub verify: Option<Unverified>,
}

/// A program that can be a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// An application that finds MX with hickory-resolver and delivers with lettre.
    Lettre,
    /// Postfix.
    Postfix,
    /// Exim.
    Exim,
    /// OpenSMTPD.
    OpenSmtpd,
}

/// A name or an address by which a host knows itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownAs {
    /// A name.
    Name(DomainName),
    /// An address.
    Address(IpAddr),
}

/// What a host changes in the profile it is like. What is `None` stays as the profile has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The retry schedule, or a part of it.
    pub retry: Option<RetryPart>,
    /// How long a message stays queued (`maximal_queue_lifetime`).
    pub lifetime: Option<Duration>,
    /// How long a bounce stays queued (`bounce_queue_lifetime`).
    pub bounce_lifetime: Option<Duration>,
    /// Ages at which the sender is warned of a delay; empty is never (`delay_warning_time`).
    pub warn_after: Option<Vec<Duration>>,
    /// Failed attempts after which a recipient is given up.
    pub attempts_max: Option<u32>,
    /// How many MX hosts it tries in one attempt.
    pub hosts_max: Option<u16>,
    /// How many addresses it tries in one attempt (`smtp_mx_address_limit`).
    pub addresses_max: Option<u16>,
    /// How many sessions past EHLO it has in one attempt (`smtp_mx_session_limit`).
    pub attempt_sessions_max: Option<u16>,
    /// How many deliveries to one destination it has at once, at most.
    pub concurrency: Option<u32>,
    /// How long it passes over an address that failed; zero is not at all.
    pub memory: Option<Duration>,
    /// More Received fields than this make a loop (RFC 5321 6.3).
    pub hops_max: Option<u16>,
    /// Whether it keeps to TLSA records (RFC 7672).
    pub dane: Option<bool>,
    /// Whether it keeps to MTA-STS policies (RFC 8461).
    pub mta_sts: Option<bool>,
    /// Client timeouts.
    pub timeout: Timeouts,
}

/// Client timeouts that a host changes (RFC 5321 4.5.3.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// The connect.
    pub connect: Option<Duration>,
    /// The greeting.
    pub greeting: Option<Duration>,
    /// EHLO.
    pub ehlo: Option<Duration>,
    /// STARTTLS and the handshake.
    pub starttls: Option<Duration>,
    /// MAIL.
    pub mail: Option<Duration>,
    /// RCPT.
    pub rcpt: Option<Duration>,
    /// The reply to DATA.
    pub data: Option<Duration>,
    /// Each block of the message.
    pub block: Option<Duration>,
    /// The reply to the final dot.
    pub dot: Option<Duration>,
    /// QUIT.
    pub quit: Option<Duration>,
}

/// A retry schedule, or the part of one that differs from the profile's. A part belongs to a profile of the
/// same kind; see [`mxdrill_mta::Retry`] for what each kind means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryPart {
    /// `list = ["5m", "10m"]`: waits between attempts, always whole.
    List(Vec<Duration>),
    /// `age = { min = "5m", max = "66m", scan = "5m" }`.
    Age {
        /// The shortest wait.
        min: Option<Duration>,
        /// The longest wait.
        max: Option<Duration>,
        /// The time between queue scans.
        scan: Option<Duration>,
    },
    /// `rules = "F,2h,15m; G,16h,1h,1.5"`: Exim's rules, always whole.
    Rules(Vec<RetryRule>),
    /// `power = { unit = "400s", exponent = 2 }`.
    Power {
        /// The unit.
        unit: Option<Duration>,
        /// The exponent.
        exponent: Option<u32>,
    },
    /// `geometric = { first = "20m", factor = 2, max = "1d" }`.
    Geometric {
        /// The first wait.
        first: Option<Duration>,
        /// Growth in hundredths.
        percent: Option<u32>,
        /// The longest wait.
        max: Option<Duration>,
    },
}

impl Host {
    /// A host that only sends, of the default profile.
    pub fn new(label: impl Into<String>, name: DomainName) -> Host {
        Host {
            label: label.into(),
            name,
            delivers: Vec::new(),
            relays: Vec::new(),
            like: None,
            run: None,
            overrides: Overrides::default(),
            spool: None,
            sessions: None,
            size: None,
            lacks: Vec::new(),
            route: Vec::new(),
            recipients: None,
            addresses: None,
            nat: Vec::new(),
            policy: Policy::default(),
            known_as: Vec::new(),
            tls: None,
            sts: None,
        }
    }

    /// Lets it be a program: whose profile it was like, and how that was to retry, is the program's own affair now.
    #[must_use]
    pub fn played_by(mut self, program: Program) -> Host {
        self.run = Some(program);
        self.like = None;
        self.overrides.retry = None;
        self
    }

    /// The domain whose MTA-STS policy would be here.
    pub fn policy_domain(&self) -> Option<DomainName> {
        self.name.as_str().strip_prefix("mta-sts.")?.parse().ok()
    }

    /// Whether it neither delivers nor relays, nor serves a policy.
    pub fn only_sends(&self) -> bool {
        self.delivers.is_empty() && self.relays.is_empty() && self.sts.is_none()
    }
}

impl Program {
    /// All programs.
    pub const ALL: [Program; 4] = [Program::Lettre, Program::Postfix, Program::Exim, Program::OpenSmtpd];

    /// The word of scenario files.
    pub fn word(self) -> &'static str {
        match self {
            Program::Lettre => "lettre",
            Program::Postfix => "postfix",
            Program::Exim => "exim",
            Program::OpenSmtpd => "opensmtpd",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
