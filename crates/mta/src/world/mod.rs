//! A small world for the tests of this crate: a name server, mail nodes, and a pen that submits mail.

mod pen;
mod story;

use std::{net::IpAddr, ops::ControlFlow, sync::Arc, time::Duration};

use mxdrill_dns as dns;
use mxdrill_net::{Commands, Driver, Event, HostId, HostSpec, Process, Seed, Tag, Time, sim::Sim};
use mxdrill_smtp::{Act, Enhanced, Faults, Matching, Reply, Rule, Stage, Then, Trigger};

use crate::{Node, NodeConfig, PolicyConfig, PolicyHost, Profile};
use pen::Pen;
pub(crate) use story::Story;

/// Any fact of the world.
#[derive(Clone, Debug)]
#[expect(dead_code, reason = "facts of other rooms are kept for whoever debugs a test")]
pub(crate) enum Fact {
    Net(mxdrill_net::Fact),
    Dns(dns::Fact),
    Mta(crate::Fact),
}

impl From<mxdrill_net::Fact> for Fact {
    fn from(fact: mxdrill_net::Fact) -> Fact {
        Fact::Net(fact)
    }
}

impl From<dns::Fact> for Fact {
    fn from(fact: dns::Fact) -> Fact {
        Fact::Dns(fact)
    }
}

impl From<crate::Fact> for Fact {
    fn from(fact: crate::Fact) -> Fact {
        Fact::Mta(fact)
    }
}

/// Any host of the world.
pub(crate) enum Host {
    Node(Box<Node<Faults>>),
    Names(Box<dns::Host>),
    Policy(Box<PolicyHost<Faults>>),
    Pen(Box<Pen>),
}

impl Process<Fact> for Host {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<Fact>) {
        match self {
            Host::Node(node) => node.handle(now, event, out),
            Host::Names(names) => names.handle(now, event, out),
            Host::Policy(host) => host.handle(now, event, out),
            Host::Pen(pen) => pen.handle(now, event, out),
        }
    }
}

/// The world. Host 0 is the name server, host 1 the pen.
pub(crate) struct World {
    sim: Sim<Host, Fact>,
    nodes: Vec<(String, HostId, NodeConfig)>,
    pub(crate) facts: Vec<(Time, HostId, Fact)>,
    tag: u32,
}

const NAMES: &str = "192.0.2.53";
const PEN: &str = "192.0.2.99";

/// Two MX for `example.test`, one for `sender.test`.
pub(crate) const ZONE: &str = "\
$ORIGIN example.test.
$TTL 300
@    MX 10 mx1
@    MX 20 mx2
mx1  A  192.0.2.10
mx2  A  192.0.2.20
$ORIGIN sender.test.
@    MX 10 home
home A  192.0.2.30
";

impl World {
    /// A world with these zones and no mail host yet.
    pub(crate) fn new(zones: &str) -> World {
        World::of_zones(dns::Zones::parse(zones).expect("the zone of a test is right"), false)
    }

    /// The same, where the resolver vouches for its answers if `is_secure`.
    pub(crate) fn of_zones(zones: dns::Zones, is_secure: bool) -> World {
        let mut sim = Sim::new(Seed(1));
        let names = dns::Host::new(dns::Authority::new(zones).secure(is_secure), address(NAMES));
        sim.add(spec("ns", &[NAMES]), Host::Names(Box::new(names)));
        sim.add(spec("pen", &[PEN]), Host::Pen(Box::new(Pen::new(address(PEN)))));
        World { sim, nodes: Vec::new(), facts: Vec::new(), tag: 0 }
    }

    /// The usual world: `app` sends, `mx1` delivers, `mx2` relays, `home` takes what comes back.
    pub(crate) fn usual(app: &str, mx2: &str) -> World {
        let mut world = World::new(ZONE);
        world.node("app", "192.0.2.1", app, |config| config.trusted = vec![address(PEN)]);
        world.node("mx1", "192.0.2.10", "rfc5321", |config| config.delivers = vec![name("example.test")]);
        world.node("mx2", "192.0.2.20", mx2, |config| config.relays = vec![name("example.test")]);
        world.node("home", "192.0.2.30", "rfc5321", |config| config.delivers = vec![name("sender.test")]);
        world
    }

    /// A world with this zone, in which `app` sends, `mx1` and `mx2` deliver, and `home` takes what comes back.
    pub(crate) fn sending(zone: &str, app: &str) -> World {
        let mut world = World::new(zone);
        world.node("app", "192.0.2.1", app, |config| config.trusted = vec![address(PEN)]);
        for (label, at) in [("mx1", "192.0.2.10"), ("mx2", "192.0.2.20")] {
            world.node(label, at, "rfc5321", |config| config.delivers = vec![name("example.test")]);
        }
        world.node("home", "192.0.2.30", "rfc5321", |config| config.delivers = vec![name("sender.test")]);
        world
    }

