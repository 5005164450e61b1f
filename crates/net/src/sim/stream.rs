//! Established connections: what is sent, when it is delivered, how they end.

use std::ops::Range;

use bytes::Bytes;

use super::{
    Sim,
    connection::{Connection, State},
    pipe::{Front, Mark, Pipe},
    queue::{Side, What},
    slab::Key,
};
use crate::{Closed, Conn, ConnectError, Event, Fact, Process, Seed, Sink, Time, way::PATIENCE};

impl<P: Process<F>, F: From<Fact>> Sim<P, F> {
    /// Sends a range of the commands' text.
    pub(super) fn send_copied(&mut self, conn: Conn, range: Range<u32>, sink: &mut dyn Sink<F>) {
        let Some((key, side)) = self.find(conn) else { return };
        let Sim { connections, ways, queue, out, now, .. } = self;
        let Some(pipe) = connections.get_mut(key).and_then(|connection| open_pipe(connection, side)) else {
            return;
        };
        let bytes = &out.text()[range.start as usize..range.end as usize];
        match pipe.plain_arrival(*now, &ways[pipe.way as usize]) {
            Some(_) if bytes.is_empty() => {}
            Some(at) => {
                pipe.push_copied(at, bytes);
                if let Some(at) = pipe.arm(*now) {
                    queue.push(at, What::Deliver(key, side));
                }
            }
            None => {
                let bytes = Bytes::copy_from_slice(bytes);
                self.send_slowly(key, side, bytes, sink);
            }
        }
    }

    /// Sends bytes where they are.
    pub(super) fn send_shared(&mut self, conn: Conn, bytes: Bytes, sink: &mut dyn Sink<F>) {
        let Some((key, side)) = self.find(conn) else { return };
        let Some(connection) = self.connections.get_mut(key) else { return };
        let Some(pipe) = open_pipe(connection, side) else { return };
        match pipe.plain_arrival(self.now, &self.ways[pipe.way as usize]) {
            Some(_) if bytes.is_empty() => {}
            Some(at) => {
                pipe.push_shared(at, bytes);
                self.arm(key, side);
            }
            None => self.send_slowly(key, side, bytes, sink),
        }
    }

    /// Sends over a way that is not plain: in pieces, each with its own fate.
    fn send_slowly(&mut self, key: Key, side: Side, mut bytes: Bytes, sink: &mut dyn Sink<F>) {
        while !bytes.is_empty() {
            let (piece, room) = self.allowance(key, side);
            let len = bytes.len().min(piece).min(room);
            if len > 0 {
                let at = self.arrival(key, side, len, sink);
                let Some(connection) = self.connections.get_mut(key) else { return };
                connection.end_mut(side).out.push_shared(at, bytes.split_to(len));
            }
            if len == room {
                self.cut(key, side, sink);
                break;
            }
        }
        self.arm(key, side);
    }

    /// How much shares one fate, and how much more the link carries before it cuts the connection.
    fn allowance(&self, key: Key, side: Side) -> (usize, usize) {
        let Some(connection) = self.connections.get(key) else { return (0, 0) };
        let pipe = &connection.end(side).out;
        let way = &self.ways[pipe.way as usize];
        let room = way.link.cut_after.map_or(u64::MAX, |limit| limit.saturating_sub(pipe.sent));
        (way.piece(), usize::try_from(room).unwrap_or(usize::MAX))
    }

    /// The link breaks the connection behind what it has carried.
    fn cut(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let end = connection.end_mut(side);
        if std::mem::replace(&mut end.out.is_cut, true) {
            return;
        }
        let (host, way) = (end.host, end.out.way);
        if let Some(tag) = self.ways[way as usize].tag() {
            self.tell(host, Fact::Bit(tag), sink);
        }
        self.push_mark(key, side, Mark::Cut, sink);
    }

    /// Puts a mark into a side's stream.
    pub(super) fn push_mark(&mut self, key: Key, side: Side, mark: Mark, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get(key) else { return };
        let pipe = &connection.end(side).out;
        let plain = pipe.plain_arrival(self.now, &self.ways[pipe.way as usize]);
        let at = plain.unwrap_or_else(|| self.arrival(key, side, 0, sink));
        if let Some(connection) = self.connections.get_mut(key) {
            connection.end_mut(side).out.push_mark(at, mark);
            self.arm(key, side);
        }
    }

