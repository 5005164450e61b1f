//! Who plays: every host of the world, with its addresses and duties.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mxdrill_dns::Zones;
use mxdrill_mta::{NodeConfig, PolicyConfig, Retry, profile::Memory};
use mxdrill_net::{DomainName, Epoch, HostId, HostSpec, Seed};
use mxdrill_smtp::{ReversePath, tls::Kind};

use super::{PlanError, house, tls::Certificates};
use crate::scenario::{Action, Host, KnownAs, Place, PlaceError, Program, Scenario};

/// How long a hurried host waits.
const HURRIED: Duration = Duration::from_secs(5);

/// Everyone in a world. A member's place in the list is its [`HostId`].
#[derive(Debug)]
pub(crate) struct Cast {
    members: Vec<Member>,
    /// The DNS of the world: the scenario's, and what its hosts need beside.
    pub(crate) zones: Zones,
}

/// One host of a world.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// What reports call it.
    pub(crate) label: String,
    /// Its name in the DNS.
    pub(crate) name: DomainName,
    /// Its addresses, of the scenario's world.
    pub(crate) addresses: Vec<IpAddr>,
    /// What it does.
    pub(crate) part: Part,
    /// Bytes that fit on its disk.
    pub(crate) spool: Option<u64>,
    /// The program that it is where programs can run.
    pub(crate) program: Option<Program>,
}

/// What a host of a world does.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    /// It is a mail node.
    Mail(Box<NodeConfig>),
    /// It is an application that finds its MX itself, and keeps no queue.
    Application(Box<NodeConfig>),
    /// It serves an MTA-STS policy.
    Policy(PolicyConfig),
    /// It is a real mail server.
    Program(Box<NodeConfig>),
    /// It hands the drill's mail to the first hosts.
    Originator,
    /// It answers for the zones.
    NameServer,
}

impl Cast {
    /// Casts the hosts of a scenario, and those that it takes for granted: the implicit sender, an inbox for the
    /// senders' own mail, the originator and the name server.
    pub(super) fn of(scenario: &Scenario, seed: Seed, layer: Kind) -> Result<Cast, PlanError> {
        let certificates = Certificates::of(scenario, layer);
        let mut zones = scenario.zone.zones.clone();
        let mut addresses = Addresses::new(&zones);
        let service = |last| addresses.service(last);
        let [originator, inbox, resolver] = [service(1), service(25), service(53)];
        let trusting = trusting(scenario);
        let mut members = Vec::new();
        for host in scenario.hosts.iter().chain(scenario.sender().as_ref()) {
            let mut own = host.addresses.clone().unwrap_or_else(|| addresses.of(&mut zones, &host.name));
            own.retain(|address| !host.nat.contains(address));
            let mut config = config(host, own.clone(), SocketAddr::new(resolver, 53), seed, members.len())?;
            if let Some(certificates) = &certificates {
                config.certificate = certificates.show(host, &mut zones);
                config.trust = Some(certificates.trust());
            }
            if trusting.contains(host.label.as_str()) {
                config.trusted.push(originator);
            }
            match certificates.as_ref().and_then(|certificates| certificates.policy(host, &own, &mut zones)) {
                Some(policy) => members.push(Member::policy(host, own, policy)),
                None => members.push(Member::new(host, own, config)),
            }
        }
        let mut cast = Cast { members, zones };
        cast.set_house_rules(scenario)?;
        cast.add_inbox(scenario, inbox, SocketAddr::new(resolver, 53), seed);
        cast.add_service("originator", originator, Part::Originator);
        cast.add_service("dns", resolver, Part::NameServer);
        Ok(cast)
    }

    /// All members, in the order of their ids.
    pub(crate) fn members(&self) -> impl Iterator<Item = (HostId, &Member)> {
        self.members.iter().enumerate().map(|(index, member)| (host_id(index), member))
    }

    /// One member.
    pub(crate) fn member(&self, id: HostId) -> &Member {
        &self.members[usize::from(id.0)]
    }

    /// The member of that label.
    pub(crate) fn find(&self, label: &str) -> Option<HostId> {
        self.members.iter().position(|member| member.label == label).map(host_id)
    }

    /// The member that is the originator.
    pub(crate) fn originator(&self) -> HostId {
        self.first(|part| matches!(part, Part::Originator))
    }

