//! The spool: what a node has taken responsibility for, on stable storage (RFC 5321 6.1).
//!
//! It is one log in segments, written over [`Commands::append`], [`Commands::sync`] and [`Commands::remove`]:
//!
//! - *Group commit.* At most one sync is under way, and nothing is appended meanwhile. What is stored in that
//!   time goes out as one append and one sync when it is back. So a failed sync means exactly its own batch.
//! - *Acknowledged means synced.* [`Spool::poll`] yields a message only when the disk has it. Whoever gives a
//!   recipient up stores the DSN first, and calls [`Spool::done`] for the recipient when the DSN is yielded.
//! - *Marks are lazy.* That a recipient is done is written with the next batch, or after [`LAZY`]. A crash in
//!   between means that the recipient is served once more. That is the legal side to err on: a host must not
//!   lose mail (RFC 5321 6.1), and a duplicate is what the protocol itself risks (RFC 1047). Postfix marks
//!   recipients the same way, without a sync (src/global/deliver_completed.c).
//! - *Mailboxes.* A recipient that is not pending when its message is stored is delivered here by the same
//!   sync. The log then only counts it: mailboxes are read and emptied by their owners, not by a mail node.
//! - *Compaction.* Segments are removed from the oldest end, when nothing in them lives. So a mark may be
//!   forgotten with its segment: all segments it speaks of are gone already. When the log is more than twice
//!   what lives in it, the oldest live messages are appended anew, which frees their segment. A message has one
//!   id in both copies, so a crash between them makes no second message of it.

mod live;
mod pending;
mod record;
mod recover;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use mxdrill_net::{Commands, Segment, StoreError, Time, Token};

pub use pending::Pending;
pub use recover::Recovered;

use crate::{Message, QueueId};
use live::{Entry, Live};

/// How long a mark waits for company before it is synced by itself.
pub const LAZY: Duration = Duration::from_secs(1);
/// How long it waits after a failed sync.
const LAZY_FAILED: Duration = Duration::from_secs(60);

/// What can be set about a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolOptions {
    /// A segment that has reached this size is followed by another. Octets.
    pub segment_size: u64,
}

impl Default for SpoolOptions {
    /// Segments of 16 MiB.
    fn default() -> Self {
        SpoolOptions { segment_size: 16 << 20 }
    }
}

/// What became of [`Spool::store`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored<T> {
    /// What the caller gave to know it by.
    pub tag: T,
    /// The message.
    pub message: Arc<Message>,
    /// It is on stable storage, or why it is not (452 4.3.1 to the client, RFC 5321 4.2.3).
    pub result: Result<(), StoreError>,
}

/// The log machine. `T` is what its owner knows a store by: a session, or the message that a DSN is about.
#[derive(Debug)]
pub struct Spool<T> {
    options: SpoolOptions,
    live: Live,
    /// Oldest first; the last is appended to. Never empty.
    parts: VecDeque<Part>,
    batch: Batch<T>,
    flight: Option<Flight<T>>,
    /// When the marks of the batch are to be synced, if nothing comes before.
    lazy: Option<Time>,
    results: VecDeque<Stored<T>>,
    scratch: BytesMut,
    last_token: u64,
    /// Octets of all segments, as synced.
    bytes: u64,
    /// Octets of the records of live messages.
    bytes_live: u64,
    delivered: u64,
}

/// A segment.
#[derive(Debug)]
struct Part {
    segment: Segment,
    /// Octets, as synced.
    bytes: u64,
    /// Live messages in it.
    live: u64,
}

impl Part {
    fn new(segment: Segment) -> Part {
        Part { segment, bytes: 0, live: 0 }
    }
}

/// What waits for the next append.
#[derive(Debug)]
struct Batch<T> {
    slices: Vec<Bytes>,
    stored: Vec<Waiting<T>>,
    marks: BytesMut,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Batch { slices: Vec::new(), stored: Vec::new(), marks: BytesMut::new() }
    }
}

#[derive(Debug)]
struct Waiting<T> {
    tag: T,
    message: Arc<Message>,
    pending: Pending,
    size: u64,
}

/// What is appended and being synced.
#[derive(Debug)]
struct Flight<T> {
    token: Token,
    bytes: u64,
    stored: Vec<Waiting<T>>,
    marks: Bytes,
    /// Messages copied forward, with the size of their new record.
    copies: Vec<(QueueId, u64)>,
}

/// Octets that compaction copies in one batch, beside as many as the batch itself brings.
const COPY: u64 = 1 << 20;
/// Octets of a chunk of record heads.
const CHUNK: usize = 16 << 10;
/// Octets of a message above which it is not stored: its record has four octets for its length, and needs
/// room for the envelope too.
const RECORD_MAX: u64 = 1 << 31;

/// The size of a record: what is larger is not stored.
fn narrow(size: u64) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

