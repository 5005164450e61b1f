//! The node: one mail host, moved by events.

mod inbound;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, sync::Arc};

use mxdrill_net::{Closed, Commands, Conn, Event, Kept, Process, StoreError, Time};
use mxdrill_smtp::{Enhanced, Extensions, Reply, Script, Server, ServerConfig, Stage};

use crate::{
    Fact, NodeConfig, Profile, Spool, SpoolOptions,
    accept::{self, Door},
    callout::{Found, Waiting},
    core::{AnyFact, Core, Tag},
    queue::Timetable,
    spool::Stored,
    timers::Who,
};
use inbound::Inbound;

/// RFC 5321 3.1: a server that takes no more connections now says so and closes.
const TOO_MANY_SESSIONS: Reply = Reply::new(421, Enhanced(4, 7, 0), "Too many connections");

/// The port of SMTP.
const SMTP: u16 = 25;

/// A mail host: it accepts, spools, routes, delivers, retries, relays and bounces.
///
/// `S` speaks for the faults of its dialogue; the node carries it unread.
#[derive(Debug)]
pub struct Node<S> {
    core: Core,
    inbound: Inbound,
    script: S,
    armed: Option<Time>,
}

impl<S: Script> Node<S> {
    /// A node that has not started: its first event is `Start` or `Restart`.
    pub fn new(config: NodeConfig, script: S) -> Node<S> {
        Node { inbound: Inbound::new(server(&config)), core: Core::new(config), script, armed: None }
    }

    /// What it is.
    pub fn config(&self) -> &NodeConfig {
        &self.core.config
    }

    /// How it behaves.
    pub fn profile(&self) -> &Profile {
        &self.core.config.profile
    }

    /// What speaks for its faults.
    pub fn script_mut(&mut self) -> &mut S {
        &mut self.script
    }

    /// Changes how many inbound sessions it takes at once, from the next one on; `None` leaves it to the profile.
    pub fn set_sessions(&mut self, most: Option<u32>) {
        self.core.config.sessions = most;
    }

    /// Messages that are still to be served.
    pub fn queued(&self) -> usize {
        self.core.spool.len()
    }
}

impl<S: Script> Node<S> {
    /// Makes everything in the queue due now, and forgets hosts that failed (`postqueue -f`, `exim -qff`).
    pub fn flush<F: AnyFact>(&mut self, now: Time, out: &mut Commands<F>) {
        self.core.flush(out);
        self.settle(now, out);
    }

    /// Looks into the queue: records [`Fact::Holds`] for each recipient in it.
    pub fn look<F: AnyFact>(&mut self, _now: Time, out: &mut Commands<F>) {
        self.core.look(out);
    }

    fn start<F: AnyFact>(&mut self, now: Time, out: &mut Commands<F>) {
        let config = &self.core.config;
        for address in config.addresses.iter().chain(&config.nat) {
            out.listen(SocketAddr::new(*address, SMTP));
        }
        self.core.router.start(out);
        let config = &self.core.config;
        self.core.timetable = Timetable::new(&config.profile, now, config.seed, config.key);
    }

    fn restart<F: AnyFact>(&mut self, now: Time, kept: &[Kept], out: &mut Commands<F>) {
        self.start(now, out);
        let (spool, found) = Spool::recover(SpoolOptions::default(), kept, &mut self.core.intake, out);
        self.core.spool = spool;
        self.core.recover(now, found, out);
    }

    fn incoming<F: AnyFact>(&mut self, now: Time, conn: Conn, peer: SocketAddr, out: &mut Commands<F>) {
        let config = &self.core.config;
        let most = config.sessions.or(config.profile.door.sessions_max);
        if most.is_some_and(|most| self.inbound.len() >= most as usize) {
            return self.too_many(conn, peer, out);
        }
        let mut door = Door { core: &mut self.core, brought: &mut self.inbound.brought };
        let (config, script) = (self.inbound.config.clone(), &mut self.script);
        let server = Server::open(now, conn, peer.ip(), config, &mut door, script, out);
        let id = self.inbound.add(conn, server);
        self.after(id);
    }

    fn too_many<F: AnyFact>(&mut self, conn: Conn, peer: SocketAddr, out: &mut Commands<F>) {
        let mut text = Vec::new();
        TOO_MANY_SESSIONS.write(true, &mut text);
        out.send(conn, &text);
        out.close(conn);
        out.record(Fact::TurnedAway {
            peer: peer.ip(),
            stage: Stage::Greeting,
            reply: Arc::new(TOO_MANY_SESSIONS),
            recipient: None,
            key: None,
        });
    }

