//! Every message and recipient of the drill, compact: a million cost some 130 MB.

use std::{collections::BTreeMap, sync::Arc};

use mxdrill_mta::MessageKey;
use mxdrill_net::{Index, Time};
use mxdrill_smtp::Address;

use crate::RecipientName;

/// Whose mail a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The drill's own.
    Sent,
    /// A DSN of failure, made by a host.
    Bounce,
    /// A delay warning, or another DSN that ends nothing.
    Warning,
    /// A message with a null reverse-path that nobody announced; read when it is delivered.
    Dsn,
    /// Nobody sent it.
    Stray,
}

/// Where a message stands in [`Mail`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct MessageId(pub u32);

/// Where a recipient stands in [`Mail`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct RecipientId(pub u32);

/// A host, counted in the order of the setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Site(pub u16);

impl Site {
    /// No host.
    pub(crate) const NONE: Site = Site(u16::MAX);
}

/// What is known of a message.
#[derive(Clone, Debug)]
pub(crate) struct MessageState {
    /// The recipients, as they were sent.
    pub(crate) to: Arc<[Address]>,
    /// When the originator offered it, or a host made it.
    pub(crate) sent_at: Time,
    /// Its first recipient; the others follow.
    pub(crate) first: RecipientId,
    /// Its number in the drill; of a DSN, that of the message it is about.
    pub(crate) number: u32,
    /// The send step it belongs to.
    pub(crate) send: u32,
    /// Its body in the table of bodies.
    pub(crate) body: u32,
    /// The fields of its header, as they were sent.
    pub(crate) header: u32,
    /// Delivery attempts begun by the originator.
    pub(crate) attempts: u16,
    /// Whose it is.
    pub(crate) kind: Kind,
    /// Its envelope sender never sent it.
    pub(crate) forged: bool,
    /// Its reverse-path is null.
    pub(crate) null: bool,
}

/// What became of a recipient at the first host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum First {
    /// The transaction is still under way.
    #[default]
    Open,
    /// 250 after the dot.
    Acknowledged,
    /// Not taken.
    Rejected,
    /// In doubt.
    InDoubt,
}

/// In which column of the books a recipient stands. Each stands in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Not yet answered for.
    Open,
    /// Not taken by the first host.
    Rejected,
    /// In doubt at the first host.
    InDoubt,
    /// In a mailbox.
    Delivered,
    /// In a queue.
    Queued,
    /// Given up with a DSN.
    Bounced,
    /// Given up in silence.
    Discarded,
    /// Nowhere.
    Lost,
}

/// A host that holds copies of a recipient.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hold {
    /// The host.
    pub(crate) site: Site,
    /// How many copies.
    pub(crate) copies: u8,
    /// A look into the queue has just found it.
    pub(crate) confirmed: bool,
    /// The last attempt.
    pub(crate) tries: Tries,
    /// Since when.
    pub(crate) since: Time,
}

const NO_HOLD: Hold =
    Hold { site: Site::NONE, copies: 0, confirmed: false, tries: Tries(0), since: Time::ZERO };

/// The attempts of a host at a recipient: how many, and in which second the last one was. Packed, as every holder
/// of every recipient has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tries(u32);

impl Tries {
    const SECOND_MAX: u32 = (1 << 24) - 1;
    const COUNT_MAX: u32 = 254;

    /// None yet; the host has the recipient since then.
    pub(crate) fn none(at: Time) -> Tries {
        Tries(Tries::second(at))
    }

    /// Nobody knows how many: the host came back at that time.
    pub(crate) fn unknown(at: Time) -> Tries {
        Tries(Tries::second(at) | 255 << 24)
    }

    /// One more.
    pub(crate) fn again(self, at: Time) -> Tries {
        let count = self.count().map_or(255, |count| (count + 1).min(Tries::COUNT_MAX));
        Tries(Tries::second(at) | count << 24)
    }

    /// How many; `None` after a restart.
    pub(crate) fn count(self) -> Option<u32> {
        let count = self.0 >> 24;
        (count <= Tries::COUNT_MAX).then_some(count)
    }

    /// When the last one was, or since when the host waits for the first. `None`: too late to be kept here.
    pub(crate) fn at(self) -> Option<Time> {
        let second = self.0 & Tries::SECOND_MAX;
        (second < Tries::SECOND_MAX).then(|| Time::from_secs(second.into()))
    }

