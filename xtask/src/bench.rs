//! What it all costs.

use std::{fs, path::Path};

use crate::{
    ci::run_step,
    mta::{self, Recipe},
};

/// The figures that `--check` compares with.
const RATIOS: &str = "tests/bench/ratios.json";

/// Builds the bench for speed and runs it: `cargo xtask bench [quick] [--check | --save]`. It prints a table and
/// writes `bench.json` to the target folder. Programs of others, beside which it measures, are fetched from Debian
/// and unpacked there; where that cannot be, their rows are left out.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut words = Vec::new();
    for word in std::env::args().skip(2) {
        match word.as_str() {
            "quick" | "--quick" => words.insert(0, "quick".to_owned()),
            "--check" => words.extend(["check".into(), root.join(RATIOS).display().to_string()]),
            "--save" => words.extend(["save".into(), root.join(RATIOS).display().to_string()]),
            _ => return Err("cargo xtask bench [quick] [--check | --save]".into()),
        }
    }
    let target = mta::target(root);
    fs::create_dir_all(&target).map_err(|why| format!("{}: {why}", target.display()))?;
    if let Err(why) = peers(root, &target) {
        crate::say(&format!("{why}\nits rows are left out"));
    }
    let folder = target.display().to_string();
    let step =
        ["cargo", "run", "--release", "--quiet", "--package", "mxdrill-tests", "--example", "bench", "--"];
    let words: Vec<&str> = std::iter::once(&folder).chain(&words).map(String::as_str).collect();
    run_step(root, &[&step[..], &words].concat())
}

/// Fetches what is measured beside.
fn peers(root: &Path, target: &Path) -> Result<(), String> {
    mta::fetch(root, &["postfix".into()])?;
    let recipe = |name: &str, packages: &[&str], program: &str| Recipe {
        name: name.into(),
        packages: packages.iter().map(|package| (*package).into()).collect(),
        program: program.into(),
    };
    let folder = target.join("mta");
    mta::unpack(
        &folder,
        &recipe("nsd", &["nsd", "libevent-2.1-7", "libfstrm0", "libprotobuf-c1", "libssl3"], "/usr/sbin/nsd"),
    )?;
    let packages = ["dnsperf", "libldns3", "libnghttp2-14", "libssl3"];
    mta::unpack(&folder, &recipe("dnsperf", &packages, "/usr/bin/dnsperf"))
}
