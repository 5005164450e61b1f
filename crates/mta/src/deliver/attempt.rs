//! The walk through the steps of an attempt: skip, connect, move on, come to the end.

use std::{net::SocketAddr, sync::Arc};

use mxdrill_dns::Outcome;
use mxdrill_net::{Commands, ConnectError, Time};
use mxdrill_smtp::{Enhanced, Failure, Stage};

use super::{Agent, Job, Plan, PlanStep, State};
use crate::{
    Basis, Fact, GiveUp, HostPolicy, RouteHost, Skip, Target,
    core::{AnyFact, Core},
    profile::Verdict,
    route,
};

/// The port of SMTP (RFC 5321 4.5.4.2).
const SMTP: u16 = 25;

/// What comes next in an attempt.
enum Walk {
    Try(Arc<Target>),
    End,
}

impl Core {
    /// Goes on to the next host of an attempt, or ends it.
    pub(crate) fn advance<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        match self.walk(now, agent, out) {
            Walk::End => self.exhausted(now, agent, out),
            Walk::Try(target) => {
                self.agents.live(agent).is_clear = false;
                let is_first = self.agents.live(agent).target.is_none();
                let pause = self.config.profile.routing.pause;
                if is_first || pause.is_zero() {
                    return self.connect(now, agent, target, out);
                }
                let agent_ = self.agents.live(agent);
                agent_.target = Some(target);
                agent_.state = State::Pausing(now + pause);
                self.arm_agent(agent);
            }
        }
    }

    /// The next host to try, recording those passed over on the way.
    fn walk<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) -> Walk {
        let agent_ = self.agents.live(agent);
        let Some(plan) = agent_.plan.clone() else { return Walk::End };
        let lane = agent_.lane;
        let is_capped = self.config.profile.routing.sessions_max.is_some_and(|max| agent_.sessions >= max);
        while let Some(step) = plan.steps.get(agent_.at) {
            agent_.at += 1;
            let (host, preference, why) = match step {
                PlanStep::Pass { host, why } => {
                    let host = &plan.route.hosts[usize::from(*host)];
                    (&host.name, host.preference, *why)
                }
                PlanStep::Try(target) if is_capped => (&target.host, target.preference, Skip::SessionLimit),
                PlanStep::Try(target) if self.memory.skips(now, target.address) => {
                    (&target.host, target.preference, Skip::Remembered)
                }
                PlanStep::Try(target) => return Walk::Try(target.clone()),
            };
            let destination = self.queue.line(lane).name.clone();
            out.record(Fact::Skipped { destination, host: host.clone(), preference, why });
        }
        Walk::End
    }

    /// Records the hosts that a policy rules out among those that the attempt no longer comes to.
    pub(crate) fn pass_rest<F: AnyFact>(&mut self, agent: u32, out: &mut Commands<F>) {
        let agent_ = self.agents.live(agent);
        let Some(plan) = agent_.plan.clone() else { return };
        for step in plan.steps.iter().skip(agent_.at) {
            let PlanStep::Pass { host, why: why @ Skip::TlsPolicy } = step else { continue };
            let host = &plan.route.hosts[usize::from(*host)];
            let destination = self.queue.line(agent_.lane).name.clone();
            let (host, preference, why) = (host.name.clone(), host.preference, *why);
            out.record(Fact::Skipped { destination, host, preference, why });
        }
    }

    /// Whether another host would be tried after the one under way: this decides which verdicts hold.
    pub(crate) fn has_more(&mut self, now: Time, agent: u32) -> bool {
        let memory = &self.memory;
        let Some(agent) = self.agents.find(agent) else { return false };
        let Some(plan) = &agent.plan else { return false };
        let is_capped = self.config.profile.routing.sessions_max.is_some_and(|max| agent.sessions >= max);
        !is_capped && plan.tries(agent.at).any(|target| !memory.skips(now, target.address))
    }

    pub(crate) fn connect<F: AnyFact>(
        &mut self,
        now: Time,
        agent: u32,
        target: Arc<Target>,
        out: &mut Commands<F>,
    ) {
        let to = SocketAddr::new(target.address, SMTP);
        let from = route::source(&self.config.addresses, target.address);
        let agent_ = self.agents.live(agent);
        agent_.target = Some(target);
        agent_.carried = 0;
        let Some(from) = from else {
            // a host without an address of that family has no way there
            return self.failed(now, agent, Stage::Connect, Failure::Connect(ConnectError::Unreachable), out);
        };
        let conn = out.connect(from, to);
        agent_.conn = Some(conn);
        agent_.state = State::Connecting(now + self.config.profile.timeouts.connect);
        self.conns.insert(conn, agent);
        self.arm_agent(agent);
    }

    /// No host is left for the message in hand.
    fn exhausted<F: AnyFact>(&mut self, now: Time, agent: u32, out: &mut Commands<F>) {
        let Some(mut agent_) = self.retire(agent) else { return };
        self.lanes[agent_.lane as usize].busy -= 1;
        self.touch(agent_.lane);
        let Some(mut job) = agent_.job.take() else { return };
        if let Some(parcel) = job.parcel.take() {
            match &agent_.target {
                Some(target) => self.exhausted_hosts(&agent_, &mut job, parcel.picks.as_slice(), target),
                None => self.exhausted_route(&agent_, &mut job, parcel.picks.as_slice()),
            }
        }
        let plan = agent_.plan.take();
        self.conclude(now, agent_.lane, job, plan.as_deref(), out);
    }

    /// The last host did not take them, and left it at that.
    fn exhausted_hosts(&self, agent: &Agent, job: &mut Job, picks: &[u16], target: &Target) {
        if job.is_lacking {
            let text: Arc<str> = format!("{} lacks an extension that the message needs", target.host).into();
            let lost = |pick: &u16| self.lost(*pick, GiveUp::Extension, Enhanced(5, 6, 7), text.clone());
            return job.lost.extend(picks.iter().map(lost));
        }
        let _ = agent;
        job.later.extend_from_slice(picks);
    }

    /// No host could be tried at all (RFC 5321 5.1): keep, or give up, as the profile says.
    fn exhausted_route(&mut self, agent: &Agent, job: &mut Job, picks: &[u16]) {
        let Some(plan) = &agent.plan else { return job.later.extend_from_slice(picks) };
        let dead_end = self.dead_end(plan);
        let text: Arc<str> = dead_end.text.into();
        self.lanes[agent.lane as usize].heard =
            Some(super::Heard { status: dead_end.status, text: text.clone(), target: None, reply: None });
        if dead_end.verdict != Verdict::Bounce {
            return job.later.extend_from_slice(picks);
        }
        job.lost
            .extend(picks.iter().map(|pick| self.lost(*pick, dead_end.why, dead_end.status, text.clone())));
    }

    fn dead_end(&self, plan: &Plan) -> DeadEnd {
        let routing = &self.config.profile.routing;
        match plan.route.basis {
            Basis::NullMx => DeadEnd::NULL_MX,
            Basis::Unresolved(Outcome::NxDomain) => {
                DeadEnd { verdict: routing.no_domain, ..DeadEnd::NO_DOMAIN }
            }
            Basis::Unresolved(_) => DeadEnd { verdict: routing.no_answer, ..DeadEnd::NO_ANSWER },
            _ => self.dead_end_of_hosts(plan),
        }
    }

    fn dead_end_of_hosts(&self, plan: &Plan) -> DeadEnd {
        let routing = &self.config.profile.routing;
        let usable = || plan.route.usable();
        let is_temporary = |outcome: &Outcome| outcome.is_temporary();
        if usable().any(|host| host.addresses.as_ref().is_err_and(is_temporary)) {
            return DeadEnd { verdict: routing.no_answer, ..DeadEnd::NO_ANSWER };
        }
        let is_ruled_out = |host: &RouteHost| {
            matches!(host.policy, HostPolicy::Unknown(_) | HostPolicy::Outside) || host.addresses.is_err()
        };
        if usable().any(|host| host.addresses.is_ok()) && usable().all(is_ruled_out) {
            return DeadEnd { verdict: Verdict::Defer, ..DeadEnd::POLICY };
        }
        if usable().any(|host| host.addresses.is_ok()) {
            // hosts there are, but each is skipped for now
            return DeadEnd { verdict: Verdict::Defer, ..DeadEnd::NO_ANSWER };
        }
        let best = plan.route.hosts.iter().map(|host| host.preference).min();
        match plan.route.own {
            Some(own) if Some(own) == best => {
                DeadEnd { verdict: routing.best_is_self, ..DeadEnd::BEST_IS_SELF }
            }
            Some(_) => DeadEnd { verdict: routing.better_unresolved, ..DeadEnd::NO_PRIMARY },
            None => DeadEnd { verdict: routing.no_address, ..DeadEnd::NO_ADDRESS },
        }
    }
}

