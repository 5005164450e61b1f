//! Master-file text cut into entries (RFC 1035 5.1): quotes, escapes, parentheses and comments.
//!
//! Cut here rather than by hickory-proto, whose lexer tells no positions, takes quotes inside parentheses for
//! characters, and reads `\DDD` in another base; it stands beside this in the tests.

use std::ops::Range;

use super::error::{ZoneError, ZoneProblem};

/// One entry: a line, or several joined by parentheses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The line where it begins, from 1.
    pub(super) line: usize,
    /// Whether it begins with a blank, and so goes on with the last owner.
    pub(super) blank: bool,
    pub(super) words: Vec<Word>,
}

/// One field.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) line: usize,
    pub(super) span: Range<usize>,
    /// What it stands for, escapes resolved.
    pub(super) bytes: Vec<u8>,
    /// The text as written, without quotes.
    pub(super) text: String,
}

/// Cuts a text into entries, one at a time.
pub(super) struct Entries<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    open: Option<(usize, usize)>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a str) -> Entries<'a> {
        Entries { text, at: 0, line: 1, open: None }
    }

    /// The next entry that has a word in it.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, ZoneError> {
        while self.at < self.text.len() {
            let entry = self.entry()?;
            if !entry.words.is_empty() {
                return Ok(Some(entry));
            }
        }
        Ok(None)
    }

    fn entry(&mut self) -> Result<Entry, ZoneError> {
        let blank = matches!(self.peek(), Some(b' ' | b'\t'));
        let mut entry = Entry { line: self.line, blank, words: Vec::new() };
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    self.step();
                    if self.open.is_none() {
                        return Ok(entry);
                    }
                }
                b' ' | b'\t' | b'\r' => self.step(),
                b';' => self.comment(),
                b'(' => self.open()?,
                b')' => self.close()?,
                _ => {
                    if entry.words.is_empty() {
                        entry.line = self.line;
                    }
                    entry.words.push(self.word()?);
                }
            }
        }
        match self.open {
            Some((line, at)) => Err(ZoneError::new(line, at..at + 1, ZoneProblem::Unclosed('('))),
            None => Ok(entry),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.line += usize::from(self.peek() == Some(b'\n'));
        self.at += 1;
    }

    fn comment(&mut self) {
        while self.peek().is_some_and(|byte| byte != b'\n') {
            self.step();
        }
    }

    fn open(&mut self) -> Result<(), ZoneError> {
        // parentheses do not nest (RFC 1035 5.1): the inner one is the one left open
        if self.open.is_some() {
            return Err(self.here(ZoneProblem::Unclosed('(')));
        }
        self.open = Some((self.line, self.at));
        self.step();
        Ok(())
    }

    fn close(&mut self) -> Result<(), ZoneError> {
        if self.open.take().is_none() {
            return Err(self.here(ZoneProblem::Unopened));
        }
        self.step();
        Ok(())
    }

    fn here(&self, problem: ZoneProblem) -> ZoneError {
        ZoneError::new(self.line, self.at..(self.at + 1).min(self.text.len()), problem)
    }

    fn word(&mut self) -> Result<Word, ZoneError> {
        let (line, start) = (self.line, self.at);
        let quoted = self.peek() == Some(b'"');
        if quoted {
            self.step();
        }
        let inside = self.at;
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b'"' if quoted => break,
                b'\\' => bytes.push(self.escape()?),
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'(' | b')' | b'"' if !quoted => break,
                _ => {
                    bytes.push(byte);
                    self.step();
                }
            }
        }
        let text = self.text[inside..self.at].to_owned();
        if quoted {
            if self.peek().is_none() {
                return Err(ZoneError::new(line, start..start + 1, ZoneProblem::Unclosed('"')));
            }
            self.step();
        }
        Ok(Word { line, span: start..self.at, bytes, text })
    }

    /// `\X` or `\DDD`.
    fn escape(&mut self) -> Result<u8, ZoneError> {
        let error = self.here(ZoneProblem::Escape);
        self.step();
        let first = self.peek().ok_or_else(|| error.clone())?;
        if !first.is_ascii_digit() {
            // a character of several bytes needs no escape; taken byte by byte it means the same
            self.step();
            return Ok(first);
        }
        let digits = self.text.get(self.at..self.at + 3).ok_or_else(|| error.clone())?;
        let octet = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u8>().ok()).flatten();
        self.at += 3;
        octet.ok_or(error)
    }
}