impl<T> Spool<T> {
    /// An empty spool.
    pub fn new(options: SpoolOptions) -> Spool<T> {
        Spool {
            options,
            live: Live::default(),
            parts: VecDeque::from([Part::new(Segment(1))]),
            batch: Batch::default(),
            flight: None,
            lazy: None,
            results: VecDeque::new(),
            scratch: BytesMut::with_capacity(CHUNK),
            last_token: 0,
            bytes: 0,
            bytes_live: 0,
            delivered: 0,
        }
    }

    /// Stores a message, of which the recipients in `pending` are still to be served; the others are delivered
    /// here. The answer comes from [`Spool::poll`], after a sync. Its id must be new. A message of more than
    /// 2 GiB or 65,535 recipients is answered with `Full` at once.
    pub fn store<F>(&mut self, tag: T, message: Arc<Message>, pending: Pending, out: &mut Commands<F>) {
        if message.size() > RECORD_MAX || message.recipients.len() > usize::from(u16::MAX) {
            return self.results.push_back(Stored { tag, message, result: Err(StoreError::Full) });
        }
        let size = self.push_record(&message, &pending, false);
        self.batch.stored.push(Waiting { tag, message, pending, size });
        self.commit(out);
    }

    /// Appends the record of a message to the batch and says how long it is.
    fn push_record(&mut self, message: &Message, pending: &Pending, is_copy: bool) -> u64 {
        record::put_stored(&mut self.scratch, message, pending, is_copy);
        let head = self.scratch.split().freeze();
        let size = head.len() as u64 + message.size();
        let slices = &mut self.batch.slices;
        slices.extend([head, message.header.clone()]);
        if !message.body.is_empty() {
            slices.push(message.body.clone());
        }
        size
    }

    /// Notes that a recipient is served or given up. Says whether it was pending.
    pub fn done<F>(&mut self, now: Time, id: QueueId, recipient: u16, out: &mut Commands<F>) -> bool {
        let Some(entry) = self.live.get_mut(id) else { return false };
        if !entry.pending.remove(recipient) {
            return false;
        }
        self.lazy.get_or_insert(now + LAZY);
        if !entry.pending.is_empty() {
            record::put_done(&mut self.batch.marks, id, recipient);
            return true;
        }
        record::put_gone(&mut self.batch.marks, id);
        if let Some((segment, entry)) = self.live.remove(id) {
            self.bytes_live -= u64::from(entry.size);
            self.part(segment).live -= 1;
        }
        self.release(out);
        true
    }

    /// The segment that a live message is in.
    fn part(&mut self, segment: Segment) -> &mut Part {
        let place = self.parts.binary_search_by_key(&segment, |part| part.segment);
        &mut self.parts[place.expect("a segment with live messages is never removed")]
    }

    /// The segment that is appended to.
    fn active(&mut self) -> &mut Part {
        self.parts.back_mut().expect("there is always a segment to append to")
    }

    fn active_segment(&self) -> Segment {
        self.parts.back().map_or(Segment(1), |part| part.segment)
    }

    /// Removes segments from the oldest end while nothing in them lives.
    fn release<F>(&mut self, out: &mut Commands<F>) {
        while self.parts.len() > 1 && self.parts[0].live == 0 {
            if let Some(part) = self.parts.pop_front() {
                self.bytes -= part.bytes;
                self.live.forget(part.segment);
                out.remove(part.segment);
            }
        }
    }

    /// Appends and syncs the batch, if no sync is under way.
    fn commit<F>(&mut self, out: &mut Commands<F>) {
        if self.flight.is_some() {
            return;
        }
        self.roll();
        let copies = self.copy_forward();
        let mut slices = std::mem::take(&mut self.batch.slices);
        let marks = self.take_marks();
        if !marks.is_empty() {
            slices.push(marks.clone());
        }
        if self.active().bytes == 0 {
            record::put_begin(&mut self.scratch, self.delivered);
            slices.insert(0, self.scratch.split().freeze());
        }
        let bytes = slices.iter().map(|slice| slice.len() as u64).sum();
        self.last_token += 1;
        let token = Token(self.last_token);
        out.append(self.active().segment, slices);
        out.sync(token);
        self.lazy = None;
        let stored = std::mem::take(&mut self.batch.stored);
        self.flight = Some(Flight { token, bytes, stored, marks, copies });
    }

    fn take_marks(&mut self) -> Bytes {
        match self.batch.marks.is_empty() {
            true => Bytes::new(),
            false => self.batch.marks.split().freeze(),
        }
    }

    /// Begins a new segment when the last is full.
    fn roll(&mut self) {
        if self.active().bytes >= self.options.segment_size {
            self.new_part();
        }
    }

    fn new_part(&mut self) {
        let next = Segment(self.active().segment.0.saturating_add(1));
        self.parts.push_back(Part::new(next));
    }