    /// Lets an inbound session act, with the door and the script at its side.
    fn with_server<F: AnyFact>(
        &mut self,
        id: u32,
        out: &mut Commands<F>,
        act: impl FnOnce(&mut Server, &mut Door<'_>, &mut S, &mut Commands<F>),
    ) {
        let Some((session, brought)) = self.inbound.session(id) else { return };
        let mut door = Door { core: &mut self.core, brought };
        act(&mut session.server, &mut door, &mut self.script, out);
        self.after(id);
    }

    /// Forgets an inbound session that is over; else arms its timer.
    fn after(&mut self, id: u32) {
        if let Some((session, _)) = self.inbound.session(id) {
            self.core.timers.arm(Who::Inbound(id), session.server.deadline(), &mut session.armed);
        }
        self.inbound.sweep(id);
    }

    fn bytes<F: AnyFact>(&mut self, now: Time, conn: Conn, bytes: &[u8], out: &mut Commands<F>) {
        match self.inbound.find(conn) {
            Some(id) => self.with_server(id, out, |server, door, script, out| {
                server.bytes(now, bytes, door, script, out);
            }),
            None if self.core.router.owns(conn) => self.core.router.bytes(now, conn, bytes, out),
            None if self.core.sts.owns(conn) => self.core.policy_bytes(now, conn, bytes, out),
            None if self.core.callouts.owns(conn) => {
                self.core.callouts.bytes(now, conn, bytes, &self.core.config, out);
            }
            None => self.core.heard(now, conn, bytes, out),
        }
    }

    fn closed<F: AnyFact>(&mut self, now: Time, conn: Conn, how: Closed, out: &mut Commands<F>) {
        match self.inbound.find(conn) {
            Some(id) => self.with_server(id, out, |server, _, _, out| server.closed(how, out)),
            None if self.core.router.owns(conn) => self.core.router.closed(now, conn, how, out),
            None if self.core.sts.owns(conn) => self.core.policy_closed(now, conn, how, out),
            None if self.core.callouts.owns(conn) => {
                self.core.callouts.closed(now, conn, how == Closed::Eof, out);
            }
            None => self.core.hung_up(now, conn, how, out),
        }
    }

    fn connected<F: AnyFact>(&mut self, now: Time, conn: Conn, out: &mut Commands<F>) {
        if self.core.router.owns(conn) {
            self.core.router.connected(conn, out);
        } else if self.core.sts.owns(conn) {
            self.core.policy_connected(now, conn, out);
        } else if !self.core.callouts.owns(conn) {
            self.core.connected(now, conn);
        }
    }

    fn timer<F: AnyFact>(&mut self, now: Time, out: &mut Commands<F>) {
        self.armed = None;
        while let Some((at, who)) = self.core.timers.pop(now) {
            match who {
                Who::Agent(agent) => self.core.agent_timer(now, agent, at, out),
                Who::Inbound(id) => self.server_timer(now, id, at, out),
            }
        }
        self.core.router.timer(now, out);
        self.core.policy_timer(now, out);
        self.core.callouts.timer(now, out);
        self.core.spool.timer(now, out);
        self.core.scan(now);
    }

    fn server_timer<F: AnyFact>(&mut self, now: Time, id: u32, at: Time, out: &mut Commands<F>) {
        let Some((session, _)) = self.inbound.session(id) else { return };
        if session.armed != at {
            return;
        }
        session.armed = Time::MAX;
        self.with_server(id, out, |server, door, script, out| server.timer(now, door, script, out));
    }

    /// Takes what the spool and the router have found, and puts agents to work, until nothing moves.
    fn settle<F: AnyFact>(&mut self, now: Time, out: &mut Commands<F>) {
        loop {
            if let Some(stored) = self.core.spool.poll() {
                self.stored(now, stored, out);
            } else if let Some((ticket, route)) = self.core.router.poll() {
                if let Some(agent) = self.core.resolving.remove(&ticket) {
                    self.core.routed(now, agent, route, out);
                } else {
                    self.core.callouts.routed(now, ticket, &route, &self.core.config, out);
                }
            } else if let Some((waiting, found)) = self.core.callouts.poll() {
                self.verified(now, waiting, found, out);
            } else if let Some(lane) = self.core.dirty.pop() {
                self.core.pump(now, lane, out);
            } else {
                break;
            }
        }
        self.wake(out);
    }

    /// A store has come back: the client hears of it in the same breath (RFC 5321 4.2.5).
    fn stored<F: AnyFact>(&mut self, now: Time, stored: Stored<Tag>, out: &mut Commands<F>) {
        let Stored { tag, message, result } = stored;
        match (tag, result) {
            (Tag::Inbound { conn, peer, is_immediate }, Ok(())) => {
                out.record(Fact::Accepted { message: message.clone(), conn, peer });
                self.resume(now, conn, accept::QUEUED, out);
                self.core.stored(now, &message, is_immediate, out);
            }
            (Tag::Inbound { conn, peer, .. }, Err(why)) => {
                let reply = if why == StoreError::Full { accept::NO_SPACE } else { accept::DISK_FAILED };
                out.record(Fact::TurnedAway {
                    peer,
                    stage: Stage::Dot,
                    reply: Arc::new(reply.clone()),
                    recipient: None,
                    key: Some(message.key),
                });
                self.resume(now, conn, reply, out);
            }
            (Tag::Bounce { entry }, Ok(())) => self.core.bounced(now, entry, &message, out),
            (Tag::Bounce { entry }, Err(_)) => self.core.not_bounced(now, entry),
            (Tag::Warning { about }, Ok(())) => self.core.warned(now, about, &message, out),
            // a warning that cannot be stored is not worth another try
            (Tag::Warning { .. }, Err(_)) => {}
        }
    }

    /// A callout has come back: the session that asked goes on.
    fn verified<F: AnyFact>(&mut self, now: Time, waiting: Waiting, found: Found, out: &mut Commands<F>) {
        let reply = accept::verdict(found, self.core.config.verify).unwrap_or(accept::RECIPIENT_OK);
        if reply.code.number() >= 400 {
            out.record(Fact::TurnedAway {
                peer: waiting.peer,
                stage: Stage::Rcpt,
                reply: Arc::new(reply.clone()),
                recipient: Some(waiting.address),
                key: None,
            });
        }
        self.resume(now, waiting.conn, reply, out);
    }

    fn resume<F: AnyFact>(&mut self, now: Time, conn: Conn, reply: Reply, out: &mut Commands<F>) {
        if let Some(id) = self.inbound.find(conn) {
            self.with_server(id, out, |server, door, script, out| {
                server.resume(now, reply, door, script, out);
            });
        }
    }

    /// Arms the one deadline of this process, if it has changed.
    fn wake<F>(&mut self, out: &mut Commands<F>) {
        let core = &self.core;
        let deadlines = [
            core.timers.deadline(),
            core.router.deadline(),
            core.sts.deadline(),
            core.callouts.deadline(),
            core.spool.deadline(),
            core.queue.deadline(),
        ];
        let next = deadlines.into_iter().flatten().min();
        if next == self.armed {
            return;
        }
        self.armed = next;
        match next {
            Some(at) => out.wake_at(at),
            None => out.wake_never(),
        }
    }
}

/// How the server is set up.
fn server(config: &NodeConfig) -> ServerConfig {
    let door = &config.profile.door;
    let starttls = config.certificate.is_some() || door.extensions.starttls;
    ServerConfig {
        extensions: Extensions { starttls, ..door.extensions },
        tls: config.certificate.clone(),
        recipients_max: door.recipients_max,
        idle: door.idle,
        ..ServerConfig::new(config.name.clone())
    }
}

impl<F, S> Process<F> for Node<S>
where
    F: From<mxdrill_net::Fact> + From<mxdrill_dns::Fact> + From<Fact>,
    S: Script,
{
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<F>) {
        match event {
            Event::Start => self.start(now, out),
            Event::Restart(kept) => self.restart(now, kept, out),
            Event::Timer => self.timer(now, out),
            Event::Incoming { conn, peer, .. } => self.incoming(now, conn, peer, out),
            Event::Connected(conn) => self.connected(now, conn, out),
            Event::ConnectFailed(conn, _) if self.core.sts.owns(conn) => {
                self.core.policy_unreachable(now, conn, out);
            }
            Event::ConnectFailed(conn, _) if self.core.callouts.owns(conn) => {
                self.core.callouts.closed(now, conn, false, out);
            }
            Event::ConnectFailed(conn, why) if !self.core.router.owns(conn) => {
                self.core.connect_failed(now, conn, why, out);
            }
            Event::ConnectFailed(conn, _) => self.core.router.connect_failed(now, conn, out),
            Event::Bytes(conn, bytes) => self.bytes(now, conn, bytes, out),
            Event::Sent(conn) => self.core.drained(now, conn, out),
            Event::Closed(conn, how) => self.closed(now, conn, how, out),
            Event::Datagram { from, to, bytes } if to == self.core.router.local() => {
                self.core.router.datagram(now, from, bytes, out);
            }
            Event::Datagram { .. } => {}
            Event::Synced(token) => self.core.spool.synced(now, token, out),
            Event::StoreFailed(token, why) => self.core.spool.failed(now, token, why, out),
        }
        self.settle(now, out);
    }
}
