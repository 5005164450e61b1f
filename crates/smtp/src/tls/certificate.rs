//! What a certificate says.

use bytes::Bytes;

/// The facts of a certificate, and its encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The DNS names that it is for; the first label may be `*`.
    pub names: Box<[Box<str>]>,
    /// From this second of wall time on, since 1970.
    pub not_before: i64,
    /// Through this second of wall time.
    pub not_after: i64,
    /// The certificate in DER.
    pub der: Bytes,
    /// Its public key: the SubjectPublicKeyInfo in DER.
    pub key: Bytes,
    /// Who issued it; of an authority's own certificate itself.
    pub issuer: Issuer,
}

/// Whoever issued a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// The issuer's certificate in DER.
    pub der: Bytes,
    /// The issuer's public key: its SubjectPublicKeyInfo in DER.
    pub key: Bytes,
}

/// What can be wrong with the certificate that a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// Its time is over.
    Expired,
    /// It is for another name.
    WrongName,
}

impl Certificate {
    /// Whether it is for a name (RFC 6125 6.4.3: `*` stands for one whole first label).
    pub fn covers(&self, name: &str) -> bool {
        self.names.iter().any(|pattern| covers(pattern, name))
    }

    /// Whether it holds at a second of wall time.
    pub fn holds_at(&self, wall: i64) -> bool {
        (self.not_before..=self.not_after).contains(&wall)
    }
}

/// Whether a name fits a pattern, whose first label may be `*` (RFC 6125 6.4.3, RFC 8461 4.1).
pub fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => pattern.eq_ignore_ascii_case(name),
        Some(parent) => name.split_once('.').is_some_and(|(label, rest)| {
            !label.is_empty() && parent.contains('.') && rest.eq_ignore_ascii_case(parent)
        }),
    }
}
