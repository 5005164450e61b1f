//! The yardstick of `sim`: client and server machines over `net::sim`, and nothing else. No node, no spool, no
//! ledger.

use std::{
    net::{IpAddr, SocketAddr},
    ops::ControlFlow,
    sync::Arc,
};

use bytes::Bytes;
use mxdrill_net::{Commands, Conn, DomainName, Driver, Event, Fact, HostSpec, Process, Seed, Time, sim::Sim};
use mxdrill_smtp::{
    Client, ClientConfig, Letter, MailParameters, Pass, Policy, Received, Recipient, Reply, ReversePath,
    Server, ServerConfig, SessionView, Stage, Step, Verdict,
};

use crate::hop::{BODY, LANES, Manner};

/// Carries so many messages from a client to a server.
///
/// # Panics
/// When not all arrive.
pub(crate) fn run(manner: Manner, count: u64) {
    let mut sim: Sim<Host, Fact> = Sim::new(Seed(1));
    let [from, to]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
    let spec = |name: &str, address| HostSpec { name: name.into(), addresses: vec![address] };
    let taker = sim.add(spec("taker", to), Host::Taker(Taker::new(to)));
    sim.add(spec("sender", from), Host::Sender(Sender::new(from, to, manner, count)));
    sim.run_until(Time::MAX, &mut |_, _, _: Fact| ControlFlow::Continue(()));
    let Some(Host::Taker(taker)) = sim.process(taker) else { panic!("the taker is a host") };
    assert_eq!(taker.desk.taken, count, "every message arrives");
}

enum Host {
    Sender(Sender),
    Taker(Taker),
}

impl Process<Fact> for Host {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<Fact>) {
        match self {
            Host::Sender(sender) => sender.handle(now, event, out),
            Host::Taker(taker) => taker.handle(now, event, out),
        }
    }
}

/// Offers the same message over and over.
struct Sender {
    from: IpAddr,
    to: SocketAddr,
    config: Arc<ClientConfig>,
    /// Whether every message has a connection of its own.
    single: bool,
    left: u64,
    sessions: Vec<Client<Note>>,
    note: Note,
}

impl Sender {
    fn new(from: IpAddr, to: IpAddr, manner: Manner, left: u64) -> Sender {
        let config = ClientConfig {
            pipelining: manner == Manner::Pipelined,
            ..ClientConfig::new(name("app.sender.test"))
        };
        Sender {
            from,
            to: SocketAddr::new(to, 25),
            config: Arc::new(config),
            single: manner == Manner::Single,
            left,
            sessions: Vec::new(),
            note: Note::new(),
        }
    }

    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<Fact>) {
        match event {
            Event::Start => (0..if self.single { 1 } else { LANES }).for_each(|_| self.connect(out)),
            Event::Connected(conn) => self.sessions.push(Client::open(now, conn, self.config.clone())),
            Event::Bytes(conn, bytes) => {
                self.moved(now, conn, out, |client, out| client.bytes(now, bytes, out))
            }
            Event::Sent(conn) => self.moved(now, conn, out, |client, out| client.drained(now, out)),
            Event::Closed(conn, how) => self.moved(now, conn, out, |client, out| client.closed(how, out)),
            _ => {}
        }
    }

    fn connect(&mut self, out: &mut Commands<Fact>) {
        out.connect(self.from, self.to);
    }

    fn moved(
        &mut self,
        now: Time,
        conn: Conn,
        out: &mut Commands<Fact>,
        step: impl FnOnce(&mut Client<Note>, &mut Commands<Fact>),
    ) {
        let Some(index) = self.sessions.iter().position(|client| client.conn() == conn) else { return };
        let client = &mut self.sessions[index];
        step(client, out);
        let mut done = 0;
        while let Some(step) = client.poll() {
            done += u32::from(matches!(step, Step::Done(_)));
        }
        if self.left == 0 || (self.single && done > 0) {
            client.quit(now, out);
        }
        while self.left > 0 && client.is_ready() {
            self.left -= 1;
            client.send(now, self.note.clone(), out);
        }
        if client.is_over() {
            self.sessions.swap_remove(index);
            if self.single && self.left > 0 {
                self.connect(out);
            }
        }
    }
}

