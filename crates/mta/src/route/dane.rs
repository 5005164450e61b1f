//! DANE for SMTP (RFC 7672): which hosts are asked for TLSA records, and what these say.

use mxdrill_dns::{Answer, Outcome, RecordData};
use mxdrill_net::DomainName;
use mxdrill_smtp::tls::Pin;

use super::gather::{Found, Gathering};
use crate::{Basis, HostPolicy};

/// TLSA records of one host at most; a zone can hold thousands.
const PINS_MAX: usize = 64;

/// Where the TLSA records of a host are (RFC 7672 2.2.3).
pub(super) fn name(host: &DomainName) -> Option<DomainName> {
    format!("_25._tcp.{host}").parse().ok()
}

/// Whether a host is asked for TLSA records: only where the resolver vouches for the way to it. RFC 7672 2.2.1: the
/// MX records; 2.2.2: the address records. A static next hop needs no MX.
pub(super) fn is_asked(gathering: &Gathering, host: &Found) -> bool {
    let is_vouched_for = |answer: &Option<Answer>| answer.as_ref().is_none_or(|answer| answer.authentic);
    let has_addresses = |answer: &Option<Answer>| {
        answer.as_ref().is_some_and(|answer| matches!(answer.outcome, Outcome::Records(_)))
    };
    host.literal.is_none()
        && (gathering.is_authentic || gathering.basis == Some(Basis::Static))
        && [&host.ipv4, &host.ipv6].into_iter().any(has_addresses)
        && [&host.ipv4, &host.ipv6].into_iter().filter(|answer| has_addresses(answer)).all(is_vouched_for)
}

/// What the answer says. RFC 7672 2.1.1: what the resolver does not vouch for counts for nothing; 2.1.2: where it
/// cannot tell, the host must not be used.
pub(super) fn policy(answer: Option<&Answer>) -> HostPolicy {
    let Some(answer) = answer else { return HostPolicy::None };
    if answer.outcome.is_temporary() {
        return HostPolicy::Unknown(answer.outcome);
    }
    let tlsa = answer.records.iter().filter_map(|record| match &record.data {
        RecordData::Tlsa(tlsa) => Some(tlsa),
        _ => None,
    });
    let mut tlsa = tlsa.peekable();
    if !answer.authentic || tlsa.peek().is_none() {
        return HostPolicy::None;
    }
    let pins = tlsa.filter_map(|tlsa| Pin::new(tlsa.usage, tlsa.selector, tlsa.matching, &tlsa.data));
    HostPolicy::Dane(pins.take(PINS_MAX).collect())
}
