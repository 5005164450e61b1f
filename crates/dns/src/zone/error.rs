//! Mistakes in a zone text, with the place where they stand.

use std::ops::Range;

use mxdrill_net::{DomainName, NameError};

use crate::{RecordType, record::KINDS};

/// A mistake in a zone text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ZoneError {
    /// The line, from 1.
    pub line: usize,
    /// The bytes of the text that it concerns.
    pub span: Range<usize>,
    /// What is wrong.
    #[source]
    pub problem: ZoneProblem,
}

/// What is wrong in a zone text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ZoneProblem {
    /// Not a name that a host or mail domain can have.
    #[error("`{text}` is no domain name: {why}")]
    Name {
        /// The text.
        text: String,
        /// Why not.
        #[source]
        why: NameError,
    },
    /// A relative name before any `$ORIGIN` (RFC 1035 5.1).
    #[error("`{0}` is relative, and no $ORIGIN says to what")]
    NoOrigin(String),
    /// The first record begins with a blank, so there is no last owner to stand for (RFC 1035 5.1).
    #[error("a line that begins with a blank goes on with the owner of the line before, and there is none")]
    NoOwner,
    /// Another directive than `$ORIGIN` and `$TTL`.
    #[error("the directive `{0}` is not served: only $ORIGIN and $TTL")]
    Directive(String),
    /// Another class than IN.
    #[error("the class `{0}` is not served: only IN")]
    Class(String),
    /// Neither a time to live nor a class nor a type.
    #[error("expected a record type, found `{0}`")]
    Type(String),
    /// A time to live that is none, or beyond 2^31 - 1 seconds (RFC 2181 8).
    #[error("`{0}` is no time to live: seconds, or such as 1h30m, at most 2147483647 s")]
    Ttl(String),
    /// The line ends too early.
    #[error("the line ends where {expected} is expected")]
    Missing {
        /// What is expected.
        expected: &'static str,
    },
    /// A field of a record is not what its type has there.
    #[error("expected {expected}, found `{found}`")]
    Field {
        /// What is expected.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// More fields than the type has.
    #[error("`{found}` is one field too many for {of}")]
    Extra {
        /// What stands there.
        found: String,
        /// The directive or the type.
        of: String,
    },
    /// A quoted string or a parenthesis that is not closed.
    #[error("`{0}` is not closed")]
    Unclosed(char),
    /// A closing parenthesis without an opening one.
    #[error("`)` closes nothing")]
    Unopened,
    /// A backslash that is followed by neither a character nor three digits up to 255 (RFC 1035 5.1).
    #[error("a backslash is followed by a character, or by three digits up to 255")]
    Escape,
    /// An alias beside other records (RFC 1034 3.6.2), or two aliases (RFC 2181 10.1).
    #[error("`{0}` is an alias (CNAME): it can have no other record beside it")]
    BesideCname(DomainName),
    /// Two starts of authority at one name.
    #[error("`{0}` has two different SOA records")]
    TwoSoa(DomainName),
}

impl ZoneProblem {
    /// A hint at the way out, where there is one beyond the message itself.
    pub fn help(&self) -> Option<String> {
        match self {
            ZoneProblem::Type(found) => Some(help_type(found)),
            ZoneProblem::NoOrigin(_) => {
                Some("begin with `$ORIGIN example.test.`, or end the name in a dot".into())
            }
            ZoneProblem::Directive(found) if found.eq_ignore_ascii_case("$include") => {
                Some("name both files in `files` instead".into())
            }
            ZoneProblem::Missing { expected } | ZoneProblem::Field { expected, .. } => example(expected),
            _ => None,
        }
    }
}

/// What the text looks most like: the owner again, after a blank, or a type with a slip.
fn help_type(found: &str) -> String {
    if found == "@" {
        return "a line that begins with a blank has no owner field: remove the blank or the `@`".into();
    }
    let upper = found.to_ascii_uppercase();
    let alike = |name: &&str| {
        name.len() > 1
            && name.as_bytes().first() == upper.as_bytes().first()
            && name.len().abs_diff(upper.len()) <= 1
            && overlap(name, &upper) + 1 >= name.len()
    };
    match KINDS.iter().map(|(_, name)| *name).find(alike) {
        Some(name) => format!("did you mean {name}?"),
        None => "the lab serves MX, A, AAAA, CNAME, TXT, TLSA, PTR, NS and SOA".into(),
    }
}

/// How many letters of a name stand in the text, in order.
fn overlap(name: &str, found: &str) -> usize {
    let mut rest = found;
    let mut count = 0;
    for letter in name.chars() {
        if let Some(at) = rest.find(letter) {
            rest = &rest[at + letter.len_utf8()..];
            count += 1;
        }
    }
    count
}

fn example(expected: &str) -> Option<String> {
    Some(match expected {
        super::parse::PREFERENCE => "such as `@ MX 10 mx1`".into(),
        super::parse::IPV4 => "such as `mx1 A 192.0.2.10`".into(),
        super::parse::IPV6 => "such as `mx1 AAAA 2001:db8::10`".into(),
        _ => return None,
    })
}

impl ZoneError {
    pub(super) fn new(line: usize, span: Range<usize>, problem: ZoneProblem) -> ZoneError {
        ZoneError { line, span, problem }
    }
}

/// A type with its article, for messages.
pub(super) fn of(kind: RecordType) -> String {
    // by how the letters are said: an em-ex
    let article = if "AMNS".contains(|c| kind.to_string().starts_with(c)) { "an" } else { "a" };
    format!("{article} {kind} record")
}
