//! How a session goes: what each reply means, and how it ends.

use std::{sync::Arc, time::Duration};

use mxdrill_net::{Commands, Time};

use super::{Client, Expect, Letter, Outcome, Step, hello, transaction::Transaction};
use crate::{Command, Domain, Failure, Reply, ReplyView, Severity, Stage, TlsFailure};

impl<L: Letter> Client<L> {
    /// Hears a reply: accounts for it, then says what is next.
    pub(super) fn hear<F>(&mut self, now: Time, reply: ReplyView<'_>, out: &mut Commands<F>) {
        let stage = self.stage();
        let closing = reply.code().number() == 421;
        let Some(expect) = self.expected.pop_front() else {
            return self.hear_unasked(closing, out);
        };
        let severity = reply.code().severity();
        let heard = match expect {
            Expect::Greeting => self.greeting(severity),
            Expect::Ehlo => self.ehlo(&reply),
            Expect::Helo => self.helo(severity),
            Expect::StartTls => self.starttls(now, &reply, out),
            // the layer lets nothing through before its end
            Expect::Handshake => Heard::Garbled,
            Expect::Rset => {
                if severity == Severity::Done {
                    Heard::Well
                } else {
                    Heard::Refused
                }
            }
            Expect::Mail => self.mail(&reply),
            Expect::Rcpt(index) => self.rcpt(index, &reply),
            Expect::Data => self.data(now, &reply, out),
            Expect::Dot => self.dot(now, &reply, out),
            Expect::Quit => return self.leave(out),
        };
        match heard {
            // RFC 5321 3.8: the server closes after a 421, whatever it answers.
            Heard::Well if !closing => {}
            Heard::Well | Heard::Refused => {
                if !closing && expect != Expect::Dot {
                    Command::Quit.write(&mut self.buffer);
                }
                let failure = Failure::Reply(Arc::new(reply.to_reply()));
                return self.fail(stage, failure, out);
            }
            Heard::Garbled => return self.fail(stage, Failure::Garbled, out),
            Heard::Unsafe(why) => {
                Command::Quit.write(&mut self.buffer);
                return self.fail(Stage::StartTls, Failure::Tls(why), out);
            }
        }
        self.go_on(now, out);
        self.set_due(now);
        self.quit_if_idle(now, out);
    }

    /// A reply that nothing asked for: 421 when an idle session is closed, else no SMTP.
    fn hear_unasked<F>(&mut self, closing: bool, out: &mut Commands<F>) {
        if closing {
            self.leave(out);
        } else {
            self.fail(Stage::Mail, Failure::Garbled, out);
        }
    }

    /// RFC 5321 3.1.
    fn greeting(&mut self, severity: Severity) -> Heard {
        match severity {
            Severity::Done => self.say_hello(Expect::Ehlo),
            Severity::GoOn => return Heard::Garbled,
            Severity::Temporary | Severity::Permanent => return Heard::Refused,
        }
        Heard::Well
    }

    /// EHLO refused for good is followed by HELO, whatever the 5xx: RFC 5321 4.1.4 names 500, 501, 502 and
    /// 550, 3.2 a server that does not know it, and Postfix asks only for the first digit.
    fn ehlo(&mut self, reply: &ReplyView<'_>) -> Heard {
        match reply.code().severity() {
            Severity::Done => {
                self.offers = hello::parse(reply);
                self.pipelining = self.offers.pipelining && self.config.pipelining;
                self.chunking = self.offers.chunking && self.config.chunking;
                self.secure_or_ready()
            }
            Severity::Permanent => {
                self.say_hello(Expect::Helo);
                Heard::Well
            }
            Severity::Temporary => Heard::Refused,
            Severity::GoOn => Heard::Garbled,
        }
    }

    fn helo(&mut self, severity: Severity) -> Heard {
        match severity {
            Severity::Done => self.secure_or_ready(),
            Severity::GoOn => Heard::Garbled,
            Severity::Temporary | Severity::Permanent => Heard::Refused,
        }
    }

    pub(super) fn say_hello(&mut self, expect: Expect) {
        let domain = Domain::Name(self.config.hostname.as_str());
        let command = if expect == Expect::Ehlo { Command::Ehlo(domain) } else { Command::Helo(domain) };
        command.write(&mut self.buffer);
        self.expected.push_back(expect);
    }

    pub(super) fn ready(&mut self) -> Heard {
        self.greeted = true;
        self.steps.push_back(Step::Ready);
        Heard::Well
    }

    fn mail(&mut self, reply: &ReplyView<'_>) -> Heard {
        let Some(letter) = &mut self.current else { return Heard::Garbled };
        match reply.code().severity() {
            Severity::Done => {}
            Severity::GoOn => return Heard::Garbled,
            Severity::Temporary | Severity::Permanent => letter.mail_refused(Arc::new(reply.to_reply())),
        }
        Heard::Well
    }

    fn rcpt(&mut self, index: u32, reply: &ReplyView<'_>) -> Heard {
        let Some(letter) = &mut self.current else { return Heard::Garbled };
        match reply.code().severity() {
            Severity::Done => letter.rcpt_accepted(),
            Severity::GoOn => return Heard::Garbled,
            Severity::Temporary | Severity::Permanent => {
                letter.rcpt_refused(index, Arc::new(reply.to_reply()))
            }
        }
        Heard::Well
    }

