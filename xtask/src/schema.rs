//! Text made from code: the JSON Schema that editors complete scenarios by.

use std::{fs, path::Path, process::Command};

/// Writes `scenarios/schema.json` as `mxdrill schema` prints it.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let printed = Command::new("cargo")
        .args(["run", "--quiet", "--bin", "mxdrill", "--", "schema"])
        .current_dir(root)
        .output()
        .map_err(|why| format!("cargo could not be run: {why}"))?;
    if !printed.status.success() {
        return Err(String::from_utf8_lossy(&printed.stderr).into_owned());
    }
    fs::write(root.join("scenarios/schema.json"), printed.stdout).map_err(|why| format!("schema.json: {why}"))
}
