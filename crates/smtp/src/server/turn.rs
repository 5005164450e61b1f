//! One event being handled: input is taken, command line by command line and message by message, until a
//! reply has to wait; replies leave together at the end.

use mxdrill_net::{Commands, Fact, Time};

use super::{Mode, Policy, Server, Wait};
use crate::{Command, CommandError, Script, reply::fixed};

/// Octets of a command line with its CRLF (RFC 5321 4.5.3.1.4).
const LINE_MAX: usize = 512;

/// The same for MAIL and RCPT, whose parameters extend it: SIZE by 26 (RFC 1870 4), BODY by 17 (RFC 6152 2),
/// SMTPUTF8 by 10 and addresses of UTF-8 (RFC 6531 3.4), ENVID, RET, NOTIFY and ORCPT by some 600 (RFC 3461),
/// AUTH by 500 (RFC 4954 3). This is above their sum, and Postfix's line_length_limit.
const LINE_MAX_WITH_PARAMETERS: usize = 2048;

/// One event being handled.
pub(super) struct Turn<'a, F, P, S> {
    pub(super) server: &'a mut Server,
    pub(super) now: Time,
    pub(super) policy: &'a mut P,
    pub(super) script: &'a mut S,
    pub(super) out: &'a mut Commands<F>,
}

impl<F: From<Fact>, P: Policy<F>, S: Script> Turn<'_, F, P, S> {
    /// Takes what came, or holds it while a reply is outstanding.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        if self.server.tls.is_some() || matches!(self.server.mode, Mode::Handshake) {
            return self.take_wire(bytes);
        }
        self.take_plain(bytes);
    }

    /// Takes what came, in clear text or decrypted.
    pub(super) fn take_plain(&mut self, bytes: &[u8]) {
        match self.server.wait {
            Wait::No => {
                let taken = self.consume(bytes);
                self.hold(&bytes[taken..]);
            }
            Wait::Silent => {}
            _ => self.hold(bytes),
        }
        self.flush();
    }

    /// Goes on with what was held, if nothing is outstanding any more.
    pub(super) fn go_on(&mut self) {
        // The client could do nothing but wait: its time begins now.
        self.server.idle_at = self.now + self.server.config.idle;
        while !self.server.held.is_empty() && matches!(self.server.wait, Wait::No) && !self.server.over {
            let mut held = std::mem::take(&mut self.server.held);
            let taken = self.consume(&held);
            held.drain(..taken);
            self.server.held = held;
        }
        self.flush();
        if self.server.eof && matches!(self.server.wait, Wait::No) && !self.server.over {
            self.server.over = true;
            self.out.close(self.server.conn);
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.server.over || matches!(self.server.wait, Wait::Silent) {
            return;
        }
        if self.server.held.len() + bytes.len() > self.server.config.held_max {
            self.server.wait = Wait::No;
            self.say(&fixed::TOO_MUCH_HELD);
        } else {
            self.server.held.extend_from_slice(bytes);
        }
    }

    /// Takes input until it is all taken, a reply is outstanding, or the session is over.
    fn consume(&mut self, input: &[u8]) -> usize {
        let mut at = 0;
        while at < input.len() && matches!(self.server.wait, Wait::No) && !self.server.over {
            let rest = &input[at..];
            at += match self.server.mode {
                Mode::Commands | Mode::Overlong => self.take_line(rest),
                Mode::Data => self.take_data(rest),
                Mode::Chunk(_) => self.take_chunk(rest),
                Mode::Handshake => rest.len(),
            };
        }
        at
    }

    /// Takes a command line, or the part of it that has come. A bare LF ends it too, to be refused at once
    /// rather than leave its writer waiting; it never ends a line of a message.
    fn take_line(&mut self, input: &[u8]) -> usize {
        let Some(end) = memchr::memchr(b'\n', input) else {
            self.keep_partial(input);
            return input.len();
        };
        let piece = &input[..end];
        if matches!(self.server.mode, Mode::Overlong) {
            self.server.mode = Mode::Commands;
            self.error(CommandError::TooLong.reply());
        } else if self.server.line.is_empty() {
            self.serve_line(piece);
        } else {
            let mut line = std::mem::take(&mut self.server.line);
            line.extend_from_slice(piece);
            self.serve_line(&line);
            line.clear();
            self.server.line = line;
        }
        end + 1
    }

    fn keep_partial(&mut self, piece: &[u8]) {
        let line = &mut self.server.line;
        if line.len() + piece.len() >= LINE_MAX_WITH_PARAMETERS {
            line.clear();
            self.server.mode = Mode::Overlong;
        } else if matches!(self.server.mode, Mode::Commands) {
            line.extend_from_slice(piece);
        }
    }

    /// Serves a line that has come whole, without its LF.
    fn serve_line(&mut self, line: &[u8]) {
        if line.len() >= LINE_MAX && line.len() + 1 > line_max(line) {
            return self.error(CommandError::TooLong.reply());
        }
        let command = match line.strip_suffix(b"\r") {
            Some(line) => Command::parse(line),
            None => Err(CommandError::Bare),
        };
        match command {
            Ok(command) => self.serve(command),
            Err(error) => self.serve_error(line, error),
        }
    }
}

fn line_max(line: &[u8]) -> usize {
    let verb = line.get(..4).unwrap_or_default();
    let extended = verb.eq_ignore_ascii_case(b"MAIL") || verb.eq_ignore_ascii_case(b"RCPT");
    if extended { LINE_MAX_WITH_PARAMETERS } else { LINE_MAX }
}
