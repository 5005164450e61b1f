//! Giving recipients up: who is told, who is not, and delay warnings.

use std::sync::Arc;

use mxdrill_net::{Commands, Time};
use mxdrill_smtp::Recipient;

use crate::{
    Discard, Fact, GiveUp, Message, Undelivered,
    core::{AnyFact, Core, Tag},
    queue::{Picks, floor},
};

/// Seconds after which a DSN that could not be stored is tried again.
const DSN_AGAIN: u32 = 60;

impl Core {
    /// Gives up every recipient of an entry in hand. Those whose sender is to be told stay in the entry until
    /// the DSN is on stable storage (RFC 5321 6.1); the others are gone at once.
    pub(crate) fn give_up<F: AnyFact>(
        &mut self,
        now: Time,
        entry: u32,
        lost: Vec<(GiveUp, Undelivered)>,
        out: &mut Commands<F>,
    ) {
        let message = self.queue.message(entry).clone();
        let mut told = Vec::new();
        for (why, lost) in lost {
            let (recipient, status, text) = (lost.recipient, lost.status, lost.text.clone());
            out.record(Fact::GivenUp { message: message.clone(), recipient, why, status, text });
            match silence(&message, recipient) {
                None => told.push(lost),
                Some(why) => {
                    out.record(Fact::Discarded { message: message.clone(), recipient, why });
                    self.spool.done(now, message.id, recipient, out);
                }
            }
        }
        match self.intake.bounce(now, &message, &told).filter(|_| !told.is_empty()) {
            None => self.drop_entry(entry),
            Some(dsn) => {
                let recipients: Vec<u16> = told.iter().map(|told| told.recipient).collect();
                self.queue.entry_mut(entry).picks = Picks::of(&recipients);
                self.store_own(Tag::Bounce { entry }, dsn, out);
            }
        }
    }

    /// Removes an entry; its line may be empty now.
    fn drop_entry(&mut self, entry: u32) {
        let line = self.queue.entry(entry).line;
        self.queue.remove(entry);
        self.touch(line);
    }

    fn store_own<F: AnyFact>(&mut self, tag: Tag, dsn: Message, out: &mut Commands<F>) {
        let pending = self.pending(&dsn);
        self.spool.store(tag, Arc::new(dsn), pending, out);
    }

    /// The DSN is on stable storage: the recipients it speaks of are done with.
    pub(crate) fn bounced<F: AnyFact>(
        &mut self,
        now: Time,
        entry: u32,
        dsn: &Arc<Message>,
        out: &mut Commands<F>,
    ) {
        let (message, picks) = (self.queue.message(entry).clone(), self.queue.entry(entry).picks.clone());
        for recipient in picks.as_slice() {
            let (message, dsn, recipient) = (message.clone(), dsn.clone(), *recipient);
            let id = message.id;
            out.record(Fact::Bounced { message, recipient, dsn });
            self.spool.done(now, id, recipient, out);
        }
        self.drop_entry(entry);
        self.stored(now, dsn, true, out);
    }

    /// The DSN could not be stored: what it speaks of must not vanish, so it stays queued.
    pub(crate) fn not_bounced(&mut self, now: Time, entry: u32) {
        self.queue.wait(entry, floor(now).saturating_add(DSN_AGAIN));
    }

    /// Tells the sender that an entry is late (RFC 3464, action delayed), if anyone is to be told.
    pub(crate) fn warn<F: AnyFact>(&mut self, now: Time, entry: u32, out: &mut Commands<F>) {
        let held = self.queue.entry(entry);
        let message = self.queue.message(entry).clone();
        let heard = self.lanes[held.line as usize].heard.as_ref();
        let wants = |pick: &&u16| {
            let notify = message.recipients[usize::from(**pick)].notify;
            notify.delay && !notify.never
        };
        let late = held.picks.as_slice().iter().filter(wants);
        let late: Vec<Undelivered> = late.map(|pick| crate::deliver::late(*pick, heard)).collect();
        let lifetime = self.config.profile.lifetime.mail.or(self.config.profile.retry.cutoff());
        let until = message.arrived + lifetime.unwrap_or_default();
        if late.is_empty() {
            return;
        }
        if let Some(dsn) = self.intake.warning(now, &message, &late, until) {
            self.store_own(Tag::Warning { about: message }, dsn, out);
        }
    }

    /// A delay warning is on stable storage.
    pub(crate) fn warned<F: AnyFact>(
        &mut self,
        now: Time,
        about: Arc<Message>,
        dsn: &Arc<Message>,
        out: &mut Commands<F>,
    ) {
        out.record(Fact::Warned { message: about, dsn: dsn.clone() });
        self.stored(now, dsn, true, out);
    }
}

/// Why nobody is told that a recipient was given up, if that is so.
fn silence(message: &Message, recipient: u16) -> Option<Discard> {
    // RFC 5321 4.5.5, 6.1: nothing is ever sent to a null reverse-path
    if message.reverse_path.is_null() {
        return Some(Discard::NullReversePath);
    }
    let wants_none = |recipient: &Recipient| recipient.notify.never || !recipient.notify.failure;
    message.recipients.get(usize::from(recipient)).is_some_and(wants_none).then_some(Discard::NotifyNever)
}
