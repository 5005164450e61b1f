//! Puts agents to work for a destination that has mail due.

use std::sync::Arc;

use mxdrill_net::{Commands, Time};

use super::{Agent, Job, Parcel, Plan, State};
use crate::{
    Fact, GiveUp, Route, Skip,
    core::{AnyFact, Core},
    queue::{Cause, PutOff},
    route::Resolved,
};

impl Core {
    /// Gives a lane's ready mail to as many agents as are allowed.
    pub(crate) fn pump<F: AnyFact>(&mut self, now: Time, lane: u32, out: &mut Commands<F>) {
        self.lanes[lane as usize].is_dirty = false;
        loop {
            let line = self.queue.line_mut(lane);
            if line.ready.is_empty() {
                line.is_run = false;
                return self.forget_lane(now, lane);
            }
            let is_run = line.is_run;
            let waiting = line.ready.len();
            let lane_ = &mut self.lanes[lane as usize];
            if lane_.is_dead(now) {
                let counts = self.config.profile.concurrency.dead.is_some_and(|dead| dead.counts);
                return self.put_off(now, lane, Cause::Schedule, counts, out);
            }
            if lane_.busy >= lane_.allowed(&self.config.profile.concurrency, is_run) {
                return;
            }
            match lane_.idle.pop() {
                Some(agent) => self.wake(now, agent, out),
                None if lane_.unfed as usize >= waiting => return,
                None => self.begin(now, lane, out),
            }
        }
    }

