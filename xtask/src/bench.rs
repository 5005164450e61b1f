//! What it all costs.

use std::path::Path;

use crate::ci::run_step;

/// Builds the bench for speed and runs it; it prints a table and writes `target/bench.json`.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let step = ["cargo", "run", "--release", "--quiet", "--package", "mxdrill-tests", "--example", "bench"];
    let folder = root.join("target");
    std::fs::create_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let folder = folder.to_string_lossy();
    run_step(root, &[&step[..], &["--", &folder]].concat())
}
