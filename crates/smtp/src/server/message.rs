//! The content of a mail: DATA, BDAT, and the end of the message (RFC 5321 3.3, RFC 3030).

use mxdrill_net::Fact;

use super::{
    Mode, Policy, Turn,
    manner::{Manner, Told, refuses},
    transaction::{Asked, Transaction},
};
use crate::{
    Envelope, MailParameters, Protocol, Received, Reply, Script, Stage,
    content::{Content, Flaw},
    reply::fixed,
};

/// A BDAT chunk on its way in.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    left: u64,
    last: bool,
    /// It is read all the same, and answered behind it (RFC 3030 2).
    refused: Option<Reply>,
    manner: Manner,
}

impl<F: From<Fact>, P: Policy<F>, S: Script> Turn<'_, F, P, S> {
    /// DATA (RFC 5321 4.1.1.4).
    pub(super) fn data(&mut self) {
        match &self.server.transaction {
            None => return self.out_of_order(&fixed::MAIL_FIRST),
            Some(open) if open.content.is_some() => return self.error(&fixed::ORDER),
            // RFC 2920 3.1: DATA pipelined behind recipients that were all refused.
            Some(open) if open.recipients.is_empty() => return self.say(&fixed::NO_RECIPIENTS),
            Some(_) => {}
        }
        let (reply, manner) = match self.ask(Stage::Data) {
            Told::Go(manner) => (None, manner),
            Told::Say(reply, manner) => (Some(reply), manner),
            Told::Stop => return,
        };
        match reply {
            None => {
                self.begin_data();
                self.say_in(manner, &fixed::GO_ON);
            }
            Some(reply) => {
                if reply.code == fixed::GO_ON.code {
                    self.begin_data();
                } else if refuses(&reply) {
                    self.turn_away(Stage::Data, &reply, false);
                }
                self.say_in(manner, &reply);
            }
        }
    }

    fn begin_data(&mut self) {
        self.begin_content();
        self.server.mode = Mode::Data;
    }

    fn begin_content(&mut self) {
        let size_max = self.server.config.extensions.size.unwrap_or(0);
        if let Some(open) = &mut self.server.transaction {
            let spare = std::mem::take(&mut self.server.spare);
            open.content = Some(Content::new(spare, open.mail.size.unwrap_or(0), size_max));
        }
    }

    /// Takes content that follows DATA.
    pub(super) fn take_data(&mut self, input: &[u8]) -> usize {
        let content = self.server.transaction.as_mut().and_then(|open| open.content.as_mut());
        let Some(content) = content else {
            // The mode is never set without content; if it were, commands are what comes next.
            self.server.mode = Mode::Commands;
            return 0;
        };
        let (taken, ended) = content.take_data(input);
        if ended {
            self.server.mode = Mode::Commands;
            self.dot(Manner::PLAIN);
        }
        taken
    }

    /// BDAT (RFC 3030 2). Whatever is said to it is said behind the chunk.
    pub(super) fn bdat(&mut self, size: u64, last: bool) {
        let mut chunk = Chunk { left: size, last, refused: None, manner: Manner::PLAIN };
        let own = match &self.server.transaction {
            _ if !self.server.config.extensions.chunking => Some(&fixed::NOT_IMPLEMENTED),
            None => Some(&fixed::MAIL_FIRST),
            Some(open) if open.recipients.is_empty() => Some(&fixed::NO_RECIPIENTS),
            Some(open) if open.content.is_some() => None,
            Some(_) => {
                match self.ask(Stage::Data) {
                    Told::Go(manner) => chunk.manner = manner,
                    Told::Say(reply, manner) if refuses(&reply) => {
                        self.turn_away(Stage::Data, &reply, false);
                        (chunk.refused, chunk.manner) = (Some(reply), manner);
                    }
                    Told::Say(_, manner) => chunk.manner = manner,
                    Told::Stop => return,
                }
                self.begin_content();
                None
            }
        };
        if let Some(own) = own {
            chunk.refused = Some(Reply::clone(own));
        }
        self.server.mode = Mode::Chunk(chunk);
        self.take_chunk(&[]);
    }

    /// Takes content that follows BDAT.
    pub(super) fn take_chunk(&mut self, input: &[u8]) -> usize {
        let Mode::Chunk(chunk) = &mut self.server.mode else { return 0 };
        let taken = usize::try_from(chunk.left).map_or(input.len(), |left| left.min(input.len()));
        chunk.left -= taken as u64;
        let (ended, refused) = (chunk.left == 0, chunk.refused.is_some());
        let content = self.server.transaction.as_mut().and_then(|open| open.content.as_mut());
        if let Some(content) = content.filter(|_| !refused) {
            content.take_chunk(&input[..taken]);
        }
        if ended && let Mode::Chunk(chunk) = std::mem::replace(&mut self.server.mode, Mode::Commands) {
            self.end_chunk(chunk);
        }
        taken
    }

    fn end_chunk(&mut self, chunk: Chunk) {
        if let Some(reply) = chunk.refused {
            // RFC 3030 2: after a failed chunk nothing of the transaction can be relied upon.
            self.end_transaction();
            return self.say_in(chunk.manner, &reply);
        }
        if !chunk.last {
            return self.say_in(chunk.manner, &fixed::CHUNK_OK);
        }
        if let Some(content) = self.server.transaction.as_mut().and_then(|open| open.content.as_mut()) {
            content.end_chunks();
        }
        self.dot(chunk.manner);
    }

    /// The message is complete: script, own limits, policy, in this order.
    fn dot(&mut self, earlier: Manner) {
        match self.ask(Stage::Dot) {
            Told::Go(manner) => self.dot_in(earlier.and(manner, self.now)),
            Told::Say(reply, manner) => {
                if refuses(&reply) {
                    self.turn_away(Stage::Dot, &reply, true);
                }
                self.end_transaction();
                self.say_in(earlier.and(manner, self.now), &reply);
            }
            Told::Stop => self.end_transaction(),
        }
    }

    fn dot_in(&mut self, manner: Manner) {
        let flaw = self.server.transaction.as_ref().and_then(|open| open.content.as_ref()?.flaw());
        if let Some(flaw) = flaw {
            let reply = match flaw {
                Flaw::Bare => &fixed::BARE_IN_CONTENT,
                Flaw::TooLarge => &fixed::TOO_LARGE,
            };
            self.turn_away(Stage::Dot, reply, true);
            self.end_transaction();
            return self.say_in(manner, reply);
        }
        if let Some(received) = self.received() {
            let verdict = self.policy.dot(self.now, self.server.conn, received, self.out);
            self.settle(Asked::Dot, verdict, None, manner);
        }
    }

    /// Takes the message out; the transaction is over.
    fn received(&mut self) -> Option<Received> {
        let Transaction { mail, recipients, content } = self.server.transaction.take()?;
        let protocol = match (self.server.extended, mail.utf8, self.server.tls.is_some()) {
            (_, true, true) => Protocol::Utf8Smtps,
            (_, true, false) => Protocol::Utf8Smtp,
            (true, false, true) => Protocol::Esmtps,
            (true, false, false) => Protocol::Esmtp,
            // HELO has no name of its own for TLS (RFC 3848)
            (false, false, _) => Protocol::Smtp,
        };
        let MailParameters { reverse_path, eight_bit, utf8, ret, envid, .. } = mail;
        let (content, spare) = content?.into_bytes();
        self.server.spare = spare;
        Some(Received {
            envelope: Envelope { reverse_path, recipients, eight_bit, utf8, envid, ret },
            helo: self.server.helo.clone()?,
            peer: self.server.peer,
            protocol,
            content,
        })
    }
}
