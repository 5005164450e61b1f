//! What drivers and look-ups saw, in the books.

use mxdrill_dns::RecordType;
use mxdrill_net::{Fact, Time};

use super::{Books, RecipientId, Session, Site};

impl Books {
    pub(super) fn see_world(&mut self, at: Time, site: Site, fact: &Fact) {
        match fact {
            Fact::Incoming { conn, .. } => {
                let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) else { return };
                sheet.session_begins(*conn);
                let session = Session { site, life: sheet.lives, bites: self.bites, took: None };
                self.sessions.insert(*conn, session);
            }
            Fact::Gone { conn, .. } => self.session_ends(*conn),
            Fact::Crashed => self.crashed(at, site),
            Fact::Restarted => self.forget_queue(at, site),
            Fact::Bit(tag) => {
                self.bites += 1;
                if !self.bitten.contains(tag) {
                    self.bitten.push(*tag);
                }
            }
            Fact::Connected { .. } => {
                if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
                    sheet.reached_at = Some(at);
                }
            }
            Fact::ConnectFailed { .. } => {}
        }
    }

    pub(super) fn see_question(&mut self, site: Site, fact: &mxdrill_dns::Fact) {
        match fact {
            mxdrill_dns::Fact::Asked { .. } => {
                self.queries += 1;
                if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
                    sheet.queries += 1;
                }
            }
            mxdrill_dns::Fact::Answered { name, kind: RecordType::Mx, outcome } => {
                if let Some(ways) = self.ways.get_mut(usize::from(site.0)) {
                    ways.answered(name, *outcome);
                }
            }
            mxdrill_dns::Fact::Answered { .. } => {}
        }
    }

    /// A host turned the client that came last away at the door (421 or 554 instead of a greeting).
    pub(super) fn denied(&mut self, site: Site) {
        let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) else { return };
        let session = sheet.last_conn.take().and_then(|conn| self.sessions.get_mut(&conn));
        if let Some(session) = session {
            sheet.session_denied();
            session.site = Site::NONE;
        }
    }

    fn session_ends(&mut self, conn: mxdrill_net::Conn) {
        let Some(session) = self.sessions.remove(&conn) else { return };
        let sheet = self.sheets.get_mut(usize::from(session.site.0));
        if let Some(sheet) = sheet.filter(|sheet| sheet.lives == session.life) {
            sheet.sessions_end(1);
        }
        if let Some(message) = session.took.filter(|_| self.bites > session.bites) {
            self.mail.of(message).for_each(|recipient| self.doubt(recipient));
        }
    }

    /// A sending host may not know that its mail was taken: another copy is allowed.
    fn doubt(&mut self, recipient: RecipientId) {
        let state = self.mail.state_mut(recipient);
        state.doubts = state.doubts.saturating_add(1);
    }

    /// Its sessions are gone. Its queue is on its disk, as far as anyone can tell.
    fn crashed(&mut self, at: Time, site: Site) {
        let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) else { return };
        sheet.lives += 1;
        sheet.sessions_end(u64::MAX);
        sheet.crashed_at = Some(at);
        sheet.down = true;
        if self.is_foreign(site) {
            self.mail.held_by(site).into_iter().for_each(|recipient| self.doubt(recipient));
        }
    }

    fn is_foreign(&self, site: Site) -> bool {
        self.host(site).is_some_and(|host| host.foreign)
    }

    /// It is back, and will say what its disk kept: what it does not name then is gone.
    /// A foreign host does not: its queue is known by looking only.
    fn forget_queue(&mut self, at: Time, site: Site) {
        if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
            sheet.down = false;
            sheet.restarted_at = Some(at);
        }
        if self.is_foreign(site) {
            return;
        }
        let held: Vec<RecipientId> = self.mail.held_by(site);
        for recipient in held {
            let message = self.mail.message_of(recipient);
            let kind = self.mail.message(message).kind;
            self.release(at, kind, recipient, site, true);
            self.mail.state_mut(recipient).held_at_crash = true;
        }
        if let Some(sheet) = self.sheets.get_mut(usize::from(site.0)) {
            sheet.bytes = 0;
        }
    }
}
