//! Reading replies as they arrive, cut anywhere. Bounded, and strict about what a reply is.

use std::borrow::Cow;

use super::{Code, Enhanced, Reply};

/// Octets of one whole reply. RFC 5321 4.5.3.1.5 allows 512 a line; no reply of life comes near this.
const REPLY_MAX: usize = 16 * 1024;

/// Octets set aside when a reply comes in pieces: those to EHLO are longest.
const PARTIAL: usize = 256;

/// Why something is no reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A line is not `code [(SP | -) text] CRLF` (RFC 5321 4.2).
    #[error("a line of the reply is not a code, a space or hyphen, text and CRLF")]
    Line,
    /// The lines of a multi-line reply have different codes (RFC 5321 4.2.1).
    #[error("the lines of the reply have different codes")]
    Codes,
    /// Longer than any reply should be.
    #[error("the reply is longer than {REPLY_MAX} octets")]
    TooLong,
}

/// Reads replies one by one. Whole replies are read where they lie, without a copy.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// The beginning of a reply whose end has not come yet.
    partial: Vec<u8>,
    /// `partial` was handed out whole and is to be emptied.
    spent: bool,
}

/// A whole reply in a buffer: lines of one code.
#[derive(Clone, Copy, Debug)]
pub struct ReplyView<'a> {
    code: Code,
    wire: &'a [u8],
}

impl ReplyReader {
    /// Takes the next reply off the front of `input`. `None`: all of `input` was taken, and more is needed.
    pub fn next<'a, 'b: 'a>(&'a mut self, input: &mut &'b [u8]) -> Result<Option<ReplyView<'a>>, ReplyError> {
        if self.spent {
            self.partial.clear();
            self.spent = false;
        }
        if self.partial.is_empty() {
            if let Some((code, end)) = find(input)? {
                let (wire, rest) = input.split_at(end);
                *input = rest;
                return Ok(Some(ReplyView { code, wire }));
            }
            self.keep(input)?;
            return Ok(None);
        }
        while let Some(at) = input.iter().position(|&b| b == b'\n') {
            let (line, rest) = input.split_at(at + 1);
            *input = rest;
            self.partial.extend_from_slice(line);
            if let Some((code, _)) = find(&self.partial)? {
                self.spent = true;
                return Ok(Some(ReplyView { code, wire: &self.partial }));
            }
        }
        self.keep(input)?;
        Ok(None)
    }

    fn keep(&mut self, input: &mut &[u8]) -> Result<(), ReplyError> {
        if self.partial.len() + input.len() > REPLY_MAX {
            return Err(ReplyError::TooLong);
        }
        self.partial.reserve(input.len().max(PARTIAL));
        self.partial.extend_from_slice(input);
        *input = &[];
        Ok(())
    }
}

/// The code of the first reply in `input` and where that ends, if its end is there.
fn find(input: &[u8]) -> Result<Option<(Code, usize)>, ReplyError> {
    let mut start = 0;
    while let Some(length) = memchr::memchr(b'\n', &input[start..]) {
        let end = start + length + 1;
        if end > REPLY_MAX {
            return Err(ReplyError::TooLong);
        }
        let goes_on = match &input[start..end] {
            [_, _, _, b'-', .., b'\r', b'\n'] => true,
            [_, _, _, b' ', .., b'\r', b'\n'] | [_, _, _, b'\r', b'\n'] => false,
            _ => return Err(ReplyError::Line),
        };
        let code = parse_code(&input[start..start + 3]).ok_or(ReplyError::Line)?;
        if start > 0 && input[start..start + 3] != input[..3] {
            return Err(ReplyError::Codes);
        }
        if !goes_on {
            return Ok(Some((code, end)));
        }
        start = end;
    }
    Ok(None)
}

fn parse_code(digits: &[u8]) -> Option<Code> {
    let mut number = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u16::from(digit - b'0');
    }
    Code::new(number)
}

impl<'a> ReplyView<'a> {
    /// The code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The reply as it came.
    pub const fn wire(&self) -> &'a [u8] {
        self.wire
    }

    /// The text of each line, behind code and separator.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.wire_lines().map(|line| line.get(4..).unwrap_or_default())
    }

    fn wire_lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let body = self.wire.strip_suffix(b"\r\n").unwrap_or(self.wire);
        body.split(|&b| b == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The reply as a value. An enhanced status code counts only if its class is the first digit of the code
    /// (RFC 2034 4); it is taken off each line that repeats it. Bytes that are no UTF-8 are replaced, and control characters,
    /// which have no place in a reply (RFC 5321 4.2), become spaces.
    pub fn to_reply(&self) -> Reply {
        let first = self.lines().next().unwrap_or_default();
        let enhanced = split_enhanced(first).map(|(code, _)| code).filter(|code| code.fits(self.code));
        let mut text = String::with_capacity(self.wire.len());
        for (index, line) in self.lines().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            let line = match split_enhanced(line) {
                Some((code, rest)) if Some(code) == enhanced => rest,
                _ => line,
            };
            text.push_str(&String::from_utf8_lossy(line));
        }
        if text.bytes().any(|b| b.is_ascii_control() && b != b'\n' && b != b'\t') {
            text = text.replace(|c: char| c.is_ascii_control() && c != '\n' && c != '\t', " ");
        }
        Reply { code: self.code, enhanced, text: Cow::Owned(text) }
    }
}

impl Enhanced {
    /// Whether its class is that of the reply code (RFC 2034 4).
    pub const fn fits(self, code: Code) -> bool {
        self.0 as u16 == code.number() / 100
    }
}

/// `class.subject.detail`, a space or the end, and the rest (RFC 3463 2: classes 2, 4, 5; up to 3 digits).
fn split_enhanced(line: &[u8]) -> Option<(Enhanced, &[u8])> {
    let end = line.iter().position(|&b| b == b' ').unwrap_or(line.len());
    let mut parts = line[..end].split(|&b| b == b'.');
    let class = parse_part(parts.next()?).filter(|class| matches!(class, 2 | 4 | 5))?;
    let (subject, detail) = (parse_part(parts.next()?)?, parse_part(parts.next()?)?);
    if parts.next().is_some() {
        return None;
    }
    Some((Enhanced(class as u8, subject, detail), line.get(end + 1..).unwrap_or_default()))
}

/// One to three digits without leading zeros.
fn parse_part(digits: &[u8]) -> Option<u16> {
    let sound = match digits {
        [b'0'] => true,
        [b'1'..=b'9', rest @ ..] => rest.len() < 3 && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    sound.then(|| digits.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}
