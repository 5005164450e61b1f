//! The fold that gathers a story: groups of sends and where their mail went, faults, and queues that emptied.
//! Its memory is bounded by the steps of the scenario, not by mail or time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use mxdrill_mta::Rejection;
use mxdrill_net::{Tag, Time};
use mxdrill_smtp::{Reply, ReversePath};

use super::safety::Safety;
use crate::{
    Deed, Fact, Taken,
    books::{Books, Note, Site},
};

/// Mail that stayed no longer at a host only passed through.
const PASSING: Duration = Duration::from_secs(60);

/// Events told; beyond, they are only counted.
const EVENTS_MAX: usize = 200;

/// Different replies told of one send.
const REPLIES_MAX: usize = 6;

/// Gathers a story from facts that the books have already seen.
#[derive(Debug, Default)]
pub(crate) struct Teller {
    pub(super) sends: Vec<Sent>,
    /// Each with the number of sends before it, so that steps of one time keep their order.
    pub(super) events: Vec<(Time, usize, Event)>,
    pub(super) untold: u64,
    /// What left the queue of each host after a stay, until it is empty.
    pub(super) stays: BTreeMap<Site, Left>,
    /// The event of late bounces of each host.
    bounces: BTreeMap<Site, usize>,
    pub(super) repair: Option<Time>,
    safety: Safety,
}

/// A send step.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) at: Time,
    pub(super) by: Site,
    pub(super) from: ReversePath,
    pub(super) to: Arc<str>,
    pub(super) count: u32,
    pub(super) over: Duration,
    pub(super) recipients: u64,
    pub(super) parts: BTreeMap<Site, Part>,
    pub(super) replies: Vec<Replied>,
    pub(super) bounced: BTreeMap<Site, (u64, Duration)>,
    pub(super) in_doubt: BTreeMap<Site, u64>,
    pub(super) unreached: u64,
}

/// Where a part of a send went.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) delivered: u64,
    /// Copies beyond the first.
    pub(super) again: u64,
    pub(super) held: u64,
    /// Of those held, how many came with the originator's first attempt.
    pub(super) at_once: u64,
    /// The longest from the start of that attempt to the 250.
    pub(super) failover: Duration,
}

/// Rejections of a send with one reply.
#[derive(Debug)]
pub(super) struct Replied {
    pub(super) by: Site,
    pub(super) reply: Arc<Reply>,
    pub(super) count: u64,
    /// Whether the originator itself was told: nobody keeps the mail.
    pub(super) first: bool,
}

/// What left a queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Left {
    pub(super) delivered: BTreeMap<Site, (u64, Time)>,
    /// Taken over by relays.
    pub(super) taken: BTreeMap<Site, u64>,
}

/// Something that is a line of its own.
#[derive(Debug)]
pub(super) enum Event {
    Fault { tag: Tag, begins: bool },
    Flush(Site),
    Set(Arc<str>),
    Safety { site: Site, what: String, why: String },
    Emptied { site: Site, left: Left, repair: Option<Time> },
    Bounced { by: Site, count: u64, after: Duration, last: Time },
}

impl Teller {
    /// Sees a fact.
    pub(crate) fn see(&mut self, at: Time, site: Site, fact: &Fact, books: &Books) {
        match fact {
            Fact::Drill(deed) => self.deed(at, site, deed, books),
            Fact::Mta(mxdrill_mta::Fact::Accepted { .. }) => self.accepted(at, site, books),
            Fact::Mta(mxdrill_mta::Fact::Relayed { .. }) => {
                self.relayed(at, site, books);
                self.left(at, site, books);
            }
            Fact::Mta(mxdrill_mta::Fact::Rejected {
                rejection: Rejection::Permanent(reply), target, ..
            }) => {
                let by = books.site_at(target.address);
                self.replied(by, reply, false, books);
            }
            Fact::Mta(mxdrill_mta::Fact::InDoubt { target, .. }) => {
                let by = books.site_at(target.address);
                if let Some(sent) = self.sent(books) {
                    *sent.in_doubt.entry(by).or_default() += 1;
                }
            }
            Fact::Mta(mxdrill_mta::Fact::Bounced { .. } | mxdrill_mta::Fact::Discarded { .. }) => {
                self.left(at, site, books);
            }
            Fact::Mta(
                fact @ (mxdrill_mta::Fact::Failed { .. }
                | mxdrill_mta::Fact::Skipped { .. }
                | mxdrill_mta::Fact::Policy { .. }),
            ) => {
                if let Some((what, why)) = self.safety.news(site, fact, books) {
                    self.event(at, Event::Safety { site, what, why });
                }
            }
            _ => {}
        }
        for note in books.notes() {
            self.note(at, note, books);
        }
    }

