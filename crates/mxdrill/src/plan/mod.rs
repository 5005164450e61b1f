//! From a scenario to what a play needs: who plays, what happens when, and what the ledger must know.
//!
//! Everything that can be settled before time runs is settled here: places become hosts, faults become blows
//! with a beginning and an end, and steps become cues in the order of time.

mod cast;
mod change;
mod fault;
mod guards;
mod house;
mod schedule;
mod setup;
mod tls;
mod words;

use std::{sync::Arc, time::Duration};

use mxdrill_ledger::{Expectation, FaultSetup, Setup};
use mxdrill_mta::{Node, PolicyHost};
use mxdrill_net::{Epoch, HostId, Seed, Tag, Time};
use mxdrill_smtp::{Faults, tls::Kind};

pub(crate) use cast::{Cast, Member, Part};
pub(crate) use change::Change;
pub(crate) use fault::{Blow, PlannedFault};

use crate::{
    host::HostProcess,
    mail::Batch,
    scenario::{Action, Clear, Fault, Place, PlaceError, RecordError, RetryMismatch, Scenario, When},
    wrap::MakeWrap,
};

/// A scenario, settled for one seed.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The seed of every draw.
    pub(crate) seed: Seed,
    /// Who plays.
    pub(crate) cast: Cast,
    /// Whether the resolver vouches for its answers.
    pub(crate) secure: bool,
    /// The faults, by tag.
    pub(crate) faults: Vec<PlannedFault>,
    /// What happens, in the order of time.
    pub(crate) cues: Vec<Cue>,
    /// When the drill ends; `None` plays until every recipient is final.
    pub(crate) end: Option<Time>,
    /// What the ledger must know.
    pub(crate) setup: Setup,
    /// Hosts that are broken on purpose.
    pub(crate) wraps: Vec<(String, MakeWrap)>,
    /// How long the play goes on after its last cue where it does not settle.
    pub(crate) patience: Duration,
}

/// One thing that happens at its time.
#[derive(Debug)]
pub(crate) struct Cue {
    /// When.
    pub(crate) at: Time,
    /// What.
    pub(crate) act: Act,
}

/// What happens at a cue.
#[derive(Debug)]
pub(crate) enum Act {
    /// Mail is sent by a host.
    Send(HostId, Arc<Batch>),
    /// A fault begins.
    Begin(Tag),
    /// A fault ends.
    End(Tag),
    /// A host tries its whole queue.
    Flush(HostId),
    /// A record set is replaced.
    Set(Arc<Change>),
    /// Figures are compared now.
    Expect(Vec<Expectation>),
    /// Figures must agree at some moment from now until then.
    Eventually(Vec<Expectation>, Time),
}

/// Why a scenario cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// A step names a host that is not there.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A host's profile and its overrides do not fit.
    #[error("host `{host}`: {why}")]
    Profile {
        /// The host.
        host: String,
        /// Why not.
        #[source]
        why: RetryMismatch,
    },
    /// A record set that a step names cannot be made.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A fault of TLS on a host that has none.
    #[error("`{0}` offers no STARTTLS, so nothing can be wrong with it: say `tls = true`")]
    NoTls(String),
}

/// Works through the steps of a scenario.
struct Planner<'a> {
    scenario: &'a Scenario,
    cast: &'a Cast,
    seed: Seed,
    cues: Vec<Cue>,
    faults: Vec<PlannedFault>,
    /// Faults under way: tag, what the step said, and when it ends by itself.
    open: Vec<(Tag, &'a Fault, Option<Time>)>,
    /// Messages numbered so far.
    messages: u32,
}

impl Plan {
    /// Settles a scenario, for worlds with such a TLS.
    ///
    /// # Errors
    /// When it names what is not there.
    pub(crate) fn of(scenario: &Scenario, seed: Seed, layer: Kind) -> Result<Plan, PlanError> {
        Plan::with(scenario, seed, layer, |_| {})
    }

