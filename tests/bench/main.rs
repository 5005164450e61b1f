//! What mxdrill costs, each figure beside a yardstick that is run in turn with it.
//!
//! `bench FOLDER [quick]` measures everything and writes `bench.json` to the folder; `check FILE` then compares
//! the ratios with those of a file, which `save FILE` writes. Every measurement is a process of its own (`bench
//! one WHAT MANNER COUNT`), so that none finds the memory of another. Programs of others lie in `FOLDER/mta`.

mod bare;
mod check;
mod dns;
mod hop;
mod live;
mod meter;
mod table;

use std::{
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use hop::Manner;
use meter::Cost;
use mxdrill::World;
use table::{Row, Table};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["one", what, manner, count] => one(what, manner, count.parse().unwrap_or_default()),
        ["mock", how] => live::mock(how == "relay"),
        ["dns", _] => dns::serve(),
        [folder, ref options @ ..] => return all(Path::new(folder), options),
        [] => say(HELP),
    }
    ExitCode::SUCCESS
}

const HELP: &str = "bench FOLDER [quick] [check FILE | save FILE]";

/// How much is measured.
pub(crate) struct Size {
    /// How often each figure with a yardstick is taken.
    pub(crate) rounds: usize,
    hops: u64,
    held: &'static [u64],
    drills: u64,
    /// Messages of a round on real sockets.
    pub(crate) messages: u32,
}

impl Size {
    const FULL: Size =
        Size { rounds: 9, hops: 200_000, held: &[10_000, 100_000, 1_000_000], drills: 2000, messages: 5000 };
    const QUICK: Size =
        Size { rounds: 3, hops: 50_000, held: &[10_000, 100_000], drills: 300, messages: 2000 };
}