    fn second(at: Time) -> u32 {
        u32::try_from(at.as_nanos() / 1_000_000_000).unwrap_or(u32::MAX).min(Tries::SECOND_MAX)
    }
}

/// What is known of a recipient.
#[derive(Clone, Debug)]
pub(crate) struct RecipientState {
    /// Who holds it: two at a handover, more only after doubt, and those are kept apart.
    holds: [Hold; 2],
    /// When the first copy reached a mailbox; `Time::MAX` when none has.
    pub(crate) delivered_at: Time,
    /// When a host last passed it on, in whole seconds from 1; zero is never.
    pub(crate) left_at: u32,
    /// Where the first copy reached a mailbox.
    pub(crate) delivered_by: Site,
    /// The host that gave it up, or was the last to hold it.
    pub(crate) last: Site,
    /// What the first host said.
    pub(crate) first: First,
    /// Further copies delivered.
    pub(crate) extra: u8,
    /// Copies that the protocol allows: a sending host never recorded the 250.
    pub(crate) doubts: u8,
    /// Given up with a DSN.
    pub(crate) bounced: bool,
    /// Given up in silence.
    pub(crate) discarded: bool,
    /// A relay held it at the last repair.
    pub(crate) held_at_repair: bool,
    /// A host held it when it crashed, and has not said since that it still does.
    pub(crate) held_at_crash: bool,
    /// A host has been told 4xx for it.
    pub(crate) put_off: bool,
}

impl RecipientState {
    fn new() -> RecipientState {
        RecipientState {
            holds: [NO_HOLD; 2],
            delivered_at: Time::MAX,
            left_at: 0,
            delivered_by: Site::NONE,
            last: Site::NONE,
            first: First::Open,
            extra: 0,
            doubts: 0,
            bounced: false,
            discarded: false,
            held_at_repair: false,
            held_at_crash: false,
            put_off: false,
        }
    }

    /// Whether a copy is in a mailbox.
    pub(crate) fn is_delivered(&self) -> bool {
        self.delivered_at != Time::MAX
    }

    /// Whether nothing more is owed for it.
    pub(crate) fn is_final(&self) -> bool {
        self.is_delivered() || self.bounced || self.discarded
    }

    /// Whether some queue holds it.
    pub(crate) fn is_held(&self) -> bool {
        self.holds.iter().any(|hold| hold.copies > 0)
    }

    /// Who holds it, but for holders beyond two.
    pub(crate) fn holds(&self) -> impl Iterator<Item = &Hold> {
        self.holds.iter().filter(|hold| hold.copies > 0)
    }

    /// The column it stands in. Delivered outweighs bounced, and final outweighs queued: a copy may lie elsewhere.
    pub(crate) fn class(&self) -> Class {
        match self.first {
            First::Open => return Class::Open,
            First::Rejected => return Class::Rejected,
            First::InDoubt => return Class::InDoubt,
            First::Acknowledged => {}
        }
        if self.is_delivered() {
            Class::Delivered
        } else if self.bounced {
            Class::Bounced
        } else if self.discarded {
            Class::Discarded
        } else if self.is_held() {
            Class::Queued
        } else {
            Class::Lost
        }
    }
}

/// All messages and recipients.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    messages: Vec<MessageState>,
    recipients: Vec<RecipientState>,
    by_key: Index<MessageKey, MessageId>,
    by_number: Vec<MessageId>,
    last: Option<(MessageKey, MessageId)>,
    /// Holders of a recipient beyond two.
    further: BTreeMap<(RecipientId, Site), Hold>,
}

impl Mail {
    /// Adds a message, its recipients all new. A key that is known keeps its first message.
    pub(crate) fn add(&mut self, key: MessageKey, mut state: MessageState) -> MessageId {
        let id = MessageId(self.messages.len() as u32);
        state.first = RecipientId(self.recipients.len() as u32);
        self.recipients.extend(state.to.iter().map(|_| RecipientState::new()));
        if state.kind == Kind::Sent {
            let place = state.number as usize;
            if self.by_number.len() <= place && place < self.by_number.len() + 1_000_000 {
                self.by_number.resize(place + 1, MessageId(u32::MAX));
            }
            if let Some(entry) = self.by_number.get_mut(place) {
                *entry = id;
            }
        }
        self.messages.push(state);
        self.by_key.get_or_insert_with(key, || id);
        self.last = Some((key, id));
        id
    }

