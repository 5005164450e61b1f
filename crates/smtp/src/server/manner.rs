//! How a reply leaves: at once, or as a fault wants it: late, slowly, not at all, with the connection.

use std::time::Duration;

use mxdrill_net::{Fact, Time};

use super::{Policy, transaction::Asked, turn::Turn};
use crate::{
    Code, Effect, Reply, Script, Severity, Stage, Then,
    reply::fixed::{self, Words},
};

/// What the session waits for before it takes more input.
#[derive(Debug)]
pub(super) enum Wait {
    /// For nothing.
    No,
    /// For the policy.
    Verdict { asked: Asked, manner: Manner },
    /// For the time at which a reply is due.
    Late { at: Time, bytes: Vec<u8>, manner: Manner },
    /// For the rest of a reply to trickle out.
    Dribble { at: Time, bytes: Vec<u8>, sent: usize, manner: Manner },
    /// For the client to leave.
    Silent,
}

/// How the reply to one command leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// Not before this.
    pub(super) due: Time,
    /// Octets a second.
    pub(super) tarpit: Option<u32>,
    /// Whether it is said at all.
    pub(super) said: bool,
    /// What becomes of the connection then.
    pub(super) after: After,
}

/// What becomes of the connection after a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    Stay,
    Close,
    Reset,
}

impl Manner {
    /// At once, as a server without faults does.
    pub(super) const PLAIN: Manner = Manner { due: Time::ZERO, tarpit: None, said: true, after: After::Stay };

    /// Both: delays add up, the slower tarpit counts, and whichever ends the connection.
    pub(super) fn and(self, other: Manner, now: Time) -> Manner {
        let tarpit = match (self.tarpit, other.tarpit) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Manner {
            due: other.due.max(now) + self.due.since(now),
            tarpit,
            said: self.said && other.said,
            after: if self.after == After::Stay { other.after } else { self.after },
        }
    }
}

/// What the script wants at a stage.
pub(super) enum Told {
    /// That the server goes on; its reply leaves in this manner.
    Go(Manner),
    /// That the server says this.
    Say(Reply, Manner),
    /// Nothing more: it has been seen to.
    Stop,
}

