//! What every source file keeps to.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Words of unfinished thoughts. They are split here so that this file passes its own rule.
const UNFINISHED: &[&str] =
    &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("unimpl", "emented!")];

/// No function is longer than this; split it where it says two things.
const FUNCTION_LINES_MAX: usize = 70;

/// Files that break a rule.
pub(super) fn faults(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for folder in ["crates", "tests", "xtask"] {
        collect(&root.join(folder), &mut files);
    }
    files.sort();
    files.iter().flat_map(|path| faults_of(root, path)).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

fn faults_of(root: &Path, path: &Path) -> Vec<String> {
    let shown = path.strip_prefix(root).unwrap_or(path).display().to_string();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(why) => return vec![format!("{shown}: {why}")],
    };
    let mut faults = Vec::new();
    if !text.starts_with("//!") {
        faults.push(format!("{shown}: begin with a `//!` line that says what the file is for"));
    }
    for (index, line) in text.lines().enumerate() {
        if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
            faults.push(format!("{shown}:{}: finish the thought or drop it: {word}", index + 1));
        }
    }
    if is_test(path) {
        return faults;
    }
    faults.extend(long_functions(&text).into_iter().map(|(line, length)| {
        format!("{shown}:{line}: a function of {length} lines: at most {FUNCTION_LINES_MAX}, split it where it says two things")
    }));
    faults
}

/// Whether a file holds tests alone: a table of cases is as long as it is.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs")
}

/// Functions over the limit, measured from `fn` to the brace that closes at its indentation.
fn long_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut long = Vec::new();
    for (start, line) in lines.iter().enumerate().filter(|(_, line)| opens_function(line)) {
        let indent = line.len() - line.trim_start().len();
        let closes = |line: &&str| line.trim_end() == format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(closes).map_or(0, |end| end + 1);
        if length > FUNCTION_LINES_MAX {
            long.push((start + 1, length));
        }
    }
    long
}

fn opens_function(line: &str) -> bool {
    let line = line.trim_start();
    let line =
        line.strip_prefix("pub").map_or(line, |rest| rest.split_once(' ').map_or("", |(_, rest)| rest));
    let line = line.strip_prefix("const ").or(line.strip_prefix("async ")).unwrap_or(line);
    line.starts_with("fn ")
}