    /// The message of a key. Facts about one message tend to follow each other.
    pub(crate) fn find(&mut self, key: MessageKey) -> Option<MessageId> {
        match self.last {
            Some((last, id)) if last == key => Some(id),
            _ => {
                let id = *self.by_key.get(&key)?;
                self.last = Some((key, id));
                Some(id)
            }
        }
    }

    /// The message of a number of the drill.
    pub(crate) fn numbered(&self, number: u32) -> Option<MessageId> {
        self.by_number.get(number as usize).copied().filter(|id| id.0 != u32::MAX)
    }

    /// The recipient of a message that has this address. The local part is compared as it is written, then
    /// without regard to case: foreign hosts may fold it.
    pub(crate) fn recipient(&self, id: MessageId, address: &Address) -> Option<RecipientId> {
        let message = self.message(id);
        let at = match &*message.to {
            [only] if only == address => 0,
            to => to
                .iter()
                .position(|to| to == address)
                .or_else(|| to.iter().position(|to| is_folded(to, address)))?,
        };
        Some(RecipientId(message.first.0 + at as u32))
    }

    /// A message.
    pub(crate) fn message(&self, id: MessageId) -> &MessageState {
        &self.messages[id.0 as usize]
    }

    /// A message, to be changed.
    pub(crate) fn message_mut(&mut self, id: MessageId) -> &mut MessageState {
        &mut self.messages[id.0 as usize]
    }

    /// A recipient.
    pub(crate) fn state(&self, id: RecipientId) -> &RecipientState {
        &self.recipients[id.0 as usize]
    }

    /// A recipient, to be changed.
    pub(crate) fn state_mut(&mut self, id: RecipientId) -> &mut RecipientState {
        &mut self.recipients[id.0 as usize]
    }

    /// The recipients of a message.
    pub(crate) fn of(&self, id: MessageId) -> impl Iterator<Item = RecipientId> + use<> {
        let message = self.message(id);
        (message.first.0..message.first.0 + message.to.len() as u32).map(RecipientId)
    }

