//! Records: what a zone says and what an answer brings.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
    sync::Arc,
};

use hickory_proto::rr::{Name, rdata::SOA};
use mxdrill_net::DomainName;

use crate::RecordType;

/// The time to live of records that name none, in seconds.
pub const TTL_DEFAULT: u32 = 300;

/// One resource record. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The owner. Internationalised labels in their ASCII form (RFC 5890), as on the wire.
    pub name: DomainName,
    /// Time to live in seconds.
    pub ttl: u32,
    /// What it says.
    pub data: RecordData,
}

/// What a record says, by type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordData {
    /// RFC 1035 3.4.1.
    A(Ipv4Addr),
    /// RFC 3596.
    Aaaa(Ipv6Addr),
    /// RFC 1035 3.3.9.
    Mx {
        /// Lower is better.
        preference: u16,
        /// The host; `None` is the null MX, `.` (RFC 7505): this domain takes no mail.
        exchange: Option<DomainName>,
    },
    /// RFC 1035 3.3.1.
    Cname(DomainName),
    /// RFC 1035 3.3.14: strings of at most 255 octets each.
    Txt(Arc<[Box<[u8]>]>),
    /// RFC 6698.
    Tlsa(Arc<Tlsa>),
    /// RFC 1035 3.3.12.
    Ptr(DomainName),
    /// RFC 1035 3.3.11.
    Ns(DomainName),
    /// RFC 1035 3.3.13.
    Soa(Arc<Soa>),
}

/// A TLSA record (RFC 6698 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlsa {
    /// Certificate usage: 3 is DANE-EE.
    pub usage: u8,
    /// What is matched: 0 the certificate, 1 its public key.
    pub selector: u8,
    /// How: 0 exactly, 1 by SHA-256, 2 by SHA-512.
    pub matching: u8,
    /// The data to match.
    pub data: Box<[u8]>,
}

/// A start of authority (RFC 1035 3.3.13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Soa {
    /// The primary name server.
    pub primary: Name,
    /// The mailbox of the person responsible, its first dot standing for `@`.
    pub contact: Name,
    /// Version of the zone.
    pub serial: u32,
    /// Seconds between a secondary's checks.
    pub refresh: u32,
    /// Seconds before a failed check is repeated.
    pub retry: u32,
    /// Seconds after which a secondary gives the zone up.
    pub expire: u32,
    /// How long, in seconds, the absence of a record may be remembered (RFC 2308 4).
    pub minimum: u32,
}

impl Record {
    /// A record with the default time to live.
    pub fn new(name: DomainName, data: RecordData) -> Record {
        Record { name, ttl: TTL_DEFAULT, data }
    }

    /// Its type.
    pub fn kind(&self) -> RecordType {
        self.data.kind()
    }
}

impl RecordData {
    /// The type that it belongs to.
    pub fn kind(&self) -> RecordType {
        match self {
            RecordData::A(_) => RecordType::A,
            RecordData::Aaaa(_) => RecordType::Aaaa,
            RecordData::Mx { .. } => RecordType::Mx,
            RecordData::Cname(_) => RecordType::Cname,
            RecordData::Txt(_) => RecordType::Txt,
            RecordData::Tlsa(_) => RecordType::Tlsa,
            RecordData::Ptr(_) => RecordType::Ptr,
            RecordData::Ns(_) => RecordType::Ns,
            RecordData::Soa(_) => RecordType::Soa,
        }
    }

    /// The address of an A or AAAA record.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            RecordData::A(address) => Some((*address).into()),
            RecordData::Aaaa(address) => Some((*address).into()),
            _ => None,
        }
    }

    /// A text of one string, cut into strings of 255 octets where it is longer.
    pub fn txt(text: &str) -> RecordData {
        if text.is_empty() {
            return RecordData::Txt(Arc::new([Box::default()]));
        }
        RecordData::Txt(text.as_bytes().chunks(255).map(Box::from).collect())
    }
}

impl From<IpAddr> for RecordData {
    fn from(address: IpAddr) -> RecordData {
        match address {
            IpAddr::V4(address) => RecordData::A(address),
            IpAddr::V6(address) => RecordData::Aaaa(address),
        }
    }
}

impl Soa {
    /// The fixed start of authority of a zone whose text gives none; `apex` `None` is the root.
    pub(crate) fn made(apex: Option<&Name>) -> Soa {
        let below = |label: &str| {
            let root = Name::root();
            apex.unwrap_or(&root).prepend_label(label).unwrap_or(root.clone())
        };
        Soa {
            primary: below("ns"),
            contact: below("hostmaster"),
            serial: 1,
            refresh: 7200,
            retry: 900,
            expire: 1_209_600,
            minimum: TTL_DEFAULT,
        }
    }
}

impl From<&SOA> for Soa {
    fn from(soa: &SOA) -> Soa {
        Soa {
            primary: soa.mname.clone(),
            contact: soa.rname.clone(),
            serial: soa.serial,
            // hickory keeps these three signed; RFC 1035 3.3.13 has 32-bit intervals, so the bits are kept
            refresh: soa.refresh as u32,
            retry: soa.retry as u32,
            expire: soa.expire as u32,
            minimum: soa.minimum,
        }
    }
}

/// Every type with its name in text, in the order in which messages list them.
pub(crate) const KINDS: [(RecordType, &str); 9] = [
    (RecordType::Mx, "MX"),
    (RecordType::A, "A"),
    (RecordType::Aaaa, "AAAA"),
    (RecordType::Cname, "CNAME"),
    (RecordType::Txt, "TXT"),
    (RecordType::Tlsa, "TLSA"),
    (RecordType::Ptr, "PTR"),
    (RecordType::Ns, "NS"),
    (RecordType::Soa, "SOA"),
];

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, text) = KINDS.iter().find(|(kind, _)| kind == self).expect("every type has its name");
        f.pad(text)
    }
}

/// The text names no record type that the lab serves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no record type that the lab serves: MX, A, AAAA, CNAME, TXT, TLSA, PTR, NS and SOA")]
pub struct UnknownType(pub String);

impl FromStr for RecordType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        let named = KINDS.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        named.map(|(kind, _)| *kind).ok_or_else(|| UnknownType(text.into()))
    }
}
