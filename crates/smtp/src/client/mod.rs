//! The client's side of a session.
//!
//! [`Client`] is what a session remembers and how its owner speaks to it. `session` hears replies and decides
//! how a session goes on or fails; `transaction` carries a letter; `outgoing` puts its content on the wire;
//! `hello` reads what the server offers; `secured` begins TLS.

mod config;
mod hello;
mod letter;
mod outgoing;
mod secured;
mod session;
#[cfg(test)]
mod tests;
mod transaction;

pub use config::{AsIs, ClientConfig, Timeouts};
pub use letter::{Letter, Outcome, Report, Step};

use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use mxdrill_net::{Closed, Commands, Conn, DomainName, Time};

use crate::{
    Extensions, Failure, Reply, ReplyReader, Stage,
    tls::{Demand, Layer, Security},
};
use transaction::Transaction;

/// One session with a server, from its greeting on. Letters go one after the other; with PIPELINING the next
/// may follow right behind the final dot of the last.
///
/// It records no facts: what it learns comes out of [`Client::poll`].
#[derive(Debug)]
pub struct Client<L> {
    conn: Conn,
    config: Arc<ClientConfig>,
    offers: Extensions,
    greeted: bool,
    /// PIPELINING is offered and wanted.
    pipelining: bool,
    /// CHUNKING is offered and wanted.
    chunking: bool,
    reader: ReplyReader,
    /// Replies that are to come, in order.
    expected: VecDeque<Expect>,
    current: Option<Transaction<L>>,
    /// Sent behind the final dot of the current one.
    ahead: Option<Transaction<L>>,
    /// The last transaction was left open: RSET before the next.
    reset_needed: bool,
    quit_wanted: bool,
    /// Commands on their way out.
    buffer: Vec<u8>,
    /// The last reply to a final dot as it came, and as a value: mostly the next one is the same.
    acknowledged: Option<(Box<[u8]>, Arc<Reply>)>,
    /// The last body that had no dot at the start of a line.
    plain: Bytes,
    steps: VecDeque<Step<L>>,
    due: Option<Time>,
    over: bool,
    /// What is wanted of TLS, and from whom; without it, clear text.
    demand: Option<Box<(Demand, DomainName)>>,
    /// Since STARTTLS was accepted.
    tls: Option<Box<Layer>>,
}

/// Octets set aside for commands: mostly those of a whole transaction fit.
const COMMANDS: usize = 256;

/// A reply that is to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    Greeting,
    Ehlo,
    Helo,
    StartTls,
    /// The end of the handshake, which is no reply.
    Handshake,
    Rset,
    Mail,
    /// For the recipient of this number.
    Rcpt(u32),
    Data,
    Dot,
    Quit,
}

impl<L: Letter> Client<L> {
    /// Begins on a connection that stands: waits for the greeting.
    pub fn open(now: Time, conn: Conn, config: Arc<ClientConfig>) -> Client<L> {
        let due = Some(now + config.timeouts.greeting);
        Client {
            conn,
            config,
            offers: Extensions::NONE,
            greeted: false,
            pipelining: false,
            chunking: false,
            reader: ReplyReader::default(),
            expected: VecDeque::from([Expect::Greeting]),
            current: None,
            ahead: None,
            reset_needed: false,
            quit_wanted: false,
            buffer: Vec::with_capacity(COMMANDS),
            acknowledged: None,
            plain: Bytes::new(),
            steps: VecDeque::new(),
            due,
            over: false,
            demand: None,
            tls: None,
        }
    }

    /// Makes demands on TLS, before anything has come: where they cannot be met the session fails. `server` is the
    /// name that the certificate must be for. Without [`ClientConfig::tls`] no demand but clear text can be met.
    #[must_use]
    pub fn demanding(mut self, demand: Demand, server: DomainName) -> Client<L> {
        self.demand = (demand != Demand::Clear).then(|| Box::new((demand, server)));
        self
    }

    /// How safe the session is: what was reached, not what was demanded.
    pub fn security(&self) -> Security {
        self.tls.as_ref().and_then(|tls| tls.security()).unwrap_or_default()
    }

    /// Whether a letter may be given now. True after [`Step::Ready`] while no letter is in hand, and with
    /// PIPELINING also while only the reply to the last final dot is outstanding: ask again after each event.
    pub fn is_ready(&self) -> bool {
        if self.over || !self.greeted || self.quit_wanted || self.ahead.is_some() {
            return false;
        }
        match &self.current {
            None => self.expected.is_empty(),
            Some(letter) => self.pipelining && letter.is_all_sent() && self.expected.len() == 1,
        }
    }