    /// Adds a mail host.
    pub(crate) fn node(
        &mut self,
        label: &str,
        at: &str,
        profile: &str,
        change: impl FnOnce(&mut NodeConfig),
    ) -> HostId {
        let full = name(&format!("{label}.example.test"));
        let resolver = format!("{NAMES}:53").parse().expect("an address");
        let mut config = NodeConfig::new(full, vec![address(at)], resolver);
        config.profile = Arc::new(Profile::named(profile).expect("a known profile"));
        config.key = self.nodes.len() as u64;
        change(&mut config);
        let process = Host::Node(Box::new(Node::new(config.clone(), Faults::new(Seed(1), config.key))));
        let id = self.sim.add(spec(label, &[at]), process);
        self.nodes.push((label.into(), id, config));
        id
    }

    /// Adds a host that serves a policy at an address.
    pub(crate) fn policy_host(&mut self, at: &str, config: PolicyConfig) -> HostId {
        let process = Host::Policy(Box::new(PolicyHost::new(config, Faults::new(Seed(1), 99))));
        self.sim.add(spec("mta-sts", &[at]), process)
    }

    /// What connects to any host meet from now on.
    pub(crate) fn access_of(&mut self, host: HostId, access: mxdrill_net::Access) -> &mut World {
        self.sim.access(host, access);
        self
    }

    /// The address of the pen.
    pub(crate) fn pen() -> IpAddr {
        address(PEN)
    }

    pub(crate) fn id(&self, label: &str) -> HostId {
        self.nodes
            .iter()
            .find(|(known, ..)| known == label)
            .map(|(_, id, _)| *id)
            .expect("a host of the test")
    }

    pub(crate) fn label(&self, id: HostId) -> &str {
        self.nodes.iter().find(|(_, known, _)| *known == id).map_or("?", |(label, ..)| label)
    }

    /// Runs until so many seconds.
    pub(crate) fn run(&mut self, secs: u64) -> &mut World {
        let facts = &mut self.facts;
        let mut sink = |at: Time, host: HostId, fact: Fact| {
            facts.push((at, host, fact));
            ControlFlow::Continue(())
        };
        self.sim.run_until(Time::from_secs(secs), &mut sink);
        self
    }

    /// The present second.
    pub(crate) fn now(&self) -> u64 {
        self.sim.now().as_nanos() / 1_000_000_000
    }

    /// Submits messages to `app`, from alice@sender.test.
    pub(crate) fn send(&mut self, count: usize, to: &[&str]) -> &mut World {
        self.send_as(count, Some("alice@sender.test"), to)
    }

    /// Submits messages to `app`.
    pub(crate) fn send_as(&mut self, count: usize, from: Option<&str>, to: &[&str]) -> &mut World {
        self.write("192.0.2.1", count, from, to, false)
    }

    /// Submits a message with a body of eight bits to `app`, from alice@sender.test.
    pub(crate) fn send_eight_bit(&mut self, to: &[&str]) -> &mut World {
        self.write("192.0.2.1", 1, Some("alice@sender.test"), to, true)
    }

    /// Submits messages to the host at an address, as a stranger, from alice@sender.test.
    pub(crate) fn submit(&mut self, host: &str, count: usize, to: &[&str]) -> &mut World {
        self.write(host, count, Some("alice@sender.test"), to, false)
    }

    fn write(
        &mut self,
        host: &str,
        count: usize,
        from: Option<&str>,
        to: &[&str],
        eight_bit: bool,
    ) -> &mut World {
        let from = from.map(|from| from.parse().expect("an address"));
        let to: Vec<_> = to.iter().map(|to| to.parse().expect("an address")).collect();
        let at = address(host);
        self.visit(HostId(1), move |host, now, out| {
            if let Host::Pen(pen) = host {
                pen.send(now, count, from, to, at, eight_bit, out);
            }
        });
        self
    }

    /// Acts on a host.
    pub(crate) fn visit(
        &mut self,
        host: HostId,
        act: impl FnOnce(&mut Host, Time, &mut Commands<Fact>) + Send + 'static,
    ) {
        self.sim.visit(host, Box::new(act));
    }

    pub(crate) fn on_node(
        &mut self,
        label: &str,
        act: impl FnOnce(&mut Node<Faults>, Time, &mut Commands<Fact>) + Send + 'static,
    ) -> &mut World {
        let id = self.id(label);
        self.visit(id, move |host, now, out| {
            if let Host::Node(node) = host {
                act(node, now, out);
            }
        });
        self
    }

