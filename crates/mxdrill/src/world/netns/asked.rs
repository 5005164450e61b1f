//! Asking for a drill in a private network: a process is started for it, told the scenario, and listened to.

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Write},
    path::PathBuf,
    process::{Child, Stdio},
};

use mxdrill_ledger::Outcome;
use mxdrill_netns::cell;
use serde::{Deserialize, Serialize};

use super::{NetnsError, fit, frame, frame::Kind, haste};
use crate::{
    Journal, RunError, World,
    plan::Plan,
    scenario::{Action, Content, Scenario, Zone},
};

/// The hidden command of the `mxdrill` program that is such a process.
pub(super) const COMMAND: &str = "netns-drill";

/// What the process of a drill is told.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Request {
    /// The name of the scenario.
    pub(super) name: String,
    /// The scenario, as a file.
    pub(super) scenario: String,
    /// The messages that it takes from files.
    pub(super) files: BTreeMap<String, Vec<u8>>,
    /// The seed.
    pub(super) seed: u64,
    /// Whether servers retry as they do out of the box.
    pub(super) defaults: bool,
    /// Which journal is wanted.
    pub(super) journal: Wanted,
}

/// Which journal is wanted.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) enum Wanted {
    Nothing,
    Records,
    Lines,
}

/// Plays a scenario in a process of its own.
///
/// # Errors
/// When it makes no sense in a private network, or came to no outcome.
pub(crate) fn play(
    scenario: &Scenario,
    world: &World,
    journal: Option<Journal>,
) -> Result<Outcome, RunError> {
    let request = request(scenario, world, journal.as_ref())?;
    let mut child = start(world.binary.clone())?;
    let outcome = tell(&mut child, &request).and_then(|pipe| {
        let outcome = listen(&mut child, journal);
        drop(pipe); // its end would have ended the drill
        outcome
    });
    let status = child.wait().map_err(|why| NetnsError::Died(why.to_string()))?;
    Ok(outcome?.ok_or_else(|| NetnsError::Died(cell::fate(status)))?)
}

fn request(scenario: &Scenario, world: &World, journal: Option<&Journal>) -> Result<Request, RunError> {
    let elsewhere = |reason| RunError::Elsewhere { reason };
    if !world.wraps.is_empty() {
        return Err(elsewhere("hosts that are broken on purpose are not there in a private network".into()));
    }
    if Zone::parse(scenario.zone.text.clone()).map_or(true, |zone| zone.zones != scenario.zone.zones) {
        return Err(elsewhere(
            "a zone that was changed by --without is not served in a private network".into(),
        ));
    }
    let seed = world.seed.unwrap_or(scenario.seed);
    let plan = Plan::with_programs(scenario, mxdrill_net::Seed(seed), world.tls(), !world.defaults)?;
    fit::is_fit(scenario, &plan).map_err(elsewhere)?;
    if !world.defaults {
        haste::hasten(scenario).map_err(elsewhere)?;
    }
    Ok(Request {
        name: scenario.name.clone(),
        scenario: scenario.to_toml(),
        files: files(scenario),
        seed,
        defaults: world.defaults,
        journal: match journal {
            None => Wanted::Nothing,
            Some(Journal::Records(_)) => Wanted::Records,
            Some(Journal::Lines(_)) => Wanted::Lines,
        },
    })
}

fn files(scenario: &Scenario) -> BTreeMap<String, Vec<u8>> {
    let file = |action: &Action| match action {
        Action::Send(send) => match &send.content {
            Content::File { path, bytes } => Some((path.clone(), bytes.to_vec())),
            Content::Made { .. } => None,
        },
        _ => None,
    };
    scenario.steps.iter().filter_map(|step| file(&step.action)).collect()
}

fn start(binary: Option<PathBuf>) -> Result<Child, NetnsError> {
    let binary = binary.map_or_else(std::env::current_exe, Ok);
    let binary = binary.map_err(|why| NetnsError::Died(why.to_string()))?;
    let mut command = cell::command(&binary);
    command.arg(COMMAND).stdin(Stdio::piped()).stdout(Stdio::piped());
    command.spawn().map_err(|why| NetnsError::Died(format!("unshare cannot be run: {why}")))
}

/// Tells the process what it is to play. The pipe is kept open as long as its outcome is of interest.
fn tell(child: &mut Child, request: &Request) -> Result<impl Write + use<>, NetnsError> {
    let broken = |why: &dyn std::fmt::Display| NetnsError::Died(why.to_string());
    let mut pipe = child.stdin.take().ok_or_else(|| broken(&"there is no pipe to it"))?;
    let text = serde_json::to_vec(request).map_err(|why| broken(&why))?;
    // a process that is gone already says why on its way out
    match frame::write(&mut pipe, Kind::Journal, &text) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Err(broken(&why)),
        _ => Ok(pipe),
    }
}

/// Takes the journal and the outcome. `None` when the pipe ends without one.
fn listen(child: &mut Child, journal: Option<Journal>) -> Result<Option<Outcome>, NetnsError> {
    let broken = |why: &dyn std::fmt::Display| NetnsError::Died(why.to_string());
    let Some(out) = child.stdout.take() else { return Ok(None) };
    let mut from = BufReader::new(out);
    let mut journal = journal.map(|journal| match journal {
        Journal::Records(writer) | Journal::Lines(writer) => writer,
    });
    while let Some((kind, contents)) = frame::read(&mut from).map_err(|why| broken(&why))? {
        match kind {
            Kind::Journal => {
                if let Some(journal) = &mut journal {
                    journal.write_all(&contents).map_err(|why| broken(&why))?;
                }
            }
            Kind::Outcome => {
                journal.map_or(Ok(()), |mut journal| journal.flush()).map_err(|why| broken(&why))?;
                return serde_json::from_slice(&contents).map(Some).map_err(|why| broken(&why));
            }
            Kind::Failure => return Err(broken(&String::from_utf8_lossy(&contents))),
        }
    }
    Ok(None)
}
