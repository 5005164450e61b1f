//! Faults of a drill built in code.

use std::time::Duration;

use mxdrill_smtp::Stage;

use super::{Act, set_key};
use crate::scenario::{
    Answer, Connect, Moment, Octets, TlsFault,
    print::duration,
    toml_text::{Node, Table},
};

/// A fault: made by [`fault`], [`way`], [`link`] or [`dns`], and then told what is wrong.
#[derive(Clone, Debug)]
pub struct Fault {
    keys: Table,
    matching: Table,
}

/// Something wrong with a host.
pub fn fault(host: &str) -> Fault {
    Fault::on("host", host.to_owned())
}

/// Something wrong with the way from one host to another, in that direction only.
pub fn way(from: &str, to: &str) -> Fault {
    Fault::on("link", format!("{from}>{to}"))
}

/// Something wrong with the link between two hosts, both ways.
pub fn link(one: &str, other: &str) -> Fault {
    Fault::on("link", format!("{one}<>{other}"))
}

/// Something wrong with the answers for a name and type: `"example.test MX"`.
pub fn dns(name_and_type: &str) -> Fault {
    Fault::on("dns", name_and_type.to_owned())
}

impl Fault {
    fn on(key: &str, what: String) -> Fault {
        Fault { keys: vec![(key.into(), Node::text(what))], matching: Table::new() }
    }

    fn key(mut self, key: &str, node: Node) -> Fault {
        set_key(&mut self.keys, key, node);
        self
    }

    /// How long.
    pub fn lasting(self, time: Duration) -> Fault {
        self.key("for", duration(time))
    }

    /// A name to clear it by.
    pub fn named(self, name: &str) -> Fault {
        self.key("name", Node::text(name))
    }

    /// It may stay without effect.
    pub fn may_miss(self) -> Fault {
        self.key("may-miss", Node::plain(true))
    }

    /// Mail may be given up because of it: what it rejects for good, what it hides in the DNS, and what grows too
    /// old while it lasts.
    pub fn may_bounce(self) -> Fault {
        self.key("may-bounce", Node::plain(true))
    }

    fn connect(self, connect: Connect) -> Fault {
        self.key("connect", Node::text(connect.word()))
    }

    /// Connects are reset.
    pub fn refuse(self) -> Fault {
        self.connect(Connect::Refuse)
    }

    /// Connects get no answer.
    pub fn blackhole(self) -> Fault {
        self.connect(Connect::Blackhole)
    }

    /// There is no way to the host.
    pub fn unreachable(self) -> Fault {
        self.connect(Connect::Unreachable)
    }

    /// Connects are accepted, then closed.
    pub fn close(self) -> Fault {
        self.connect(Connect::Close)
    }

    /// Connects are accepted, and never greeted.
    pub fn silent(self) -> Fault {
        self.connect(Connect::Silent)
    }

    /// At a stage of the dialogue: then [`Fault::reply`], [`Fault::drop`], [`Fault::delay`], [`Fault::tarpit`] or
    /// [`Fault::crash`].
    pub fn at(self, stage: Stage) -> Fault {
        self.key("stage", Node::text(stage.word()))
    }

    /// Says this: `"451 4.3.0 later"`.
    pub fn reply(self, reply: &str) -> Fault {
        self.key("reply", Node::text(reply))
    }

    /// Drops the connection.
    pub fn drop(self, moment: Moment) -> Fault {
        self.key("drop", Node::text(moment.word()))
    }

    /// Waits before replying; of the DNS, before answering.
    pub fn delay(self, time: Duration) -> Fault {
        self.key("delay", duration(time))
    }

    /// Sends the reply at so many bytes a second.
    pub fn tarpit(self, bytes_per_second: u32) -> Fault {
        self.key("tarpit", Node::plain(bytes_per_second))
    }

    /// Only the first so many times.
    pub fn first(self, count: u32) -> Fault {
        self.key("first", Node::plain(count))
    }