    /// An idle agent takes the next message.
    fn wake<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        let agent_ = self.agents.live(agent);
        let lane = agent_.lane;
        agent_.state = State::Talking;
        agent_.started = now;
        self.lanes[lane as usize].busy += 1;
        self.feed(now, agent, out);
    }

    /// A new agent begins with the route.
    fn begin<F: AnyFact>(&mut self, now: Time, lane: u32, out: &mut Commands<F>) {
        let agent = self.hire(Agent::new(lane, now));
        self.lanes[lane as usize].unfed += 1;
        // the draw of this attempt: by the message it is likely to be for, and when
        let draw = self.queue.line(lane).ready.front().map_or(0, |entry| {
            self.queue.message(*entry).id.0 ^ u64::from(self.queue.entry(*entry).attempts).rotate_left(48)
        });
        match self.router.resolve(now, &self.queue.line(lane).name, draw, out) {
            Resolved::Now(route) => self.routed(now, agent, route, out),
            Resolved::Later(ticket) => drop(self.resolving.insert(ticket, agent)),
        }
    }

    /// The route is known; the destination's policy comes first.
    pub(crate) fn routed<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        route: Arc<Route>,
        out: &mut Commands<F>,
    ) {
        let route = match self.config.profile.tls.mta_sts {
            true => self.secure(now, agent, route, out),
            false => Some(route),
        };
        if let Some(route) = route {
            self.routed_safely(now, agent, route, out);
        }
    }

    /// The route is known, and what the destination's policy makes of it: the agent takes a message, unless every
    /// host is to be skipped for now.
    pub(crate) fn routed_safely<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        route: Arc<Route>,
        out: &mut Commands<F>,
    ) {
        let Some(agent_) = self.agents.find(agent) else { return };
        let lane = agent_.lane;
        self.lanes[lane as usize].unfed -= 1;
        let plan = self.plan(lane, route);
        if self.is_remembered(now, &plan) {
            self.dismiss(agent);
            return self.put_off_remembered(now, lane, &plan, out);
        }
        match self.take_job(now, lane, out) {
            None => self.dismiss(agent),
            Some(mut job) => {
                self.record_began(lane, job.entry, out);
                let agent_ = self.agents.live(agent);
                job.began = agent_.started;
                agent_.job = Some(job);
                agent_.plan = Some(plan.clone());
                let destination = self.queue.line(lane).name.clone();
                out.record(Fact::Routed { destination, route: plan.route.clone() });
                self.advance(now, agent, out);
            }
        }
    }

    /// The plan of a route: the last one, if the route is the same.
    fn plan(&mut self, lane: u32, route: Arc<Route>) -> Arc<Plan> {
        let lane_ = &mut self.lanes[lane as usize];
        match &lane_.plan {
            Some(plan) if Arc::ptr_eq(&plan.route, &route) => plan.clone(),
            _ => {
                let plan = Arc::new(Plan::new(route, &self.config.profile.routing));
                lane_.plan = Some(plan.clone());
                plan
            }
        }
    }

    /// Takes the next message of a lane. One whose time is over is given up instead.
    pub(crate) fn take_job<F: AnyFact>(
        &mut self,
        now: Time,
        lane: u32,
        out: &mut Commands<F>,
    ) -> Option<Job> {
        loop {
            let entry = self.queue.line_mut(lane).ready.pop_front()?;
            if self.timetable.looks_when_due()
                && self.timetable.is_over_when_due(self.queue.entry(entry), now)
            {
                self.expire(now, entry, out);
                continue;
            }
            let message = self.queue.message(entry).clone();
            let parcel = Parcel { message, picks: self.queue.entry(entry).picks.clone() };
            return Some(Job::new(entry, now, parcel));
        }
    }

    /// Records that the attempt at an agent's message begins. One that was sent ahead of its turn and is put back
    /// was none.
    pub(super) fn record_began<F: AnyFact>(&self, lane: u32, entry: u32, out: &mut Commands<F>) {
        let (message, destination) = (self.queue.message(entry).clone(), self.queue.line(lane).name.clone());
        out.record(Fact::Began { message, destination });
    }

    /// Sends an agent without a session home.
    fn dismiss(&mut self, agent: u32) {
        if let Some(agent) = self.retire(agent) {
            self.lanes[agent.lane as usize].busy -= 1;
            self.touch(agent.lane);
        }
    }

    fn is_remembered(&self, now: Time, plan: &Plan) -> bool {
        let mut tries = plan.tries(0).peekable();
        tries.peek().is_some() && tries.all(|target| self.memory.skips(now, target.address))
    }

    /// Every host of the destination failed lately: its mail waits, or is given up if they all failed for too
    /// long (Exim: "all hosts have been failing for a long time (and retry time not reached)").
    fn put_off_remembered<F: AnyFact>(&mut self, now: Time, lane: u32, plan: &Plan, out: &mut Commands<F>) {
        for target in plan.tries(0) {
            out.record(Fact::Skipped {
                destination: self.queue.line(lane).name.clone(),
                host: target.host.clone(),
                preference: target.preference,
                why: Skip::Remembered,
            });
        }
        if self.is_past_cutoff(plan) {
            let ready = std::mem::take(&mut self.queue.line_mut(lane).ready);
            return ready.into_iter().for_each(|entry| self.expire(now, entry, out));
        }
        let cause = if self.memory.has_clocks() { Cause::Hosts } else { Cause::Schedule };
        self.put_off(now, lane, cause, false, out);
    }

    /// Whether every host of a plan has been failing for longer than the last retry rule.
    pub(crate) fn is_past_cutoff(&self, plan: &Plan) -> bool {
        let expiry = self.config.profile.lifetime.expiry;
        let mut tries = plan.tries(0).peekable();
        tries.peek().is_some() && tries.all(|target| self.memory.is_past_cutoff(target.address, expiry))
    }

    /// Puts off all mail of a lane that is due, without an attempt; the schedule may count one all the same.
    fn put_off<F: AnyFact>(
        &mut self,
        now: Time,
        lane: u32,
        cause: Cause,
        counts: bool,
        out: &mut Commands<F>,
    ) {
        let PutOff { count, next, expired, warn } =
            self.queue.put_off_ready(lane, now, &self.timetable, cause, counts);
        if let Some(next) = next {
            out.record(Fact::Deferred {
                destination: self.queue.line(lane).name.clone(),
                count,
                attempted: false,
                next: Time::from_secs(next.into()),
            });
        }
        for entry in warn {
            self.warn(now, entry, out);
        }
        for entry in expired {
            self.expire(now, entry, out);
        }
    }

    /// Gives a whole entry up because its time is over.
    pub(crate) fn expire<F: AnyFact>(&mut self, now: Time, entry: u32, out: &mut Commands<F>) {
        let lost = self.expired(entry);
        self.give_up(now, entry, lost, out);
    }

    /// Every recipient of an entry, with what was heard last of its destination.
    pub(crate) fn expired(&self, entry: u32) -> Vec<(GiveUp, crate::Undelivered)> {
        let held = self.queue.entry(entry);
        let heard = self.lanes[held.line as usize].heard.as_ref();
        held.picks
            .as_slice()
            .iter()
            .map(|pick| (GiveUp::Expired, super::settle::late(*pick, heard)))
            .collect()
    }
}
