//! Where mail servers lie: unpacked side by side, or installed.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::Adapter;

/// Names the folder of unpacked servers, before any other place.
const VARIABLE: &str = "MXDRILL_MTA";

/// A mail server that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Install {
    /// What stands for `/`; `/` itself where it is installed.
    pub root: PathBuf,
}

impl Install {
    /// Whether it is unpacked aside, and so must be laid over the machine's own files.
    pub fn is_aside(&self) -> bool {
        self.root != Path::new("/")
    }
}

/// The folders in which `cargo xtask mta fetch` may have unpacked servers: what `MXDRILL_MTA` names, and `mta` in
/// the target folder that `binary` lies in, or in `target` of the present folder.
pub fn folders(binary: Option<&Path>) -> Vec<PathBuf> {
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    let beside = binary.into_iter().flat_map(|binary| binary.ancestors().skip(2).take(2));
    let beside = beside.map(|folder| folder.join("mta"));
    named.into_iter().chain(beside).chain([PathBuf::from("target/mta")]).collect()
}

/// Where a server lies: unpacked in one of `folders`, else installed.
pub fn find(adapter: &Adapter, folders: &[PathBuf]) -> Option<Install> {
    let roots = folders.iter().map(|folder| folder.join(&adapter.name).join("root"));
    let there = |root: &PathBuf| root.join(adapter.program.trim_start_matches('/')).is_file();
    let root = roots.chain([PathBuf::from("/")]).find(there)?;
    Some(Install { root: root.canonicalize().unwrap_or(root) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_folder_of_the_binary_is_looked_in() {
        let folders = folders(Some(Path::new("/work/target/debug/mxdrill")));
        assert!(folders.contains(&PathBuf::from("/work/target/mta")), "{folders:?}");
        assert_eq!(folders.last(), Some(&PathBuf::from("target/mta")));
    }

    #[test]
    fn what_is_nowhere_is_not_found() {
        let mut adapter = Adapter::named("postfix").unwrap();
        adapter.program = "/usr/sbin/no-such-mail-server".into();
        assert_eq!(find(&adapter, &[PathBuf::from("/nonexistent")]), None);
    }
}
