//! The application whose mail a drill is about: it has no queue, and tells the drill what it was told.
//!
//! It submits to the host that a send names, over a few sessions that are used again; or it finds the MX of each
//! message itself, and tries them in order, with a session for each. A connect is given up after the 30 s of
//! [`mxdrill_smtp::Timeouts`]: the library that plays this part on real sockets has no timeout of its own.

mod finder;
mod lane;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mxdrill_ledger::{Fact, Taken};
use mxdrill_net::{Commands, Conn, Event, Process, Time};
use mxdrill_smtp::ClientConfig;

pub(crate) use finder::Finder;

use crate::{
    errand::Errand,
    mail::{Batch, Parcel, Press},
};
use lane::Lane;

/// Sessions at once for one send.
const LANES_MAX: usize = 20;

/// Sends mail over SMTP.
pub(crate) struct Originator {
    addresses: Vec<IpAddr>,
    client: Arc<ClientConfig>,
    streams: Vec<Stream>,
    lanes: Vec<Lane>,
    /// No lane has a deadline before this. Deadlines move later with nearly every event: the first one is looked
    /// for only when this has come.
    lanes_due: Time,
    armed: Option<Time>,
    /// Finds the hosts of mail for which it is told none.
    finder: Option<Finder>,
}

/// A send that is under way.
pub(crate) struct Stream {
    press: Press,
    /// Where its mail goes; an application finds that itself.
    to: Option<Arc<[SocketAddr]>>,
    /// The next message to be offered.
    next: u32,
    /// Sessions that serve it, and look-ups for it.
    lanes: usize,
}

impl Stream {
    /// When its next message is due; `None` when there is none left.
    fn due(&self) -> Option<Time> {
        let batch = self.press.batch();
        (self.next < batch.count()).then(|| batch.due(self.next))
    }

    /// The next message, if its time has come. The drill hears of it before anything is sent.
    fn take(&mut self, now: Time, out: &mut Commands<Fact>) -> Option<Parcel> {
        if self.due()? > now {
            return None;
        }
        let parcel = self.press.parcel(self.next);
        self.next += 1;
        out.record(parcel.sending());
        Some(parcel)
    }

    /// The next message for a session that stands. What an application looks up first goes over its own.
    fn next(&mut self, now: Time, out: &mut Commands<Fact>) -> Option<Errand> {
        let to = self.to.clone()?;
        self.take(now, out).map(|parcel| Errand::new(parcel, to))
    }

    fn is_over(&self) -> bool {
        self.lanes == 0 && self.due().is_none()
    }
}

impl Originator {
    /// An application at these addresses.
    pub(crate) fn new(addresses: Vec<IpAddr>, client: ClientConfig, finder: Option<Finder>) -> Originator {
        Originator {
            addresses,
            client: Arc::new(client),
            streams: Vec::new(),
            lanes: Vec::new(),
            lanes_due: Time::MAX,
            armed: None,
            finder,
        }
    }

    /// Begins a send to the host at `to`, or to those that it finds.
    pub(crate) fn send(
        &mut self,
        now: Time,
        batch: Arc<Batch>,
        to: Option<SocketAddr>,
        out: &mut Commands<Fact>,
    ) {
        let to = to.map(|to| Arc::from([to]));
        self.streams.push(Stream { press: Press::new(batch), to, next: 0, lanes: 0 });
        self.go_on(now, out);
    }

    /// Opens lanes for mail that is due, and sets the deadline.
    fn go_on(&mut self, now: Time, out: &mut Commands<Fact>) {
        for index in 0..self.streams.len() {
            self.open_lanes(now, index, out);
        }
        while self.streams.last().is_some_and(Stream::is_over) {
            self.streams.pop();
        }
        self.arm(out);
    }

    fn open_lanes(&mut self, now: Time, index: usize, out: &mut Commands<Fact>) {
        while self.streams[index].lanes < LANES_MAX
            && let Some(parcel) = self.streams[index].take(now, out)
        {
            match self.streams[index].to.clone() {
                Some(route) => self.dial(now, index, Errand::new(parcel, route), out),
                None => self.find(now, index, &parcel, out),
            }
        }
    }

    /// Looks up where a message goes.
    fn find(&mut self, now: Time, stream: usize, parcel: &Parcel, out: &mut Commands<Fact>) {
        for mut errand in Errand::by_domain(parcel) {
            let Some(finder) = &mut self.finder else {
                errand.answered_all(&Taken::Unreached, |deed| out.record(deed));
                continue;
            };
            match finder.find(now, stream, errand, out) {
                Some(errand) => self.dial(now, stream, errand, out),
                None => self.streams[stream].lanes += 1,
            }
        }
    }