    fn deed(&mut self, at: Time, site: Site, deed: &Deed, books: &Books) {
        match deed {
            Deed::Sends { from, to, count, over, .. } => {
                self.sends.push(Sent::new(at, site, from.clone(), to.clone(), *count, *over));
            }
            Deed::Sending { to, .. } => {
                let recipients = to.len() as u64;
                self.sent(books).map(|sent| sent.recipients += recipients).unwrap_or_default();
            }
            Deed::Sent { taken: Taken::Acknowledged, .. } => self.taken(site, books),
            Deed::Sent { taken: Taken::Rejected(reply), .. } => self.replied(site, reply, true, books),
            Deed::Sent { taken: Taken::InDoubt, .. } => {
                self.sent(books).map(|sent| *sent.in_doubt.entry(site).or_default() += 1).unwrap_or_default();
            }
            Deed::Sent { taken: Taken::Unreached, .. } => {
                self.sent(books).map(|sent| sent.unreached += 1).unwrap_or_default();
            }
            Deed::Fault { tag, begins } => {
                if !begins && books.setup.is_repair(*tag) {
                    self.repair = Some(at);
                }
                self.event(at, Event::Fault { tag: *tag, begins: *begins });
            }
            Deed::Flush => _ = self.event(at, Event::Flush(site)),
            Deed::Set { text } => _ = self.event(at, Event::Set(text.clone())),
            Deed::Expected { .. } | Deed::Looked | Deed::Ended { .. } => {}
        }
    }

    /// The host that the drill hands its mail to is, for the reader, the one that sends it.
    fn taken(&mut self, site: Site, books: &Books) {
        if books.host(site).is_some_and(|host| host.originates)
            && let Some(sent) = self.sent(books).filter(|sent| sent.by == Site::NONE)
        {
            sent.by = site;
        }
    }

    /// The send that the last fact is about.
    fn sent(&mut self, books: &Books) -> Option<&mut Sent> {
        let about = books.about()?;
        self.sends.get_mut(books.mail.message(about.message).send as usize)
    }

    fn sent_of(&mut self, message: crate::books::MessageId, books: &Books) -> Option<&mut Sent> {
        self.sends.get_mut(books.mail.message(message).send as usize)
    }

    fn event(&mut self, at: Time, event: Event) -> usize {
        if self.events.len() < EVENTS_MAX {
            self.events.push((at, self.sends.len(), event));
        } else {
            self.untold += 1;
        }
        self.events.len() - 1
    }

    /// A relay took mail of the drill.
    fn accepted(&mut self, at: Time, site: Site, books: &Books) {
        let Some(about) = books.about().filter(|about| about.kind == crate::books::Kind::Sent) else {
            return;
        };
        let Some(host) = books.host(site).filter(|host| host.is_relay() && !host.originates) else { return };
        let message = books.mail.message(about.message);
        let of_relay = message.to.iter().filter(|to| !host.is_final_for(to.domain())).count() as u64;
        let at_once = if message.attempts == 1 { of_relay } else { 0 };
        let Some(sent) = self.sent(books) else { return };
        if message.attempts > 1 && at.since(message.sent_at) >= PASSING {
            // It waited elsewhere: that it came here is told when that queue is empty.
            let by = sent.by;
            *self.stays.entry(by).or_default().taken.entry(site).or_default() += of_relay;
            return;
        }
        let part = sent.parts.entry(site).or_default();
        part.held += of_relay;
        part.at_once += at_once;
    }

    /// The originator learned that a relay took it.
    fn relayed(&mut self, at: Time, site: Site, books: &Books) {
        if !books.host(site).is_some_and(|host| host.originates) {
            return;
        }
        for note in books.notes() {
            let Note::WorseMx { message, target, offered, .. } = note else { continue };
            let to = books.site_at(target.address);
            let took = at.since(*offered);
            let Some(sent) = self.sent_of(*message, books) else { continue };
            let part = sent.parts.entry(to).or_default();
            part.failover = part.failover.max(took);
        }
    }

