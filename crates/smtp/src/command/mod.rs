//! Commands (RFC 5321 4.1.1): the strict grammar, borrowed from the line, and its printing.

mod parse;
mod print;
#[cfg(test)]
mod tests;
mod usual;
pub mod xtext;

pub(crate) use parse::parse_number;
pub(crate) use print::number;

use crate::{Notify, Reply, Ret, reply::fixed};

/// A command line, borrowed from the input. `Command::parse(x.to_string()) == Ok(x)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// EHLO and who speaks (4.1.1.1).
    Ehlo(Domain<'a>),
    /// HELO and who speaks (4.1.1.1).
    Helo(Domain<'a>),
    /// MAIL (4.1.1.2).
    Mail(Mail<'a>),
    /// RCPT (4.1.1.3).
    Rcpt(Rcpt<'a>),
    /// DATA (4.1.1.4).
    Data,
    /// BDAT (RFC 3030 2): so many octets follow, perhaps the last ones.
    Bdat {
        /// Octets of this chunk.
        size: u64,
        /// Whether the message ends with it.
        last: bool,
    },
    /// RSET (4.1.1.5).
    Rset,
    /// VRFY and its argument (4.1.1.6).
    Vrfy(&'a str),
    /// HELP (4.1.1.8).
    Help,
    /// NOOP (4.1.1.9).
    Noop,
    /// QUIT (4.1.1.10).
    Quit,
    /// ETRN and its argument, without the option character (RFC 1985 5.1).
    Etrn(&'a str),
    /// STARTTLS (RFC 3207 4).
    StartTls,
}

/// A domain or an address literal as it is written (4.1.2, 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain<'a> {
    /// A domain name.
    Name(&'a str),
    /// An address literal, with its brackets.
    Literal(&'a str),
}

impl<'a> Domain<'a> {
    /// The text as written.
    pub const fn text(self) -> &'a str {
        match self {
            Domain::Name(text) | Domain::Literal(text) => text,
        }
    }
}

/// A path without brackets and source route (4.1.2; routes are accepted and ignored, appendix F.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// The local part as written, with its quotes if it has them.
    pub local: &'a str,
    /// The domain; `None` only for `<Postmaster>` at RCPT (4.1.1.3).
    pub domain: Option<Domain<'a>>,
}

/// The parts of MAIL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mail<'a> {
    /// The reverse-path; `None` is null, `<>`.
    pub from: Option<Path<'a>>,
    /// SIZE (RFC 1870).
    pub size: Option<u64>,
    /// BODY (RFC 6152, RFC 3030).
    pub body: Option<Body>,
    /// SMTPUTF8 (RFC 6531).
    pub utf8: bool,
    /// RET (RFC 3461 4.3).
    pub ret: Option<Ret>,
    /// ENVID in xtext (RFC 3461 4.4).
    pub envid: Option<&'a str>,
}

/// BODY of MAIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// 7BIT.
    SevenBit,
    /// 8BITMIME (RFC 6152).
    EightBitMime,
    /// BINARYMIME (RFC 3030 3).
    BinaryMime,
}

/// The parts of RCPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rcpt<'a> {
    /// The forward-path.
    pub to: Path<'a>,
    /// NOTIFY (RFC 3461 4.1).
    pub notify: Option<Notify>,
    /// ORCPT: `addr-type;xtext` (RFC 3461 4.2).
    pub orcpt: Option<&'a str>,
}

/// Why a line is no command. Each has its reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// Longer than the bound.
    #[error("the command line is too long")]
    TooLong,
    /// It contains, or ends at, a CR or LF that is not part of CRLF (RFC 5321 2.3.8).
    #[error("a command line ends in CRLF and has no other CR or LF in it")]
    Bare,
    /// No verb known to us, or bytes that are no text.
    #[error("unknown command")]
    Unknown,
    /// A verb of the standard that is not served: EXPN, TURN, SEND, SOML, SAML, AUTH.
    #[error("command not implemented")]
    NotImplemented,
    /// Something is wrong with the argument.
    #[error("syntax error in the argument")]
    Argument,
    /// The reverse-path is none.
    #[error("syntax error in the sender's address")]
    Sender,
    /// The forward-path is none.
    #[error("syntax error in the recipient's address")]
    Recipient,
    /// A parameter has a bad value or comes twice.
    #[error("bad value of a parameter")]
    Value,
    /// A parameter that is not known (4.1.1.11).
    #[error("unknown parameter")]
    Parameter,
}

impl CommandError {
    /// What the server says to it (RFC 5321 4.2.2 and 4.2.4, RFC 3463).
    pub fn reply(self) -> &'static Reply {
        match self {
            CommandError::TooLong => &fixed::LINE_TOO_LONG,
            CommandError::Bare => &fixed::LINE_BARE,
            CommandError::Unknown => &fixed::UNKNOWN,
            CommandError::NotImplemented => &fixed::NOT_IMPLEMENTED,
            CommandError::Argument => &fixed::ARGUMENT,
            CommandError::Sender => &fixed::SENDER_SYNTAX,
            CommandError::Recipient => &fixed::RECIPIENT_SYNTAX,
            CommandError::Value => &fixed::VALUE,
            CommandError::Parameter => &fixed::PARAMETER,
        }
    }
}