    fn data<F>(&mut self, now: Time, reply: &ReplyView<'_>, out: &mut Commands<F>) -> Heard {
        let Some(letter) = &mut self.current else { return Heard::Garbled };
        match reply.code().severity() {
            Severity::GoOn => self.send_data(now, out),
            Severity::Done => return Heard::Garbled,
            Severity::Temporary | Severity::Permanent => {
                letter.settle(&Outcome::Rejected { stage: Stage::Data, reply: Arc::new(reply.to_reply()) });
                if reply.code().number() != 421 {
                    self.finish(now, out);
                }
            }
        }
        Heard::Well
    }

    fn dot<F>(&mut self, now: Time, reply: &ReplyView<'_>, out: &mut Commands<F>) -> Heard {
        let severity = reply.code().severity();
        if severity == Severity::GoOn {
            // No answer to a final dot: whether the server has the message stays unknown.
            return Heard::Garbled;
        }
        let answer = self.answer(reply);
        let Some(letter) = &mut self.current else { return Heard::Garbled };
        if letter.is_flowing() {
            // The server does not wait for the end: nothing that it says can be trusted to be about it.
            if severity == Severity::Done {
                return Heard::Garbled;
            }
            letter.settle(&Outcome::Rejected { stage: Stage::Data, reply: answer });
            return Heard::Refused;
        }
        letter.settle(&match severity {
            Severity::Done => Outcome::Acknowledged(answer),
            _ => Outcome::Rejected { stage: Stage::Dot, reply: answer },
        });
        self.finish(now, out);
        Heard::Well
    }

    /// The reply to a final dot as a value; the last one again if it is the same, octet for octet.
    fn answer(&mut self, reply: &ReplyView<'_>) -> Arc<Reply> {
        match &self.acknowledged {
            Some((wire, answer)) if **wire == *reply.wire() => answer.clone(),
            _ => {
                let answer = Arc::new(reply.to_reply());
                self.acknowledged = Some((reply.wire().into(), answer.clone()));
                answer
            }
        }
    }

    /// The session failed: whoever was rejected stays so; the others are in doubt if the final dot was sent.
    pub(super) fn fail<F>(&mut self, stage: Stage, failure: Failure, out: &mut Commands<F>) {
        let flowing = self.current.as_ref().is_some_and(Transaction::is_flowing);
        let report = self.current.take().map(|mut letter| {
            if letter.is_all_sent() {
                letter.settle(&Outcome::InDoubt);
            }
            letter.into_report().0
        });
        let ahead = self.ahead.take().map(Transaction::into_letter);
        self.steps.push_back(Step::Failed { stage, failure, report, ahead });
        self.end(flowing, out);
    }

    /// The session ends with no letter in hand.
    pub(super) fn leave<F>(&mut self, out: &mut Commands<F>) {
        self.steps.push_back(Step::Closed);
        self.end(false, out);
    }

    /// Closes the connection; breaks it off where half a message must not seem to end in good order.
    fn end<F>(&mut self, abruptly: bool, out: &mut Commands<F>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        self.flush(out);
        if abruptly {
            out.reset(self.conn);
        } else {
            if let Some(tls) = &mut self.tls {
                tls.close(self.conn, out);
            }
            out.close(self.conn);
        }
    }

    /// Says QUIT if it is wanted and nothing is in hand (RFC 5321 4.1.1.10).
    pub(super) fn quit_if_idle<F>(&mut self, now: Time, out: &mut Commands<F>) {
        let idle = self.greeted && self.current.is_none() && self.expected.is_empty();
        if self.quit_wanted && idle && !self.over {
            Command::Quit.write(&mut self.buffer);
            self.expected.push_back(Expect::Quit);
            self.set_due(now);
            self.flush(out);
        }
    }

    /// The timeout begins anew: for the reply that is next, or for progress in writing.
    pub(super) fn set_due(&mut self, now: Time) {
        self.due = self.patience().map(|patience| now + patience);
    }

    fn patience(&self) -> Option<Duration> {
        let timeouts = &self.config.timeouts;
        Some(match self.expected.front()? {
            Expect::Greeting => timeouts.greeting,
            Expect::Ehlo | Expect::Helo => timeouts.ehlo,
            Expect::StartTls | Expect::Handshake => timeouts.starttls,
            Expect::Rset => timeouts.rset,
            Expect::Mail => timeouts.mail,
            Expect::Rcpt(_) => timeouts.rcpt,
            Expect::Data => timeouts.data_init,
            Expect::Dot if self.current.as_ref().is_some_and(Transaction::is_flowing) => timeouts.data_block,
            Expect::Dot => timeouts.dot,
            Expect::Quit => timeouts.quit,
        })
    }

    /// The one way out, beside the content of `outgoing`.
    pub(super) fn flush<F>(&mut self, out: &mut Commands<F>) {
        if !self.buffer.is_empty() {
            match &mut self.tls {
                None => out.send(self.conn, &self.buffer),
                Some(tls) => tls.send(self.conn, &self.buffer, out),
            }
            self.buffer.clear();
        }
    }
}

/// What a reply means for the session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It goes on.
    Well,
    /// It is refused.
    Refused,
    /// No answer to what was asked.
    Garbled,
    /// It is not as safe as it must be.
    Unsafe(TlsFailure),
}
