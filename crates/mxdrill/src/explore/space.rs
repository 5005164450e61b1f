//! What can be drawn: from a scenario's hosts and zone, every fault in every place, and who sends mail to whom.

use mxdrill_dns::{RecordData, RecordType};
use mxdrill_mta::profile;
use mxdrill_net::{DomainName, Seed};
use mxdrill_smtp::Address;

use super::{
    ExploreError, Family,
    cell::{Cell, On, What},
    draw::fault_of,
    outage::Outage,
};
use crate::{
    World,
    plan::Plan,
    scenario::{Action, Content, DnsName, Host, Place, Program, Scenario, Send, To},
};

/// Everything that outages of a scenario are drawn from.
#[derive(Debug)]
pub(crate) struct Space {
    /// The scenario with its hosts and its zone, and nothing that happens.
    pub(crate) base: Scenario,
    /// The cells in a fixed order.
    pub(crate) cells: Vec<Cell>,
    /// The places of the cells of each family that has any.
    pub(crate) families: Vec<(Family, Vec<usize>)>,
    /// The cells that take the primary out of reach.
    pub(crate) out_of_reach: Vec<usize>,
    /// Who sends, and to whom: the scenario's sends, or one by its sender.
    pub(crate) sends: Vec<Send>,
    /// Addresses that mail can be sent to.
    pub(crate) addresses: Vec<Address>,
    /// The names of all profiles.
    pub(crate) likes: Vec<&'static str>,
    /// The largest message that every host takes.
    pub(crate) size_max: u64,
    /// Whether every host takes octets above 127.
    pub(crate) eight_bit: bool,
}

impl Space {
    /// The space around a scenario, of these families only.
    ///
    /// # Errors
    /// When nobody in it could send or take mail, or no fault is left.
    pub(crate) fn of(scenario: &Scenario, families: &[Family]) -> Result<Space, ExploreError> {
        let mut base = with_sender(scenario)?;
        let sends = sends(&base)?;
        base.steps.clear();
        base.end = None;
        let addresses = addresses(&base, &sends);
        if addresses.is_empty() {
            return Err(ExploreError::NoRecipient);
        }
        let mut cells = cells(&base, &sends);
        cells.retain(|cell| families.contains(&cell.what.family()) && exists(&base, cell));
        let of = |family: Family| -> Vec<usize> {
            let all = cells.iter().enumerate();
            all.filter(|(_, cell)| cell.what.family() == family).map(|(place, _)| place).collect()
        };
        let families: Vec<_> = Family::ALL.into_iter().map(|family| (family, of(family))).collect();
        let families: Vec<_> = families.into_iter().filter(|(_, cells)| !cells.is_empty()).collect();
        if families.is_empty() {
            return Err(ExploreError::NoFault);
        }
        let primary = base.place(&Place::Primary).ok();
        let hides = |cell: &Cell| match (&cell.on, cell.what) {
            (On::Host(label), What::Connect(_) | What::Crash) => Some(label.as_str()) == primary,
            (On::Link(_, to), What::Partition) => Some(to.as_str()) == primary,
            _ => false,
        };
        let all = cells.iter().enumerate();
        let out_of_reach = all.filter(|(_, cell)| hides(cell)).map(|(place, _)| place).collect();
        let size_max = base.hosts.iter().filter_map(|host| host.size).filter(|size| *size > 0).min();
        Ok(Space {
            cells,
            families,
            out_of_reach,
            sends,
            addresses,
            likes: profile::all().iter().map(|(name, _)| *name).collect(),
            size_max: size_max.unwrap_or(u64::MAX),
            eight_bit: base.hosts.iter().all(|host| host.lacks.is_empty()),
            base,
        })
    }

    /// Static routes of a backup: to a host that delivers, for each domain that it relays.
    pub(super) fn routes(&self, host: &Host) -> Vec<(DomainName, DomainName)> {
        let delivers = |domain: &DomainName| {
            self.base.hosts.iter().find(|other| other.label != host.label && other.delivers.contains(domain))
        };
        let route = |domain: &DomainName| Some((domain.clone(), delivers(domain)?.name.clone()));
        host.relays.iter().filter_map(route).collect()
    }

    /// The outage of a number.
    pub(crate) fn outage(&self, seed: u64, index: u64) -> Outage {
        super::draw::outage(self, Seed(seed), index)
    }
}

/// The scenario with its places made concrete, and with the sender that it takes for granted.
fn with_sender(scenario: &Scenario) -> Result<Scenario, ExploreError> {
    let mut asking = scenario.clone();
    let sends = asking.steps.iter().any(|step| matches!(step.action, Action::Send(_)));
    if !sends {
        let to = asking.default_recipient().ok_or(ExploreError::NoRecipient)?;
        let action = Action::Send(Send::new(to));
        asking.steps.push(crate::scenario::Step { at: std::time::Duration::ZERO, action });
    }
    Ok(asking.resolved()?)
}

