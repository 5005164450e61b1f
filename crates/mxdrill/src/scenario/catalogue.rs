//! The scenarios that are compiled in, so that `mxdrill run recovery-550` works in any folder.

use super::{Mistakes, NoFiles, Scenario};

/// Path below `scenarios`, with slashes, and text, in the order of the paths.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// A scenario of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path below `scenarios`: `reachability/primary-refused.toml`.
    pub path: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// All of it, in the order of the paths.
pub fn all() -> impl Iterator<Item = Entry> {
    FILES.iter().map(|(path, text)| Entry { path, text })
}

/// The scenarios of a name: `primary-refused`, `reachability/primary-refused`, or all of a folder: `reachability`.
pub fn named(name: &str) -> Vec<Entry> {
    let name = name.trim_end_matches('/').trim_end_matches(".toml");
    all().filter(|entry| entry.is_called(name)).collect()
}

impl Entry {
    /// The name: `primary-refused`.
    pub fn name(&self) -> &'static str {
        let file = self.path.rsplit('/').next().unwrap_or(self.path);
        file.trim_end_matches(".toml")
    }

    /// The folder: `reachability`.
    pub fn folder(&self) -> &'static str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    fn is_called(&self, name: &str) -> bool {
        self.name() == name || self.folder() == name || self.path.trim_end_matches(".toml") == name
    }

    /// The scenario.
    ///
    /// # Errors
    /// None for what is compiled in: a test reads all of it.
    pub fn scenario(&self) -> Result<Scenario, Mistakes> {
        Scenario::parse(self.path, self.text, &NoFiles)
    }
}
