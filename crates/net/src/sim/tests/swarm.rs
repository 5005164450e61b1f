//! Any story at all: hosts that connect, talk, close and crash as they are told, over links that come and go.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const HOSTS: u16 = 3;

/// A host whose streams are numbered bytes, so that a lost, doubled or misplaced one is seen.
struct Talker {
    listen: SocketAddr,
    /// Bytes sent and got on each connection.
    counts: BTreeMap<Conn, (u64, u64)>,
}

/// The byte at this place of any stream.
fn byte(place: u64) -> u8 {
    (place % 251) as u8
}

impl Talker {
    fn send(&mut self, conn: Conn, count: u64, out: &mut Commands<Line>) {
        let Some((sent, _)) = self.counts.get_mut(&conn) else { return };
        let bytes: Vec<u8> = (*sent..*sent + count).map(byte).collect();
        *sent += count;
        match count % 2 {
            0 => out.send(conn, &bytes),
            _ => out.send_shared(conn, Bytes::from(bytes)),
        }
    }

    fn close(&mut self, conn: Conn, out: &mut Commands<Line>) {
        self.counts.remove(&conn);
        out.close(conn);
    }
}

impl Process<Line> for Talker {
    fn handle(&mut self, _now: Time, event: Event<'_>, out: &mut Commands<Line>) {
        match event {
            Event::Start | Event::Restart(_) => out.listen(self.listen),
            Event::Incoming { conn, .. } => {
                assert_eq!(self.counts.insert(conn, (0, 0)), None, "a number is used twice");
                self.send(conn, 20, out);
            }
            Event::Bytes(conn, bytes) => {
                let (_, got) = self.counts.get_mut(&conn).expect("bytes for a dead number");
                assert!(
                    bytes.iter().zip(*got..).all(|(found, place)| *found == byte(place)),
                    "not the next bytes"
                );
                *got += bytes.len() as u64;
                if *got % 3 == 0 {
                    self.send(conn, 7, out);
                }
            }
            Event::ConnectFailed(conn, _) | Event::Closed(conn, Closed::Reset) => {
                self.counts.remove(&conn).expect("an end of a dead number");
            }
            Event::Closed(conn, Closed::Eof) => self.close(conn, out),
            Event::Connected(conn) | Event::Sent(conn) => {
                assert!(self.counts.contains_key(&conn), "news of a dead number");
            }
            _ => {}
        }
    }
}

#[derive(Clone, Debug)]
enum Act {
    Connect(u16, u16),
    /// On one of the connections that the host has, so many bytes.
    Send(u16, usize, u64),
    Close(u16, usize),
    Reset(u16, usize),
    Crash(u16),
    Restart(u16),
    Link(u16, u16, Option<Link>),
    Access(u16, Access),
}

fn act() -> impl Strategy<Value = Act> {
    let host = || 0..HOSTS;
    let rule = (0u64..80, 0u64..40, 0u32..400_000, any::<bool>(), any::<bool>(), 0u64..5000);
    let link = rule.prop_map(|(latency, jitter, loss_ppm, partition, slow, cut)| Link {
        latency: millis(latency),
        jitter: millis(jitter),
        loss_ppm: loss_ppm.saturating_sub(200_000),
        partition,
        bandwidth: slow.then_some(20_000),
        cut_after: (cut > 2500).then_some(cut),
    });
    let access = prop_oneof![
        Just(Access::Open),
        Just(Access::Refuse(Tag(1))),
        Just(Access::Blackhole(Tag(2))),
        Just(Access::Unreachable(Tag(3)))
    ];
    prop_oneof![
        4 => (host(), host()).prop_map(|(from, to)| Act::Connect(from, to)),
        8 => (host(), any::<usize>(), prop_oneof![0u64..3000, 0u64..100_000])
            .prop_map(|(host, which, count)| Act::Send(host, which, count)),
        2 => (host(), any::<usize>()).prop_map(|(host, which)| Act::Close(host, which)),
        1 => (host(), any::<usize>()).prop_map(|(host, which)| Act::Reset(host, which)),
        1 => host().prop_map(Act::Crash),
        1 => host().prop_map(Act::Restart),
        2 => (host(), host(), proptest::option::of(link)).prop_map(|(from, to, link)| Act::Link(from, to, link)),
        1 => (host(), access).prop_map(|(host, access)| Act::Access(host, access)),
    ]
}

fn address(host: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, host as u8 + 1], 25))
}

fn talker(host: u16) -> Talker {
    Talker { listen: address(host), counts: BTreeMap::new() }
}

struct Swarm {
    sim: Sim<Talker, Line>,
    facts: Vec<(Time, HostId, Line)>,
}

impl Swarm {
    fn new(seed: u64, chop: bool) -> Swarm {
        let mut sim = Sim::new(Seed(seed));
        sim.chop(chop);
        for host in 0..HOSTS {
            let addresses = vec![address(host).ip()];
            sim.add(HostSpec { name: host.to_string(), addresses }, talker(host));
        }
        Swarm { sim, facts: Vec::new() }
    }

