//! The client's side of a session.

mod config;
mod letter;

pub use config::{ClientConfig, Timeouts};
pub use letter::{Letter, Outcome, Report, Step};

use std::{collections::VecDeque, sync::Arc};

use mxdrill_net::{Closed, Commands, Conn, Time};

use crate::Extensions;

/// One session with a server, from its greeting on. Letters go one after the other; with PIPELINING the next
/// may follow right behind the final dot of the last.
///
/// It records no facts: what it learns comes out of [`Client::poll`].
#[derive(Debug)]
pub struct Client<L> {
    conn: Conn,
    config: Arc<ClientConfig>,
    offers: Extensions,
    steps: VecDeque<Step<L>>,
    over: bool,
}

impl<L: Letter> Client<L> {
    /// Begins on a connection that stands: waits for the greeting.
    pub fn open(now: Time, conn: Conn, config: Arc<ClientConfig>) -> Client<L> {
        let _ = now;
        Client { conn, config, offers: Extensions::NONE, steps: VecDeque::new(), over: false }
    }

    /// Whether a letter may be given now. True after [`Step::Ready`] while no letter is in hand, and with
    /// PIPELINING also while only the reply to the last final dot is outstanding: ask again after each event.
    pub fn is_ready(&self) -> bool {
        !self.over
    }

    /// Sends a letter.
    ///
    /// # Panics
    /// When [`Client::is_ready`] is false, or the letter has no recipients.
    pub fn send<F>(&mut self, now: Time, letter: L, out: &mut Commands<F>) {
        let _ = (now, letter, out, &self.config);
    }

    /// Says QUIT as soon as no letter is in hand; the 221 is awaited, but not for ever.
    pub fn quit<F>(&mut self, now: Time, out: &mut Commands<F>) {
        let _ = (now, out);
    }

    /// Bytes came from the server.
    pub fn bytes<F>(&mut self, now: Time, bytes: &[u8], out: &mut Commands<F>) {
        let _ = (now, bytes, out);
    }

    /// Output has drained ([`mxdrill_net::Event::Sent`]).
    pub fn drained<F>(&mut self, now: Time, out: &mut Commands<F>) {
        let _ = (now, out);
    }

    /// The peer ended the stream.
    pub fn closed<F>(&mut self, how: Closed, out: &mut Commands<F>) {
        let _ = (how, out);
    }

    /// Time has come to [`Client::deadline`], or is past it. Does nothing before.
    pub fn timer<F>(&mut self, now: Time, out: &mut Commands<F>) {
        let _ = (now, out);
    }

    /// When [`Client::timer`] is next to be called.
    pub fn deadline(&self) -> Option<Time> {
        None
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
}
