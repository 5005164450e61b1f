//! The messages that live in a spool, each in its segment.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use mxdrill_net::{Index, Segment};

use super::Pending;
use crate::{Message, QueueId};

/// A live message.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) message: Arc<Message>,
    pub(super) pending: Pending,
    /// Octets of its record: less than 2 GiB and an envelope.
    pub(super) size: u32,
}

/// All live messages. Ids grow with time: what is stored stands in a row of its segment, and all rows together
/// are sorted, so that a message costs its entry and no index beside it.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// Oldest first.
    rows: VecDeque<Row>,
    /// Messages that stand in no row: copied forward by compaction, or found after a restart.
    apart: Index<QueueId, (Segment, Entry)>,
    /// In which order these came into a segment. Some may be gone.
    order: BTreeMap<Segment, VecDeque<QueueId>>,
    len: usize,
}

/// What was stored in one segment.
#[derive(Debug)]
struct Row {
    segment: Segment,
    /// The id of the first message that ever stood here.
    first: QueueId,
    /// Without entry: served, and not at the front.
    places: VecDeque<(QueueId, Option<Entry>)>,
}

impl Live {
    /// Adds a message newer than all in the newest segment.
    pub(super) fn push(&mut self, segment: Segment, entry: Entry) {
        let id = entry.message.id;
        if self.rows.back().is_none_or(|row| row.segment != segment) {
            self.rows.push_back(Row { segment, first: id, places: VecDeque::new() });
        }
        if let Some(row) = self.rows.back_mut() {
            row.places.push_back((id, Some(entry)));
            self.len += 1;
        }
    }

    /// Adds a message of any age.
    pub(super) fn insert(&mut self, segment: Segment, id: QueueId, entry: Entry) {
        self.order.entry(segment).or_default().push_back(id);
        self.apart.insert(id, (segment, entry));
        self.len += 1;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Where a message stands in the rows.
    fn place(&self, id: QueueId) -> Option<(usize, usize)> {
        let row = self.rows.partition_point(|row| row.first <= id).checked_sub(1)?;
        let places = &self.rows[row].places;
        let place = places.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        places[place].1.is_some().then_some((row, place))
    }

    pub(super) fn get(&self, id: QueueId) -> Option<&Entry> {
        match self.place(id) {
            Some((row, place)) => self.rows[row].places[place].1.as_ref(),
            None => self.apart.get(&id).map(|(_, entry)| entry),
        }
    }

    pub(super) fn get_mut(&mut self, id: QueueId) -> Option<&mut Entry> {
        match self.place(id) {
            Some((row, place)) => self.rows[row].places[place].1.as_mut(),
            None => self.apart.get_mut(&id).map(|(_, entry)| entry),
        }
    }

    /// Takes a message out, and says in which segment it was.
    pub(super) fn remove(&mut self, id: QueueId) -> Option<(Segment, Entry)> {
        let gone = match self.place(id) {
            Some((row, place)) => {
                let row = &mut self.rows[row];
                let entry = row.places[place].1.take()?;
                row.trim();
                (row.segment, entry)
            }
            None => self.apart.remove(&id)?,
        };
        self.len -= 1;
        Some(gone)
    }

    /// The next message of the oldest segment for compaction to copy. It lives there until it is taken out or
    /// [`Live::put_back`].
    pub(super) fn next_of(&mut self, oldest: Segment) -> Option<QueueId> {
        if let Some(row) = self.rows.front_mut().filter(|row| row.segment == oldest)
            && let Some((id, Some(entry))) = row.places.pop_front()
        {
            row.trim();
            self.apart.insert(id, (oldest, entry));
            return Some(id);
        }
        let order = self.order.get_mut(&oldest)?;
        while let Some(id) = order.pop_front() {
            if self.apart.get(&id).is_some_and(|(segment, _)| *segment == oldest) {
                return Some(id);
            }
        }
        None
    }

    /// The copy of a message failed: it is to be copied again.
    pub(super) fn put_back(&mut self, id: QueueId) {
        if let Some((segment, _)) = self.apart.get(&id) {
            self.order.entry(*segment).or_default().push_front(id);
        }
    }

    /// A segment in which nothing lives is removed, oldest first.
    pub(super) fn forget(&mut self, segment: Segment) {
        self.order.remove(&segment);
        if self.rows.front().is_some_and(|row| row.segment == segment) {
            self.rows.pop_front();
        }
    }
}

impl Row {
    /// Lets go of what is served at the front.
    fn trim(&mut self) {
        while self.places.pop_front_if(|(_, entry)| entry.is_none()).is_some() {}
    }
}
