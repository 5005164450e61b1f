//! The meaning of a scenario, as plain data: what a file, a builder and a play agree on.

mod fault;
mod host;
mod send;

use std::{fmt, time::Duration};

use mxdrill_dns::{RecordType, ZoneError, Zones};
use mxdrill_net::DomainName;

pub use fault::{
    Answer, Connect, Crash, Dialogue, DnsFault, DnsName, Fault, FaultKind, HostFault, LinkFault, Matching,
    Moment, RecipientPattern, TlsFault, Trigger,
};
pub use host::{Host, HostTls, KnownAs, Overrides, Policy, Program, RetryPart, Timeouts};
pub use send::{Body, Content, Rate, Send, Spacing, To};

use mxdrill_ledger::Expectation;

/// A drill's script: a zone, hosts, steps and expectations. A scenario file and a built drill are this value.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// The short name: of a file its stem, of a built drill its title in lower case with hyphens.
    pub name: String,
    /// One line that says what happens.
    pub title: String,
    /// Which clause or which incident the scenario is about.
    pub why: Option<String>,
    /// The seed, unless the command line gives another.
    pub seed: u64,
    /// The worlds in which it makes sense; `None` is all.
    pub worlds: Option<Restriction>,
    /// Whether it can be played on an operator's own zone and hosts. `site = false` where its point is a
    /// mistake in its own tables.
    pub site: bool,
    /// When the drill ends; `None` plays on until every recipient is final.
    pub end: Option<Duration>,
    /// The DNS of the world.
    pub zone: Zone,
    /// The hosts in the order of the file. The implicit `sender` is not among them.
    pub hosts: Vec<Host>,
    /// What happens, in order of time; steps of one time in the order of the file.
    pub steps: Vec<Step>,
    /// Checks that are switched off.
    pub unchecked: Vec<CheckOff>,
}

/// A kind of world in which a drill is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorldKind {
    /// Virtual time and network.
    Sim,
    /// Real sockets on loopback.
    Live,
    /// Private network namespaces with real MTAs.
    Netns,
}

/// The only worlds in which a scenario makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    /// These worlds, in order, at least one.
    pub only: Vec<WorldKind>,
    /// Why no other.
    pub reason: String,
}

/// The zones of the world.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Zone {
    /// RFC 1035 master-file text, each zone begun by its `$ORIGIN`. Contents of `files` are already in it.
    pub text: String,
    /// What the text says.
    pub zones: Zones,
    /// The resolver sets AD: answers are authentic (RFC 4035).
    pub secure: bool,
}

/// A check that is switched off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckOff {
    /// The name of the check.
    pub check: String,
    /// Why it does not hold here.
    pub reason: String,
}

/// One step of the script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When, counted from the beginning.
    pub at: Duration,
    /// What.
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Mail is sent.
    Send(Send),
    /// Something breaks.
    Fault(Fault),
    /// Something is repaired.
    Clear(Clear),
    /// A host tries its whole queue at once (ETRN, `postqueue -f`, `exim -qff`).
    Flush(Place),
    /// A DNS record set is replaced.
    Set(Record),
    /// Figures are compared.
    Expect(Expect),
}

/// What is repaired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clear {
    /// All faults of a host.
    Host(Place),
    /// The fault of this name.
    Fault(String),
    /// All faults of the way between two hosts, as the fault named it.
    Link {
        /// From here.
        from: Place,
        /// To there.
        to: Place,
        /// And back.
        both: bool,
    },
    /// All faults of a name and type in the DNS; without a type, of the name.
    Dns {
        /// The name.
        name: DnsName,
        /// The type; `None` is every type.
        kind: Option<RecordType>,
    },
}

/// A DNS record set as a step leaves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The name.
    pub name: DnsName,
    /// The type.
    pub kind: RecordType,
    /// The data of each record in master-file form (`10 mx1`); none deletes the set. A host's label or place as
    /// the exchange of an MX record stands for that host's name.
    pub to: Vec<String>,
    /// The TTL; `None` keeps that of the set it replaces, or else of the zone.
    pub ttl: Option<Duration>,
}

