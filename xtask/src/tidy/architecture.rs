//! ARCHITECTURE.md names just the crates that exist, so that the map cannot drift from the land.

use std::{collections::BTreeSet, fs, path::Path};

/// Crates that the map lacks, and crates of the map that are gone.
pub(super) fn gaps(root: &Path) -> Vec<String> {
    let text = match fs::read_to_string(root.join("ARCHITECTURE.md")) {
        Ok(text) => text,
        Err(why) => return vec![format!("ARCHITECTURE.md: {why}")],
    };
    let named = named(&text);
    let there = folders(&root.join("crates"));
    let missing = there.difference(&named).map(|name| format!("ARCHITECTURE.md does not name crates/{name}"));
    let gone =
        named.difference(&there).map(|name| format!("ARCHITECTURE.md names crates/{name}, which is gone"));
    missing.chain(gone).collect()
}

/// Every `crates/<name>` that the text speaks of.
fn named(text: &str) -> BTreeSet<String> {
    text.split("crates/")
        .skip(1)
        .map(|rest| rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect::<String>())
        .filter(|name| !name.is_empty())
        .collect()
}

fn folders(path: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into())
        .collect()
}