impl<F: From<Fact>, P: Policy<F>, S: Script> Turn<'_, F, P, S> {
    /// Asks the script about the session as it stands.
    pub(super) fn ask(&mut self, stage: Stage) -> Told {
        let effect = self.script.at(self.now, stage, &self.server.view());
        self.told(stage, effect)
    }

    /// Records what bit, and sees to drops and silence.
    #[inline]
    pub(super) fn told(&mut self, stage: Stage, effect: Effect) -> Told {
        if effect.bit.is_empty() && effect.is_pass() {
            return Told::Go(Manner::PLAIN);
        }
        self.told_more(stage, effect)
    }

    #[cold]
    fn told_more(&mut self, stage: Stage, effect: Effect) -> Told {
        for tag in &effect.bit {
            self.out.record(Fact::Bit(*tag));
        }
        let manner = Manner { due: self.now + effect.delay, tarpit: effect.tarpit, ..Manner::PLAIN };
        // Nothing was said yet at connect: the close that follows is one in good order.
        let end = if stage == Stage::Connect { After::Close } else { After::Reset };
        match effect.then {
            Then::Pass => Told::Go(manner),
            Then::Reply(reply) => Told::Say(reply, manner),
            Then::Strip => {
                self.server.amiss.is_stripped = true;
                Told::Go(manner)
            }
            Then::Show(flaw) => {
                self.server.amiss.flaw = Some(flaw);
                Told::Go(manner)
            }
            Then::DropBeforeReply => Told::Go(Manner { said: false, after: end, ..manner }),
            Then::DropAfterReply => Told::Go(Manner { after: After::Close, ..manner }),
            Then::Drop => {
                let manner = Manner { said: false, after: end, ..manner };
                self.say_with(fixed::OK.code, manner, |_| {});
                Told::Stop
            }
            Then::Silence => {
                self.server.wait = Wait::Silent;
                Told::Stop
            }
        }
    }

    /// Says a reply at once.
    pub(super) fn say(&mut self, reply: &impl Words) {
        self.say_in(Manner::PLAIN, reply);
    }

    /// Says a reply in a manner.
    pub(super) fn say_in(&mut self, manner: Manner, reply: &impl Words) {
        let enhanced = self.server.config.extensions.enhanced;
        self.say_with(reply.code(), manner, |to| reply.write(enhanced, to));
    }

    /// Says what `write` writes. 421 closes the session (RFC 5321 3.8).
    pub(super) fn say_with(&mut self, code: Code, mut manner: Manner, write: impl FnOnce(&mut Vec<u8>)) {
        if code.number() == 421 && manner.after == After::Stay {
            manner.after = After::Close;
        }
        if manner.due <= self.now && manner.tarpit.is_none() {
            if manner.said {
                write(&mut self.server.replies);
            }
            return self.then(manner.after);
        }
        let mut bytes = Vec::new();
        write(&mut bytes);
        self.server.wait = Wait::Late { at: manner.due, bytes, manner };
        if manner.due <= self.now {
            self.release();
        }
    }

    /// A reply is due: it leaves, or begins to trickle.
    pub(super) fn release(&mut self) {
        match std::mem::replace(&mut self.server.wait, Wait::No) {
            Wait::Late { bytes, manner, .. } if manner.said && manner.tarpit.is_some() => {
                self.dribble(bytes, 0, manner);
            }
            Wait::Late { bytes, manner, .. } => {
                if manner.said {
                    self.server.replies.extend_from_slice(&bytes);
                }
                self.then(manner.after);
            }
            Wait::Dribble { bytes, sent, manner, .. } => self.dribble(bytes, sent, manner),
            other => self.server.wait = other,
        }
    }

    /// Lets some octets out: one at a time, or what a tenth of a second brings if that is more.
    fn dribble(&mut self, bytes: Vec<u8>, sent: usize, manner: Manner) {
        let rate = manner.tarpit.unwrap_or(u32::MAX).max(1);
        let portion = (rate / 10).max(1);
        let end = bytes.len().min(sent + portion as usize);
        self.server.replies.extend_from_slice(&bytes[sent..end]);
        if end == bytes.len() {
            return self.then(manner.after);
        }
        let step = Duration::from_nanos(u64::from(portion) * 1_000_000_000 / u64::from(rate));
        self.server.wait = Wait::Dribble { at: self.now + step, bytes, sent: end, manner };
    }

    #[inline]
    fn then(&mut self, after: After) {
        if after != After::Stay {
            self.end(after);
        }
    }

    #[cold]
    fn end(&mut self, after: After) {
        self.flush();
        self.server.over = true;
        if after == After::Reset {
            return self.out.reset(self.server.conn);
        }
        if let Some(tls) = &mut self.server.tls {
            tls.close(self.server.conn, self.out);
        }
        self.out.close(self.server.conn);
    }

    /// The one way out: all replies that are ready, in one write.
    pub(super) fn flush(&mut self) {
        if !self.server.replies.is_empty() {
            match self.server.tls {
                None => self.out.send(self.server.conn, &self.server.replies),
                Some(_) => self.flush_secured(),
            }
            self.server.replies.clear();
        }
    }

    /// The deadline has come: a reply is due, or the client is idle for too long.
    pub(super) fn timer(&mut self) {
        if matches!(self.server.wait, Wait::No) {
            self.say(&fixed::IDLE);
        } else {
            self.release();
            self.go_on();
        }
    }
}

/// Whether a reply accepts.
pub(super) fn accepts(reply: &Reply) -> bool {
    reply.severity() == Severity::Done
}

/// Whether a reply refuses.
pub(super) fn refuses(reply: &Reply) -> bool {
    matches!(reply.severity(), Severity::Temporary | Severity::Permanent)
}
