//! What would have been: the same drill without its backup, and with a flush at the repair. A second play of a
//! millisecond says whether the backup helped at all.

use mxdrill_dns::{Record, RecordData, Zones};
use mxdrill_ledger::{Counterfactual, Outcome};
use mxdrill_net::{DomainName, Time};

use crate::{
    World,
    run::run_once,
    scenario::{Action, FaultKind, Place, Scenario, Step, WorldKind},
};

/// A drill of more messages than this is not played again.
const MESSAGES_MAX: u64 = 10_000;

/// Adds what other plays come to. Only in `sim`, where a play takes no time, and unless the world is to play the
/// drill alone.
pub(crate) fn add(scenario: &Scenario, world: &World, mut outcome: Outcome) -> Outcome {
    if world.kind == WorldKind::Sim && !world.alone && outcome.counts.messages <= MESSAGES_MAX {
        outcome.counterfactuals.extend(flushed(scenario, world, &outcome));
        outcome.counterfactuals.extend(without_backup(scenario, world));
    }
    outcome
}

/// The drill without its first backup.
fn without_backup(scenario: &Scenario, world: &World) -> Option<Counterfactual> {
    let backup = scenario.place(&Place::Backup(1)).ok()?;
    let outcome = run_once(&without(scenario, backup), world, None).ok()?;
    Some(Counterfactual::Without {
        host: backup.into(),
        delivered: outcome.counts.delivered,
        delay_max: outcome.delay.max,
    })
}

/// The drill with a flush of the backup at the last repair of the primary, where it drains by itself.
fn flushed(scenario: &Scenario, world: &World, outcome: &Outcome) -> Option<Counterfactual> {
    outcome.drain?;
    let at = repair(scenario)?;
    let mut flushed = scenario.clone();
    let flush = Step { at: at.elapsed(), action: Action::Flush(Place::Backup(1)) };
    let place = flushed.steps.partition_point(|step| step.at <= flush.at);
    flushed.steps.insert(place, flush);
    let drain = run_once(&flushed, world, None).ok()?.drain?;
    Some(Counterfactual::Flush { at, drain })
}

/// When the last fault of the primary ends by itself.
fn repair(scenario: &Scenario) -> Option<Time> {
    let primary = scenario.place(&Place::Primary).ok()?;
    let ends = scenario.steps.iter().filter_map(|step| match &step.action {
        Action::Fault(fault) => match &fault.kind {
            FaultKind::Host(on, _) if scenario.place(on).ok() == Some(primary) => {
                fault.lasting.map(|lasting| Time::from(step.at + lasting))
            }
            _ => None,
        },
        _ => None,
    });
    ends.max()
}

/// The same scenario without a host: as if it had never been published.
pub fn without(scenario: &Scenario, label: &str) -> Scenario {
    let mut without = scenario.resolved().unwrap_or_else(|_| scenario.clone());
    let Some(host) = scenario.host(label) else { return without };
    without.zone.zones = unpublished(&without.zone.zones, &host.name);
    without.hosts.retain(|host| host.label != label);
    without.steps.retain(|step| !step.action.places().contains(&&Place::Host(label.into())));
    without.steps.retain(|step| !matches!(step.action, Action::Expect(_)));
    without
}

/// The zones without the MX records that name a host.
fn unpublished(zones: &Zones, name: &DomainName) -> Zones {
    let names_it = |record: &Record| match &record.data {
        RecordData::Mx { exchange, .. } => exchange.as_ref() == Some(name),
        _ => false,
    };
    let mut rest = Zones::default();
    zones.apexes().iter().for_each(|apex| rest.open(apex));
    zones.iter().filter(|record| !names_it(record)).for_each(|record| rest.insert(record.clone()));
    rest
}
