//! The books: what became of every message and recipient, kept up to date fact by fact.
//!
//! Two equations hold at any time: `sent = acknowledged + rejected + in_doubt`, and
//! `acknowledged = delivered + queued + bounced + discarded + lost`, for every recipient stands in one column
//! ([`Class`]).

mod beat;
mod body;
mod deed;
mod figure;
mod header;
mod mail;
mod node;
mod note;
mod rhythm;
mod sheet;
mod spread;
mod way;
mod world;

use std::sync::Arc;

use mxdrill_mta::MessageKey;
use mxdrill_net::{Conn, HostId, Index, Tag, Time};

pub(crate) use beat::Wait;
pub(crate) use body::{Bodies, Differs};
pub(crate) use mail::{
    Class, First, Hold, Kind, Mail, MessageId, MessageState, RecipientId, RecipientState, Site, Tries,
};
pub(crate) use note::{About, Beat, Note, Unexpected};
pub(crate) use rhythm::Rhythms;
pub(crate) use sheet::Sheet;
pub(crate) use way::Ways;

use crate::{Counts, Fact, HostSetup, RecipientName, Setup};

/// The drill's own account.
#[derive(Debug)]
pub(crate) struct Books {
    /// What was known beforehand.
    pub(crate) setup: Arc<Setup>,
    /// Messages and recipients.
    pub(crate) mail: Mail,
    /// One sheet a host, in the order of the setup.
    sheets: Vec<Sheet>,
    ways: Vec<Ways>,
    rhythms: Vec<Rhythms>,
    bodies: Bodies,
    headers: header::Headers,
    /// The sheet of a host number.
    sites: Vec<Site>,
    counts: Counts,
    /// Recipients whose first transaction is under way.
    open: u64,
    /// Messages that a send step announced and nobody has begun to send.
    unsent: u64,
    /// Copies held by hosts, of the drill's mail and of DSNs.
    held: u64,
    /// Incoming sessions.
    sessions: Index<Conn, Session>,
    /// How often a fault bit.
    bites: u64,
    /// When the last fault on a delivering host ended, with its last effect.
    repair: Option<Repair>,
    /// Faults that bit.
    bitten: Vec<Tag>,
    /// Failovers, in nanoseconds.
    failovers: Vec<u64>,
    queries: u64,
    /// Whether any host records no facts of its own.
    has_foreign: bool,
    notes: Vec<Note>,
    about: Option<About>,
}

/// A session that a host took.
#[derive(Clone, Copy, Debug)]
struct Session {
    site: Site,
    /// In which of the host's lives.
    life: u32,
    /// How often a fault had bitten before.
    bites: u64,
    /// The last message that a foreign sender brought.
    took: Option<MessageId>,
}

/// The end of the last fault on a delivering host.
#[derive(Clone, Debug)]
pub(crate) struct Repair {
    /// When.
    pub(crate) at: Time,
    /// Recipients then held by relays and not delivered since.
    pub(crate) left: u64,
    /// The last delivery of one then held.
    pub(crate) last: Option<Time>,
    /// Recipients then held by relays.
    pub(crate) held: u64,
    /// From then to the delivery of each that was delivered since, in nanoseconds.
    pub(crate) drained: Vec<u64>,
}

impl Books {
    /// Empty books.
    pub(crate) fn new(setup: Arc<Setup>) -> Books {
        let count = setup.hosts.len();
        let top = setup.hosts.iter().map(|host| usize::from(host.id.0) + 1).max().unwrap_or(0);
        let mut sites = vec![Site::NONE; top];
        for (at, host) in setup.hosts.iter().enumerate() {
            sites[usize::from(host.id.0)] = Site(at as u16);
        }
        Books {
            has_foreign: setup.hosts.iter().any(|host| host.foreign),
            setup,
            mail: Mail::default(),
            sheets: vec![Sheet::default(); count],
            ways: (0..count).map(|_| Ways::default()).collect(),
            rhythms: (0..count).map(|_| Rhythms::default()).collect(),
            bodies: Bodies::default(),
            headers: header::Headers::default(),
            sites,
            counts: Counts::default(),
            open: 0,
            unsent: 0,
            held: 0,
            sessions: Index::default(),
            bites: 0,
            repair: None,
            bitten: Vec::new(),
            failovers: Vec::new(),
            queries: 0,
            notes: Vec::new(),
            about: None,
        }
    }

