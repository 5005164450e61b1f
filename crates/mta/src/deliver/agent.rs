//! A delivery agent: one attempt at a time, one session at a time, for one destination.

use std::sync::Arc;

use bytes::Bytes;
use mxdrill_net::{Conn, Time};
use mxdrill_smtp::{Client, Letter, Recipient, Ret, ReversePath};

use super::Plan;
use crate::{GiveUp, Message, Target, Undelivered, queue::Picks};

/// One agent. It lives as long as its session.
#[derive(Debug)]
pub(crate) struct Agent {
    /// The destination's lane, which is also its line in the queue.
    pub(crate) lane: u32,
    pub(crate) state: State,
    /// When its attempt began.
    pub(crate) started: Time,
    pub(crate) plan: Option<Arc<Plan>>,
    /// The step after the one under way.
    pub(crate) at: usize,
    /// Sessions of this attempt that came past EHLO.
    pub(crate) sessions: u16,
    /// Messages that its session carried.
    pub(crate) carried: u32,
    /// Whom it talks to.
    pub(crate) target: Option<Arc<Target>>,
    /// The handshake came to nothing: the same host is tried in clear text.
    pub(crate) is_clear: bool,
    pub(crate) conn: Option<Conn>,
    pub(crate) client: Option<Client<Parcel>>,
    /// The message under delivery.
    pub(crate) job: Option<Job>,
    /// The message sent right behind its final dot.
    pub(crate) ahead: Option<Job>,
    /// The earliest timer that stands for it; `Time::MAX` if none does.
    pub(crate) armed: Time,
}

/// What an agent is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Waits for the route.
    Resolving,
    /// Waits before the next host.
    Pausing(Time),
    /// Waits for the connection, so long.
    Connecting(Time),
    /// In a session.
    Talking,
    /// Its session is open for the next message, so long.
    Idle(Time),
    /// Says goodbye; no longer at work.
    Leaving,
}

impl Agent {
    pub(crate) fn new(lane: u32, now: Time) -> Agent {
        Agent {
            lane,
            state: State::Resolving,
            started: now,
            plan: None,
            at: 0,
            sessions: 0,
            carried: 0,
            target: None,
            is_clear: false,
            conn: None,
            client: None,
            job: None,
            ahead: None,
            armed: Time::MAX,
        }
    }

    /// When it next wants to be woken.
    pub(crate) fn deadline(&self) -> Option<Time> {
        let own = match self.state {
            State::Pausing(at) | State::Connecting(at) | State::Idle(at) => Some(at),
            State::Resolving | State::Talking | State::Leaving => None,
        };
        let session = self.client.as_ref().and_then(Client::deadline);
        own.into_iter().chain(session).min()
    }
}

/// One message under delivery: what became of its recipients so far, but for those in the letter.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) entry: u32,
    /// When the attempt began.
    pub(crate) began: Time,
    /// The letter while it is not with a session.
    pub(crate) parcel: Option<Parcel>,
    /// Recipients to be kept for a later attempt.
    pub(crate) later: Vec<u16>,
    /// Recipients given up.
    pub(crate) lost: Vec<(GiveUp, Undelivered)>,
    /// Whether the last host failed as a host, not for this message.
    pub(crate) is_site_failure: bool,
    /// Whether a host lacked what the message needs, and none said anything else.
    pub(crate) is_lacking: bool,
}

/// A message for some of its recipients, as a session carries it.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) message: Arc<Message>,
    pub(crate) picks: Picks,
}

impl Letter for Parcel {
    fn reverse_path(&self) -> &ReversePath {
        &self.message.reverse_path
    }

    fn recipients(&self) -> usize {
        self.picks.len()
    }

    fn recipient(&self, index: usize) -> &Recipient {
        &self.message.recipients[usize::from(self.picks.as_slice()[index])]
    }

    fn header(&self) -> &Bytes {
        &self.message.header
    }

    fn body(&self) -> &Bytes {
        &self.message.body
    }

    fn eight_bit(&self) -> bool {
        self.message.eight_bit
    }

    fn utf8(&self) -> bool {
        self.message.utf8
    }

    fn envid(&self) -> Option<&str> {
        self.message.envid.as_deref()
    }

    fn ret(&self) -> Option<Ret> {
        self.message.ret_full.then_some(Ret::Full)
    }
}

/// The agents of a node, by number.
#[derive(Debug, Default)]
pub(crate) struct Agents {
    slab: Vec<Option<Agent>>,
    free: Vec<u32>,
}

impl Agents {
    pub(crate) fn add(&mut self, agent: Agent) -> u32 {
        if let Some(id) = self.free.pop() {
            self.slab[id as usize] = Some(agent);
            return id;
        }
        self.slab.push(Some(agent));
        (self.slab.len() - 1) as u32
    }

    pub(crate) fn find(&mut self, id: u32) -> Option<&mut Agent> {
        self.slab.get_mut(id as usize)?.as_mut()
    }

    /// An agent that is known to live.
    ///
    /// # Panics
    /// When it does not: a mistake of this crate.
    pub(crate) fn live(&mut self, id: u32) -> &mut Agent {
        self.find(id).expect("the agent at work lives")
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<Agent> {
        let agent = self.slab.get_mut(id as usize)?.take();
        if agent.is_some() {
            self.free.push(id);
        }
        agent
    }
}
