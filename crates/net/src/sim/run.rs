//! The loop: takes the next event or deadline, hands it to its process, carries out what that asks for.

use super::{
    Sim,
    connection::State,
    disk::SYNC,
    host::First,
    queue::{Entry, Side, What},
};
use crate::{Command, Event, Fact, HostId, Process, Sink, Stop, Time, way::PATIENCE};

impl<P: Process<F>, F: From<Fact>> Sim<P, F> {
    pub(super) fn run(&mut self, until: Time, sink: &mut dyn Sink<F>) -> Stop {
        self.is_asked = false;
        self.asked_until = until.max(self.now);
        self.flush(sink);
        while !self.is_asked {
            let deadline = self.wakes.next();
            let queued = self.queue.next_at();
            // At the same time input comes before deadlines: a reply in time is a reply in time.
            match (queued, deadline) {
                (None, None) => return Stop::Idle,
                (Some(at), _) if at <= until && deadline.is_none_or(|(wake, _)| at <= wake) => {
                    self.next_event(sink)
                }
                (_, Some((at, host))) if at <= until && queued.is_none_or(|queued| at < queued) => {
                    self.now = at;
                    self.wakes.fire(host);
                    self.handle(host, Event::Timer, sink);
                }
                _ => {
                    self.now = self.now.max(until);
                    return Stop::Reached;
                }
            }
        }
        Stop::Asked
    }

    /// Hands over the facts recorded since the last run, as far as the sink wants them.
    fn flush(&mut self, sink: &mut dyn Sink<F>) {
        let mut pending = std::mem::take(&mut self.pending).into_iter();
        for (at, HostId(host), fact) in pending.by_ref() {
            if sink.see(at, HostId(host), fact).is_break() {
                self.is_asked = true;
                break;
            }
        }
        self.pending = pending.collect();
    }

    fn next_event(&mut self, sink: &mut dyn Sink<F>) {
        let Some(entry) = self.queue.pop() else { return };
        // What has come to nothing must not move the time: a world that fell silent is dated by its last event.
        if self.is_due(entry) {
            self.now = entry.at;
            self.happen(entry.what, sink);
        }
    }

    /// Whether the entry still means anything.
    fn is_due(&self, entry: Entry) -> bool {
        let end = |key, side| self.connections.get(key).map(|connection| connection.end(side));
        match entry.what {
            What::Begin { host, life } => {
                let host = &self.hosts[usize::from(host)];
                host.life == life && host.first.is_some()
            }
            What::SyncEnds { host, life } => self.hosts[usize::from(host)].life == life,
            What::Syn(key) | What::SynArrives(key) | What::Connected(key) | What::ConnectFails(key, _) => {
                end(key, Side::Opener).is_some_and(|end| end.state == State::Connecting)
            }
            What::Deliver(key, side) => end(key, side).is_some_and(|end| end.out.armed == Some(entry.at)),
            What::ResetArrives(key, side) => end(key, side).is_some_and(|end| end.state != State::Done),
            What::GiveUp(key, side) => {
                let since = end(key, side).and_then(|end| end.out.stalled);
                since.is_some_and(|since| since + PATIENCE <= entry.at)
            }
            What::Drained(key, side) => {
                end(key, side).is_some_and(|end| end.state == State::Open && end.out.choked)
            }
            What::Datagram(_) => true,
        }
    }

    fn happen(&mut self, what: What, sink: &mut dyn Sink<F>) {
        match what {
            What::Begin { host, .. } => self.begin(host, sink),
            What::SyncEnds { host, .. } => {
                if let Some(event) = self.hosts[usize::from(host)].store.end_sync() {
                    self.handle(host, event, sink);
                }
            }
            What::Syn(key) => self.syn(key, sink),
            What::SynArrives(key) => self.syn_arrives(key, sink),
            What::Connected(key) => self.connected(key, sink),
            What::ConnectFails(key, why) => self.connect_fails(key, why, sink),
            What::Deliver(key, side) => self.deliver(key, side, sink),
            What::ResetArrives(key, side) => self.reset_arrives(key, side, sink),
            What::GiveUp(key, side) => self.give_up(key, side, sink),
            What::Drained(key, side) => self.drained(key, side, sink),
            What::Datagram(key) => self.datagram_arrives(key, sink),
        }
    }

    /// Gives a process its first event, unless it has had it.
    pub(super) fn begin(&mut self, host: u16, sink: &mut dyn Sink<F>) {
        match self.hosts[usize::from(host)].first.take() {
            None => {}
            Some(First::Start) => self.handle(host, Event::Start, sink),
            Some(First::Restart(kept)) => self.handle(host, Event::Restart(&kept), sink),
        }
    }

    /// Hands an event to the process of a host, if it is up.
    pub(super) fn handle(&mut self, host: u16, event: Event<'_>, sink: &mut dyn Sink<F>) {
        if let Some(process) = &mut self.hosts[usize::from(host)].process {
            process.handle(self.now, event, &mut self.out);
            self.carry_out(host, sink);
        }
    }

    /// Carries out the commands of the process that has just been called, in their order.
    pub(super) fn carry_out(&mut self, host: u16, sink: &mut dyn Sink<F>) {
        if let Some(wake) = self.out.take_wake() {
            self.wakes.set(host, wake.map_or(Time::MAX, |at| at.max(self.now)));
        }
        let mut list = self.out.take();
        for command in list.drain(..) {
            self.obey(host, command, sink);
        }
        self.out.clear(list);
    }

    fn obey(&mut self, host: u16, command: Command<F>, sink: &mut dyn Sink<F>) {
        match command {
            Command::Send(conn, range) => self.send_copied(conn, range, sink),
            Command::SendShared(conn, bytes) => self.send_shared(conn, bytes, sink),
            Command::Record(fact) => self.tell(host, fact, sink),
            Command::Close(conn) => self.close(conn, sink),
            Command::Reset(conn) => self.reset(conn, sink),
            Command::Connect { conn, from, to } => self.connect(host, conn, from, to, sink),
            Command::Datagram { from, to, bytes } => self.datagram(host, from, to, bytes, sink),
            Command::Listen(at) => {
                let listens = &mut self.hosts[usize::from(host)].listens;
                if !listens.contains(&at) {
                    listens.push(at);
                }
            }
            Command::Append(segment, slices) => {
                if let Some(tag) = self.hosts[usize::from(host)].store.append(segment, slices) {
                    self.tell(host, Fact::Bit(tag), sink);
                }
            }
            Command::Sync(token) => {
                let (now, host_state) = (self.now, &mut self.hosts[usize::from(host)]);
                host_state.store.sync(token);
                self.queue.push(now + SYNC, What::SyncEnds { host, life: host_state.life });
            }
            Command::Remove(segment) => self.hosts[usize::from(host)].store.remove(segment),
        }
    }
}
