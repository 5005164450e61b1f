//! A disk that keeps what was synced, and after a crash a torn part of the rest; and a bench around a spool.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mxdrill_net::{Command, Commands, Kept, Segment, StoreError, Time, Token};

use super::message;
use crate::{
    Intake, Message, QueueId,
    fixture::intake,
    spool::{Pending, Recovered, Spool, SpoolOptions},
};

#[derive(Default)]
pub(super) struct Disk {
    pub(super) segments: BTreeMap<u64, File>,
    pub(super) sync: Option<Token>,
    pub(super) appends: u32,
    pub(super) syncs: u32,
}

#[derive(Default)]
pub(super) struct File {
    pub(super) synced: Vec<u8>,
    pub(super) unsynced: Vec<u8>,
}

impl Disk {
    fn apply(&mut self, out: &mut Commands<()>) {
        for command in out.take() {
            match command {
                Command::Append(segment, slices) => {
                    assert_eq!(self.sync, None, "nothing is appended while a sync is under way");
                    self.appends += 1;
                    self.segments.entry(segment.0).or_default().unsynced.extend(slices.concat());
                }
                Command::Sync(token) => {
                    assert_eq!(self.sync.replace(token), None, "one sync at a time");
                    self.syncs += 1;
                }
                Command::Remove(segment) => drop(self.segments.remove(&segment.0)),
                other => panic!("a spool has no use for {other:?}"),
            }
        }
    }

    /// All octets on the disk.
    pub(super) fn len(&self) -> usize {
        self.segments.values().map(|file| file.synced.len() + file.unsynced.len()).sum()
    }

    pub(super) fn synced_len(&self) -> u64 {
        self.segments.values().map(|file| file.synced.len() as u64).sum()
    }

    /// What a crash leaves: `torn` octets of what was not synced, the last of them damaged if the number is odd.
    fn crash(&mut self, torn: usize) -> Vec<Kept> {
        self.sync = None;
        for file in self.segments.values_mut() {
            let torn = torn.min(file.unsynced.len());
            file.synced.extend(file.unsynced.drain(..torn));
            file.unsynced.clear();
            if torn % 2 == 1 {
                *file.synced.last_mut().expect("at least one octet") ^= 0x40;
            }
        }
        let kept = |(segment, file): (&u64, &File)| Kept {
            segment: Segment(*segment),
            bytes: file.synced.clone().into(),
        };
        self.segments.iter().map(kept).rev().collect()
    }
}

/// A spool on a disk. Messages are known by their number.
pub(super) struct Bench {
    pub(super) spool: Spool<u32>,
    pub(super) disk: Disk,
    pub(super) intake: Intake,
    pub(super) now: Time,
    pub(super) numbers: BTreeMap<u32, Arc<Message>>,
    pub(super) recovered: Vec<Recovered>,
    options: SpoolOptions,
    answers: Vec<String>,
}

impl Bench {
    pub(super) fn new(segment_size: u64) -> Bench {
        let options = SpoolOptions { segment_size };
        Bench {
            spool: Spool::new(options),
            disk: Disk::default(),
            intake: intake(),
            now: Time::ZERO,
            numbers: BTreeMap::new(),
            recovered: Vec::new(),
            options,
            answers: Vec::new(),
        }
    }

    fn run<R>(&mut self, act: impl FnOnce(&mut Spool<u32>, Time, &mut Commands<()>) -> R) -> R {
        let mut out = Commands::default();
        let result = act(&mut self.spool, self.now, &mut out);
        self.disk.apply(&mut out);
        while let Some(stored) = self.spool.poll() {
            assert_eq!(stored.message.id, self.numbers[&stored.tag].id);
            let word = stored.result.map_or_else(|why| format!("{why:?}"), |()| "stored".into());
            self.answers.push(format!("{} {word}", stored.tag));
        }
        result
    }

    pub(super) fn store(&mut self, number: u32, recipients: usize, body: &str) {
        self.store_pending(number, recipients, body, Pending::all(recipients));
    }

    pub(super) fn store_pending(&mut self, number: u32, recipients: usize, body: &str, pending: Pending) {
        let message = message(&mut self.intake, number, recipients, body);
        self.numbers.insert(number, message.clone());
        self.run(|spool, _, out| spool.store(number, message, pending, out));
    }

    pub(super) fn done(&mut self, number: u32, recipient: u16) -> bool {
        let id = self.numbers.get(&number).map_or(QueueId(0), |message| message.id);
        self.run(|spool, now, out| spool.done(now, id, recipient, out))
    }

    /// The sync under way, if there is one, succeeds.
    pub(super) fn sync(&mut self) {
        let Some(token) = self.disk.sync.take() else { return };
        for file in self.disk.segments.values_mut() {
            file.synced.append(&mut file.unsynced);
        }
        self.run(|spool, now, out| spool.synced(now, token, out));
    }

    /// The sync under way, if there is one, fails.
    pub(super) fn fail(&mut self, why: StoreError) {
        let Some(token) = self.disk.sync.take() else { return };
        self.disk.segments.values_mut().for_each(|file| file.unsynced.clear());
        self.run(|spool, now, out| spool.failed(now, token, why, out));
    }

    pub(super) fn stray_answers(&mut self) {
        self.run(|spool, now, out| spool.synced(now, Token(99), out));
        self.run(|spool, now, out| spool.failed(now, Token(0), StoreError::Io, out));
    }

    /// Time passes, and the deadline with it.
    pub(super) fn advance(&mut self, by: Duration) {
        self.now = self.now + by;
        if self.spool.deadline().is_some_and(|at| at <= self.now) {
            self.run(|spool, now, out| spool.timer(now, out));
        }
    }

    /// The host goes down and comes back; `torn` octets of what was not synced are found.
    pub(super) fn crash(&mut self, torn: usize) {
        let kept = self.disk.crash(torn);
        let mut out = Commands::default();
        self.intake = intake();
        (self.spool, self.recovered) = Spool::recover(self.options, &kept, &mut self.intake, &mut out);
        self.disk.apply(&mut out);
    }

    /// The answers to stores since the last call.
    pub(super) fn answers(&mut self) -> String {
        std::mem::take(&mut self.answers).join(", ")
    }

    /// What the last restart found, as `number[recipients]`, in order; every message whole.
    pub(super) fn holds(&self) -> String {
        let show = |found: &Recovered| {
            let (number, _) =
                self.numbers.iter().find(|(_, m)| ***m == *found.message).expect("a known message");
            format!("{number}{:?}", found.pending.iter().collect::<Vec<_>>())
        };
        self.recovered.iter().map(show).collect::<Vec<_>>().join(" ")
    }
}
