//! Nodes broken on purpose: each is a wrapper that stands between a sound node and its driver; the node knows
//! nothing of it.

use std::time::Duration;

use mxdrill::Wrap;
use mxdrill_ledger::Fact;
use mxdrill_mta::Fact as Node;
use mxdrill_net::{Command, Commands, ConnectError, Event, Process, Time, Token};

/// Lets the node handle its event, and passes on every command that is approved of.
pub(crate) struct Keeps<K>(pub(crate) K);

impl<K: FnMut(&Command<Fact>) -> bool + Send> Wrap for Keeps<K> {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        inner.handle(now, event, out);
        filtered(out, &mut self.0);
    }
}

fn filtered(out: &mut Commands<Fact>, mut keep: impl FnMut(&Command<Fact>) -> bool) {
    for command in out.take() {
        if keep(&command) {
            out.push(command);
        }
    }
}

/// Writes nothing to its disk that is shorter than this: of its log, all but the messages themselves.
pub(crate) fn appends_at_least(octets: usize) -> Keeps<impl FnMut(&Command<Fact>) -> bool + Send> {
    Keeps(move |command: &Command<Fact>| match command {
        Command::Append(_, slices) => slices.iter().map(|slice| slice.len()).sum::<usize>() >= octets,
        _ => true,
    })
}

/// Writes all to its disk but one: the append of this number.
pub(crate) fn swallows_append(number: u32) -> Keeps<impl FnMut(&Command<Fact>) -> bool + Send> {
    let mut appends = 0;
    Keeps(move |command: &Command<Fact>| {
        appends += u32::from(matches!(command, Command::Append(..)));
        !(matches!(command, Command::Append(..)) && appends == number)
    })
}

/// Never connects: its queue stays.
pub(crate) fn never_connects() -> Keeps<impl FnMut(&Command<Fact>) -> bool + Send> {
    Keeps(|command: &Command<Fact>| !matches!(command, Command::Connect { .. }))
}

/// Tells its node that everything is stable, and asks the disk for nothing.
pub(crate) struct FalseSynced;

impl Wrap for FalseSynced {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        inner.handle(now, event, out);
        loop {
            let mut tokens: Vec<Token> = Vec::new();
            filtered(out, |command| match command {
                Command::Sync(token) => {
                    tokens.push(*token);
                    false
                }
                _ => true,
            });
            if tokens.is_empty() {
                return;
            }
            tokens.into_iter().for_each(|token| inner.handle(now, Event::Synced(token), out));
        }
    }
}

/// Forgets its disk whenever it restarts.
pub(crate) struct Forgets;

impl Wrap for Forgets {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        match event {
            Event::Restart(_) => inner.handle(now, Event::Restart(&[]), out),
            event => inner.handle(now, event, out),
        }
    }
}

/// Never tries an address, and says nothing of it.
pub(crate) struct Ignores(pub(crate) &'static str);

impl Wrap for Ignores {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        inner.handle(now, event, out);
        loop {
            let mut refused = Vec::new();
            filtered(out, |command| match command {
                Command::Connect { conn, to, .. } if to.ip().to_string() == self.0 => {
                    refused.push(*conn);
                    false
                }
                _ => true,
            });
            if refused.is_empty() {
                break;
            }
            for conn in refused {
                inner.handle(now, Event::ConnectFailed(conn, ConnectError::Refused), out);
            }
        }
        filtered(out, |command| !matches!(command, Command::Record(Fact::Mta(Node::Failed { .. }))));
    }
}

/// Takes the first digit of each reply for another one.
pub(crate) struct Digit {
    said: u8,
    heard: u8,
    line_begins: bool,
}

impl Digit {
    fn read(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut read = bytes.to_vec();
        for byte in &mut read {
            if self.line_begins && *byte == self.said {
                *byte = self.heard;
            }
            self.line_begins = *byte == b'\n';
        }
        read
    }
}

