//! What an answer means for the question that was asked.

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::RData,
};
use mxdrill_net::DomainName;

use super::Answer;
use crate::{LINKS_MAX, Outcome, Record, RecordData, RecordType, wire};

/// What came of a question so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trail {
    /// Aliases followed.
    pub(crate) links: u8,
    /// The least time to live of those aliases.
    pub(crate) ttl: Option<u32>,
    /// Whether an answer on the way was not vouched for.
    pub(crate) doubtful: bool,
}

impl Trail {
    fn least(&self, ttl: u32) -> u32 {
        self.ttl.map_or(ttl, |least| least.min(ttl))
    }

    fn follow(&mut self, ttl: u32) {
        self.links = self.links.saturating_add(1);
        self.ttl = Some(self.least(ttl));
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// That is the answer; it may be remembered for `ttl` seconds, or not at all.
    Final { answer: Answer, ttl: Option<u32> },
    /// The name is an alias, and the answer does not say what its target has: it has to be asked for.
    Alias { target: DomainName },
}

/// Reads an answer to a question for `name` and `kind`.
pub(crate) fn read(name: &DomainName, kind: RecordType, message: &Message, trail: &mut Trail) -> Reading {
    let code = message.metadata.response_code;
    if !matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Reading::Final { answer: Answer::empty(wire::refusal(code)), ttl: None };
    }
    trail.doubtful |= !message.metadata.authentic_data;
    let records: Vec<Record> = message.answers.iter().filter_map(wire::received).collect();
    let links_before = trail.links;
    let end = follow(name.clone(), kind, &records, trail);
    if trail.links > LINKS_MAX {
        return Reading::Final { answer: Answer::empty(Outcome::ServFail), ttl: None };
    }
    let wanted: Vec<Record> = records.into_iter().filter(|r| r.kind() == kind && r.name == end).collect();
    if let Some(ttl) = wanted.iter().map(|r| r.ttl).min() {
        return found(wanted, trail.least(ttl), trail);
    }
    let negative = negative_ttl(message);
    // RFC 2308 2.2: an alias whose target has nothing comes with the SOA that says so; without one the server
    // only did not look further
    if trail.links > links_before && code == ResponseCode::NoError && negative.is_none() {
        return Reading::Alias { target: end };
    }
    let answer = Answer { authentic: !trail.doubtful, ..Answer::empty(wire::refusal(code)) };
    Reading::Final { answer, ttl: negative.map(|ttl| trail.least(ttl)) }
}

fn found(records: Vec<Record>, ttl: u32, trail: &Trail) -> Reading {
    let outcome = Outcome::Records(u16::try_from(records.len()).unwrap_or(u16::MAX));
    Reading::Final {
        answer: Answer { outcome, records: records.into(), authentic: !trail.doubtful },
        ttl: Some(ttl),
    }
}

/// Follows the aliases that the answer holds (RFC 1034 3.6.2) to the last name.
fn follow(mut name: DomainName, kind: RecordType, records: &[Record], trail: &mut Trail) -> DomainName {
    while trail.links <= LINKS_MAX && !records.iter().any(|r| r.kind() == kind && r.name == name) {
        let alias = records.iter().find_map(|r| match &r.data {
            RecordData::Cname(target) if r.name == name => Some((target, r.ttl)),
            _ => None,
        });
        let Some((target, ttl)) = alias else { break };
        trail.follow(ttl);
        name = target.clone();
    }
    name
}

/// How long the absence may be remembered (RFC 2308 5); not at all without a SOA.
fn negative_ttl(message: &Message) -> Option<u32> {
    message.authorities.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    })
}
