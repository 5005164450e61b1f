//! What mail nodes did, in the books.

use std::{net::IpAddr, sync::Arc};

use mxdrill_mta::{Basis, Fact, Message, Rejection, Target};
use mxdrill_net::{Conn, DomainName, Time};
use mxdrill_smtp::Stage;

use super::{About, Books, Differs, First, Kind, MessageId, Note, RecipientId, Site, Tries, Unexpected};
use crate::dsn;

/// A message passed on so shortly before a crash may be passed on again: the record of it was not yet synced
/// (RFC 5321 6.1 demands only that mail is not lost).
const UNRECORDED_MAX: u32 = 120;

impl Books {
    pub(super) fn see_node(&mut self, at: Time, site: Site, fact: &Fact) {
        match fact {
            Fact::Accepted { message, conn, peer } => {
                self.accepted(at, site, message);
                self.came_from_foreign(*conn, *peer);
            }
            Fact::Delivered { message, recipient } => self.delivered(at, site, message, *recipient),
            Fact::Began { message, destination } => {
                self.stir(at, site, destination);
                self.began(at, site, message, destination);
            }
            Fact::Relayed { message, recipient, target, began } => {
                self.relayed(at, site, message, *recipient, target, *began);
            }
            Fact::Routed { destination, route } => {
                let Some(host) = self.setup.hosts.get(usize::from(site.0)) else { return };
                self.ways[usize::from(site.0)].routed(destination, route, host);
                self.stir(at, site, destination);
            }
            Fact::Skipped { host, why, .. } => {
                if let Some(ways) = self.ways.get_mut(usize::from(site.0)) {
                    ways.skipped(host, at, *why);
                }
            }
            Fact::Failed { destination, target, .. } => {
                self.stir(at, site, destination);
                self.used(site, destination, target);
                self.failed(at, site, &target.host);
            }
            Fact::Rejected { message, recipient, target, rejection, .. } => {
                self.locate(message, *recipient);
                self.put_off(target, rejection);
                self.offered(at, site, target, None);
                self.failed(at, site, &target.host);
            }
            Fact::InDoubt { message, recipient, target } => {
                if let Some((_, recipient)) = self.locate(message, *recipient) {
                    let state = self.mail.state_mut(recipient);
                    state.doubts = state.doubts.saturating_add(1);
                }
                self.offered(at, site, target, None);
                self.failed(at, site, &target.host);
            }
            Fact::GivenUp { message, recipient, .. } => _ = self.locate(message, *recipient),
            Fact::Bounced { message, recipient, dsn } => self.bounced(at, site, message, *recipient, dsn),
            Fact::Discarded { message, recipient, .. } => self.discarded(at, site, message, *recipient),
            Fact::Warned { message, dsn } => self.made(at, site, message, dsn, Kind::Warning),
            Fact::Recovered { message, pending } => self.recovered(at, site, message, pending),
            Fact::Holds { message, recipient } => self.holds(site, message, *recipient),
            Fact::Deferred { destination, attempted, .. } => {
                self.stir(at, site, destination);
                if let Some(rhythm) = self.rhythm(site, destination).filter(|_| !attempted) {
                    rhythm.put_off = Some(at);
                }
            }
            Fact::Flushed => {
                if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
                    sheet.flushed_at = Some(at);
                }
            }
            Fact::TurnedAway { stage, .. } => {
                if *stage <= Stage::Greeting {
                    self.denied(site);
                }
            }
            Fact::Policy { .. } => {}
        }
    }

    /// Finds the recipient that a fact is about, by its address: hosts number those that they accepted.
    fn locate(&mut self, message: &Message, recipient: u16) -> Option<(MessageId, RecipientId)> {
        let id = self.find(message.key)?;
        let kind = self.mail.message(id).kind;
        let address = &message.recipients.get(usize::from(recipient))?.address;
        let found = self.mail.recipient(id, address);
        self.about = Some(About { message: id, recipient: found, kind });
        found.map(|found| (id, found))
    }

    fn kind(&self, id: MessageId) -> Kind {
        self.mail.message(id).kind
    }

    fn accepted(&mut self, at: Time, site: Site, message: &Message) {
        let id = match self.find(message.key) {
            Some(id) => id,
            None if message.reverse_path.is_null() => self.add_found(at, message, Kind::Dsn, None),
            None => self.add_found(at, message, Kind::Stray, None),
        };
        let kind = self.kind(id);
        self.about = Some(About { message: id, recipient: None, kind });
        if kind == Kind::Sent {
            self.compare_content(id, site, message, false);
        }
        self.look_for_loop(id, site, message);
        for to in &message.recipients {
            let Some(recipient) = self.mail.recipient(id, &to.address) else { continue };
            self.failed_over(at, kind, recipient, site);
            self.release_foreign(at, kind, recipient, site);
            self.hold(kind, recipient, site, at);
            self.taken_over(site, kind);
            if let Some(rhythm) = self.rhythm(site, to.address.domain()) {
                rhythm.news = Some(at);
            }
        }
        self.add_bytes(site, kind, message.size());
    }

    /// With more trace fields than hosts, some host was passed twice; the trace says whether it was this one.
    fn look_for_loop(&mut self, id: MessageId, site: Site, message: &Message) {
        if usize::from(message.received) <= self.setup.hosts.len() + 1 {
            return;
        }
        let Some(name) = self.host(site).and_then(|host| host.domain.as_ref()) else { return };
        if trace_fields_by(&message.header, name.as_str()) > 1 {
            let received = message.received;
            self.notes.push(Note::CameAgain { message: id, site, received });
        }
    }

    /// A foreign sender does not say whether it recorded the 250. A fault that bites while its session stands
    /// may have kept it from that, see [`Books::see_world`].
    fn came_from_foreign(&mut self, conn: Conn, peer: IpAddr) {
        let Some(about) = self.about.filter(|_| self.has_foreign) else { return };
        if self.host(self.site_at(peer)).is_some_and(|host| host.foreign)
            && let Some(session) = self.sessions.get_mut(&conn)
        {
            session.took = Some(about.message);
        }
    }

    fn taken_over(&mut self, site: Site, kind: Kind) {
        if kind == Kind::Sent
            && let Some(sheet) = self.sheets.get_mut(usize::from(site.0))
        {
            sheet.accepted += 1;
        }
    }

    fn add_bytes(&mut self, site: Site, kind: Kind, size: u64) {
        if kind == Kind::Sent
            && let Some(sheet) = self.sheets.get_mut(usize::from(site.0))
        {
            sheet.bytes += size;
        }
    }

    /// Notes what a host stored that is not what was sent. Each hop compares the body; what became of the header
    /// is seen where it ends.
    fn compare_content(&mut self, id: MessageId, site: Site, message: &Message, is_end: bool) {
        let state = self.mail.message(id);
        let mut how = self.bodies.compare(state.body, &message.body).err();
        if how == Some(Differs::Changed)
            && self.may_convert()
            && self.bodies.says_the_same(state.body, message)
        {
            how = None;
        }
        if how.is_none() && is_end && !self.headers.are_in(state.header, &message.header) {
            how = Some(Differs::Header);
        }
        if let Some(how) = how {
            self.notes.push(Note::Altered { message: id, site, how });
        }
    }

    /// Whether some host may have had to encode an 8-bit body for another one (RFC 6152 3).
    fn may_convert(&self) -> bool {
        self.has_foreign || self.setup.hosts.iter().any(|host| !host.eight_bit)
    }

    /// A copy leaves a host's queue, and with the last recipient of a message its bytes.
    fn leave(&mut self, at: Time, site: Site, id: MessageId, recipient: RecipientId, message: &Message) {
        let kind = self.kind(id);
        let before = self.mail.copies_at(id, site);
        self.release(at, kind, recipient, site, false);
        let gone = before - self.mail.copies_at(id, site);
        if kind == Kind::Sent
            && let Some(sheet) = self.sheets.get_mut(usize::from(site.0))
        {
            sheet.bytes = sheet.bytes.saturating_sub(u64::from(gone) * message.size());
        }
    }

    fn delivered(&mut self, at: Time, site: Site, message: &Message, recipient: u16) {
        let Some((id, found)) = self.locate(message, recipient) else {
            return self.delivered_unknown(at, site, message, recipient);
        };
        match self.kind(id) {
            Kind::Sent => self.delivered_sent(at, site, id, found, message),
            kind => {
                self.leave(at, site, id, found, message);
                let first = !self.mail.state(found).is_delivered();
                let state = self.mail.state_mut(found);
                state.delivered_at = at;
                state.delivered_by = site;
                if first {
                    self.delivered_other(at, site, kind, message, recipient);
                }
            }
        }
    }

    fn delivered_sent(&mut self, at: Time, site: Site, id: MessageId, found: RecipientId, message: &Message) {
        self.compare_content(id, site, message, true);
        let state = self.mail.state(found);
        let first = !state.is_delivered();
        let from = state.holds().find(|hold| hold.site != site).map(|hold| (hold.site, at.since(hold.since)));
        let taken = state.first;
        self.leave(at, site, id, found, message);
        self.change(Kind::Sent, found, |mail| {
            let state = mail.state_mut(found);
            if first {
                state.delivered_at = at;
                state.delivered_by = site;
            } else {
                state.extra = state.extra.saturating_add(1);
            }
        });
        self.release_foreign(at, Kind::Sent, found, site);
        self.count_delivered(at, site, found, first, taken);
        self.notes.push(Note::Delivered { message: id, site, first, from });
        if taken == First::Rejected {
            self.unexpected(site, Unexpected::Rejected { message: id, recipient: found });
        }
    }

    fn count_delivered(&mut self, at: Time, site: Site, found: RecipientId, first: bool, taken: First) {
        if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
            sheet.delivered += u64::from(first);
            sheet.duplicated += u64::from(!first);
        }
        if !first && taken == First::Acknowledged {
            self.counts.duplicated += 1;
        }
        if let Some(repair) = &mut self.repair
            && self.mail.state(found).held_at_repair
        {
            self.mail.state_mut(found).held_at_repair = false;
            repair.left -= 1;
            repair.last = Some(at);
            repair.drained.push(at.since(repair.at).as_nanos() as u64);
        }
    }

    /// Nothing is known of the message, or it was not addressed to this recipient.
    fn delivered_unknown(&mut self, at: Time, site: Site, message: &Message, recipient: u16) {
        let Some(to) = message.recipients.get(usize::from(recipient)) else { return };
        match self.find(message.key) {
            Some(id) => {
                let to = to.address.to_string();
                self.unexpected(site, Unexpected::NotAddressed { message: id, to });
            }
            None if message.reverse_path.is_null() => {
                self.delivered_other(at, site, Kind::Dsn, message, recipient);
            }
            None => self.delivered_other(at, site, Kind::Stray, message, recipient),
        }
    }

    /// A message that is not the drill's own reached a mailbox.
    fn delivered_other(&mut self, at: Time, site: Site, kind: Kind, message: &Message, recipient: u16) {
        let sheet = self.sheets.get_mut(usize::from(site.0));
        match kind {
            Kind::Bounce => {
                self.counts.dsns += 1;
                sheet.map(|sheet| sheet.dsns += 1).unwrap_or_default();
            }
            Kind::Warning => {
                self.counts.warnings += 1;
                sheet.map(|sheet| sheet.warnings += 1).unwrap_or_default();
            }
            Kind::Dsn => self.read_dsn(at, site, message),
            Kind::Stray | Kind::Sent => {
                let to = message.recipients.get(usize::from(recipient)).map(|to| to.address.to_string());
                let what =
                    Unexpected::Stray { from: message.reverse_path.to_string(), to: to.unwrap_or_default() };
                self.unexpected(site, what);
            }
        }
    }

    /// A DSN whose making was not seen: its text says what it is about (RFC 3464).
    fn read_dsn(&mut self, at: Time, site: Site, message: &Message) {
        let content = [&message.header[..], &message.body[..]].concat();
        let report = dsn::read(&content);
        let failed = report.as_ref().is_none_or(dsn::Report::is_failure);
        let sheet = self.sheets.get_mut(usize::from(site.0));
        if failed {
            self.counts.dsns += 1;
            sheet.map(|sheet| sheet.dsns += 1).unwrap_or_default();
        } else {
            self.counts.warnings += 1;
            sheet.map(|sheet| sheet.warnings += 1).unwrap_or_default();
        }
        let about = report.as_ref().and_then(|report| report.original).and_then(|key| self.find(key));
        match (report, about) {
            (Some(report), Some(id)) if self.kind(id) == Kind::Sent => self.bounced_by_dsn(at, id, &report),
            (Some(_), _) => {}
            (None, _) => {
                let to = message.recipients.first().map(|to| to.address.to_string()).unwrap_or_default();
                self.unexpected(site, Unexpected::Stray { from: "<>".into(), to });
            }
        }
    }

    fn bounced_by_dsn(&mut self, at: Time, id: MessageId, report: &dsn::Report) {
        let all: Vec<RecipientId> = self.mail.of(id).collect();
        let named: Vec<RecipientId> =
            report.failed().filter_map(|address| self.mail.recipient(id, address)).collect();
        // A prose bounce names nobody that we could trust: it is about all of the message.
        let whom = if named.is_empty() && report.is_prose() { all } else { named };
        for recipient in whom {
            let by = self.mail.state(recipient).holds().next().map_or(Site::NONE, |hold| hold.site);
            self.give_up(id, recipient, by, |state| state.bounced = true);
            self.release_foreign(at, Kind::Sent, recipient, Site::NONE);
            if let Some(sheet) = self.sheets.get_mut(usize::from(by.0)) {
                sheet.bounced += 1;
            }
            self.notes.push(Note::Bounced { message: id, recipient, by });
        }
    }

    fn give_up(
        &mut self,
        id: MessageId,
        recipient: RecipientId,
        by: Site,
        mark: impl FnOnce(&mut super::RecipientState),
    ) {
        self.change(self.kind(id), recipient, |mail| {
            let state = mail.state_mut(recipient);
            mark(state);
            state.last = by;
        });
    }

    /// A relay has mail that a foreign sender held: that sender says nothing of its attempts, so they count from its
    /// own 250.
    fn failed_over(&mut self, at: Time, kind: Kind, recipient: RecipientId, to: Site) {
        if !self.has_foreign || kind != Kind::Sent || !self.host(to).is_some_and(crate::HostSetup::is_relay) {
            return;
        }
        let sends = |site: Site| self.host(site).is_some_and(|host| host.foreign && host.originates);
        let held = self.mail.state(recipient).holds().find(|hold| sends(hold.site)).map(|hold| hold.since);
        self.failovers.extend(held.map(|since| at.since(since).as_nanos() as u64));
    }

    /// Foreign hosts do not say when mail leaves them: another host that has it shows that it did.
    fn release_foreign(&mut self, at: Time, kind: Kind, recipient: RecipientId, but: Site) {
        if !self.has_foreign {
            return;
        }
        let foreign = |site: Site| self.host(site).is_some_and(|host| host.foreign);
        let holds = self.mail.state(recipient).holds().map(|hold| hold.site);
        let gone: Vec<Site> = holds.filter(|site| *site != but && foreign(*site)).collect();
        for site in gone {
            self.release(at, kind, recipient, site, true);
        }
    }

    fn began(&mut self, at: Time, site: Site, message: &Message, destination: &DomainName) {
        if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
            sheet.attempts += 1;
        }
        let originates = self.host(site).is_some_and(|host| host.originates);
        if let Some(id) = self.find(message.key) {
            self.about = Some(About { message: id, recipient: None, kind: self.kind(id) });
            if originates {
                let state = self.mail.message_mut(id);
                state.attempts = state.attempts.saturating_add(1);
            }
            if self.kind(id) == Kind::Sent {
                self.tried(at, site, id, message, destination);
            }
        }
    }

    fn relayed(
        &mut self,
        at: Time,
        site: Site,
        message: &Message,
        recipient: u16,
        target: &Arc<Target>,
        began: Time,
    ) {
        let Some((id, found)) = self.locate(message, recipient) else { return };
        self.offered(at, site, target, Some(began));
        if !self.setup.guards.is_empty() {
            self.guard(site, target);
        }
        self.leave(at, site, id, found, message);
        self.mail.state_mut(found).left_at = second(at);
        self.hand_to_foreign(at, id, found, target);
    }

    /// A recipient went to a target: do the policies of its destination allow that?
    fn guard(&mut self, site: Site, target: &Arc<Target>) {
        let Some(About { message, recipient: Some(recipient), .. }) = self.about else { return };
        let to = self.mail.message(message);
        let Some(address) = to.to.get((recipient.0 - to.first.0) as usize) else { return };
        let objections = self.setup.guards.iter();
        if let Some(objection) =
            objections.filter_map(|guard| guard.objection(address.domain(), target)).next()
        {
            let target = target.clone();
            self.notes.push(Note::Unguarded { message, recipient, site, target, objection });
        }
    }

    /// A foreign host's 250 is all that is known of its queue.
    fn hand_to_foreign(&mut self, at: Time, id: MessageId, found: RecipientId, target: &Target) {
        if !self.has_foreign || self.mail.state(found).is_final() {
            return;
        }
        let to = self.site_at(target.address);
        if self.host(to).is_some_and(|host| host.foreign) && self.mail.held(found, to).is_none() {
            self.hold(self.kind(id), found, to, at);
        }
    }

    /// A recipient was offered to a target: was it a worse MX, or one that is no better than the host itself?
    fn offered(&mut self, at: Time, site: Site, target: &Arc<Target>, began: Option<Time>) {
        let Some(About { message, recipient: Some(recipient), kind }) = self.about else { return };
        let to = self.mail.message(message);
        let address = to.to.get((recipient.0 - to.first.0) as usize);
        let (Some(address), Some(ways)) = (address, self.ways.get_mut(usize::from(site.0))) else { return };
        let Some(way) = ways.find(address.domain()) else { return };
        let is_mx = way.route.basis == Basis::Mx;
        let (worse, own) = (is_mx && target.preference > way.best, way.own);
        if way.route.basis == Basis::Implicit {
            let domain = address.domain().clone();
            self.used(site, &domain, target);
        }
        if let Some(own) = own.filter(|own| is_mx && target.preference >= *own) {
            let target = target.clone();
            self.notes.push(Note::RelayedDown { message, recipient, site, target, own });
        }
        if worse {
            if let Some(began) = began.filter(|_| kind == Kind::Sent) {
                self.failovers.push(at.since(began).as_nanos() as u64);
            }
            let tried = || self.mail.held(recipient, site)?.tries.at();
            let at_most = || Time::ZERO + at.elapsed().saturating_sub(crate::schedule::DIALOGUE_MAX);
            let offered = began.or_else(tried).unwrap_or_else(at_most);
            self.notes.push(Note::WorseMx { message, recipient, site, target: target.clone(), offered });
        }
    }

    fn put_off(&mut self, target: &Arc<Target>, rejection: &Rejection) {
        let Some(About { message, recipient: Some(recipient), kind: Kind::Sent }) = self.about else {
            return;
        };
        let state = self.mail.state_mut(recipient);
        if let Rejection::Temporary(reply) = rejection
            && !std::mem::replace(&mut state.put_off, true)
        {
            self.notes.push(Note::PutOff { message, target: target.clone(), reply: reply.clone() });
        }
    }

    fn failed(&mut self, at: Time, site: Site, mx: &mxdrill_net::DomainName) {
        if let Some(ways) = self.ways.get_mut(usize::from(site.0)) {
            ways.failed(mx, at);
        }
    }

    fn bounced(&mut self, at: Time, site: Site, message: &Message, recipient: u16, dsn: &Message) {
        self.made(at, site, message, dsn, Kind::Bounce);
        let Some((id, found)) = self.locate(message, recipient) else { return };
        self.leave(at, site, id, found, message);
        self.give_up(id, found, site, |state| state.bounced = true);
        if self.kind(id) == Kind::Sent {
            if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
                sheet.bounced += 1;
            }
            self.notes.push(Note::Bounced { message: id, recipient: found, by: site });
        }
    }

    /// A host put a DSN into its own queue; one DSN may be about several recipients.
    fn made(&mut self, at: Time, site: Site, message: &Message, dsn: &Message, kind: Kind) {
        let about = self.find(message.key);
        let id = match self.find(dsn.key) {
            Some(_) => return,
            None => self.add_found(at, dsn, kind, about),
        };
        self.about = about.map(|message| About { message, recipient: None, kind: self.kind(message) });
        for recipient in self.mail.of(id) {
            self.hold(self.kind(id), recipient, site, at);
        }
    }

    fn discarded(&mut self, at: Time, site: Site, message: &Message, recipient: u16) {
        let Some((id, found)) = self.locate(message, recipient) else { return };
        self.leave(at, site, id, found, message);
        self.give_up(id, found, site, |state| state.discarded = true);
        if self.kind(id) == Kind::Sent
            && let Some(sheet) = self.sheets.get_mut(usize::from(site.0))
        {
            sheet.discarded += 1;
        }
    }

    /// The disk kept it. Where the host cannot know whether it had passed it on before it crashed, another copy
    /// is allowed (RFC 5321 6.1: no loss; RFC 1047: a duplicate is the price).
    fn recovered(&mut self, at: Time, site: Site, message: &Message, pending: &[u16]) {
        let id = match self.find(message.key) {
            Some(id) => id,
            None if message.reverse_path.is_null() => self.add_found(at, message, Kind::Dsn, None),
            None => self.add_found(at, message, Kind::Stray, None),
        };
        let kind = self.kind(id);
        let crashed = self.sheet(site).and_then(|sheet| sheet.crashed_at).unwrap_or(at);
        let crashed = second(crashed);
        for place in pending {
            let Some((_, recipient)) = self.locate(message, *place) else { continue };
            let state = self.mail.state_mut(recipient);
            let was_held = std::mem::take(&mut state.held_at_crash);
            if was_held || (state.left_at > 0 && crashed.saturating_sub(state.left_at) <= UNRECORDED_MAX) {
                state.doubts = state.doubts.saturating_add(1);
            }
            self.hold_tried(kind, recipient, site, message.arrived.min(at), Tries::unknown(at));
        }
        if !pending.is_empty() {
            self.add_bytes(site, kind, message.size());
        }
    }

    fn holds(&mut self, site: Site, message: &Message, recipient: u16) {
        let Some((id, found)) = self.locate(message, recipient) else { return };
        if self.mail.held(found, site).is_none() {
            self.hold(self.kind(id), found, site, message.arrived);
        }
        self.mail.confirm(found, site);
    }
}

/// The second that a time lies in, counted from 1: zero is never.
fn second(at: Time) -> u32 {
    (at.as_nanos() / 1_000_000_000) as u32 + 1
}

/// Received fields whose `by` names a host (RFC 5321 4.4).
fn trace_fields_by(header: &[u8], name: &str) -> usize {
    let text =
        String::from_utf8_lossy(header).to_ascii_lowercase().replace("\r\n ", " ").replace("\r\n\t", " ");
    let by = format!(" by {name}");
    let is_by = |line: &&str| line.starts_with("received:") && line.contains(&by);
    text.lines().filter(is_by).count()
}
