//! Replies (RFC 5321 4.2): code, enhanced status code (RFC 3463), text. Temporary and permanent are types.

pub(crate) mod fixed;
mod read;
#[cfg(test)]
mod tests;

pub use read::{ReplyError, ReplyReader, ReplyView};

use std::{borrow::Cow, fmt};

use crate::command::number;

/// A three-digit reply code, 200 to 599, each digit as RFC 5321 4.2 allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// What a reply means for what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// 2yz: done.
    Done,
    /// 3yz: go on (354).
    GoOn,
    /// 4yz: not now; the client should try again (4.2.1).
    Temporary,
    /// 5yz: not at all; the client should not repeat it (4.2.1).
    Permanent,
}

impl Code {
    /// The code, if its digits are those of RFC 5321 4.2: first 2 to 5, second 0 to 5, third 0 to 9.
    pub const fn new(code: u16) -> Option<Code> {
        let (first, second) = (code / 100, code / 10 % 10);
        if first >= 2 && first <= 5 && second <= 5 { Some(Code(code)) } else { None }
    }

    /// The number.
    pub const fn number(self) -> u16 {
        self.0
    }

    fn write(self, to: &mut Vec<u8>) {
        let digit = |n: u16| b'0' + (n % 10) as u8;
        to.extend_from_slice(&[digit(self.0 / 100), digit(self.0 / 10), digit(self.0)]);
    }

    /// What its first digit says.
    pub const fn severity(self) -> Severity {
        match self.0 / 100 {
            2 => Severity::Done,
            3 => Severity::GoOn,
            4 => Severity::Temporary,
            _ => Severity::Permanent,
        }
    }
}

/// An enhanced status code, class.subject.detail (RFC 3463).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl Enhanced {
    /// With a space behind it.
    fn write(self, to: &mut Vec<u8>) {
        let Enhanced(class, subject, detail) = self;
        if class < 10 && subject < 10 && detail < 10 {
            let digit = |n: u16| b'0' + n as u8;
            to.extend_from_slice(&[digit(class.into()), b'.', digit(subject), b'.', digit(detail), b' ']);
            return;
        }
        for (part, after) in [(u16::from(class), b'.'), (subject, b'.'), (detail, b' ')] {
            number(to, u64::from(part));
            to.push(after);
        }
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// A whole reply. Lines of a multi-line text are separated by `\n`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The code.
    pub code: Code,
    /// The enhanced status code, if there was one.
    pub enhanced: Option<Enhanced>,
    /// The text without code and enhanced code.
    pub text: Cow<'static, str>,
}

impl Reply {
    /// A reply with an enhanced status code.
    ///
    /// # Panics
    /// When `code` is no reply code: for literals only.
    pub const fn new(code: u16, enhanced: Enhanced, text: &'static str) -> Reply {
        match Code::new(code) {
            Some(code) => Reply { code, enhanced: Some(enhanced), text: Cow::Borrowed(text) },
            None => panic!("not a reply code"),
        }
    }

    /// A reply without an enhanced status code, as greeting and EHLO have it (RFC 2034 4).
    ///
    /// # Panics
    /// When `code` is no reply code: for literals only.
    pub const fn plain(code: u16, text: &'static str) -> Reply {
        match Code::new(code) {
            Some(code) => Reply { code, enhanced: None, text: Cow::Borrowed(text) },
            None => panic!("not a reply code"),
        }
    }

    /// Parses one whole reply as it is on the wire, lines and all.
    pub fn parse(wire: &[u8]) -> Result<Reply, ReplyError> {
        let mut reader = ReplyReader::default();
        let mut rest = wire;
        match reader.next(&mut rest)? {
            Some(view) if rest.is_empty() => Ok(view.to_reply()),
            _ => Err(ReplyError::Line),
        }
    }

    /// Appends the lines of the reply, with the enhanced status code on each if `enhanced` says that it is
    /// offered (RFC 2034 4). CR and other control characters of the text become spaces.
    pub fn write(&self, enhanced: bool, to: &mut Vec<u8>) {
        let mut rest: &str = &self.text;
        while let Some((line, more)) = rest.split_once('\n') {
            self.write_line(line, b'-', enhanced, to);
            rest = more;
        }
        self.write_line(rest, b' ', enhanced, to);
    }

    fn write_line(&self, line: &str, separator: u8, enhanced: bool, to: &mut Vec<u8>) {
        self.code.write(to);
        to.push(separator);
        if let Some(code) = self.enhanced.filter(|_| enhanced) {
            code.write(to);
        }
        let start = to.len();
        to.extend_from_slice(line.as_bytes());
        if line.bytes().fold(false, |any, octet| any | octet.is_ascii_control()) {
            for octet in to[start..].iter_mut().filter(|octet| octet.is_ascii_control() && **octet != b'\t') {
                *octet = b' ';
            }
        }
        to.extend_from_slice(b"\r\n");
    }

    /// What the reply means.
    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }
}

impl fmt::Display for Reply {
    /// On one line, as a log shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code.0)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        write!(f, " {}", self.text.replace('\n', " / "))
    }
}
