//! What one side of a connection has sent and the other has not got yet.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use crate::way::Way;
use crate::{Seed, Time, seed::scale};

/// Above this much unsent output a process gets no more input from the connection.
pub(super) const WINDOW: u64 = 64 * 1024;

/// An emptied pipe keeps at most this much memory for the next connection.
const SPARE: usize = 16 * 1024;

/// Memory that a pipe begins with.
const FIRST: usize = 512;

/// The queue of one direction: copied bytes stand one behind the other in `text`, shared ones stay where they
/// are, and each chunk knows when it arrives. No chunk arrives before the one ahead of it.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    chunks: VecDeque<Chunk>,
    text: Vec<u8>,
    /// How much of `text` has been delivered.
    head: usize,
    /// Where the stream is split next, counted from its beginning.
    split_at: u64,
    /// Bytes delivered since the connection began.
    delivered: u64,
    /// Bytes sent since the connection began.
    pub(super) sent: u64,
    /// Which way it goes, as an index of the simulator's ways.
    pub(super) way: u32,
    /// Keys the draws of this stream.
    pub(super) draw: u64,
    /// When the last chunk arrives.
    pub(super) last_at: Time,
    /// The time of the queue's event for this pipe.
    pub(super) armed: Option<Time>,
    /// Since when the first unacknowledged segment is being retransmitted in vain.
    pub(super) stalled: Option<Time>,
    /// Output exceeded the window and has not drained since.
    pub(super) choked: bool,
    /// The link has cut the connection: nothing more goes in.
    pub(super) is_cut: bool,
}

/// One piece of the stream, or a mark in it. `at` is `Time::MAX` while it is stalled.
#[derive(Debug)]
struct Chunk {
    at: Time,
    what: Piece,
}

#[derive(Debug)]
enum Piece {
    /// The next so many bytes of `text`.
    Copied(u32),
    Shared(Bytes),
    Mark(Mark),
}

/// What stands in a stream beside bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The acknowledgement that completes the handshake.
    Open,
    /// The end of the stream.
    Fin,
    /// The link breaks the connection here.
    Cut,
}

/// What stands at the front of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Front {
    Nothing,
    /// Arrives then.
    Later(Time),
    Mark(Mark),
    Data,
}

impl Pipe {
    /// Makes the pipe of a former connection ready for a new one.
    pub(super) fn renew(&mut self, way: u32, draw: u64, now: Time, chop: bool) {
        self.clear();
        self.text.shrink_to(SPARE);
        self.chunks.shrink_to(SPARE / size_of::<Chunk>());
        let (chunks, mut text) = (std::mem::take(&mut self.chunks), std::mem::take(&mut self.text));
        if text.capacity() == 0 {
            text.reserve(FIRST);
        }
        let split_at = if chop { 1 + scale(Seed(draw).pick("first", &[]), 64) } else { 0 };
        *self = Pipe { chunks, text, way, draw, last_at: now, split_at, ..Pipe::default() };
    }

    /// Forgets what was not delivered.
    pub(super) fn clear(&mut self) {
        self.chunks.clear();
        self.text.clear();
        self.head = 0;
        self.sent = self.delivered;
    }

    /// Bytes sent and not delivered.
    pub(super) fn unsent(&self) -> u64 {
        self.sent - self.delivered
    }

    pub(super) fn push_copied(&mut self, at: Time, bytes: &[u8]) {
        self.text.extend_from_slice(bytes);
        self.push(at, bytes.len(), Piece::Copied(bytes.len() as u32));
    }

    pub(super) fn push_shared(&mut self, at: Time, bytes: Bytes) {
        self.push(at, bytes.len(), Piece::Shared(bytes));
    }

    pub(super) fn push_mark(&mut self, at: Time, mark: Mark) {
        self.push(at, 0, Piece::Mark(mark));
    }

    fn push(&mut self, at: Time, bytes: usize, what: Piece) {
        self.sent += bytes as u64;
        self.choked |= self.unsent() > WINDOW;
        self.last_at = at;
        self.chunks.push_back(Chunk { at, what });
    }

    /// When what is sent now arrives over a plain way; `None` if the way is not plain.
    pub(super) fn plain_arrival(&self, now: Time, way: &Way) -> Option<Time> {
        let is_plain = way.plain && self.stalled.is_none() && !self.is_cut;
        is_plain.then(|| (now + way.link.latency).max(self.last_at))
    }

    /// When the queue must come back to this pipe, unless it knows already.
    pub(super) fn arm(&mut self, now: Time) -> Option<Time> {
        let at = self.chunks.front().map(|chunk| chunk.at.max(now)).filter(|at| *at < Time::MAX)?;
        if self.armed.is_some_and(|armed| armed <= at) {
            return None;
        }
        self.armed = Some(at);
        Some(at)
    }

