//! What the stories of several modules share: a host that asks, and what it sees.

use std::net::IpAddr;

use mxdrill_net::{self as net, Commands, Event, Process, Seed, Time};

use crate::{Asked, Fact, Lookup, LookupConfig, RecordType};

#[derive(Clone, Debug)]
pub(crate) enum Seen {
    Net(net::Fact),
    Dns(Fact),
}

impl From<net::Fact> for Seen {
    fn from(fact: net::Fact) -> Seen {
        Seen::Net(fact)
    }
}

impl From<Fact> for Seen {
    fn from(fact: Fact) -> Seen {
        Seen::Dns(fact)
    }
}

impl Seen {
    /// The fact in short.
    pub(crate) fn say(&self) -> String {
        match self {
            Seen::Net(fact) => format!("{fact:?}"),
            Seen::Dns(Fact::Asked { name, kind }) => format!("asks {name} {kind}"),
            Seen::Dns(Fact::Answered { outcome, .. }) => format!("{outcome:?}"),
        }
    }
}

/// A host that looks up the MX of example.test.
pub(crate) struct Asker(Lookup);

impl Asker {
    /// A host at `from` that asks a server on port 53.
    pub(crate) fn new(server: IpAddr, from: IpAddr) -> Asker {
        Asker(Lookup::new(LookupConfig::new((server, 53).into(), from, Seed(1), 1)))
    }
}

impl Process<Seen> for Asker {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<Seen>) {
        match event {
            Event::Start => {
                self.0.start(out);
                let asked = self.0.ask(now, &"example.test".parse().unwrap(), RecordType::Mx, out);
                assert!(matches!(asked, Asked::Later(_)));
            }
            Event::Timer => self.0.timer(now, out),
            Event::Datagram { from, bytes, .. } => self.0.datagram(now, from, bytes, out),
            Event::Connected(conn) => self.0.connected(conn, out),
            Event::ConnectFailed(conn, _) => self.0.connect_failed(now, conn, out),
            Event::Bytes(conn, bytes) => self.0.bytes(now, conn, bytes, out),
            Event::Closed(conn, how) => self.0.closed(now, conn, how, out),
            _ => {}
        }
        match self.0.deadline() {
            Some(due) => out.wake_at(due),
            None => out.wake_never(),
        }
    }
}
