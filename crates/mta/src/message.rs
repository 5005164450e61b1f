//! A message as a node holds it: envelope, own header bytes, shared body.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use bytes::Bytes;
use mxdrill_net::Time;
use mxdrill_smtp::{Recipient, ReversePath};

use crate::{hash::hash, header::Scan};

/// Names a message across hosts: drawn from its Message-ID field, which no relay changes (RFC 5321 6.4), or,
/// where it has none, from its body and its header without the trace fields that each hop adds. Stable across
/// runs and computers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey(pub u64);

impl MessageKey {
    /// The key of a whole message with CRLF line ends, whichever hop it was seen at.
    pub fn of(content: &[u8]) -> MessageKey {
        Scan::of(content).key(content)
    }

    /// The key of a message with this Message-ID, angle brackets included.
    pub fn of_id(id: &[u8]) -> MessageKey {
        MessageKey(hash(0, id))
    }
}

/// Names a message within its node, and in the `id` of the Received field (RFC 5321 4.4). It grows with time,
/// so that none comes twice, even over a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId(pub u64);

impl fmt::Display for QueueId {
    /// Upper-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}", self.0)
    }
}

/// The recipients of a message. One, as most messages have it, lies in the message itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipients(Row);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Row {
    One(Recipient),
    Many(Box<[Recipient]>),
}

impl Deref for Recipients {
    type Target = [Recipient];

    fn deref(&self) -> &[Recipient] {
        match &self.0 {
            Row::One(one) => std::slice::from_ref(one),
            Row::Many(many) => many,
        }
    }
}

impl DerefMut for Recipients {
    fn deref_mut(&mut self) -> &mut [Recipient] {
        match &mut self.0 {
            Row::One(one) => std::slice::from_mut(one),
            Row::Many(many) => many,
        }
    }
}

impl From<Vec<Recipient>> for Recipients {
    fn from(mut list: Vec<Recipient>) -> Recipients {
        match list.pop() {
            Some(one) if list.is_empty() => Recipients(Row::One(one)),
            last => {
                list.extend(last);
                Recipients(Row::Many(list.into()))
            }
        }
    }
}

impl FromIterator<Recipient> for Recipients {
    fn from_iter<I: IntoIterator<Item = Recipient>>(list: I) -> Recipients {
        list.into_iter().collect::<Vec<_>>().into()
    }
}

impl<'a> IntoIterator for &'a Recipients {
    type Item = &'a Recipient;
    type IntoIter = std::slice::Iter<'a, Recipient>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A client sent it.
    #[default]
    Peer,
    /// This node made it: a DSN of failure.
    Bounce,
    /// This node made it: a delay warning.
    Warning,
}

/// A message that a node took responsibility for. Shared, never changed: who of the recipients is still to be
/// served is the queue's affair. [`crate::Intake`] makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its name within this node.
    pub id: QueueId,
    /// Its name across hosts.
    pub key: MessageKey,
    /// Where bounces go.
    pub reverse_path: ReversePath,
    /// The recipients that were accepted, in the order of their RCPT commands.
    pub recipients: Recipients,
    /// The header section with this node's own trace fields on top, through the empty line after it.
    pub header: Bytes,
    /// The body, equal bodies of one node shared.
    pub body: Bytes,
    /// CRC-32 of the body, computed once for all messages that share it.
    pub body_check: u32,
    /// BODY=8BITMIME was declared (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 was declared (RFC 6531).
    pub utf8: bool,
    /// RET=FULL was asked for: a DSN of failure returns the whole message (RFC 3461 4.3). Otherwise only the
    /// header section comes back.
    pub ret_full: bool,
    /// Where it comes from.
    pub origin: Origin,
    /// Received fields, this node's own included (RFC 5321 6.3).
    pub received: u16,
    /// ENVID, in xtext as it came (RFC 3461 4.4).
    pub envid: Option<Box<str>>,
    /// When it was received whole; its queue lifetime counts from here.
    pub arrived: Time,
}

impl Message {
    /// A message from its envelope and its whole content, with no trace field added and time and queue id zero:
    /// for tests, and for those who only want to look at a message.
    pub fn new(reverse_path: ReversePath, recipients: Vec<Recipient>, content: &Bytes) -> Message {
        let scan = Scan::of(content);
        let body = content.slice(scan.body_at..);
        Message {
            id: QueueId(0),
            key: scan.key(content),
            reverse_path,
            recipients: recipients.into(),
            header: content.slice(..scan.body_at),
            body_check: crc32fast::hash(&body),
            body,
            eight_bit: false,
            utf8: false,
            ret_full: false,
            origin: Origin::Peer,
            received: scan.received,
            envid: None,
            arrived: Time::ZERO,
        }
    }

    /// Octets of header and body.
    pub fn size(&self) -> u64 {
        (self.header.len() + self.body.len()) as u64
    }
}
