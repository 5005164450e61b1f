//! What the ledger must know before the play.

use std::time::Duration;

use mxdrill_ledger::{Bounces, FaultSetup, HostSetup, Off, Setup};
use mxdrill_mta::{
    Profile, Retry, RetryRule,
    profile::{Expiry, Memory, Verdict},
};
use mxdrill_net::{HostId, Seed, Tag};
use mxdrill_smtp::{Act as Deals, Severity, Stage, Then};

use super::{Act, Blow, LIFE_MAX, Member, Part, PlanError, Planner, words};
use crate::scenario::{Action, Answer, DnsFault, Fault, FaultKind};

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
        routed: scenario
            .zone
            .zones
            .iter()
            .filter(|record| matches!(record.data, mxdrill_dns::RecordData::Mx { .. }))
            .map(|record| record.name.clone())
            .collect(),
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
            if planner.scenario.faults().any(|fault| fault.may_bounce) {
                setup.patience = patience(&config.profile);
                setup.keeps = keeps(&config.profile);
            }
            setup.schedule = Some(super::schedule::of(&config.profile));
            setup.eight_bit = config.profile.door.extensions.eight_bit;
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
fn memory(profile: &Profile) -> Duration {
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

/// The longest wait between two attempts at a message.
fn patience(profile: &Profile) -> Duration {
    let attempts = profile.attempts_within(Seed(0), LIFE_MAX);
    let ends = attempts.at.iter().copied().skip(1).chain(attempts.given_up);
    attempts.at.iter().zip(ends).map(|(start, end)| end.saturating_sub(*start)).max().unwrap_or_default()
}

/// The age below which a host gives no mail up for want of time.
fn keeps(profile: &Profile) -> Duration {
    let lifetime = [profile.lifetime.mail, profile.lifetime.bounce].into_iter().flatten().min();
    match profile.lifetime.expiry {
        _ if profile.attempts_max.is_some() || is_hasty(profile) => Duration::ZERO,
        Expiry::HostCutoff => Duration::ZERO, // how long a host has failed counts, not how long the mail waits
        // the wait that would be too long counts, and chance makes it longer
        Expiry::NextTooLate => {
            profile.attempts_within(Seed(0), LIFE_MAX).given_up.or(lifetime).unwrap_or_default() / 2
        }
        Expiry::AfterAttempt | Expiry::BeforeAttempt | Expiry::OnTime => lifetime.unwrap_or_default(),
    }
}

/// Whether the profile gives mail up on a failure that may pass.
fn is_hasty(profile: &Profile) -> bool {
    let verdicts = [&profile.verdicts.more, &profile.verdicts.last];
    let answers = verdicts.into_iter().flat_map(|stages| Stage::ALL.map(|stage| *stages.at(stage)));
    let passing = answers.flat_map(|answers| [answers.temporary, answers.lost, answers.timeout]);
    passing.chain([profile.routing.no_answer]).any(|verdict| verdict == Verdict::Bounce)
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
        may_bounce: fault.may_bounce.then(|| bounces(blows, &fault.kind)),
    })
}

/// What hosts may give up because of a fault.
fn bounces(blows: &[Blow], kind: &FaultKind) -> Bounces {
    let rules = blows.iter().flat_map(|blow| match blow {
        Blow::Rules(_, rules) => &rules[..],
        _ => &[],
    });
    let for_good = rules.filter_map(|rule| match &rule.act {
        Deals::Then(Then::Reply(reply)) if reply.severity() == Severity::Permanent => Some(reply.clone()),
        _ => None,
    });
    let dns = |denies: &[Answer]| matches!(kind, FaultKind::Dns { fault: DnsFault::Answer(answer), .. } if denies.contains(answer));
    Bounces {
        replies: for_good.collect(),
        dns: matches!(kind, FaultKind::Dns { .. }),
        denies: dns(&[Answer::NxDomain, Answer::NoData, Answer::Stale]),
    }
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
