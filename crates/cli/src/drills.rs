//! Which scenarios the words of a command line mean.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mxdrill::scenario::{Scenario, catalogue};

use crate::error::Error;

/// A scenario that was chosen.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// What `mxdrill run` is given to find it again.
    pub(crate) word: String,
    /// The scenario.
    pub(crate) scenario: Scenario,
}

/// The scenarios of all words, in the order of the words; folders in the order of their paths. A word is first a
/// path, then a name of the catalogue.
pub(crate) fn choose(words: &[String]) -> Result<Vec<Chosen>, Error> {
    let mut chosen = Vec::new();
    for word in words {
        let path = Path::new(word);
        if path.is_dir() {
            let files = files_below(path)?;
            if files.is_empty() {
                return Err(Error::NoScenario(word.clone()));
            }
            for file in files {
                chosen.push(read(&file)?);
            }
        } else if path.is_file() {
            chosen.push(read(path)?);
        } else {
            chosen.extend(named(word)?);
        }
    }
    Ok(chosen)
}

/// The whole catalogue.
pub(crate) fn catalogue() -> Result<Vec<Chosen>, Error> {
    catalogue::all().map(compiled_in).collect()
}

fn named(word: &str) -> Result<Vec<Chosen>, Error> {
    let entries = catalogue::named(word);
    if entries.is_empty() {
        return Err(Error::NoScenario(word.into()));
    }
    entries.into_iter().map(compiled_in).collect()
}

fn compiled_in(entry: catalogue::Entry) -> Result<Chosen, Error> {
    Ok(Chosen { word: entry.name().into(), scenario: entry.scenario()? })
}

fn read(path: &Path) -> Result<Chosen, Error> {
    Ok(Chosen { word: path.display().to_string(), scenario: Scenario::read(path)? })
}

/// All `.toml` files of a folder and the folders in it, by path.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let broken = |source| Error::File { path: folder.into(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(broken)? {
        let entry = entry.map_err(broken)?;
        let path = entry.path();
        // a link to a folder is not followed: it could lead round in a circle
        if entry.file_type().map_err(broken)?.is_dir() {
            files.extend(files_below(&path)?);
        } else if path.extension().is_some_and(|end| end == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
