//! Between our words and hickory's: names, types, records.

use std::sync::Arc;

use hickory_proto::{
    op::ResponseCode,
    rr::{self, Name, RData, rdata},
};
use mxdrill_net::DomainName;

use crate::{Outcome, Record, RecordData, RecordType, Soa, Tlsa};

/// A domain name as it stands on the wire; `None` when no such name can exist there (RFC 5891 5).
pub(crate) fn name(name: &DomainName) -> Option<Name> {
    let text = name.as_str();
    let wire = if text.is_ascii() { Name::from_ascii(text) } else { Name::from_utf8(text) };
    wire.ok().map(absolute)
}

fn absolute(mut name: Name) -> Name {
    name.set_fqdn(true);
    name
}

/// A domain name with internationalised labels in their ASCII form, as zones and caches keep it.
pub(crate) fn ascii(domain: &DomainName) -> Option<DomainName> {
    if domain.as_str().is_ascii() { Some(domain.clone()) } else { domain_name(&name(domain)?) }
}

/// The name in our words; `None` for the root and for labels that no mail domain has.
pub(crate) fn domain_name(name: &Name) -> Option<DomainName> {
    let mut text = String::with_capacity(name.len() + 1);
    for label in name.iter() {
        // a dot inside a label would read as two labels
        let label = std::str::from_utf8(label).ok().filter(|l| l.is_ascii() && !l.contains('.'))?;
        text.push_str(label);
        text.push('.');
    }
    text.parse().ok()
}

/// A type in hickory's words.
pub(crate) fn kind(kind: RecordType) -> rr::RecordType {
    match kind {
        RecordType::A => rr::RecordType::A,
        RecordType::Aaaa => rr::RecordType::AAAA,
        RecordType::Mx => rr::RecordType::MX,
        RecordType::Cname => rr::RecordType::CNAME,
        RecordType::Txt => rr::RecordType::TXT,
        RecordType::Tlsa => rr::RecordType::TLSA,
        RecordType::Ptr => rr::RecordType::PTR,
        RecordType::Ns => rr::RecordType::NS,
        RecordType::Soa => rr::RecordType::SOA,
    }
}

/// A type in our words, if the lab serves it.
pub(crate) fn record_type(kind: rr::RecordType) -> Option<RecordType> {
    Some(match kind {
        rr::RecordType::A => RecordType::A,
        rr::RecordType::AAAA => RecordType::Aaaa,
        rr::RecordType::MX => RecordType::Mx,
        rr::RecordType::CNAME => RecordType::Cname,
        rr::RecordType::TXT => RecordType::Txt,
        rr::RecordType::TLSA => RecordType::Tlsa,
        rr::RecordType::PTR => RecordType::Ptr,
        rr::RecordType::NS => RecordType::Ns,
        rr::RecordType::SOA => RecordType::Soa,
        _ => return None,
    })
}

/// A record for an answer, under the owner that was asked for. `None` when a name in it has no wire form.
pub(crate) fn record(owner: Name, record: &Record) -> Option<rr::Record> {
    Some(rr::Record::from_rdata(owner, record.ttl, data(&record.data)?))
}

fn data(data: &RecordData) -> Option<RData> {
    Some(match data {
        RecordData::A(address) => RData::A((*address).into()),
        RecordData::Aaaa(address) => RData::AAAA((*address).into()),
        RecordData::Mx { preference, exchange } => {
            let exchange = exchange.as_ref().map_or_else(|| Some(Name::root()), name)?;
            RData::MX(rdata::MX::new(*preference, exchange))
        }
        RecordData::Cname(target) => RData::CNAME(rdata::CNAME(name(target)?)),
        RecordData::Txt(strings) => {
            RData::TXT(rdata::TXT::from_bytes(strings.iter().map(|s| &**s).collect()))
        }
        RecordData::Tlsa(tlsa) => RData::TLSA(rdata::TLSA::new(
            tlsa.usage.into(),
            tlsa.selector.into(),
            tlsa.matching.into(),
            tlsa.data.to_vec(),
        )),
        RecordData::Ptr(target) => RData::PTR(rdata::PTR(name(target)?)),
        RecordData::Ns(target) => RData::NS(rdata::NS(name(target)?)),
        RecordData::Soa(soa) => RData::SOA(self::soa(soa)),
    })
}

/// A start of authority in hickory's words.
pub(crate) fn soa(soa: &Soa) -> rdata::SOA {
    rdata::SOA::new(
        soa.primary.clone(),
        soa.contact.clone(),
        soa.serial,
        soa.refresh as i32,
        soa.retry as i32,
        soa.expire as i32,
        soa.minimum,
    )
}

/// A received record in our words; `None` for types that the lab does not ask for and names that mail lacks.
pub(crate) fn received(record: &rr::Record) -> Option<Record> {
    Some(Record { name: domain_name(&record.name)?, ttl: record.ttl, data: received_data(&record.data)? })
}

fn received_data(data: &RData) -> Option<RecordData> {
    Some(match data {
        RData::A(address) => RecordData::A(address.0),
        RData::AAAA(address) => RecordData::Aaaa(address.0),
        RData::MX(mx) if mx.exchange.is_root() => {
            RecordData::Mx { preference: mx.preference, exchange: None }
        }
        RData::MX(mx) => {
            RecordData::Mx { preference: mx.preference, exchange: Some(domain_name(&mx.exchange)?) }
        }
        RData::CNAME(target) => RecordData::Cname(domain_name(target)?),
        RData::TXT(txt) => RecordData::Txt(Arc::from(txt.txt_data.to_vec())),
        RData::TLSA(tlsa) => RecordData::Tlsa(Arc::new(Tlsa {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone().into(),
        })),
        RData::PTR(target) => RecordData::Ptr(domain_name(target)?),
        RData::NS(target) => RecordData::Ns(domain_name(target)?),
        RData::SOA(soa) => RecordData::Soa(Arc::new(Soa::from(soa))),
        _ => return None,
    })
}

/// How a look-up ended when the answer holds no record.
pub(crate) fn refusal(code: ResponseCode) -> Outcome {
    match code {
        ResponseCode::NoError => Outcome::NoData,
        ResponseCode::NXDomain => Outcome::NxDomain,
        ResponseCode::Refused => Outcome::Refused,
        // FORMERR, NOTIMP and the rest say that this server cannot tell, as SERVFAIL does
        _ => Outcome::ServFail,
    }
}
