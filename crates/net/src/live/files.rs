//! The files of a host's disk, written and synced on a thread of their own.
//!
//! All commits that wait when the thread comes back from a sync share the next one (group commit).

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::mpsc::{Receiver, Sender},
};

use bytes::Bytes;

use super::{
    Clock,
    spool::Done,
    store::{sizes_of, why},
};
use crate::{HostId, Kept, Segment, StoreError, Token};

/// Slices for segments, in order.
pub(super) type Appends = Vec<(Segment, Vec<Bytes>)>;

/// What the thread is asked for.
#[derive(Debug)]
pub(super) enum Job {
    /// Append all this and make it stable.
    Commit { appends: Appends, token: Token, life: u32 },
    /// Delete a segment.
    Remove(Segment),
    /// Read everything back.
    Load(Sender<io::Result<Vec<Kept>>>),
}

/// The files of one host.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) host: HostId,
    pub(super) folder: PathBuf,
    pub(super) answers: Sender<Done>,
    pub(super) clock: Clock,
    open: BTreeMap<Segment, Open>,
    /// Files came or went since the folder was synced.
    is_changed: bool,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    file: File,
    /// Length on stable storage.
    stable: u64,
    is_dirty: bool,
}

/// A commit that waits for the sync.
struct Waiting {
    token: Token,
    life: u32,
    lost_if_failed: Vec<(Segment, u64)>,
}

impl Files {
    pub(super) fn new(host: HostId, folder: PathBuf, answers: Sender<Done>, clock: Clock) -> Files {
        Files { host, folder, answers, clock, open: BTreeMap::new(), is_changed: false, text: Vec::new() }
    }

    /// Works until nobody can ask any more.
    pub(super) fn work(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut waiting = Vec::new();
            let mut result = Ok(());
            for job in std::iter::once(first).chain(jobs.try_iter()) {
                match job {
                    Job::Commit { appends, token, life } => {
                        result = result.and_then(|()| self.append(&appends));
                        waiting.push(Waiting { token, life, lost_if_failed: sizes_of(&appends) });
                    }
                    Job::Remove(segment) => {
                        if let Err(error) = self.remove(segment) {
                            tracing::error!(%error, "a segment could not be removed");
                        }
                    }
                    Job::Load(answer) => {
                        self.settle(std::mem::replace(&mut result, Ok(())), waiting.drain(..));
                        // Whoever asked may have gone in the meantime: then nobody misses the answer.
                        let _ = answer.send(load(&self.folder));
                    }
                }
            }
            self.settle(result, waiting.drain(..));
        }
    }

    fn append(&mut self, appends: &Appends) -> io::Result<()> {
        for (segment, slices) in appends {
            let mut text = std::mem::take(&mut self.text);
            text.clear();
            slices.iter().for_each(|slice| text.extend_from_slice(slice));
            let written = self.file(*segment).and_then(|open| {
                open.is_dirty = true;
                open.file.write_all(&text)
            });
            self.text = text;
            written?;
        }
        Ok(())
    }

    fn file(&mut self, segment: Segment) -> io::Result<&mut Open> {
        if !self.open.contains_key(&segment) {
            let path = path_of(&self.folder, segment);
            let is_new = !path.exists();
            let file = OpenOptions::new().append(true).create(true).open(path)?;
            self.is_changed |= is_new;
            let stable = file.metadata()?.len();
            self.open.insert(segment, Open { file, stable, is_dirty: false });
        }
        Ok(self.open.get_mut(&segment).expect("opened above"))
    }

    fn remove(&mut self, segment: Segment) -> io::Result<()> {
        self.open.remove(&segment);
        self.is_changed = true;
        match fs::remove_file(path_of(&self.folder, segment)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Syncs, or cuts back after a failure, and tells everybody who waits for that.
    fn settle(&mut self, result: io::Result<()>, waiting: impl ExactSizeIterator<Item = Waiting>) {
        let synced = result.and_then(|()| self.sync());
        let result = synced.map_err(|error| {
            tracing::warn!(%error, folder = %self.folder.display(), "storage failed");
            self.cut_back();
            why(&error)
        });
        let any = waiting.len() > 0;
        for Waiting { token, life, lost_if_failed } in waiting {
            self.answer(token, life, result, lost_if_failed);
        }
        if any {
            self.clock.wake_driver();
        }
    }

    fn answer(&self, token: Token, life: u32, result: Result<(), StoreError>, lost: Vec<(Segment, u64)>) {
        let lost = if result.is_ok() { Vec::new() } else { lost };
        let done = Done { host: self.host, life, token, result, lost };
        // A world that is being dropped does not listen any more.
        let _ = self.answers.send(done);
    }

    fn sync(&mut self) -> io::Result<()> {
        for open in self.open.values_mut().filter(|open| open.is_dirty) {
            open.file.sync_data()?;
            open.stable = open.file.metadata()?.len();
            open.is_dirty = false;
        }
        if std::mem::take(&mut self.is_changed) {
            File::open(&self.folder)?.sync_all()?; // a new name is stable only with its folder
        }
        Ok(())
    }

    fn cut_back(&mut self) {
        for open in self.open.values_mut().filter(|open| open.is_dirty) {
            open.is_dirty = false;
            if let Err(error) = open.file.set_len(open.stable) {
                tracing::error!(%error, "a segment could not be cut back");
            }
        }
    }
}

/// The file of a segment: fixed width, so that names sort as numbers do.
fn path_of(folder: &Path, segment: Segment) -> PathBuf {
    folder.join(format!("{:020}.seg", segment.0))
}

/// All segments of a folder, in order of their numbers.
pub(super) fn load(folder: &Path) -> io::Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_segment = path.extension().is_some_and(|end| end == "seg");
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let (true, Some(number)) = (is_segment, number) {
            kept.push(Kept { segment: Segment(number), bytes: fs::read(&path)?.into() });
        }
    }
    kept.sort_by_key(|kept| kept.segment);
    Ok(kept)
}
