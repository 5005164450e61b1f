//! Zones read from master-file text (RFC 1035 5).

use std::{net::IpAddr, ops::Range, str::FromStr, sync::Arc};

use hickory_proto::{rr::Name, serialize::txt::parse_ttl};
use mxdrill_net::{DomainName, NameError};

use super::{
    Zones,
    entry::{Entries, Entry, Word},
    error::{self, ZoneError, ZoneProblem},
};
use crate::{Record, RecordData, RecordType, Soa, TTL_DEFAULT, Tlsa, wire};

pub(super) const PREFERENCE: &str = "a preference from 0 to 65535";
pub(super) const IPV4: &str = "an IPv4 address";
pub(super) const IPV6: &str = "an IPv6 address";
const HOST: &str = "a host name";
const OCTET: &str = "a number from 0 to 255";
const NUMBER: &str = "a 32-bit number";
const TIME: &str = "a time in seconds, or such as 1h30m";
const STRING: &str = "a string of at most 255 octets";
const HEX: &str = "hexadecimal digits, two an octet";

/// The greatest time to live (RFC 2181 8).
const TTL_MAX: u32 = i32::MAX as u32;

impl Zones {
    /// Reads master-file text, with any number of `$ORIGIN`s.
    ///
    /// Each `$ORIGIN` that lies in no other opens a zone. Records without a time to live get that of the last
    /// record before (RFC 1035 5.1), or of `$TTL` (RFC 2308 4), or 300 s.
    ///
    /// # Errors
    /// The first mistake, with its place in the text.
    pub fn parse(text: &str) -> Result<Zones, ZoneError> {
        Zones::parse_at(text, None)
    }

    /// As [`Zones::parse`], with the origin that holds until the text names one, as a name server's
    /// configuration gives it.
    ///
    /// # Errors
    /// The first mistake, with its place in the text.
    pub fn parse_at(text: &str, origin: Option<&DomainName>) -> Result<Zones, ZoneError> {
        let mut parser = Parser::default();
        if let Some(origin) = origin {
            parser.zones.open(origin);
            parser.origin = Origin::At(origin.clone());
        }
        let mut entries = Entries::new(text);
        while let Some(entry) = entries.next()? {
            parser.entry(&entry)?;
        }
        parser.finish()
    }
}

impl FromStr for Zones {
    type Err = ZoneError;

    fn from_str(text: &str) -> Result<Zones, ZoneError> {
        Zones::parse(text)
    }
}

#[derive(Clone, Default)]
enum Origin {
    #[default]
    None,
    Root,
    At(DomainName),
}

#[derive(Default)]
struct Parser {
    zones: Zones,
    /// Records wait until all zones are known, because a record outside all of them opens its own.
    records: Vec<(Record, usize, Range<usize>)>,
    origin: Origin,
    owner: Option<DomainName>,
    ttl_said: Option<u32>,
    ttl_last: Option<u32>,
}

/// The fields of an entry that are still to be read.
struct Fields<'a> {
    words: std::slice::Iter<'a, Word>,
    line: usize,
    end: usize,
    of: String,
}

impl<'a> Fields<'a> {
    fn next(&mut self, expected: &'static str) -> Result<&'a Word, ZoneError> {
        let missing = ZoneProblem::Missing { expected };
        self.words.next().ok_or_else(|| ZoneError::new(self.line, self.end..self.end, missing))
    }

    fn read<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ZoneError> {
        let word = self.next(expected)?;
        read(&word.text).ok_or_else(|| word.error(ZoneProblem::Field { expected, found: word.text.clone() }))
    }

    fn number<T: FromStr>(&mut self, expected: &'static str) -> Result<T, ZoneError> {
        self.read(expected, |text| text.parse().ok())
    }

    fn time(&mut self) -> Result<u32, ZoneError> {
        self.read(TIME, |text| parse_ttl(text).ok())
    }

    fn end(mut self) -> Result<(), ZoneError> {
        match self.words.next() {
            Some(word) => Err(word.error(ZoneProblem::Extra { found: word.text.clone(), of: self.of })),
            None => Ok(()),
        }
    }
}

impl Word {
    fn error(&self, problem: ZoneProblem) -> ZoneError {
        ZoneError::new(self.line, self.span.clone(), problem)
    }
}

impl Parser {
    fn entry(&mut self, entry: &Entry) -> Result<(), ZoneError> {
        let first = &entry.words[0];
        let last = &entry.words[entry.words.len() - 1];
        let of = first.text.clone();
        let mut fields = Fields { words: entry.words.iter(), line: last.line, end: last.span.end, of };
        if first.text.starts_with('$') {
            fields.words.next();
            return self.directive(first, fields);
        }
        if !entry.blank {
            fields.words.next();
            self.owner = Some(self.name(first)?);
        }
        let owner = self.owner.clone().ok_or_else(|| first.error(ZoneProblem::NoOwner))?;
        self.record(owner, first, fields)
    }

