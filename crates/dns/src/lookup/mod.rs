//! The look-up machine: how a host asks the caching resolver of its site.
//!
//! A host owns one [`Lookup`], hands it the datagrams, connection events and timer ticks that belong to it,
//! and takes the answers with [`Lookup::poll`]. It asks one server over datagrams, once more over TCP when the
//! answer was truncated (RFC 7766 5), follows aliases, and remembers answers for their time to live.

mod answer;
mod cache;
mod flight;
mod query;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use mxdrill_net::{Closed, Commands, Conn, DomainName, Seed, Time};

use crate::{Fact, Outcome, Record, RecordType, wire};
use cache::Cache;
use flight::Flights;

/// Whom a host asks, and how patiently.
#[derive(Clone, Debug)]
pub struct LookupConfig {
    /// The caching resolver of the site.
    pub server: SocketAddr,
    /// The host's own address that questions leave from.
    pub from: IpAddr,
    /// The seed of the drill: query ids and the source port are drawn from it.
    pub seed: Seed,
    /// The host's number, so that two hosts draw apart.
    pub host: u64,
    /// How long one try waits. `options timeout:` of resolv.conf(5), 5 s when not said.
    pub timeout: Duration,
    /// Tries in all. `options attempts:` of resolv.conf(5), 2 when not said.
    pub tries: u8,
    /// Answers remembered at most; the oldest makes room.
    pub cache: usize,
    /// The datagram size told to the server (RFC 6891 6.2.3); `None` asks without EDNS, so 512 octets.
    pub edns: Option<u16>,
}

impl LookupConfig {
    /// The defaults of the C library's resolver (5 s, 2 tries), and 1232 octets as resolvers agreed in 2020.
    pub fn new(server: SocketAddr, from: IpAddr, seed: Seed, host: u64) -> LookupConfig {
        let (timeout, tries) = (Duration::from_secs(5), 2);
        LookupConfig { server, from, seed, host, timeout, tries, cache: 65_536, edns: Some(1232) }
    }
}

/// Names a question whose answer comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What [`Lookup::ask`] says at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The answer was known.
    Now(Answer),
    /// The answer comes from [`Lookup::poll`] under this ticket.
    Later(Ticket),
}

/// The answer to a question. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How the look-up ended.
    pub outcome: Outcome,
    /// The records of the type asked for. Where their owner is not the name asked for, that was an alias.
    pub records: Arc<[Record]>,
    /// Whether the resolver vouched for the answer (the AD bit, RFC 4035 3.2.3): DANE needs it.
    pub authentic: bool,
}

impl Answer {
    pub(crate) fn empty(outcome: Outcome) -> Answer {
        Answer { outcome, records: Arc::new([]), authentic: false }
    }
}

/// A name and a type: what a question is, and what the cache is keyed by.
pub(crate) type Key = (DomainName, RecordType);

/// The look-ups of one host.
#[derive(Debug)]
pub struct Lookup {
    config: LookupConfig,
    local: SocketAddr,
    cache: Cache,
    flights: Flights,
    ready: VecDeque<(Ticket, Answer)>,
    tickets: u64,
}

impl Lookup {
    /// Look-ups with an empty cache.
    pub fn new(config: LookupConfig) -> Lookup {
        let port = 49_152 + config.seed.draw("dns-port", &[config.host]).below(16_384) as u16;
        Lookup {
            local: SocketAddr::new(config.from, port),
            cache: Cache::new(config.cache),
            flights: Flights::default(),
            ready: VecDeque::new(),
            tickets: 0,
            config,
        }
    }

    /// The address that questions leave from, and that answers must come to. Nobody should connect to it.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Makes ready to receive answers: to be called at the host's `Start` or `Restart`.
    pub fn start<F>(&self, out: &mut Commands<F>) {
        out.listen(self.local);
    }