    pub(crate) fn on_names(&mut self, act: impl FnOnce(&mut dns::Authority) + Send + 'static) -> &mut World {
        self.visit(HostId(0), move |host, _, _| {
            if let Host::Names(names) = host {
                act(names.authority_mut());
            }
        });
        self
    }

    /// What connects to a host meet from now on.
    pub(crate) fn access(&mut self, label: &str, access: mxdrill_net::Access) -> &mut World {
        let id = self.id(label);
        self.sim.access(id, access);
        self
    }

    /// What is wrong with a host's disk from now on.
    pub(crate) fn disk(&mut self, label: &str, disk: mxdrill_net::Disk) -> &mut World {
        let id = self.id(label);
        self.sim.disk(id, disk);
        self
    }

    pub(crate) fn refuse(&mut self, label: &str) -> &mut World {
        self.access(label, mxdrill_net::Access::Refuse(Tag(0)))
    }

    pub(crate) fn open(&mut self, label: &str) -> &mut World {
        self.access(label, mxdrill_net::Access::Open)
    }

    /// A fault in the dialogue of a host.
    pub(crate) fn fault(&mut self, label: &str, stage: Stage, then: Then) -> &mut World {
        self.fault_for(label, stage, Matching::default(), then)
    }

    pub(crate) fn fault_for(
        &mut self,
        label: &str,
        stage: Stage,
        matching: Matching,
        then: Then,
    ) -> &mut World {
        self.tag += 1;
        let rule =
            Rule { tag: Tag(self.tag), stage, matching, trigger: Trigger::default(), act: Act::Then(then) };
        self.on_node(label, move |node, _, _| node.script_mut().add(rule))
    }

    /// Lifts every fault of a host.
    pub(crate) fn heal(&mut self, label: &str) -> &mut World {
        let tags = self.tag;
        self.on_node(label, move |node, _, _| {
            for tag in 1..=tags {
                node.script_mut().clear(Tag(tag));
            }
        })
    }

    /// Crashes a host and brings it back after so many seconds.
    pub(crate) fn crash(&mut self, label: &str, secs: u64) -> &mut World {
        let (_, id, config) = self.nodes.iter().find(|(known, ..)| known == label).expect("a host").clone();
        self.sim.crash(id);
        let until = self.sim.now() + Duration::from_secs(secs);
        self.run(until.as_nanos() / 1_000_000_000);
        let process = Host::Node(Box::new(Node::new(config.clone(), Faults::new(Seed(1), config.key))));
        self.sim.restart(id, process);
        self
    }

    /// What a host did, as text.
    pub(crate) fn story(&self, labels: &[&str]) -> String {
        Story::of(self, labels)
    }

    /// The facts of a mail host.
    pub(crate) fn mta(&self, label: &str) -> impl Iterator<Item = (Time, &crate::Fact)> {
        let id = self.id(label);
        self.facts.iter().filter_map(move |(at, host, fact)| match fact {
            Fact::Mta(fact) if *host == id => Some((*at, fact)),
            _ => None,
        })
    }

    /// How many facts of a mail host fit.
    pub(crate) fn count(&self, label: &str, fits: impl Fn(&crate::Fact) -> bool) -> usize {
        self.mta(label).filter(|(_, fact)| fits(fact)).count()
    }

    /// Recipients delivered into mailboxes of a host.
    pub(crate) fn delivered(&self, label: &str) -> usize {
        self.count(label, |fact| matches!(fact, crate::Fact::Delivered { .. }))
    }

    /// Recipients in a host's queue now.
    pub(crate) fn queued(&mut self, label: &str) -> usize {
        let before = self.facts.len();
        self.on_node(label, |node, now, out| node.look(now, out));
        self.run(self.now());
        let held = |fact: &Fact| matches!(fact, Fact::Mta(crate::Fact::Holds { .. }));
        self.facts[before..].iter().filter(|(_, _, fact)| held(fact)).count()
    }
}

pub(crate) fn name(text: &str) -> mxdrill_net::DomainName {
    text.parse().expect("a domain name")
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().expect("an IP address")
}

fn spec(label: &str, addresses: &[&str]) -> HostSpec {
    HostSpec { name: label.into(), addresses: addresses.iter().map(|a| address(a)).collect() }
}

/// A reply that a fault says.
pub(crate) fn says(code: u16, enhanced: Enhanced, text: &'static str) -> Then {
    Then::Reply(Reply::new(code, enhanced, text))
}