    /// Settles a scenario for a world in which programs can be hosts; `hurried` lets nobody wait for long.
    ///
    /// # Errors
    /// When it names what is not there.
    #[cfg(target_os = "linux")]
    pub(crate) fn with_programs(
        scenario: &Scenario,
        seed: Seed,
        layer: Kind,
        hurried: bool,
    ) -> Result<Plan, PlanError> {
        Plan::with(scenario, seed, layer, |cast| {
            cast.employ();
            if hurried {
                cast.hurry();
            }
        })
    }

    fn with(
        scenario: &Scenario,
        seed: Seed,
        layer: Kind,
        change: impl FnOnce(&mut Cast),
    ) -> Result<Plan, PlanError> {
        let scenario = scenario.resolved()?;
        let mut cast = Cast::of(&scenario, seed, layer)?;
        change(&mut cast);
        let mut planner = Planner::new(&scenario, &cast, seed);
        for step in &scenario.steps {
            planner.step(step.at.into(), &step.action)?;
        }
        let open = std::mem::take(&mut planner.open);
        open.into_iter().for_each(|(tag, _, until)| planner.end(tag, until));
        planner.cues.sort_by_key(|cue| cue.at);
        let setup = setup::of(&planner)?;
        let Planner { cues, faults, .. } = planner;
        let end = scenario.end.map(Time::from);
        let (secure, wraps) = (scenario.zone.secure, Vec::new());
        Ok(Plan { seed, cast, secure, faults, cues, end, setup, wraps, patience: LIFE_MAX })
    }

    /// Settles one more fault of the same world: as its scenario would have had it under this tag.
    ///
    /// # Errors
    /// When it names what is not there.
    pub(crate) fn fault(
        &self,
        scenario: &Scenario,
        tag: Tag,
        fault: &Fault,
    ) -> Result<(PlannedFault, FaultSetup), PlanError> {
        let planner = Planner::new(scenario, &self.cast, self.seed);
        let blows = planner.blows(tag, &fault.kind)?;
        let setup = setup::fault(&planner, tag, &blows, fault)?;
        Ok((PlannedFault { blows }, setup))
    }

    /// How many messages the cues send.
    pub(crate) fn messages(&self) -> u32 {
        let sent = self.cues.iter().map(|cue| match &cue.act {
            Act::Send(_, batch) => batch.count(),
            _ => 0,
        });
        sent.sum()
    }

    /// A host's script, without faults.
    pub(crate) fn script(&self, host: HostId) -> Faults {
        Faults::new(self.seed, u64::from(host.0))
    }

    /// The process of a host as it starts, if it is a mail host or that of a policy.
    pub(crate) fn mail_process(&self, host: HostId, script: Faults) -> Option<HostProcess> {
        if let Part::Policy(config) = &self.cast.member(host).part {
            return Some(HostProcess::Policy(Box::new(PolicyHost::new(config.clone(), script))));
        }
        if self.cast.member(host).server().is_some() {
            return Some(HostProcess::Outside);
        }
        let config = self.cast.member(host).mail()?;
        let node = Box::new(Node::new(config.clone(), script));
        let label = &self.cast.member(host).label;
        Some(match self.wraps.iter().find(|(host, _)| host == label) {
            Some((_, make)) => HostProcess::Wrapped(node, (make.0)()),
            None => HostProcess::Mail(node),
        })
    }

    /// When the last cue is.
    pub(crate) fn last_cue(&self) -> Time {
        self.cues.last().map_or(Time::ZERO, |cue| cue.at)
    }
}

