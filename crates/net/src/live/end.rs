//! One end of a connection: its socket, what waits to be sent, what is under way to it.

use std::{
    collections::VecDeque,
    io::{self, IoSlice, Write},
    net::SocketAddr,
};

use bytes::{Buf, Bytes};
use mio::net::TcpStream;

use super::link::Flow;
use crate::{Closed, Conn, HostId};

/// Unsent output beyond this stops the reading of a connection.
pub(super) const HIGH_WATER: usize = 64 * 1024;
/// Slices given to the kernel in one write.
pub(super) const SLICES: usize = 16;

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// A host of the world that has not accepted yet; the arrival is kept under our real address.
    Unmet(HostId, SocketAddr),
    /// A host of the world, and where its end is kept.
    Met(HostId, usize),
    /// A host of the world that has dropped its end.
    Gone(HostId),
    /// Somebody outside the driver.
    Stranger,
}

impl Other {
    pub(super) fn host(self) -> Option<HostId> {
        match self {
            Other::Unmet(host, _) | Other::Met(host, _) | Other::Gone(host) => Some(host),
            Other::Stranger => None,
        }
    }
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The kernel is connecting.
    Connecting,
    /// Both sides may talk.
    Open,
    /// The process has closed it: what is queued is sent, then FIN, and what comes in is dropped.
    Closing,
    /// Our FIN is out; the peer's is awaited.
    Lingering,
}

/// What the other end has sent and this one has not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Inbound {
    pub(super) bytes: u64,
    pub(super) end: Option<Closed>,
}

/// One end of a connection.
#[derive(Debug)]
pub(super) struct End {
    pub(super) conn: Conn,
    pub(super) host: HostId,
    pub(super) stream: TcpStream,
    pub(super) other: Other,
    pub(super) stage: Stage,
    pub(super) out: Outbox,
    pub(super) flow: Option<Box<Flow>>,
    pub(super) inbound: Inbound,
    /// Reading has stopped until our output has drained.
    pub(super) held: bool,
    /// The peer's FIN has been read.
    pub(super) eof: bool,
    /// A write failed: what was received before is still to be read, then it is over.
    pub(super) broken: bool,
    /// The last read found less than it could have taken.
    pub(super) drained: bool,
    /// The poll tells of room to write.
    pub(super) watches_write: bool,
    /// A link cuts the connection once all of our output is in the kernel.
    pub(super) cutting: bool,
    /// A link cuts the connection once everything under way to this end is read.
    pub(super) cut: bool,
    /// Counted as under way.
    pub(super) counted: bool,
}

impl End {
    pub(super) fn new(conn: Conn, host: HostId, stream: TcpStream, other: Other, stage: Stage) -> End {
        End {
            conn,
            host,
            stream,
            other,
            stage,
            out: Outbox::default(),
            flow: None,
            inbound: Inbound::default(),
            held: false,
            eof: false,
            broken: false,
            drained: true,
            watches_write: stage == Stage::Connecting,
            cutting: false,
            cut: false,
            counted: false,
        }
    }

    /// Whether the kernel has something for this end that it will take.
    pub(super) fn is_moving(&self) -> bool {
        let due = self.inbound.bytes > 0 || self.inbound.end.is_some() || self.cut;
        self.stage == Stage::Connecting || (due && !self.held)
    }

    /// Whether the process still knows this connection.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.stage, Stage::Connecting | Stage::Open)
    }

    /// Output that the kernel has not taken, bytes that a link holds back included.
    pub(super) fn unsent(&self) -> usize {
        self.out.len() + self.flow.as_ref().map_or(0, |flow| flow.bytes())
    }

    /// Whether nothing waits to be sent, not even the end of the stream.
    pub(super) fn is_flushed(&self) -> bool {
        self.out.is_empty() && self.flow.as_ref().is_none_or(|flow| flow.is_empty())
    }

    /// Whether the kernel may hold bytes for this end that nobody has read.
    pub(super) fn has_unread(&self) -> bool {
        match self.other {
            _ if self.eof => false,
            Other::Stranger => !self.drained,
            _ => self.inbound.bytes > 0,
        }
    }

    /// Whether a write may go to the kernel at once, because nothing waits before it.
    pub(super) fn is_clear(&self) -> bool {
        self.stage == Stage::Open && self.out.is_empty() && self.flow.is_none() && !self.broken
    }
}

/// Output that the kernel has not taken yet.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Bytes>,
    size: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.size += bytes.len();
            self.queue.push_back(bytes);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.size
    }

    pub(super) fn is_empty(&self) -> bool {
        self.size == 0
    }

    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.size = 0;
    }

    /// Gives the kernel what it takes in one write.
    pub(super) fn write_to(&mut self, mut to: impl Write) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = self.queue.len().min(SLICES);
        for (slice, bytes) in slices.iter_mut().zip(&self.queue) {
            *slice = IoSlice::new(bytes);
        }
        let written = to.write_vectored(&slices[..count])?;
        self.advance(written);
        Ok(written)
    }

    fn advance(&mut self, mut written: usize) {
        self.size -= written;
        while let Some(first) = self.queue.front_mut() {
            if first.len() > written {
                first.advance(written);
                return;
            }
            written -= first.len();
            self.queue.pop_front();
        }
    }
}
