//! What a client carries, and what became of it.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Extension, Failure, Recipient, Reply, Ret, ReversePath, Stage};

/// A message for some of its recipients, as a client sends it.
///
/// Header and body must have CRLF line ends: they are sent as they are, dots stuffed.
pub trait Letter {
    /// The reverse-path.
    fn reverse_path(&self) -> &ReversePath;

    /// How many recipients this letter has, at least one.
    fn recipients(&self) -> usize;

    /// A recipient, counted from 0.
    fn recipient(&self, index: usize) -> &Recipient;

    /// The header section, through the empty line after it.
    fn header(&self) -> &Bytes;

    /// The body.
    fn body(&self) -> &Bytes;

    /// Whether it needs BODY=8BITMIME (RFC 6152).
    fn eight_bit(&self) -> bool;

    /// Whether it needs SMTPUTF8 (RFC 6531).
    fn utf8(&self) -> bool;

    /// ENVID, in xtext (RFC 3461 4.4).
    fn envid(&self) -> Option<&str> {
        None
    }

    /// RET (RFC 3461 4.3).
    fn ret(&self) -> Option<Ret> {
        None
    }
}

/// What became of one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// 2xx after the final dot: the peer has taken responsibility (RFC 5321 6.1).
    Acknowledged(Arc<Reply>),
    /// 4xx or 5xx, told apart by [`Reply::severity`].
    Rejected {
        /// The command that was answered so.
        stage: Stage,
        /// The answer.
        reply: Arc<Reply>,
    },
    /// The session died after the final dot, before its reply: the peer may have the message (RFC 1047).
    InDoubt,
    /// The session died before the final dot: the peer does not have the message.
    Untried,
    /// The peer was not asked: it lacks an extension that the letter needs.
    Lacks(Extension),
}

/// A letter that has come back, with an outcome for each of its recipients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<L> {
    /// The letter.
    pub letter: L,
    /// One for each recipient, in the order of [`Letter::recipient`].
    pub outcomes: Vec<Outcome>,
}

/// A result of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<L> {
    /// Greeted: letters may be sent, and [`super::Client::offers`] is known.
    Ready,
    /// A letter is through: every recipient has its outcome.
    Done(Report<L>),
    /// The session failed and the connection is closed. Nothing follows.
    Failed {
        /// How far it came: what was waited for.
        stage: Stage,
        /// What went wrong. 421 to any command is [`Failure::Reply`] (RFC 5321 3.8).
        failure: Failure,
        /// The letter in hand: recipients already rejected keep that, the others are in doubt or untried.
        report: Option<Report<L>>,
        /// The letter sent ahead behind it, of which the peer can have nothing: wholly untried.
        ahead: Option<L>,
    },
    /// The connection is closed, with no letter in hand: after QUIT, or because the peer left an idle session.
    /// Nothing follows.
    Closed,
}
