//! Addresses of the envelope: mailbox (RFC 5321 4.1.2) and reverse-path.

use std::{fmt, str::FromStr, sync::Arc};

use mxdrill_net::{DomainName, NameError};

/// A mailbox: local part, kept as it was written (2.4: it belongs to the final host), and domain. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    local: Arc<str>,
    domain: DomainName,
}

/// Why a text is not a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No `@`.
    #[error("an address is `local-part@domain`; this one has no `@`")]
    NoAt,
    /// The local part breaks RFC 5321 4.1.2, or is longer than 64 octets (4.5.3.1.1).
    #[error("the local part `{0}` is neither dot-atoms nor a quoted string of at most 64 octets")]
    Local(String),
    /// The domain is none.
    #[error(transparent)]
    Domain(#[from] NameError),
}

impl Address {
    /// For the command parser, which has checked the local part.
    pub(crate) fn from_parts(local: &str, domain: DomainName) -> Address {
        Address { local: local.into(), domain }
    }

    /// The local part, with its quotes if it has them.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain.
    pub fn domain(&self) -> &DomainName {
        &self.domain
    }

    /// Keeps the domain's text together with an equal name's, where many addresses are kept. Does nothing if
    /// the names differ.
    pub fn share_domain(&mut self, equal: &DomainName) {
        if self.domain == *equal {
            self.domain = equal.clone();
        }
    }

    /// Whether the address needs SMTPUTF8 (RFC 6531).
    pub fn is_utf8(&self) -> bool {
        !self.local.is_ascii() || !self.domain.as_str().is_ascii()
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let at = text.rfind('@').ok_or(AddressError::NoAt)?;
        let local = &text[..at];
        if !is_local_part(local) {
            return Err(AddressError::Local(local.into()));
        }
        Ok(Address { local: local.into(), domain: text[at + 1..].parse()? })
    }
}

/// Dot-string or quoted-string of at most 64 octets, UTF-8 allowed (RFC 6531 3.3).
pub(crate) fn is_local_part(text: &str) -> bool {
    if text.is_empty() || text.len() > 64 {
        return false;
    }
    match text.strip_prefix('"') {
        Some(rest) => is_quoted(rest),
        None => is_dot_string(text),
    }
}

/// Atoms with single dots between them; of ASCII, or with characters of UTF-8 (RFC 6531 3.3).
fn is_dot_string(text: &str) -> bool {
    !text.is_empty() && dot_string_len(text.as_bytes()) == text.len() && !text.chars().any(char::is_control)
}

/// Octets of the dot-string that `text` begins with; 0 if it begins with none, or with one that ends in a dot.
#[inline]
pub(crate) fn dot_string_len(text: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let atom = text[end..].iter().take_while(|octet| ATEXT[usize::from(**octet)]).count();
        end += atom;
        match text.get(end) {
            _ if atom == 0 => return 0,
            Some(b'.') => end += 1,
            _ => return end,
        }
    }
}

static ATEXT: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0;
    while octet < 256 {
        table[octet] = is_atext(octet as u8);
        octet += 1;
    }
    table
};

/// RFC 5322 3.2.3, with the octets of UTF-8 (RFC 6531 3.3).
const fn is_atext(octet: u8) -> bool {
    matches!(octet,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | 0x80..
        | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~')
}

/// What follows the opening quote: quoted text and pairs, then the closing quote at the very end.
fn is_quoted(rest: &str) -> bool {
    let mut chars = rest.chars();
    loop {
        match chars.next() {
            Some('"') => return chars.next().is_none(),
            Some('\\') => match chars.next() {
                Some(' '..='~') => {}
                _ => return false,
            },
            Some(c) if c == ' ' || (!c.is_control() && c != '"') => {}
            _ => return false,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// The reverse-path: an address, or null (`<>`), to which nothing may ever be bounced (4.5.5).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReversePath(pub Option<Address>);

impl ReversePath {
    /// `<>`.
    pub const NULL: ReversePath = ReversePath(None);

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for ReversePath {
    /// As in the command: `<alice@sender.test>` or `<>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(address) => write!(f, "<{address}>"),
            None => f.write_str("<>"),
        }
    }
}