    fn directive(&mut self, word: &Word, mut fields: Fields<'_>) -> Result<(), ZoneError> {
        if word.text.eq_ignore_ascii_case("$origin") {
            self.set_origin(fields.next("the origin, such as example.test.")?)?;
        } else if word.text.eq_ignore_ascii_case("$ttl") {
            let ttl = fields.next(TIME)?;
            self.ttl_said = Some(read_ttl(ttl)?);
        } else {
            return Err(word.error(ZoneProblem::Directive(word.text.clone())));
        }
        fields.end()
    }

    fn set_origin(&mut self, word: &Word) -> Result<(), ZoneError> {
        if word.text == "." {
            self.origin = Origin::Root;
            return Ok(());
        }
        // `$ORIGIN example.test` without the dot, before any other, can only mean the absolute name
        let name = match self.origin {
            Origin::None => absolute(word, &word.text)?,
            _ => self.name(word)?,
        };
        self.zones.open(&name);
        self.origin = Origin::At(name);
        Ok(())
    }

    /// A name, relative to the origin unless it ends in a dot.
    fn name(&self, word: &Word) -> Result<DomainName, ZoneError> {
        let text = &*word.text;
        match (&self.origin, text) {
            (Origin::At(origin), "@") => Ok(origin.clone()),
            (Origin::Root, "@") | (_, "." | "") => {
                Err(word.error(ZoneProblem::Name { text: text.into(), why: NameError::Empty }))
            }
            _ if text.ends_with('.') => absolute(word, text),
            (Origin::Root, _) => absolute(word, text),
            (Origin::At(origin), _) => absolute(word, &format!("{text}.{origin}")),
            (Origin::None, _) => Err(word.error(ZoneProblem::NoOrigin(text.into()))),
        }
    }

    fn record(&mut self, owner: DomainName, first: &Word, mut fields: Fields<'_>) -> Result<(), ZoneError> {
        let mut ttl = None;
        let kind = loop {
            let word = fields.next("a record type")?;
            if word.text.eq_ignore_ascii_case("IN") {
                continue;
            }
            if ["CH", "HS", "CS", "NONE", "ANY"].iter().any(|class| word.text.eq_ignore_ascii_case(class)) {
                return Err(word.error(ZoneProblem::Class(word.text.clone())));
            }
            if word.text.starts_with(|c: char| c.is_ascii_digit()) {
                ttl = Some(read_ttl(word)?);
                continue;
            }
            break word.text.parse().map_err(|_| word.error(ZoneProblem::Type(word.text.clone())))?;
        };
        fields.of = error::of(kind);
        let ttl = self.ttl(ttl);
        let data = self.data(kind, &mut fields)?;
        fields.end()?;
        self.records.push((Record { name: owner, ttl, data }, first.line, first.span.clone()));
        Ok(())
    }

    fn ttl(&mut self, said: Option<u32>) -> u32 {
        self.ttl_last = said.or(self.ttl_last);
        said.or(self.ttl_said).or(self.ttl_last).unwrap_or(TTL_DEFAULT)
    }

    fn data(&self, kind: RecordType, fields: &mut Fields<'_>) -> Result<RecordData, ZoneError> {
        Ok(match kind {
            RecordType::A => RecordData::A(fields.number(IPV4)?),
            RecordType::Aaaa => RecordData::Aaaa(fields.number(IPV6)?),
            RecordType::Mx => {
                RecordData::Mx { preference: fields.number(PREFERENCE)?, exchange: self.exchange(fields)? }
            }
            RecordType::Cname => RecordData::Cname(self.host(fields)?),
            RecordType::Ptr => RecordData::Ptr(self.host(fields)?),
            RecordType::Ns => RecordData::Ns(self.host(fields)?),
            RecordType::Txt => RecordData::Txt(strings(fields)?),
            RecordType::Tlsa => RecordData::Tlsa(Arc::new(tlsa(fields)?)),
            RecordType::Soa => RecordData::Soa(Arc::new(self.soa(fields)?)),
        })
    }

    fn host(&self, fields: &mut Fields<'_>) -> Result<DomainName, ZoneError> {
        self.name(fields.next(HOST)?)
    }

    /// A mail exchanger, or the null MX (RFC 7505 3).
    fn exchange(&self, fields: &mut Fields<'_>) -> Result<Option<DomainName>, ZoneError> {
        let word = fields.next(HOST)?;
        if word.text == "." { Ok(None) } else { self.name(word).map(Some) }
    }