fn all(folder: &Path, options: &[&str]) -> ExitCode {
    let is_quick = options.first() == Some(&"quick");
    let size = if is_quick { &Size::QUICK } else { &Size::FULL };
    let mut table = Table::default();
    hops(&mut table, size);
    held(&mut table, size);
    drills(&mut table, size);
    lab(&mut table, size);
    live::measure(&mut table, folder, size);
    dns::measure(&mut table, folder, size);
    let written = table.write(&folder.join("bench.json")).map_err(|why| format!("bench.json: {why}"));
    let then = match options[usize::from(is_quick)..] {
        [] => Ok(()),
        ["check", file] => check::check(&table, Path::new(file)),
        ["save", file] => check::save(&table, Path::new(file)),
        _ => Err(HELP.into()),
    };
    match written.and(then) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

/// Hops into a full node, beside bare machines.
fn hops(table: &mut Table, size: &Size) {
    for manner in Manner::ALL {
        let word = manner.word();
        let rounds: Vec<(f64, f64)> = (0..size.rounds)
            .map(|_| (rate("full", word, size.hops), rate("bare", word, size.hops)))
            .collect();
        table.add(Row::beside(&format!("sim hops, {word}"), "hops/s of CPU", "bare machines", &rounds));
    }
}

/// Mail held by a backup: time, memory, and how both grow.
fn held(table: &mut Table, size: &Size) {
    let empty = measure("held", "days", 1);
    let mut last: Option<f64> = None;
    for count in size.held {
        let cost = measure("held", "days", *count);
        let cpu = cost.cpu.as_secs_f64();
        let what = |what: &str| format!("{count} held five days: {what}");
        table.add(Row::alone(&what("wall"), "s", &[cost.wall.as_secs_f64()]));
        table.add(Row::alone(&what("CPU"), "s", &[cpu]));
        table.add(Row::alone(&what("memory"), "MiB", &[cost.peak as f64 / 1_048_576.0]));
        let each = cost.peak.saturating_sub(empty.peak) as f64 / *count as f64;
        table.add(Row::alone(&what("a message"), "bytes", &[each]).at_most());
        if let Some(last) = last.replace(cpu) {
            table.add(Row::alone(&what("tenfold mail costs"), "times the CPU", &[cpu / last]).at_most());
        }
    }
}

/// Small drills: fifty messages, an outage of two hours. As exploration plays them, and as a user sees them, with
/// what would have been; the yardstick carries the same hundred messages over bare machines.
fn drills(table: &mut Table, size: &Size) {
    let rounds: Vec<(f64, f64)> = (0..size.rounds)
        .map(|_| (rate("drills", "small", size.drills), rate("bare-drills", "small", size.drills)))
        .collect();
    let each: Vec<f64> = rounds.iter().map(|(rate, _)| 1e6 / rate).collect();
    table.add(Row::beside("small drills, one core", "drills/s of CPU", "bare machines", &rounds));
    table.add(Row::alone("one small drill", "µs of CPU", &each));
    let told: Vec<f64> =
        (0..size.rounds).map(|_| 1e6 / rate("told-drills", "small", size.drills / 2)).collect();
    table.add(Row::alone("one small drill, with what would have been", "µs of CPU", &told));
    let cores = cores() as f64;
    let all = |cost: Cost| size.drills as f64 * cores / cost.wall.as_secs_f64();
    let rounds: Vec<f64> =
        (0..size.rounds).map(|_| all(measure("all-drills", "small", size.drills))).collect();
    table.add(Row::alone(&format!("small drills, {cores} cores"), "drills/s of wall", &rounds));
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// From nothing to a lab whose DNS and two MX answer.
fn lab(table: &mut Table, size: &Size) {
    let labs = 20;
    let each = |cost: Cost| cost.wall.as_secs_f64() * 1e3 / labs as f64;
    let rounds: Vec<f64> = (0..size.rounds).map(|_| each(measure("lab", "live", labs))).collect();
    table.add(Row::alone("lab, from nothing to ready", "ms", &rounds));
}

/// How many a second of processor time.
fn rate(what: &str, manner: &str, count: u64) -> f64 {
    count as f64 / measure(what, manner, count).cpu.as_secs_f64()
}

/// Measures one thing in a process of its own.
fn measure(what: &str, manner: &str, count: u64) -> Cost {
    let program = std::env::current_exe().expect("a running program has a path");
    let output = Command::new(program)
        .args(["one", what, manner, &count.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .expect("the bench can run itself");
    let line = String::from_utf8_lossy(&output.stdout);
    Cost::read(&line).unwrap_or_else(|| panic!("{what} {manner} {count} could not be measured"))
}

/// Does one thing, and tells what it cost.
fn one(what: &str, word: &str, count: u64) {
    let manner = Manner::ALL.into_iter().find(|manner| manner.word() == word).unwrap_or(Manner::Pipelined);
    let mut labs = Vec::new();
    let cost = Cost::of(|| match what {
        "full" => hop::full(manner, count),
        "bare" => bare::run(manner, count),
        "held" => hop::play(&hop::held(count, Duration::from_secs(5 * 86_400)), &World::sim(1).alone()),
        "drills" => drills_of(0..count, |seed| World::sim(seed).alone()),
        "told-drills" => drills_of(0..count, World::sim),
        "bare-drills" => (0..count).for_each(|_| bare::run(Manner::Single, 100)),
        "all-drills" => std::thread::scope(|scope| {
            for core in 0..cores() as u64 {
                scope.spawn(move || {
                    drills_of(core * count..(core + 1) * count, |seed| World::sim(seed).alone());
                });
            }
        }),
        "lab" => labs.extend((0..count).map(|_| hop::lab())),
        _ => panic!("nothing is called {what}"),
    });
    drop(labs);
    say(&cost.line().to_string());
}

fn drills_of(seeds: std::ops::Range<u64>, world: impl Fn(u64) -> World) {
    let scenario = hop::held(50, Duration::from_secs(7200));
    seeds.for_each(|seed| hop::play(&scenario, &world(seed)));
}

#[expect(clippy::print_stdout, reason = "a bench speaks to the terminal")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
