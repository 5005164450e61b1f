//! From a stored message to the queue: who is delivered here, who is relayed where.

use std::sync::Arc;

use mxdrill_net::{Commands, DomainName, Time};

use crate::{
    Fact, Message, Pending,
    core::{AnyFact, Core},
    profile::Restart,
    queue::{Picks, floor},
    spool::Recovered,
};

impl Core {
    /// The recipients of a message that are not delivered here.
    pub(crate) fn pending(&self, message: &Message) -> Pending {
        let mut pending = Pending::all(message.recipients.len());
        for (index, recipient) in message.recipients.iter().enumerate() {
            if self.config.delivers.contains(recipient.address.domain()) {
                pending.remove(index as u16);
            }
        }
        pending
    }

    /// A message is on stable storage: its mailboxes here have it, the other recipients are queued.
    pub(crate) fn stored<F: AnyFact>(
        &mut self,
        now: Time,
        message: &Arc<Message>,
        is_immediate: bool,
        out: &mut Commands<F>,
    ) {
        let mut relayed = Vec::new();
        for (index, recipient) in message.recipients.iter().enumerate() {
            if self.config.delivers.contains(recipient.address.domain()) {
                out.record(Fact::Delivered { message: message.clone(), recipient: index as u16 });
            } else if message.recipients.len() == 1 {
                let line = self.lane_of(recipient.address.domain());
                return self.enter(now, message, Picks::One(0), line, is_immediate);
            } else {
                relayed.push(index as u16);
            }
        }
        self.split(message, relayed, |core, picks, line| core.enter(now, message, picks, line, is_immediate));
    }

    /// One entry for each destination, and for each so many recipients as the profile puts into one envelope.
    fn split(
        &mut self,
        message: &Message,
        mut relayed: Vec<u16>,
        mut enter: impl FnMut(&mut Core, Picks, u32),
    ) {
        let domain = |index: u16| -> &DomainName { message.recipients[usize::from(index)].address.domain() };
        // stable: recipients of one destination stay in the order of their RCPT commands
        relayed.sort_by(|a, b| domain(*a).cmp(domain(*b)));
        let most = usize::from(self.config.profile.recipients_max.max(1));
        for group in relayed.chunk_by(|a, b| domain(*a) == domain(*b)) {
            let line = self.lane_of(domain(group[0]));
            for part in group.chunks(most) {
                enter(self, Picks::of(part), line);
            }
        }
    }

    fn enter(&mut self, now: Time, message: &Arc<Message>, picks: Picks, line: u32, is_immediate: bool) {
        let entry = self.queue.insert(message.clone(), picks, line);
        if is_immediate {
            self.queue.line_mut(line).ready.push_back(entry);
            self.touch(line);
        } else {
            let due = self.timetable.next_scan(now);
            self.queue.wait(entry, due);
        }
    }

    /// What the spool still held at a restart goes back into the queue.
    pub(crate) fn recover<F: AnyFact>(&mut self, now: Time, found: Vec<Recovered>, out: &mut Commands<F>) {
        for Recovered { message, pending } in found {
            let pending: Vec<u16> = pending.iter().collect();
            out.record(Fact::Recovered { message: message.clone(), pending: pending.clone().into() });
            self.split(&message, pending, |core, picks, line| core.resume(now, &message, picks, line));
        }
    }

    fn resume(&mut self, now: Time, message: &Arc<Message>, picks: Picks, line: u32) {
        let entry = self.queue.insert(message.clone(), picks, line);
        let due = match self.config.profile.restart {
            Restart::Due => floor(now),
            Restart::Scheduled => self.timetable.resume(self.queue.entry_mut(entry), now),
        };
        if due <= floor(now) {
            self.queue.line_mut(line).ready.push_back(entry);
            self.touch(line);
        } else {
            self.queue.wait(entry, due);
        }
    }
}
