//! The server's own words. Static, so that a reply costs no allocation.

use std::ops::Deref;

use super::{Code, Enhanced, Reply};

/// Something that can be said: it has a code, and it can be written.
pub(crate) trait Words {
    /// The code.
    fn code(&self) -> Code;

    /// Appends the lines, with the enhanced status code if that is offered.
    fn write(&self, enhanced: bool, to: &mut Vec<u8>);
}

impl Words for Reply {
    fn code(&self) -> Code {
        self.code
    }

    fn write(&self, enhanced: bool, to: &mut Vec<u8>) {
        Reply::write(self, enhanced, to);
    }
}

/// A reply that is written already.
#[derive(Debug)]
pub(crate) struct Fixed {
    reply: Reply,
    with_enhanced: &'static str,
    without: &'static str,
}

impl Words for Fixed {
    fn code(&self) -> Code {
        self.reply.code
    }

    fn write(&self, enhanced: bool, to: &mut Vec<u8>) {
        to.extend_from_slice(if enhanced { self.with_enhanced } else { self.without }.as_bytes());
    }
}

impl Deref for Fixed {
    type Target = Reply;

    fn deref(&self) -> &Reply {
        &self.reply
    }
}

macro_rules! replies {
    ($($name:ident = $code:literal $class:literal . $subject:literal . $detail:literal $text:literal;)*) => {
        $(pub(crate) static $name: Fixed = Fixed {
            reply: Reply::new($code, Enhanced($class, $subject, $detail), $text),
            with_enhanced: concat!($code, " ", $class, ".", $subject, ".", $detail, " ", $text, "\r\n"),
            without: concat!($code, " ", $text, "\r\n"),
        };)*
    };
}

// The spaces around the dots of `2 . 1 . 0` keep the lexer from reading a float.
replies! {
    SENDER_OK = 250 2 . 1 . 0 "Ok";
    RECIPIENT_OK = 250 2 . 1 . 5 "Ok";
    DOT_OK = 250 2 . 0 . 0 "Ok";
    CHUNK_OK = 250 2 . 0 . 0 "Ok, chunk taken";
    OK = 250 2 . 0 . 0 "Ok";
    CANNOT_VERIFY = 252 2 . 0 . 0 "Cannot verify, but will take mail for it if it is ours";
    HELP = 214 2 . 0 . 0 "See RFC 5321";
    TLS_READY = 220 2 . 0 . 0 "Ready to start TLS";
    BYE = 221 2 . 0 . 0 "Bye";
    IDLE = 421 4 . 4 . 2 "Idle too long, closing";
    TOO_MANY_ERRORS = 421 4 . 7 . 0 "Too many errors, closing";
    TOO_MUCH_HELD = 421 4 . 3 . 2 "Too much input ahead of a reply, closing";
    TLS_UNAVAILABLE = 454 4 . 7 . 0 "TLS not available";
    TOO_MANY_RECIPIENTS = 452 4 . 5 . 3 "Too many recipients";
    LINE_TOO_LONG = 500 5 . 5 . 2 "Line too long";
    LINE_BARE = 500 5 . 5 . 2 "Bare CR or LF in a command line";
    UNKNOWN = 500 5 . 5 . 1 "Unknown command";
    NOT_IMPLEMENTED = 502 5 . 5 . 1 "Command not implemented";
    ARGUMENT = 501 5 . 5 . 4 "Syntax error in the argument";
    VALUE = 501 5 . 5 . 4 "Bad value of a parameter";
    SENDER_SYNTAX = 501 5 . 1 . 7 "Syntax error in the sender's address";
    RECIPIENT_SYNTAX = 501 5 . 1 . 3 "Syntax error in the recipient's address";
    PARAMETER = 555 5 . 5 . 4 "Parameter not known or not offered";
    ORDER = 503 5 . 5 . 1 "Bad sequence of commands";
    HELLO_FIRST = 503 5 . 5 . 1 "EHLO or HELO first";
    NESTED_MAIL = 503 5 . 5 . 1 "A transaction is open";
    MAIL_FIRST = 503 5 . 5 . 1 "MAIL first";
    NO_RECIPIENTS = 554 5 . 5 . 1 "No valid recipients";
    LITERAL_SENDER = 553 5 . 1 . 8 "Address literals are not served";
    LITERAL_RECIPIENT = 553 5 . 1 . 2 "Address literals are not served";
    UTF8_NEEDED = 553 5 . 6 . 7 "Address needs SMTPUTF8";
    TOO_LARGE = 552 5 . 3 . 4 "Message too large";
    BARE_IN_CONTENT = 550 5 . 5 . 2 "Bare CR or LF in the message";
    NOT_SERVING = 503 5 . 5 . 1 "Not serving";
}

/// 354 has no enhanced code (RFC 2034 4: classes 2, 4 and 5 only).
pub(crate) static GO_ON: Fixed = Fixed {
    reply: Reply::plain(354, "End data with <CR><LF>.<CR><LF>"),
    with_enhanced: "354 End data with <CR><LF>.<CR><LF>\r\n",
    without: "354 End data with <CR><LF>.<CR><LF>\r\n",
};
