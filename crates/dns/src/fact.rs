//! What a host's look-ups asked and learned.

use mxdrill_net::DomainName;

/// The record types that the lab serves and asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordType {
    /// RFC 1035 3.4.1.
    A,
    /// RFC 3596.
    Aaaa,
    /// RFC 1035 3.3.9.
    Mx,
    /// RFC 1035 3.3.1.
    Cname,
    /// RFC 1035 3.3.14.
    Txt,
    /// RFC 6698.
    Tlsa,
    /// RFC 1035 3.3.12.
    Ptr,
    /// RFC 1035 3.3.11.
    Ns,
    /// RFC 1035 3.3.13.
    Soa,
}

/// How a look-up ended. NXDOMAIN, NODATA, SERVFAIL, REFUSED and silence stay apart: what a mailer may do next
/// depends on it (RFC 5321 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// So many records.
    Records(u16),
    /// The name exists, the type does not.
    NoData,
    /// The name does not exist.
    NxDomain,
    /// The server could not answer.
    ServFail,
    /// The server would not answer.
    Refused,
    /// No answer within all retries.
    Timeout,
}

impl Outcome {
    /// Whether asking again later may help: the mail must then be kept (RFC 5321 5.1).
    pub fn is_temporary(self) -> bool {
        matches!(self, Outcome::ServFail | Outcome::Refused | Outcome::Timeout)
    }
}

/// One thing the look-ups of a host did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A question left the host (an answer from its cache does not).
    Asked {
        /// The name.
        name: DomainName,
        /// The type.
        kind: RecordType,
    },
    /// The question was settled.
    Answered {
        /// The name.
        name: DomainName,
        /// The type.
        kind: RecordType,
        /// How.
        outcome: Outcome,
    },
}