    /// Puts the oldest live messages into the batch again, while the log is more than twice what lives in it.
    fn copy_forward(&mut self) -> Vec<(QueueId, u64)> {
        let mut copies = Vec::new();
        if !self.is_loose() {
            return copies;
        }
        let mut copied = 0;
        let limit = COPY + self.batch.slices.iter().map(|slice| slice.len() as u64).sum::<u64>();
        while self.parts.len() > 1 && copied < limit {
            let oldest = self.parts[0].segment;
            let Some(id) = self.live.next_of(oldest) else { break };
            let Some(entry) = self.live.get(id) else { continue };
            let (message, pending) = (entry.message.clone(), entry.pending.clone());
            let size = self.push_record(&message, &pending, true);
            copied += size;
            copies.push((id, size));
        }
        copies
    }

    fn is_loose(&self) -> bool {
        self.bytes > 2 * (self.bytes_live + self.options.segment_size)
    }

    /// [`mxdrill_net::Event::Synced`] came.
    pub fn synced<F>(&mut self, now: Time, token: Token, out: &mut Commands<F>) {
        let Some(flight) = self.flight.take_if(|flight| flight.token == token) else { return };
        self.bytes += flight.bytes;
        self.active().bytes += flight.bytes;
        for (id, size) in flight.copies {
            self.relocate(id, size);
        }
        let mut stored = flight.stored;
        for waiting in stored.drain(..) {
            self.keep(waiting);
        }
        if self.batch.stored.capacity() == 0 {
            self.batch.stored = stored;
        }
        self.release(out);
        self.go_on(now, out);
    }

    /// A live message has been copied into the newest segment.
    fn relocate(&mut self, id: QueueId, size: u64) {
        // It may have been served while the copy was under way; the copy then is dead, and a mark follows it.
        let Some((oldest, entry)) = self.live.remove(id) else { return };
        self.bytes_live -= u64::from(entry.size);
        self.part(oldest).live -= 1;
        self.keep_copy(self.active_segment(), id, Entry { size: narrow(size), ..entry });
    }

    /// A message has been stored in the newest segment.
    fn keep(&mut self, waiting: Waiting<T>) {
        let Waiting { tag, message, pending, size } = waiting;
        self.delivered += (message.recipients.len() - pending.len()) as u64;
        if !pending.is_empty() {
            let segment = self.active_segment();
            self.live.push(segment, Entry { message: message.clone(), pending, size: narrow(size) });
            self.bytes_live += size;
            self.active().live += 1;
        }
        self.results.push_back(Stored { tag, message, result: Ok(()) });
    }

    /// A live message is in a segment in which it does not stand in the order of its id.
    fn keep_copy(&mut self, segment: Segment, id: QueueId, entry: Entry) {
        self.bytes_live += u64::from(entry.size);
        self.part(segment).live += 1;
        self.live.insert(segment, id, entry);
    }

    /// [`mxdrill_net::Event::StoreFailed`] came: what the sync was for is not stored. The log goes on in a new
    /// segment, as the end of this one has been cut off.
    pub fn failed<F>(&mut self, now: Time, token: Token, why: StoreError, out: &mut Commands<F>) {
        let Some(flight) = self.flight.take_if(|flight| flight.token == token) else { return };
        for Waiting { tag, message, .. } in flight.stored {
            self.results.push_back(Stored { tag, message, result: Err(why) });
        }
        for (id, _) in flight.copies.into_iter().rev() {
            self.live.put_back(id);
        }
        self.again(now, flight.marks);
        if self.active().bytes == 0 {
            out.remove(self.active().segment);
        } else {
            self.new_part();
        }
        self.release(out);
        self.go_on(now, out);
    }

    /// Marks that could not be written are written with a later batch.
    fn again(&mut self, now: Time, marks: Bytes) {
        if marks.is_empty() {
            return;
        }
        let later = std::mem::replace(&mut self.batch.marks, BytesMut::from(&marks[..]));
        self.batch.marks.extend_from_slice(&later);
        self.lazy = Some(now + LAZY_FAILED);
    }

    /// Sends the next batch on its way, if something waits for it.
    fn go_on<F>(&mut self, now: Time, out: &mut Commands<F>) {
        if !self.batch.stored.is_empty() || self.lazy.is_some_and(|at| at <= now) {
            self.commit(out);
        }
    }

    /// The deadline may have come.
    pub fn timer<F>(&mut self, now: Time, out: &mut Commands<F>) {
        self.go_on(now, out);
    }

    /// When [`Spool::timer`] is to be called. None while a sync is under way: what comes next waits for it.
    pub fn deadline(&self) -> Option<Time> {
        self.lazy.filter(|_| self.flight.is_none())
    }

    /// The next answer to a store, in the order of the stores.
    pub fn poll(&mut self) -> Option<Stored<T>> {
        self.results.pop_front()
    }

    /// A message that is still to be served, with the recipients left.
    pub fn message(&self, id: QueueId) -> Option<(&Arc<Message>, &Pending)> {
        self.live.get(id).map(|entry| (&entry.message, &entry.pending))
    }

    /// How many messages are still to be served.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.live.len() == 0
    }

    /// Octets of the log on the disk, as synced.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many recipients were put into mailboxes of this host.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }
}
