//! Unpacks real mail servers side by side under the target folder. Nothing is installed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Runs `cargo xtask mta fetch [NAME...]`.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(2).collect();
    match words.split_first() {
        Some((word, names)) if word == "fetch" => fetch(root, names),
        _ => Err("cargo xtask mta fetch [NAME...]".into()),
    }
}

/// What an adapter says of its packages.
pub(crate) struct Recipe {
    pub(crate) name: String,
    pub(crate) packages: Vec<String>,
    pub(crate) program: String,
}

pub(crate) fn fetch(root: &Path, names: &[String]) -> Result<(), String> {
    let recipes = recipes(&root.join("crates/netns/src/adapter"))?;
    if let Some(name) = names.iter().find(|name| !recipes.iter().any(|recipe| recipe.name == **name)) {
        return Err(format!("there is no adapter for `{name}`"));
    }
    let wanted = |recipe: &&Recipe| names.is_empty() || names.contains(&recipe.name);
    recipes.iter().filter(wanted).try_for_each(|recipe| unpack(&target(root).join("mta"), recipe))
}

/// The target folder of this build.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

fn recipes(folder: &Path) -> Result<Vec<Recipe>, String> {
    let entries = fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "toml"));
    paths.sort();
    paths.iter().map(|path| recipe(path)).collect()
}

fn recipe(path: &Path) -> Result<Recipe, String> {
    let broken = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let text = fs::read_to_string(path).map_err(|why| broken(&why))?;
    let table: toml::Table = text.parse().map_err(|why| broken(&why))?;
    let word = |key: &str| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let packages = table.get("packages").and_then(toml::Value::as_array);
    let packages = packages.into_iter().flatten().filter_map(toml::Value::as_str).map(str::to_owned);
    Ok(Recipe {
        name: word("name").ok_or_else(|| broken(&"no name"))?,
        program: word("program").ok_or_else(|| broken(&"no program"))?,
        packages: packages.collect(),
    })
}

/// Downloads the packages of a server and lays them over each other in `root`, with their checksums beside it. What
/// is there with the right checksums is left alone.
pub(crate) fn unpack(folder: &Path, recipe: &Recipe) -> Result<(), String> {
    let folder = folder.join(&recipe.name);
    let program = folder.join("root").join(recipe.program.trim_start_matches('/'));
    if program.is_file() && checked(&folder) {
        crate::say(&format!("{}  is there", recipe.name));
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    }
    let root = folder.join("root");
    fs::create_dir_all(&root).map_err(|why| format!("{}: {why}", root.display()))?;
    tool(&folder, "apt-get", &[&["download", "-q"], &strs(&recipe.packages)[..]].concat())?;
    let debs = debs(&folder)?;
    for deb in &debs {
        tool(&folder, "dpkg-deb", &["--extract", deb, "root"])?;
    }
    merge_usr(&folder)?;
    let sums = tool(&folder, "sha256sum", &strs(&debs))?;
    fs::write(folder.join(SUMS), sums).map_err(|why| format!("{}: {why}", folder.display()))?;
    complete(&folder, &program)?;
    crate::say(&format!("{}  {}", recipe.name, debs.join(" ")));
    Ok(())
}

/// The file with the checksums of the packages.
const SUMS: &str = "SHA256SUMS";

fn checked(folder: &Path) -> bool {
    folder.join(SUMS).is_file() && tool(folder, "sha256sum", &["--check", "--quiet", SUMS]).is_ok()
}

fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

fn debs(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|why| format!("{}: {why}", folder.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut debs: Vec<String> = names.filter(|name| name.ends_with(".deb")).collect();
    debs.sort();
    Ok(debs)
}

/// Packages from before the merge of `/lib` into `/usr/lib` are laid where they are found at run time.
fn merge_usr(folder: &Path) -> Result<(), String> {
    for part in ["lib", "bin", "sbin"] {
        if folder.join("root").join(part).is_dir() {
            fs::create_dir_all(folder.join("root/usr").join(part)).map_err(|why| why.to_string())?;
            tool(folder, "cp", &["-a", &format!("root/{part}/."), &format!("root/usr/{part}/")])?;
        }
    }
    Ok(())
}

/// Whether the program finds all its libraries, beside it or on this machine.
fn complete(folder: &Path, program: &Path) -> Result<(), String> {
    let places = ["root/usr/lib/postfix", "root/usr/lib/x86_64-linux-gnu", "root/usr/lib/aarch64-linux-gnu"];
    let places = places.map(|place| folder.join(place).display().to_string()).join(":");
    let found = Command::new("ldd").arg(program).env("LD_LIBRARY_PATH", places).output();
    let text = found.map(|found| String::from_utf8_lossy(&found.stdout).into_owned()).unwrap_or_default();
    match text.lines().find(|line| line.contains("not found")) {
        Some(line) => Err(format!("{} lacks a library: {}", program.display(), line.trim())),
        None => Ok(()),
    }
}

/// Runs a program in a folder and gives what it printed.
fn tool(folder: &Path, program: &str, arguments: &[&str]) -> Result<String, String> {
    let done = Command::new(program).args(arguments).current_dir(folder).stdin(Stdio::null()).output();
    let done = done.map_err(|why| format!("{program} could not be run: {why}"))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&done.stderr).trim()))
}