    /// After mail left a host: was it the last?
    fn left(&mut self, at: Time, site: Site, books: &Books) {
        if books.sheet(site).is_some_and(|sheet| sheet.queued == 0)
            && let Some(left) = self.stays.remove(&site)
        {
            let repair = self.repair;
            self.event(at, Event::Emptied { site, left, repair });
        }
    }

    fn replied(&mut self, by: Site, reply: &Arc<Reply>, first: bool, books: &Books) {
        let Some(sent) = self.sent(books) else { return };
        sent.replied(by, reply, first);
    }

    fn note(&mut self, at: Time, note: &Note, books: &Books) {
        match note {
            Note::Delivered { message, site, first: true, from } => {
                self.delivered(at, *message, *site, *from, books);
            }
            Note::Delivered { message, site, first: false, from } => {
                let Some(sent) = self.sent_of(*message, books) else { return };
                sent.parts.entry(*site).or_default().again += 1;
                sent.passed_through(*from);
            }
            Note::PutOff { message, target, reply } => {
                let by = books.site_at(target.address);
                self.sent_of(*message, books).map(|sent| sent.replied(by, reply, false)).unwrap_or_default();
            }
            Note::Bounced { message, by, .. } => self.bounced(at, *message, *by, books),
            _ => {}
        }
    }

    fn delivered(
        &mut self,
        at: Time,
        message: crate::books::MessageId,
        site: Site,
        from: Option<(Site, Duration)>,
        books: &Books,
    ) {
        match from {
            Some((holder, stay)) if stay >= PASSING => {
                let left = self.stays.entry(holder).or_default();
                let (count, last) = left.delivered.entry(site).or_insert((0, at));
                *count += 1;
                *last = at;
            }
            from => {
                let Some(sent) = self.sent_of(message, books) else { return };
                sent.parts.entry(site).or_default().delivered += 1;
                sent.passed_through(from);
            }
        }
    }

    fn bounced(&mut self, at: Time, message: crate::books::MessageId, by: Site, books: &Books) {
        let after = at.since(books.mail.message(message).sent_at);
        if after < PASSING {
            let Some(sent) = self.sent_of(message, books) else { return };
            let (count, longest) = sent.bounced.entry(by).or_default();
            *count += 1;
            *longest = after.max(*longest);
            return;
        }
        let known = self.bounces.get(&by).and_then(|place| self.events.get_mut(*place));
        if let Some((_, _, Event::Bounced { count, after: longest, last, .. })) = known {
            *count += 1;
            *longest = after.max(*longest);
            *last = at;
            return;
        }
        let place = self.event(at, Event::Bounced { by, count: 1, after, last: at });
        self.bounces.insert(by, place);
    }
}

impl Sent {
    fn new(at: Time, by: Site, from: ReversePath, to: Arc<str>, count: u32, over: Duration) -> Sent {
        Sent {
            at,
            by,
            from,
            to,
            count,
            over,
            recipients: 0,
            parts: BTreeMap::new(),
            replies: Vec::new(),
            bounced: BTreeMap::new(),
            in_doubt: BTreeMap::new(),
            unreached: 0,
        }
    }

    /// What left a relay so soon was never held by it.
    fn passed_through(&mut self, from: Option<(Site, Duration)>) {
        let Some((holder, _)) = from.filter(|(_, stay)| *stay < PASSING) else { return };
        if let Some(part) = self.parts.get_mut(&holder) {
            part.held = part.held.saturating_sub(1);
            part.at_once = part.at_once.saturating_sub(1);
        }
    }

    fn replied(&mut self, by: Site, reply: &Arc<Reply>, first: bool) {
        let same =
            |replied: &&mut Replied| replied.by == by && replied.reply == *reply && replied.first == first;
        if let Some(replied) = self.replies.iter_mut().find(same) {
            replied.count += 1;
        } else if self.replies.len() < REPLIES_MAX {
            self.replies.push(Replied { by, reply: reply.clone(), count: 1, first });
        }
    }
}
