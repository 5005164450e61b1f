//! Replies (RFC 5321 4.2): code, enhanced status code (RFC 3463), text. Temporary and permanent are types.

use std::{borrow::Cow, fmt};

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