    /// Asks. An equal question under way is not sent twice.
    pub fn ask<F: From<Fact>>(
        &mut self,
        now: Time,
        name: &DomainName,
        kind: RecordType,
        out: &mut Commands<F>,
    ) -> Asked {
        let key = match wire::ascii(name) {
            Some(name) => (name, kind),
            // a name that cannot stand on the wire is a name that nobody can have
            None => return Asked::Now(Answer::empty(Outcome::NxDomain)),
        };
        if let Some(answer) = self.cache.get(now, &key) {
            return Asked::Now(answer.clone());
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.flights.join(now, key, ticket, &self.config, self.local, out);
        Asked::Later(ticket)
    }

    /// Takes a datagram that came to [`Lookup::local`]. What is no answer to an open question is ignored.
    pub fn datagram<F: From<Fact>>(
        &mut self,
        now: Time,
        from: SocketAddr,
        bytes: &[u8],
        out: &mut Commands<F>,
    ) {
        // an answer from anyone else is a forgery or a stray (RFC 5452 9.1)
        if from == self.config.server
            && let Some((flight, message)) = self.flights.matching(bytes)
        {
            if message.metadata.truncation {
                self.flights.ask_over_tcp(now, flight, &self.config, out);
            } else {
                self.settle(now, flight, &message, out);
            }
        }
    }

    /// Whether a connection is one of these look-ups.
    pub fn owns(&self, conn: Conn) -> bool {
        self.flights.by_conn(conn).is_some()
    }

    /// A connect succeeded.
    pub fn connected<F>(&mut self, conn: Conn, out: &mut Commands<F>) {
        self.flights.connected(conn, out);
    }

    /// Bytes came over a connection of these look-ups.
    pub fn bytes<F: From<Fact>>(&mut self, now: Time, conn: Conn, bytes: &[u8], out: &mut Commands<F>) {
        let Some(framed) = self.flights.received(conn, bytes) else { return };
        match self.flights.matching(&framed) {
            Some((flight, message)) => self.settle(now, flight, &message, out),
            // whatever this server speaks, it is no answer
            None => {
                out.close(conn);
                self.lost(now, conn, out);
            }
        }
    }

    /// A connect of these look-ups failed: that try is lost.
    pub fn connect_failed<F: From<Fact>>(&mut self, now: Time, conn: Conn, out: &mut Commands<F>) {
        self.lost(now, conn, out);
    }

    /// A connection of these look-ups ended before it brought an answer: that try is lost.
    pub fn closed<F: From<Fact>>(&mut self, now: Time, conn: Conn, how: Closed, out: &mut Commands<F>) {
        if how == Closed::Eof {
            out.close(conn);
        }
        self.lost(now, conn, out);
    }

    fn lost<F: From<Fact>>(&mut self, now: Time, conn: Conn, out: &mut Commands<F>) {
        if let Some(flight) = self.flights.forget_conn(conn) {
            self.try_again(now, flight, out);
        }
    }

    /// The deadline has come, or some other deadline of the owner's: too early is harmless.
    pub fn timer<F: From<Fact>>(&mut self, now: Time, out: &mut Commands<F>) {
        while let Some(flight) = self.flights.overdue(now) {
            self.try_again(now, flight, out);
        }
    }

    fn try_again<F: From<Fact>>(&mut self, now: Time, flight: u32, out: &mut Commands<F>) {
        if !self.flights.send_again(now, flight, &self.config, self.local, out) {
            self.finish(now, flight, Answer::empty(Outcome::Timeout), None, out);
        }
    }

    /// When [`Lookup::timer`] is due; `None` while nothing is under way.
    pub fn deadline(&self) -> Option<Time> {
        self.flights.deadline()
    }

    /// The next answer that came, if any.
    pub fn poll(&mut self) -> Option<(Ticket, Answer)> {
        self.ready.pop_front()
    }

    /// Forgets every answer.
    pub fn flush(&mut self) {
        self.cache.clear();
    }

    fn settle<F: From<Fact>>(
        &mut self,
        now: Time,
        flight: u32,
        message: &hickory_proto::op::Message,
        out: &mut Commands<F>,
    ) {
        match self.flights.read(flight, message) {
            answer::Reading::Final { answer, ttl } => self.finish(now, flight, answer, ttl, out),
            answer::Reading::Alias { target } => {
                self.flights.ask_for(now, flight, target, &self.config, self.local, out);
            }
        }
    }

    fn finish<F: From<Fact>>(
        &mut self,
        now: Time,
        flight: u32,
        answer: Answer,
        ttl: Option<u32>,
        out: &mut Commands<F>,
    ) {
        let Some((key, tickets)) = self.flights.land(flight, out) else { return };
        let (name, kind) = key.clone();
        out.record(Fact::Answered { name, kind, outcome: answer.outcome });
        self.ready.extend(tickets.into_iter().map(|ticket| (ticket, answer.clone())));
        if let Some(ttl) = ttl.filter(|ttl| *ttl > 0) {
            self.cache.insert(now, key, answer, ttl);
        }
        self.flights.launch_next(now, &self.config, self.local, out);
    }
}
