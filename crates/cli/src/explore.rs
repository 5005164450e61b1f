//! `mxdrill explore`: draw, play, shrink, report.

mod bar;
pub(crate) mod text;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mxdrill::explore::{Explore, Explored, Finding, Watch};

use crate::{
    arguments::{self, Lines},
    drills::{self, Chosen},
    error::Error,
    exit::Exit,
    terminal,
};
use bar::Bar;

/// Drills, where the command line says neither how many nor how long.
const SEEDS: u64 = 1000;

/// Explores what was asked for and reports it.
pub(crate) fn explore(arguments: &arguments::Explore) -> Result<Exit, Error> {
    let chosen = one(&arguments.scenario)?;
    let explore = configured(arguments, &chosen);
    let lines = arguments.format == Lines::Jsonl;
    if lines {
        terminal::out(&explore.head().line())?;
    }
    let seeds = explore.head().seeds.map(|seeds| seeds.div_ceil(arguments.partition.of().into()));
    let watch = Onlooker { until: until(arguments.time), lines, bar: Bar::of(seeds) };
    let explored = explore.run(&watch);
    watch.bar.end();
    let explored = explored.map_err(|why| Error::Explore { scenario: chosen.scenario.name.clone(), why })?;
    let kinds = explored.kinds();
    let saved = save(arguments.save.as_deref(), arguments.seed, &kinds)?;
    terminal::out(&if lines { explored.closing_lines() } else { report(&explored, &kinds, &saved) })?;
    Ok(Exit::of([explored.verdict()].into_iter()))
}

fn one(word: &str) -> Result<Chosen, Error> {
    let mut chosen = drills::choose(&[word.to_owned()])?;
    match (chosen.pop(), chosen.len()) {
        (Some(one), 0) => Ok(one),
        (_, others) => Err(Error::OneScenario(word.into(), others + 1)),
    }
}

fn configured<'a>(arguments: &arguments::Explore, chosen: &'a Chosen) -> Explore<'a> {
    let mut explore = Explore::new(&chosen.scenario).seed(arguments.seed).share(arguments.partition);
    if arguments.time.is_none() {
        explore = explore.seeds(arguments.seeds.unwrap_or(SEEDS));
    }
    if !arguments.faults.is_empty() {
        explore = explore.families(arguments.faults.iter().copied());
    }
    if let Some(jobs) = arguments.jobs {
        explore = explore.jobs(jobs);
    }
    if arguments.keep_going { explore.keep_going() } else { explore }
}

#[expect(clippy::disallowed_methods, reason = "for people who wait: no drill ever sees this clock")]
fn until(time: Option<Duration>) -> Option<Instant> {
    time.map(|time| Instant::now() + time)
}

/// Looks on for people and scripts.
struct Onlooker {
    until: Option<Instant>,
    lines: bool,
    bar: Bar,
}

impl Watch for Onlooker {
    #[expect(clippy::disallowed_methods, reason = "for people who wait: no drill ever sees this clock")]
    fn goes_on(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }

    fn played(&self, drills: u64, failed: u64) {
        self.bar.played(drills, failed);
    }

    fn found(&self, finding: &Finding) {
        if self.lines {
            let _ = terminal::out(&finding.line()); // the closing lines will say so if it cannot be written
        }
    }

    fn shrinking(&self) {
        self.bar.shrinking();
    }
}

fn report(explored: &Explored, kinds: &[(&Finding, usize)], saved: &[PathBuf]) -> String {
    let mut report = text::head(&explored.head, explored.played);
    report += &text::findings(kinds, saved);
    report += &text::coverage(&explored.coverage);
    report + &text::verdict(explored.verdict(), explored.played, explored.findings.len())
}

/// Writes the scenario of each kind of finding into a folder. Gives the paths in the order of the kinds.
pub(crate) fn save(
    folder: Option<&Path>,
    seed: u64,
    kinds: &[(&Finding, usize)],
) -> Result<Vec<PathBuf>, Error> {
    let Some(folder) = folder.filter(|_| !kinds.is_empty()) else { return Ok(Vec::new()) };
    let broken = |path: &Path, source| Error::File { path: path.into(), source };
    fs::create_dir_all(folder).map_err(|source| broken(folder, source))?;
    let mut saved = Vec::new();
    for (finding, _) in kinds {
        let path = folder.join(finding.file_name(seed));
        fs::write(&path, &finding.toml).map_err(|source| broken(&path, source))?;
        saved.push(path);
    }
    Ok(saved)
}