    pub(super) fn front(&self, now: Time) -> Front {
        match self.chunks.front() {
            None => Front::Nothing,
            Some(chunk) if chunk.at > now => Front::Later(chunk.at),
            Some(Chunk { what: Piece::Mark(mark), .. }) => Front::Mark(*mark),
            Some(_) => Front::Data,
        }
    }

    /// Takes the mark at the front out.
    pub(super) fn pop_mark(&mut self) {
        if let Some(Chunk { what: Piece::Mark(_), .. }) = self.chunks.front() {
            self.chunks.pop_front();
        }
    }

    /// The bytes to deliver next: one write, or with `chop` all that has arrived, up to where the stream is
    /// split. `scratch` holds them when they lie in several places.
    pub(super) fn segment<'a>(&'a self, now: Time, chop: bool, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let Some(first) = self.chunks.front() else { return &[] };
        let most = if chop { (self.split_at - self.delivered) as usize } else { usize::MAX };
        let bytes = match &first.what {
            Piece::Mark(_) => return &[],
            Piece::Copied(len) => &self.text[self.head..self.head + *len as usize],
            Piece::Shared(bytes) => &bytes[..],
        };
        let is_alone = !chop || bytes.len() >= most || self.chunks.get(1).is_none_or(|next| next.at > now);
        if is_alone { &bytes[..bytes.len().min(most)] } else { self.join(now, most, scratch) }
    }

    /// Joins what has arrived, at most `most` bytes.
    fn join<'a>(&'a self, now: Time, most: usize, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        scratch.clear();
        let mut head = self.head;
        for chunk in self.chunks.iter().take_while(|chunk| chunk.at <= now) {
            let room = most - scratch.len();
            if room == 0 {
                break;
            }
            match &chunk.what {
                Piece::Mark(_) => break,
                Piece::Copied(len) => {
                    scratch.extend_from_slice(&self.text[head..head + room.min(*len as usize)]);
                    head += *len as usize;
                }
                Piece::Shared(bytes) => scratch.extend_from_slice(&bytes[..room.min(bytes.len())]),
            }
        }
        scratch
    }

    /// Takes the `count` bytes that [`Pipe::segment`] gave out of the pipe.
    pub(super) fn consume(&mut self, count: usize, chop: bool) {
        self.delivered += count as u64;
        let mut left = count;
        while let Some(first) = self.chunks.front_mut() {
            let len = match &mut first.what {
                Piece::Mark(_) => break,
                Piece::Copied(len) => {
                    let len_here = *len as usize;
                    *len -= left.min(len_here) as u32;
                    self.head += left.min(len_here);
                    len_here
                }
                Piece::Shared(bytes) => {
                    let len_here = bytes.len();
                    bytes.advance(left.min(len_here));
                    len_here
                }
            };
            if len > left {
                break;
            }
            left -= len;
            self.chunks.pop_front();
            if left == 0 {
                break;
            }
        }
        if chop && self.delivered >= self.split_at {
            self.split_at = self.delivered + self.stride();
        }
        self.tidy();
    }

    /// How far it is to the next split: often within a line, sometimes within a reply, mostly a few kilobytes.
    fn stride(&self) -> u64 {
        let number = Seed(self.draw).pick("split", &[self.delivered]);
        let longest = [40, 600, 8192, 8192][(number & 3) as usize];
        1 + scale(number, longest)
    }

    /// Uses the memory of delivered bytes again.
    fn tidy(&mut self) {
        if self.head == self.text.len() {
            self.text.clear();
            self.head = 0;
        } else if self.head >= WINDOW as usize {
            self.text.drain(..self.head);
            self.head = 0;
        }
    }

    /// From now on nothing arrives that would have arrived after `horizon`. True if something is held up.
    pub(super) fn stall(&mut self, horizon: Time) -> bool {
        self.chunks.iter_mut().filter(|chunk| chunk.at > horizon).for_each(|chunk| chunk.at = Time::MAX);
        let stalled = self.chunks.back().is_some_and(|chunk| chunk.at == Time::MAX);
        if stalled {
            self.last_at = Time::MAX;
        }
        stalled
    }

    /// Gives everything that is stalled a new time of arrival, from its length and the offset of its end in
    /// what was stalled.
    pub(super) fn resume(&mut self, mut arrival: impl FnMut(usize) -> Time) {
        let mut last = self.chunks.iter().rev().map(|chunk| chunk.at).find(|at| *at < Time::MAX);
        for chunk in self.chunks.iter_mut().filter(|chunk| chunk.at == Time::MAX) {
            let bytes = match &chunk.what {
                Piece::Mark(_) => 0,
                Piece::Copied(len) => *len as usize,
                Piece::Shared(bytes) => bytes.len(),
            };
            chunk.at = arrival(bytes).max(last.unwrap_or(Time::ZERO));
            last = Some(chunk.at);
        }
        self.last_at = last.unwrap_or(Time::ZERO);
    }
}
