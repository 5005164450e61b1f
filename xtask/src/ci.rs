//! What must pass before a change lands, in the order in which it fails fastest.

use std::{path::Path, process::Command};

/// The steps: program and arguments.
const STEPS: &[&[&str]] = &[
    &["cargo", "fmt", "--all", "--check"],
    &["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
    &["cargo", "xtask", "tidy"],
    // the test of determinism runs before all others: without it no other simulation means anything
    &["cargo", "test", "--locked", "--package", "mxdrill-tests", "--test", "it", "determinism"],
    &["cargo", "test", "--locked"],
];

/// Runs every step and stops at the first that fails.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    STEPS.iter().try_for_each(|step| run_step(root, step))
}

/// Runs one command in the root of the workspace.
pub(crate) fn run_step(root: &Path, step: &[&str]) -> Result<(), String> {
    crate::say(&format!("== {}", step.join(" ")));
    let status = Command::new(step[0])
        .args(&step[1..])
        .current_dir(root)
        .status()
        .map_err(|why| format!("{} could not be run: {why}", step[0]))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed ({status})", step.join(" "))) }
}
