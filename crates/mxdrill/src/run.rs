//! One drill, from its scenario to its outcome.

use std::io::{self, Write};

use mxdrill_ledger::Outcome;
use mxdrill_net::{Seed, live::LiveError};

#[cfg(target_os = "linux")]
use crate::world::netns::NetnsError;
use crate::{
    World, counterfactual,
    plan::{Plan, PlanError},
    play::{Books, play},
    scenario::{Action, Scenario, WorldKind},
    world::{live::LiveStage, sim::SimStage},
};

/// Why a drill could not be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The scenario cannot be played as it stands.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The world could not be built.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The private network could not be made, or the drill in it came to no outcome.
    #[cfg(target_os = "linux")]
    #[error(transparent)]
    Netns(#[from] NetnsError),
    /// The journal could not be written.
    #[error("the journal could not be written: {0}")]
    Journal(#[source] io::Error),
    /// This world makes no sense for the scenario, or a fault of it does not exist there.
    #[error("{reason}")]
    Elsewhere {
        /// Why not.
        reason: String,
    },
}

/// Where a journal goes, and in which form.
pub enum Journal {
    /// The canonical records, which the journal's hash is over.
    Records(Box<dyn Write + Send>),
    /// A rendering of them: a line of JSON a fact.
    Lines(Box<dyn Write + Send>),
}

/// Plays a scenario in a world: scenario -> plan -> world -> play -> facts -> ledger -> checks -> outcome.
///
/// # Errors
/// When the world makes no sense for the scenario, or cannot be built.
pub fn run(scenario: &Scenario, world: &World) -> Result<Outcome, RunError> {
    run_writing(scenario, world, None)
}

/// Like [`run`], and writes a journal of all facts.
///
/// # Errors
/// As [`run`], and when the journal cannot be written.
pub fn run_with_journal(scenario: &Scenario, world: &World, journal: Journal) -> Result<Outcome, RunError> {
    run_writing(scenario, world, Some(journal))
}

fn run_writing(scenario: &Scenario, world: &World, journal: Option<Journal>) -> Result<Outcome, RunError> {
    let outcome = run_once(scenario, world, journal)?;
    Ok(counterfactual::add(scenario, world, outcome))
}

/// Plays a scenario without asking what else might have been.
pub(crate) fn run_once(
    scenario: &Scenario,
    world: &World,
    journal: Option<Journal>,
) -> Result<Outcome, RunError> {
    exists_in(scenario, world.kind)?;
    if world.kind == WorldKind::Netns {
        return in_private(scenario, world, journal);
    }
    let mut plan = Plan::of(scenario, Seed(world.seed.unwrap_or(scenario.seed)), world.tls())?;
    plan.wraps.clone_from(&world.wraps);
    plan.setup.world = world.kind.word().into();
    plan.setup.hashed = world.kind == WorldKind::Sim;
    let books = Books::new(&plan, journal);
    match world.kind {
        WorldKind::Sim => play(&plan, &mut SimStage::new(&plan), books),
        _ => play(&plan, &mut LiveStage::new(&plan, world)?, books),
    }
    .map_err(RunError::Journal)
}

#[cfg(target_os = "linux")]
use crate::world::netns::play_in_private as in_private;

/// Private networks are a thing of Linux.
#[cfg(not(target_os = "linux"))]
fn in_private(_: &Scenario, _: &World, _: Option<Journal>) -> Result<Outcome, RunError> {
    Err(elsewhere("private networks are a thing of Linux"))
}

/// Plays a scenario in `sim`, many times: nobody compares its journal, so none is hashed.
pub(crate) fn run_bare(scenario: &Scenario, world: &World) -> Result<Outcome, RunError> {
    let mut plan = Plan::of(scenario, Seed(scenario.seed), world.tls())?;
    plan.wraps.clone_from(&world.wraps);
    plan.setup.world = WorldKind::Sim.word().into();
    let books = Books::new(&plan, None);
    play(&plan, &mut SimStage::new(&plan), books).map_err(RunError::Journal)
}

/// Whether the scenario makes sense in such a world, and all its faults exist there.
fn exists_in(scenario: &Scenario, world: WorldKind) -> Result<(), RunError> {
    if let Some(restriction) = &scenario.worlds
        && !restriction.only.contains(&world)
    {
        return Err(elsewhere(&restriction.reason));
    }
    for step in &scenario.steps {
        if let Action::Fault(fault) = &step.action {
            fault.kind.exists_in(world).map_err(|reason| RunError::Elsewhere { reason })?;
        }
    }
    Ok(())
}

fn elsewhere(reason: &str) -> RunError {
    RunError::Elsewhere { reason: reason.into() }
}
