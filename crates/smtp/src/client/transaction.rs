//! One letter on its way: what is to be said for it, what was answered, what became of its recipients.

use std::sync::Arc;

use mxdrill_net::{Commands, Time};

use super::{AsIs, Client, Expect, Letter, Outcome, Report, Step, outgoing::Outgoing};
use crate::{
    Address, Body, Command, Domain, Extension, Extensions, Mail, Notify, Path, Rcpt, Recipient, Reply, Stage,
};

/// A letter on its way.
#[derive(Debug)]
pub(super) struct Transaction<L> {
    letter: L,
    /// It needs SMTPUTF8.
    utf8: bool,
    /// Octets of its content (RFC 1870 3: without stuffed dots and the final dot).
    size: u64,
    /// Untried until something is known. At the final dot those that still are untried were accepted.
    outcomes: Vec<Outcome>,
    /// Recipients accepted so far.
    accepted: u32,
    /// MAIL was accepted, or its reply is still to come.
    open: bool,
    next: Next,
    content: Content,
}

/// What is to be said next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Mail,
    Rcpt(u32),
    Data,
    Nothing,
}

/// How far the content is.
#[derive(Debug)]
enum Content {
    /// Not begun.
    Waits,
    /// Blocks are left.
    Flows(Outgoing),
    /// All of it is sent, with the final dot.
    Sent,
    /// No recipient was accepted, but DATA was: only a dot was sent (RFC 2920 3.1).
    Lone,
}

impl<L: Letter> Transaction<L> {
    fn new(letter: L) -> Transaction<L> {
        let outcomes = vec![Outcome::Untried; letter.recipients()];
        let (utf8, size) = (needs_utf8(&letter), size(&letter));
        Transaction {
            letter,
            utf8,
            size,
            outcomes,
            accepted: 0,
            open: true,
            next: Next::Mail,
            content: Content::Waits,
        }
    }

    /// Whether everything is sent and only the reply to the final dot is outstanding.
    pub(super) fn is_all_sent(&self) -> bool {
        matches!(self.content, Content::Sent)
    }

    /// Whether blocks of its content are still to be sent.
    pub(super) fn is_flowing(&self) -> bool {
        matches!(self.content, Content::Flows(_))
    }

    /// Settles the recipients that are not yet rejected.
    pub(super) fn settle(&mut self, outcome: &Outcome) {
        for one in self.outcomes.iter_mut().filter(|one| **one == Outcome::Untried) {
            one.clone_from(outcome);
        }
    }

    pub(super) fn mail_refused(&mut self, reply: Arc<Reply>) {
        self.open = false;
        self.settle(&Outcome::Rejected { stage: Stage::Mail, reply });
    }

    pub(super) fn rcpt_accepted(&mut self) {
        // Behind a refused MAIL this would be a server that contradicts itself: the MAIL counts.
        self.accepted += u32::from(self.open);
    }

    pub(super) fn rcpt_refused(&mut self, index: u32, reply: Arc<Reply>) {
        if let Some(one) = self.outcomes.get_mut(index as usize).filter(|one| **one == Outcome::Untried) {
            *one = Outcome::Rejected { stage: Stage::Rcpt, reply };
        }
    }

    /// The report, and whether the server still has the transaction open.
    pub(super) fn into_report(self) -> (Report<L>, bool) {
        let open = self.open && !matches!(self.content, Content::Sent | Content::Lone);
        (Report { letter: self.letter, outcomes: self.outcomes }, open)
    }

    pub(super) fn into_letter(self) -> L {
        self.letter
    }

    /// What the letter needs and the server does not offer, unless it goes out as it is.
    fn lack(&self, offers: &Extensions, as_is: AsIs) -> Option<Extension> {
        if self.utf8 && !offers.utf8 && !as_is.utf8 {
            return Some(Extension::SmtpUtf8);
        }
        if self.letter.eight_bit() && !offers.eight_bit && !as_is.eight_bit {
            return Some(Extension::EightBitMime);
        }
        let too_large = offers.size.is_some_and(|max| max > 0 && self.size > max);
        (too_large && !as_is.size).then_some(Extension::Size)
    }

    fn write_mail(&self, offers: &Extensions, to: &mut Vec<u8>) {
        let letter = &self.letter;
        let mail = Mail {
            from: letter.reverse_path().0.as_ref().map(path),
            size: offers.size.map(|_| self.size),
            body: (letter.eight_bit() && offers.eight_bit).then_some(Body::EightBitMime),
            utf8: self.utf8 && offers.utf8,
            ret: letter.ret().filter(|_| offers.dsn),
            envid: letter.envid().filter(|_| offers.dsn),
        };
        Command::Mail(mail).write(to);
    }

    /// Writes the command that is next, and says which reply is to come.
    fn write_next(&mut self, offers: &Extensions, to: &mut Vec<u8>) -> Expect {
        match self.next {
            Next::Mail => {
                self.next = Next::Rcpt(0);
                self.write_mail(offers, to);
                Expect::Mail
            }
            Next::Rcpt(index) => {
                let after = index + 1;
                self.next =
                    if after as usize == self.letter.recipients() { Next::Data } else { Next::Rcpt(after) };
                write_rcpt(self.letter.recipient(index as usize), offers, to);
                Expect::Rcpt(index)
            }
            Next::Data | Next::Nothing => {
                self.next = Next::Nothing;
                Command::Data.write(to);
                Expect::Data
            }
        }
    }
}

