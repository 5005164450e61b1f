//! What the zones have for a question: aliases followed, faults suffered on the way.

use std::time::Duration;

use hickory_proto::{
    op::{Query, ResponseCode},
    rr::{self, Name},
};
use mxdrill_net::Tag;

use super::{
    Authority, Transport,
    fault::Effects,
    place::{Holds, Place},
};
use crate::{LINKS_MAX, RecordData, RecordType, wire};

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
            found.conclude(verdict, || place.soa(&self.zones));
            return None;
        }
        let now = place.holds(&self.zones, wanted);
        let Some((tag, zones)) = effects.stale else {
            return found.take(owner, now, || place.soa(&self.zones));
        };
        let then = place.holds(zones, wanted);
        if then != now {
            found.bit.push(tag);
        }
        found.take(owner, then, || place.soa(zones))
    }
}

/// What decides the answer for one name, where that is not its records.
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
            Holds::Root(records) => self.answers.extend(records),
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