    /// Sends a letter. What the server lacks for it is reported without asking ([`Outcome::Lacks`]).
    ///
    /// # Panics
    /// When [`Client::is_ready`] is false, or the letter has no recipients.
    pub fn send<F>(&mut self, now: Time, letter: L, out: &mut Commands<F>) {
        assert!(self.is_ready(), "a letter is given only when the session is ready");
        assert!(letter.recipients() > 0, "a letter has recipients");
        self.begin(now, letter, out);
    }

    /// Says QUIT as soon as no letter is in hand; the 221 is awaited, but not for ever.
    pub fn quit<F>(&mut self, now: Time, out: &mut Commands<F>) {
        self.quit_wanted = true;
        self.quit_if_idle(now, out);
        self.flush(out);
    }

    /// Bytes came from the server.
    pub fn bytes<F>(&mut self, now: Time, bytes: &[u8], out: &mut Commands<F>) {
        match self.tls {
            None => self.plain(now, bytes, out),
            Some(_) => self.wire(now, bytes, out),
        }
    }

    /// Replies came, in clear text or decrypted.
    fn plain<F>(&mut self, now: Time, bytes: &[u8], out: &mut Commands<F>) {
        let mut reader = std::mem::take(&mut self.reader);
        let mut input = bytes;
        while !self.over {
            match reader.next(&mut input) {
                Ok(Some(reply)) => {
                    let was_clear = self.tls.is_none();
                    self.hear(now, reply, out);
                    // RFC 3207 4.2: what came in clear text behind the reply to STARTTLS counts for nothing
                    if was_clear && self.tls.is_some() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(_) => {
                    let stage = self.stage();
                    self.fail(stage, Failure::Garbled, out);
                }
            }
        }
        self.reader = reader;
        self.flush(out);
    }

    /// Output has drained ([`mxdrill_net::Event::Sent`]).
    pub fn drained<F>(&mut self, now: Time, out: &mut Commands<F>) {
        if !self.over {
            self.send_block(now, out);
        }
    }

    /// The peer ended the stream.
    pub fn closed<F>(&mut self, how: Closed, out: &mut Commands<F>) {
        if self.over {
            return;
        }
        // After a reset the number is dead: there is nothing to close.
        self.over = how == Closed::Reset;
        if self.is_idle() {
            self.leave(out);
        } else {
            let stage = self.stage();
            self.fail(stage, Failure::Lost, out);
        }
    }

    /// Time has come to [`Client::deadline`], or is past it. Does nothing before.
    pub fn timer<F>(&mut self, now: Time, out: &mut Commands<F>) {
        if self.deadline().is_none_or(|due| due > now) {
            return;
        }
        if self.is_idle() {
            self.leave(out);
        } else {
            let stage = self.stage();
            self.fail(stage, Failure::Timeout, out);
        }
    }

    /// When [`Client::timer`] is next to be called.
    pub fn deadline(&self) -> Option<Time> {
        if self.over { None } else { self.due }
    }

    /// The next result, if there is one.
    pub fn poll(&mut self) -> Option<Step<L>> {
        self.steps.pop_front()
    }

    /// What the server offers; known after [`Step::Ready`].
    pub fn offers(&self) -> &Extensions {
        &self.offers
    }

    /// Whether the connection is closed: poll what is left, then forget it.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The connection.
    pub fn conn(&self) -> Conn {
        self.conn
    }

    /// Whether the end of the session now harms nobody: no letter is in hand, or QUIT is said.
    fn is_idle(&self) -> bool {
        self.current.is_none() && matches!(self.expected.front(), None | Some(Expect::Quit))
    }

    /// What is waited for; in an idle session what would come next.
    fn stage(&self) -> Stage {
        match self.expected.front() {
            Some(Expect::Greeting) => Stage::Greeting,
            Some(Expect::Ehlo | Expect::Helo) => Stage::Ehlo,
            Some(Expect::StartTls | Expect::Handshake) => Stage::StartTls,
            Some(Expect::Rset | Expect::Mail) | None => Stage::Mail,
            Some(Expect::Rcpt(_)) => Stage::Rcpt,
            Some(Expect::Data) => Stage::Data,
            Some(Expect::Dot) if self.current.as_ref().is_some_and(Transaction::is_flowing) => Stage::Data,
            Some(Expect::Dot) => Stage::Dot,
            Some(Expect::Quit) => Stage::Quit,
        }
    }
}
