//! The disk of a host: what is appended, and what is synced.

use std::{
    collections::BTreeMap,
    io,
    path::PathBuf,
    sync::mpsc::{self, Receiver, Sender},
    thread::JoinHandle,
};

use bytes::{Bytes, BytesMut};

use super::{
    LiveError,
    files::{Appends, Job},
};
use crate::{Disk, Kept, Segment, StoreError, Tag, Token};

/// The disk of a host. Appends wait here until the next sync, so that a crash loses just what was not synced,
/// and a failed append cuts nothing back that a sync has promised.
#[derive(Debug)]
pub(super) struct Store {
    /// What is wrong with it at present.
    pub(super) health: Disk,
    place: Place,
    /// Bytes of each segment, appended ones included.
    sizes: BTreeMap<Segment, u64>,
    used: u64,
    appended: Appends,
    failed: Option<StoreError>,
}

/// Where synced segments are.
#[derive(Debug)]
enum Place {
    Memory(BTreeMap<Segment, Vec<Bytes>>),
    Files(Worker),
}

/// The thread that writes and syncs the files of a host.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) jobs: Option<Sender<Job>>,
    pub(super) thread: Option<JoinHandle<()>>,
    pub(super) folder: PathBuf,
}

impl Drop for Worker {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the disk thread of a host panicked");
        }
    }
}

impl Store {
    /// A disk in memory.
    pub(super) fn memory() -> Store {
        Store::new(Place::Memory(BTreeMap::new()), BTreeMap::new())
    }

    /// A disk in files, of which these are there already.
    pub(super) fn files(worker: Worker, kept: &[Kept]) -> Store {
        let sizes = kept.iter().map(|kept| (kept.segment, kept.bytes.len() as u64)).collect();
        Store::new(Place::Files(worker), sizes)
    }

    fn new(place: Place, sizes: BTreeMap<Segment, u64>) -> Store {
        let used = sizes.values().sum();
        Store { health: Disk::default(), place, sizes, used, appended: Vec::new(), failed: None }
    }

    /// Appends slices, all or none. Gives the tag of the fault that refused them, if one did.
    pub(super) fn append(&mut self, segment: Segment, slices: Vec<Bytes>) -> Option<Tag> {
        let size: u64 = slices.iter().map(|slice| slice.len() as u64).sum();
        let fits = self.health.capacity.is_none_or(|capacity| self.used.saturating_add(size) <= capacity);
        if self.health.full.is_some() || !fits {
            self.failed = Some(StoreError::Full);
            return self.health.full;
        }
        *self.sizes.entry(segment).or_default() += size;
        self.used += size;
        self.appended.push((segment, slices));
        None
    }

    /// Begins to make stable what was appended. `None` says that the disk's thread will answer, else it is the
    /// answer.
    pub(super) fn sync(&mut self, token: Token, life: u32) -> Option<Result<(), StoreError>> {
        let appends = std::mem::take(&mut self.appended);
        if let Some(why) = self.failed.take() {
            self.lose(sizes_of(&appends));
            return Some(Err(why));
        }
        match &mut self.place {
            Place::Memory(segments) => {
                for (segment, slices) in appends {
                    segments.entry(segment).or_default().extend(slices);
                }
                Some(Ok(()))
            }
            Place::Files(worker) => match worker.send(Job::Commit { appends, token, life }) {
                Ok(()) => None,
                Err(error) => Some(Err(why(&error))),
            },
        }
    }

    /// Deletes a segment.
    pub(super) fn remove(&mut self, segment: Segment) {
        self.used -= self.sizes.remove(&segment).unwrap_or(0);
        self.appended.retain(|(other, _)| *other != segment);
        match &mut self.place {
            Place::Memory(segments) => drop(segments.remove(&segment)),
            Place::Files(worker) => {
                if let Err(error) = worker.send(Job::Remove(segment)) {
                    tracing::error!(%error, "a segment could not be removed");
                }
            }
        }
    }

    /// Accounts for appended bytes that did not get to the disk.
    pub(super) fn lose(&mut self, lost: Vec<(Segment, u64)>) {
        for (segment, bytes) in lost {
            let Some(size) = self.sizes.get_mut(&segment) else { continue };
            let bytes = bytes.min(*size);
            *size -= bytes;
            self.used -= bytes;
        }
    }

    /// Loses what was not synced.
    pub(super) fn crash(&mut self) {
        self.failed = None;
        let appends = std::mem::take(&mut self.appended);
        self.lose(sizes_of(&appends));
    }

    /// What a restarted process finds.
    pub(super) fn kept(&mut self) -> Result<Vec<Kept>, LiveError> {
        match &mut self.place {
            Place::Memory(segments) => {
                Ok(segments.iter().map(|(segment, slices)| join(*segment, slices)).collect())
            }
            Place::Files(worker) => {
                let (answer, kept) = mpsc::channel();
                let kept = worker.send(Job::Load(answer)).and_then(|()| receive(&kept));
                kept.map_err(|source| LiveError::Spool { path: worker.folder.clone(), source })
            }
        }
    }
}

impl Worker {
    fn send(&self, job: Job) -> io::Result<()> {
        let sent = self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok());
        sent.ok_or_else(|| io::Error::other("the disk thread of the host is gone"))
    }
}

fn receive(kept: &Receiver<io::Result<Vec<Kept>>>) -> io::Result<Vec<Kept>> {
    kept.recv().unwrap_or_else(|_| Err(io::Error::other("the disk thread of the host is gone")))
}

fn join(segment: Segment, slices: &[Bytes]) -> Kept {
    let mut whole = BytesMut::with_capacity(slices.iter().map(Bytes::len).sum());
    slices.iter().for_each(|slice| whole.extend_from_slice(slice));
    Kept { segment, bytes: whole.freeze() }
}

/// How many bytes of which segments these are.
pub(super) fn sizes_of(appends: &Appends) -> Vec<(Segment, u64)> {
    let size = |slices: &Vec<Bytes>| slices.iter().map(|slice| slice.len() as u64).sum();
    appends.iter().map(|(segment, slices)| (*segment, size(slices))).collect()
}

/// What an error of the device means to a process.
pub(super) fn why(error: &io::Error) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            StoreError::Full
        }
        _ => StoreError::Io,
    }
}
