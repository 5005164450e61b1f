//! The folder that holds a folder for each host's disk.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::mpsc::{self, Sender},
    thread,
};

use tempfile::TempDir;

use super::{
    Clock, LiveError, LiveOptions, Storage,
    files::{Files, load},
    store::{Store, Worker},
};
use crate::{HostId, Kept, Segment, StoreError, Token};

/// What a disk thread has done.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) host: HostId,
    /// The life of the host in which it was asked for.
    pub(super) life: u32,
    pub(super) token: Token,
    pub(super) result: Result<(), StoreError>,
    /// Bytes that are not on the disk after all.
    pub(super) lost: Vec<(Segment, u64)>,
}

/// Where the hosts of a world have their disks.
#[derive(Debug)]
pub(super) struct Spool {
    /// `None` where disks are in memory.
    root: Option<PathBuf>,
    /// Removed with the world.
    _temporary: Option<TempDir>,
    taken: BTreeSet<String>,
    answers: Sender<Done>,
    clock: Clock,
}

impl Spool {
    pub(super) fn new(
        options: &LiveOptions,
        answers: Sender<Done>,
        clock: Clock,
    ) -> Result<Spool, LiveError> {
        let (root, temporary) = match (options.storage, &options.spool) {
            (Storage::Memory, _) => (None, None),
            (Storage::Files, Some(path)) => (Some(path.clone()), None),
            (Storage::Files, None) => {
                let folder = tempfile::Builder::new().prefix("mxdrill-").tempdir();
                let folder = folder.map_err(|error| trouble(&std::env::temp_dir(), error))?;
                (Some(folder.path().to_path_buf()), Some(folder))
            }
        };
        Ok(Spool { root, _temporary: temporary, taken: BTreeSet::new(), answers, clock })
    }

    #[cfg(test)]
    pub(super) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The disk of a host, and what is on it.
    pub(super) fn open(&mut self, host: HostId, name: &str) -> Result<(Store, Vec<Kept>), LiveError> {
        let Some(root) = &self.root else { return Ok((Store::memory(), Vec::new())) };
        let mut name = folder_name(name);
        if !self.taken.insert(name.clone()) {
            name = format!("{name}~{}", host.0);
            self.taken.insert(name.clone());
        }
        let folder = root.join(&name);
        let opened = fs::create_dir_all(&folder).and_then(|()| load(&folder));
        let kept = opened.map_err(|error| trouble(&folder, error))?;
        let files = Files::new(host, folder.clone(), self.answers.clone(), self.clock.clone());
        let (jobs, asked) = mpsc::channel();
        let thread =
            thread::Builder::new().name(format!("mxdrill-disk-{name}")).spawn(move || files.work(&asked));
        let thread = thread.map_err(|error| trouble(&folder, error))?;
        Ok((Store::files(Worker { jobs: Some(jobs), thread: Some(thread), folder }, &kept), kept))
    }
}

fn trouble(path: &Path, source: io::Error) -> LiveError {
    LiveError::Spool { path: path.to_path_buf(), source }
}

/// A host's name as a folder's: nothing in it leads out of the spool.
pub(super) fn folder_name(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = name.chars().map(|c| if fits(c) { c } else { '_' }).collect();
    match name.strip_prefix('.') {
        Some(rest) => format!("_{rest}"),
        None if name.is_empty() => "_".into(),
        None => name,
    }
}
