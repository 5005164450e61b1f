//! What the ledger must know beforehand to understand what it sees.

use std::{net::IpAddr, time::Duration};

use mxdrill_mta::Skip;
use mxdrill_net::{DomainName, HostId, Tag};
use mxdrill_smtp::Reply;

use crate::{Expectation, Guard, Schedule};

/// The host number for facts that concern no host: DNS, links, the drill itself.
pub const DRILL: HostId = HostId(u16::MAX);

/// A drill, as its ledger needs to know it.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The short name: `primary-refused`.
    pub name: String,
    /// One line that says what happens.
    pub title: String,
    /// Which clause or incident it is about.
    pub why: Option<String>,
    /// The world: `sim`, `live`, `netns`.
    pub world: String,
    /// The seed.
    pub seed: u64,
    /// The operator's own file that the drill is played with.
    pub site: Option<String>,
    /// How many MX the domain of the drill has.
    pub mx: u32,
    /// The domains to which the DNS gave MX records at the start.
    pub routed: Vec<DomainName>,
    /// The mail hosts. Facts of other hosts (a name server) are journalled only.
    pub hosts: Vec<HostSetup>,
    /// The faults of all steps.
    pub faults: Vec<FaultSetup>,
    /// Checks that are switched off.
    pub off: Vec<Off>,
    /// All expectations of the scenario. Those on `bounced`, `discarded`, `duplicated` and `unexpected` license
    /// what is otherwise a violation, when they hold at the end. Those on `queued` do so only when the drill did
    /// nothing after they were found to hold ([`crate::Deed::Expected`]).
    pub licences: Vec<Expectation>,
    /// Policies that forbid clear text.
    pub guards: Vec<Guard>,
    /// Whether the journal is hashed: in `sim`, where it must repeat.
    pub hashed: bool,
}

/// A mail host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostSetup {
    /// Its number in the world.
    pub id: HostId,
    /// Its name in the scenario: `mx2`.
    pub name: String,
    /// Its name in the DNS.
    pub domain: Option<DomainName>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The domains it is the final destination of.
    pub delivers: Vec<DomainName>,
    /// The domains it holds mail for.
    pub relays: Vec<DomainName>,
    /// Whether the drill hands its mail to this host: it is the `by` of a send.
    pub originates: bool,
    /// The name of its profile.
    pub profile: String,
    /// How long its profile remembers that a better MX failed, beyond the attempt itself.
    pub memory: Duration,
    /// The longest wait between two attempts at one message.
    pub patience: Duration,
    /// The age below which it gives no mail up for want of time. Zero: what merely failed may be its end.
    pub keeps: Duration,
    /// Reasons of its profile to pass over a better MX.
    pub tolerates: Vec<Skip>,
    /// What its profile promises of retries and lifetimes. `None`: nothing that could be checked.
    pub schedule: Option<Schedule>,
    /// Whether it takes mail with 8-bit octets as it is (RFC 6152).
    pub eight_bit: bool,
    /// It records no facts of its own: a real MTA, or an application. Its queue is known by looking only.
    pub foreign: bool,
}

impl HostSetup {
    /// A host that tolerates all reasons to skip but remembers nothing.
    pub fn new(id: HostId, name: &str) -> HostSetup {
        HostSetup {
            id,
            name: name.into(),
            domain: None,
            addresses: Vec::new(),
            delivers: Vec::new(),
            relays: Vec::new(),
            originates: false,
            profile: String::new(),
            memory: Duration::ZERO,
            patience: Duration::ZERO,
            keeps: Duration::ZERO,
            tolerates: vec![
                Skip::AddressLimit,
                Skip::SessionLimit,
                Skip::OpenSession,
                Skip::TlsPolicy,
                Skip::Extension,
                Skip::Unresolved,
            ],
            schedule: None,
            eight_bit: true,
            foreign: false,
        }
    }

    /// Whether it is the final destination of a domain.
    pub fn is_final_for(&self, domain: &DomainName) -> bool {
        self.delivers.contains(domain)
    }

    /// Whether it holds mail for others, and for nobody else only.
    pub fn is_relay(&self) -> bool {
        !self.relays.is_empty()
    }
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSetup {
    /// Its number in the drill.
    pub tag: Tag,
    /// What it is on, as the story's second column shows it: `mx1`, `mx2>mx1`, `dns`.
    pub on: String,
    /// What happens when it begins: `refuses connections`.
    pub begins: String,
    /// What happens when it ends: `answers again`.
    pub ends: String,
    /// The hosts concerned: the end of a fault on a delivering host is a repair.
    pub hosts: Vec<HostId>,
    /// Whether it may stay without effect.
    pub may_miss: bool,
    /// What hosts may give up because of it, where its scenario allows that at all.
    pub may_bounce: Option<Bounces>,
}

/// What a fault may make hosts give up: what it rejects for good, what it hides, and what grows too old for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounces {
    /// The replies by which it rejects for good.
    pub replies: Vec<Reply>,
    /// It is about the DNS.
    pub dns: bool,
    /// It says that a name, or its records, do not exist.
    pub denies: bool,
}

/// A check that the scenario switches off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Off {
    /// Its rule.
    pub rule: String,
    /// Why it does not hold here.
    pub reason: String,
}

impl Setup {
    /// The mail host of a number.
    pub fn host(&self, id: HostId) -> Option<&HostSetup> {
        // Hosts are usually numbered as they stand.
        let guess = self.hosts.get(usize::from(id.0)).filter(|host| host.id == id);
        guess.or_else(|| self.hosts.iter().find(|host| host.id == id))
    }

    /// The mail host that has an address.
    pub fn host_at(&self, address: IpAddr) -> Option<&HostSetup> {
        self.hosts.iter().find(|host| host.addresses.contains(&address))
    }

    /// The name of a host, for reports.
    pub fn name_of(&self, id: HostId) -> &str {
        self.host(id).map_or("drill", |host| &host.name)
    }

    /// The fault of a number.
    pub fn fault(&self, tag: Tag) -> Option<&FaultSetup> {
        self.faults.iter().find(|fault| fault.tag == tag)
    }

    /// Whether the end of this fault is a repair: it is on a host that delivers.
    pub fn is_repair(&self, tag: Tag) -> bool {
        let delivers = |id: &HostId| self.host(*id).is_some_and(|host| !host.delivers.is_empty());
        self.fault(tag).is_some_and(|fault| fault.hosts.iter().any(delivers))
    }

    /// How to play the drill again.
    pub fn again(&self) -> String {
        let mut line = format!("mxdrill run {}", self.name);
        if let Some(site) = &self.site {
            line += &format!(" --site {site}");
        }
        if self.world != "sim" && !self.world.is_empty() {
            line += &format!(" --world {}", self.world);
        }
        line + &format!(" --seed {}", self.seed)
    }
}