    /// Sets out with what was found.
    fn found(&mut self, now: Time, out: &mut Commands<Fact>) {
        while let Some((stream, errand)) = self.finder.as_mut().and_then(Finder::poll) {
            self.streams[stream].lanes -= 1;
            self.dial(now, stream, errand, out);
        }
    }

    /// Opens a session to the host that is next for a message.
    fn dial(&mut self, now: Time, stream: usize, mut errand: Errand, out: &mut Commands<Fact>) {
        while let Some(to) = errand.to() {
            if let Some(from) = self.addresses.iter().find(|own| own.is_ipv4() == to.is_ipv4()) {
                let conn = out.connect(*from, to);
                self.streams[stream].lanes += 1;
                let patience = now + self.client.timeouts.connect;
                self.lanes_due = self.lanes_due.min(patience);
                return self.lanes.push(Lane::new(stream, conn, errand, patience));
            }
            errand.answered_all(&Taken::Unreached, |deed| out.record(deed));
        }
        errand.answered_all(&Taken::Unreached, |deed| out.record(deed));
    }

    /// Sets the deadline, if it has changed.
    fn arm(&mut self, out: &mut Commands<Fact>) {
        let due = self.streams.iter().filter(|stream| stream.lanes < LANES_MAX).filter_map(Stream::due);
        let looking = self.finder.as_ref().and_then(Finder::deadline);
        let lanes = (!self.lanes.is_empty()).then_some(self.lanes_due).filter(|at| *at < Time::MAX);
        let next = due.chain(lanes).chain(looking).min();
        if next == self.armed {
            return;
        }
        self.armed = next;
        match next {
            Some(at) => out.wake_at(at),
            None => out.wake_never(),
        }
    }

    /// Moves the lane of `conn` by `step`; gives it further mail that is due; forgets it when it is over.
    fn moved(
        &mut self,
        now: Time,
        conn: Conn,
        out: &mut Commands<Fact>,
        step: impl FnOnce(&mut Lane, &mut Commands<Fact>),
    ) {
        let Some(index) = self.lanes.iter().position(|lane| lane.conn == conn) else { return };
        let lane = &mut self.lanes[index];
        step(lane, out);
        let stream = &mut self.streams[lane.stream];
        lane.go_on(now, out, |out| stream.next(now, out));
        let (id, onward) = (lane.stream, lane.take_onward());
        self.lanes_due = self.lanes_due.min(lane.deadline().unwrap_or(Time::MAX));
        if lane.is_over() {
            stream.lanes -= 1;
            self.lanes.swap_remove(index);
        }
        onward.into_iter().for_each(|errand| self.dial(now, id, errand, out));
    }

    fn timers(&mut self, now: Time, out: &mut Commands<Fact>) {
        self.armed = None;
        if self.lanes_due > now {
            return;
        }
        let due = |lane: &&Lane| lane.deadline().is_some_and(|at| at <= now);
        let conns: Vec<Conn> = self.lanes.iter().filter(due).map(|lane| lane.conn).collect();
        for conn in conns {
            self.moved(now, conn, out, |lane, out| lane.timer(now, out));
        }
        self.lanes_due = self.lanes.iter().filter_map(Lane::deadline).min().unwrap_or(Time::MAX);
    }
}

/// The connection that an event is about.
fn conn(event: &Event<'_>) -> Option<Conn> {
    match event {
        Event::Connected(conn)
        | Event::ConnectFailed(conn, _)
        | Event::Bytes(conn, _)
        | Event::Sent(conn)
        | Event::Closed(conn, _) => Some(*conn),
        _ => None,
    }
}

impl Process<Fact> for Originator {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<Fact>) {
        if let Some(finder) = &mut self.finder
            && conn(&event).is_none_or(|conn| finder.owns(conn))
        {
            finder.handle(now, &event, out);
            self.found(now, out);
        }
        match event {
            Event::Timer => self.timers(now, out),
            Event::Connected(conn) => {
                let client = self.client.clone();
                self.moved(now, conn, out, |lane, _| lane.connected(now, client));
            }
            Event::ConnectFailed(conn, _) => self.moved(now, conn, out, Lane::unreached),
            Event::Bytes(conn, bytes) => self.moved(now, conn, out, |lane, out| lane.bytes(now, bytes, out)),
            Event::Sent(conn) => self.moved(now, conn, out, |lane, out| lane.drained(now, out)),
            Event::Closed(conn, how) => self.moved(now, conn, out, |lane, out| lane.closed(how, out)),
            Event::Start
            | Event::Restart(_)
            | Event::Incoming { .. }
            | Event::Datagram { .. }
            | Event::Synced(_)
            | Event::StoreFailed(..) => {}
        }
        self.go_on(now, out);
    }
}