/// Why a route leads nowhere, and what the sender is told.
struct DeadEnd {
    verdict: Verdict,
    why: GiveUp,
    status: Enhanced,
    text: &'static str,
}

impl DeadEnd {
    const fn new(why: GiveUp, status: Enhanced, text: &'static str) -> DeadEnd {
        DeadEnd { verdict: Verdict::Bounce, why, status, text }
    }

    /// RFC 7505 4.1: 5.1.10.
    const NULL_MX: DeadEnd =
        DeadEnd::new(GiveUp::NullMx, Enhanced(5, 1, 10), "the domain takes no mail (null MX)");
    const NO_DOMAIN: DeadEnd = DeadEnd::new(GiveUp::NxDomain, Enhanced(5, 1, 2), "the domain does not exist");
    const NO_ANSWER: DeadEnd =
        DeadEnd::new(GiveUp::NoAddress, Enhanced(4, 4, 3), "the domain could not be looked up");
    /// RFC 7672 2.1.2, RFC 8461 5: the mail waits. RFC 3463 X.7.5, as Postfix has it.
    const POLICY: DeadEnd = DeadEnd::new(
        GiveUp::NoAddress,
        Enhanced(4, 7, 5),
        "a policy of the domain rules every host out for now",
    );
    const NO_ADDRESS: DeadEnd =
        DeadEnd::new(GiveUp::NoAddress, Enhanced(5, 4, 4), "no host of the domain has an address");
    /// Postfix, smtp_addr.c.
    const NO_PRIMARY: DeadEnd =
        DeadEnd::new(GiveUp::NoAddress, Enhanced(4, 4, 4), "no better host of the domain has an address");
    /// RFC 3463 X.4.6: a routing loop.
    const BEST_IS_SELF: DeadEnd =
        DeadEnd::new(GiveUp::BestMxIsSelf, Enhanced(5, 4, 6), "this host is the best MX of the domain");
}