    /// Lets the hosts that name a mail server be that server. Elsewhere their profiles are played.
    pub(super) fn employ(&mut self) {
        for member in &mut self.members {
            let is_server = member.program.is_some_and(|program| program != Program::Lettre);
            if let (Part::Mail(config), true) = (&member.part, is_server) {
                member.part = Part::Program(config.clone());
            }
        }
    }

    /// Hurries the hosts that are played, as mail servers beside them are hurried: they try again every few seconds.
    pub(super) fn hurry(&mut self) {
        for member in &mut self.members {
            let (Part::Mail(config) | Part::Application(config)) = &mut member.part else { continue };
            let profile = Arc::make_mut(&mut config.profile);
            profile.retry = Retry::List(vec![HURRIED]);
            profile.runner = None;
            profile.timeouts.connect = profile.timeouts.connect.min(HURRIED);
            if let Some(dead) = &mut profile.concurrency.dead {
                dead.lasts = dead.lasts.min(HURRIED);
            }
            if profile.memory != Memory::None {
                profile.memory = Memory::Fixed(HURRIED);
            }
        }
    }

    /// Who tells of mail that a host sends: an application itself, for others the originator.
    pub(crate) fn sender(&self, by: HostId) -> HostId {
        match self.member(by).part {
            Part::Application(_) => by,
            _ => self.originator(),
        }
    }

    /// The member that is the name server.
    pub(crate) fn name_server(&self) -> HostId {
        self.first(|part| matches!(part, Part::NameServer))
    }

    fn first(&self, is: impl Fn(&Part) -> bool) -> HostId {
        host_id(self.members.iter().position(|member| is(&member.part)).expect("every world has one"))
    }

    /// Gives each host the rules of its own policy, now that everybody's addresses are known.
    fn set_house_rules(&mut self, scenario: &Scenario) -> Result<(), PlanError> {
        for (index, host) in scenario.hosts.iter().enumerate() {
            let addresses = |place: &Place| -> Result<Vec<IpAddr>, PlanError> {
                let label = scenario.place(place)?;
                let id = self.find(label).ok_or_else(|| PlaceError::Unknown(label.into()))?;
                Ok(self.member(id).addresses.clone())
            };
            let rules = house::rules(&host.policy, addresses)?;
            if let Part::Mail(config) = &mut self.members[index].part {
                config.house = rules;
            }
        }
        Ok(())
    }

    /// One host that takes mail for every sender's domain that no zone gives an MX, so that DSNs arrive.
    fn add_inbox(&mut self, scenario: &Scenario, address: IpAddr, resolver: SocketAddr, seed: Seed) {
        let orphans: BTreeSet<DomainName> =
            senders(scenario).filter(|domain| self.zones.mx(domain).is_empty()).cloned().collect();
        if orphans.is_empty() {
            return;
        }
        let name = service_name("inbox");
        self.zones.insert(mxdrill_dns::Record::new(name.clone(), address.into()));
        for domain in &orphans {
            self.zones = std::mem::take(&mut self.zones).with_zone(domain).with_mx(domain, 10, &name);
        }
        let mut config = NodeConfig::new(name, vec![address], resolver);
        config.delivers.extend(orphans);
        config.seed = seed;
        config.key = self.members.len() as u64;
        self.add_service("inbox", address, Part::Mail(Box::new(config)));
    }

    fn add_service(&mut self, label: &str, address: IpAddr, part: Part) {
        let taken = self.find(label).is_some();
        let label = if taken { format!("mxdrill-{label}") } else { label.into() };
        let name = service_name(&label);
        self.members.push(Member { label, name, addresses: vec![address], part, spool: None, program: None });
    }
}

impl Member {
    fn new(host: &Host, addresses: Vec<IpAddr>, config: NodeConfig) -> Member {
        let config = Box::new(config);
        let application = host.run == Some(Program::Lettre);
        let part = if application { Part::Application(config) } else { Part::Mail(config) };
        let addresses = addresses.into_iter().chain(host.nat.iter().copied()).collect();
        let (label, name) = (host.label.clone(), host.name.clone());
        Member { label, name, addresses, part, spool: host.spool, program: host.run }
    }

    fn policy(host: &Host, addresses: Vec<IpAddr>, config: PolicyConfig) -> Member {
        let part = Part::Policy(config);
        Member {
            label: host.label.clone(),
            name: host.name.clone(),
            addresses,
            part,
            spool: None,
            program: None,
        }
    }

    /// What a driver needs to know of it.
    pub(crate) fn spec(&self) -> HostSpec {
        HostSpec { name: self.label.clone(), addresses: self.addresses.clone() }
    }

