//! The queue: entries in a slab, in one line for each destination; a line is a ring of scan slots.
//!
//! An entry is in one of three places: in a slot of its line, waiting for the second it is due; in the line's
//! `ready` row, due and waiting for its turn; or in hand, under delivery. A slot is a plain list of numbers, so
//! that a million messages for a dead destination are put off in one tight loop.

mod entry;
#[cfg(test)]
mod tests;
mod timetable;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    sync::Arc,
};

use mxdrill_net::{DomainName, Index, Time};

pub(crate) use entry::{Entry, Picks};
pub(crate) use timetable::{Cause, Next, Timetable, floor};

use crate::Message;

/// All mail of a node that is still to be delivered.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    entries: Vec<Entry>,
    free: Vec<u32>,
    lines: Vec<Line>,
    free_lines: Vec<u32>,
    by_name: Index<DomainName, u32>,
    /// When each line's first slot is due; entries of lines whose slot is gone are skipped.
    slots: BinaryHeap<Reverse<(u32, u32)>>,
}

/// The mail for one destination.
#[derive(Debug)]
pub(crate) struct Line {
    /// The destination.
    pub(crate) name: DomainName,
    /// Entries that are due.
    pub(crate) ready: VecDeque<u32>,
    /// Entries by the second at which they are due.
    waiting: BTreeMap<u32, Vec<u32>>,
    /// Whether the ready row holds what a scan brought.
    pub(crate) is_run: bool,
    /// Entries that stand in it, wherever they are.
    pub(crate) entries: u32,
}

/// What became of entries that were put off.
#[derive(Debug, Default)]
pub(crate) struct PutOff {
    /// Recipients that stay.
    pub(crate) count: u32,
    /// When the first of them is due again.
    pub(crate) next: Option<u32>,
    /// Entries whose time is over; they are in hand now.
    pub(crate) expired: Vec<u32>,
    /// Entries that stay, and for which a delay warning is due.
    pub(crate) warn: Vec<u32>,
}

impl Queue {
    /// The line of a destination.
    pub(crate) fn line_of(&mut self, name: &DomainName) -> u32 {
        if let Some(line) = self.by_name.get(name) {
            return *line;
        }
        let fresh = Line::new(name.clone());
        let line = match self.free_lines.pop() {
            Some(line) => {
                self.lines[line as usize] = fresh;
                line
            }
            None => {
                self.lines.push(fresh);
                (self.lines.len() - 1) as u32
            }
        };
        self.by_name.insert(name.clone(), line);
        line
    }

    /// Forgets a line in which nothing stands; its number will be given again.
    pub(crate) fn forget_line(&mut self, line: u32) {
        self.by_name.remove(&self.lines[line as usize].name);
        self.free_lines.push(line);
    }

    /// The line of a destination, if it has any.
    pub(crate) fn known_line(&self, name: &DomainName) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn line(&self, line: u32) -> &Line {
        &self.lines[line as usize]
    }

    pub(crate) fn line_mut(&mut self, line: u32) -> &mut Line {
        &mut self.lines[line as usize]
    }

    /// How many destinations there are.
    pub(crate) fn lines(&self) -> u32 {
        self.lines.len() as u32
    }

    pub(crate) fn entry(&self, id: u32) -> &Entry {
        &self.entries[id as usize]
    }

    pub(crate) fn entry_mut(&mut self, id: u32) -> &mut Entry {
        &mut self.entries[id as usize]
    }

    /// The message of an entry.
    ///
    /// # Panics
    /// When the entry was removed: a mistake of this crate.
    pub(crate) fn message(&self, id: u32) -> &Arc<Message> {
        self.entry(id).message.as_ref().expect("an entry in hand has its message")
    }

    /// Takes a new entry in hand; the caller puts it into its line.
    pub(crate) fn insert(&mut self, message: Arc<Message>, picks: Picks, line: u32) -> u32 {
        self.lines[line as usize].entries += 1;
        let entry = Entry {
            arrived: floor(message.arrived),
            is_bounce: message.reverse_path.is_null(),
            message: Some(message),
            picks,
            line,
            wait: 0,
            attempts: 0,
            warned: 0,
        };
        match self.free.pop() {
            Some(id) => {
                self.entries[id as usize] = entry;
                id
            }
            None => {
                self.entries.push(entry);
                (self.entries.len() - 1) as u32
            }
        }
    }

