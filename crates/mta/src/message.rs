//! A message as a node holds it: envelope, own header bytes, shared body.

use bytes::Bytes;
use mxdrill_smtp::{Recipient, ReversePath};

/// Names a message across hosts: drawn from its Message-ID field, which no relay changes (RFC 5321 6.4), or
/// from its whole content where it has none. Stable across runs and computers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageKey(pub u64);

/// A message that a node took responsibility for. Shared, never changed: who of the recipients is still to be
/// served is the queue's affair.
#[derive(Debug)]
pub struct Message {
    /// Its name across hosts.
    pub key: MessageKey,
    /// Where bounces go.
    pub reverse_path: ReversePath,
    /// The recipients that were accepted, in the order of their RCPT commands.
    pub recipients: Box<[Recipient]>,
    /// The header section with this node's own trace fields on top, through the empty line after it.
    pub header: Bytes,
    /// The body, equal bodies of one node shared.
    pub body: Bytes,
    /// BODY=8BITMIME was declared (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 was declared (RFC 6531).
    pub utf8: bool,
}

impl Message {
    /// Octets of header and body.
    pub fn size(&self) -> u64 {
        (self.header.len() + self.body.len()) as u64
    }
}
