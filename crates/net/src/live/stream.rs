//! Bytes over connections: sent and read.

use std::{
    io::{self, IoSlice, Read as _, Write as _},
    ops::Range,
};

use bytes::Bytes;
use mio::{Interest, net::TcpStream};

use super::{
    end::{End, HIGH_WATER, Other, SLICES, Stage},
    engine::{Engine, Ready, Soon, What},
    sockets,
};
use crate::{Closed, Conn, Fact, HostId, Time};

/// A part of what a process sends.
#[derive(Debug)]
pub(super) enum Piece {
    /// A range of the text of its commands.
    Text(Range<u32>),
    /// Bytes to be shared.
    Shared(Bytes),
}

impl Piece {
    fn slice<'a>(&'a self, text: &'a [u8]) -> &'a [u8] {
        match self {
            Piece::Text(range) => &text[range.start as usize..range.end as usize],
            Piece::Shared(bytes) => bytes,
        }
    }

    /// What is left after the kernel took `taken` bytes, kept.
    fn keep(self, text: &[u8], taken: usize) -> Bytes {
        match self {
            Piece::Text(_) => Bytes::copy_from_slice(&self.slice(text)[taken..]),
            Piece::Shared(bytes) => bytes.slice(taken..),
        }
    }
}

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// So many bytes for the process.
    Bytes(HostId, usize),
    /// The end of the stream, for the process.
    Ended(HostId, Closed),
    /// So many bytes for nobody: the process has closed.
    Dropped(usize),
    /// Nothing for the process, and nothing more for now.
    Dry,
}

impl<F: From<Fact>> Engine<F> {
    /// Writes the pieces to the connection, as far as the kernel takes them, and keeps the rest.
    pub(super) fn write_out(&mut self, now: Time, conn: Option<Conn>, pieces: &mut Vec<Piece>, text: &[u8]) {
        let Some(key) = conn.and_then(|conn| self.keys.get(&conn)).copied() else { return pieces.clear() };
        let Some(end) = self.ends.get_mut(key) else { return pieces.clear() };
        if self.links.governs(end) {
            return self.send_over_link(now, key, pieces.drain(..).map(|piece| piece.keep(text, 0)));
        }
        let size: usize = pieces.iter().map(|piece| piece.slice(text).len()).sum();
        end.held |= end.unsent() + size > HIGH_WATER; // even if the kernel has room: `Sent` is promised
        let mut taken = 0;
        if end.is_clear() && pieces.len() <= SLICES {
            let mut slices = [IoSlice::new(&[]); SLICES];
            for (slice, piece) in slices.iter_mut().zip(pieces.iter()) {
                *slice = IoSlice::new(piece.slice(text));
            }
            taken = write(end, |mut stream| stream.write_vectored(&slices[..pieces.len()]));
        }
        let mut skip = taken;
        for piece in pieces.drain(..) {
            let len = piece.slice(text).len();
            if skip < len {
                end.out.push(piece.keep(text, skip));
            }
            skip = skip.saturating_sub(len);
        }
        self.wrote(key, taken);
        self.flush(key);
    }

    /// Gives the kernel what it takes of the queued output.
    pub(super) fn flush(&mut self, key: usize) {
        let Some(end) = self.ends.get_mut(key) else { return };
        if end.stage == Stage::Connecting {
            return;
        }
        let mut taken = 0;
        while !end.out.is_empty() {
            let mut out = std::mem::take(&mut end.out);
            let count = write(end, |stream| out.write_to(stream));
            end.out = out;
            taken += count;
            if end.broken {
                end.out.clear();
            } else if count == 0 {
                break;
            }
        }
        self.wrote(key, taken);
        self.watch_room(key);
        self.hold_or_let_go(key);
        self.cut_if_sent(key);
        self.finish(key);
    }

