//! The loop: takes what is due or ready, hands it to its process, and leaps where nothing is.

use std::{io, sync::mpsc::TryRecvError, time::Duration};

use super::{
    Live, LiveError, WAKER,
    engine::{Ready, Soon, What},
    flight::Pace,
    stream::Read,
    timers::Due,
};
use crate::{Closed, Conn, Event, Fact, HostId, Process, Sink, Stop, Time};

/// Reads from one connection, or accepts from one listener, before others get their turn.
const TURNS: u32 = 16;

/// How often it is seen whether the services beside the processes have had their turn.
const TURN: Duration = Duration::from_millis(1);

/// One wait at most: the kernel counts milliseconds in 32 bits.
const WAIT: Duration = Duration::from_secs(3600);

impl<P: Process<F>, F: From<Fact>> Live<P, F> {
    pub(super) fn run(&mut self, until: Time, sink: &mut dyn Sink<F>) -> Stop {
        loop {
            if self.hand_over(sink) || self.engine.clock.is_interrupted() {
                return Stop::Asked;
            }
            if self.step() {
                continue;
            }
            if self.engine.now() >= until {
                return Stop::Reached;
            }
            if let Some(stop) = self.rest(until) {
                return stop;
            }
        }
    }

    /// Hands facts to the sink. True when it wants the driver to come back.
    fn hand_over(&mut self, sink: &mut dyn Sink<F>) -> bool {
        while let Some((at, host, fact)) = self.engine.facts.pop_front() {
            if sink.see(at, host, fact).is_break() {
                return true;
            }
        }
        false
    }

    /// Does one thing that can be done now. At the same time input comes before deadlines: a reply in time is a
    /// reply in time.
    fn step(&mut self) -> bool {
        if let Some(soon) = self.engine.soon.pop_front() {
            self.soon(soon);
        } else if let Some(ready) = self.engine.ready.pop_front() {
            self.ready(ready);
        } else {
            let now = self.engine.now();
            let Some((at, due)) = self.engine.timers.pop(now) else { return false };
            self.due(at, due, now);
        }
        true
    }

    /// Waits for the kernel, or leaps to the next deadline.
    fn rest(&mut self, until: Time) -> Option<Stop> {
        if self.engine.clock.wake_sleepers() {
            self.engine.flight.stir();
        }
        let next = [self.engine.timers.next(), self.engine.clock.next_sleeper()].into_iter().flatten().min();
        let beside = self.engine.clock.beside();
        let pace = if self.leaps { self.engine.flight.pace(beside) } else { Pace::Moving(Duration::MAX) };
        let at = next.unwrap_or(until).min(until);
        match pace {
            Pace::Moving(left) => _ = self.wait(Some(self.engine.clock.real(at).min(left))),
            Pace::Unsure => self.ask_around(),
            Pace::Quiet if self.wait(Some(Duration::ZERO)) => {}
            Pace::Quiet => {
                self.engine.clock.give_up();
                match next {
                    None if beside.foreigners == 0 => return Some(Stop::Idle),
                    None if until == Time::MAX => _ = self.wait(None), // nowhere to leap to, but somebody may come
                    _ => self.engine.clock.leap(at),
                }
            }
        }
        None
    }

    /// Waits until the services beside the processes have had their turn.
    fn ask_around(&mut self) {
        let heard = self.runtime.come_round();
        let moved = loop {
            match heard.try_recv() {
                Err(TryRecvError::Empty) if self.wait(Some(TURN)) => break true,
                Err(TryRecvError::Empty) => {}
                Ok(()) | Err(TryRecvError::Disconnected) => break self.wait(Some(Duration::ZERO)),
            }
        };
        if !moved {
            self.engine.flight.confirm();
        }
    }

