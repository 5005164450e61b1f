//! What a node is made of, but for its inbound sessions and its script.

use std::sync::Arc;

use mxdrill_net::{Commands, Conn, Index, Time};
use mxdrill_smtp::{ClientConfig, Faults};

use crate::{
    Fact, Intake, Message, NodeConfig, Spool, SpoolOptions,
    callout::Callouts,
    deliver::{Agent, Agents, HostMemory, Lane},
    queue::{Queue, Timetable},
    route::{RouteTicket, Router, RouterConfig},
    sts::Sts,
    timers::Timers,
};

/// What the fact of a world must be able to hold, for a node to live in it. Implemented for all that can.
pub trait AnyFact: From<mxdrill_net::Fact> + From<mxdrill_dns::Fact> + From<Fact> {}

impl<F: From<mxdrill_net::Fact> + From<mxdrill_dns::Fact> + From<Fact>> AnyFact for F {}

/// What the spool answers about.
#[derive(Clone, Debug)]
pub(crate) enum Tag {
    /// A message from a client, which waits for its 250.
    Inbound {
        /// The session.
        conn: Conn,
        /// The client.
        peer: std::net::IpAddr,
        /// Whether it may be tried before the next queue run.
        is_immediate: bool,
    },
    /// A DSN of failure about the recipients of an entry, which is in hand until then.
    Bounce {
        /// The entry.
        entry: u32,
    },
    /// A delay warning.
    Warning {
        /// The late message.
        about: Arc<Message>,
    },
}

/// Spool, queue, routes and deliveries of one node.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: NodeConfig,
    pub(crate) client: Arc<ClientConfig>,
    pub(crate) intake: Intake,
    pub(crate) spool: Spool<Tag>,
    pub(crate) queue: Queue,
    pub(crate) timetable: Timetable,
    pub(crate) router: Router,
    pub(crate) resolving: Index<RouteTicket, u32>,
    pub(crate) sts: Sts,
    pub(crate) callouts: Callouts,
    /// The rules of the house, with what they remember.
    pub(crate) house: Faults,
    pub(crate) memory: HostMemory,
    /// By the number of their line in the queue.
    pub(crate) lanes: Vec<Lane>,
    pub(crate) dirty: Vec<u32>,
    pub(crate) agents: Agents,
    pub(crate) timers: Timers,
    /// Which agent has which connection.
    pub(crate) conns: Index<Conn, u32>,
}

fn house(config: &NodeConfig) -> Faults {
    let mut house = Faults::new(config.seed, config.key);
    config.house.iter().for_each(|rule| house.add(rule.clone()));
    house
}

/// Destinations that are kept without mail, for their sessions' and routes' sake.
const LANES_KEPT: usize = 1024;

impl Core {
    pub(crate) fn new(config: NodeConfig) -> Core {
        let profile = &config.profile;
        let client = ClientConfig {
            timeouts: profile.timeouts,
            pipelining: profile.pipelining,
            chunking: profile.chunking,
            as_is: profile.verdicts.lacks.as_is(),
            tls: config.trust.clone(),
            ..ClientConfig::new(config.name.clone())
        };
        Core {
            client: Arc::new(client),
            intake: Intake::new(config.name.clone(), config.epoch),
            spool: Spool::new(SpoolOptions::default()),
            queue: Queue::default(),
            timetable: Timetable::new(profile, Time::ZERO, config.seed, config.key),
            router: Router::new(RouterConfig::of(&config)),
            resolving: Index::default(),
            sts: Sts::new(config.trust.clone()),
            callouts: Callouts::default(),
            house: house(&config),
            memory: HostMemory::new(profile),
            lanes: Vec::new(),
            dirty: Vec::new(),
            agents: Agents::default(),
            timers: Timers::default(),
            conns: Index::default(),
            config,
        }
    }

    /// Notes that a lane has something to do.
    pub(crate) fn touch(&mut self, lane: u32) {
        let lane_ = &mut self.lanes[lane as usize];
        if !lane_.is_dirty {
            lane_.is_dirty = true;
            self.dirty.push(lane);
        }
    }

    /// The lane of a destination.
    pub(crate) fn lane_of(&mut self, destination: &mxdrill_net::DomainName) -> u32 {
        let lane = self.queue.line_of(destination);
        while self.lanes.len() < self.queue.lines() as usize {
            self.lanes.push(Lane::new(&self.config.profile.concurrency));
        }
        lane
    }

    /// Puts an agent to work.
    pub(crate) fn hire(&mut self, agent: Agent) -> u32 {
        let lane = &mut self.lanes[agent.lane as usize];
        lane.agents += 1;
        lane.busy += 1;
        self.agents.add(agent)
    }

    /// Takes an agent out, still counted among those at work if it was.
    pub(crate) fn retire(&mut self, agent: u32) -> Option<Agent> {
        let agent = self.agents.remove(agent)?;
        self.lanes[agent.lane as usize].agents -= 1;
        Some(agent)
    }

    /// Forgets a destination that has neither mail nor agents, when there are many: whoever makes up domains
    /// must not make us remember them all.
    pub(crate) fn forget_lane(&mut self, now: Time, lane: u32) {
        let lane_ = &self.lanes[lane as usize];
        let is_over = self.queue.line(lane).entries == 0 && lane_.agents == 0 && !lane_.is_dead(now);
        if is_over && self.lanes.len() > LANES_KEPT {
            self.queue.forget_line(lane);
            self.lanes[lane as usize] = Lane::new(&self.config.profile.concurrency);
        }
    }

    /// Makes everything that is due ready.
    pub(crate) fn scan(&mut self, now: Time) {
        while let Some(lane) = self.queue.scan(now) {
            self.touch(lane);
        }
    }

    /// Makes everything due now, and forgets hosts that failed.
    pub(crate) fn flush<F: AnyFact>(&mut self, out: &mut Commands<F>) {
        out.record(Fact::Flushed);
        for lane in 0..self.queue.lines() {
            self.flush_lane(lane);
        }
    }

    fn flush_lane(&mut self, lane: u32) {
        self.memory.clear();
        self.lanes[lane as usize].forgive(&self.config.profile.concurrency);
        if self.queue.flush(lane) {
            self.touch(lane);
        }
    }

    /// A queue run for one destination (ETRN). Says whether there is mail for it.
    pub(crate) fn flush_domain<F: AnyFact>(
        &mut self,
        domain: &mxdrill_net::DomainName,
        out: &mut Commands<F>,
    ) -> bool {
        let Some(lane) = self.queue.known_line(domain) else { return false };
        out.record(Fact::Flushed);
        self.flush_lane(lane);
        true
    }

    /// Records every recipient in the queue.
    pub(crate) fn look<F: AnyFact>(&self, out: &mut Commands<F>) {
        for (message, recipients) in self.queue.each() {
            for recipient in recipients {
                out.record(Fact::Holds { message: message.clone(), recipient: *recipient });
            }
        }
    }
}
