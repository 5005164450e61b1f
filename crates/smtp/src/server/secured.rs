//! STARTTLS (RFC 3207): the handshake, and what is forgotten with it.

use mxdrill_net::Fact;

use super::{Mode, Policy, Wait, manner::Told, turn::Turn};
use crate::{Script, Stage, reply::fixed};

impl<F: From<Fact>, P: Policy<F>, S: Script> Turn<'_, F, P, S> {
    /// STARTTLS (RFC 3207 4). Where it is offered without a certificate, 454.
    pub(super) fn start_tls(&mut self) {
        if self.server.tls.is_some() {
            return self.error(&fixed::ORDER);
        }
        if !self.server.config.extensions.starttls {
            return self.error(&fixed::NOT_IMPLEMENTED);
        }
        let has_tls = self.server.config.tls.is_some();
        match self.ask(Stage::StartTls) {
            Told::Go(manner) if has_tls => {
                self.forget();
                self.server.mode = Mode::Handshake;
                self.say_in(manner, &fixed::TLS_READY);
            }
            Told::Go(manner) => self.say_in(manner, &fixed::TLS_UNAVAILABLE),
            Told::Say(reply, manner) => self.say_in(manner, &reply),
            Told::Stop => {}
        }
    }

    /// RFC 3207 4.2: the server discards all that the client said before.
    fn forget(&mut self) {
        self.end_transaction();
        self.server.helo = None;
        self.server.extended = false;
    }

    /// Takes bytes of the wire under TLS. The first of them begin the handshake: what came with the STARTTLS, or
    /// before its reply was out, was in clear text and is gone.
    #[cold]
    pub(super) fn take_wire(&mut self, bytes: &[u8]) {
        if self.server.tls.is_none() {
            if !matches!(self.server.wait, Wait::No) {
                return self.take_plain(bytes);
            }
            let Some(tls) = self.server.config.tls.clone() else { return };
            self.server.tls = Some(Box::new(tls.session(self.server.amiss.flaw.take())));
            self.server.mode = Mode::Commands;
        }
        let Some(tls) = &mut self.server.tls else { return };
        let mut plain = Vec::new();
        let taken = tls.take(self.now, self.server.conn, bytes, &mut plain, self.out);
        if !plain.is_empty() {
            self.take_plain(&plain);
        }
        if taken.is_err() && !self.server.over {
            self.server.over = true;
            self.out.close(self.server.conn);
        }
    }

    /// Sends the replies that are ready under TLS. While the handshake goes on there is nothing to be said.
    #[cold]
    pub(super) fn flush_secured(&mut self) {
        let Some(tls) = self.server.tls.as_mut().filter(|tls| tls.security().is_some()) else { return };
        tls.send(self.server.conn, &self.server.replies, self.out);
    }
}
