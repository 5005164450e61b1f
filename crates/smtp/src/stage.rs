//! The stages of a session, as faults and reports name them.

use std::fmt;

/// Where in the dialogue something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The TCP connection itself.
    Connect,
    /// The server's first reply (RFC 5321 3.1).
    Greeting,
    /// EHLO or HELO (4.1.1.1).
    Ehlo,
    /// STARTTLS and the handshake (RFC 3207).
    StartTls,
    /// MAIL FROM (4.1.1.2).
    Mail,
    /// RCPT TO (4.1.1.3).
    Rcpt,
    /// DATA, or the first BDAT (4.1.1.4, RFC 3030).
    Data,
    /// The end of the message: CRLF.CRLF, or BDAT LAST, and the reply to it.
    Dot,
    /// QUIT (4.1.1.10).
    Quit,
}

impl Stage {
    /// All stages in the order of a dialogue.
    pub const ALL: [Stage; 9] = [
        Stage::Connect,
        Stage::Greeting,
        Stage::Ehlo,
        Stage::StartTls,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Dot,
        Stage::Quit,
    ];

    /// The word of scenario files and reports.
    pub fn word(self) -> &'static str {
        match self {
            Stage::Connect => "connect",
            Stage::Greeting => "greeting",
            Stage::Ehlo => "ehlo",
            Stage::StartTls => "starttls",
            Stage::Mail => "mail",
            Stage::Rcpt => "rcpt",
            Stage::Data => "data",
            Stage::Dot => "dot",
            Stage::Quit => "quit",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
