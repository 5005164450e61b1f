//! What the drill did, in the books.

use mxdrill_net::Time;

use super::{About, Books, First, Kind, MessageState, Note, RecipientId, Repair, Site, Unexpected};
use crate::{Deed, Taken};

impl Books {
    pub(super) fn see_deed(&mut self, at: Time, site: Site, deed: &Deed) {
        match deed {
            Deed::Sending { .. } => self.sending(at, deed),
            Deed::Sent { number, recipient, taken, .. } => self.sent(at, site, *number, *recipient, taken),
            Deed::Fault { tag, begins: false } if self.setup.is_repair(*tag) => self.repaired(at),
            Deed::Looked => self.looked(at, site),
            Deed::Sends { count, .. } => self.unsent += u64::from(*count),
            Deed::Flush
            | Deed::Set { .. }
            | Deed::Expected { .. }
            | Deed::Fault { .. }
            | Deed::Ended { .. } => {}
        }
    }

    fn sending(&mut self, at: Time, deed: &Deed) {
        let Deed::Sending { number, send, key, from, forged, to, header, body } = deed else { return };
        self.unsent = self.unsent.saturating_sub(1);
        let state = MessageState {
            to: to.clone(),
            sent_at: at,
            first: RecipientId(0),
            number: *number,
            send: *send,
            body: self.bodies.add(body),
            header: self.headers.add(header),
            attempts: 0,
            kind: Kind::Sent,
            forged: *forged,
            null: from.is_null(),
        };
        let message = self.mail.add(*key, state);
        self.counts.messages += 1;
        self.open += to.len() as u64;
        self.about = Some(About { message, recipient: None, kind: Kind::Sent });
    }

    fn sent(&mut self, at: Time, site: Site, number: u32, recipient: u16, taken: &Taken) {
        let Some(message) = self.mail.numbered(number) else { return };
        let Some(recipient) = self.mail.of(message).nth(usize::from(recipient)) else { return };
        self.about = Some(About { message, recipient: Some(recipient), kind: Kind::Sent });
        if self.mail.state(recipient).first != First::Open {
            return;
        }
        let first = match taken {
            Taken::Acknowledged => First::Acknowledged,
            Taken::Rejected(_) | Taken::Unreached => First::Rejected,
            Taken::InDoubt => First::InDoubt,
        };
        self.change(Kind::Sent, recipient, |mail| mail.state_mut(recipient).first = first);
        self.count_first(site, first);
        self.settle_first(at, site, recipient, first);
    }

    fn count_first(&mut self, site: Site, first: First) {
        let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) else { return };
        sheet.sent += 1;
        match first {
            First::Acknowledged => sheet.acknowledged += 1,
            First::Rejected => sheet.rejected += 1,
            First::InDoubt => sheet.in_doubt += 1,
            First::Open => {}
        }
    }

    /// Squares the first host's word with what was seen of the recipient before it came.
    fn settle_first(&mut self, at: Time, site: Site, recipient: RecipientId, first: First) {
        let state = self.mail.state(recipient);
        let (delivered, held, by) = (state.is_delivered(), state.is_held(), state.delivered_by);
        let extra = state.extra;
        match first {
            First::Acknowledged
                if !delivered && !held && self.host(site).is_some_and(|host| host.foreign) =>
            {
                // A foreign host says nothing of its queue: its 250 is all there is until it is looked into.
                self.hold(Kind::Sent, recipient, site, at);
            }
            First::Acknowledged => self.counts.duplicated += u64::from(extra),
            First::Rejected if delivered => {
                let message = self.mail.message_of(recipient);
                self.unexpected(by, Unexpected::Rejected { message, recipient });
            }
            First::Rejected | First::InDoubt | First::Open => {}
        }
    }

    pub(super) fn unexpected(&mut self, site: Site, what: Unexpected) {
        self.counts.unexpected += 1;
        if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
            sheet.unexpected += 1;
        }
        self.notes.push(Note::Unexpected { site, what });
    }

    /// A delivering host is well again: what relays hold now is what the drain is measured by.
    fn repaired(&mut self, at: Time) {
        let relays: Vec<bool> = self.setup.hosts.iter().map(|host| host.is_relay()).collect();
        let is_relay = |site: Site| relays.get(usize::from(site.0)).copied().unwrap_or(false);
        let mut left = 0;
        for state in self.mail.states_mut() {
            state.held_at_repair = !state.is_final() && state.holds().any(|hold| is_relay(hold.site));
            left += u64::from(state.held_at_repair);
        }
        self.repair = Some(Repair { at, left, last: None, held: left, drained: Vec::new() });
    }

    /// The host's whole queue was just listed: what it was thought to hold and does not is gone.
    fn looked(&mut self, at: Time, site: Site) {
        for recipient in self.mail.sweep(site) {
            let message = self.mail.message_of(recipient);
            let kind = self.mail.message(message).kind;
            self.release(at, kind, recipient, site, true);
        }
    }

    /// The drill is over: transactions still under way are in doubt.
    pub(crate) fn close(&mut self, at: Time) {
        self.notes.clear();
        let open: Vec<RecipientId> = self.open_recipients();
        for recipient in open {
            self.change(Kind::Sent, recipient, |mail| mail.state_mut(recipient).first = First::InDoubt);
        }
        for sheet in &mut self.sheets {
            sheet.tick(at);
            sheet.peak();
        }
    }

    fn open_recipients(&self) -> Vec<RecipientId> {
        if self.open == 0 {
            return Vec::new();
        }
        let sent = self.mail.messages().filter(|(_, message)| message.kind == Kind::Sent);
        let all = sent.flat_map(|(id, _)| self.mail.of(id));
        all.filter(|id| self.mail.state(*id).first == First::Open).collect()
    }
}
