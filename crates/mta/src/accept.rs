//! What a node takes from clients, and what it turns away.

use std::sync::Arc;

use mxdrill_net::{Commands, Conn, DomainName, Index, Time};
use mxdrill_smtp::{
    Address, Enhanced, MailParameters, Policy, Received, Recipient, Reply, SessionView, Stage, Verdict,
};

use crate::{
    Fact, MessageKey,
    core::{AnyFact, Core, Tag},
};

/// RFC 3463 5.7.1: never an open relay.
const RELAY_DENIED: Reply = Reply::new(554, Enhanced(5, 7, 1), "Relay access denied");
/// RFC 5321 3.3, RFC 3463 5.1.1.
const NO_SUCH_USER: Reply = Reply::new(550, Enhanced(5, 1, 1), "No such user here");
/// RFC 5321 6.3, RFC 3463 5.4.6.
const TOO_MANY_HOPS: Reply = Reply::new(554, Enhanced(5, 4, 6), "Too many hops, mail loops");
/// RFC 5321 4.2.3, RFC 3463 4.3.1.
pub(crate) const NO_SPACE: Reply = Reply::new(452, Enhanced(4, 3, 1), "Insufficient system storage");
/// RFC 3463 4.3.0.
pub(crate) const DISK_FAILED: Reply = Reply::new(451, Enhanced(4, 3, 0), "Storage failed");
/// RFC 5321 4.2.5: only once it is on stable storage.
pub(crate) const QUEUED: Reply = Reply::new(250, Enhanced(2, 0, 0), "Ok: queued");
/// RFC 1985 5.3.
const QUEUING_STARTED: Reply = Reply::new(250, Enhanced(2, 0, 0), "Ok: queuing started");
/// RFC 1985 5.3.
const NOTHING_WAITS: Reply = Reply::new(251, Enhanced(2, 0, 0), "Ok: no messages waiting");
/// RFC 1985 5.3.
const ETRN_DENIED: Reply = Reply::new(459, Enhanced(4, 7, 1), "Queue runs are for domains relayed here");

/// The door of a node: its core, and how many messages each open session brought.
pub(crate) struct Door<'a> {
    pub(crate) core: &'a mut Core,
    pub(crate) brought: &'a mut Index<Conn, u32>,
}

impl Door<'_> {
    /// What is wrong with a recipient, if anything is.
    fn objection(&self, session: &SessionView<'_>, address: &Address) -> Option<Reply> {
        let config = &self.core.config;
        let domain = address.domain();
        if config.delivers.contains(domain) || config.relays.contains(domain) {
            let is_known = config.recipients.as_ref().is_none_or(|known| known.contains(address));
            return (!is_known && !is_postmaster(address)).then_some(NO_SUCH_USER);
        }
        (!config.trusted.contains(&session.peer)).then_some(RELAY_DENIED)
    }

    fn turn_away<F: AnyFact>(
        &self,
        session: &SessionView<'_>,
        stage: Stage,
        reply: &Reply,
        key: Option<MessageKey>,
        out: &mut Commands<F>,
    ) {
        let recipient = session.recipient.filter(|_| stage == Stage::Rcpt).cloned();
        let (peer, reply) = (session.peer, Arc::new(reply.clone()));
        out.record(Fact::TurnedAway { peer, stage, reply, recipient, key });
    }

    /// Whether one more message of a session is tried before the next queue run.
    fn is_immediate(&mut self, conn: Conn) -> bool {
        let Some(most) = self.core.config.profile.concurrency.immediate_max else { return true };
        let brought = self.brought.get_or_insert_with(conn, || 0);
        *brought += 1;
        *brought <= most
    }
}

/// RFC 5321 4.5.1: postmaster is served wherever mail is.
fn is_postmaster(address: &Address) -> bool {
    address.local().eq_ignore_ascii_case("postmaster")
}

impl<F: AnyFact> Policy<F> for Door<'_> {
    fn mail(
        &mut self,
        _now: Time,
        _session: &SessionView<'_>,
        _parameters: &MailParameters,
        _out: &mut Commands<F>,
    ) -> Verdict {
        Verdict::Accept
    }

    fn rcpt(
        &mut self,
        _now: Time,
        session: &SessionView<'_>,
        recipient: &Recipient,
        out: &mut Commands<F>,
    ) -> Verdict {
        match self.objection(session, &recipient.address) {
            None => Verdict::Accept,
            Some(reply) => {
                let session = SessionView { recipient: Some(&recipient.address), ..*session };
                self.turn_away(&session, Stage::Rcpt, &reply, None, out);
                Verdict::Reply(reply)
            }
        }
    }

    fn dot(&mut self, now: Time, conn: Conn, received: Received, out: &mut Commands<F>) -> Verdict {
        let peer = received.peer;
        let is_local = |recipient: &Recipient| self.core.config.delivers.contains(recipient.address.domain());
        let message = match received.envelope.recipients.iter().all(is_local) {
            true => self.core.intake.receive_final(now, received),
            false => self.core.intake.receive(now, received),
        };
        if message.received > self.core.config.profile.door.hops_max {
            let (reply, key) = (Arc::new(TOO_MANY_HOPS), Some(message.key));
            out.record(Fact::TurnedAway { peer, stage: Stage::Dot, reply, recipient: None, key });
            return Verdict::Reply(TOO_MANY_HOPS);
        }
        let is_immediate = self.is_immediate(conn);
        let pending = self.core.pending(&message);
        self.core.spool.store(Tag::Inbound { conn, peer, is_immediate }, Arc::new(message), pending, out);
        Verdict::Later
    }

    fn etrn(&mut self, _now: Time, domain: &DomainName, out: &mut Commands<F>) -> Reply {
        if !self.core.config.relays.contains(domain) {
            return ETRN_DENIED;
        }
        if self.core.flush_domain(domain, out) { QUEUING_STARTED } else { NOTHING_WAITS }
    }

    fn turned_away(
        &mut self,
        _now: Time,
        stage: Stage,
        session: &SessionView<'_>,
        reply: &Reply,
        content: Option<&[u8]>,
        out: &mut Commands<F>,
    ) {
        self.turn_away(session, stage, reply, content.map(MessageKey::of), out);
    }
}
