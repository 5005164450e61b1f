//! One session of the originator.

use std::sync::Arc;

use mxdrill_ledger::{Fact, Taken};
use mxdrill_net::{Closed, Commands, Conn, Time};
use mxdrill_smtp::{
    Client, ClientConfig, Enhanced, Extension, Failure, Letter, Outcome, Reply, Report, Step,
};

use crate::mail::Parcel;

/// A session, from its connect on.
pub(crate) struct Lane {
    /// The stream it serves.
    pub(crate) stream: usize,
    /// Its connection.
    pub(crate) conn: Conn,
    state: State,
}

enum State {
    /// The message waits for the connection.
    Connecting(Parcel),
    /// The message waits for the greeting.
    Greeting(Client<Parcel>, Parcel),
    Talking(Client<Parcel>),
    Over,
}

impl Lane {
    /// A session that is being opened for `first`.
    pub(crate) fn new(stream: usize, conn: Conn, first: Parcel) -> Lane {
        Lane { stream, conn, state: State::Connecting(first) }
    }

    /// Whether nothing more will happen on it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// The deadline of its client.
    pub(crate) fn deadline(&self) -> Option<Time> {
        match &self.state {
            State::Greeting(client, _) | State::Talking(client) => client.deadline(),
            State::Connecting(_) | State::Over => None,
        }
    }

    /// The connection stands.
    pub(crate) fn connected(&mut self, now: Time, config: Arc<ClientConfig>) {
        if let State::Connecting(parcel) = std::mem::replace(&mut self.state, State::Over) {
            self.state = State::Greeting(Client::open(now, self.conn, config), parcel);
        }
    }

    /// There will be no connection: an application without a queue gives up.
    pub(crate) fn unreached(&mut self, out: &mut Commands<Fact>) {
        if let State::Connecting(parcel) | State::Greeting(_, parcel) =
            std::mem::replace(&mut self.state, State::Over)
        {
            all(&parcel, &Taken::Unreached, out);
        }
    }

    /// Bytes came in.
    pub(crate) fn bytes(&mut self, now: Time, bytes: &[u8], out: &mut Commands<Fact>) {
        if let Some(client) = self.client() {
            client.bytes(now, bytes, out);
        }
    }

    /// The client's deadline has come.
    pub(crate) fn timer(&mut self, now: Time, out: &mut Commands<Fact>) {
        if let Some(client) = self.client() {
            client.timer(now, out);
        }
    }

    /// Output has drained.
    pub(crate) fn drained(&mut self, now: Time, out: &mut Commands<Fact>) {
        if let Some(client) = self.client() {
            client.drained(now, out);
        }
    }

    /// The peer closed.
    pub(crate) fn closed(&mut self, how: Closed, out: &mut Commands<Fact>) {
        if let Some(client) = self.client() {
            client.closed(how, out);
        }
    }

    /// Books what came of the session, and sends what `next` has while the session takes it.
    pub(crate) fn go_on(
        &mut self,
        now: Time,
        out: &mut Commands<Fact>,
        mut next: impl FnMut(&mut Commands<Fact>) -> Option<Parcel>,
    ) {
        while let Some(step) = self.client().and_then(Client::poll) {
            self.step(now, step, out);
        }
        let State::Talking(client) = &mut self.state else { return };
        while client.is_ready() {
            match next(out) {
                Some(parcel) => client.send(now, parcel, out),
                None => return client.quit(now, out),
            }
        }
    }

    fn client(&mut self) -> Option<&mut Client<Parcel>> {
        match &mut self.state {
            State::Greeting(client, _) | State::Talking(client) => Some(client),
            State::Connecting(_) | State::Over => None,
        }
    }

    fn step(&mut self, now: Time, step: Step<Parcel>, out: &mut Commands<Fact>) {
        match step {
            Step::Ready => self.ready(now, out),
            Step::Done(report) => book(report, &Taken::Unreached, out),
            Step::Failed { failure, report, ahead, .. } => {
                let taken = of_failure(failure);
                if let Some(report) = report {
                    book(report, &taken, out);
                }
                if let State::Greeting(_, parcel) = std::mem::replace(&mut self.state, State::Over) {
                    all(&parcel, &taken, out);
                }
                if let Some(parcel) = ahead {
                    all(&parcel, &taken, out);
                }
            }
            Step::Closed => self.unreached(out),
        }
    }

    fn ready(&mut self, now: Time, out: &mut Commands<Fact>) {
        if let State::Greeting(mut client, parcel) = std::mem::replace(&mut self.state, State::Over) {
            client.send(now, parcel, out);
            self.state = State::Talking(client);
        }
    }
}

/// Books what became of a message. What the session never came to shares the session's fate.
fn book(report: Report<Parcel>, untried: &Taken, out: &mut Commands<Fact>) {
    for (recipient, outcome) in report.outcomes.into_iter().enumerate() {
        out.record(report.letter.sent(recipient, of_outcome(outcome, untried)));
    }
}

/// Books the same for all recipients of a message.
fn all(parcel: &Parcel, taken: &Taken, out: &mut Commands<Fact>) {
    (0..parcel.recipients()).for_each(|recipient| out.record(parcel.sent(recipient, taken.clone())));
}

fn of_outcome(outcome: Outcome, untried: &Taken) -> Taken {
    match outcome {
        Outcome::Acknowledged(_) => Taken::Acknowledged,
        Outcome::Rejected { reply, .. } => Taken::Rejected(reply),
        Outcome::InDoubt => Taken::InDoubt,
        Outcome::Untried => untried.clone(),
        Outcome::Lacks(extension) => Taken::Rejected(lacking(extension)),
    }
}

/// What a failed session means for mail that it never came to.
fn of_failure(failure: Failure) -> Taken {
    match failure {
        Failure::Reply(reply) => Taken::Rejected(reply),
        Failure::Connect(_) | Failure::Timeout | Failure::Lost | Failure::Garbled => Taken::Unreached,
    }
}

/// What the application says to itself where the server lacks what the message needs: it was not even asked.
fn lacking(extension: Extension) -> Arc<Reply> {
    Arc::new(match extension {
        Extension::Size => Reply::new(552, Enhanced(5, 3, 4), "the message is larger than the server takes"),
        Extension::EightBitMime => Reply::new(554, Enhanced(5, 6, 3), "the server lacks 8BITMIME"),
        Extension::SmtpUtf8 => Reply::new(553, Enhanced(5, 6, 7), "the server lacks SMTPUTF8"),
    })
}