impl Wrap for Digit {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        match event {
            Event::Bytes(conn, bytes) => inner.handle(now, Event::Bytes(conn, &self.read(bytes)), out),
            event => inner.handle(now, event, out),
        }
    }
}

/// Reads every 4xx as 5xx.
pub(crate) fn final_at_once() -> Digit {
    Digit { said: b'4', heard: b'5', line_begins: true }
}

/// Reads every 5xx as 4xx.
pub(crate) fn never_final() -> Digit {
    Digit { said: b'5', heard: b'4', line_begins: true }
}

/// Reads something else, of the same length, in what it is sent.
pub(crate) struct Misreads {
    pub(crate) this: &'static [u8],
    pub(crate) as_that: &'static [u8],
}

impl Misreads {
    fn read(&self, bytes: &[u8]) -> Vec<u8> {
        let mut read = bytes.to_vec();
        for at in 0..bytes.len().saturating_sub(self.this.len() - 1) {
            if bytes[at..].starts_with(self.this) {
                read[at..at + self.as_that.len()].copy_from_slice(self.as_that);
            }
        }
        read
    }
}

impl Wrap for Misreads {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        match event {
            Event::Bytes(conn, bytes) => inner.handle(now, Event::Bytes(conn, &self.read(bytes)), out),
            Event::Datagram { from, to, bytes } => {
                inner.handle(now, Event::Datagram { from, to, bytes: &self.read(bytes) }, out);
            }
            event => inner.handle(now, event, out),
        }
    }
}

/// Takes every answer about MX for "there are none", and says nothing of it.
pub(crate) struct NoMx;

impl Wrap for NoMx {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        match event {
            Event::Datagram { from, to, bytes } => {
                inner.handle(now, Event::Datagram { from, to, bytes: &without_mx(bytes) }, out);
            }
            event => inner.handle(now, event, out),
        }
        filtered(out, |command| match command {
            Command::Record(Fact::Dns(mxdrill_dns::Fact::Answered { kind, .. })) => {
                *kind != mxdrill_dns::RecordType::Mx
            }
            _ => true,
        });
    }
}

/// An answer to a question for MX (RFC 1035 3.2.2: 15), emptied: no error, and no records.
fn without_mx(answer: &[u8]) -> Vec<u8> {
    const HEADER: usize = 12;
    let name_end = answer.get(HEADER..).and_then(|rest| rest.iter().position(|octet| *octet == 0));
    let Some(question) = name_end.map(|at| HEADER + at + 1) else { return answer.to_vec() };
    if answer.get(question..question + 2) != Some(&[0, 15]) {
        return answer.to_vec();
    }
    let mut empty = answer[..question + 4].to_vec();
    empty[3] &= 0xf0;
    empty[6..HEADER].fill(0);
    empty
}

/// Takes a connection that ends in the middle of the content for one that said so.
pub(crate) struct EndsWithTheLink;

impl Wrap for EndsWithTheLink {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        if let Event::Closed(conn, _) = event {
            inner.handle(now, Event::Bytes(conn, b"\r\n.\r\n"), out);
        }
        inner.handle(now, event, out);
    }
}

/// A node whose clock goes `fast` times as fast as the world's, over `slow`.
pub(crate) struct Clock {
    pub(crate) fast: u32,
    pub(crate) slow: u32,
}

impl Wrap for Clock {
    fn handle(
        &mut self,
        inner: &mut dyn Process<Fact>,
        now: Time,
        event: Event<'_>,
        out: &mut Commands<Fact>,
    ) {
        let scaled = |at: Time, by: u32, over: u32| {
            let nanos = u128::from(at.as_nanos()) * u128::from(by) / u128::from(over);
            Time::ZERO + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
        };
        inner.handle(scaled(now, self.fast, self.slow), event, out);
        match out.take_wake() {
            None => {}
            Some(None) => out.wake_never(),
            // rounded up: a wake that comes too early would come again and again
            Some(Some(at)) => {
                out.wake_at(scaled(at, self.slow, self.fast) + Duration::from_micros(1));
            }
        }
    }
}
