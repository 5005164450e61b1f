//! What mxdrill costs, each figure beside a yardstick that is run in turn with it.
//!
//! `bench FOLDER [quick]` measures everything and writes `bench.json` to the folder. Every measurement is a
//! process of its own (`bench one WHAT MANNER COUNT`), so that none finds the memory of another.

mod bare;
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
use table::{Row, Table};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["one", what, manner, count] => one(what, manner, count.parse().unwrap_or_default()),
        ["mock"] => live::mock(),
        [folder] => return all(Path::new(folder), &Size::FULL),
        [folder, "quick"] => return all(Path::new(folder), &Size::QUICK),
        _ => say("bench FOLDER [quick]"),
    }
    ExitCode::SUCCESS
}

/// How much is measured.
struct Size {
    rounds: usize,
    hops: u64,
    held: &'static [u64],
    drills: u64,
}

impl Size {
    const FULL: Size = Size { rounds: 9, hops: 200_000, held: &[10_000, 100_000, 1_000_000], drills: 2000 };
    const QUICK: Size = Size { rounds: 3, hops: 50_000, held: &[10_000, 100_000], drills: 300 };
}

fn all(folder: &Path, size: &Size) -> ExitCode {
    let mut table = Table::default();
    hops(&mut table, size);
    held(&mut table, size);
    drills(&mut table, size);
    lab(&mut table, size);
    live::measure(&mut table, folder, size.rounds);
    match table.write(&folder.join("bench.json")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&format!("bench.json could not be written: {why}"));
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
        table.add(Row::alone(&format!("{count} held five days: wall"), "s", &[cost.wall.as_secs_f64()]));
        table.add(Row::alone(&format!("{count} held five days: CPU"), "s", &[cpu]));
        table.add(Row::alone(
            &format!("{count} held five days: memory"),
            "MiB",
            &[cost.peak as f64 / 1048576.0],
        ));
        let each = cost.peak.saturating_sub(empty.peak) as f64 / *count as f64;
        table.add(Row::alone(&format!("{count} held five days: a message"), "bytes", &[each]));
        if let Some(last) = last.replace(cpu) {
            table.add(Row::alone("tenfold mail costs", "times the CPU", &[cpu / last]));
        }
    }
}

/// Small drills: fifty messages, an outage of two hours.
fn drills(table: &mut Table, size: &Size) {
    let rounds: Vec<f64> = (0..size.rounds).map(|_| rate("drills", "small", size.drills)).collect();
    table.add(Row::alone("small drills", "drills/s of CPU", &rounds));
    let each: Vec<f64> = rounds.iter().map(|rate| 1e6 / rate).collect();
    table.add(Row::alone("one small drill", "µs of CPU", &each));
}

/// From nothing to a world on loopback with DNS and two MX, and to its end.
fn lab(table: &mut Table, size: &Size) {
    let labs = 20;
    let each = |cost: Cost| cost.wall.as_secs_f64() * 1e3 / labs as f64;
    let rounds: Vec<f64> = (0..size.rounds).map(|_| each(measure("lab", "live", labs))).collect();
    table.add(Row::alone("live lab, from nothing to its end", "ms", &rounds));
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
    let cost = Cost::of(|| match what {
        "full" => hop::full(manner, count),
        "bare" => bare::run(manner, count),
        "held" => hop::held(count, Duration::from_secs(5 * 86_400), 1),
        "drills" => (0..count).for_each(|seed| hop::held(50, Duration::from_secs(7200), seed)),
        "lab" => (0..count).for_each(|_| hop::lab()),
        _ => panic!("nothing is called {what}"),
    });
    say(&cost.line().to_string());
}

#[expect(clippy::print_stdout, reason = "a bench speaks to the terminal")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}
