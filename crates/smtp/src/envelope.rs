//! The envelope: who sends, who shall receive, and what the sender wants to hear.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;

use crate::{Address, ReversePath};

/// One recipient of the envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The forward-path.
    pub address: Address,
    /// When the sender wants to hear (RFC 3461 4.1).
    pub notify: Notify,
    /// ORCPT as it was given: `addr-type;xtext` (RFC 3461 4.2).
    pub orcpt: Option<Box<str>>,
}

impl Recipient {
    /// A recipient without DSN wishes.
    pub fn new(address: Address) -> Recipient {
        Recipient { address, notify: Notify::default(), orcpt: None }
    }
}

/// NOTIFY of RFC 3461 4.1, as bits; the default is failure and delay at the node's discretion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// NOTIFY=NEVER: no DSN of any kind.
    pub never: bool,
    /// SUCCESS was asked for.
    pub success: bool,
    /// FAILURE was asked for, or nothing was said.
    pub failure: bool,
    /// DELAY was asked for, or nothing was said.
    pub delay: bool,
}

impl Default for Notify {
    fn default() -> Self {
        Notify { never: false, success: false, failure: true, delay: true }
    }
}

/// RET of RFC 3461 4.3: how much of the message a DSN of failure returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ret {
    /// The whole message.
    Full,
    /// Its header section only.
    Headers,
}

/// What MAIL said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailParameters {
    /// The reverse-path.
    pub reverse_path: ReversePath,
    /// SIZE: octets announced (RFC 1870).
    pub size: Option<u64>,
    /// BODY=8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub utf8: bool,
    /// RET (RFC 3461 4.3).
    pub ret: Option<Ret>,
    /// ENVID as it was given, in xtext (RFC 3461 4.4).
    pub envid: Option<Box<str>>,
}

/// A whole envelope: MAIL, and the recipients that were accepted, in the order of their RCPT commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The reverse-path.
    pub reverse_path: ReversePath,
    /// The recipients accepted.
    pub recipients: Vec<Recipient>,
    /// BODY=8BITMIME was declared (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 was declared (RFC 6531).
    pub utf8: bool,
    /// ENVID as it was given, in xtext (RFC 3461 4.4).
    pub envid: Option<Box<str>>,
    /// RET (RFC 3461 4.3).
    pub ret: Option<Ret>,
}

/// A message as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its envelope.
    pub envelope: Envelope,
    /// The argument of EHLO or HELO as it was given, for the trace field (RFC 5321 4.4).
    pub helo: Arc<str>,
    /// The client's address.
    pub peer: IpAddr,
    /// What was spoken, for the trace field.
    pub protocol: Protocol,
    /// The whole message, dots un-stuffed, every line ending in CRLF, no other CR or LF in it.
    pub content: Bytes,
}

/// The protocol of a session, as a trace field names it (RFC 5321 4.4, RFC 3848, RFC 6531 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The client said HELO.
    Smtp,
    /// The client said EHLO.
    Esmtp,
    /// The client said EHLO under TLS.
    Esmtps,
    /// The client said EHLO, and SMTPUTF8 at MAIL.
    Utf8Smtp,
    /// Both.
    Utf8Smtps,
}

impl Protocol {
    /// The word after `with`.
    pub const fn word(self) -> &'static str {
        match self {
            Protocol::Smtp => "SMTP",
            Protocol::Esmtp => "ESMTP",
            Protocol::Esmtps => "ESMTPS",
            Protocol::Utf8Smtp => "UTF8SMTP",
            Protocol::Utf8Smtps => "UTF8SMTPS",
        }
    }
}