    /// Asks the kernel what is ready, waiting at most so long. True if anything is.
    fn wait(&mut self, most: Option<Duration>) -> bool {
        let most = most.map(|most| most.min(WAIT));
        match self.poll.poll(&mut self.events, most) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return false,
            Err(error) => {
                self.engine.trouble(LiveError::Start(error));
                return false;
            }
        }
        let mut moved = false;
        for event in &self.events {
            moved = true;
            if event.token() == WAKER {
                self.engine.collect_done();
            } else if let Some(what) = What::of(event.token()) {
                let ending = event.is_read_closed() || event.is_error();
                self.engine.ready.push_back(Ready { what, writable: event.is_writable(), ending });
            }
        }
        if moved {
            self.engine.flight.movement();
        }
        moved
    }

    fn soon(&mut self, soon: Soon) {
        match soon {
            Soon::Begin(host) => self.begin(host),
            Soon::Connect(conn) => self.engine.connect_due(self.engine.now(), conn),
            Soon::ConnectFailed(conn, why) => {
                if let Some((host, to)) = self.engine.fail(conn) {
                    self.engine.record(host, Fact::ConnectFailed { conn, to, why });
                    self.tell(host, Event::ConnectFailed(conn, why));
                }
            }
            Soon::Severed(conn) => {
                if let Some(host) = self.engine.severed(conn) {
                    self.tell(host, Event::Closed(conn, Closed::Reset));
                }
            }
            Soon::Closed { host, life, conn, how } if self.lives(host, life) => {
                self.tell(host, Event::Closed(conn, how));
            }
            Soon::Sent(conn) => {
                if let Some(host) = self.engine.knows(conn) {
                    self.tell(host, Event::Sent(conn));
                }
            }
            Soon::Stored { host, life, token, result } if self.lives(host, life) => match result {
                Ok(()) => self.tell(host, Event::Synced(token)),
                Err(why) => self.tell(host, Event::StoreFailed(token, why)),
            },
            Soon::Closed { .. } | Soon::Stored { .. } => {}
        }
    }

    fn lives(&self, host: HostId, life: u32) -> bool {
        self.engine.host(host).life == life
    }

    fn due(&mut self, at: Time, due: Due, now: Time) {
        match due {
            Due::Wake(host) => {
                if self.engine.is_awake(host, at, now) {
                    self.tell(host, Event::Timer);
                }
            }
            Due::Connect(conn) => self.engine.connect_due(now, conn),
            Due::Patience(conn) => self.engine.patience_over(conn),
            Due::Flow(conn) => self.engine.flow_due(now, conn),
            Due::Stalled(conn) => self.engine.stalled(now, conn),
            Due::Datagram(number) => self.engine.datagram_due(number),
            Due::Linger(conn) => self.engine.linger_over(conn),
        }
    }

    fn ready(&mut self, ready: Ready) {
        match ready.what {
            What::Listener(key) => self.accept(key),
            What::Datagrams(key) => self.receive(key),
            What::End(key) => {
                self.answered(key);
                if ready.writable {
                    self.engine.flush(key);
                }
                self.read(key, ready.ending);
            }
        }
    }

    /// A connecting end may be open now.
    fn answered(&mut self, key: usize) {
        if let Some((host, conn, to)) = self.engine.answered(key) {
            self.engine.record(host, Fact::Connected { conn, to });
            self.tell(host, Event::Connected(conn));
        }
    }

    /// Accepts what the kernel has, as far as the turn goes.
    fn accept(&mut self, key: usize) {
        if (0..TURNS).all(|_| self.accept_one(key)) {
            self.engine.ready.push_back(Ready { what: What::Listener(key), writable: false, ending: false });
        }
    }

    /// Accepts one connection. False when there is none.
    pub(super) fn accept_one(&mut self, key: usize) -> bool {
        let Some(incoming) = self.engine.accept(key, &mut self.out) else { return false };
        let (host, conn) = (incoming.host, incoming.conn);
        self.engine.record(host, Fact::Incoming { conn, from: incoming.peer });
        self.tell(host, Event::Incoming { conn, local: incoming.local, peer: incoming.peer });
        true
    }

    fn receive(&mut self, key: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        while let Some((host, from, to, count)) = self.engine.receive(key, &mut buffer) {
            self.tell(host, Event::Datagram { from, to, bytes: &buffer[..count] });
        }
        self.buffer = buffer;
    }

    /// Reads what the kernel has, as far as the turn goes. A read that does not fill the buffer has emptied the
    /// socket (epoll(7)), unless its end is there too.
    fn read(&mut self, key: usize, ending: bool) {
        let Some(conn) = self.engine.ends.get(key).map(|end| end.conn) else { return };
        let mut buffer = std::mem::take(&mut self.buffer);
        let size = buffer.len();
        let mut turns = 0;
        while let Some(count) = self.read_once(key, conn, &mut buffer) {
            turns += 1;
            if count < size && !ending {
                break;
            }
            if turns == TURNS {
                self.engine.ready.push_back(Ready { what: What::End(key), writable: false, ending });
                break;
            }
        }
        self.buffer = buffer;
    }

    /// Reads once and tells the process. `None` when there is nothing more.
    fn read_once(&mut self, key: usize, conn: Conn, buffer: &mut [u8]) -> Option<usize> {
        match self.engine.read(key, conn, buffer) {
            Read::Bytes(host, count) => {
                self.tell(host, Event::Bytes(conn, &buffer[..count]));
                Some(count)
            }
            Read::Dropped(count) => Some(count),
            Read::Ended(host, how) => {
                self.tell(host, Event::Closed(conn, how));
                None
            }
            Read::Dry => None,
        }
    }

    /// Gives a process its first event, unless it has had it.
    pub(super) fn begin(&mut self, host: HostId) {
        match self.engine.host_mut(host).first.take() {
            None => {}
            Some(kept) if kept.is_empty() && self.engine.host(host).life == 0 => {
                self.tell(host, Event::Start)
            }
            Some(kept) => self.tell(host, Event::Restart(&kept)),
        }
    }

    /// Hands an event to the process of a host, if it is up, and carries out what that asks for.
    pub(super) fn tell(&mut self, host: HostId, event: Event<'_>) {
        let now = self.engine.now();
        if let Some(Some(process)) = self.processes.get_mut(usize::from(host.0)) {
            process.handle(now, event, &mut self.out);
            self.engine.carry_out(host, now, &mut self.out);
        }
    }
}
