//! Bytes over connections: sent, read, closed, reset.

use std::{
    io::{self, IoSlice, Read as _, Write as _},
    net::Shutdown,
    ops::Range,
    time::Duration,
};

use bytes::Bytes;
use mio::{Interest, net::TcpStream};

use super::{
    end::{End, HIGH_WATER, Other, SLICES, Stage},
    engine::{Engine, Ready, Soon, What},
    sockets,
    timers::Due,
};
use crate::{Closed, Conn, Fact, HostId, Time};

/// How long a foreign peer may leave its side open after we closed ours: Linux's `tcp_fin_timeout`.
const LINGER: Duration = Duration::from_secs(60);

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

    /// Ends our side of a connection after what was sent.
    pub(super) fn close(&mut self, now: Time, conn: Conn) {
        if self.connects.contains_key(&conn) {
            return self.forget_connect(conn);
        }
        let Some(key) = self.keys.get(&conn).copied() else { return };
        let Some(end) = self.ends.get_mut(key).filter(|end| end.is_known()) else { return };
        end.stage = Stage::Closing;
        if let End { host, eof: false, .. } = *end {
            self.record(host, Fact::Gone { conn, how: None });
        }
        self.close_over_link(now, key);
        self.hold_or_let_go(key);
        self.finish(key);
    }

    /// Sends FIN once a closed end has nothing more to send, and drops it once nothing more can come.
    pub(super) fn finish(&mut self, key: usize) {
        let Some(end) = self.ends.get(key) else { return };
        match end.stage {
            Stage::Closing if end.broken => self.drop_end(key),
            Stage::Closing if end.is_flushed() && end.eof && end.other != Other::Stranger => {
                // The other process has closed before, so nobody misses anything; and a reset leaves no
                // TIME_WAIT behind, of which tens of thousands would make every bind search for a port.
                sockets::abort(&end.stream);
                self.tell_other(key, Closed::Reset);
                self.drop_end(key);
            }
            Stage::Closing if end.is_flushed() && end.has_unread() => self.linger(key),
            Stage::Closing if end.is_flushed() => {
                self.tell_other(key, Closed::Eof);
                self.drop_end(key);
            }
            Stage::Lingering if end.eof => self.drop_end(key),
            _ => {}
        }
    }

    /// Closes our side only. With something unread the kernel would answer a whole close with a reset, which
    /// could destroy at the peer what we sent last.
    fn linger(&mut self, key: usize) {
        let Some(end) = self.ends.get_mut(key) else { return };
        end.stage = Stage::Lingering;
        if end.stream.shutdown(Shutdown::Write).is_err() {
            return self.drop_end(key);
        }
        if end.other == Other::Stranger {
            let conn = end.conn;
            self.flight.movement();
            self.timers.arm(self.clock.now() + LINGER, Due::Linger(conn));
        }
        self.ready.push_back(Ready { what: What::End(key), writable: false, ending: true });
        self.tell_other(key, Closed::Eof);
    }

    /// A foreign peer has left its side open for too long.
    pub(super) fn linger_over(&mut self, conn: Conn) {
        if let Some(key) = self.keys.get(&conn).copied() {
            self.abort(key);
        }
    }

    /// Breaks a connection off.
    pub(super) fn reset(&mut self, conn: Conn) {
        if self.connects.contains_key(&conn) {
            return self.forget_connect(conn);
        }
        let Some(key) = self.keys.get(&conn).copied() else { return };
        let Some(end) = self.ends.get(key).filter(|end| end.is_known()) else { return };
        if let End { host, eof: false, .. } = *end {
            self.record(host, Fact::Gone { conn, how: None });
        }
        self.abort(key);
    }

    /// Drops an end with a reset to its peer, unless no packet gets through.
    pub(super) fn abort(&mut self, key: usize) {
        let Some(end) = self.ends.get(key) else { return };
        if end.stage != Stage::Connecting && self.is_cut_off(end) {
            return self.leave(key);
        }
        sockets::abort(&end.stream);
        self.tell_other(key, Closed::Reset);
        self.drop_end(key);
    }

    /// The way has cut the connection at this end: its process, if it still cares, is told as soon as possible.
    pub(super) fn sever(&mut self, key: usize) {
        match self.ends.get(key) {
            Some(end) if end.is_known() => self.soon.push_back(Soon::Severed(end.conn)),
            Some(_) => self.abort(key),
            None => {}
        }
    }

    /// Breaks off what was severed, unless its process has been quicker. Gives the host to be told.
    pub(super) fn severed(&mut self, conn: Conn) -> Option<HostId> {
        let key = self.keys.get(&conn).copied()?;
        let end = self.ends.get(key).filter(|end| end.is_known())?;
        let (host, eof) = (end.host, end.eof);
        if !eof {
            self.record(host, Fact::Gone { conn, how: Some(Closed::Reset) });
        }
        self.abort(key);
        Some(host)
    }

    /// Resets a connection of which no process has heard.
    pub(super) fn reset_silently(&mut self, conn: Conn) {
        if let Some(key) = self.keys.get(&conn).copied() {
            self.abort(key);
        }
    }

    /// The host of this end goes down.
    pub(super) fn lose_end(&mut self, key: usize) {
        let Some(end) = self.ends.get(key) else { return };
        let (host, conn, told) = (end.host, end.conn, end.eof || end.stage != Stage::Open);
        if !told {
            self.record(host, Fact::Gone { conn, how: Some(Closed::Reset) });
        }
        self.abort(key);
    }

    /// The host whose process knows the connection.
    pub(super) fn knows(&self, conn: Conn) -> Option<HostId> {
        let end = self.ends.get(*self.keys.get(&conn)?)?;
        end.is_known().then_some(end.host)
    }

    /// Notes that the kernel has the end of the stream under way to the other end.
    fn tell_other(&mut self, key: usize, how: Closed) {
        match self.ends.get(key).map(|end| end.other) {
            Some(Other::Met(_, other)) => {
                if let Some(end) = self.ends.get_mut(other) {
                    end.inbound.end = Some(how);
                }
                self.recount(other);
            }
            Some(Other::Unmet(_, local)) => {
                if let Some(arrival) = self.arrivals.get_mut(&local) {
                    arrival.inbound.end = Some(how);
                }
            }
            _ => {}
        }
    }

    /// Forgets an end and closes its socket.
    pub(super) fn drop_end(&mut self, key: usize) {
        let Some(mut end) = self.ends.remove(key) else { return };
        self.flight.count(&mut end.counted, false);
        self.keys.remove(&end.conn);
        match end.other {
            Other::Met(_, other) => {
                if let Some(other) = self.ends.get_mut(other) {
                    other.other = Other::Gone(end.host);
                }
            }
            Other::Unmet(_, local) => {
                if let Some(arrival) = self.arrivals.get_mut(&local) {
                    arrival.opener = None;
                }
            }
            Other::Gone(_) => {}
            Other::Stranger => self.flight.stranger_left(),
        }
        drop(end); // its descriptor is free before anybody is accepted in its place
        self.accept_again();
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
