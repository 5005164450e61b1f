//! Compiles the catalogue in: a list of all files under `scenarios`, each by its path and its text.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut files = Vec::new();
    list(&root, &mut files)?;
    // In one order on every file system.
    files.sort();
    let entries: String = files.iter().map(|file| entry(&root, file)).collect();
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("catalogue.rs");
    fs::write(out, format!("&[\n{entries}]\n"))
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    Ok(())
}

fn entry(root: &Path, file: &Path) -> String {
    let name = file.strip_prefix(root).unwrap_or(file);
    let parts: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
    format!("    ({:?}, include_str!({:?})),\n", parts.join("/"), file.display().to_string())
}
