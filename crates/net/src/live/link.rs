//! Links in a live world: what a rule holds back waits here, on the sending side, until its time.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::{
    end::{End, Other, Stage},
    engine::{Engine, Ready, Soon, What},
    timers::Due,
};
use crate::{
    Closed, Conn, Fact, HostId, LinkRule, Seed, Tag, Time,
    way::{PATIENCE, Passage, Way, next_retransmit},
};

/// The rules in force, by direction. Without one, a way is as quick as the kernel.
#[derive(Debug)]
pub(super) struct Links {
    ways: BTreeMap<(HostId, HostId), Way>,
    seed: Seed,
    /// Packets sent so far over governed ways, which key their draws.
    packets: u64,
}

impl Links {
    pub(super) fn new(seed: Option<Seed>) -> Links {
        Links { ways: BTreeMap::new(), seed: seed.unwrap_or(Seed(0)), packets: 0 }
    }

    /// Whether what an end sends goes through [`Engine::send_over_link`].
    pub(super) fn governs(&self, end: &End) -> bool {
        end.flow.is_some()
            || (!self.ways.is_empty()
                && end.other.host().is_some_and(|peer| self.ways.contains_key(&(end.host, peer))))
    }

    fn is_partitioned(&self, from: HostId, to: HostId) -> bool {
        self.ways.get(&(from, to)).is_some_and(|way| way.link.partition)
    }

    fn draw(&mut self) -> u64 {
        self.packets += 1;
        self.seed.pick("live packet", &[self.packets])
    }

    /// When a packet that nobody retransmits arrives.
    pub(super) fn packet(&mut self, from: HostId, to: HostId, now: Time, bytes: usize) -> Passage {
        let draw = self.draw();
        match self.ways.get_mut(&(from, to)) {
            Some(way) => way.packet(now, bytes, draw),
            None => Passage { at: Some(now), bit: None },
        }
    }

    /// When a segment of a stream arrives; not while there is a partition.
    fn pass(&mut self, from: HostId, to: HostId, now: Time, bytes: usize) -> Passage {
        let draw = self.draw();
        match self.ways.get_mut(&(from, to)) {
            Some(way) if way.link.partition => Passage { at: None, bit: way.tag() },
            Some(way) => way.pass(now, bytes, draw),
            None => Passage { at: Some(now), bit: None },
        }
    }

    /// How many bytes share one fate, how many more the way carries before it cuts the connection, and whose
    /// fault that would be.
    fn allowance(&self, from: HostId, to: HostId, carried: u64) -> (usize, usize, Option<Tag>) {
        let Some(way) = self.ways.get(&(from, to)) else { return (usize::MAX, usize::MAX, None) };
        let room = way.link.cut_after.map_or(u64::MAX, |limit| limit.saturating_sub(carried));
        (way.piece(), usize::try_from(room).unwrap_or(usize::MAX), way.tag())
    }
}

/// What an end has sent over a governed way and the kernel has not got yet.
#[derive(Debug, Default)]
pub(super) struct Flow {
    queue: VecDeque<(Time, Freight)>,
    bytes: usize,
    /// When the last of it goes.
    last: Time,
    carried: u64,
    /// Since when nothing gets through.
    stalled: Option<Time>,
    is_cut: bool,
}

#[derive(Debug)]
enum Freight {
    Bytes(Bytes),
    /// The end of the stream.
    Fin,
    /// The way breaks the connection here.
    Cut,
}

impl Flow {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    fn push(&mut self, at: Time, freight: Freight) {
        self.last = at;
        if let Freight::Bytes(bytes) = &freight {
            self.bytes += bytes.len();
            self.carried += bytes.len() as u64;
        }
        self.queue.push_back((at, freight));
    }

    fn pop(&mut self, now: Time) -> Option<Freight> {
        let (_, freight) = self.queue.pop_front_if(|(at, _)| *at <= now)?;
        if let Freight::Bytes(bytes) = &freight {
            self.bytes -= bytes.len();
        }
        Some(freight)
    }

