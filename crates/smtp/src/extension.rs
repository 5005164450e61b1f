//! Service extensions (RFC 5321 2.2), as a server offers them and a client finds them.

use std::fmt;

/// What a server offers in its reply to EHLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extensions {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// SIZE (RFC 1870): the largest message in octets; 0 is without a fixed limit, `None` is not offered.
    pub size: Option<u64>,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// SMTPUTF8 (RFC 6531).
    pub utf8: bool,
    /// CHUNKING (RFC 3030), without BINARYMIME.
    pub chunking: bool,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    pub enhanced: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// ETRN (RFC 1985).
    pub etrn: bool,
}

impl Extensions {
    /// Nothing: a server that knows only HELO.
    pub const NONE: Extensions = Extensions {
        pipelining: false,
        size: None,
        eight_bit: false,
        utf8: false,
        chunking: false,
        enhanced: false,
        dsn: false,
        starttls: false,
        etrn: false,
    };

    /// What MTAs of today offer: all but STARTTLS; SIZE 10240000, Postfix's message_size_limit.
    pub const USUAL: Extensions = Extensions {
        pipelining: true,
        size: Some(10_240_000),
        eight_bit: true,
        utf8: true,
        chunking: true,
        enhanced: true,
        dsn: true,
        starttls: false,
        etrn: true,
    };
}

/// An extension that a letter may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extension {
    /// The letter is larger than the server's SIZE (RFC 1870 6.1).
    Size,
    /// The letter needs 8BITMIME (RFC 6152).
    EightBitMime,
    /// The letter needs SMTPUTF8 (RFC 6531).
    SmtpUtf8,
}

impl Extension {
    /// The keyword of the reply to EHLO.
    pub const fn word(self) -> &'static str {
        match self {
            Extension::Size => "SIZE",
            Extension::EightBitMime => "8BITMIME",
            Extension::SmtpUtf8 => "SMTPUTF8",
        }
    }
}

impl fmt::Display for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
