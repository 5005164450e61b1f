//! The handshake: SYN, answer, acknowledgement, and each way in which it fails.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    Sim,
    connection::State,
    pipe::Mark,
    queue::{Side, What},
    slab::Key,
};
use crate::{Access, Conn, ConnectError, Event, Fact, Process, Seed, Sink, Time};

impl<P: Process<F>, F: From<Fact>> Sim<P, F> {
    /// Begins a connect.
    pub(super) fn connect(
        &mut self,
        host: u16,
        conn: Conn,
        from: IpAddr,
        to: SocketAddr,
        sink: &mut dyn Sink<F>,
    ) {
        let peer = self.addresses.get(&to.ip()).copied();
        let opener = &mut self.hosts[usize::from(host)];
        let from = SocketAddr::new(from, opener.next_port());
        let draw = self.streams.pick("", &[u64::from(host), opener.connects]);
        let acceptor = peer.unwrap_or(host);
        let ways = [self.way(host, acceptor), self.way(acceptor, host)];
        let (key, connection) = self.connections.take();
        (connection.from, connection.to, connection.began, connection.tries) = (from, to, self.now, 0);
        for (side, host, state) in
            [(Side::Opener, host, State::Connecting), (Side::Acceptor, acceptor, State::Unasked)]
        {
            let end = connection.end_mut(side);
            (end.host, end.conn, end.state, end.gone) = (host, conn, state, false);
            end.out.renew(ways[side as usize], draw.rotate_left(side as u32), self.now, self.chop);
        }
        self.numbers.insert(conn, (key, Side::Opener));
        match peer {
            Some(_) => self.syn(key, sink),
            None => self.queue.push(self.now, What::ConnectFails(key, ConnectError::Unreachable)),
        }
    }

    /// Sends the SYN.
    pub(super) fn syn(&mut self, key: Key, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get(key) else { return };
        let (opener, acceptor) = (connection.end(Side::Opener), connection.end(Side::Acceptor));
        let (host, way) = (opener.host, opener.out.way);
        let draw = Seed(opener.out.draw).pick("syn", &[u64::from(connection.tries)]);
        if let Access::Unreachable(tag) = self.hosts[usize::from(acceptor.host)].access {
            self.tell(host, Fact::Bit(tag), sink);
            self.queue.push(self.now, What::ConnectFails(key, ConnectError::Unreachable));
            return;
        }
        match self.packet(way, 0, draw, sink) {
            Some(at) => self.queue.push(at, What::SynArrives(key)),
            None => self.syn_lost(key),
        }
    }

    /// Nothing came back: sends again after 1 s, doubled each time (RFC 6298 2.1 and 5.5), until the kernel
    /// loses patience.
    fn syn_lost(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.tries += 1;
        let next = connection.began + Duration::from_secs((1u64 << connection.tries.min(32)) - 1);
        let last = connection.began + self.patience;
        match next < last {
            true => self.queue.push(next.max(self.now), What::Syn(key)),
            false => {
                self.queue.push(last.max(self.now), What::ConnectFails(key, ConnectError::TimedOut));
            }
        }
    }

    /// The host that was asked for answers, or does not.
    pub(super) fn syn_arrives(&mut self, key: Key, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get(key) else { return };
        let (opener, acceptor) = (connection.end(Side::Opener).host, connection.end(Side::Acceptor));
        let host = &self.hosts[usize::from(acceptor.host)];
        let (way, access) = (acceptor.out.way, host.access);
        let draw = Seed(acceptor.out.draw).pick("syn", &[u64::from(connection.tries)]);
        let (is_down, is_listening) = (host.process.is_none(), host.is_listening(connection.to));
        if let Access::Blackhole(tag) = access {
            self.tell(opener, Fact::Bit(tag), sink);
        }
        if is_down || matches!(access, Access::Blackhole(_)) {
            return self.syn_lost(key);
        }
        let mut is_welcome = is_listening;
        if let (Access::Refuse(tag), true) = (access, is_listening) {
            self.tell(opener, Fact::Bit(tag), sink);
            is_welcome = false;
        }
        let Some(at) = self.packet(way, 0, draw, sink) else { return self.syn_lost(key) };
        self.answer(key, at, is_welcome);
    }

    fn answer(&mut self, key: Key, at: Time, is_welcome: bool) {
        if !is_welcome {
            return self.queue.push(at, What::ConnectFails(key, ConnectError::Refused));
        }
        if let Some(connection) = self.connections.get_mut(key) {
            connection.end_mut(Side::Acceptor).state = State::Answered;
        }
        self.queue.push(at, What::Connected(key));
    }

    /// The answer is back: the opener may send. Its acknowledgement goes ahead of what it sends.
    pub(super) fn connected(&mut self, key: Key, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let to = connection.to;
        let opener = connection.end_mut(Side::Opener);
        opener.state = State::Open;
        let (host, conn) = (opener.host, opener.conn);
        self.push_mark(key, Side::Opener, Mark::Open, sink);
        self.latest = Some((conn, key, Side::Opener));
        self.tell(host, Fact::Connected { conn, to }, sink);
        self.handle(host, Event::Connected(conn), sink);
    }

    /// The acknowledgement is there: the acceptor's process gets the connection.
    pub(super) fn accept(&mut self, key: Key, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let (from, to) = (connection.from, connection.to);
        let acceptor = connection.end_mut(Side::Acceptor);
        if acceptor.state != State::Answered {
            return;
        }
        let conn = self.out.new_conn();
        (acceptor.conn, acceptor.state) = (conn, State::Open);
        let host = acceptor.host;
        self.numbers.insert(conn, (key, Side::Acceptor));
        self.latest = Some((conn, key, Side::Acceptor));
        self.tell(host, Fact::Incoming { conn, from }, sink);
        self.handle(host, Event::Incoming { conn, local: to, peer: from }, sink);
    }

    /// The opener learns that nothing came of it.
    pub(super) fn connect_fails(&mut self, key: Key, why: ConnectError, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get(key) else { return };
        let (to, opener) = (connection.to, connection.end(Side::Opener));
        let (host, conn) = (opener.host, opener.conn);
        self.forget_connect(key);
        self.tell(host, Fact::ConnectFailed { conn, to, why }, sink);
        self.handle(host, Event::ConnectFailed(conn, why), sink);
    }

    /// Ends a connection of which the acceptor's process has not heard.
    pub(super) fn forget_connect(&mut self, key: Key) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        connection.end_mut(Side::Acceptor).state = State::Done;
        self.finish(key, Side::Opener);
    }
}
