//! Stories of worlds, told by hosts that do what they are told. Most are played in `sim` and `live` alike.

use std::{
    net::{IpAddr, SocketAddr},
    ops::ControlFlow,
    time::Duration,
};

use bytes::Bytes;

use super::{Live, LiveError, LiveOptions, Storage};
use crate::{
    Access, Closed, Commands, Conn, Disk, Driver, Event, Fact, HostId, HostSpec, Link, LinkRule, Process,
    Seed, Segment, Stop, StoreError, Tag, Time, Token, sim::Sim,
};

mod disks;
mod foreign;
mod links;
mod stories;
mod time;

/// What the stories record: a driver's fact, or a line that a host writes.
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

/// A host that writes down what happens to it.
#[derive(Debug, Default)]
struct Puppet {
    listen: Option<SocketAddr>,
    /// Sends back what comes in.
    echoes: bool,
    /// Neither closes nor answers.
    mute: bool,
    /// The connections it has had, the latest last.
    conns: Vec<Conn>,
    /// How many bytes came in.
    got: usize,
}

impl Process<Line> for Puppet {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<Line>) {
        let line = match event {
            Event::Start => return self.open(out),
            Event::Restart(kept) => {
                self.open(out);
                let text: Vec<_> = kept.iter().map(|kept| String::from_utf8_lossy(&kept.bytes)).collect();
                format!("restarts with {}", text.join("|"))
            }
            Event::Incoming { conn, .. } | Event::Connected(conn) => return self.conns.push(conn),
            Event::ConnectFailed(..) => return,
            Event::Bytes(conn, bytes) => {
                self.got += bytes.len();
                if self.echoes {
                    out.send(conn, bytes);
                }
                return;
            }
            Event::Closed(conn, how) => {
                if how == Closed::Eof && !self.mute {
                    out.close(conn);
                }
                format!("{} bytes came in", std::mem::take(&mut self.got))
            }
            Event::Timer => format!("timer at {} h", now.elapsed().as_secs() / 3600),
            Event::Sent(_) => "sent".into(),
            Event::Datagram { from, to, bytes } => {
                if self.echoes {
                    out.datagram(to, from, Bytes::copy_from_slice(bytes));
                }
                format!("datagram {} from {from}", String::from_utf8_lossy(bytes))
            }
            Event::Synced(token) => format!("synced {}", token.0),
            Event::StoreFailed(token, why) => format!("failed {} {why:?}", token.0),
        };
        out.record(Line::Saw(line));
    }
}

impl Puppet {
    fn open(&self, out: &mut Commands<Line>) {
        if let Some(at) = self.listen {
            out.listen(at);
        }
    }

    fn latest(&self) -> Conn {
        *self.conns.last().expect("a connection")
    }
}

const A: HostId = HostId(0);
const B: HostId = HostId(1);

fn a() -> SocketAddr {
    "192.0.2.1:25".parse().expect("an address")
}

fn b() -> SocketAddr {
    "192.0.2.2:25".parse().expect("an address")
}

fn hours(hours: u64) -> Time {
    Time::from_secs(3600 * hours)
}

/// Two hosts, `a` and `b`, that listen on port 25 and echo what comes in, and what happened to them.
struct World<'d, D: ?Sized> {
    driver: &'d mut D,
    lines: Vec<String>,
}

fn puppet(at: SocketAddr) -> Puppet {
    Puppet { listen: Some(at), echoes: at == b(), ..Puppet::default() }
}

fn spec(name: &str, address: IpAddr) -> HostSpec {
    HostSpec { name: name.into(), addresses: vec![address] }
}

/// A driver of either kind.
type Any<'d> = dyn Driver<Puppet, Line> + 'd;

impl<'d, D: Driver<Puppet, Line> + ?Sized> World<'d, D> {
    fn new(driver: &'d mut D) -> World<'d, D> {
        let mut world = World { driver, lines: Vec::new() };
        world.driver.add(spec("a", a().ip()), puppet(a()));
        world.driver.add(spec("b", b().ip()), puppet(b()));
        world.run(Time::from_secs(1));
        world
    }

    /// Runs until then, or until nothing happens any more.
    fn run(&mut self, until: Time) -> Stop {
        let lines = &mut self.lines;
        self.driver.run_until(until, &mut |_, host, line| {
            lines.push(tell(host, line));
            ControlFlow::Continue(())
        })
    }

    fn visit(&mut self, host: HostId, act: impl FnOnce(&mut Puppet, &mut Commands<Line>) + Send + 'static) {
        self.driver.visit(host, Box::new(|puppet, _, out| act(puppet, out)));
    }

    /// Lets a host connect to an address, and runs until that is settled.
    fn connect(&mut self, to: SocketAddr) {
        self.visit(A, move |_, out| _ = out.connect(a().ip(), to));
        self.pass(1);
    }

    /// Runs for so many hours.
    fn pass(&mut self, hours: u64) {
        let until = self.driver.now() + Duration::from_secs(3600 * hours);
        self.run(until);
    }

    fn send(&mut self, bytes: &'static [u8]) {
        self.visit(A, move |puppet, out| out.send_shared(puppet.latest(), Bytes::from_static(bytes)));
    }

    fn close(&mut self) {
        self.visit(A, |puppet, out| out.close(puppet.latest()));
    }
}

/// A fact as a line; numbers of connections and ports are the driver's own business.
fn tell(host: HostId, line: Line) -> String {
    let name = ["a", "b", "c"][usize::from(host.0)];
    let text = match line {
        Line::Saw(text) => text,
        Line::Net(Fact::Connected { to, .. }) => format!("connected to {to}"),
        Line::Net(Fact::ConnectFailed { to, why, .. }) => format!("no connection to {to}: {why:?}"),
        Line::Net(Fact::Incoming { from, .. }) => format!("connection from {}", from.ip()),
        Line::Net(Fact::Gone { how, .. }) => format!("gone {how:?}"),
        Line::Net(Fact::Bit(tag)) => format!("bit by {}", tag.0),
        Line::Net(fact) => format!("{fact:?}"),
    };
    format!("{name} {text}").trim_end().into()
}

fn live() -> Live<Puppet, Line> {
    live_with(LiveOptions { storage: Storage::Memory, ..LiveOptions::default() })
}

fn live_with(options: LiveOptions) -> Live<Puppet, Line> {
    Live::new(options).expect("a world")
}

/// Plays a story in both worlds and compares what happened, whatever the order between the two hosts.
fn check(story: fn(&mut World<'_, Any<'_>>), expected: &str) {
    let mut sim = Sim::new(Seed(1));
    let mut live = live();
    let worlds: [(&str, &mut Any<'_>); 2] = [("sim", &mut sim), ("live", &mut live)];
    for (name, driver) in worlds {
        let mut world = World::new(driver);
        story(&mut world);
        assert_eq!(by_host(&world.lines), by_host_of(expected), "in {name}: {:#?}", world.lines);
    }
    assert_eq!(live.engine.flight.inside(), 0, "nothing is counted as under way at the end");
    assert!(live.errors().is_empty(), "{:?}", live.errors());
}

fn by_host(lines: &[String]) -> Vec<&str> {
    let mut lines: Vec<_> = lines.iter().map(String::as_str).collect();
    lines.sort_by_key(|line| line.as_bytes()[0]);
    lines
}

fn by_host_of(expected: &str) -> Vec<&str> {
    expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}
