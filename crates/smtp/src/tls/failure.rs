//! How TLS fails, as types.

use std::{fmt, sync::Arc};

use crate::Reply;

/// Why a session is not secured as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// STARTTLS is not offered, and the policy demands it.
    NotOffered,
    /// STARTTLS was refused with a 4xx or 5xx (RFC 3207 4), and the policy demands it.
    Rejected(Arc<Reply>),
    /// The handshake came to nothing: what the peer sent is no TLS, or it broke off.
    Handshake,
    /// The certificate does not do.
    Certificate(CertificateProblem),
}

/// What is wrong with a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CertificateProblem {
    /// Its time is over, or has not come (RFC 5280 4.1.2.5).
    Expired,
    /// No authority that is trusted has issued it.
    Untrusted,
    /// It is for other names (RFC 6125).
    WrongName,
    /// No TLSA record matches it (RFC 7672 2.2).
    Unmatched,
}

impl CertificateProblem {
    /// All problems.
    pub const ALL: [CertificateProblem; 4] = [
        CertificateProblem::Expired,
        CertificateProblem::Untrusted,
        CertificateProblem::WrongName,
        CertificateProblem::Unmatched,
    ];

    /// In words, of a certificate that "has" or "is" so.
    pub const fn words(self) -> &'static str {
        match self {
            CertificateProblem::Expired => "certificate has expired",
            CertificateProblem::Untrusted => "certificate is not trusted",
            CertificateProblem::WrongName => "certificate is for another name",
            CertificateProblem::Unmatched => "certificate matches no TLSA record",
        }
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsFailure::NotOffered => f.write_str("STARTTLS is not offered"),
            TlsFailure::Rejected(reply) => write!(f, "STARTTLS is refused: {reply}"),
            TlsFailure::Handshake => f.write_str("TLS handshake failed"),
            TlsFailure::Certificate(problem) => f.write_str(problem.words()),
        }
    }
}
