//! Who decides what a server takes: the owner of its sessions.

use mxdrill_net::{Commands, Conn, DomainName, Time};

use crate::{MailParameters, Received, Recipient, Reply, SessionView, Stage};

/// What the owner says to MAIL, RCPT or the end of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes, in the server's own words (250).
    Accept,
    /// This reply. A 2xx accepts; anything else refuses, and 421 also closes the session.
    Reply(Reply),
    /// Not known yet: [`super::Server::resume`] says it. Until then the client's input is held.
    Later,
}

impl From<Reply> for Verdict {
    fn from(reply: Reply) -> Verdict {
        Verdict::Reply(reply)
    }
}

/// The owner of sessions. It is asked before the server replies, and after the script had its say.
pub trait Policy<F> {
    /// May this sender begin a transaction?
    fn mail(
        &mut self,
        now: Time,
        session: &SessionView<'_>,
        parameters: &MailParameters,
        out: &mut Commands<F>,
    ) -> Verdict;

    /// Is this recipient taken?
    fn rcpt(
        &mut self,
        now: Time,
        session: &SessionView<'_>,
        recipient: &Recipient,
        out: &mut Commands<F>,
    ) -> Verdict;

    /// The message is complete. To accept is to take responsibility (RFC 5321 4.2.5, 6.1), so the verdict is
    /// `Later` while the message is being stored and synced.
    fn dot(&mut self, now: Time, conn: Conn, received: Received, out: &mut Commands<F>) -> Verdict;

    /// ETRN (RFC 1985): a queue run for this domain is asked for.
    fn etrn(&mut self, now: Time, domain: &DomainName, out: &mut Commands<F>) -> Reply;

    /// A refusal (4xx, 5xx) that the policy did not itself decide: the script's, or the server's own limits
    /// and syntax. Called at connect, greeting, EHLO, MAIL, RCPT, DATA and the end of the message; not for
    /// commands in the wrong order (503). `content` is the message, at the dot, as far as it was kept.
    fn turned_away(
        &mut self,
        now: Time,
        stage: Stage,
        session: &SessionView<'_>,
        reply: &Reply,
        content: Option<&[u8]>,
        out: &mut Commands<F>,
    );
}
