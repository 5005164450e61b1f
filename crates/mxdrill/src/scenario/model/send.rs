//! Mail that a scenario sends.

use std::{fmt, time::Duration};

use bytes::Bytes;
use mxdrill_smtp::{Address, Notify, ReversePath};

use super::Place;

/// Mail sent by a step. What the file omitted is already filled in from the send before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Send {
    /// The host that originates it.
    pub by: Place,
    /// The envelope sender.
    pub from: ReversePath,
    /// The recipients.
    pub to: To,
    /// How many messages, and when each of them starts.
    pub spacing: Spacing,
    /// What is in them.
    pub content: Content,
    /// The envelope sender is forged: it never sent this, and a bounce to it is backscatter.
    pub forged: bool,
    /// What the sender wants to hear (RFC 3461), for every recipient.
    pub notify: Notify,
}

/// Who gets the messages of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// Every message goes to this one address.
    One(Address),
    /// Every message goes to all of these at once: one message, several recipients.
    Several(Vec<Address>),
    /// `"u{1..500}@example.test"`: message number i of the send goes to the address with the i-th number,
    /// and after the last number to the first again.
    Numbered {
        /// What stands before the number.
        before: String,
        /// The first number.
        first: u32,
        /// The last number, not below the first.
        last: u32,
        /// What stands after it, from there on with `@` and the domain.
        after: String,
    },
}

/// How many messages a send has, and when each of them starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spacing {
    /// `count` messages, spread evenly over a time: message i of n (from 0) starts at `over` * i / n. All at
    /// once where `over` is zero.
    Over {
        /// How many.
        count: u32,
        /// Over which time.
        over: Duration,
    },
    /// So many messages a time, for so long: message i (from 0) starts at i / rate, while that is before the end.
    Rate {
        /// The rate.
        rate: Rate,
        /// For how long.
        lasting: Duration,
    },
}

/// So many in a time: `3000/h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many, at least one.
    pub count: u32,
    /// In which time, above zero.
    pub per: Duration,
}

/// What is in the messages of a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Made up by the drill.
    Made {
        /// Which kind.
        body: Body,
        /// Octets of the body.
        size: u64,
    },
    /// Taken from a file as it is, but for the line ends, which become CRLF, and the drill's id field on top.
    File {
        /// The path as the scenario gives it.
        path: String,
        /// What was in it.
        bytes: Bytes,
    },
}

/// Kinds of body that the drill can make up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Body {
    /// ASCII.
    SevenBit,
    /// Octets above 127, declared BODY=8BITMIME (RFC 6152).
    EightBit,
    /// UTF-8 in header fields and body, declared SMTPUTF8 (RFC 6531).
    Utf8,
    /// Carries the GTUBE string, which content filters reject on purpose.
    Spam,
}

impl Body {
    /// All kinds.
    pub const ALL: &[Body] = &[Body::SevenBit, Body::EightBit, Body::Utf8, Body::Spam];

    /// The word of scenario files.
    pub fn word(self) -> &'static str {
        match self {
            Body::SevenBit => "7bit",
            Body::EightBit => "8bit",
            Body::Utf8 => "utf8",
            Body::Spam => "spam",
        }
    }
}

impl Spacing {
    /// The time that the step says it takes, which is longer than until its last message starts.
    pub fn lasting(&self) -> Duration {
        match *self {
            Spacing::Over { over, .. } => over,
            Spacing::Rate { lasting, .. } => lasting,
        }
    }

    /// How many messages there are.
    pub fn count(&self) -> u32 {
        match *self {
            Spacing::Over { count, .. } => count,
            Spacing::Rate { rate, lasting } => rate.within(lasting),
        }
    }

    /// When message `index` (from 0) starts, counted from the step.
    pub fn start(&self, index: u32) -> Duration {
        match *self {
            Spacing::Over { count, over } => share(over, index, count),
            Spacing::Rate { rate, .. } => share(rate.per, index, rate.count),
        }
    }
}

impl Rate {
    /// How many start before `lasting` is over. Saturates.
    pub fn within(&self, lasting: Duration) -> u32 {
        let count = (lasting.as_nanos() * u128::from(self.count)).div_ceil(self.per.as_nanos().max(1));
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

/// `whole` * `part` / `of`.
fn share(whole: Duration, part: u32, of: u32) -> Duration {
    let nanos = whole.as_nanos() * u128::from(part) / u128::from(of.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

impl To {
    /// The recipients of message `index` (from 0) of a send.
    pub fn of(&self, index: u32) -> Vec<Address> {
        match self {
            To::One(address) => vec![address.clone()],
            To::Several(addresses) => addresses.clone(),
            To::Numbered { before, first, last, after } => {
                let number = u64::from(*first) + u64::from(index) % (u64::from(last - first) + 1);
                format!("{before}{number}{after}").parse().ok().into_iter().collect()
            }
        }
    }
}

impl fmt::Display for To {
    /// As a scenario writes it; several addresses with a comma between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            To::One(address) => address.fmt(f),
            To::Several(addresses) => {
                let texts: Vec<String> = addresses.iter().map(Address::to_string).collect();
                f.write_str(&texts.join(", "))
            }
            To::Numbered { before, first, last, after } => write!(f, "{before}{{{first}..{last}}}{after}"),
        }
    }
}
