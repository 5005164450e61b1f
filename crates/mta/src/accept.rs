//! What a node takes from clients, and what it turns away.

use std::sync::Arc;

use mxdrill_net::{Commands, Conn, DomainName, Index, Time};
use mxdrill_smtp::{
    Address, Enhanced, MailParameters, Policy, Received, Recipient, Reply, Script, SessionView, Stage, Then,
    Verdict,
};

use crate::{
    Discard, Fact, Filter, Message, MessageKey, Unverified,
    callout::{Found, Waiting},
    core::{AnyFact, Core, Tag},
};

/// RFC 3463 5.7.1: never an open relay.
const RELAY_DENIED: Reply = Reply::new(554, Enhanced(5, 7, 1), "Relay access denied");
/// RFC 5321 3.3, RFC 3463 5.1.1.
const NO_SUCH_USER: Reply = Reply::new(550, Enhanced(5, 1, 1), "No such user here");
/// Postfix `unverified_recipient_defer_code`; RFC 3463 4.1.1.
const UNVERIFIED: Reply =
    Reply::new(450, Enhanced(4, 1, 1), "Unverified address: the primary cannot be asked");
/// RFC 3463 2.1.5.
pub(crate) const RECIPIENT_OK: Reply = Reply::new(250, Enhanced(2, 1, 5), "Ok");
/// RFC 3463 5.7.1.
const FILTERED: Reply = Reply::new(550, Enhanced(5, 7, 1), "Message content rejected");
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

    /// What the rules of the house say.
    fn by_the_house<F: AnyFact>(
        &mut self,
        now: Time,
        stage: Stage,
        session: &SessionView<'_>,
        out: &mut Commands<F>,
    ) -> Verdict {
        match self.core.house.at(now, stage, session).then {
            Then::Reply(reply) => {
                self.turn_away(session, stage, &reply, None, out);
                Verdict::Reply(reply)
            }
            _ => Verdict::Accept,
        }
    }

    /// Asks a better MX about a recipient, if this node does so.
    fn verify<F: AnyFact>(
        &mut self,
        now: Time,
        session: &SessionView<'_>,
        address: &Address,
        out: &mut Commands<F>,
    ) -> Verdict {
        let Core { config, callouts, router, .. } = &mut *self.core;
        let (verify, domain) = (config.verify, address.domain());
        if verify.is_none() || !config.relays.contains(domain) || is_postmaster(address) {
            return Verdict::Accept;
        }
        let waiting = Waiting { conn: session.conn, peer: session.peer, address: address.clone() };
        let Some(found) = callouts.ask(now, waiting, config, router, out) else { return Verdict::Later };
        match verdict(found, verify) {
            None => Verdict::Accept,
            Some(reply) => {
                self.turn_away(session, Stage::Rcpt, &reply, None, out);
                Verdict::Reply(reply)
            }
        }
    }

    /// Whether one more message of a session is tried before the next queue run.
    fn is_immediate(&mut self, conn: Conn) -> bool {
        let Some(most) = self.core.config.profile.concurrency.immediate_max else { return true };
        let brought = self.brought.get_or_insert_with(conn, || 0);
        *brought += 1;
        *brought <= most
    }
}

/// What is said to a recipient that a better MX was asked about, if anything is against it.
pub(crate) fn verdict(found: Found, verify: Option<Unverified>) -> Option<Reply> {
    match (found, verify) {
        (Found::Exists, _) | (Found::Nothing, Some(Unverified::Accept) | None) => None,
        (Found::Unknown, _) => Some(NO_SUCH_USER),
        (Found::Nothing, Some(Unverified::Defer)) => Some(UNVERIFIED),
    }
}

/// The strings that filters are tested with: nobody sends them by chance.
const TEST_STRINGS: [&[u8]; 2] =
    [b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!", b"GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL"];

fn is_test_string_in(content: &[u8]) -> bool {
    TEST_STRINGS.iter().any(|text| memchr::memmem::find(content, text).is_some())
}

/// RFC 5321 4.5.1: postmaster is served wherever mail is.
fn is_postmaster(address: &Address) -> bool {
    address.local().eq_ignore_ascii_case("postmaster")
}

/// Takes a message, and drops it.
fn discard<F: AnyFact>(message: Arc<Message>, conn: Conn, peer: std::net::IpAddr, out: &mut Commands<F>) {
    out.record(Fact::Accepted { message: message.clone(), conn, peer });
    for recipient in 0..message.recipients.len() {
        let (message, recipient) = (message.clone(), recipient as u16);
        out.record(Fact::Discarded { message, recipient, why: Discard::Filtered });
    }
}

impl<F: AnyFact> Policy<F> for Door<'_> {
    fn mail(
        &mut self,
        now: Time,
        session: &SessionView<'_>,
        _parameters: &MailParameters,
        out: &mut Commands<F>,
    ) -> Verdict {
        self.by_the_house(now, Stage::Mail, session, out)
    }

    fn rcpt(
        &mut self,
        now: Time,
        session: &SessionView<'_>,
        recipient: &Recipient,
        out: &mut Commands<F>,
    ) -> Verdict {
        let session = SessionView { recipient: Some(&recipient.address), ..*session };
        if let Some(reply) = self.objection(&session, &recipient.address) {
            self.turn_away(&session, Stage::Rcpt, &reply, None, out);
            return Verdict::Reply(reply);
        }
        match self.by_the_house(now, Stage::Rcpt, &session, out) {
            Verdict::Accept => self.verify(now, &session, &recipient.address, out),
            verdict => verdict,
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
        match self.core.config.filter.filter(|_| is_test_string_in(&message.body)) {
            Some(Filter::Reject) => {
                let (reply, key) = (Arc::new(FILTERED), Some(message.key));
                out.record(Fact::TurnedAway { peer, stage: Stage::Dot, reply, recipient: None, key });
                return Verdict::Reply(FILTERED);
            }
            Some(Filter::Discard) => {
                discard(Arc::new(message), conn, peer, out);
                return Verdict::Reply(QUEUED);
            }
            None => {}
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