impl<L: Letter> Client<L> {
    /// Takes a letter in hand, unless the server lacks what it needs.
    pub(super) fn begin<F>(&mut self, now: Time, letter: L, out: &mut Commands<F>) {
        let mut transaction = Transaction::new(letter);
        if let Some(lack) = transaction.lack(&self.offers, self.config.as_is) {
            transaction.settle(&Outcome::Lacks(lack));
            self.steps.push_back(Step::Done(transaction.into_report().0));
            return;
        }
        if std::mem::take(&mut self.reset_needed) {
            Command::Rset.write(&mut self.buffer);
            self.expected.push_back(Expect::Rset);
        }
        if self.pipelining {
            self.write_group(&mut transaction);
        }
        if self.current.is_none() {
            self.current = Some(transaction);
            self.go_on(now, out);
            self.set_due(now);
        } else {
            self.ahead = Some(transaction);
        }
        self.flush(out);
    }

    /// MAIL, all RCPT and DATA in one go (RFC 2920 3.1). BDAT waits: it needs a recipient.
    fn write_group(&mut self, transaction: &mut Transaction<L>) {
        let last = if self.chunking { Next::Data } else { Next::Nothing };
        while transaction.next != last {
            let expect = transaction.write_next(&self.offers, &mut self.buffer);
            self.expected.push_back(expect);
        }
    }

    /// With all replies in, says what is next for the letter in hand, or is done with it.
    pub(super) fn go_on<F>(&mut self, now: Time, out: &mut Commands<F>) {
        let Some(letter) = self.current.as_mut().filter(|_| self.expected.is_empty()) else { return };
        let hopeless = !letter.open || (letter.next == Next::Data && letter.accepted == 0);
        if hopeless {
            self.finish(now, out);
        } else if letter.next == Next::Data && self.chunking {
            self.send_chunk(now, out);
        } else if letter.next != Next::Nothing {
            let expect = letter.write_next(&self.offers, &mut self.buffer);
            self.expected.push_back(expect);
        }
    }

    /// The whole content as one chunk (RFC 3030 2).
    fn send_chunk<F>(&mut self, now: Time, out: &mut Commands<F>) {
        let Some(transaction) = &mut self.current else { return };
        let (header, body) = (transaction.letter.header(), transaction.letter.body());
        Command::Bdat { size: transaction.size, last: true }.write(&mut self.buffer);
        transaction.next = Next::Nothing;
        transaction.content = Content::Flows(Outgoing::for_chunk(header, body));
        self.expected.push_back(Expect::Dot);
        self.send_block(now, out);
    }

    /// 354: the content, or only a dot if nobody is to have it.
    pub(super) fn send_data<F>(&mut self, now: Time, out: &mut Commands<F>) {
        let Some(transaction) = &mut self.current else { return };
        self.expected.push_back(Expect::Dot);
        if transaction.accepted == 0 {
            transaction.content = Content::Lone;
            self.buffer.extend_from_slice(b".\r\n");
            return;
        }
        let outgoing =
            Outgoing::for_data(transaction.letter.header(), transaction.letter.body(), &mut self.plain);
        transaction.content = Content::Flows(outgoing);
        self.send_block(now, out);
    }

    /// Sends a block of content, if any is left.
    pub(super) fn send_block<F>(&mut self, now: Time, out: &mut Commands<F>) {
        self.flush(out);
        let Some(transaction) = &mut self.current else { return };
        if let Content::Flows(outgoing) = &mut transaction.content {
            if outgoing.send_block(self.conn, self.tls.as_deref_mut(), out) {
                transaction.content = Content::Sent;
            }
            self.set_due(now);
        }
    }

    /// Done with the letter in hand.
    pub(super) fn finish<F>(&mut self, now: Time, out: &mut Commands<F>) {
        let Some(transaction) = self.current.take() else { return };
        let (report, open) = transaction.into_report();
        self.reset_needed = open;
        self.steps.push_back(Step::Done(report));
        self.current = self.ahead.take();
        self.go_on(now, out);
        self.quit_if_idle(now, out);
    }
}

/// RFC 6531 3.4: for its header, or for an address of the envelope.
fn needs_utf8<L: Letter>(letter: &L) -> bool {
    letter.utf8()
        || letter.reverse_path().0.as_ref().is_some_and(Address::is_utf8)
        || (0..letter.recipients()).any(|index| letter.recipient(index).address.is_utf8())
}

fn size<L: Letter>(letter: &L) -> u64 {
    (letter.header().len() + letter.body().len()) as u64
}

fn write_rcpt(recipient: &Recipient, offers: &Extensions, to: &mut Vec<u8>) {
    let rcpt = Rcpt {
        to: path(&recipient.address),
        notify: Some(recipient.notify).filter(|notify| offers.dsn && *notify != Notify::default()),
        orcpt: recipient.orcpt.as_deref().filter(|_| offers.dsn),
    };
    Command::Rcpt(rcpt).write(to);
}

fn path(address: &Address) -> Path<'_> {
    Path { local: address.local(), domain: Some(Domain::Name(address.domain().as_str())) }
}
