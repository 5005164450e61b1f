//! One session of the originator.

use std::sync::Arc;

use mxdrill_ledger::{Fact, Taken};
use mxdrill_net::{Closed, Commands, Conn, Time};
use mxdrill_smtp::{Client, ClientConfig, Enhanced, Extension, Failure, Outcome, Reply, Report, Step};

use crate::errand::Errand;

/// A session, from its connect on.
pub(crate) struct Lane {
    /// The stream it serves.
    pub(crate) stream: usize,
    /// Its connection.
    pub(crate) conn: Conn,
    /// Errands that go on to another host.
    onward: Vec<Errand>,
    state: State,
}

enum State {
    /// The message waits for the connection, until then.
    Connecting(Errand, Time),
    /// The message waits for the greeting.
    Greeting(Client<Errand>, Errand),
    Talking(Client<Errand>),
    Over,
}

impl Lane {
    /// A session that is being opened for `first`, and given up at `patience`.
    pub(crate) fn new(stream: usize, conn: Conn, first: Errand, patience: Time) -> Lane {
        Lane { stream, conn, onward: Vec::new(), state: State::Connecting(first, patience) }
    }

    /// Whether nothing more will happen on it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// The deadline of its client.
    pub(crate) fn deadline(&self) -> Option<Time> {
        match &self.state {
            State::Greeting(client, _) | State::Talking(client) => client.deadline(),
            State::Connecting(_, patience) => Some(*patience),
            State::Over => None,
        }
    }

    /// The errands that another host is to be tried for.
    pub(crate) fn take_onward(&mut self) -> Vec<Errand> {
        std::mem::take(&mut self.onward)
    }

    /// The connection stands.
    pub(crate) fn connected(&mut self, now: Time, config: Arc<ClientConfig>) {
        if let State::Connecting(errand, _) = std::mem::replace(&mut self.state, State::Over) {
            self.state = State::Greeting(Client::open(now, self.conn, config), errand);
        }
    }

    /// There will be no connection.
    pub(crate) fn unreached(&mut self, out: &mut Commands<Fact>) {
        if let State::Connecting(errand, _) | State::Greeting(_, errand) =
            std::mem::replace(&mut self.state, State::Over)
        {
            self.all(errand, &Taken::Unreached, out);
        }
    }

    /// Bytes came in.
    pub(crate) fn bytes(&mut self, now: Time, bytes: &[u8], out: &mut Commands<Fact>) {
        if let Some(client) = self.client() {
            client.bytes(now, bytes, out);
        }
    }

    /// The deadline has come: of the connect, or of the client.
    pub(crate) fn timer(&mut self, now: Time, out: &mut Commands<Fact>) {
        if matches!(self.state, State::Connecting(_, patience) if patience <= now) {
            out.reset(self.conn);
            return self.unreached(out);
        }
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
        mut next: impl FnMut(&mut Commands<Fact>) -> Option<Errand>,
    ) {
        while let Some(step) = self.client().and_then(Client::poll) {
            self.step(now, step, out);
        }
        let State::Talking(client) = &mut self.state else { return };
        while client.is_ready() {
            match next(out) {
                Some(errand) => client.send(now, errand, out),
                None => return client.quit(now, out),
            }
        }
    }

    fn client(&mut self) -> Option<&mut Client<Errand>> {
        match &mut self.state {
            State::Greeting(client, _) | State::Talking(client) => Some(client),
            State::Connecting(..) | State::Over => None,
        }
    }

    fn step(&mut self, now: Time, step: Step<Errand>, out: &mut Commands<Fact>) {
        match step {
            Step::Ready => self.ready(now, out),
            Step::Done(report) => self.book(report, &Taken::Unreached, out),
            Step::Failed { failure, report, ahead, .. } => {
                let taken = of_failure(failure);
                if let Some(report) = report {
                    self.book(report, &taken, out);
                }
                if let State::Greeting(_, errand) = std::mem::replace(&mut self.state, State::Over) {
                    self.all(errand, &taken, out);
                }
                if let Some(errand) = ahead {
                    self.all(errand, &taken, out);
                }
            }
            Step::Closed => self.unreached(out),
        }
    }

    /// Books what became of a message. What the session never came to shares the session's fate.
    fn book(&mut self, report: Report<Errand>, untried: &Taken, out: &mut Commands<Fact>) {
        let Report { mut letter, outcomes } = report;
        let taken = outcomes.into_iter().map(|outcome| of_outcome(outcome, untried));
        if letter.answered(taken, |deed| out.record(deed)) {
            self.onward.push(letter);
        }
    }

    /// Books the same for all recipients of a message.
    fn all(&mut self, mut errand: Errand, taken: &Taken, out: &mut Commands<Fact>) {
        if errand.answered_all(taken, |deed| out.record(deed)) {
            self.onward.push(errand);
        }
    }

    fn ready(&mut self, now: Time, out: &mut Commands<Fact>) {
        if let State::Greeting(mut client, errand) = std::mem::replace(&mut self.state, State::Over) {
            client.send(now, errand, out);
            self.state = State::Talking(client);
        }
    }
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
        Failure::Connect(_) | Failure::Timeout | Failure::Lost | Failure::Garbled | Failure::Tls(_) => {
            Taken::Unreached
        }
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