/// The sends of a scenario, each way once.
fn sends(base: &Scenario) -> Result<Vec<Send>, ExploreError> {
    let mut sends: Vec<Send> = Vec::new();
    for step in &base.steps {
        let Action::Send(send) = &step.action else { continue };
        let made = Content::Made { body: crate::scenario::Body::SevenBit, size: 1024 };
        let plain = Send { content: made, forged: false, ..send.clone() };
        if !sends.iter().any(|known| known.by == plain.by && known.to == plain.to && known.from == plain.from)
        {
            sends.push(plain);
        }
    }
    if sends.is_empty() { Err(ExploreError::NoRecipient) } else { Ok(sends) }
}

/// Addresses of the domains that hosts deliver: known mailboxes where a host knows its own, else made up.
fn addresses(base: &Scenario, sends: &[Send]) -> Vec<Address> {
    let is_known = |address: &Address| {
        let serving = base.hosts.iter().filter(|host| {
            host.delivers.contains(address.domain()) || host.relays.contains(address.domain())
        });
        serving.filter_map(|host| host.recipients.as_ref()).all(|known| known.contains(address))
    };
    let sent = sends.iter().flat_map(|send| match &send.to {
        To::One(address) => vec![address.clone()],
        To::Several(addresses) => addresses.clone(),
        To::Numbered { .. } => send.to.of(0),
    });
    let listed = base.hosts.iter().filter_map(|host| host.recipients.as_ref()).flatten().cloned();
    let made = base.delivered().into_iter().flat_map(|domain| {
        ["u1", "u2", "u3"].into_iter().filter_map(move |local| format!("{local}@{domain}").parse().ok())
    });
    let mut all: Vec<Address> = Vec::new();
    for address in sent.chain(listed).chain(made).filter(is_known) {
        if base.delivered().contains(&address.domain()) && !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

fn cells(base: &Scenario, sends: &[Send]) -> Vec<Cell> {
    let nodes = || base.hosts.iter().filter(|host| is_node(host));
    let on_hosts =
        nodes().flat_map(|host| What::of_hosts().map(|what| Cell { what, on: On::Host(host.label.clone()) }));
    let senders = |label: &str| sends.iter().any(|send| send.by.to_string() == label);
    let takes = |host: &Host| !host.only_sends();
    let speaks = |host: &Host| senders(&host.label) || !host.relays.is_empty();
    let ways = base.hosts.iter().filter(|host| speaks(host)).flat_map(|from| {
        let to = base.hosts.iter().filter(move |to| takes(to) && to.label != from.label);
        to.map(|to| On::Link(from.label.clone(), to.label.clone()))
    });
    let on_links = ways.flat_map(|on| What::of_links().map(move |what| Cell { what, on: on.clone() }));
    let on_names = names(base).into_iter().flat_map(|(name, kind)| {
        What::of_answers().map(move |what| Cell { what, on: On::Dns(name.clone(), kind) })
    });
    on_hosts.chain(on_links).chain(on_names).collect()
}

/// Whether a host is a mail node in `sim`: faults of its dialogue need one.
fn is_node(host: &Host) -> bool {
    host.run != Some(Program::Lettre)
}

/// The names that a sender looks up: each delivered domain's MX, and the addresses of these.
fn names(base: &Scenario) -> Vec<(DnsName, RecordType)> {
    let mut names = Vec::new();
    for domain in base.delivered() {
        names.push((DnsName::Name(domain.clone()), RecordType::Mx));
        for (_, exchange) in base.zone.zones.mx(domain) {
            let Some(exchange) = exchange else { continue };
            let kinds = base.zone.zones.iter().filter(|record| record.name == exchange);
            for record in kinds.filter(|record| matches!(record.data, RecordData::A(_) | RecordData::Aaaa(_)))
            {
                names.push((DnsName::Name(exchange.clone()), record.kind()));
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Whether this build can bring it about in `sim`.
fn exists(base: &Scenario, cell: &Cell) -> bool {
    if cell.what.family() != Family::Tls {
        return true;
    }
    let mut trial = base.clone();
    let fault = fault_of(cell, &mut Seed(0).draw("explore trial", &[]), base);
    trial.steps.push(crate::scenario::Step { at: std::time::Duration::ZERO, action: Action::Fault(fault) });
    Plan::of(&trial, Seed(0), World::sim(0).tls()).is_ok()
}
