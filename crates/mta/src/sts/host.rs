//! The host that serves a policy over HTTPS: a host of the world like any other.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use mxdrill_net::{Closed, Commands, Conn, Event, Fact, Process, Time};
use mxdrill_smtp::{
    Script, SessionView, Stage, Then,
    tls::{Flaw, Layer, ServerTls},
};

use super::http;

/// The port of HTTPS.
pub(super) const HTTPS: u16 = 443;
/// Connections at once; a further one takes the place of the oldest.
const CONNECTIONS_MAX: usize = 256;

/// What a policy host is.
#[derive(Clone, Debug)]
pub struct PolicyConfig {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The policy that it serves.
    pub text: Arc<str>,
    /// What it shows.
    pub certificate: Arc<ServerTls>,
}

/// A host that serves an MTA-STS policy (RFC 8461 3.3). Its script is asked at [`Stage::Connect`] and, for what is
/// wrong with the certificate, at [`Stage::StartTls`].
#[derive(Debug)]
pub struct PolicyHost<S> {
    config: PolicyConfig,
    script: S,
    connections: VecDeque<Connection>,
}

#[derive(Debug)]
struct Connection {
    conn: Conn,
    /// `None` when it is never answered.
    layer: Option<Layer>,
    request: Vec<u8>,
}

impl<S: Script> PolicyHost<S> {
    /// A host that has not started.
    pub fn new(config: PolicyConfig, script: S) -> PolicyHost<S> {
        PolicyHost { config, script, connections: VecDeque::new() }
    }

    /// What speaks for its faults.
    pub fn script_mut(&mut self) -> &mut S {
        &mut self.script
    }

    fn incoming<F: From<Fact>>(&mut self, now: Time, conn: Conn, peer: IpAddr, out: &mut Commands<F>) {
        let then = self.ask(now, Stage::Connect, conn, peer, out);
        if matches!(then, Then::Drop) {
            return out.close(conn);
        }
        let layer = match then {
            Then::Silence => None,
            _ => {
                let shown = self.ask(now, Stage::StartTls, conn, peer, out);
                Some(self.config.certificate.session(flaw(&shown)))
            }
        };
        if self.connections.len() == CONNECTIONS_MAX
            && let Some(oldest) = self.connections.pop_front()
        {
            out.reset(oldest.conn);
        }
        self.connections.push_back(Connection { conn, layer, request: Vec::new() });
    }

    fn ask<F: From<Fact>>(
        &mut self,
        now: Time,
        stage: Stage,
        conn: Conn,
        peer: IpAddr,
        out: &mut Commands<F>,
    ) -> Then {
        let view = SessionView { conn, peer, from: None, recipient: None, size: 0 };
        let effect = self.script.at(now, stage, &view);
        effect.bit.iter().for_each(|tag| out.record(Fact::Bit(*tag)));
        effect.then
    }

    fn bytes<F>(&mut self, now: Time, conn: Conn, bytes: &[u8], out: &mut Commands<F>) {
        let Some(place) = self.connections.iter().position(|open| open.conn == conn) else { return };
        let open = &mut self.connections[place];
        let Some(layer) = &mut open.layer else { return };
        let taken = layer.take(now, conn, bytes, &mut open.request, out);
        if taken.is_err() || open.request.len() > http::SIZE_MAX {
            self.connections.remove(place);
            return out.close(conn);
        }
        if http::is_whole_request(&open.request) {
            layer.send(conn, http::answer(&open.request, &self.config.text).as_bytes(), out);
            layer.close(conn, out);
            out.close(conn);
            self.connections.remove(place);
        }
    }

    fn closed<F>(&mut self, conn: Conn, how: Closed, out: &mut Commands<F>) {
        if let Some(place) = self.connections.iter().position(|open| open.conn == conn) {
            self.connections.remove(place);
            if how == Closed::Eof {
                out.close(conn);
            }
        }
    }
}

fn flaw(then: &Then) -> Option<Flaw> {
    match then {
        Then::Show(flaw) => Some(*flaw),
        _ => None,
    }
}

impl<F: From<Fact>, S: Script> Process<F> for PolicyHost<S> {
    fn handle(&mut self, now: Time, event: Event<'_>, out: &mut Commands<F>) {
        match event {
            Event::Start | Event::Restart(_) => {
                for address in &self.config.addresses {
                    out.listen(SocketAddr::new(*address, HTTPS));
                }
            }
            Event::Incoming { conn, peer, .. } => self.incoming(now, conn, peer.ip(), out),
            Event::Bytes(conn, bytes) => self.bytes(now, conn, bytes, out),
            Event::Closed(conn, how) => self.closed(conn, how, out),
            Event::Timer
            | Event::Connected(_)
            | Event::ConnectFailed(..)
            | Event::Sent(_)
            | Event::Datagram { .. }
            | Event::Synced(_)
            | Event::StoreFailed(..) => {}
        }
    }
}