    fn soa(&self, fields: &mut Fields<'_>) -> Result<Soa, ZoneError> {
        Ok(Soa {
            primary: self.any_name(fields)?,
            contact: self.any_name(fields)?,
            serial: fields.number(NUMBER)?,
            refresh: fields.time()?,
            retry: fields.time()?,
            expire: fields.time()?,
            minimum: fields.time()?,
        })
    }

    /// A name that need not be a mail domain: the root, or a contact with an escaped dot in its first label.
    fn any_name(&self, fields: &mut Fields<'_>) -> Result<Name, ZoneError> {
        let word = fields.next(HOST)?;
        let name = match (&self.origin, &*word.text) {
            (_, ".") => Some(Name::root()),
            (Origin::At(origin), text) if text.contains('\\') => {
                wire::name(origin).and_then(|origin| Name::parse(text, Some(&origin)).ok())
            }
            _ => wire::name(&self.name(word)?),
        };
        name.ok_or_else(|| word.error(ZoneProblem::Field { expected: HOST, found: word.text.clone() }))
    }

    /// Puts the records into their zones, zones with few labels first, so that one opens for all below it.
    fn finish(mut self) -> Result<Zones, ZoneError> {
        let mut homeless: Vec<&DomainName> = Vec::new();
        for (record, ..) in &self.records {
            if record.kind() == RecordType::Soa {
                self.zones.open(&record.name);
            }
        }
        homeless.extend(
            self.records.iter().map(|(r, ..)| &r.name).filter(|name| self.zones.apex_of(name).is_none()),
        );
        homeless.sort_by_key(|name| name.as_str().matches('.').count());
        for name in homeless {
            self.zones.open(name);
        }
        for (record, line, span) in self.records {
            check_beside(&self.zones, &record).map_err(|problem| ZoneError::new(line, span, problem))?;
            self.zones.insert(record);
        }
        Ok(self.zones)
    }
}

/// RFC 1034 3.6.2, RFC 2181 10.1: an alias stands alone. RFC 1035 5.2: one SOA a zone.
fn check_beside(zones: &Zones, record: &Record) -> Result<(), ZoneProblem> {
    let given = zones.node(&record.name).map_or(&[][..], |node| &node.given);
    let alias = |r: &Record| r.kind() == RecordType::Cname;
    if given.iter().any(|known| known.data != record.data && (alias(known) || alias(record))) {
        return Err(ZoneProblem::BesideCname(record.name.clone()));
    }
    let soa = |r: &Record| r.kind() == RecordType::Soa;
    if soa(record) && given.iter().any(|known| soa(known) && known.data != record.data) {
        return Err(ZoneProblem::TwoSoa(record.name.clone()));
    }
    Ok(())
}

fn absolute(word: &Word, text: &str) -> Result<DomainName, ZoneError> {
    let error = |why| word.error(ZoneProblem::Name { text: word.text.clone(), why });
    let name: DomainName = text.parse().map_err(error)?;
    wire::ascii(&name).ok_or_else(|| error(NameError::Label(name.first_label().into())))
}

fn read_ttl(word: &Word) -> Result<u32, ZoneError> {
    let ttl = parse_ttl(&word.text).ok().filter(|ttl| *ttl <= TTL_MAX);
    ttl.ok_or_else(|| word.error(ZoneProblem::Ttl(word.text.clone())))
}

fn strings(fields: &mut Fields<'_>) -> Result<Arc<[Box<[u8]>]>, ZoneError> {
    let mut strings = vec![string(fields.next(STRING)?)?];
    for word in fields.words.by_ref() {
        strings.push(string(word)?);
    }
    Ok(strings.into())
}

fn string(word: &Word) -> Result<Box<[u8]>, ZoneError> {
    if word.bytes.len() > 255 {
        return Err(word.error(ZoneProblem::Field { expected: STRING, found: word.text.clone() }));
    }
    Ok(word.bytes.as_slice().into())
}

fn tlsa(fields: &mut Fields<'_>) -> Result<Tlsa, ZoneError> {
    let (usage, selector, matching) = (fields.number(OCTET)?, fields.number(OCTET)?, fields.number(OCTET)?);
    let mut data = fields.read(HEX, unhex)?;
    while !fields.words.as_slice().is_empty() {
        data.extend(fields.read(HEX, unhex)?);
    }
    Ok(Tlsa { usage, selector, matching, data: data.into() })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

impl Zones {
    /// The name that answers for an address backwards, such as `10.2.0.192.in-addr.arpa`.
    pub fn reverse_name(address: IpAddr) -> DomainName {
        wire::domain_name(&Name::from(address)).expect("digits and arpa make a domain name")
    }
}
