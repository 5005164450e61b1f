//! What sessions say: events of connections in, results of the client machine out.

use std::sync::Arc;

use mxdrill_net::{Closed, Commands, Conn, ConnectError, Time};
use mxdrill_smtp::{Client, Failure, Stage, Step};

use super::{Parcel, State};
use crate::{
    Fact, Skip,
    core::{AnyFact, Core},
    profile::Lacking,
    seven_bit,
    timers::Who,
};

impl Core {
    /// A connect succeeded.
    pub(crate) fn connected(&mut self, now: Time, conn: Conn) {
        let Some(agent) = self.conns.get(&conn).copied() else { return };
        let demand = self.demand(agent);
        let Some(agent_) = self.agents.find(agent) else { return };
        agent_.state = State::Talking;
        let client = Client::open(now, conn, self.client.clone());
        agent_.client = Some(match demand {
            None => client,
            Some((demand, server)) => client.demanding(demand, server),
        });
        self.arm_agent(agent);
    }

    /// A connect failed.
    pub(crate) fn connect_failed<F: AnyFact>(
        &mut self,
        now: Time,
        conn: Conn,
        why: ConnectError,
        out: &mut Commands<F>,
    ) {
        let Some(agent) = self.conns.remove(&conn) else { return };
        self.failed(now, agent, Stage::Connect, Failure::Connect(why), out);
    }

    /// Bytes came from a server.
    pub(crate) fn heard<F: AnyFact>(&mut self, now: Time, conn: Conn, bytes: &[u8], out: &mut Commands<F>) {
        self.with_client(now, conn, out, |client, out| client.bytes(now, bytes, out));
    }

    /// Output to a server has drained.
    pub(crate) fn drained<F: AnyFact>(&mut self, now: Time, conn: Conn, out: &mut Commands<F>) {
        self.with_client(now, conn, out, |client, out| client.drained(now, out));
    }

    /// A server ended the stream.
    pub(crate) fn hung_up<F: AnyFact>(&mut self, now: Time, conn: Conn, how: Closed, out: &mut Commands<F>) {
        self.with_client(now, conn, out, |client, out| client.closed(how, out));
    }

    fn with_client<F: AnyFact>(
        &mut self,
        now: Time,
        conn: Conn,
        out: &mut Commands<F>,
        act: impl FnOnce(&mut Client<Parcel>, &mut Commands<F>),
    ) {
        let Some(agent) = self.conns.get(&conn).copied() else { return };
        let Some(client) = self.agents.find(agent).and_then(|agent| agent.client.as_mut()) else { return };
        act(client, out);
        self.follow(now, agent, out);
    }

    /// A timer of an agent has come, perhaps too early.
    pub(crate) fn agent_timer<F: AnyFact>(&mut self, now: Time, agent: u32, at: Time, out: &mut Commands<F>) {
        let Some(agent_) = self.agents.find(agent) else { return };
        if agent_.armed != at {
            return;
        }
        agent_.armed = Time::MAX;
        match agent_.state {
            State::Pausing(until) if until <= now => {
                if let Some(target) = agent_.target.clone() {
                    self.connect(now, agent, target, out);
                }
            }
            State::Connecting(until) if until <= now => {
                if let Some(conn) = agent_.conn {
                    self.conns.remove(&conn);
                    out.reset(conn);
                }
                self.failed(now, agent, Stage::Connect, Failure::Timeout, out);
            }
            State::Idle(until) if until <= now => self.leave(now, agent, out),
            _ => {}
        }
        if let Some(client) = self.agents.find(agent).and_then(|agent| agent.client.as_mut()) {
            client.timer(now, out);
            self.follow(now, agent, out);
        }
        self.arm_agent(agent);
    }

