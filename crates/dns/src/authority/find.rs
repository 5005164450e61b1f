//! What the zones have for a question: aliases, wildcards, absence, and the faults on the way.

use std::time::Duration;

use hickory_proto::{
    op::{Query, ResponseCode},
    rr::{self, Name, RData},
};
use mxdrill_net::{DomainName, Tag};

use super::{Authority, Transport, fault::Effects};
use crate::{Record, RecordData, RecordType, Soa, TTL_DEFAULT, Zones, wire, zone::Node};

/// Aliases followed in one answer; a longer chain is taken for a loop.
const LINKS_MAX: usize = 16;

/// What was found for a question.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) code: ResponseCode,
    pub(super) answers: Vec<rr::Record>,
    pub(super) authority: Option<rr::Record>,
    pub(super) silent: bool,
    pub(super) truncate: bool,
    pub(super) delay: Duration,
    pub(super) bit: Vec<Tag>,
}

/// What a question wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    One(RecordType),
    /// Everything that there is (RFC 1035 3.2.3, ANY).
    All,
    /// A type that the lab never has.
    Other,
}

impl Wanted {
    fn of(kind: rr::RecordType) -> Wanted {
        match kind {
            rr::RecordType::ANY => Wanted::All,
            other => wire::record_type(other).map_or(Wanted::Other, Wanted::One),
        }
    }

    pub(super) fn one(self) -> Option<RecordType> {
        match self {
            Wanted::One(kind) => Some(kind),
            _ => None,
        }
    }
}

/// A name as it is looked for: the part of it that can exist in a zone, and whether there is more below.
struct Place {
    name: Option<DomainName>,
    below: bool,
}

impl Place {
    /// Labels that no zone of ours can have (with blanks, dots, other octets) can still match a wildcard.
    fn of(name: &Name) -> Place {
        let labels = name.num_labels_all();
        let fitting = (0..=labels).rev().find_map(|n| Some((n, wire::domain_name(&name.trim_to(n))?)));
        match fitting {
            Some((n, found)) => Place { name: Some(found), below: n < labels },
            None => Place { name: None, below: labels > 0 },
        }
    }

    fn exact(&self) -> Option<&DomainName> {
        self.name.as_ref().filter(|_| !self.below)
    }

    fn is_root(&self) -> bool {
        self.name.is_none() && !self.below
    }
}

trait Labels {
    fn num_labels_all(&self) -> usize;
}

impl Labels for Name {
    /// [`Name::num_labels`] leaves a wildcard's label out; `trim_to` counts it.
    fn num_labels_all(&self) -> usize {
        self.iter().len()
    }
}

/// What one name holds for a question.
#[derive(PartialEq)]
enum Holds<'a> {
    Nothing,
    Alias(&'a Record),
    Records(Vec<&'a Record>),
}

impl Authority {
    pub(super) fn resolve(&mut self, query: &Query, via: Transport) -> Found {
        let wanted = Wanted::of(query.query_type());
        let mut found = Found::new();
        let mut owner = query.name().clone();
        for _ in 0..=LINKS_MAX {
            match self.step(&owner, wanted, via, &mut found) {
                Some(target) => owner = target,
                None => return found,
            }
        }
        found.fail(ResponseCode::ServFail)
    }

    /// Answers for one name; gives back the name to go on with when it is an alias.
    fn step(&self, owner: &Name, wanted: Wanted, via: Transport, found: &mut Found) -> Option<Name> {
        let place = Place::of(owner);
        let effects = place.exact().map(|name| self.faults.on(name, wanted)).unwrap_or_default();
        found.suffer(&effects, via);
        if let Some((tag, verdict)) = effects.verdict {
            found.bit.push(tag);
            found.conclude(verdict, || soa(&self.zones, &place));
            return None;
        }
        let now = holds(&self.zones, &place, wanted);
        let Some((tag, zones)) = effects.stale else {
            return found.take(owner, now, || soa(&self.zones, &place));
        };
        let then = holds(zones, &place, wanted);
        if then != now {
            found.bit.push(tag);
        }
        found.take(owner, then, || soa(zones, &place))
    }
}

/// Verdict of a fault on one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Silent,
    NoData,
    Code(ResponseCode),
}

