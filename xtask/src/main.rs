//! Chores of the repository: `cargo xtask tidy | ci | schema | bench | mta`.

mod bench;
mod ci;
mod mta;
mod schema;
mod tidy;

use std::{path::PathBuf, process::ExitCode};

type Chore = fn(&std::path::Path) -> Result<(), String>;

/// Every chore: its name, what it does, and how.
const CHORES: &[(&str, &str, Chore)] = &[
    ("tidy", "hold the tree against the house rules: walls between crates, docs, words", tidy::run),
    ("ci", "everything that must pass before a change lands", ci::run),
    ("schema", "write scenarios/schema.json anew from the code", schema::run),
    ("bench", "measure speed and memory beside yardsticks", bench::run),
    ("mta", "fetch real mail servers and unpack them, for drills in private networks", mta::run),
];

fn main() -> ExitCode {
    let asked = std::env::args().nth(1).unwrap_or_default();
    let Some((_, _, chore)) = CHORES.iter().find(|(name, ..)| *name == asked) else {
        say("cargo xtask CHORE");
        for (name, what, _) in CHORES {
            say(&format!("  {name:8} {what}"));
        }
        return ExitCode::from(2);
    };
    match chore(&root()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            say(&why);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a chore speaks to the terminal")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// The folder of the workspace.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}
