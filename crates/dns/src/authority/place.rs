//! Where a name stands in the tree of zones, and what is there.

use hickory_proto::rr::{self, Name, RData, rdata};
use mxdrill_net::DomainName;

use super::find::Wanted;
use crate::{Record, RecordData, RecordType, Soa, TTL_DEFAULT, Zones, wire, zone::Node};

/// A name as it is looked for: the part of it that can exist in a zone, and whether there is more below.
pub(super) struct Place {
    name: Option<DomainName>,
    below: bool,
}

impl Place {
    /// Labels that no zone of ours can have (with blanks, dots, other octets) can still match a wildcard.
    pub(super) fn of(name: &Name) -> Place {
        let labels = name.iter().len();
        let fitting = (0..=labels).rev().find_map(|n| Some((n, wire::domain_name(&name.trim_to(n))?)));
        match fitting {
            Some((n, found)) => Place { name: Some(found), below: n < labels },
            None => Place { name: None, below: labels > 0 },
        }
    }

    pub(super) fn exact(&self) -> Option<&DomainName> {
        self.name.as_ref().filter(|_| !self.below)
    }

    fn is_root(&self) -> bool {
        self.name.is_none() && !self.below
    }
}

/// What one name holds for a question.
#[derive(PartialEq)]
pub(super) enum Holds<'a> {
    /// The root's own records, in no zone of ours.
    Root(Vec<rr::Record>),
    /// The name does not exist.
    Nothing,
    /// The name stands for another.
    Alias(&'a Record),
    /// The name exists; perhaps it has no such records.
    Records(Vec<&'a Record>),
}

impl Place {
    /// What is there for a question.
    pub(super) fn holds<'a>(&self, zones: &'a Zones, wanted: Wanted) -> Holds<'a> {
        if self.is_root() {
            return root(wanted);
        }
        let Some(node) = self.locate(zones) else { return Holds::Nothing };
        // RFC 1034 4.3.2: an alias answers for every type but its own
        match node.alias() {
            Some(alias) if !matches!(wanted, Wanted::All | Wanted::One(RecordType::Cname)) => {
                Holds::Alias(alias)
            }
            _ => Holds::Records(match wanted {
                Wanted::One(kind) => node.records(Some(kind)).collect(),
                Wanted::All => node.records(None).collect(),
                Wanted::Other => Vec::new(),
            }),
        }
    }

    /// The node of a name, or the wildcard below its closest encloser (RFC 4592 3.3.1).
    fn locate<'a>(&self, zones: &'a Zones) -> Option<&'a Node> {
        if let Some(node) = self.exact().and_then(|name| zones.node(name)) {
            return Some(node);
        }
        let above = std::iter::successors(self.name.clone(), DomainName::parent);
        let encloser = above.skip(usize::from(!self.below)).find(|name| zones.node(name).is_some())?;
        zones.node(&encloser.child("*").ok()?)
    }

    /// The start of authority to show for the absence of something: the zone's own, else the root's. Its time
    /// to live is how long the absence may be remembered (RFC 2308 3).
    pub(super) fn soa(&self, zones: &Zones) -> Option<rr::Record> {
        let apex = self.name.as_ref().and_then(|name| zones.apex_of(name));
        let record = apex.as_ref().and_then(|apex| zones.records(apex, RecordType::Soa).next());
        let (owner, ttl, soa) = match (apex, record) {
            (Some(apex), Some(Record { ttl, data: RecordData::Soa(soa), .. })) => {
                (wire::name(&apex)?, *ttl, (**soa).clone())
            }
            _ => return Some(root_soa()),
        };
        Some(rr::Record::from_rdata(owner, ttl.min(soa.minimum), RData::SOA(wire::soa(&soa))))
    }
}

fn root_soa() -> rr::Record {
    rr::Record::from_rdata(Name::root(), TTL_DEFAULT, RData::SOA(wire::soa(&Soa::made(None))))
}

/// The root has a SOA and an NS, which a resolver asks for before anything else (RFC 8109 3).
fn root<'a>(wanted: Wanted) -> Holds<'a> {
    let ns = rdata::NS(Soa::made(None).primary);
    let ns = rr::Record::from_rdata(Name::root(), TTL_DEFAULT, RData::NS(ns));
    match wanted {
        Wanted::One(RecordType::Ns) => Holds::Root(vec![ns]),
        Wanted::One(RecordType::Soa) => Holds::Root(vec![root_soa()]),
        Wanted::All => Holds::Root(vec![ns, root_soa()]),
        _ => Holds::Records(Vec::new()),
    }
}
