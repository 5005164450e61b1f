//! The envelope of a mail: MAIL and RCPT (RFC 5321 3.3), and what the policy says to them.

use mxdrill_net::{DomainName, Fact};

use super::{
    Policy, Turn, Verdict, Wait,
    manner::{Manner, Told, accepts},
};
use crate::{
    Address, Body, Domain, Mail, MailParameters, Path, Rcpt, Recipient, Reply, ReversePath, Script, Stage,
    content::Content,
    reply::fixed::{self, Fixed, Words},
};

/// A mail transaction, from an accepted MAIL on.
#[derive(Debug)]
pub(super) struct Transaction {
    pub(super) mail: MailParameters,
    pub(super) recipients: Vec<Recipient>,
    /// From DATA or the first BDAT on.
    pub(super) content: Option<Content>,
}

impl Transaction {
    /// Octets as announced, then as received.
    pub(super) fn size(&self) -> u64 {
        self.content.as_ref().map_or(self.mail.size.unwrap_or(0), Content::size)
    }
}

/// What the policy was asked and has not answered yet.
#[derive(Debug)]
pub(super) enum Asked {
    Mail(MailParameters),
    Rcpt(Recipient),
    Dot,
}

impl<F: From<Fact>, P: Policy<F>, S: Script> Turn<'_, F, P, S> {
    /// MAIL (RFC 5321 4.1.1.2).
    pub(super) fn mail(&mut self, mail: Mail<'_>) {
        if self.server.helo.is_none() {
            return self.error(&fixed::HELLO_FIRST);
        }
        if self.server.transaction.is_some() {
            return self.error(&fixed::NESTED_MAIL);
        }
        self.server.mail_refused = true;
        let parameters = match self.mail_parameters(mail) {
            Ok(parameters) => parameters,
            Err(reply) => {
                self.turn_away(Stage::Mail, reply, false);
                return self.say(reply);
            }
        };
        let mut view = self.server.view();
        (view.from, view.size) = (Some(&parameters.reverse_path), parameters.size.unwrap_or(0));
        let effect = self.script.at(self.now, Stage::Mail, &view);
        let (wanted, manner) = match self.told(Stage::Mail, effect) {
            Told::Go(manner) => (None, manner),
            Told::Say(reply, manner) => (Some(reply), manner),
            Told::Stop => return,
        };
        let mut view = self.server.view();
        (view.from, view.size) = (Some(&parameters.reverse_path), parameters.size.unwrap_or(0));
        if let Some(reply) = wanted.as_ref().filter(|reply| !accepts(reply)) {
            self.policy.turned_away(self.now, Stage::Mail, &view, reply, None, self.out);
            return self.say_in(manner, reply);
        }
        let verdict = self.policy.mail(self.now, &view, &parameters, self.out);
        self.settle(Asked::Mail(parameters), verdict, wanted, manner);
    }

    /// What MAIL says, if all of it is offered (RFC 5321 4.1.1.11) and fits.
    fn mail_parameters(&mut self, mail: Mail<'_>) -> Result<MailParameters, &'static Fixed> {
        let offers = &self.server.config.extensions;
        let body_missing = match mail.body {
            None => false,
            Some(Body::SevenBit | Body::EightBitMime) => !offers.eight_bit,
            Some(Body::BinaryMime) => true,
        };
        let missing = body_missing
            || mail.size.is_some() && offers.size.is_none()
            || mail.utf8 && !offers.utf8
            || (mail.ret.is_some() || mail.envid.is_some()) && !offers.dsn;
        let any = mail.size.is_some()
            || mail.body.is_some()
            || mail.utf8
            || mail.ret.is_some()
            || mail.envid.is_some();
        if missing || any && !self.server.extended {
            return Err(&fixed::PARAMETER);
        }
        // RFC 1870 6.1: what is announced too large need not be sent.
        if mail.size.zip(offers.size).is_some_and(|(size, max)| max > 0 && size > max) {
            return Err(&fixed::TOO_LARGE);
        }
        let address = match mail.from {
            None => None,
            Some(path) => {
                Some(address(&mut self.server.last.sender, path, None).ok_or(if is_literal(path) {
                    &fixed::LITERAL_SENDER
                } else {
                    &fixed::SENDER_SYNTAX
                })?)
            }
        };
        // RFC 6531 3.5: an address beyond ASCII needs the parameter.
        if !mail.utf8 && address.as_ref().is_some_and(Address::is_utf8) {
            return Err(&fixed::UTF8_NEEDED);
        }
        Ok(MailParameters {
            reverse_path: ReversePath(address),
            size: mail.size,
            eight_bit: mail.body == Some(Body::EightBitMime),
            utf8: mail.utf8,
            ret: mail.ret,
            envid: mail.envid.map(Box::from),
        })
    }

    /// RCPT (RFC 5321 4.1.1.3).
    pub(super) fn rcpt(&mut self, rcpt: Rcpt<'_>) {
        match &self.server.transaction {
            None => return self.out_of_order(&fixed::MAIL_FIRST),
            Some(open) if open.content.is_some() => return self.error(&fixed::ORDER),
            Some(_) => {}
        }
        let recipient = match self.recipient(rcpt) {
            Ok(recipient) => recipient,
            Err(reply) => {
                self.turn_away(Stage::Rcpt, reply, false);
                return self.say(reply);
            }
        };
        let mut view = self.server.view();
        view.recipient = Some(&recipient.address);
        let effect = self.script.at(self.now, Stage::Rcpt, &view);
        let (wanted, manner) = match self.told(Stage::Rcpt, effect) {
            Told::Go(manner) => (None, manner),
            Told::Say(reply, manner) => (Some(reply), manner),
            Told::Stop => return,
        };
        let mut view = self.server.view();
        view.recipient = Some(&recipient.address);
        let full = self.server.transaction.as_ref().map_or(0, |open| open.recipients.len())
            >= self.server.config.recipients_max;
        // RFC 5321 4.5.3.1.10: 452 for one too many; those before it stand.
        let own = full.then_some(&*fixed::TOO_MANY_RECIPIENTS);
        if let Some(reply) = wanted.as_ref().filter(|reply| !accepts(reply)).or(own) {
            self.policy.turned_away(self.now, Stage::Rcpt, &view, reply, None, self.out);
            return self.say_in(manner, reply);
        }
        let verdict = self.policy.rcpt(self.now, &view, &recipient, self.out);
        self.settle(Asked::Rcpt(recipient), verdict, wanted, manner);
    }

    fn recipient(&mut self, rcpt: Rcpt<'_>) -> Result<Recipient, &'static Fixed> {
        let offered = self.server.config.extensions.dsn && self.server.extended;
        if (rcpt.notify.is_some() || rcpt.orcpt.is_some()) && !offered {
            return Err(&fixed::PARAMETER);
        }
        let own = &self.server.config.hostname;
        let address = address(&mut self.server.last.recipient, rcpt.to, Some(own))
            .ok_or(if is_literal(rcpt.to) { &fixed::LITERAL_RECIPIENT } else { &fixed::RECIPIENT_SYNTAX })?;
        let utf8 = self.server.transaction.as_ref().is_some_and(|open| open.mail.utf8);
        if !utf8 && address.is_utf8() {
            return Err(&fixed::UTF8_NEEDED);
        }
        Ok(Recipient { address, notify: rcpt.notify.unwrap_or_default(), orcpt: rcpt.orcpt.map(Box::from) })
    }

    /// Carries out a verdict of the policy's, in the words that a fault `wanted` if it accepts.
    pub(super) fn settle(&mut self, asked: Asked, verdict: Verdict, wanted: Option<Reply>, manner: Manner) {
        match verdict {
            Verdict::Later => self.server.wait = Wait::Verdict { asked, manner },
            Verdict::Reply(reply) if !accepts(&reply) => self.say_in(manner, &reply),
            Verdict::Reply(reply) => self.accept(asked, wanted.as_ref().unwrap_or(&reply), manner),
            Verdict::Accept => match (wanted, &asked) {
                (Some(wanted), _) => self.accept(asked, &wanted, manner),
                (None, Asked::Mail(_)) => self.accept(asked, &fixed::SENDER_OK, manner),
                (None, Asked::Rcpt(_)) => self.accept(asked, &fixed::RECIPIENT_OK, manner),
                (None, Asked::Dot) => self.accept(asked, &fixed::DOT_OK, manner),
            },
        }
    }

    fn accept(&mut self, asked: Asked, reply: &impl Words, manner: Manner) {
        match asked {
            Asked::Mail(mail) => {
                self.server.mail_refused = false;
                self.server.transaction =
                    Some(Transaction { mail, recipients: Vec::with_capacity(1), content: None });
            }
            Asked::Rcpt(recipient) => {
                if let Some(open) = &mut self.server.transaction {
                    open.recipients.push(recipient);
                }
            }
            Asked::Dot => {}
        }
        self.say_in(manner, reply);
    }

    /// The verdict that was outstanding has come.
    pub(super) fn resume(&mut self, reply: &Reply) {
        match std::mem::replace(&mut self.server.wait, Wait::No) {
            Wait::Verdict { asked, manner } if accepts(reply) => self.accept(asked, reply, manner),
            Wait::Verdict { manner, .. } => self.say_in(manner, reply),
            other => {
                self.server.wait = other;
                return;
            }
        }
        self.go_on();
    }

    /// As RSET does: nothing is left of the transaction.
    pub(super) fn end_transaction(&mut self) {
        self.server.transaction = None;
        self.server.mail_refused = false;
    }

    /// 503. Behind a MAIL that was refused it is what pipelining brings (RFC 2920 3.1), no error to be counted.
    pub(super) fn out_of_order(&mut self, reply: &Fixed) {
        if self.server.mail_refused { self.say(reply) } else { self.error(reply) }
    }
}

fn is_literal(path: Path<'_>) -> bool {
    matches!(path.domain, Some(Domain::Literal(_)))
}

/// The mailbox that a path names. `<Postmaster>` is the one of `own` (RFC 5321 4.1.1.3). What is the same in the
/// `last` one is shared with it, which saves an allocation for nearly every message.
fn address(last: &mut Option<Address>, path: Path<'_>, own: Option<&DomainName>) -> Option<Address> {
    let text = match path.domain {
        Some(Domain::Name(text)) => text,
        Some(Domain::Literal(_)) => return None,
        None => return own.map(|own| Address::from_parts(path.local, own.clone())),
    };
    let same = |name: &str| name == text || name.eq_ignore_ascii_case(text);
    let domain = match last {
        Some(last) if same(last.domain().as_str()) => {
            if last.local() == path.local {
                return Some(last.clone());
            }
            last.domain().clone()
        }
        _ => text.parse().ok()?,
    };
    last.insert(Address::from_parts(path.local, domain)).clone().into()
}
