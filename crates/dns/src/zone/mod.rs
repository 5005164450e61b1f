//! Zones: the data of the world's DNS.
//!
//! All zones of a world are one tree of names, so that names between zones and the root are answered as the
//! whole world would. What a text leaves out (SOA, NS, PTR) is made, and made records give way to given ones.

mod build;
mod entry;
mod error;
mod file;
mod parse;
mod print;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use mxdrill_net::DomainName;

pub use error::{ZoneError, ZoneProblem};
pub use file::FileError;

use crate::{Record, RecordData, RecordType, Soa, wire};

/// The zones of a world. Cheap to clone; a change copies what is shared.
///
/// ```
/// let zones = mxdrill_dns::Zones::parse("$ORIGIN example.test.\n@ MX 10 mx1\nmx1 A 192.0.2.10\n")?;
/// let (preference, exchange) = &zones.mx(&"example.test".parse()?)[0];
/// assert_eq!((*preference, exchange.as_ref().unwrap().as_str()), (10, "mx1.example.test"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Zones(Arc<Tree>);

#[derive(Clone, Debug, Default)]
struct Tree {
    /// The tops of the zones, in the order of the text. None lies within another.
    apexes: Vec<DomainName>,
    /// Every name with records, and every name above one (RFC 4592 2.2.2: it exists, though it holds nothing).
    nodes: BTreeMap<DomainName, Node>,
}

/// One name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// What the text or the builder said, in that order.
    given: Vec<Record>,
    /// What follows from it: SOA and NS of an apex, PTR of an address.
    made: Vec<Record>,
    apex: bool,
}

impl Node {
    /// The records of a type; all of them for `None`. Given ones stand instead of made ones of their type.
    pub(crate) fn records(&self, kind: Option<RecordType>) -> impl Iterator<Item = &Record> {
        let wanted = move |record: &&Record| kind.is_none_or(|kind| record.kind() == kind);
        let stands = |record: &&Record| !self.given.iter().any(|given| given.kind() == record.kind());
        self.given.iter().filter(wanted).chain(self.made.iter().filter(stands).filter(wanted))
    }

    /// The target, if this name is an alias.
    pub(crate) fn alias(&self) -> Option<&Record> {
        self.given.iter().find(|record| record.kind() == RecordType::Cname)
    }
}

impl Zones {
    /// The tops of the zones, in the order in which they were given.
    pub fn apexes(&self) -> &[DomainName] {
        &self.0.apexes
    }

    /// The top of the first zone: what a bare host name in a scenario is relative to.
    pub fn first(&self) -> Option<&DomainName> {
        self.0.apexes.first()
    }

    /// The top of the zone that a name lies in.
    pub fn apex_of(&self, name: &DomainName) -> Option<DomainName> {
        let is_apex = |name: &DomainName| self.0.nodes.get(name).is_some_and(|node| node.apex);
        std::iter::successors(Some(name.clone()), DomainName::parent).find(is_apex)
    }

    /// Every record that was given, by name; made ones (SOA, NS, PTR) are left out.
    pub fn iter(&self) -> impl Iterator<Item = &Record> {
        self.0.nodes.values().flat_map(|node| &node.given)
    }

    /// The records of a name and type, made ones included. Aliases and wildcards are not followed.
    pub fn records(&self, name: &DomainName, kind: RecordType) -> impl Iterator<Item = &Record> {
        let node = wire::ascii(name).and_then(|name| self.0.nodes.get(&name));
        node.into_iter().flat_map(move |node| node.records(Some(kind)))
    }

    /// The mail exchangers of a domain, best first; `None` is the null MX.
    pub fn mx(&self, domain: &DomainName) -> Vec<(u16, Option<DomainName>)> {
        let mut list: Vec<_> = self.records(domain, RecordType::Mx).filter_map(exchanger).collect();
        list.sort_by_key(|(preference, _)| *preference);
        list
    }

    /// The addresses of a name, IPv4 first.
    pub fn addresses(&self, name: &DomainName) -> Vec<IpAddr> {
        let of = |kind| self.records(name, kind).filter_map(|record| record.data.address());
        of(RecordType::A).chain(of(RecordType::Aaaa)).collect()
    }

    /// The start of authority of the zone that a name lies in.
    pub fn soa(&self, name: &DomainName) -> Option<Arc<Soa>> {
        let apex = self.apex_of(name)?;
        self.records(&apex, RecordType::Soa).find_map(|record| match &record.data {
            RecordData::Soa(soa) => Some(soa.clone()),
            _ => None,
        })
    }

    pub(crate) fn node(&self, name: &DomainName) -> Option<&Node> {
        self.0.nodes.get(name)
    }
}

fn exchanger(record: &Record) -> Option<(u16, Option<DomainName>)> {
    match &record.data {
        RecordData::Mx { preference, exchange } => Some((*preference, exchange.clone())),
        _ => None,
    }
}

impl PartialEq for Zones {
    /// Whether both say the same: zones in the same order, with the same given records.
    fn eq(&self, other: &Zones) -> bool {
        self.0.apexes == other.0.apexes && self.iter().eq(other.iter())
    }
}