    /// When bytes sent now arrive; `Time::MAX` while nothing does.
    fn arrival(&mut self, key: Key, side: Side, bytes: usize, sink: &mut dyn Sink<F>) -> Time {
        let Some(connection) = self.connections.get_mut(key) else { return Time::MAX };
        let end = connection.end_mut(side);
        let (host, pipe) = (end.host, &mut end.out);
        if pipe.stalled.is_some() {
            return Time::MAX;
        }
        let way = &mut self.ways[pipe.way as usize];
        let (at, bit) = if way.link.partition {
            (None, way.tag())
        } else {
            let passage = way.pass(self.now, bytes, Seed(pipe.draw).pick("segment", &[pipe.sent]));
            (passage.at, passage.bit)
        };
        let at = at.map(|at| at.max(pipe.last_at));
        if at.is_none() {
            pipe.stalled = Some(self.now);
            self.queue.push(self.now + PATIENCE, What::GiveUp(key, side));
        }
        if let Some(tag) = bit {
            self.tell(host, Fact::Bit(tag), sink);
        }
        at.unwrap_or(Time::MAX)
    }

    /// Sees to it that the queue knows when the front of a pipe arrives.
    pub(super) fn arm(&mut self, key: Key, side: Side) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if let Some(at) = connection.end_mut(side).out.arm(self.now) {
            self.queue.push(at, What::Deliver(key, side));
        }
    }

    /// Delivers all that has arrived from this side at the other.
    pub(super) fn deliver(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) {
        if let Some(connection) = self.connections.get_mut(key) {
            connection.end_mut(side).out.armed = None;
        }
        while !self.is_asked {
            let Some(connection) = self.connections.get_mut(key) else { return };
            let front = connection.end(side).out.front(self.now);
            let is_full = connection.end(side.other()).out.choked;
            match front {
                Front::Nothing => return,
                Front::Later(_) => break,
                // The process has output to get rid of first: `drained` comes back to this.
                Front::Data | Front::Mark(Mark::Fin) if is_full && is_open(connection, side.other()) => {
                    return;
                }
                Front::Data if is_open(connection, side.other()) => self.deliver_bytes(key, side, sink),
                Front::Data => return self.deliver_to_nobody(key, side, sink),
                Front::Mark(mark) => {
                    connection.end_mut(side).out.pop_mark();
                    self.deliver_mark(key, side, mark, sink);
                }
            }
        }
        self.arm(key, side);
    }

    fn deliver_bytes(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) {
        let Sim { connections, hosts, ways, queue, out, scratch, now, chop, .. } = self;
        let Some(connection) = connections.get_mut(key) else { return };
        let (sender, receiver) = connection.both_mut(side);
        let Some(process) = &mut hosts[usize::from(receiver.host)].process else { return };
        let bytes = sender.out.segment(*now, *chop, scratch);
        let count = bytes.len();
        process.handle(*now, Event::Bytes(receiver.conn, bytes), out);
        sender.out.consume(count, *chop);
        if sender.out.choked && sender.out.unsent() == 0 {
            let back = ways[receiver.out.way as usize].link.latency;
            queue.push(*now + back, What::Drained(key, side));
        }
        let host = receiver.host;
        self.latest = Some((receiver.conn, key, side.other()));
        self.carry_out(host, sink);
    }

    /// Data for a process that has closed, or for a machine that has forgotten the connection, makes a reset.
    fn deliver_to_nobody(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.end_mut(side).out.clear();
        let last = connection.end(side.other()).out.last_at;
        // Behind what was sent before the close, which is still to arrive; and if the reset does not get
        // through, the sender waits for acknowledgements until its kernel gives up.
        let at = self.reset_passage(key, side.other(), sink).map(|at| at.max(last));
        let at = at.filter(|at| *at < Time::MAX).unwrap_or(self.now + PATIENCE);
        self.queue.push(at, What::ResetArrives(key, side));
    }

    fn deliver_mark(&mut self, key: Key, side: Side, mark: Mark, sink: &mut dyn Sink<F>) {
        match mark {
            Mark::Open => self.accept(key, sink),
            Mark::Fin => self.end_of_stream(key, side.other(), sink),
            Mark::Cut => {
                self.reset_arrives(key, side.other(), sink);
                self.reset_arrives(key, side, sink);
            }
        }
    }

    /// This side's process learns that the other side has ended its stream.
    fn end_of_stream(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let end = connection.end_mut(side);
        if end.state != State::Open {
            return;
        }
        let (host, conn) = (end.host, end.conn);
        self.tell_gone(key, side, Some(Closed::Eof), sink);
        self.handle(host, Event::Closed(conn, Closed::Eof), sink);
    }

    /// A reset is there, whoever made it.
    pub(super) fn reset_arrives(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get(key) else { return };
        let end = connection.end(side);
        let (host, conn, state) = (end.host, end.conn, end.state);
        match state {
            State::Connecting => self.connect_fails(key, ConnectError::Refused, sink),
            State::Open => {
                self.tell_gone(key, side, Some(Closed::Reset), sink);
                self.finish(key, side);
                self.handle(host, Event::Closed(conn, Closed::Reset), sink);
            }
            State::Unasked | State::Answered => self.finish(key, side),
            State::Done => {}
        }
    }

    /// The kernel of this side stops trying. Its process, if it still cares, is told; the other side is not.
    pub(super) fn give_up(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.end_mut(side).out.clear();
        if connection.end(Side::Acceptor).state == State::Answered {
            // The acknowledgement was among what is lost now: the acceptor's kernel forgets the handshake.
            self.finish(key, Side::Acceptor);
        }
        self.reset_arrives(key, side, sink);
    }

    /// This side has learnt that its output is through.
    pub(super) fn drained(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let end = connection.end_mut(side);
        if end.out.unsent() > 0 {
            return;
        }
        end.out.choked = false;
        let (host, conn) = (end.host, end.conn);
        self.handle(host, Event::Sent(conn), sink);
        self.arm(key, side.other());
    }

    /// Ends a side in good order: what it sent, and the end of its stream, are still under way.
    pub(super) fn close(&mut self, conn: Conn, sink: &mut dyn Sink<F>) {
        let Some((key, side)) = self.find(conn) else { return };
        let Some(connection) = self.connections.get(key) else { return };
        match connection.end(side).state {
            State::Open => {
                self.push_mark(key, side, Mark::Fin, sink);
                self.tell_gone(key, side, None, sink);
                self.finish(key, side);
            }
            State::Connecting => self.forget_connect(key),
            State::Unasked | State::Answered | State::Done => {}
        }
    }

    /// Breaks a side off.
    pub(super) fn reset(&mut self, conn: Conn, sink: &mut dyn Sink<F>) {
        let Some((key, side)) = self.find(conn) else { return };
        let Some(connection) = self.connections.get(key) else { return };
        match connection.end(side).state {
            State::Open => {
                self.tell_gone(key, side, None, sink);
                self.abort(key, side, sink);
            }
            State::Connecting => self.forget_connect(key),
            State::Unasked | State::Answered | State::Done => {}
        }
    }

    /// Ends a side at once and sends the other a reset. What is on the wire is ahead of the reset and arrives;
    /// what is not is gone.
    pub(super) fn abort(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let (end, other) = connection.both_mut(side);
        if end.out.stalled.is_some() {
            end.out.clear();
        }
        if other.state == State::Answered && side == Side::Opener {
            return self.forget_connect(key);
        }
        if other.state != State::Done
            && let Some(at) = self.reset_passage(key, side, sink)
        {
            self.queue.push(at, What::ResetArrives(key, side.other()));
        }
        self.finish(key, side);
    }

    /// When a reset sent by this side arrives, if it does.
    fn reset_passage(&mut self, key: Key, side: Side, sink: &mut dyn Sink<F>) -> Option<Time> {
        let pipe = &self.connections.get(key)?.end(side).out;
        let (way, draw) = (pipe.way, Seed(pipe.draw).pick("reset", &[pipe.sent]));
        self.packet(way, 0, draw, sink)
    }

    /// Records that a connection of this host is gone, once.
    pub(super) fn tell_gone(&mut self, key: Key, side: Side, how: Option<Closed>, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let end = connection.end_mut(side);
        if !std::mem::replace(&mut end.gone, true) {
            let (host, conn) = (end.host, end.conn);
            self.tell(host, Fact::Gone { conn, how }, sink);
        }
    }

    /// From now on the number of this side is dead; frees the connection when both are.
    pub(super) fn finish(&mut self, key: Key, side: Side) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let end = connection.end_mut(side);
        if matches!(end.state, State::Open | State::Connecting) {
            self.numbers.remove(&end.conn);
        }
        end.state = State::Done;
        if connection.is_over() {
            self.connections.free(key);
        }
    }
}

fn is_open(connection: &Connection, side: Side) -> bool {
    connection.end(side).state == State::Open
}

/// What a side may send into, if its process may send.
fn open_pipe(connection: &mut Connection, side: Side) -> Option<&mut Pipe> {
    let end = connection.end_mut(side);
    (end.state == State::Open).then_some(&mut end.out)
}