    fn run(&mut self, until: Time) -> Stop {
        let facts = &mut self.facts;
        self.sim.run_until(until, &mut |at, host, fact| {
            facts.push((at, host, fact));
            ControlFlow::Continue(())
        })
    }

    /// Acts on the connection of a host that `which` picks, if the host has one.
    fn on_one(
        &mut self,
        host: u16,
        which: usize,
        act: impl FnOnce(&mut Talker, Conn, &mut Commands<Line>) + Send + 'static,
    ) {
        let visit = move |talker: &mut Talker, _: Time, out: &mut Commands<Line>| {
            let picked = talker.counts.keys().nth(which % talker.counts.len().max(1)).copied();
            if let Some(conn) = picked {
                act(talker, conn, out);
            }
        };
        self.sim.visit(HostId(host), Box::new(visit));
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Connect(from, to) => self.sim.visit(
                HostId(from),
                Box::new(move |talker, _, out| {
                    let conn = out.connect(address(from).ip(), address(to));
                    talker.counts.insert(conn, (0, 0));
                }),
            ),
            // What is said before the connect has succeeded is not sent, and must not be counted.
            Act::Send(host, which, count) => {
                let facts = &self.facts;
                let is_open = |conn: Conn| {
                    facts.iter().any(|(_, _, line)| {
                        matches!(line, Line::Net(Fact::Connected { conn: c, .. } | Fact::Incoming { conn: c, .. }) if *c == conn)
                    })
                };
                let Some(talker) = self.sim.process(HostId(host)) else { return };
                let open: Vec<Conn> = talker.counts.keys().copied().filter(|conn| is_open(*conn)).collect();
                if let Some(conn) = open.get(which % open.len().max(1)).copied() {
                    let send = move |talker: &mut Talker, _: Time, out: &mut Commands<Line>| {
                        talker.send(conn, count, out);
                    };
                    self.sim.visit(HostId(host), Box::new(send));
                }
            }
            Act::Close(host, which) => self.on_one(host, which, |talker, conn, out| talker.close(conn, out)),
            Act::Reset(host, which) => self.on_one(host, which, |talker, conn, out| {
                talker.counts.remove(&conn);
                out.reset(conn);
            }),
            Act::Crash(host) => self.sim.crash(HostId(host)),
            Act::Restart(host) => self.sim.restart(HostId(host), talker(host)),
            Act::Link(from, to, link) => {
                let rule = link.map(|link| LinkRule { link, tag: Tag(9) });
                self.sim.link(HostId(from), HostId(to), rule);
            }
            Act::Access(host, access) => self.sim.access(HostId(host), access),
        }
    }

    /// Mends everything and lets every host close what it has.
    fn wind_up(&mut self) {
        for host in 0..HOSTS {
            self.sim.access(HostId(host), Access::Open);
            (0..HOSTS).for_each(|other| self.sim.link(HostId(host), HostId(other), None));
            let close_all = |talker: &mut Talker, _: Time, out: &mut Commands<Line>| {
                for conn in talker.counts.keys().copied().collect::<Vec<_>>() {
                    talker.close(conn, out);
                }
            };
            self.sim.visit(HostId(host), Box::new(close_all));
        }
        assert_eq!(self.run(Time::MAX), Stop::Idle);
    }
}

/// Plays acts, each so many milliseconds after the last, and returns the world wound up.
fn play(seed: u64, chop: bool, acts: &[(u64, Act)]) -> Swarm {
    let mut swarm = Swarm::new(seed, chop);
    let mut now = Time::ZERO;
    for (wait, act) in acts {
        now = now + millis(*wait);
        swarm.run(now);
        swarm.act(act.clone());
    }
    swarm.wind_up();
    swarm
}

fn acts() -> impl Strategy<Value = Vec<(u64, Act)>> {
    proptest::collection::vec(
        (prop_oneof![6 => 0u64..3, 2 => 0u64..5000, 1 => 0u64..1_000_000], act()),
        1..60,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_connection_is_gone_once_and_leaves_nothing_behind(seed: u64, chop: bool, acts in acts()) {
        let swarm = play(seed, chop, &acts);
        prop_assert_eq!(swarm.sim.connections.keys(), []);
        prop_assert!(swarm.sim.numbers.is_empty());
        let mut standing = BTreeMap::new();
        let mut last = Time::ZERO;
        for (at, host, line) in &swarm.facts {
            prop_assert!(*at >= last, "time goes back");
            last = *at;
            match line {
                Line::Net(Fact::Connected { conn, .. } | Fact::Incoming { conn, .. }) => {
                    prop_assert_eq!(standing.insert(*conn, *host), None);
                }
                Line::Net(Fact::Gone { conn, .. }) => prop_assert_eq!(standing.remove(conn), Some(*host)),
                _ => {}
            }
        }
        prop_assert_eq!(standing, BTreeMap::new());
    }

    #[test]
    fn a_seed_tells_one_story(seed: u64, acts in acts()) {
        prop_assert_eq!(play(seed, true, &acts).facts, play(seed, true, &acts).facts);
    }
}
