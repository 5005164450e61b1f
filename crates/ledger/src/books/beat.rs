//! Whether hosts keep to their schedules, and to the DNS, in the books: each attempt is held against the last.

use std::{sync::Arc, time::Duration};

use mxdrill_dns::Outcome;
use mxdrill_mta::{Basis, Message, Target};
use mxdrill_net::{DomainName, Time};

use super::{Beat, Books, Hold, Kind, MessageId, Note, RecipientId, Site, mail::is_folded, rhythm::Rhythm};
use crate::{Schedule, schedule::DIALOGUE_MAX};

/// A recipient that a host holds and is to try again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wait<'a> {
    /// Who holds it, since when, and how often it was tried.
    pub(crate) hold: &'a Hold,
    /// Where it is to go.
    pub(crate) destination: &'a DomainName,
    /// What the host promises.
    pub(crate) schedule: &'a Schedule,
}

impl Books {
    /// What is known of a host's dealings with a destination, to be changed.
    pub(super) fn rhythm(&mut self, site: Site, destination: &DomainName) -> Option<&mut Rhythm> {
        Some(self.rhythms.get_mut(usize::from(site.0))?.of(destination))
    }

    /// A host does something for a destination.
    pub(super) fn stir(&mut self, at: Time, site: Site, destination: &DomainName) {
        if let Some(rhythm) = self.rhythm(site, destination) {
            rhythm.stir(at);
        }
    }

    /// An attempt at the recipients of a destination begins: is it time, and not too late?
    /// `copy` is the message as the host has it, which is not always for all of its recipients.
    pub(super) fn tried(
        &mut self,
        at: Time,
        site: Site,
        message: MessageId,
        copy: &Message,
        destination: &DomainName,
    ) {
        let setup = self.setup.clone();
        let schedule = setup.hosts.get(usize::from(site.0)).and_then(|host| host.schedule.as_ref());
        let Some(schedule) = schedule else { return };
        for (place, recipient) in self.mail.of(message).enumerate() {
            let to = &self.mail.message(message).to[place];
            let copied = || copy.recipients.iter().any(|one| is_folded(&one.address, to));
            if to.domain() != destination || !copied() {
                continue;
            }
            let Some(hold) = self.mail.held(recipient, site).copied() else { continue };
            // of two copies, which doubt makes, nobody knows which one is tried
            let alone = hold.copies == 1 && self.mail.state(recipient).doubts == 0;
            if alone && self.goes_whole(message, destination, schedule) {
                self.judge(at, (message, recipient), Wait { hold: &hold, destination, schedule });
            }
            if let Some(tries) = self.mail.tries_mut(recipient, site) {
                *tries = tries.again(at);
            }
        }
    }

    /// Whether the recipients of a destination are tried in one attempt.
    fn goes_whole(&self, message: MessageId, destination: &DomainName, schedule: &Schedule) -> bool {
        let to = &self.mail.message(message).to;
        let most = usize::from(schedule.recipients_max);
        to.len() <= most || to.iter().filter(|to| to.domain() == destination).count() <= most
    }

    fn judge(&mut self, at: Time, (message, recipient): (MessageId, RecipientId), wait: Wait<'_>) {
        let (site, since) = (wait.hold.site, wait.hold.since);
        if let Some(beat) = self.early(at, wait).or_else(|| self.late(at, wait)) {
            self.notes.push(Note::OffBeat { message, recipient, site, beat });
        }
        let age = at.since(since);
        let max = wait.schedule.life(self.mail.message(message).null).max;
        if let Some(max) = max.filter(|max| age > *max + DIALOGUE_MAX + self.down_for(site, since)) {
            self.notes.push(Note::Outlived { message, recipient, site, age, max });
        }
    }

    /// Whether an attempt comes too early after the last: never after a flush, a restart, or new mail to the same
    /// destination, which may take what waits along.
    fn early(&self, at: Time, wait: Wait<'_>) -> Option<Beat> {
        let Wait { hold, destination, schedule } = wait;
        let attempts = hold.tries.count().filter(|count| *count > 0)?;
        let last = hold.tries.at()?;
        let sheet = self.sheet(hold.site)?;
        let news = self.rhythms.get(usize::from(hold.site.0))?.known(destination).news;
        let since = |when: Option<Time>| when.is_some_and(|when| when >= last);
        if since(news) || since(sheet.flushed_at) {
            return None;
        }
        if schedule.has_clocks() {
            let addresses = self.ways(hold.site)?.known(destination)?.addresses();
            // a host that answered starts its clock anew, and the clocks of several come when they like
            if since(sheet.reached_at) || addresses != 1 {
                return None;
            }
        }
        let (min, _) = schedule.wait(last.since(hold.since), Some(attempts));
        let waited = at.since(last);
        (waited < min).then_some(Beat::Early(waited, min))
    }

    /// Whether an attempt comes, or at `at` has not come, although it was due and nothing stood in line before it.
    pub(crate) fn late(&self, at: Time, wait: Wait<'_>) -> Option<Beat> {
        let Wait { hold, destination, schedule } = wait;
        let rhythm = self.rhythms.get(usize::from(hold.site.0))?.known(destination);
        let last = hold.tries.at()?;
        let from = rhythm.waits_since(last);
        let attempts = hold.tries.count().filter(|_| from == last);
        // one that was never tried may have been put off with its destination, which has failed nobody knows how often
        let (_, max) = schedule.wait(from.since(hold.since), attempts.filter(|count| *count > 0));
        let waited = at.since(from);
        let is_late = waited > max.saturating_add(DIALOGUE_MAX);
        (is_late && rhythm.was_idle(from + max, at)).then_some(Beat::Late(waited, max))
    }

    /// What a host that is up promises of what it holds.
    pub(crate) fn promise(&self, site: Site) -> Option<&Schedule> {
        let is_down = self.sheet(site).is_some_and(|sheet| sheet.down);
        self.host(site).filter(|_| !is_down)?.schedule.as_ref()
    }

    /// How long a host was down, or came back, after a time at the latest: it could not give up then.
    pub(crate) fn down_for(&self, site: Site, since: Time) -> Duration {
        let up = self.sheet(site).and_then(|sheet| sheet.restarted_at);
        up.map_or(Duration::ZERO, |up| up.since(since))
    }

    /// A host used a target for a destination: was it the address record of a domain that has MX records
    /// (RFC 5321 5.1)? Only an answer that says that there are none makes it the implicit MX.
    pub(super) fn used(&mut self, site: Site, destination: &DomainName, target: &Arc<Target>) {
        let Some(ways) = self.ways.get(usize::from(site.0)) else { return };
        if ways.known(destination).is_none_or(|way| way.route.basis != Basis::Implicit) {
            return;
        }
        let has_mx = match ways.answer(destination) {
            Some(answer) => answer != Outcome::NoData,
            None => self.setup.routed.contains(destination),
        };
        if has_mx {
            let about = self.about.filter(|about| about.kind == Kind::Sent);
            let about = about.and_then(|about| Some((about.message, about.recipient?)));
            self.notes.push(Note::AddressRecord { about, site, target: target.clone() });
        }
    }
}