impl<'a> Planner<'a> {
    fn new(scenario: &'a Scenario, cast: &'a Cast, seed: Seed) -> Planner<'a> {
        Planner { scenario, cast, seed, cues: vec![], faults: vec![], open: vec![], messages: 0 }
    }

    fn step(&mut self, at: Time, action: &'a Action) -> Result<(), PlanError> {
        self.expire(at);
        let act = match action {
            Action::Fault(fault) => return self.begin(at, fault),
            Action::Clear(clear) => return self.clear(at, clear),
            Action::Send(send) => Act::Send(self.host(&send.by)?, self.batch(at, send)),
            Action::Flush(place) => Act::Flush(self.host(place)?),
            Action::Set(record) => Act::Set(Arc::new(Change::of(self.scenario, record)?)),
            Action::Expect(expect) => {
                let expectations = expect.expectations.clone();
                match expect.when {
                    When::Now => Act::Expect(expectations),
                    When::Within(lasting) => Act::Eventually(expectations, at + lasting),
                }
            }
        };
        self.cues.push(Cue { at, act });
        Ok(())
    }

    fn batch(&mut self, at: Time, send: &crate::scenario::Send) -> Arc<Batch> {
        let step = self.cues.iter().filter(|cue| matches!(cue.act, Act::Send(..))).count() as u32;
        let batch = Batch::new(step, self.messages + 1, at, send.clone(), Epoch::default(), self.seed.0);
        self.messages += batch.count();
        Arc::new(batch)
    }

    fn begin(&mut self, at: Time, fault: &'a Fault) -> Result<(), PlanError> {
        let tag = Tag(u32::try_from(self.faults.len()).unwrap_or(u32::MAX));
        let blows = self.blows(tag, &fault.kind)?;
        self.faults.push(PlannedFault { blows });
        self.cues.push(Cue { at, act: Act::Begin(tag) });
        self.open.push((tag, fault, fault.lasting.map(|lasting| at + lasting)));
        Ok(())
    }

    /// Ends the faults that ended by themselves before `now`.
    fn expire(&mut self, now: Time) {
        let over = |until: &Option<Time>| until.is_some_and(|until| until <= now);
        for (tag, _, until) in self.open.extract_if(.., |(_, _, until)| over(until)).collect::<Vec<_>>() {
            self.end(tag, until);
        }
    }

    fn clear(&mut self, at: Time, clear: &Clear) -> Result<(), PlanError> {
        let mut cleared = Vec::new();
        for (tag, fault, _) in &self.open {
            if self.meets(clear, fault)? {
                cleared.push(*tag);
            }
        }
        self.open.retain(|(tag, ..)| !cleared.contains(tag));
        cleared.into_iter().for_each(|tag| self.end(tag, Some(at)));
        Ok(())
    }

    /// Whether a `clear` is meant for a fault.
    fn meets(&self, clear: &Clear, fault: &Fault) -> Result<bool, PlanError> {
        use crate::scenario::FaultKind;
        Ok(match (clear, &fault.kind) {
            (Clear::Fault(name), _) => fault.name.as_ref() == Some(name),
            (Clear::Host(place), FaultKind::Host(on, _)) => self.host(place)? == self.host(on)?,
            (Clear::Link { from, to, both }, FaultKind::Link { from: f, to: t, both: b, .. }) => {
                let (from, to, f, t) = (self.host(from)?, self.host(to)?, self.host(f)?, self.host(t)?);
                both == b && ((from, to) == (f, t) || *both && (to, from) == (f, t))
            }
            (Clear::Dns { name, kind }, FaultKind::Dns { name: n, kind: k, .. }) => {
                let same = self.scenario.dns_name(name)? == self.scenario.dns_name(n)?;
                same && (kind.is_none() || kind == k)
            }
            _ => false,
        })
    }

    fn end(&mut self, tag: Tag, at: Option<Time>) {
        self.cues.extend(at.map(|at| Cue { at, act: Act::End(tag) }));
    }

    fn host(&self, place: &Place) -> Result<HostId, PlanError> {
        let label = self.scenario.place(place)?;
        self.cast.find(label).ok_or_else(|| PlaceError::Unknown(label.into()).into())
    }
}

/// How long a message and its bounces can live at most, so that a play that nothing settles comes to an end.
pub(crate) const LIFE_MAX: Duration = Duration::from_secs(60 * 86_400);