/// Takes everything.
struct Taker {
    at: SocketAddr,
    config: Arc<ServerConfig>,
    sessions: Vec<(Conn, Server)>,
    desk: Desk,
}

impl Taker {
    fn new(at: IpAddr) -> Taker {
        let config = Arc::new(ServerConfig::new(name("mx1.example.test")));
        Taker { at: SocketAddr::new(at, 25), config, sessions: Vec::new(), desk: Desk::default() }
    }

    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<Fact>) {
        match event {
            Event::Start => out.listen(self.at),
            Event::Incoming { conn, peer, .. } => {
                let config = self.config.clone();
                let server = Server::open(now, conn, peer.ip(), config, &mut self.desk, &mut Pass, out);
                self.sessions.push((conn, server));
            }
            Event::Bytes(conn, bytes) => {
                self.moved(conn, |server, desk| server.bytes(now, bytes, desk, &mut Pass, out));
            }
            Event::Closed(conn, how) => {
                self.moved(conn, |server, _| server.closed(how, out));
            }
            _ => {}
        }
    }

    fn moved(&mut self, conn: Conn, step: impl FnOnce(&mut Server, &mut Desk)) {
        let Some(index) = self.sessions.iter().position(|(known, _)| *known == conn) else { return };
        step(&mut self.sessions[index].1, &mut self.desk);
        if self.sessions[index].1.is_over() {
            self.sessions.swap_remove(index);
        }
    }
}

/// Says yes, and counts.
#[derive(Default)]
struct Desk {
    taken: u64,
}

impl Policy<Fact> for Desk {
    fn mail(&mut self, _: Time, _: &SessionView<'_>, _: &MailParameters, _: &mut Commands<Fact>) -> Verdict {
        Verdict::Accept
    }

    fn rcpt(&mut self, _: Time, _: &SessionView<'_>, _: &Recipient, _: &mut Commands<Fact>) -> Verdict {
        Verdict::Accept
    }

    fn dot(&mut self, _: Time, _: Conn, _: Received, _: &mut Commands<Fact>) -> Verdict {
        self.taken += 1;
        Verdict::Accept
    }

    fn etrn(&mut self, _: Time, _: &DomainName, _: &mut Commands<Fact>) -> Reply {
        unreachable!("nobody asks for a queue run")
    }

    fn turned_away(
        &mut self,
        _: Time,
        _: Stage,
        _: &SessionView<'_>,
        _: &Reply,
        _: Option<&[u8]>,
        _: &mut Commands<Fact>,
    ) {
    }
}

/// The message.
#[derive(Clone)]
struct Note {
    from: ReversePath,
    to: Arc<Recipient>,
    header: Bytes,
    body: Bytes,
}

impl Note {
    fn new() -> Note {
        let mut body = "The quick brown fox jumps over the lazy dog.\r\n".repeat(BODY / 46);
        body += &"-".repeat(BODY - body.len() - 2);
        body += "\r\n";
        Note {
            from: ReversePath(Some("alice@sender.test".parse().expect("an address"))),
            to: Arc::new(Recipient::new("user@example.test".parse().expect("an address"))),
            header: Bytes::from_static(
                b"Message-ID: <1.1@mxdrill.test>\r\nDate: Thu, 01 Jan 2026 00:00:00 +0000\r\n\
                  From: alice@sender.test\r\nTo: user@example.test\r\nSubject: drill 1\r\n\r\n",
            ),
            body: body.into(),
        }
    }
}

impl Letter for Note {
    fn reverse_path(&self) -> &ReversePath {
        &self.from
    }

    fn recipients(&self) -> usize {
        1
    }

    fn recipient(&self, _: usize) -> &Recipient {
        &self.to
    }

    fn header(&self) -> &Bytes {
        &self.header
    }

    fn body(&self) -> &Bytes {
        &self.body
    }

    fn eight_bit(&self) -> bool {
        false
    }

    fn utf8(&self) -> bool {
        false
    }
}

fn name(text: &str) -> DomainName {
    text.parse().expect("a domain name")
}