    /// Accounts for bytes given to the kernel.
    fn wrote(&mut self, key: usize, bytes: usize) {
        let Some(end) = self.ends.get_mut(key) else { return };
        if end.broken {
            // What came in before the break is still to be read; the poll has told of it, or never will.
            self.ready.push_back(Ready { what: What::End(key), writable: false, ending: true });
        }
        if bytes == 0 {
            return;
        }
        match end.other {
            Other::Met(_, other) => {
                if let Some(other) = self.ends.get_mut(other) {
                    other.inbound.bytes += bytes as u64;
                }
                self.recount(other);
            }
            Other::Unmet(_, local) => {
                if let Some(arrival) = self.arrivals.get_mut(&local) {
                    arrival.inbound.bytes += bytes as u64;
                }
            }
            Other::Gone(_) => {
                end.inbound.end = Some(Closed::Reset); // the kernel's answer to bytes for nobody
                self.recount(key);
            }
            Other::Stranger => self.flight.movement(), // it may answer
        }
    }

    /// Has the poll tell of room in a socket that is full.
    fn watch_room(&mut self, key: usize) {
        let Some(end) = self.ends.get_mut(key) else { return };
        if end.out.is_empty() || end.watches_write {
            return;
        }
        let both = Interest::READABLE | Interest::WRITABLE;
        match self.registry.reregister(&mut end.stream, What::End(key).token(), both) {
            Ok(()) => end.watches_write = true,
            Err(error) => tracing::error!(%error, "a socket cannot be watched"),
        }
    }

    /// Stops reading a connection whose output does not drain, and goes on once it has.
    pub(super) fn hold_or_let_go(&mut self, key: usize) {
        let Some(end) = self.ends.get_mut(key) else { return };
        let unsent = end.unsent();
        if !end.held && unsent > HIGH_WATER && end.stage == Stage::Open {
            end.held = true;
        } else if end.held && (unsent == 0 || end.stage != Stage::Open) {
            end.held = false;
            if end.stage == Stage::Open {
                self.soon.push_back(Soon::Sent(end.conn));
            }
            self.ready.push_back(Ready { what: What::End(key), writable: false, ending: true });
        }
        self.recount(key);
    }

    /// Brings the account of what is under way to an end up to date.
    pub(super) fn recount(&mut self, key: usize) {
        if let Some(end) = self.ends.get_mut(key) {
            let moving = end.is_moving();
            self.flight.count(&mut end.counted, moving);
        }
    }

    /// Reads once from a connection.
    pub(super) fn read(&mut self, key: usize, conn: Conn, buffer: &mut [u8]) -> Read {
        loop {
            let Some(end) = self.ends.get_mut(key).filter(|end| end.conn == conn) else { return Read::Dry };
            if end.held || end.stage == Stage::Connecting {
                return Read::Dry;
            }
            match end.stream.read(buffer) {
                Ok(0) => return self.saw_end(key, Closed::Eof),
                Ok(count) => {
                    end.inbound.bytes = end.inbound.bytes.saturating_sub(count as u64);
                    end.drained = count < buffer.len();
                    if self.acknowledges && matches!(end.other, Other::Stranger) {
                        sockets::acknowledge(&end.stream);
                    }
                    let (host, known) = (end.host, end.is_known());
                    self.recount(key);
                    self.cut_if_read(key);
                    return if known { Read::Bytes(host, count) } else { Read::Dropped(count) };
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    end.drained = true;
                    return if end.broken { self.saw_end(key, Closed::Reset) } else { Read::Dry };
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return self.saw_end(key, Closed::Reset),
            }
        }
    }

    /// The stream is at its end, or broken.
    fn saw_end(&mut self, key: usize, how: Closed) -> Read {
        let Some(end) = self.ends.get_mut(key) else { return Read::Dry };
        let how = if end.broken { Closed::Reset } else { how };
        let (host, conn, known, again) = (end.host, end.conn, end.is_known(), end.eof);
        end.eof = true;
        if how == Closed::Eof {
            end.inbound = Default::default();
            self.recount(key);
            if !known {
                self.finish(key);
            }
        } else {
            self.drop_end(key);
        }
        if !known || (again && how == Closed::Eof) {
            return Read::Dry;
        }
        if !again {
            self.record(host, Fact::Gone { conn, how: Some(how) });
        }
        Read::Ended(host, how)
    }
}

/// One write; an error other than "full" breaks the connection.
fn write(end: &mut End, mut write: impl FnMut(&TcpStream) -> io::Result<usize>) -> usize {
    loop {
        match write(&end.stream) {
            Ok(count) => return count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return 0,
            Err(_) => {
                end.broken = true;
                return 0;
            }
        }
    }
}
