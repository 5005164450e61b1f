//! Stories of the simulated world, told by hosts that only do what they are told.

use std::{net::SocketAddr, ops::ControlFlow, time::Duration};

use bytes::Bytes;

use super::*;
use crate::*;

mod connects;
mod disks;
mod laws;
mod links;
mod streams;
mod swarm;

/// A fact of these stories: a driver's, or a line that a host writes about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Line {
    Net(Fact),
    Saw(String),
}

impl From<Fact> for Line {
    fn from(fact: Fact) -> Line {
        Line::Net(fact)
    }
}

/// A host that writes down what happens to it, and does a little of its own accord.
#[derive(Default)]
struct Puppet {
    listen: Option<SocketAddr>,
    /// Answers every write with this.
    answer: Option<&'static [u8]>,
    /// Closes when the peer does.
    closes: bool,
    /// Writes down the contents of what comes in, not only its length.
    reads: bool,
    /// The connections it has, the latest last.
    conns: Vec<Conn>,
    /// All bytes that came in.
    got: Vec<u8>,
}

impl Process<Line> for Puppet {
    fn handle(&mut self, _now: Time, event: Event<'_>, out: &mut Commands<Line>) {
        let line = match event {
            Event::Start => return out_listen(self.listen, out),
            Event::Incoming { conn, .. } | Event::Connected(conn) => return self.conns.push(conn),
            Event::ConnectFailed(..) => return,
            Event::Bytes(conn, bytes) => {
                self.got.extend_from_slice(bytes);
                if let Some(answer) = self.answer {
                    out.send(conn, answer);
                }
                match self.reads {
                    true => String::from_utf8_lossy(bytes).into_owned(),
                    false => format!("{} bytes", bytes.len()),
                }
            }
            Event::Closed(conn, how) => {
                if how == Closed::Eof && self.closes {
                    out.close(conn);
                }
                return;
            }
            Event::Restart(kept) => {
                out_listen(self.listen, out);
                format!("kept {:?}", kept.iter().map(|kept| &kept.bytes).collect::<Vec<_>>())
            }
            Event::Timer => "timer".into(),
            Event::Sent(_) => "sent".into(),
            Event::Datagram { from, bytes, .. } => format!("{} from {from}", String::from_utf8_lossy(bytes)),
            Event::Synced(token) => format!("synced {}", token.0),
            Event::StoreFailed(token, why) => format!("failed {} {why:?}", token.0),
        };
        out.record(Line::Saw(line));
    }
}

fn out_listen(at: Option<SocketAddr>, out: &mut Commands<Line>) {
    if let Some(at) = at {
        out.listen(at);
    }
}

/// Two hosts, `a` and `b`; `b` listens on port 25.
struct World {
    sim: Sim<Puppet, Line>,
    lines: Vec<(Time, HostId, Line)>,
}

const A: HostId = HostId(0);
const B: HostId = HostId(1);

fn a() -> SocketAddr {
    "192.0.2.1:25".parse().expect("an address")
}

fn b() -> SocketAddr {
    "192.0.2.2:25".parse().expect("an address")
}

impl World {
    /// A world whose streams are not chopped.
    fn new() -> World {
        World::with(Seed(1), false, Puppet { listen: Some(b()), closes: true, ..Puppet::default() })
    }

    fn with(seed: Seed, chop: bool, listener: Puppet) -> World {
        let mut sim = Sim::new(seed);
        sim.chop(chop);
        let spec = |name: &str, at: SocketAddr| HostSpec { name: name.into(), addresses: vec![at.ip()] };
        sim.add(spec("a", a()), Puppet { closes: true, ..Puppet::default() });
        sim.add(spec("b", b()), listener);
        let mut world = World { sim, lines: Vec::new() };
        world.run(0);
        world
    }

    /// Runs until so many milliseconds after the beginning.
    fn run(&mut self, millis: u64) -> Stop {
        self.run_until(Time::from_nanos(millis * 1_000_000))
    }

    fn run_until(&mut self, until: Time) -> Stop {
        let lines = &mut self.lines;
        self.sim.run_until(until, &mut |at, host, line| {
            lines.push((at, host, line));
            ControlFlow::Continue(())
        })
    }

    fn tell(
        &mut self,
        host: HostId,
        act: impl FnOnce(&mut Puppet, &mut Commands<Line>) + Send + 'static,
    ) -> &mut World {
        self.sim.visit(host, Box::new(|puppet, _, out| act(puppet, out)));
        self
    }

    /// `a` connects to `b`.
    fn connect(&mut self) -> &mut World {
        self.tell(A, |_, out| {
            out.connect(a().ip(), b());
        })
    }

    /// The host says something on its latest connection.
    fn say(&mut self, host: HostId, text: &'static str) -> &mut World {
        self.tell(host, move |puppet, out| out.send(latest(puppet), text.as_bytes()))
    }

    fn send(&mut self, host: HostId, bytes: Vec<u8>) -> &mut World {
        self.tell(host, move |puppet, out| out.send_shared(latest(puppet), Bytes::from(bytes)))
    }

    fn close(&mut self, host: HostId) -> &mut World {
        self.tell(host, |puppet, out| out.close(latest(puppet)))
    }

    fn reset(&mut self, host: HostId) -> &mut World {
        self.tell(host, |puppet, out| out.reset(latest(puppet)))
    }

    fn rule(&mut self, from: HostId, to: HostId, link: Link) -> &mut World {
        self.sim.link(from, to, Some(LinkRule { link, tag: Tag(7) }));
        self
    }

    /// What happened since the last look, a line each: milliseconds, host, and what.
    fn story(&mut self) -> String {
        let lines = self.lines.drain(..).map(|(at, HostId(host), line)| {
            let what = match line {
                Line::Saw(what) => what,
                Line::Net(Fact::Connected { .. }) => "connected".into(),
                Line::Net(Fact::ConnectFailed { why, .. }) => format!("connect failed: {why:?}"),
                Line::Net(Fact::Incoming { .. }) => "incoming".into(),
                Line::Net(Fact::Gone { how: None, .. }) => "gone".into(),
                Line::Net(Fact::Gone { how: Some(how), .. }) => format!("gone: {how:?}"),
                Line::Net(Fact::Bit(Tag(tag))) => format!("bit {tag}"),
                Line::Net(fact) => format!("{fact:?}"),
            };
            format!("{} {} {what}\n", at.as_nanos() as f64 / 1e6, ["a", "b"][usize::from(host)])
        });
        lines.collect()
    }

    /// Checks what happened since the last look.
    #[track_caller]
    fn check(&mut self, expected: &str) -> &mut World {
        let expected: String = expected.lines().map(|line| format!("{}\n", line.trim())).collect();
        assert_eq!(self.story().trim(), expected.trim());
        self
    }

    /// Checks the end: nothing is left to happen, and no connection leaks.
    #[track_caller]
    fn silent(&mut self) {
        assert_eq!(self.run_until(Time::MAX), Stop::Idle);
        assert_eq!(self.sim.connections.keys(), []);
        assert!(self.sim.numbers.is_empty());
    }
}

fn latest(puppet: &Puppet) -> Conn {
    *puppet.conns.last().expect("a connection")
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
