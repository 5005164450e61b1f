//! The application whose mail a drill is about: it has no queue, and tells the drill what it was told.
//!
//! It submits to the host that a send names, over a few sessions that are used again.

mod lane;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mxdrill_ledger::Fact;
use mxdrill_net::{Commands, Conn, Event, Process, Time};
use mxdrill_smtp::ClientConfig;

use crate::mail::{Batch, Parcel};
use lane::Lane;

/// Sessions at once for one send.
const LANES_MAX: usize = 20;

/// Submits mail over SMTP.
pub(crate) struct Originator {
    address: IpAddr,
    client: Arc<ClientConfig>,
    streams: Vec<Stream>,
    lanes: Vec<Lane>,
}

/// A send that is under way.
pub(crate) struct Stream {
    batch: Arc<Batch>,
    to: SocketAddr,
    /// The next message to be offered.
    next: u32,
    /// Sessions that serve it.
    lanes: usize,
}

impl Stream {
    /// When its next message is due; `None` when there is none left.
    fn due(&self) -> Option<Time> {
        (self.next < self.batch.count()).then(|| self.batch.due(self.next))
    }

    /// The next message, if its time has come. The drill hears of it before anything is sent.
    fn take(&mut self, now: Time, out: &mut Commands<Fact>) -> Option<Parcel> {
        if self.due()? > now {
            return None;
        }
        let parcel = Batch::parcel(&self.batch, self.next);
        self.next += 1;
        out.record(parcel.sending());
        Some(parcel)
    }

    fn is_over(&self) -> bool {
        self.lanes == 0 && self.due().is_none()
    }
}

impl Originator {
    /// An application at `address`.
    pub(crate) fn new(address: IpAddr, client: ClientConfig) -> Originator {
        Originator { address, client: Arc::new(client), streams: Vec::new(), lanes: Vec::new() }
    }

    /// Begins a send to the host at `to`.
    pub(crate) fn send(&mut self, now: Time, batch: Arc<Batch>, to: SocketAddr, out: &mut Commands<Fact>) {
        self.streams.push(Stream { batch, to, next: 0, lanes: 0 });
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
        let stream = &mut self.streams[index];
        while stream.lanes < LANES_MAX
            && let Some(parcel) = stream.take(now, out)
        {
            let conn = out.connect(self.address, stream.to);
            stream.lanes += 1;
            self.lanes.push(Lane::new(index, conn, parcel));
        }
    }

    fn arm(&self, out: &mut Commands<Fact>) {
        let due = self.streams.iter().filter(|stream| stream.lanes < LANES_MAX).filter_map(Stream::due);
        match due.chain(self.lanes.iter().filter_map(Lane::deadline)).min() {
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
        lane.go_on(now, out, |out| stream.take(now, out));
        if lane.is_over() {
            stream.lanes -= 1;
            self.lanes.swap_remove(index);
        }
    }

    fn timers(&mut self, now: Time, out: &mut Commands<Fact>) {
        let due = |lane: &&Lane| lane.deadline().is_some_and(|at| at <= now);
        let conns: Vec<Conn> = self.lanes.iter().filter(due).map(|lane| lane.conn).collect();
        for conn in conns {
            self.moved(now, conn, out, |lane, out| lane.timer(now, out));
        }
    }
}

impl Process<Fact> for Originator {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<Fact>) {
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
