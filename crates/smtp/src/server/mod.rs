//! The server's side of a session.

mod config;
mod policy;

pub use config::ServerConfig;
pub use policy::{Policy, Verdict};

use std::{net::IpAddr, sync::Arc};

use mxdrill_net::{Closed, Commands, Conn, Fact, Time};

use crate::{Reply, Script};

/// One session, from the greeting to the close. Facts: [`Fact::Bit`] for every fault that bites.
#[derive(Debug)]
pub struct Server {
    conn: Conn,
    peer: IpAddr,
    config: Arc<ServerConfig>,
    over: bool,
}

impl Server {
    /// Greets a client that has connected.
    pub fn open<F, P, S>(
        now: Time,
        conn: Conn,
        peer: IpAddr,
        config: Arc<ServerConfig>,
        policy: &mut P,
        script: &mut S,
        out: &mut Commands<F>,
    ) -> Server
    where
        F: From<Fact>,
        P: Policy<F>,
        S: Script,
    {
        let _ = (now, policy, script, out);
        Server { conn, peer, config, over: false }
    }

    /// Bytes came from the client.
    pub fn bytes<F, P, S>(
        &mut self,
        now: Time,
        bytes: &[u8],
        policy: &mut P,
        script: &mut S,
        out: &mut Commands<F>,
    ) where
        F: From<Fact>,
        P: Policy<F>,
        S: Script,
    {
        let _ = (now, bytes, policy, script, out, self.peer, &self.config);
    }

    /// The verdict that was [`Verdict::Later`] is known now: this reply. Does nothing if the session is over
    /// or waits for no verdict.
    pub fn resume<F, P, S>(
        &mut self,
        now: Time,
        reply: Reply,
        policy: &mut P,
        script: &mut S,
        out: &mut Commands<F>,
    ) where
        F: From<Fact>,
        P: Policy<F>,
        S: Script,
    {
        let _ = (now, reply, policy, script, out);
    }

    /// Time has come to [`Server::deadline`], or is past it. Does nothing before.
    pub fn timer<F, P, S>(&mut self, now: Time, policy: &mut P, script: &mut S, out: &mut Commands<F>)
    where
        F: From<Fact>,
        P: Policy<F>,
        S: Script,
    {
        let _ = (now, policy, script, out);
    }

    /// When [`Server::timer`] is next to be called.
    pub fn deadline(&self) -> Option<Time> {
        None
    }

    /// The peer ended the stream. A message whose verdict is outstanding is not taken back by this.
    pub fn closed<F>(&mut self, how: Closed, out: &mut Commands<F>) {
        let _ = (how, out);
        self.over = true;
    }

    /// Whether the session is over: forget it. Its connection is closed.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The connection.
    pub fn conn(&self) -> Conn {
        self.conn
    }

    /// The client's address.
    pub fn peer(&self) -> IpAddr {
        self.peer
    }
}
