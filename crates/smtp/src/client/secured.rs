//! STARTTLS (RFC 3207): when it is said, and what comes of it.

use std::sync::Arc;

use mxdrill_net::{Commands, Time};

use super::{Client, Expect, Letter, session::Heard};
use crate::{Command, Extensions, Failure, ReplyView, Severity, Stage, TlsFailure, tls::Demand};

impl<L: Letter> Client<L> {
    /// EHLO or HELO is answered: TLS comes first, if it is wanted and to be had.
    pub(super) fn secure_or_ready(&mut self) -> Heard {
        match &self.demand {
            Some(demand) if self.tls.is_none() => {
                if self.offers.starttls && self.config.tls.is_some() {
                    Command::StartTls.write(&mut self.buffer);
                    self.expected.push_back(Expect::StartTls);
                    return Heard::Well;
                }
                if demand.0.is_mandatory() {
                    return Heard::Unsafe(TlsFailure::NotOffered);
                }
                self.ready()
            }
            _ => self.ready(),
        }
    }

    /// The reply to STARTTLS. Where it is refused, mail that may go in clear text does so in the same session.
    pub(super) fn starttls<F>(&mut self, now: Time, reply: &ReplyView<'_>, out: &mut Commands<F>) -> Heard {
        let Some(demand) = &self.demand else { return Heard::Garbled };
        match reply.code().severity() {
            Severity::Done => self.begin_tls(now, out),
            Severity::GoOn => Heard::Garbled,
            Severity::Temporary | Severity::Permanent if !demand.0.is_mandatory() => self.ready(),
            Severity::Temporary | Severity::Permanent => {
                Heard::Unsafe(TlsFailure::Rejected(Arc::new(reply.to_reply())))
            }
        }
    }

    fn begin_tls<F>(&mut self, now: Time, out: &mut Commands<F>) -> Heard {
        let (demand, server) = self.demand.as_deref().cloned().unwrap_or_else(|| {
            (Demand::Clear, self.config.hostname.clone()) // never: STARTTLS is said for a demand
        });
        let Some(mut tls) = self.config.tls.as_ref().and_then(|tls| tls.session(demand, server)) else {
            return Heard::Unsafe(TlsFailure::Handshake);
        };
        tls.begin(now, self.conn, out);
        self.tls = Some(Box::new(tls));
        self.expected.push_back(Expect::Handshake);
        Heard::Well
    }

    /// Bytes of the wire came under TLS.
    #[cold]
    pub(super) fn wire<F>(&mut self, now: Time, bytes: &[u8], out: &mut Commands<F>) {
        if self.over {
            return;
        }
        let Some(tls) = &mut self.tls else { return };
        let mut plain = Vec::new();
        let taken = tls.take(now, self.conn, bytes, &mut plain, out);
        let is_open = tls.security().is_some();
        if is_open && self.expected.front() == Some(&Expect::Handshake) && taken.is_ok() {
            self.begin_anew(now);
        }
        if !plain.is_empty() {
            self.plain(now, &plain, out);
        }
        if let Err(why) = taken
            && !self.over
        {
            let stage = if is_open { self.stage() } else { Stage::StartTls };
            self.fail(stage, Failure::Tls(why), out);
        }
        self.flush(out);
    }

    /// RFC 3207 4.2: the client discards all that the server said before, and says EHLO again.
    fn begin_anew(&mut self, now: Time) {
        self.expected.pop_front();
        self.offers = Extensions::NONE;
        self.say_hello(Expect::Ehlo);
        self.set_due(now);
    }
}