    /// All messages in order.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (MessageId, &MessageState)> {
        self.messages.iter().enumerate().map(|(at, state)| (MessageId(at as u32), state))
    }

    /// The name of a recipient.
    pub(crate) fn name(&self, id: MessageId, recipient: RecipientId) -> RecipientName {
        let message = self.message(id);
        let part = (recipient.0 - message.first.0) as u16 + 1;
        RecipientName { number: message.number, part: (message.to.len() > 1).then_some(part) }
    }

    /// Adds a copy held by a host. Says whether it held none before.
    pub(crate) fn hold(&mut self, id: RecipientId, site: Site, since: Time, tries: Tries) -> bool {
        let new = Hold { site, copies: 1, confirmed: false, tries, since };
        let state = &mut self.recipients[id.0 as usize];
        if let Some(hold) = state.holds.iter_mut().find(|hold| hold.site == site && hold.copies > 0) {
            hold.copies = hold.copies.saturating_add(1);
            return false;
        }
        if let Some(free) = state.holds.iter_mut().find(|hold| hold.copies == 0) {
            *free = new;
            return true;
        }
        match self.further.get_mut(&(id, site)) {
            Some(hold) => {
                hold.copies = hold.copies.saturating_add(1);
                false
            }
            None => {
                self.further.insert((id, site), new);
                true
            }
        }
    }

    /// How a host holds a recipient.
    pub(crate) fn held(&self, id: RecipientId, site: Site) -> Option<&Hold> {
        let near = self.state(id).holds().find(|hold| hold.site == site);
        near.or_else(|| if self.further.is_empty() { None } else { self.further.get(&(id, site)) })
    }

    /// The attempts of a host at a recipient that it holds, to be changed.
    pub(crate) fn tries_mut(&mut self, id: RecipientId, site: Site) -> Option<&mut Tries> {
        let state = &mut self.recipients[id.0 as usize];
        let near = state.holds.iter_mut().find(|hold| hold.site == site && hold.copies > 0);
        near.or_else(|| self.further.get_mut(&(id, site))).map(|hold| &mut hold.tries)
    }

    /// Marks that a look found it.
    pub(crate) fn confirm(&mut self, id: RecipientId, site: Site) {
        let state = &mut self.recipients[id.0 as usize];
        let near = state.holds.iter_mut().find(|hold| hold.site == site && hold.copies > 0);
        if let Some(hold) = near.or_else(|| self.further.get_mut(&(id, site))) {
            hold.confirmed = true;
        }
    }

    /// Takes away one copy that a host holds, or `all`. Gives what it held before.
    pub(crate) fn release(&mut self, id: RecipientId, site: Site, all: bool) -> Option<Hold> {
        let state = &mut self.recipients[id.0 as usize];
        state.last = site;
        let near = state.holds.iter_mut().find(|hold| hold.site == site && hold.copies > 0);
        let Some(hold) = near else {
            return self.release_further(id, site, all);
        };
        let before = *hold;
        hold.copies = if all { 0 } else { hold.copies - 1 };
        if hold.copies == 0 && !self.further.is_empty() {
            self.draw_near(id);
        }
        Some(before)
    }

    fn release_further(&mut self, id: RecipientId, site: Site, all: bool) -> Option<Hold> {
        let hold = self.further.get_mut(&(id, site))?;
        let before = *hold;
        hold.copies -= 1;
        if all || hold.copies == 0 {
            self.further.remove(&(id, site));
        }
        Some(before)
    }

    /// Moves a holder kept apart into a free place, so that `is_held` need not look there.
    fn draw_near(&mut self, id: RecipientId) {
        let range = (id, Site(0))..=(id, Site::NONE);
        let Some(key) = self.further.range(range).next().map(|(key, _)| *key) else { return };
        let hold = self.further.remove(&key).unwrap_or(NO_HOLD);
        if let Some(free) = self.recipients[id.0 as usize].holds.iter_mut().find(|hold| hold.copies == 0) {
            *free = hold;
        }
    }

    /// Copies of a message at a host: the most that it holds for one of the recipients.
    pub(crate) fn copies_at(&self, id: MessageId, site: Site) -> u8 {
        let message = self.message(id);
        if message.to.len() == 1 {
            return self.held(message.first, site).map_or(0, |hold| hold.copies);
        }
        self.of(id)
            .filter_map(|recipient| self.held(recipient, site))
            .map(|hold| hold.copies)
            .max()
            .unwrap_or(0)
    }

    /// After a look: unmarks what was found at the host, and lists what was not.
    pub(crate) fn sweep(&mut self, site: Site) -> Vec<RecipientId> {
        let mut missing = Vec::new();
        for (at, state) in self.recipients.iter_mut().enumerate() {
            for hold in state.holds.iter_mut().filter(|hold| hold.copies > 0 && hold.site == site) {
                if !std::mem::take(&mut hold.confirmed) {
                    missing.push(RecipientId(at as u32));
                }
            }
        }
        for ((recipient, _), hold) in self.further.iter_mut().filter(|((_, at), _)| *at == site) {
            if !std::mem::take(&mut hold.confirmed) {
                missing.push(*recipient);
            }
        }
        missing
    }

    /// Since when a host holds the oldest of what it holds.
    pub(crate) fn oldest(&self, site: Site) -> Option<Time> {
        let near = self.recipients.iter().flat_map(RecipientState::holds);
        let all = near.chain(self.further.values()).filter(|hold| hold.site == site);
        all.map(|hold| hold.since).min()
    }

    /// All recipients, to be changed.
    pub(crate) fn states_mut(&mut self) -> impl Iterator<Item = &mut RecipientState> {
        self.recipients.iter_mut()
    }

    /// All that a host holds, once for each recipient.
    pub(crate) fn held_by(&self, site: Site) -> Vec<RecipientId> {
        let near = self.recipients.iter().enumerate();
        let near = near.filter(|(_, state)| state.holds().any(|hold| hold.site == site));
        let far = self.further.keys().filter(|(_, at)| *at == site).map(|(recipient, _)| *recipient);
        near.map(|(at, _)| RecipientId(at as u32)).chain(far).collect()
    }

    /// The message of a recipient.
    pub(crate) fn message_of(&self, recipient: RecipientId) -> MessageId {
        // Messages stand in the order of their first recipients.
        let after = self.messages.partition_point(|message| message.first <= recipient);
        MessageId(after.saturating_sub(1) as u32)
    }
}

/// Whether two addresses differ at most in case.
pub(super) fn is_folded(a: &Address, b: &Address) -> bool {
    a.domain() == b.domain() && a.local().eq_ignore_ascii_case(b.local())
}
