//! The server's side of a session.
//!
//! [`Server`] is what a session remembers. A [`turn::Turn`] is one event being handled: it borrows the session,
//! the owner's [`Policy`], the [`Script`] and the commands. `dialogue` serves commands, `transaction` takes
//! envelopes, `message` takes content, `secured` begins TLS, `manner` is how a reply leaves: late, slowly, never, or
//! with the connection.

mod config;
mod dialogue;
mod manner;
mod message;
mod policy;
mod secured;
#[cfg(test)]
mod tests;
mod transaction;
mod turn;

pub use config::ServerConfig;
pub use policy::{Policy, Verdict};

use std::{net::IpAddr, sync::Arc};

use bytes::BytesMut;
use mxdrill_net::{Closed, Commands, Conn, Fact, Time};

use crate::{
    Address, Reply, Script, SessionView,
    tls::{Flaw, Layer},
};
use manner::Wait;
use message::Chunk;
use transaction::Transaction;
use turn::Turn;

/// One session, from the greeting to the close. Facts: [`Fact::Bit`] for every fault that bites.
///
/// Replies to commands that came together leave together (RFC 2920 3.2). While a reply is outstanding, because
/// the policy has not decided or a fault delays it, what the client sends is held.
#[derive(Debug)]
pub struct Server {
    conn: Conn,
    peer: IpAddr,
    config: Arc<ServerConfig>,
    /// The argument of EHLO or HELO, once there was one.
    helo: Option<Arc<str>>,
    /// It was EHLO.
    extended: bool,
    /// The greeting was 2xx: commands are served (RFC 5321 3.1).
    serving: bool,
    mode: Mode,
    /// The beginning of a command line whose end has not come yet.
    line: Vec<u8>,
    transaction: Option<Transaction>,
    /// The last MAIL was refused: what was pipelined behind it is no error of the client's.
    mail_refused: bool,
    /// The last sender and recipient: mostly the next ones are the same.
    last: Last,
    /// The memory of the last content, if it is free again when the next begins.
    spare: BytesMut,
    wait: Wait,
    /// Input that came while a reply was outstanding.
    held: Vec<u8>,
    /// Replies on their way out.
    replies: Vec<u8>,
    errors: u32,
    /// When the client has been idle for too long.
    idle_at: Time,
    /// The client has ended its side while a reply was outstanding.
    eof: bool,
    over: bool,
    /// Since STARTTLS was accepted.
    tls: Option<Box<Layer>>,
    /// What a fault makes of this session's TLS.
    amiss: Amiss,
}

/// What a fault makes of a session's TLS.
#[derive(Clone, Copy, Debug, Default)]
struct Amiss {
    /// STARTTLS is not offered in the reply under way.
    is_stripped: bool,
    /// What is wrong with the certificate that is shown next.
    flaw: Option<Flaw>,
}

/// Octets set aside for replies: those to EHLO are longest.
const REPLIES: usize = 256;

/// What the next octets are.
#[derive(Clone, Debug)]
enum Mode {
    /// Command lines.
    Commands,
    /// The rest of a command line that is too long.
    Overlong,
    /// Content behind DATA.
    Data,
    /// Content behind BDAT.
    Chunk(Chunk),
    /// The handshake: STARTTLS was accepted, and what came behind it in clear text counts for nothing.
    Handshake,
}

#[derive(Debug, Default)]
struct Last {
    sender: Option<Address>,
    recipient: Option<Address>,
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
        let idle_at = now + config.idle;
        let mut server = Server {
            conn,
            peer,
            config,
            helo: None,
            extended: false,
            serving: false,
            mode: Mode::Commands,
            line: Vec::new(),
            transaction: None,
            mail_refused: false,
            last: Last::default(),
            spare: BytesMut::new(),
            wait: Wait::No,
            held: Vec::new(),
            replies: Vec::with_capacity(REPLIES),
            errors: 0,
            idle_at,
            eof: false,
            over: false,
            tls: None,
            amiss: Amiss::default(),
        };
        Turn { server: &mut server, now, policy, script, out }.greet();
        server
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
        if !self.over {
            self.idle_at = now + self.config.idle;
            Turn { server: self, now, policy, script, out }.take(bytes);
        }
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
        if !self.over {
            Turn { server: self, now, policy, script, out }.resume(&reply);
        }
    }

    /// Time has come to [`Server::deadline`], or is past it. Does nothing before.
    pub fn timer<F, P, S>(&mut self, now: Time, policy: &mut P, script: &mut S, out: &mut Commands<F>)
    where
        F: From<Fact>,
        P: Policy<F>,
        S: Script,
    {
        if !self.over && self.deadline().is_some_and(|at| at <= now) {
            Turn { server: self, now, policy, script, out }.timer();
        }
    }

    /// When [`Server::timer`] is next to be called.
    pub fn deadline(&self) -> Option<Time> {
        if self.over {
            return None;
        }
        match &self.wait {
            Wait::No => Some(self.idle_at),
            Wait::Late { at, .. } | Wait::Dribble { at, .. } => Some(*at),
            Wait::Verdict { .. } | Wait::Silent => None,
        }
    }

    /// The peer ended the stream. A message whose verdict is outstanding is not taken back by this. After an
    /// end in good order what had come before it is still answered.
    pub fn closed<F>(&mut self, how: Closed, out: &mut Commands<F>) {
        match (how, &self.wait) {
            _ if self.over => {}
            (Closed::Eof, Wait::Verdict { .. } | Wait::Late { .. } | Wait::Dribble { .. }) => self.eof = true,
            (Closed::Eof, Wait::No | Wait::Silent) => {
                out.close(self.conn);
                self.over = true;
            }
            (Closed::Reset, _) => self.over = true,
        }
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

    /// Whether the session is under TLS: the handshake is over.
    pub fn is_secured(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.security().is_some())
    }

    /// The session as script and policy see it.
    fn view(&self) -> SessionView<'_> {
        let transaction = self.transaction.as_ref();
        SessionView {
            conn: self.conn,
            peer: self.peer,
            from: transaction.map(|open| &open.mail.reverse_path),
            recipient: transaction.and_then(|open| open.recipients.first()).map(|first| &first.address),
            size: transaction.map_or(0, Transaction::size),
        }
    }
}
