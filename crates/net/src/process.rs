//! The contract between a machine and whatever moves it.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use crate::Time;

/// A host of the world, numbered in the order in which hosts were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u16);

/// One end of a connection. The two ends of a connection have different numbers; no number is used twice in a
/// world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Conn(pub u64);

/// A file of a host's disk that is only appended to, synced and removed. The process chooses the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Segment(pub u64);

/// Names a sync, chosen by the process, so that [`Event::Synced`] can be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// A machine: everything that decides. It has no clock, no socket and no source of chance of its own.
///
/// A driver hands in the time and what happened, and carries out the commands in the order they were given.
/// `F` is the fact that the world records; a machine asks only that its own facts convert into it.
pub trait Process<F>: Send {
    /// Handles one event at `now`. Time never goes back between two calls.
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<F>);
}

impl<F, P: Process<F> + ?Sized> Process<F> for Box<P> {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<F>) {
        (**self).handle(now, event, out);
    }
}

/// What can happen to a process.
#[derive(Debug)]
pub enum Event<'a> {
    /// The world begins, with an empty disk. The first event, unless it is `Restart`.
    Start,
    /// The host comes back: only what the disk kept is left. The first event of a rebuilt process.
    Restart(&'a [Kept]),
    /// The deadline of the last [`Commands::wake_at`] has come. It is disarmed now.
    Timer,
    /// A peer connected to an address this process listens on.
    Incoming {
        /// Our end.
        conn: Conn,
        /// The address that was connected to.
        local: SocketAddr,
        /// Who connects.
        peer: SocketAddr,
    },
    /// A connect of ours succeeded.
    Connected(Conn),
    /// A connect of ours failed; the number is dead.
    ConnectFailed(Conn, ConnectError),
    /// Bytes came in, cut wherever the network cut them.
    Bytes(Conn, &'a [u8]),
    /// Output that had exceeded 64 KiB has drained: reading and writing may go on.
    Sent(Conn),
    /// The peer ended the stream; after `Reset` the number is dead, after `Eof` our side is still to be closed.
    Closed(Conn, Closed),
    /// A datagram came in.
    Datagram {
        /// The sender of the datagram.
        from: SocketAddr,
        /// The address of ours that it was sent to.
        to: SocketAddr,
        /// Its contents.
        bytes: &'a [u8],
    },
    /// Everything appended before this sync is on stable storage.
    Synced(Token),
    /// An append since the last sync, or the sync itself, failed: nothing appended since that sync can be
    /// relied upon, and the segment has been cut back to what was synced before.
    StoreFailed(Token, StoreError),
}

/// Why a connect failed. The kernel's answers, kept apart to the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectError {
    /// The host answered with a reset: nothing listens there.
    Refused,
    /// No answer within the kernel's patience (about 134 s on Linux).
    TimedOut,
    /// The network has no way to that address.
    Unreachable,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Closed {
    /// The peer closed its side in good order (FIN).
    Eof,
    /// The connection was reset; bytes under way are gone.
    Reset,
}

/// Why storage failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StoreError {
    /// No space left.
    Full,
    /// The device failed.
    Io,
}

/// A segment as a restarted process finds it: everything synced, and perhaps a torn part of what was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which segment.
    pub segment: Segment,
    /// Its contents.
    pub bytes: Bytes,
}

/// One thing a process asks of its driver.
#[derive(Debug)]
pub enum Command<F> {
    /// Accept connections and datagrams on this address.
    Listen(SocketAddr),
    /// Open a connection; answered by `Connected` or `ConnectFailed`.
    Connect {
        /// The number that the connection will have.
        conn: Conn,
        /// The source address.
        from: IpAddr,
        /// The destination.
        to: SocketAddr,
    },
    /// Send a range of [`Commands::text`].
    Send(Conn, std::ops::Range<u32>),
    /// Send shared bytes, without a copy.
    SendShared(Conn, Bytes),
    /// End our side after what was sent (FIN). The number is dead for the process: no event follows.
    Close(Conn),
    /// Break the connection off. The number is dead.
    Reset(Conn),
    /// Send a datagram.
    Datagram {
        /// The address to send from, one this process listens on.
        from: SocketAddr,
        /// The destination.
        to: SocketAddr,
        /// The contents.
        bytes: Bytes,
    },
    /// Append slices to a segment, creating it if need be.
    Append(Segment, Vec<Bytes>),
    /// Make everything appended so far stable; answered by `Synced` or `StoreFailed`.
    Sync(Token),
    /// Delete a segment.
    Remove(Segment),
    /// Record a fact.
    Record(F),
}

