//! What a driver saw.

use std::net::SocketAddr;

use crate::{Closed, Conn, ConnectError};

/// A number that whoever sets a fault gives it. When the fault bites, it is recorded back in [`Fact::Bit`]:
/// so a fault that never bit is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub u32);

/// One thing a driver saw happen to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A connect of this host succeeded.
    Connected {
        /// This host's end.
        conn: Conn,
        /// The address connected to.
        to: SocketAddr,
    },
    /// A connect of this host failed.
    ConnectFailed {
        /// This host's end.
        conn: Conn,
        /// The address tried.
        to: SocketAddr,
        /// Why.
        why: ConnectError,
    },
    /// This host took a connection.
    Incoming {
        /// This host's end.
        conn: Conn,
        /// The peer.
        from: SocketAddr,
    },
    /// A connection of this host is gone, in either way, from either side. Recorded once for each `Connected`
    /// and `Incoming`, at whatever comes first: the peer's end of stream, a reset, the close of this host, its
    /// crash.
    Gone {
        /// This host's end.
        conn: Conn,
        /// How; `None` when this host itself closed it.
        how: Option<Closed>,
    },
    /// The host went down: its process is gone, its connections are reset, unsynced storage may be lost.
    Crashed,
    /// The host came back with what its disk kept.
    Restarted,
    /// A fault bit: it changed what would have happened.
    Bit(Tag),
}