    /// Only every so many times.
    pub fn every(self, count: u32) -> Fault {
        self.key("every", Node::plain(count))
    }

    /// With a chance: `"5%"`, keyed by the seed.
    pub fn odds(self, chance: &str) -> Fault {
        self.key("odds", Node::text(chance))
    }

    /// Only what exceeds a rate, for each client: `"10/min"`.
    pub fn per(self, rate: &str) -> Fault {
        self.key("per", Node::text(rate))
    }

    fn matching(mut self, key: &str, what: &str) -> Fault {
        set_key(&mut self.matching, key, Node::text(what));
        self
    }

    /// Only in sessions of this client.
    pub fn client(self, host: &str) -> Fault {
        self.matching("client", host)
    }

    /// Only for this envelope sender.
    pub fn sender(self, address: &str) -> Fault {
        self.matching("sender", address)
    }

    /// Only for this recipient, or all of `"@example.test"`.
    pub fn recipient(self, address: &str) -> Fault {
        self.matching("recipient", address)
    }

    /// Loses power: at once, or at a stage where there is one. Comes back when the fault ends.
    pub fn crash(self) -> Fault {
        self.key("crash", Node::plain(true))
    }

    /// Loses power at that moment of the stage.
    pub fn crash_at(self, moment: Moment) -> Fault {
        let node = if moment == Moment::AtOnce { Node::plain(true) } else { Node::text(moment.word()) };
        self.key("crash", node)
    }

    /// Loses power and comes back at once.
    pub fn restart(self) -> Fault {
        self.key("restart", Node::plain(true))
    }

    /// Nothing more can be stored.
    pub fn disk_full(self) -> Fault {
        self.key("disk", Node::text("full"))
    }

    /// So many clients at once; the others are told 421.
    pub fn max_connections(self, max: u32) -> Fault {
        self.key("max-connections", Node::plain(max))
    }

    /// Each client, sender and recipient waits so long after its first try.
    pub fn greylist(self, time: Duration) -> Fault {
        self.key("greylist", duration(time))
    }

    /// Larger messages are refused.
    pub fn size(self, bytes: u64) -> Fault {
        self.key("size", Node::text(Octets(bytes).to_string()))
    }

    /// Something is wrong with TLS.
    pub fn tls(self, fault: TlsFault) -> Fault {
        self.key("tls", Node::text(fault.word()))
    }

    /// Nothing passes.
    pub fn partition(self) -> Fault {
        self.key("partition", Node::plain(true))
    }

    /// One-way delay.
    pub fn latency(self, time: Duration) -> Fault {
        self.key("latency", duration(time))
    }

    /// The chance of losing a packet: `"5%"`.
    pub fn loss(self, chance: &str) -> Fault {
        self.key("loss", Node::text(chance))
    }

    /// Bytes a second.
    pub fn bandwidth(self, bytes_per_second: u64) -> Fault {
        self.key("bandwidth", Node::plain(bytes_per_second))
    }

    /// Each connection is reset after so many bytes.
    pub fn cut_after(self, bytes: u64) -> Fault {
        self.key("cut-after", Node::text(Octets(bytes).to_string()))
    }

    /// A wrong answer of the DNS.
    pub fn answer(self, answer: Answer) -> Fault {
        self.key("answer", Node::text(answer.word()))
    }

    /// SERVFAIL.
    pub fn servfail(self) -> Fault {
        self.answer(Answer::ServFail)
    }

    /// NXDOMAIN.
    pub fn nxdomain(self) -> Fault {
        self.answer(Answer::NxDomain)
    }

    /// No answer of the DNS.
    pub fn timeout(self) -> Fault {
        self.answer(Answer::Timeout)
    }
}

impl From<Fault> for Act {
    fn from(mut fault: Fault) -> Act {
        if !fault.matching.is_empty() {
            fault.keys.push(("match".into(), Node::Table(fault.matching)));
        }
        Act::new("fault", Node::Table(fault.keys))
    }
}
