//! How a fault speaks in the dialogue: at each stage it may say something else than the server would.

use std::{net::IpAddr, time::Duration};

use mxdrill_net::{Conn, Tag, Time};

use crate::{Address, Reply, ReversePath, Stage, tls::Flaw};

/// What a fault may look at.
#[derive(Clone, Copy, Debug)]
pub struct SessionView<'a> {
    /// The session.
    pub conn: Conn,
    /// The client's address.
    pub peer: IpAddr,
    /// The reverse-path, from MAIL on.
    pub from: Option<&'a ReversePath>,
    /// The recipient: at RCPT the one asked for, later the first accepted one.
    pub recipient: Option<&'a Address>,
    /// Octets of the message: at MAIL as announced by SIZE (0 if not), at the dot as received.
    pub size: u64,
}

/// What happens instead of, or around, the server's own reply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The faults that bit; recorded as [`mxdrill_net::Fact::Bit`].
    pub bit: Vec<Tag>,
    /// Wait so long before replying.
    pub delay: Duration,
    /// Send the reply at so many bytes a second.
    pub tarpit: Option<u32>,
    /// What is said.
    pub then: Then,
}

impl Effect {
    /// Whether the server goes on as if there were no script.
    #[inline]
    pub fn is_pass(&self) -> bool {
        matches!(self.then, Then::Pass) && self.delay.is_zero() && self.tarpit.is_none()
    }
}

/// What is said at the end of an [`Effect`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Then {
    /// The server's own reply.
    #[default]
    Pass,
    /// This reply, and the server acts as if it had decided so itself. 421 also closes the session.
    Reply(Reply),
    /// The connection is reset before the server does anything (at the dot: before it stores).
    Drop,
    /// The server does its work (at the dot: stores), then the connection is reset instead of the reply.
    DropBeforeReply,
    /// The connection is closed right after the reply (in good order: a reset could overtake it).
    DropAfterReply,
    /// At EHLO: the server's own reply, without STARTTLS in it.
    Strip,
    /// At STARTTLS: the server's own reply, then a certificate with this flaw.
    Show(Flaw),
    /// Never a reply; the session stays open until the client leaves.
    Silence,
}

/// A script speaks at any stage. It is carried unread by the server and the node.
pub trait Script: Send {
    /// What happens at this stage of this session.
    fn at(&mut self, now: Time, stage: Stage, session: &SessionView<'_>) -> Effect;
}

/// The script that never says anything.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pass;

impl Script for Pass {
    fn at(&mut self, _now: Time, _stage: Stage, _session: &SessionView<'_>) -> Effect {
        Effect::default()
    }
}

impl Script for Box<dyn Script> {
    fn at(&mut self, now: Time, stage: Stage, session: &SessionView<'_>) -> Effect {
        (**self).at(now, stage, session)
    }
}
