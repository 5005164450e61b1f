//! A session of an application: `lettre`, recipient by recipient, so that one refused RCPT does not decide for
//! the others.

use std::{
    error::Error as _,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use lettre::transport::smtp::{
    Error,
    client::AsyncSmtpConnection,
    commands::Data,
    extension::{ClientId, Extension},
};
use mxdrill_ledger::Taken;
use mxdrill_net::live::{Clock, Dialer};
use mxdrill_smtp::{Code, Letter, Reply, Severity};

use crate::mail::Parcel;

/// How long the application waits for any one reply, in virtual time (RFC 5321 4.5.3.2.6: ten minutes).
const PATIENCE: Duration = Duration::from_secs(600);

/// How long the application waits for a connection: lettre has no timeout of its own; the same as in `sim`.
const PATIENCE_CONNECT: Duration = Duration::from_secs(30);

/// An open session.
pub(super) struct Session {
    connection: AsyncSmtpConnection,
    clock: Clock,
    broken: bool,
}

impl Session {
    /// Connects from `from` to `to` and says EHLO.
    ///
    /// # Errors
    /// What the mail in hand comes to when there is no session.
    pub(super) async fn open(
        clock: &Clock,
        dialer: &Dialer,
        from: IpAddr,
        to: SocketAddr,
    ) -> Result<Session, Taken> {
        let hello = ClientId::Domain("app.mxdrill.test".into());
        let Some(Ok(stream)) = within(clock, PATIENCE_CONNECT, dialer.connect(from, to)).await else {
            return Err(Taken::Unreached);
        };
        let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello);
        match within(clock, PATIENCE, greeted).await {
            Some(Ok(connection)) => Ok(Session { connection, clock: clock.clone(), broken: false }),
            Some(Err(why)) => Err(taken(&why)),
            None => Err(Taken::Unreached),
        }
    }

    /// Whether another message may be sent on it.
    pub(super) fn is_usable(&self) -> bool {
        !self.broken && !self.connection.has_broken()
    }

    /// Sends one message to some of its recipients; what became of each of them.
    pub(super) async fn deliver(&mut self, parcel: &Parcel, recipients: &[usize]) -> Vec<(usize, Taken)> {
        let mut fates = Vec::with_capacity(recipients.len());
        if let Err(taken) = self
            .command(Mail(parcel, self.connection.server_info().supports_feature(Extension::SmtpUtfEight)))
            .await
        {
            return recipients.iter().map(|index| (*index, taken.clone())).collect();
        }
        let mut accepted = Vec::with_capacity(recipients.len());
        for index in recipients {
            match self.command(Rcpt(parcel, *index)).await {
                Ok(()) => accepted.push(*index),
                Err(taken) => fates.push((*index, taken)),
            }
        }
        let taken = match accepted.is_empty() {
            true => self.command("RSET\r\n").await.err().unwrap_or(Taken::Unreached),
            false => self.content(parcel).await,
        };
        fates.extend(accepted.into_iter().map(|index| (index, taken.clone())));
        fates
    }

    /// Says goodbye.
    pub(super) async fn quit(mut self) {
        if self.is_usable() {
            let _ = within(&self.clock, PATIENCE, self.connection.quit()).await; // the mail is through either way
        }
    }

    async fn content(&mut self, parcel: &Parcel) -> Taken {
        if let Err(taken) = self.command(Data).await {
            return taken;
        }
        let content = content(parcel);
        let (taken, broken) = match within(&self.clock, PATIENCE, self.connection.message(&content)).await {
            Some(Ok(_)) => (Taken::Acknowledged, false),
            // without a reply to the dot the server may have the message (RFC 1047)
            Some(Err(why)) => (reply(&why).map_or(Taken::InDoubt, Taken::Rejected), why.status().is_none()),
            None => (Taken::InDoubt, true),
        };
        self.broken |= broken;
        taken
    }

    async fn command(&mut self, command: impl std::fmt::Display) -> Result<(), Taken> {
        if self.broken {
            return Err(Taken::Unreached);
        }
        match within(&self.clock, PATIENCE, self.connection.command(command)).await {
            Some(Ok(_)) => Ok(()),
            Some(Err(why)) => {
                self.broken = why.status().is_none_or(|code| u16::from(code) == 421);
                Err(taken(&why))
            }
            None => {
                self.broken = true;
                Err(Taken::Unreached)
            }
        }
    }
}

/// MAIL for a parcel: lettre's own command lets no null reverse-path carry parameters.
struct Mail<'a>(&'a Parcel, bool);

impl std::fmt::Display for Mail<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MAIL FROM:{}", self.0.reverse_path())?;
        if self.0.eight_bit() {
            write!(f, " BODY=8BITMIME")?;
        }
        if self.0.utf8() && self.1 {
            write!(f, " SMTPUTF8")?;
        }
        write!(f, "\r\n")
    }
}

/// RCPT for one recipient of a parcel.
struct Rcpt<'a>(&'a Parcel, usize);

impl std::fmt::Display for Rcpt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RCPT TO:<{}>\r\n", self.0.recipient(self.1).address)
    }
}

/// The message as lettre wants it: it adds a line end of its own before the final dot.
fn content(parcel: &Parcel) -> Vec<u8> {
    let mut content = [parcel.header().as_ref(), parcel.body().as_ref()].concat();
    if content.ends_with(b"\r\n") {
        content.truncate(content.len() - 2);
    }
    content
}

/// Waits for `what`, but not for ever: lettre's connections have no timeout of their own.
pub(super) async fn within<T>(clock: &Clock, patience: Duration, what: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        done = what => Some(done),
        () = clock.sleep(patience) => None,
    }
}

/// What a failure before the final dot means for the mail.
fn taken(why: &Error) -> Taken {
    reply(why).map_or(Taken::Unreached, Taken::Rejected)
}

/// The server's refusal, if that is what it was.
fn reply(why: &Error) -> Option<Arc<Reply>> {
    let code = Code::new(u16::from(why.status()?))?;
    let refusal = matches!(code.severity(), Severity::Temporary | Severity::Permanent);
    let text = why.source().map_or_else(String::new, ToString::to_string);
    refusal.then(|| Arc::new(Reply { code, enhanced: None, text: text.into() }))
}