    /// Its configuration, if it is a mail node.
    pub(crate) fn mail(&self) -> Option<&NodeConfig> {
        match &self.part {
            Part::Mail(config) => Some(config),
            Part::Policy(_)
            | Part::Application(_)
            | Part::Program(_)
            | Part::Originator
            | Part::NameServer => None,
        }
    }

    /// The program and what it is to be, if it is a real mail server.
    pub(crate) fn server(&self) -> Option<(Program, &NodeConfig)> {
        match &self.part {
            Part::Program(config) => Some((self.program?, config)),
            _ => None,
        }
    }
}

/// The configuration that a scenario's host means.
fn config(
    host: &Host,
    addresses: Vec<IpAddr>,
    resolver: SocketAddr,
    seed: Seed,
    index: usize,
) -> Result<NodeConfig, PlanError> {
    let profile = host.profile().map_err(|why| PlanError::Profile { host: host.label.clone(), why })?;
    let names = |known: &KnownAs| match known {
        KnownAs::Name(name) => Some(name.clone()),
        KnownAs::Address(_) => None,
    };
    let places = |known: &KnownAs| match known {
        KnownAs::Address(address) => Some(*address),
        KnownAs::Name(_) => None,
    };
    Ok(NodeConfig {
        delivers: host.delivers.clone(),
        relays: host.relays.clone(),
        recipients: host.recipients.clone(),
        routes: host.route.iter().cloned().collect(),
        known_as: host.known_as.iter().filter_map(names).collect(),
        known_at: host.known_as.iter().filter_map(places).collect(),
        nat: host.nat.clone(),
        verify: host.policy.verify,
        filter: host.policy.filter,
        profile: Arc::new(profile),
        sessions: host.sessions,
        seed,
        key: index as u64,
        epoch: Epoch::default(),
        ..NodeConfig::new(host.name.clone(), addresses, resolver)
    })
}

/// The labels of hosts that a send goes through: they relay what the originator gives them.
fn trusting(scenario: &Scenario) -> BTreeSet<&str> {
    let by = |action: &Action| match action {
        Action::Send(send) => scenario.place(&send.by).ok(),
        _ => None,
    };
    scenario.steps.iter().filter_map(|step| by(&step.action)).collect()
}

/// The domains to which the senders' bounces go.
fn senders(scenario: &Scenario) -> impl Iterator<Item = &DomainName> {
    scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Send(crate::scenario::Send { from: ReversePath(Some(address)), .. }) => {
            Some(address.domain())
        }
        _ => None,
    })
}

/// Addresses for hosts to which the scenario gives none, of the network kept for benchmarks (RFC 2544), so that
/// nobody is ever meant by them.
struct Addresses {
    taken: BTreeSet<IpAddr>,
    next: u16,
}

impl Addresses {
    fn new(zones: &Zones) -> Addresses {
        Addresses { taken: zones.iter().filter_map(|record| record.data.address()).collect(), next: 1 }
    }

    /// A service's address: the first 198.18.n.`last` that the zones leave free.
    fn service(&self, last: u8) -> IpAddr {
        let mut all = (0..=255).map(|third| IpAddr::V4(Ipv4Addr::new(198, 18, third, last)));
        all.find(|address| !self.taken.contains(address)).expect("no zone takes a whole benchmark network")
    }

    /// The addresses of a name; where it has none, a fixed one (RFC 2544), which its zone then has.
    fn of(&mut self, zones: &mut Zones, name: &DomainName) -> Vec<IpAddr> {
        let known = zones.addresses(name);
        if !known.is_empty() {
            return known;
        }
        let address = self.free();
        zones.insert(mxdrill_dns::Record::new(name.clone(), address.into()));
        vec![address]
    }

    fn free(&mut self) -> IpAddr {
        loop {
            let address = IpAddr::V4(Ipv4Addr::new(198, 19, (self.next >> 8) as u8, self.next as u8));
            self.next = self.next.wrapping_add(1);
            if self.taken.insert(address) {
                return address;
            }
        }
    }
}

fn service_name(label: &str) -> DomainName {
    format!("{label}.mxdrill.test").parse().expect("labels of services are labels")
}

/// Hosts are numbered in the order in which they are added to a driver.
fn host_id(index: usize) -> HostId {
    HostId(u16::try_from(index).expect("no scenario has that many hosts"))
}
