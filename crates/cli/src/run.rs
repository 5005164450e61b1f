//! `mxdrill run`: choose, play, report.

use std::{
    fs::File,
    io::BufWriter,
    path::Path,
    time::{Duration, Instant},
};

use mxdrill::{
    Journal, Outcome, RunError, Skipped, Verdict, World, report,
    scenario::{Scenario, Site, WorldKind},
};

use crate::{
    arguments::{self, Format},
    drills::{self, Chosen},
    error::Error,
    exit::Exit,
    jobs,
    progress::Progress,
    terminal,
};

/// One play of a scenario in one world.
struct Drill {
    scenario: Scenario,
    world: World,
    /// What plays it again.
    again: String,
    /// The site that it is played on.
    site: Option<String>,
}

/// Plays what was asked for and reports it.
pub(crate) fn run(arguments: &arguments::Run) -> Result<Exit, Error> {
    let (drills, mut skipped) = drills_of(arguments)?;
    if arguments.journal.is_some() && drills.len() != 1 {
        return Err(Error::Journals(drills.len()));
    }
    let progress = Progress::of(drills.len());
    let played = jobs::each(
        &drills,
        arguments.jobs,
        |drill| play(drill, arguments.journal.as_deref()),
        |drill, _| progress.done(&drill.scenario.name),
    );
    progress.end();
    let (mut outcomes, mut broken) = (Vec::new(), Vec::new());
    for (drill, played) in drills.iter().zip(played) {
        match played {
            Ok(outcome) => outcomes.push(outcome),
            Err(Error::Run { why: RunError::Elsewhere { reason }, .. }) => {
                skipped.push(drill.skipped(reason))
            }
            Err(why) => broken.push(why),
        }
    }
    if broken.is_empty() || !outcomes.is_empty() || !skipped.is_empty() {
        terminal::out(&reported(arguments.format, &outcomes, &skipped))?;
    }
    let played = Exit::of(outcomes.iter().map(|outcome| outcome.verdict));
    Ok(broken.into_iter().map(terminal::mistake).fold(played, Exit::with_broken))
}

/// Every drill that the arguments ask for, and those that the site leaves out.
fn drills_of(arguments: &arguments::Run) -> Result<(Vec<Drill>, Vec<Skipped>), Error> {
    let site = arguments.site.as_deref().map(Site::read).transpose()?;
    let (mut drills, mut skipped) = (Vec::new(), Vec::new());
    for chosen in drills::choose(&arguments.scenarios)? {
        for kind in arguments.world.iter().copied().map(WorldKind::from) {
            match adapted(&chosen, site.as_ref(), arguments)? {
                Ok(scenario) => drills.push(Drill {
                    scenario,
                    world: world(kind, arguments),
                    again: again(&chosen.word, kind, arguments),
                    site: arguments.site.as_ref().map(|path| path.display().to_string()),
                }),
                Err(reason) => skipped.push(Skipped {
                    scenario: chosen.scenario.name.clone(),
                    world: kind.word().into(),
                    reason,
                }),
            }
        }
    }
    Ok((drills, skipped))
}

/// The scenario as it is to be played, or why it is left out.
fn adapted(
    chosen: &Chosen,
    site: Option<&Site>,
    arguments: &arguments::Run,
) -> Result<Result<Scenario, String>, Error> {
    let mut scenario = chosen.scenario.clone();
    if let Some(site) = site {
        match scenario.on_site(site) {
            Ok(moved) => scenario = moved,
            Err(why) => return Ok(Err(why.to_string())),
        }
    }
    if let Some(host) = &arguments.without {
        let place = host.as_str().into();
        let label =
            scenario.place(&place).map_err(|why| Error::NoHost(scenario.name.clone(), why))?.to_owned();
        scenario = mxdrill::without(&scenario, &label);
    }
    Ok(Ok(scenario))
}

