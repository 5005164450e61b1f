//! The answers of one resolution, as they come in.

use std::net::IpAddr;

use mxdrill_dns::{Answer, Outcome, RecordData, RecordType};
use mxdrill_net::DomainName;

use crate::Basis;

/// Hosts of one route at most. Exim takes 50 (hosts_max_try_hardlimit); a zone can hold thousands.
const HOSTS_MAX: usize = 64;

/// Which answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// The MX of the destination.
    Mx,
    /// AAAA of a host.
    Ipv6(u16),
    /// A of a host.
    Ipv4(u16),
    /// TLSA of a host.
    Tlsa(u16),
    /// TXT that announces an MTA-STS policy.
    Sts,
    /// A of the host of that policy.
    StsIpv4,
    /// AAAA of the host of that policy.
    StsIpv6,
}

/// One resolution under way.
#[derive(Debug)]
pub(super) struct Gathering {
    pub(super) destination: DomainName,
    pub(super) draw: u64,
    /// Questions without an answer yet.
    pub(super) open: u32,
    /// Known as soon as the hosts are.
    pub(super) basis: Option<Basis>,
    pub(super) addresses_asked: bool,
    /// The resolver vouches for the MX records, or for that there are none.
    pub(super) is_authentic: bool,
    pub(super) tlsa_asked: bool,
    /// The id of the MTA-STS policy that is announced.
    pub(super) sts: Option<Box<str>>,
    pub(super) sts_asked: bool,
    pub(super) sts_addresses: Vec<IpAddr>,
    pub(super) hosts: Vec<Found>,
}

/// One host and what its look-ups said.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) preference: u16,
    pub(super) name: DomainName,
    pub(super) literal: Option<IpAddr>,
    pub(super) ipv6: Option<Answer>,
    pub(super) ipv4: Option<Answer>,
    pub(super) tlsa: Option<Answer>,
}

impl Found {
    fn new(preference: u16, name: DomainName) -> Found {
        Found { preference, name, literal: None, ipv6: None, ipv4: None, tlsa: None }
    }
}

impl Gathering {
    pub(super) fn new(destination: DomainName, draw: u64) -> Gathering {
        Gathering {
            destination,
            draw,
            open: 0,
            basis: None,
            addresses_asked: false,
            is_authentic: false,
            tlsa_asked: false,
            sts: None,
            sts_asked: false,
            sts_addresses: Vec::new(),
            hosts: Vec::new(),
        }
    }

    /// A static next hop: its MX are not asked for.
    pub(super) fn go_static(&mut self, hop: DomainName) {
        let literal = hop.as_str().parse().ok();
        self.hosts.push(Found { literal, ..Found::new(0, hop) });
        self.basis = Some(Basis::Static);
    }

    /// What is asked for; `None` where no such name can be.
    pub(super) fn question(&self, slot: Slot) -> Option<(DomainName, RecordType)> {
        let name = match slot {
            Slot::Mx => self.destination.clone(),
            Slot::Ipv6(host) | Slot::Ipv4(host) => self.hosts[usize::from(host)].name.clone(),
            Slot::Sts => format!("_mta-sts.{}", self.destination).parse().ok()?,
            Slot::StsIpv4 | Slot::StsIpv6 => crate::sts::policy_host(&self.destination)?,
            Slot::Tlsa(host) => super::dane::name(&self.hosts[usize::from(host)].name)?,
        };
        Some((name, super::record_type(slot)))
    }

    pub(super) fn take(&mut self, slot: Slot, answer: Answer) {
        match slot {
            Slot::Mx => self.take_mx(&answer),
            Slot::Ipv6(host) => self.hosts[usize::from(host)].ipv6 = Some(answer),
            Slot::Ipv4(host) => self.hosts[usize::from(host)].ipv4 = Some(answer),
            Slot::Tlsa(host) => self.hosts[usize::from(host)].tlsa = Some(answer),
            Slot::Sts => self.sts = crate::sts::announced(&answer),
            Slot::StsIpv4 | Slot::StsIpv6 => {
                self.sts_addresses.extend(answer.records.iter().filter_map(|record| record.data.address()));
            }
        }
    }

    /// RFC 5321 5.1: MX records; without any, the destination is its own host at preference 0 (aliases were
    /// followed by the look-up); NXDOMAIN is an error; anything temporary is neither.
    fn take_mx(&mut self, answer: &Answer) {
        self.is_authentic = answer.authentic;
        self.basis = Some(match answer.outcome {
            Outcome::Records(_) => self.take_hosts(answer),
            Outcome::NoData => self.take_implicit(),
            other => Basis::Unresolved(other),
        });
    }

    fn take_hosts(&mut self, answer: &Answer) -> Basis {
        let mut null = false;
        for record in answer.records.iter() {
            match &record.data {
                RecordData::Mx { preference, exchange: Some(name) } => {
                    self.hosts.push(Found::new(*preference, name.clone()));
                }
                RecordData::Mx { exchange: None, .. } => null = true,
                _ => {}
            }
        }
        self.hosts.sort_by_key(|host| host.preference);
        self.hosts.truncate(HOSTS_MAX);
        match (self.hosts.is_empty(), null) {
            // RFC 7505 3: a null MX stands alone; beside others it is a mistake, and says nothing
            (true, true) => Basis::NullMx,
            (true, false) => self.take_implicit(),
            (false, _) => Basis::Mx,
        }
    }

    fn take_implicit(&mut self) -> Basis {
        self.hosts.push(Found::new(0, self.destination.clone()));
        Basis::Implicit
    }
}