impl Found {
    fn new() -> Found {
        Found {
            code: ResponseCode::NoError,
            answers: Vec::new(),
            authority: None,
            silent: false,
            truncate: false,
            delay: Duration::ZERO,
            bit: Vec::new(),
        }
    }

    fn fail(mut self, code: ResponseCode) -> Found {
        self.answers.clear();
        self.code = code;
        self
    }

    fn suffer(&mut self, effects: &Effects<'_>, via: Transport) {
        for (tag, delay) in &effects.delays {
            self.delay = self.delay.saturating_add(*delay);
            self.bit.push(*tag);
        }
        // over TCP nothing is cut
        if let Some(tag) = effects.truncate.filter(|_| via == Transport::Udp) {
            self.truncate = true;
            self.bit.push(tag);
        }
    }

    fn conclude(&mut self, verdict: Verdict, soa: impl FnOnce() -> Option<rr::Record>) {
        match verdict {
            Verdict::Silent => self.silent = true,
            Verdict::NoData => self.authority = soa(),
            Verdict::Code(code) => {
                self.code = code;
                if code == ResponseCode::NXDomain {
                    self.authority = soa();
                } else {
                    self.answers.clear();
                }
            }
        }
    }

    fn take(
        &mut self,
        owner: &Name,
        holds: Holds<'_>,
        soa: impl FnOnce() -> Option<rr::Record>,
    ) -> Option<Name> {
        match holds {
            Holds::Nothing => self.conclude(Verdict::Code(ResponseCode::NXDomain), soa),
            Holds::Records(records) if records.is_empty() => self.conclude(Verdict::NoData, soa),
            Holds::Records(records) => {
                self.answers.extend(records.iter().filter_map(|record| wire::record(owner.clone(), record)));
            }
            Holds::Alias(record) => {
                self.answers.extend(wire::record(owner.clone(), record));
                if let RecordData::Cname(target) = &record.data {
                    return wire::name(target);
                }
            }
        }
        None
    }
}

fn holds<'a>(zones: &'a Zones, place: &Place, wanted: Wanted) -> Holds<'a> {
    if place.is_root() {
        return Holds::Records(Vec::new());
    }
    let Some(node) = locate(zones, place) else { return Holds::Nothing };
    // RFC 1034 4.3.2: an alias answers for every type but its own
    match node.alias() {
        Some(alias) if !matches!(wanted, Wanted::All | Wanted::One(RecordType::Cname)) => Holds::Alias(alias),
        _ => Holds::Records(match wanted {
            Wanted::One(kind) => node.records(Some(kind)).collect(),
            Wanted::All => node.records(None).collect(),
            Wanted::Other => Vec::new(),
        }),
    }
}

/// The node of a name, or the wildcard below its closest encloser (RFC 4592 3.3.1).
fn locate<'a>(zones: &'a Zones, place: &Place) -> Option<&'a Node> {
    if let Some(node) = place.exact().and_then(|name| zones.node(name)) {
        return Some(node);
    }
    let above = std::iter::successors(place.name.clone(), DomainName::parent);
    let encloser = above.skip(usize::from(!place.below)).find(|name| zones.node(name).is_some())?;
    zones.node(&encloser.child("*").ok()?)
}

/// The start of authority to show for the absence of something: the zone's own, else the root's. Its time to
/// live is how long the absence may be remembered (RFC 2308 3).
fn soa(zones: &Zones, place: &Place) -> Option<rr::Record> {
    let apex = place.name.as_ref().and_then(|name| zones.apex_of(name));
    let record = apex.as_ref().and_then(|apex| zones.records(apex, RecordType::Soa).next());
    let (owner, ttl, soa) = match (apex, record) {
        (Some(apex), Some(Record { ttl, data: RecordData::Soa(soa), .. })) => {
            (wire::name(&apex)?, *ttl, (**soa).clone())
        }
        _ => (Name::root(), TTL_DEFAULT, Soa::made(None)),
    };
    let ttl = ttl.min(soa.minimum);
    Some(rr::Record::from_rdata(owner, ttl, RData::SOA(wire::soa(&soa))))
}