fn world(kind: WorldKind, arguments: &arguments::Run) -> World {
    let mut world = World::of(kind);
    if let Some(seed) = arguments.seed {
        world = world.seed(seed);
    }
    if let Some(speed) = arguments.speed {
        world = world.speed(speed);
    }
    if let Some(folder) = &arguments.spool {
        world = world.spool(folder);
    }
    if arguments.defaults {
        world = world.defaults();
    }
    world
}

/// The command that plays a drill again; the seed is added by the report.
fn again(word: &str, kind: WorldKind, arguments: &arguments::Run) -> String {
    let mut line = format!("mxdrill run {word}");
    if kind != WorldKind::Sim {
        line += &format!(" --world {kind}");
    }
    if let Some(site) = &arguments.site {
        line += &format!(" --site {}", site.display());
    }
    if let Some(host) = &arguments.without {
        line += &format!(" --without {host}");
    }
    line
}

fn play(drill: &Drill, journal: Option<&Path>) -> Result<Outcome, Error> {
    let (played, wall_time) = timed(|| played(drill, journal));
    let mut outcome = played?;
    outcome.wall_time = wall_time;
    outcome.again = format!("{} --seed {}", drill.again, outcome.seed);
    outcome.site.clone_from(&drill.site);
    Ok(outcome)
}

/// What `work` comes to, and how long somebody waited for it.
#[expect(clippy::disallowed_methods, reason = "for people who wait: no drill ever sees this clock")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

fn played(drill: &Drill, journal: Option<&Path>) -> Result<Outcome, Error> {
    let played = match journal {
        None => mxdrill::run(&drill.scenario, &drill.world),
        Some(path) => {
            let file = File::create(path).map_err(|source| Error::File { path: path.into(), source })?;
            let writer = Box::new(BufWriter::new(file));
            let journal = match path.extension() {
                Some(end) if end == "jsonl" => Journal::Lines(writer),
                _ => Journal::Records(writer),
            };
            mxdrill::run_with_journal(&drill.scenario, &drill.world, journal)
        }
    };
    played.map_err(|why| Error::Run { scenario: drill.scenario.name.clone(), why })
}

fn reported(format: Format, outcomes: &[Outcome], skipped: &[Skipped]) -> String {
    match format {
        Format::Text => texts(outcomes, skipped),
        Format::Json => report::json(env!("CARGO_PKG_VERSION"), outcomes, skipped),
        Format::Junit => report::junit(outcomes, skipped),
    }
}

/// Every story, then what was left out, then the sum.
fn texts(outcomes: &[Outcome], skipped: &[Skipped]) -> String {
    let colour = terminal::is_colourful();
    let mut text = String::new();
    for outcome in outcomes {
        text += &report::text(outcome, colour);
        text += "\n";
    }
    for Skipped { scenario, world, reason } in skipped {
        text += &format!("skipped  {scenario} in {world}: {reason}\n");
    }
    if outcomes.len() + skipped.len() > 1 {
        text += &sum(outcomes, skipped.len());
    }
    text
}

fn sum(outcomes: &[Outcome], skipped: usize) -> String {
    let count = |verdict| outcomes.iter().filter(|outcome| outcome.verdict == verdict).count();
    let [passed, failed, unknown] = [Verdict::Pass, Verdict::Fail, Verdict::Unknown].map(count);
    format!("{passed} passed, {failed} failed, {unknown} unknown, {skipped} skipped\n")
}

impl Drill {
    fn skipped(&self, reason: String) -> Skipped {
        Skipped { scenario: self.scenario.name.clone(), world: self.world.kind().word().into(), reason }
    }
}

impl From<arguments::World> for WorldKind {
    fn from(world: arguments::World) -> WorldKind {
        match world {
            arguments::World::Sim => WorldKind::Sim,
            arguments::World::Live => WorldKind::Live,
            arguments::World::Netns => WorldKind::Netns,
        }
    }
}