    /// Sees one fact. What is unusual about it stands in [`Books::notes`] until the next.
    pub(crate) fn see(&mut self, at: Time, host: HostId, fact: &Fact) {
        self.notes.clear();
        self.about = None;
        let site = self.site(host);
        if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
            sheet.tick(at);
        }
        match fact {
            Fact::Mta(fact) => self.see_node(at, site, fact),
            Fact::Drill(deed) => self.see_deed(at, site, deed),
            Fact::Net(fact) => self.see_world(at, site, fact),
            Fact::Dns(fact) => self.see_question(site, fact),
        }
    }

    /// What was unusual about the last fact.
    pub(crate) fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Which message and recipient the last fact was about.
    pub(crate) fn about(&self) -> Option<About> {
        self.about
    }

    /// The sheet of a host number; [`Site::NONE`] for what is no mail host.
    pub(crate) fn site(&self, host: HostId) -> Site {
        self.sites.get(usize::from(host.0)).copied().unwrap_or(Site::NONE)
    }

    /// A host's sheet.
    pub(crate) fn sheet(&self, site: Site) -> Option<&Sheet> {
        self.sheets.get(usize::from(site.0))
    }

    /// What the setup says of a host.
    pub(crate) fn host(&self, site: Site) -> Option<&HostSetup> {
        self.setup.hosts.get(usize::from(site.0))
    }

    /// The host's name for people.
    pub(crate) fn host_name(&self, site: Site) -> &str {
        self.host(site).map_or("a host", |host| &host.name)
    }

    /// The host at an address.
    pub(crate) fn site_at(&self, address: std::net::IpAddr) -> Site {
        let place = self.setup.hosts.iter().position(|host| host.addresses.contains(&address));
        place.map_or(Site::NONE, |place| Site(place as u16))
    }

    /// The ways of a host.
    pub(crate) fn ways(&self, site: Site) -> Option<&Ways> {
        self.ways.get(usize::from(site.0))
    }

    /// All hosts.
    pub(crate) fn sites(&self) -> impl Iterator<Item = Site> + use<> {
        (0..self.sheets.len() as u16).map(Site)
    }

    /// The name of a recipient.
    pub(crate) fn name(&self, message: MessageId, recipient: RecipientId) -> RecipientName {
        self.mail.name(message, recipient)
    }

    /// The faults that bit.
    pub(crate) fn bitten(&self) -> &[Tag] {
        &self.bitten
    }

    /// Whether a fault bit.
    pub(crate) fn has_bitten(&self, tag: Tag) -> bool {
        self.bitten.contains(&tag)
    }

    /// Whether everything announced was sent, every recipient is final and nothing is queued anywhere.
    pub(crate) fn is_settled(&self) -> bool {
        self.unsent == 0 && self.open == 0 && self.held == 0
    }

    /// Changes a recipient of a message and keeps the counts right.
    fn change(&mut self, kind: Kind, recipient: RecipientId, change: impl FnOnce(&mut Mail)) {
        if kind != Kind::Sent {
            return change(&mut self.mail);
        }
        let before = self.mail.state(recipient).class();
        change(&mut self.mail);
        let after = self.mail.state(recipient).class();
        if before != after {
            self.tally(before, -1);
            self.tally(after, 1);
        }
    }

    fn tally(&mut self, class: Class, by: i64) {
        let counts = &mut self.counts;
        let (first, then) = match class {
            Class::Open => (&mut self.open, None),
            Class::Rejected => (&mut counts.rejected, None),
            Class::InDoubt => (&mut counts.in_doubt, None),
            Class::Delivered => (&mut counts.acknowledged, Some(&mut counts.delivered)),
            Class::Queued => (&mut counts.acknowledged, Some(&mut counts.queued)),
            Class::Bounced => (&mut counts.acknowledged, Some(&mut counts.bounced)),
            Class::Discarded => (&mut counts.acknowledged, Some(&mut counts.discarded)),
            Class::Lost => (&mut counts.acknowledged, Some(&mut counts.lost)),
        };
        *first = first.wrapping_add_signed(by);
        if let Some(then) = then {
            *then = then.wrapping_add_signed(by);
        }
        if class != Class::Open {
            counts.sent = counts.sent.wrapping_add_signed(by);
        }
    }

    /// A host now holds one more copy of a recipient.
    fn hold(&mut self, kind: Kind, recipient: RecipientId, site: Site, since: Time) {
        self.hold_tried(kind, recipient, site, since, Tries::none(since));
    }

    /// The same for one that the host may have tried before.
    fn hold_tried(&mut self, kind: Kind, recipient: RecipientId, site: Site, since: Time, tries: Tries) {
        if site == Site::NONE {
            return;
        }
        let mut new = false;
        self.change(kind, recipient, |mail| new = mail.hold(recipient, site, since, tries));
        self.held += 1;
        if new
            && kind == Kind::Sent
            && let Some(sheet) = self.sheets.get_mut(usize::from(site.0))
        {
            sheet.queued += 1;
        }
    }

    /// A host no longer holds a copy of a recipient, or `all` of them.
    fn release(&mut self, at: Time, kind: Kind, recipient: RecipientId, site: Site, all: bool) {
        let mut before = None;
        self.change(kind, recipient, |mail| before = mail.release(recipient, site, all));
        let Some(hold) = before else { return };
        let gone = if all { hold.copies } else { 1 };
        self.held -= u64::from(gone);
        if kind == Kind::Sent
            && gone == hold.copies
            && let Some(sheet) = self.sheets.get_mut(usize::from(site.0))
        {
            sheet.queued -= 1;
            sheet.stayed(at.since(hold.since));
        }
    }

    /// Adds a message that hosts, not the originator, brought up.
    fn add_found(
        &mut self,
        at: Time,
        message: &mxdrill_mta::Message,
        kind: Kind,
        about: Option<MessageId>,
    ) -> MessageId {
        let to: Vec<_> = message.recipients.iter().map(|to| to.address.clone()).collect();
        let of = about.map(|about| self.mail.message(about)).map(|of| (of.number, of.send));
        let (number, send) = of.unwrap_or((0, u32::MAX));
        let state = MessageState {
            to: to.into(),
            sent_at: at,
            first: RecipientId(0),
            number,
            send,
            body: u32::MAX,
            header: u32::MAX,
            attempts: 0,
            kind,
            forged: false,
            null: message.reverse_path.is_null(),
        };
        self.mail.add(message.key, state)
    }

    /// Finds a message by its key.
    fn find(&mut self, key: MessageKey) -> Option<MessageId> {
        self.mail.find(key)
    }
}

#[cfg(test)]
mod tests;
