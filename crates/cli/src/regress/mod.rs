//! `mxdrill regress`: the same stories with each real mail server, as backup and as sender, in one table, and what
//! changed since an earlier one.

mod baseline;
mod table;

use mxdrill::{
    Outcome, RunError, World,
    scenario::{Place, Program, Scenario},
};

use crate::{
    arguments::{self, Role, TableFormat},
    drills,
    error::Error,
    exit::Exit,
    jobs,
    progress::Progress,
    terminal,
};
use table::{Row, Table};

/// The stories that are played where none is named: those that tell mail servers apart.
const CORE: [&str; 5] =
    ["primary-refused", "primary-blackhole", "primary-unreachable", "greet-421", "backup-refuses-relay"];

/// One cell of the table, before it is played.
struct Play {
    scenario: Scenario,
    role: Role,
    program: Program,
}

/// Plays what was asked for, and shows the table.
pub(crate) fn regress(arguments: &arguments::Regress) -> Result<Exit, Error> {
    let before = arguments.baseline.as_deref().map(baseline::read).transpose()?;
    let plays = plays(arguments)?;
    let mut world = World::of(mxdrill::scenario::WorldKind::Netns);
    if arguments.defaults {
        world = world.defaults();
    }
    let progress = Progress::of(plays.len());
    let rows = jobs::each(
        &plays,
        arguments.jobs,
        |play| play.row(mxdrill::run(&play.scenario, &world)),
        |play, _| progress.done(&play.scenario.name),
    );
    progress.end();
    let table = Table { mxdrill: env!("CARGO_PKG_VERSION").into(), schema: 1, rows };
    terminal::out(&match arguments.format {
        TableFormat::Text => table.text(),
        TableFormat::Json => table.json(),
        TableFormat::Markdown => table.markdown(),
    })?;
    let Some(before) = before else { return Ok(table.exit()) };
    let changes = baseline::changes(&before, &table);
    terminal::note(&changes.text());
    Ok(if changes.is_worse() { Exit::Failed } else { table.exit() })
}

/// Every scenario with every server in every role.
fn plays(arguments: &arguments::Regress) -> Result<Vec<Play>, Error> {
    let words: Vec<String> = match arguments.scenarios.is_empty() {
        true => CORE.map(String::from).into(),
        false => arguments.scenarios.clone(),
    };
    let mut plays = Vec::new();
    for chosen in drills::choose(&words)? {
        for (role, server) in arguments
            .roles()
            .into_iter()
            .flat_map(|role| arguments.servers().into_iter().map(move |server| (role, server)))
        {
            let program = Program::from(server);
            if let Some(scenario) = played_by(&chosen.scenario, &role.place(), program) {
                plays.push(Play { scenario, role, program });
            }
        }
    }
    Ok(plays)
}

/// The scenario with a server at a place; `None` where it has no host there.
fn played_by(scenario: &Scenario, place: &Place, program: Program) -> Option<Scenario> {
    let mut scenario = scenario.resolved().ok()?;
    let label = scenario.place(place).ok()?.to_owned();
    let host = scenario.hosts.iter_mut().find(|host| host.label == label)?;
    *host = host.clone().played_by(program);
    Some(scenario)
}

impl Play {
    fn row(&self, played: Result<Outcome, RunError>) -> Row {
        let row = Row::new(&self.scenario.name, self.role.word(), self.program.word());
        match played {
            Ok(outcome) => row.with(&outcome),
            Err(RunError::Elsewhere { reason }) => {
                Row { verdict: "skipped".into(), why: Some(reason), ..row }
            }
            Err(why) => Row { verdict: "unknown".into(), why: Some(why.to_string()), ..row },
        }
    }
}