    /// Takes every result of an agent's session, and gives it more to do.
    fn follow<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        while let Some(step) = self.step(agent) {
            match step {
                Step::Ready => self.ready(now, agent, out),
                Step::Done(report) => self.done(now, agent, report, out),
                Step::Failed { stage, failure, report, ahead } => {
                    self.broken(now, agent, stage, failure, report, ahead, out);
                }
                Step::Closed => self.closed(now, agent, out),
            }
        }
        let Some(agent_) = self.agents.find(agent) else { return };
        let is_unfed = agent_.job.as_ref().is_none_or(|job| job.parcel.is_some());
        match agent_.state == State::Talking && is_unfed {
            true => self.feed(now, agent, out),
            false => self.feed_ahead(now, agent, out),
        }
        self.arm_agent(agent);
    }

    fn step(&mut self, agent: u32) -> Option<Step<Parcel>> {
        self.agents.find(agent)?.client.as_mut()?.poll()
    }

    /// The session stands.
    fn ready<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        let agent_ = self.agents.live(agent);
        agent_.sessions = agent_.sessions.saturating_add(1);
        agent_.note_security();
        if let Some(target) = &agent_.target {
            self.memory.succeeded(target.address);
        }
        self.feed(now, agent, out);
    }

    /// Gives an agent whose session has nothing in hand the message of its attempt, or the next of its lane;
    /// without one, the session is kept for a while or ended.
    pub(crate) fn feed<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        let agent_ = self.agents.live(agent);
        // a session that just died says so in its next result; one that is not ready yet is fed after it
        if !agent_.client.as_ref().is_some_and(Client::is_ready) {
            return;
        }
        let (lane, most) = (agent_.lane, self.config.profile.reuse.messages_max);
        if agent_.job.is_none() && agent_.carried < most {
            let job = self.take_job(now, lane, out);
            if let Some(job) = &job {
                self.record_began(lane, job.entry, out);
                self.record_open_session(agent, out);
            }
            self.agents.live(agent).job = job;
        }
        let agent_ = self.agents.live(agent);
        let parcel = agent_.job.as_mut().and_then(|job| job.parcel.take());
        match (parcel, agent_.client.as_mut()) {
            (Some(parcel), Some(client)) => {
                agent_.carried += 1;
                let lacking = self.config.profile.verdicts.lacks.eight_bit;
                client.send(now, fitted(parcel, lacking, client), out);
            }
            _ => self.rest(now, agent, out),
        }
        self.arm_agent(agent);
    }

    /// Sends the next message right behind the final dot of the last, where the session allows it.
    fn feed_ahead<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        let Some(agent_) = self.agents.find(agent) else { return };
        let is_free = agent_.state == State::Talking && agent_.job.is_some() && agent_.ahead.is_none();
        let is_ready = agent_.client.as_ref().is_some_and(Client::is_ready);
        if !is_free || !is_ready || agent_.carried >= self.config.profile.reuse.messages_max {
            return;
        }
        let lane = agent_.lane;
        let Some(mut job) = self.take_job(now, lane, out) else { return };
        self.record_open_session(agent, out);
        let agent_ = self.agents.live(agent);
        if let (Some(parcel), Some(client)) = (job.parcel.take(), agent_.client.as_mut()) {
            agent_.carried += 1;
            let lacking = self.config.profile.verdicts.lacks.eight_bit;
            client.send(now, fitted(parcel, lacking, client), out);
        }
        agent_.ahead = Some(job);
    }

    /// A message goes over a session that stands: better hosts are passed over for it.
    fn record_open_session<F: AnyFact>(&mut self, agent: u32, out: &mut Commands<F>) {
        let agent = self.agents.live(agent);
        let (Some(target), Some(plan)) = (&agent.target, &agent.plan) else { return };
        for host in plan.route.usable().take_while(|host| host.preference < target.preference) {
            out.record(Fact::Skipped {
                destination: self.queue.line(agent.lane).name.clone(),
                host: host.name.clone(),
                preference: host.preference,
                why: Skip::OpenSession,
            });
        }
    }

    /// Nothing to carry: the session stays open for a while, or ends.
    fn rest<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        let reuse = self.config.profile.reuse;
        let agent_ = self.agents.live(agent);
        if reuse.idle.is_zero() || agent_.carried >= reuse.messages_max {
            return self.leave(now, agent, out);
        }
        agent_.state = State::Idle(now + reuse.idle);
        let lane = &mut self.lanes[agent_.lane as usize];
        lane.busy -= 1;
        lane.idle.push(agent);
        let lane = agent_.lane;
        self.touch(lane);
    }

    /// Says goodbye. The agent is no longer at work, but lives until the connection is closed.
    pub(crate) fn leave<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        let Some(agent_) = self.agents.find(agent) else { return };
        let (lane, state) = (agent_.lane, std::mem::replace(&mut agent_.state, State::Leaving));
        if let Some(client) = agent_.client.as_mut() {
            client.quit(now, out);
        }
        self.off_work(lane, agent, state);
        self.arm_agent(agent);
    }

    /// Takes an agent off its lane's books.
    pub(crate) fn off_work(&mut self, lane: u32, agent: u32, state: State) {
        let lane_ = &mut self.lanes[lane as usize];
        match state {
            State::Leaving => {}
            State::Idle(_) => lane_.idle.retain(|idle| *idle != agent),
            _ => lane_.busy -= 1,
        }
        self.touch(lane);
    }

    /// The connection is closed, with nothing in the session's hand. A message that the agent was about to give
    /// it begins anew.
    fn closed<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        if self.agents.find(agent).is_some_and(|agent| agent.job.is_some()) {
            return self.broken(now, agent, Stage::Mail, Failure::Lost, None, None, out);
        }
        let Some(agent_) = self.retire(agent) else { return };
        self.off_work(agent_.lane, agent, agent_.state);
        if let Some(conn) = agent_.conn {
            self.conns.remove(&conn);
        }
    }

    /// Arms an agent's timer.
    pub(crate) fn arm_agent(&mut self, agent: u32) {
        if let Some(agent_) = self.agents.find(agent) {
            self.timers.arm(Who::Agent(agent), agent_.deadline(), &mut agent_.armed);
        }
    }
}

/// The message as this host can take it: converted, where the profile does so and the host lacks 8BITMIME. One
/// that cannot be converted stays as it is, and the client says what is lacking.
fn fitted(parcel: Parcel, lacking: Lacking, client: &Client<Parcel>) -> Parcel {
    if lacking != Lacking::Convert || !parcel.message.eight_bit || client.offers().eight_bit {
        return parcel;
    }
    match seven_bit::converted(&parcel.message) {
        Some(message) => Parcel { message: Arc::new(message), ..parcel },
        None => parcel,
    }
}

/// The same text for every recipient of a failed session.
pub(super) fn failure_text(failure: &Failure, stage: Stage) -> Arc<str> {
    match failure {
        Failure::Connect(ConnectError::Refused) => "connection refused".into(),
        Failure::Connect(ConnectError::TimedOut) => "connection timed out".into(),
        Failure::Connect(ConnectError::Unreachable) => "no route to the host".into(),
        Failure::Timeout => format!("timed out at {stage}").into(),
        Failure::Lost => format!("lost connection at {stage}").into(),
        Failure::Garbled => format!("the host does not speak SMTP (at {stage})").into(),
        Failure::Reply(reply) => reply.to_string().into(),
        Failure::Tls(why) => why.to_string().into(),
    }
}
