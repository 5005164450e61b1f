//! What the ledger must know before the play.

use std::time::Duration;

use mxdrill_ledger::{FaultSetup, HostSetup, Off, Setup};
use mxdrill_mta::{Retry, RetryRule, profile::Memory};
use mxdrill_net::{HostId, Tag};

use super::{Act, Blow, Member, Part, PlanError, Planner, words};
use crate::scenario::{Action, Fault, FaultKind};

/// The setup of a planned drill.
pub(super) fn of(planner: &Planner<'_>) -> Result<Setup, PlanError> {
    let scenario = planner.scenario;
    let off =
        |check: &crate::scenario::CheckOff| Off { rule: check.check.clone(), reason: check.reason.clone() };
    Ok(Setup {
        name: scenario.name.clone(),
        title: scenario.title.clone(),
        why: scenario.why.clone(),
        seed: planner.seed.0,
        mx: scenario.domain().map_or(0, |domain| scenario.zone.zones.mx(domain).len() as u32),
        hosts: planner.cast.members().filter_map(|(id, member)| host(planner, id, member)).collect(),
        faults: faults(planner)?,
        off: scenario.unchecked.iter().map(off).collect(),
        licences: licences(planner),
        guards: super::guards::of(scenario, &planner.cast.zones),
        ..Setup::default()
    })
}

fn host(planner: &Planner<'_>, id: HostId, member: &Member) -> Option<HostSetup> {
    let mut setup = HostSetup::new(id, &member.label);
    setup.addresses.clone_from(&member.addresses);
    setup.domain = Some(member.name.clone());
    match &member.part {
        Part::Mail(config) => {
            setup.delivers.clone_from(&config.delivers);
            setup.relays.clone_from(&config.relays);
            setup.originates = sends(planner, id);
            setup.profile = config.profile.name.into();
            setup.memory = memory(&config.profile);
        }
        Part::Program(config) => {
            setup.delivers.clone_from(&config.delivers);
            setup.relays.clone_from(&config.relays);
            setup.originates = sends(planner, id);
            setup.profile = member.program.map_or_else(String::new, |program| program.word().into());
            setup.foreign = true;
        }
        Part::Application(_) => {
            setup.originates = true;
            setup.foreign = true;
        }
        Part::Policy(_) | Part::Originator | Part::NameServer => return None,
    }
    Some(setup)
}

fn sends(planner: &Planner<'_>, id: HostId) -> bool {
    planner.cues.iter().any(|cue| matches!(cue.act, Act::Send(by, _) if by == id))
}

/// How long a profile may go on using a worse MX because a better one failed.
fn memory(profile: &mxdrill_mta::Profile) -> Duration {
    match profile.memory {
        Memory::None => Duration::ZERO,
        Memory::Fixed(lasting) => lasting,
        Memory::Penalty { max, .. } => max,
        Memory::Timeouts { lasts, .. } => lasts,
        Memory::Clock { .. } => interval_max(&profile.retry),
    }
}

/// The longest time that a host's clock in the retry rules stands on "not yet".
fn interval_max(retry: &Retry) -> Duration {
    let of = |rule: &RetryRule| match *rule {
        RetryRule::Fixed { every, .. } => every,
        RetryRule::Growing { until, .. } => until,
    };
    match retry {
        Retry::Rules(rules) => rules.iter().map(of).max().unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

fn faults(planner: &Planner<'_>) -> Result<Vec<FaultSetup>, PlanError> {
    let steps = planner.scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Fault(fault) => Some(fault),
        _ => None,
    });
    steps
        .enumerate()
        .map(|(index, said)| {
            let tag = Tag(u32::try_from(index).unwrap_or(u32::MAX));
            fault(planner, tag, &planner.faults[index].blows, said)
        })
        .collect()
}

/// What the ledger must know of a fault.
pub(super) fn fault(
    planner: &Planner<'_>,
    tag: Tag,
    blows: &[Blow],
    fault: &Fault,
) -> Result<FaultSetup, PlanError> {
    let words = words::of(&fault.kind);
    Ok(FaultSetup {
        tag,
        on: on(planner, &fault.kind)?,
        begins: words.begins,
        ends: words.ends,
        hosts: blows.iter().flat_map(Blow::hosts).collect(),
        may_miss: fault.may_miss,
    })
}

/// What the story's second column shows.
fn on(planner: &Planner<'_>, kind: &FaultKind) -> Result<String, PlanError> {
    let label = |place| planner.host(place).map(|id| planner.cast.member(id).label.clone());
    Ok(match kind {
        FaultKind::Host(place, _) => label(place)?,
        FaultKind::Link { from, to, both, .. } => {
            format!("{}{}{}", label(from)?, if *both { "<>" } else { ">" }, label(to)?)
        }
        FaultKind::Dns { .. } => "dns".into(),
    })
}

/// Expectations that license what would otherwise be a violation: all of them; the ledger knows which count.
fn licences(planner: &Planner<'_>) -> Vec<mxdrill_ledger::Expectation> {
    let of = |act: &Act| match act {
        Act::Expect(list) | Act::Eventually(list, _) => list.clone(),
        _ => Vec::new(),
    };
    planner.cues.iter().flat_map(|cue| of(&cue.act)).collect()
}
