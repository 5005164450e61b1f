//! Questions under way: their tries, their connections, their deadlines.

use std::{collections::VecDeque, net::SocketAddr};

use bytes::Bytes;
use hickory_proto::op::Message;
use mxdrill_net::{Commands, Conn, DomainName, Index, Time};

use super::{
    Key, LookupConfig, Ticket,
    answer::{self, Reading, Trail},
    query,
};
use crate::Fact;

/// Questions on the way at once; further ones wait for one of these to end. Far below the 65,536 query ids.
const FLIGHTS_MAX: usize = 4096;
/// Octets of a message over TCP, with its length (RFC 1035 4.2.2).
const FRAME_MAX: usize = 2 + 65_535;

/// One question, from the first try to its answer.
#[derive(Debug)]
struct Flight {
    /// What was asked for.
    key: Key,
    /// What the server is asked for now: the last alias's target.
    question: Key,
    trail: Trail,
    tickets: Vec<Ticket>,
    id: u16,
    query: Bytes,
    tries_left: u8,
    /// Which of the timers counts.
    timer: u64,
    conn: Option<Conn>,
    input: Vec<u8>,
}

/// All questions under way.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    slab: Vec<Option<Flight>>,
    free: Vec<u32>,
    by_key: Index<Key, u32>,
    by_id: Index<u16, u32>,
    by_conn: Index<Conn, u32>,
    /// Every try waits equally long, so deadlines come in the order in which tries were made.
    timers: VecDeque<(Time, u32, u64)>,
    timer: u64,
    waiting: VecDeque<u32>,
    questions: u64,
}

impl Flights {
    /// Joins a question under way, or begins one.
    pub(crate) fn join<F: From<Fact>>(
        &mut self,
        now: Time,
        key: Key,
        ticket: Ticket,
        config: &LookupConfig,
        local: SocketAddr,
        out: &mut Commands<F>,
    ) {
        if let Some(at) = self.by_key.get(&key) {
            if let Some(flight) = &mut self.slab[*at as usize] {
                flight.tickets.push(ticket);
            }
            return;
        }
        let at = self.seat(Flight {
            question: key.clone(),
            key: key.clone(),
            trail: Trail::default(),
            tickets: vec![ticket],
            id: 0,
            query: Bytes::new(),
            tries_left: 0,
            timer: 0,
            conn: None,
            input: Vec::new(),
        });
        self.by_key.insert(key, at);
        if self.by_id.len() < FLIGHTS_MAX {
            self.launch(now, at, config, local, out);
        } else {
            self.waiting.push_back(at);
        }
    }

    fn seat(&mut self, flight: Flight) -> u32 {
        match self.free.pop() {
            Some(at) => {
                self.slab[at as usize] = Some(flight);
                at
            }
            None => {
                self.slab.push(Some(flight));
                self.slab.len() as u32 - 1
            }
        }
    }

    fn flight(&mut self, at: u32) -> Option<&mut Flight> {
        self.slab.get_mut(at as usize)?.as_mut()
    }

    /// Sends the first try of a question.
    fn launch<F: From<Fact>>(
        &mut self,
        now: Time,
        at: u32,
        config: &LookupConfig,
        local: SocketAddr,
        out: &mut Commands<F>,
    ) {
        let id = self.fresh_id(config);
        let Some(flight) = self.flight(at) else { return };
        let (name, kind) = flight.question.clone();
        // names are checked when they are asked for, so there always is a wire form
        flight.query = query::encode(id, &flight.question, config.edns).unwrap_or_default();
        flight.id = id;
        flight.tries_left = config.tries.max(1);
        self.by_id.insert(id, at);
        out.record(Fact::Asked { name, kind });
        self.send_again(now, at, config, local, out);
    }

    /// An id that no open question has, drawn for this question alone (RFC 5452 9.2: not to be foreseen).
    fn fresh_id(&mut self, config: &LookupConfig) -> u16 {
        self.questions += 1;
        let mut draw = config.seed.draw("dns-id", &[config.host, self.questions]);
        loop {
            let id = draw.below(65_536) as u16;
            if !self.by_id.contains_key(&id) {
                return id;
            }
        }
    }

    /// Makes the next try over datagrams; false when none is left.
    pub(crate) fn send_again<F>(
        &mut self,
        now: Time,
        at: u32,
        config: &LookupConfig,
        local: SocketAddr,
        out: &mut Commands<F>,
    ) -> bool {
        self.drop_conn(at, out);
        let Some(flight) = self.flight(at) else { return true };
        if flight.tries_left == 0 {
            return false;
        }
        flight.tries_left -= 1;
        out.datagram(local, config.server, flight.query.clone());
        self.arm(now, at, config);
        true
    }

    /// The answer did not fit into a datagram: the same question over TCP, to the same address (RFC 7766 5).
    pub(crate) fn ask_over_tcp<F>(
        &mut self,
        now: Time,
        at: u32,
        config: &LookupConfig,
        out: &mut Commands<F>,
    ) {
        let Some(flight) = self.flight(at).filter(|flight| flight.conn.is_none()) else { return };
        let conn = out.connect(config.from, config.server);
        flight.conn = Some(conn);
        self.by_conn.insert(conn, at);
        self.arm(now, at, config);
    }

