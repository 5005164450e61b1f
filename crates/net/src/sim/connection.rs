//! A connection: two sides, and the pipe that each sends into.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::{pipe::Pipe, queue::Side};
use crate::{Conn, Time};

/// Both sides, and what the handshake needs.
#[derive(Debug)]
pub(super) struct Connection {
    sides: [End; 2],
    /// The opener's address.
    pub(super) from: SocketAddr,
    /// The acceptor's address.
    pub(super) to: SocketAddr,
    /// When the connect began.
    pub(super) began: Time,
    /// SYNs lost so far.
    pub(super) tries: u32,
}

/// One side of a connection.
#[derive(Debug)]
pub(super) struct End {
    pub(super) host: u16,
    pub(super) conn: Conn,
    pub(super) state: State,
    /// `Fact::Gone` has been recorded.
    pub(super) gone: bool,
    /// What this side sends.
    pub(super) out: Pipe,
}

/// How far a side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The opener waits for an answer.
    Connecting,
    /// The acceptor has not heard of it.
    Unasked,
    /// The acceptor's kernel has answered, its process has not been told.
    Answered,
    /// The process holds the number.
    Open,
    /// The number is dead: closed by the process, reset, failed, or the host is down.
    Done,
}

impl Default for Connection {
    fn default() -> Self {
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let end = || End { host: 0, conn: Conn(0), state: State::Done, gone: false, out: Pipe::default() };
        Connection { sides: [end(), end()], from: nowhere, to: nowhere, began: Time::ZERO, tries: 0 }
    }
}

impl Connection {
    pub(super) fn end(&self, side: Side) -> &End {
        &self.sides[side as usize]
    }

    pub(super) fn end_mut(&mut self, side: Side) -> &mut End {
        &mut self.sides[side as usize]
    }

    /// This side and the other.
    pub(super) fn both_mut(&mut self, side: Side) -> (&mut End, &mut End) {
        let [opener, acceptor] = &mut self.sides;
        match side {
            Side::Opener => (opener, acceptor),
            Side::Acceptor => (acceptor, opener),
        }
    }

    /// Whether no process and no kernel has any use for it.
    pub(super) fn is_over(&self) -> bool {
        self.sides.iter().all(|end| end.state == State::Done)
    }
}
