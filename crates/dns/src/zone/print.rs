//! Zones written as master-file text that reads back as the same.

use std::fmt;

use mxdrill_net::DomainName;

use super::Zones;
use crate::{Record, RecordData};

impl fmt::Display for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, apex) in self.apexes().iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            writeln!(f, "{gap}$ORIGIN {apex}.")?;
            // the apex first, as zones are written; then by name
            let (top, below) = (|r: &&Record| r.name == *apex, |r: &&Record| r.name != *apex);
            let inside = || self.iter().filter(|record| record.name.is_within(apex));
            for record in inside().filter(top).chain(inside().filter(below)) {
                write_record(f, apex, record)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Zones {
    /// The text, which says more in fewer lines than the tree.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Zones({self})")
    }
}

fn write_record(f: &mut fmt::Formatter<'_>, apex: &DomainName, record: &Record) -> fmt::Result {
    writeln!(f, "{} {} {} {}", Owner(&record.name, apex), record.ttl, record.kind(), Data(&record.data, apex))
}

/// A name as short as its zone allows.
struct Relative<'a>(&'a DomainName, &'a DomainName);

impl fmt::Display for Relative<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Relative(name, apex) = self;
        let inside = name.as_str().strip_suffix(apex.as_str()).and_then(|rest| rest.strip_suffix('.'));
        match inside {
            Some(relative) => f.write_str(relative),
            None => write!(f, "{name}."),
        }
    }
}

/// As [`Relative`], with `@` for the apex. Not every reader takes `@` for a name inside a record.
struct Owner<'a>(&'a DomainName, &'a DomainName);

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owner(name, apex) = self;
        if name == apex { f.write_str("@") } else { Relative(name, apex).fmt(f) }
    }
}

struct Data<'a>(&'a RecordData, &'a DomainName);

impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Data(data, apex) = self;
        match data {
            RecordData::A(address) => write!(f, "{address}"),
            RecordData::Aaaa(address) => write!(f, "{address}"),
            RecordData::Mx { preference, exchange: Some(host) } => {
                write!(f, "{preference} {}", Relative(host, apex))
            }
            RecordData::Mx { preference, exchange: None } => write!(f, "{preference} ."),
            RecordData::Cname(name) | RecordData::Ptr(name) | RecordData::Ns(name) => {
                write!(f, "{}", Relative(name, apex))
            }
            RecordData::Txt(strings) => write_strings(f, strings),
            RecordData::Tlsa(tlsa) => {
                write!(f, "{} {} {} ", tlsa.usage, tlsa.selector, tlsa.matching)?;
                tlsa.data.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
            RecordData::Soa(soa) => write!(
                f,
                "{} {} {} {} {} {} {}",
                soa.primary.to_ascii(),
                soa.contact.to_ascii(),
                soa.serial,
                soa.refresh,
                soa.retry,
                soa.expire,
                soa.minimum
            ),
        }
    }
}

fn write_strings(f: &mut fmt::Formatter<'_>, strings: &[Box<[u8]>]) -> fmt::Result {
    for (index, string) in strings.iter().enumerate() {
        f.write_str(if index == 0 { "\"" } else { " \"" })?;
        string.iter().try_for_each(|octet| write_octet(f, *octet))?;
        f.write_str("\"")?;
    }
    Ok(())
}

fn write_octet(f: &mut fmt::Formatter<'_>, octet: u8) -> fmt::Result {
    match octet {
        b'"' | b'\\' => write!(f, "\\{}", octet as char),
        b' '..=b'~' => write!(f, "{}", octet as char),
        _ => write!(f, "\\{octet:03}"),
    }
}
