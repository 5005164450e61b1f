//! The commands that carry no mail, and the order that all must keep (RFC 5321 4.1.4).

use mxdrill_net::Fact;

use super::{
    Policy,
    manner::{After, Manner, Told, accepts, refuses},
    turn::Turn,
};
use crate::{Command, CommandError, Domain, Reply, Script, Stage, command::number, reply::fixed};

impl<F: From<Fact>, P: Policy<F>, S: Script> Turn<'_, F, P, S> {
    /// Greets (RFC 5321 3.1), unless a fault says otherwise.
    pub(super) fn greet(&mut self) {
        match self.ask(Stage::Connect) {
            Told::Go(manner) => self.greet_in(manner),
            Told::Say(reply, manner) => self.greet_with(Stage::Connect, &reply, manner),
            Told::Stop => {}
        }
        self.flush();
    }

    fn greet_in(&mut self, earlier: Manner) {
        match self.ask(Stage::Greeting) {
            Told::Go(manner) => {
                let config = self.server.config.clone();
                self.server.serving = true;
                self.say_with(fixed::OK.code, earlier.and(manner, self.now), |to| {
                    to.extend_from_slice(b"220 ");
                    to.extend_from_slice(config.hostname.as_str().as_bytes());
                    to.extend_from_slice(b" ESMTP mxdrill\r\n");
                });
            }
            Told::Say(reply, manner) => {
                self.greet_with(Stage::Greeting, &reply, earlier.and(manner, self.now));
            }
            Told::Stop => {}
        }
    }

    fn greet_with(&mut self, stage: Stage, reply: &Reply, manner: Manner) {
        self.server.serving = accepts(reply);
        if refuses(reply) {
            self.turn_away(stage, reply, false);
        }
        self.say_in(manner, reply);
    }

    /// Serves a command.
    pub(super) fn serve(&mut self, command: Command<'_>) {
        match command {
            Command::Quit => self.quit(),
            _ if !self.server.serving => self.error(&fixed::NOT_SERVING),
            Command::Mail(mail) => self.mail(mail),
            Command::Rcpt(rcpt) => self.rcpt(rcpt),
            Command::Data => self.data(),
            Command::Bdat { size, last } => self.bdat(size, last),
            Command::Ehlo(domain) => self.hello(domain, true),
            Command::Helo(domain) => self.hello(domain, false),
            Command::Rset => {
                self.end_transaction();
                self.say(&fixed::OK);
            }
            Command::Noop => self.say(&fixed::OK),
            Command::Help => self.say(&fixed::HELP),
            Command::Vrfy(_) => self.say(&fixed::CANNOT_VERIFY),
            Command::Etrn(node) => self.etrn(node),
            Command::StartTls => self.start_tls(),
        }
    }

    /// A line that is no command. If it was meant as MAIL or RCPT, the policy hears that it was refused.
    pub(super) fn serve_error(&mut self, line: &[u8], error: CommandError) {
        let verb = line.get(..5).unwrap_or_default();
        if verb.eq_ignore_ascii_case(b"MAIL ") {
            self.turn_away(Stage::Mail, error.reply(), false);
        } else if verb.eq_ignore_ascii_case(b"RCPT ") {
            self.turn_away(Stage::Rcpt, error.reply(), false);
        }
        self.error(error.reply());
    }

    /// Says a reply to an error of the client's; too many of them end the session.
    pub(super) fn error(&mut self, reply: &Reply) {
        self.server.errors += 1;
        if self.server.errors > self.server.config.errors_max {
            self.say(&fixed::TOO_MANY_ERRORS);
        } else {
            self.say(reply);
        }
    }

    /// A refusal that the policy did not decide.
    pub(super) fn turn_away(&mut self, stage: Stage, reply: &Reply, with_content: bool) {
        let view = self.server.view();
        let content = self.server.transaction.as_ref().and_then(|open| open.content.as_ref());
        let content = content.filter(|_| with_content).map(|content| content.kept());
        self.policy.turned_away(self.now, stage, &view, reply, content, self.out);
    }

    /// EHLO and HELO begin anew (RFC 5321 4.1.4: as RSET does).
    fn hello(&mut self, domain: Domain<'_>, extended: bool) {
        let told = self.ask(Stage::Ehlo);
        if matches!(told, Told::Stop) {
            return;
        }
        self.end_transaction();
        let greeted = !matches!(&told, Told::Say(reply, _) if !accepts(reply));
        if greeted {
            self.server.extended = extended;
            if self.server.helo.as_deref() != Some(domain.text()) {
                self.server.helo = Some(domain.text().into());
            }
        }
        match told {
            Told::Go(manner) => self.say_hello(extended, manner),
            Told::Say(reply, manner) => {
                if refuses(&reply) {
                    self.turn_away(Stage::Ehlo, &reply, false);
                }
                self.say_in(manner, &reply);
            }
            Told::Stop => {}
        }
    }

    fn say_hello(&mut self, extended: bool, manner: Manner) {
        let config = self.server.config.clone();
        // RFC 3207 4.2: not again under TLS
        let is_stripped = std::mem::take(&mut self.server.amiss.is_stripped);
        let starttls = config.extensions.starttls && self.server.tls.is_none() && !is_stripped;
        self.say_with(fixed::OK.code, manner, |to| {
            let offers = &config.extensions;
            let size = offers.size.filter(|_| extended);
            let words = [
                (offers.pipelining, "PIPELINING"),
                (offers.eight_bit, "8BITMIME"),
                (offers.utf8, "SMTPUTF8"),
                (offers.chunking, "CHUNKING"),
                (offers.enhanced, "ENHANCEDSTATUSCODES"),
                (offers.dsn, "DSN"),
                (starttls, "STARTTLS"),
                (offers.etrn, "ETRN"),
            ];
            let mut lines = words.iter().filter(|(offered, _)| *offered && extended).peekable();
            let more = lines.peek().is_some();
            hello_line(to, size.is_some() || more, config.hostname.as_str());
            if let Some(size) = size {
                to.extend_from_slice(if more { b"250-SIZE " } else { b"250 SIZE " });
                number(to, size);
                to.extend_from_slice(b"\r\n");
            }
            while let Some((_, word)) = lines.next() {
                hello_line(to, lines.peek().is_some(), word);
            }
        });
    }

    /// ETRN (RFC 1985): the policy starts the queue run.
    fn etrn(&mut self, node: &str) {
        if !self.server.config.extensions.etrn {
            return self.error(&fixed::NOT_IMPLEMENTED);
        }
        match node.parse() {
            Ok(domain) => {
                let reply = self.policy.etrn(self.now, &domain, self.out);
                self.say(&reply);
            }
            Err(_) => self.error(&fixed::ARGUMENT),
        }
    }

    fn quit(&mut self) {
        let (reply, manner) = match self.ask(Stage::Quit) {
            Told::Go(manner) => (None, manner),
            Told::Say(reply, manner) => (Some(reply), manner),
            Told::Stop => return,
        };
        let after = if manner.after == After::Stay { After::Close } else { manner.after };
        self.say_in(Manner { after, ..manner }, reply.as_ref().unwrap_or(&*fixed::BYE));
    }
}

fn hello_line(to: &mut Vec<u8>, more: bool, text: &str) {
    to.extend_from_slice(if more { b"250-" } else { b"250 " });
    to.extend_from_slice(text.as_bytes());
    to.extend_from_slice(b"\r\n");
}
