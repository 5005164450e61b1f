//! Printing commands, by pushing bytes: a client does this several times for each message.

use std::fmt;

use super::{Body, Command, Mail, Path, Rcpt};
use crate::{Notify, Ret};

impl Command<'_> {
    /// Appends the line, with its CRLF.
    pub fn write(&self, to: &mut Vec<u8>) {
        self.write_bare(to);
        to.extend_from_slice(b"\r\n");
    }

    fn write_bare(&self, to: &mut Vec<u8>) {
        match self {
            Command::Ehlo(domain) => pair(to, "EHLO ", domain.text()),
            Command::Helo(domain) => pair(to, "HELO ", domain.text()),
            Command::Mail(mail) => mail.write(to),
            Command::Rcpt(rcpt) => rcpt.write(to),
            Command::Data => text(to, "DATA"),
            Command::Bdat { size, last } => {
                text(to, "BDAT ");
                number(to, *size);
                text(to, if *last { " LAST" } else { "" });
            }
            Command::Rset => text(to, "RSET"),
            Command::Vrfy(argument) => pair(to, "VRFY ", argument),
            Command::Help => text(to, "HELP"),
            Command::Noop => text(to, "NOOP"),
            Command::Quit => text(to, "QUIT"),
            Command::Etrn(argument) => pair(to, "ETRN ", argument),
            Command::StartTls => text(to, "STARTTLS"),
        }
    }
}

impl Mail<'_> {
    fn write(&self, to: &mut Vec<u8>) {
        text(to, "MAIL FROM:<");
        if let Some(path) = &self.from {
            path.write(to);
        }
        text(to, ">");
        if let Some(size) = self.size {
            text(to, " SIZE=");
            number(to, size);
        }
        match self.body {
            None => {}
            Some(Body::SevenBit) => text(to, " BODY=7BIT"),
            Some(Body::EightBitMime) => text(to, " BODY=8BITMIME"),
            Some(Body::BinaryMime) => text(to, " BODY=BINARYMIME"),
        }
        if self.utf8 {
            text(to, " SMTPUTF8");
        }
        match self.ret {
            None => {}
            Some(Ret::Full) => text(to, " RET=FULL"),
            Some(Ret::Headers) => text(to, " RET=HDRS"),
        }
        if let Some(envid) = self.envid {
            pair(to, " ENVID=", envid);
        }
    }
}

impl Rcpt<'_> {
    fn write(&self, to: &mut Vec<u8>) {
        text(to, "RCPT TO:<");
        self.to.write(to);
        text(to, ">");
        if let Some(notify) = self.notify {
            text(to, " NOTIFY=");
            write_notify(notify, to);
        }
        if let Some(orcpt) = self.orcpt {
            pair(to, " ORCPT=", orcpt);
        }
    }
}

impl Path<'_> {
    fn write(&self, to: &mut Vec<u8>) {
        text(to, self.local);
        if let Some(domain) = &self.domain {
            pair(to, "@", domain.text());
        }
    }
}

/// NEVER stands alone (RFC 3461 4.1).
fn write_notify(notify: Notify, to: &mut Vec<u8>) {
    let words = [(notify.success, "SUCCESS"), (notify.failure, "FAILURE"), (notify.delay, "DELAY")];
    let mut separator = "";
    for (_, word) in words.iter().filter(|(asked, _)| *asked && !notify.never) {
        pair(to, separator, word);
        separator = ",";
    }
    if separator.is_empty() {
        text(to, "NEVER");
    }
}

fn text(to: &mut Vec<u8>, text: &str) {
    to.extend_from_slice(text.as_bytes());
}

fn pair(to: &mut Vec<u8>, first: &str, second: &str) {
    text(to, first);
    text(to, second);
}

/// Decimal digits without the machinery of `fmt`.
pub(crate) fn number(to: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    to.extend_from_slice(&digits[start..]);
}

impl fmt::Display for Command<'_> {
    /// The line without its CRLF.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Vec::new();
        self.write_bare(&mut line);
        f.write_str(&String::from_utf8_lossy(&line))
    }
}