/// Figures compared at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// When they must hold.
    pub when: When,
    /// All of these.
    pub expectations: Vec<Expectation>,
}

impl Expect {
    /// Expectations in the order in which a file has them: those of one measure, and of one figure, together.
    pub fn new(when: When, expectations: impl IntoIterator<Item = Expectation>) -> Expect {
        let all: Vec<Expectation> = expectations.into_iter().collect();
        let first = |expectation: &Expectation| {
            let measure = all.iter().position(|other| other.figure.measure == expectation.figure.measure);
            let figure = all.iter().position(|other| other.figure == expectation.figure);
            (measure, figure)
        };
        let mut sorted = all.clone();
        sorted.sort_by_key(first);
        Expect { when, expectations: sorted }
    }
}

/// When expectations must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At the time of the step.
    Now,
    /// At some moment from the time of the step until so much later, all of them at once.
    Within(Duration),
}

/// A host as a step names it: by its label, or by its place.
///
/// Places follow from the MX preferences of the domain that the drill is about, see `Scenario::place`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The host of this label, as [`Host::label`] has it.
    Host(String),
    /// The host of the best MX preference.
    Primary,
    /// The n-th host after the primary, counted from 1: `backup`, `backup2` ...
    Backup(u8),
    /// The host that originates mail.
    Sender,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Host(label) => f.write_str(label),
            Place::Primary => f.write_str("primary"),
            Place::Backup(1) => f.write_str("backup"),
            Place::Backup(n) => write!(f, "backup{n}"),
            Place::Sender => f.write_str("sender"),
        }
    }
}

impl From<&str> for Place {
    /// Reads `primary`, `backup`, `backup2` to `backup9` and `sender` as places, anything else as a label.
    fn from(text: &str) -> Place {
        match text {
            "primary" => Place::Primary,
            "backup" => Place::Backup(1),
            "sender" => Place::Sender,
            _ => match text.strip_prefix("backup").map(str::as_bytes) {
                Some([digit @ b'2'..=b'9']) => Place::Backup(digit - b'0'),
                _ => Place::Host(text.into()),
            },
        }
    }
}

impl Scenario {
    /// A scenario in which there is nothing yet: seed 1, any world, any site.
    pub fn new(name: impl Into<String>) -> Scenario {
        Scenario {
            name: name.into(),
            title: String::new(),
            why: None,
            seed: 1,
            worlds: None,
            site: true,
            end: None,
            zone: Zone::default(),
            hosts: Vec::new(),
            steps: Vec::new(),
            unchecked: Vec::new(),
        }
    }

    /// Whether it can be played in such a world; otherwise why not.
    pub fn plays_in(&self, world: WorldKind) -> Result<(), String> {
        match &self.worlds {
            Some(restriction) if !restriction.only.contains(&world) => Err(restriction.reason.clone()),
            _ => self.faults().try_for_each(|fault| fault.kind.exists_in(world)),
        }
    }

    /// The faults of all steps, in order of time.
    pub fn faults(&self) -> impl Iterator<Item = &Fault> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Fault(fault) => Some(fault),
            _ => None,
        })
    }
}

impl Zone {
    /// A zone from its text.
    ///
    /// # Errors
    /// When the text is no master file.
    pub fn parse(text: impl Into<String>) -> Result<Zone, ZoneError> {
        let text = text.into();
        let zones = Zones::parse(&text)?;
        Ok(Zone { text, zones, secure: false })
    }

    /// The apex of the first zone: a host's label stands in it.
    pub fn origin(&self) -> Option<&DomainName> {
        self.zones.first()
    }
}

impl WorldKind {
    /// All kinds.
    pub const ALL: [WorldKind; 3] = [WorldKind::Sim, WorldKind::Live, WorldKind::Netns];

    /// The word of scenario files and the command line.
    pub fn word(self) -> &'static str {
        match self {
            WorldKind::Sim => "sim",
            WorldKind::Live => "live",
            WorldKind::Netns => "netns",
        }
    }
}

impl fmt::Display for WorldKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