/// Where a process writes what it wants done. Drivers carry the commands out in order.
#[derive(Debug)]
pub struct Commands<F> {
    list: Vec<Command<F>>,
    text: Vec<u8>,
    wake: Option<Option<Time>>,
    next_conn: u64,
}

impl<F> Default for Commands<F> {
    fn default() -> Self {
        Commands { list: Vec::new(), text: Vec::new(), wake: None, next_conn: 1 }
    }
}

impl<F> Commands<F> {
    /// Listens for connections and datagrams.
    pub fn listen(&mut self, at: SocketAddr) {
        self.list.push(Command::Listen(at));
    }

    /// Opens a connection and returns the number it will have.
    pub fn connect(&mut self, from: IpAddr, to: SocketAddr) -> Conn {
        let conn = self.new_conn();
        self.list.push(Command::Connect { conn, from, to });
        conn
    }

    /// Sends a copy of `bytes`. Neighbouring sends to one connection become one write.
    pub fn send(&mut self, conn: Conn, bytes: &[u8]) {
        let start = self.text.len() as u32;
        self.text.extend_from_slice(bytes);
        let end = self.text.len() as u32;
        if let Some(Command::Send(last, range)) = self.list.last_mut()
            && *last == conn
            && range.end == start
        {
            range.end = end;
            return;
        }
        self.list.push(Command::Send(conn, start..end));
    }

    /// Sends bytes that are shared, without copying them.
    pub fn send_shared(&mut self, conn: Conn, bytes: Bytes) {
        self.list.push(Command::SendShared(conn, bytes));
    }

    /// Ends our side of a connection after what was sent.
    pub fn close(&mut self, conn: Conn) {
        self.list.push(Command::Close(conn));
    }

    /// Breaks a connection off.
    pub fn reset(&mut self, conn: Conn) {
        self.list.push(Command::Reset(conn));
    }

    /// Sends a datagram.
    pub fn datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        self.list.push(Command::Datagram { from, to, bytes });
    }

    /// Sets the one deadline of this process, replacing the last; a process keeps its own timers.
    pub fn wake_at(&mut self, at: Time) {
        self.wake = Some(Some(at));
    }

    /// Disarms the deadline.
    pub fn wake_never(&mut self) {
        self.wake = Some(None);
    }

    /// Appends slices to a segment, in order.
    pub fn append(&mut self, segment: Segment, slices: Vec<Bytes>) {
        self.list.push(Command::Append(segment, slices));
    }

    /// Asks for everything appended so far to be made stable.
    pub fn sync(&mut self, token: Token) {
        self.list.push(Command::Sync(token));
    }

    /// Deletes a segment.
    pub fn remove(&mut self, segment: Segment) {
        self.list.push(Command::Remove(segment));
    }

    /// Records a fact.
    pub fn record(&mut self, fact: impl Into<F>) {
        self.list.push(Command::Record(fact.into()));
    }

    /// For drivers: a fresh connection number, never used before in this world.
    pub fn new_conn(&mut self) -> Conn {
        let conn = Conn(self.next_conn);
        self.next_conn += 1;
        conn
    }

    /// For drivers and for wrappers around a process: takes the commands out. [`Command::Send`] ranges refer
    /// to [`Commands::text`] until [`Commands::clear`].
    pub fn take(&mut self) -> Vec<Command<F>> {
        std::mem::take(&mut self.list)
    }

    /// For wrappers: puts a command back.
    pub fn push(&mut self, command: Command<F>) {
        self.list.push(command);
    }

    /// The copied bytes that [`Command::Send`] ranges refer to.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// For drivers: the new deadline, if one was set: `Some(None)` disarms.
    pub fn take_wake(&mut self) -> Option<Option<Time>> {
        self.wake.take()
    }

    /// For drivers: makes ready for the next event, handing back the emptied list of [`Commands::take`] so
    /// that its memory is used again.
    pub fn clear(&mut self, mut spent: Vec<Command<F>>) {
        spent.clear();
        self.list = spent;
        self.text.clear();
    }
}
