//! The process of a drill: the first of its cell, it plays what it is told and says what came of it.

use std::{collections::BTreeMap, io, time::Duration};

use mxdrill_ledger::Outcome;
use mxdrill_net::Seed;
use mxdrill_netns::cell;

use super::{
    NetnsError, NetnsStage,
    asked::{Request, Wanted},
    frame::{self, Framed, Kind},
    haste,
};
use crate::{
    Journal, RunError, World,
    plan::Plan,
    play::{Books, play},
    scenario::{Files, Scenario, WorldKind},
};

/// How long a drill goes on after its last step where mail does not come to rest: a dozen hurried retries.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same with the retries of an MTA as it comes, which may be hours apart.
const PATIENCE_DEFAULTS: Duration = Duration::from_secs(2 * 86_400);

/// Plays the drill that comes in by the standard input, and writes what came of it to the standard output. This is
/// what a program does that is run as the first process of a private network: the `netns-drill` command of
/// `mxdrill`. It ends with its input.
///
/// # Errors
/// When nothing comes in, or nothing can be written. That a drill could not be played is an answer, not an error.
pub fn drill() -> io::Result<()> {
    let Some((_, text)) = frame::read(&mut io::stdin())? else {
        return Err(io::ErrorKind::UnexpectedEof.into());
    };
    let request: Request = serde_json::from_slice(&text)?;
    cell::end_with(io::stdin())?;
    match outcome(request) {
        Ok(outcome) => frame::write(&mut io::stdout(), Kind::Outcome, &serde_json::to_vec(&outcome)?),
        Err(why) => frame::write(&mut io::stdout(), Kind::Failure, why.to_string().as_bytes()),
    }
}

fn outcome(request: Request) -> Result<Outcome, RunError> {
    let path = format!("{}.toml", request.name);
    let scenario = Scenario::parse(&path, &request.scenario, &Told(request.files));
    let scenario = scenario.map_err(|why| NetnsError::Died(why.to_string()))?;
    let scenario = match request.defaults {
        true => scenario,
        false => haste::hasten(&scenario).map_err(|reason| RunError::Elsewhere { reason })?,
    };
    let mut plan = Plan::with_programs(
        &scenario,
        Seed(request.seed),
        World::of(WorldKind::Netns).tls(),
        !request.defaults,
    )?;
    plan.setup.world = WorldKind::Netns.word().into();
    plan.patience = if request.defaults { PATIENCE_DEFAULTS } else { PATIENCE };
    let writer = Box::new(Framed(io::stdout()));
    let journal = match request.journal {
        Wanted::Nothing => None,
        Wanted::Records => Some(Journal::Records(writer)),
        Wanted::Lines => Some(Journal::Lines(writer)),
    };
    let books = Books::new(&plan, journal);
    let mut stage = NetnsStage::new(&plan, !request.defaults)?;
    let outcome = play(&plan, &mut stage, books).map_err(RunError::Journal)?;
    match stage.trouble() {
        Some(why) => Err(why.into()),
        None => Ok(outcome),
    }
}

/// The files of a scenario, as they were told.
struct Told(BTreeMap<String, Vec<u8>>);

impl Files for Told {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
