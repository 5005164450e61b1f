//! Faults of the DNS, per name and type.

use std::time::Duration;

use hickory_proto::op::ResponseCode;
use mxdrill_net::{DomainName, Tag};

use super::find::{Verdict, Wanted};
use crate::{RecordType, Zones, wire};

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsFault {
    /// The name; those below it are not concerned, aliases to it are.
    pub name: DomainName,
    /// The type asked for; `None` concerns every type.
    pub kind: Option<RecordType>,
    /// How it goes wrong.
    pub how: How,
}

/// How an answer goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The server fails: temporary.
    ServFail,
    /// The name is said not to exist.
    NxDomain,
    /// The server will not answer.
    Refused,
    /// No answer at all.
    Timeout,
    /// The name is said to have no such record.
    NoData,
    /// Every answer over datagrams is cut to nothing, however short: the client has to come over TCP.
    Truncate,
    /// The answer comes late.
    Delay(Duration),
    /// The answer is the one that held when the fault began.
    Stale,
}

/// The faults that are on.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<Active>);

#[derive(Debug)]
struct Active {
    tag: Tag,
    fault: DnsFault,
    /// What was served when it began, for stale answers.
    then: Zones,
}

/// What all faults together do to one name.
#[derive(Debug, Default)]
pub(super) struct Effects<'a> {
    pub(super) verdict: Option<(Tag, Verdict)>,
    pub(super) truncate: Option<Tag>,
    pub(super) delays: Vec<(Tag, Duration)>,
    pub(super) stale: Option<(Tag, &'a Zones)>,
}

impl Faults {
    pub(super) fn begin(&mut self, tag: Tag, mut fault: DnsFault, zones: &Zones) {
        if let Some(name) = wire::ascii(&fault.name) {
            fault.name = name;
        }
        self.0.push(Active { tag, fault, then: zones.clone() });
    }

    pub(super) fn end(&mut self, tag: Tag) -> bool {
        let before = self.0.len();
        self.0.retain(|active| active.tag != tag);
        self.0.len() < before
    }

    /// What happens to a question for a name. Of two faults that decide the answer the first to begin does.
    pub(super) fn on(&self, name: &DomainName, wanted: Wanted) -> Effects<'_> {
        let mut effects = Effects::default();
        let concerns = |fault: &DnsFault| {
            fault.name == *name && fault.kind.is_none_or(|kind| wanted.one() == Some(kind))
        };
        for active in self.0.iter().filter(|active| concerns(&active.fault)) {
            effects.add(active);
        }
        effects
    }
}

impl<'a> Effects<'a> {
    fn add(&mut self, active: &'a Active) {
        let tag = active.tag;
        match active.fault.how {
            How::Truncate => self.truncate = self.truncate.or(Some(tag)),
            How::Delay(delay) => self.delays.push((tag, delay)),
            How::Stale => self.stale = self.stale.or(Some((tag, &active.then))),
            how => self.verdict = self.verdict.or(verdict(how).map(|verdict| (tag, verdict))),
        }
    }
}

fn verdict(how: How) -> Option<Verdict> {
    Some(match how {
        How::ServFail => Verdict::Code(ResponseCode::ServFail),
        How::NxDomain => Verdict::Code(ResponseCode::NXDomain),
        How::Refused => Verdict::Code(ResponseCode::Refused),
        How::Timeout => Verdict::Silent,
        How::NoData => Verdict::NoData,
        How::Truncate | How::Delay(_) | How::Stale => return None,
    })
}