    fn next(&self) -> Option<Time> {
        self.queue.front().map(|(at, _)| *at).filter(|at| *at < Time::MAX)
    }
}

impl<F: From<Fact>> Engine<F> {
    /// Sends over a governed way: in pieces, each with its own fate.
    pub(super) fn send_over_link(&mut self, now: Time, key: usize, pieces: impl Iterator<Item = Bytes>) {
        for mut bytes in pieces {
            while !bytes.is_empty() {
                let Some((from, to, flow)) = self.flow(key) else { return };
                let (carried, is_cut) = (flow.carried, flow.is_cut);
                let (piece, room, tag) = self.links.allowance(from, to, carried);
                if is_cut {
                    return;
                }
                let piece = bytes.split_to(bytes.len().min(piece).min(room));
                let is_last = piece.len() == room;
                self.load(now, key, Freight::Bytes(piece));
                if is_last {
                    self.bit(from, tag);
                    self.load(now, key, Freight::Cut);
                }
            }
        }
        self.hold_or_let_go(key);
    }

    /// Lets the end of a closed stream go behind what the link holds back.
    pub(super) fn close_over_link(&mut self, now: Time, key: usize) {
        if self.ends.get(key).is_some_and(|end| self.links.governs(end)) {
            self.load(now, key, Freight::Fin);
        }
    }

    fn flow(&mut self, key: usize) -> Option<(HostId, HostId, &mut Flow)> {
        let end = self.ends.get_mut(key)?;
        Some((end.host, end.other.host()?, &mut **end.flow.get_or_insert_default()))
    }

    /// Puts freight on the way, and sees to it that it arrives.
    fn load(&mut self, now: Time, key: usize, freight: Freight) {
        let Some((from, to, flow)) = self.flow(key) else { return };
        if flow.is_cut || flow.stalled.is_some() {
            return flow.push(Time::MAX, freight);
        }
        let bytes = if let Freight::Bytes(bytes) = &freight { bytes.len() } else { 0 };
        let passage = self.links.pass(from, to, now, bytes);
        self.bit(from, passage.bit);
        let Some((_, _, flow)) = self.flow(key) else { return };
        flow.is_cut = matches!(freight, Freight::Cut);
        let at = passage.at.map_or(Time::MAX, |at| at.max(flow.last));
        let was_empty = flow.is_empty();
        if at == Time::MAX {
            flow.stalled = Some(now);
        }
        flow.push(at, freight);
        let Some(conn) = self.ends.get(key).map(|end| end.conn) else { return };
        if at == Time::MAX {
            self.timers.arm(now + PATIENCE, Due::Stalled(conn));
        } else if was_empty {
            self.timers.arm(at, Due::Flow(conn));
        }
    }

    /// Hands the kernel what has waited long enough.
    pub(super) fn flow_due(&mut self, now: Time, conn: Conn) {
        let Some(key) = self.keys.get(&conn).copied() else { return };
        while let Some(end) = self.ends.get_mut(key)
            && let Some(freight) = end.flow.as_mut().and_then(|flow| flow.pop(now))
        {
            match freight {
                Freight::Bytes(bytes) => end.out.push(bytes),
                Freight::Fin => {}
                Freight::Cut => end.cutting = true,
            }
        }
        let Some(end) = self.ends.get_mut(key) else { return };
        if let Some(next) = end.flow.as_ref().and_then(|flow| flow.next()) {
            self.timers.arm(next, Due::Flow(conn));
        }
        if end.flow.as_ref().is_some_and(|flow| flow.is_empty()) {
            let kept = end.flow.take();
            if self.links.governs(end) {
                end.flow = kept; // it counts what the way has carried
            }
        }
        self.flush(key);
    }