    fn arm(&mut self, now: Time, at: u32, config: &LookupConfig) {
        self.timer += 1;
        let timer = self.timer;
        if let Some(flight) = self.flight(at) {
            flight.timer = timer;
        }
        self.timers.push_back((now + config.timeout, at, timer));
        self.drop_stale_timers();
    }

    fn drop_stale_timers(&mut self) {
        while let Some((_, at, timer)) = self.timers.front() {
            let counts = self.slab[*at as usize].as_ref().is_some_and(|flight| flight.timer == *timer);
            if counts {
                break;
            }
            self.timers.pop_front();
        }
    }

    /// A question whose try has waited long enough.
    pub(crate) fn overdue(&mut self, now: Time) -> Option<u32> {
        self.drop_stale_timers();
        let (due, at, _) = *self.timers.front()?;
        (due <= now).then(|| {
            self.timers.pop_front();
            at
        })
    }

    pub(crate) fn deadline(&self) -> Option<Time> {
        self.timers.front().map(|(due, ..)| *due)
    }

    /// The open question that a message answers.
    pub(crate) fn matching(&mut self, bytes: &[u8]) -> Option<(u32, Message)> {
        let id = u16::from_be_bytes([*bytes.first()?, *bytes.get(1)?]);
        let at = *self.by_id.get(&id)?;
        let message = query::decode(bytes)?;
        let flight = self.flight(at)?;
        query::answers(&message, &flight.question).then_some((at, message))
    }

    /// Reads the answer to a question of this flight.
    pub(crate) fn read(&mut self, at: u32, message: &Message) -> Reading {
        match self.flight(at) {
            Some(flight) => {
                let (name, kind) = &flight.question;
                answer::read(name, *kind, message, &mut flight.trail)
            }
            None => Reading::Final { answer: super::Answer::empty(crate::Outcome::ServFail), ttl: None },
        }
    }

    /// Goes on with the target of an alias.
    pub(crate) fn ask_for<F: From<Fact>>(
        &mut self,
        now: Time,
        at: u32,
        target: DomainName,
        config: &LookupConfig,
        local: SocketAddr,
        out: &mut Commands<F>,
    ) {
        self.drop_conn(at, out);
        let Some(flight) = self.flight(at) else { return };
        flight.question.0 = target;
        let id = flight.id;
        self.by_id.remove(&id);
        self.launch(now, at, config, local, out);
    }

    pub(crate) fn by_conn(&self, conn: Conn) -> Option<u32> {
        self.by_conn.get(&conn).copied()
    }

    pub(crate) fn connected<F>(&mut self, conn: Conn, out: &mut Commands<F>) {
        let Some(at) = self.by_conn(conn) else { return };
        if let Some(flight) = self.flight(at) {
            // RFC 7766 8: length and message in one write
            out.send(conn, &(flight.query.len() as u16).to_be_bytes());
            out.send(conn, &flight.query);
        }
    }

    /// Takes bytes of a connection; the message, once it is whole. One message a connection is expected.
    pub(crate) fn received(&mut self, conn: Conn, bytes: &[u8]) -> Option<Vec<u8>> {
        let at = self.by_conn(conn)?;
        let flight = self.flight(at)?;
        let room = FRAME_MAX - flight.input.len();
        flight.input.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let length = u16::from_be_bytes([*flight.input.first()?, *flight.input.get(1)?]) as usize;
        let message = flight.input.get(2..2 + length)?.to_vec();
        flight.input.clear();
        Some(message)
    }

    /// The number is dead; the question that it was for goes on.
    pub(crate) fn forget_conn(&mut self, conn: Conn) -> Option<u32> {
        let at = self.by_conn.remove(&conn)?;
        let flight = self.flight(at)?;
        flight.conn = None;
        flight.input.clear();
        Some(at)
    }

    fn drop_conn<F>(&mut self, at: u32, out: &mut Commands<F>) {
        if let Some(flight) = self.flight(at)
            && let Some(conn) = flight.conn.take()
        {
            flight.input.clear();
            self.by_conn.remove(&conn);
            out.close(conn);
        }
    }

    /// Ends a question; gives back what was asked and who waits.
    pub(crate) fn land<F>(&mut self, at: u32, out: &mut Commands<F>) -> Option<(Key, Vec<Ticket>)> {
        self.drop_conn(at, out);
        let flight = self.slab.get_mut(at as usize)?.take()?;
        self.free.push(at);
        self.by_key.remove(&flight.key);
        self.by_id.remove(&flight.id);
        self.drop_stale_timers();
        Some((flight.key, flight.tickets))
    }

    /// Sends the question that waited longest, if there is room.
    pub(crate) fn launch_next<F: From<Fact>>(
        &mut self,
        now: Time,
        config: &LookupConfig,
        local: SocketAddr,
        out: &mut Commands<F>,
    ) {
        if self.by_id.len() < FLIGHTS_MAX
            && let Some(at) = self.waiting.pop_front()
        {
            self.launch(now, at, config, local, out);
        }
    }
}