    /// Removes an entry in hand.
    pub(crate) fn remove(&mut self, id: u32) {
        let entry = &mut self.entries[id as usize];
        entry.message = None;
        self.lines[entry.line as usize].entries -= 1;
        self.free.push(id);
    }

    /// Makes an entry in hand wait until a second.
    pub(crate) fn wait(&mut self, id: u32, due: u32) {
        let line = self.entries[id as usize].line;
        let slot = self.lines[line as usize].waiting.entry(due).or_insert_with(|| {
            self.slots.push(Reverse((due, line)));
            Vec::new()
        });
        slot.push(id);
    }

    /// When the next slot is due, if any.
    pub(crate) fn deadline(&self) -> Option<Time> {
        self.slots.peek().map(|Reverse((due, _))| Time::from_secs((*due).into()))
    }

    /// Makes what is due ready; returns a line that got some, to be called again until there is none.
    pub(crate) fn scan(&mut self, now: Time) -> Option<u32> {
        let second = floor(now);
        while let Some(Reverse((due, line))) = self.slots.peek().copied() {
            if due > second {
                return None;
            }
            self.slots.pop();
            let line_ = &mut self.lines[line as usize];
            if let Some(slot) = line_.waiting.remove(&due) {
                line_.make_ready(slot);
                return Some(line);
            }
        }
        None
    }

    /// Makes everything of a line ready, due or not. Returns whether there was anything.
    pub(crate) fn flush(&mut self, line: u32) -> bool {
        let line = &mut self.lines[line as usize];
        for slot in std::mem::take(&mut line.waiting).into_values() {
            line.make_ready(slot);
        }
        !line.ready.is_empty()
    }

    /// Puts off every ready entry of a line without an attempt: the destination is known not to answer. `counts`
    /// says whether the schedule takes it for one.
    pub(crate) fn put_off_ready(
        &mut self,
        line: u32,
        now: Time,
        table: &Timetable,
        cause: Cause,
        counts: bool,
    ) -> PutOff {
        let ready = std::mem::take(&mut self.lines[line as usize].ready);
        self.lines[line as usize].is_run = false;
        let mut done = PutOff::default();
        let mut slot: (u32, Vec<u32>) = (u32::MAX, Vec::new());
        for id in &ready {
            let entry = &mut self.entries[*id as usize];
            match table.next(entry, now, counts, cause) {
                Next::Expired => done.expired.push(*id),
                Next::Due(due) => {
                    done.count += entry.picks.len() as u32;
                    if table.warns(entry, now) {
                        done.warn.push(*id);
                    }
                    if due != slot.0 {
                        self.keep_slot(line, slot);
                        slot = (due, self.take_slot(line, due));
                        done.next = Some(done.next.map_or(due, |next| next.min(due)));
                    }
                    slot.1.push(*id);
                }
            }
        }
        self.keep_slot(line, slot);
        // the row's memory is used again by the next scan
        let row = &mut self.lines[line as usize].ready;
        *row = ready;
        row.clear();
        done
    }

    fn take_slot(&mut self, line: u32, due: u32) -> Vec<u32> {
        match self.lines[line as usize].waiting.get_mut(&due) {
            Some(slot) => std::mem::take(slot),
            None => Vec::new(),
        }
    }

    fn keep_slot(&mut self, line: u32, (due, list): (u32, Vec<u32>)) {
        if list.is_empty() {
            return;
        }
        if self.lines[line as usize].waiting.insert(due, list).is_none() {
            self.slots.push(Reverse((due, line)));
        }
    }

    /// Every entry, wherever it is, in the order of the slab.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&Arc<Message>, &[u16])> {
        let held = |entry: &'_ Entry| entry.message.is_some();
        self.entries
            .iter()
            .filter(move |entry| held(entry))
            .filter_map(|entry| Some((entry.message.as_ref()?, entry.picks.as_slice())))
    }
}

impl Line {
    fn new(name: DomainName) -> Line {
        Line { name, ready: VecDeque::new(), waiting: BTreeMap::new(), is_run: false, entries: 0 }
    }

    fn make_ready(&mut self, slot: Vec<u32>) {
        self.is_run = true;
        if self.ready.is_empty() {
            self.ready = slot.into();
        } else {
            self.ready.extend(slot);
        }
    }
}