    /// A partition outlasted the kernel: the sender's process is told, the other side is not.
    pub(super) fn stalled(&mut self, now: Time, conn: Conn) {
        let Some(key) = self.keys.get(&conn).copied() else { return };
        let Some(end) = self.ends.get_mut(key) else { return };
        let since = end.flow.as_ref().and_then(|flow| flow.stalled);
        if since.is_none_or(|since| since + PATIENCE > now) {
            return;
        }
        if end.is_known() {
            let (host, eof) = (end.host, end.eof);
            if !eof {
                self.record(host, Fact::Gone { conn, how: Some(Closed::Reset) });
            }
            let life = self.host(host).life;
            self.soon.push_back(Soon::Closed { host, life, conn, how: Closed::Reset });
        }
        self.leave(key);
    }

    /// Abandons an end without a word to the peer, as where no packet gets through any more.
    pub(super) fn leave(&mut self, key: usize) {
        let Some(end) = self.ends.get_mut(key) else { return };
        end.stage = Stage::Lingering;
        end.flow = None;
        end.held = false;
        end.out.clear();
        self.ready.push_back(Ready { what: What::End(key), writable: false, ending: true });
        self.recount(key);
        self.finish(key);
    }

    /// Whether a reset by this end would not get through.
    pub(super) fn is_cut_off(&self, end: &End) -> bool {
        end.other.host().is_some_and(|peer| self.links.is_partitioned(end.host, peer))
    }

    /// All that the way carries before its cut is in the kernel: once it is read, both ends are reset.
    pub(super) fn cut_if_sent(&mut self, key: usize) {
        let Some(end) = self.ends.get(key).filter(|end| end.cutting && end.out.is_empty()) else { return };
        match end.other {
            Other::Met(_, other) => {
                if let Some(other) = self.ends.get_mut(other) {
                    other.cut = true;
                }
                self.recount(other);
                self.cut_if_read(other);
            }
            Other::Unmet(_, local) => {
                if let Some(arrival) = self.arrivals.get_mut(&local) {
                    arrival.cut = true;
                }
            }
            Other::Gone(_) | Other::Stranger => self.sever(key),
        }
    }

    /// Resets both ends once everything before the cut is read.
    pub(super) fn cut_if_read(&mut self, key: usize) {
        let Some(end) = self.ends.get_mut(key).filter(|end| end.cut && end.inbound.bytes == 0) else {
            return;
        };
        end.cut = false;
        let other = end.other;
        self.recount(key);
        self.sever(key);
        if let Other::Met(_, other) = other {
            self.sever(other);
        }
    }

    /// Sets or lifts the rule of a way.
    pub(super) fn set_link(&mut self, now: Time, from: HostId, to: HostId, rule: Option<LinkRule>) {
        match rule {
            Some(rule) => {
                self.links.ways.entry((from, to)).or_insert_with(|| Way::new(from.0)).set(Some(rule));
            }
            None => drop(self.links.ways.remove(&(from, to))),
        }
        if self.links.is_partitioned(from, to) {
            return;
        }
        let is_on_way = |end: &End| end.host == from && end.other.host() == Some(to);
        let keys: Vec<_> = self.ends.iter().filter(|(_, end)| is_on_way(end)).map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.resume(now, key));
    }

    /// The way is open again: what is stalled goes with the next retransmission.
    fn resume(&mut self, now: Time, key: usize) {
        let Some(end) = self.ends.get_mut(key) else { return };
        let Some(to) = end.other.host() else { return };
        let (from, conn) = (end.host, end.conn);
        let Some(flow) = end.flow.as_mut() else { return };
        let Some(since) = flow.stalled.take() else { return };
        let again = next_retransmit(since, now);
        let mut last = again;
        for (at, freight) in flow.queue.iter_mut().filter(|(at, _)| *at == Time::MAX) {
            let bytes = if let Freight::Bytes(bytes) = freight { bytes.len() } else { 0 };
            let passage = self.links.pass(from, to, again, bytes);
            last = passage.at.map_or(Time::MAX, |at| at.max(last));
            *at = last;
        }
        flow.last = last;
        if last == Time::MAX {
            flow.stalled = Some(since);
        }
        if let Some(next) = flow.next() {
            self.timers.arm(next, Due::Flow(conn));
        }
    }
}
