//! Places and names made concrete, and records as the DNS keeps them.

use mxdrill_dns::{ZoneError, Zones};
use mxdrill_ledger::Subject;

use super::{
    Action, Clear, DnsName, Expect, Fault, FaultKind, HostFault, Matching, Place, PlaceError, Record,
    Scenario, To,
};

/// Visits every name that steps use, so that one walk serves all that rename.
pub(super) trait Rename {
    /// Why a name cannot be renamed.
    type Error;
    /// A host.
    fn place(&mut self, place: &mut Place) -> Result<(), Self::Error>;
    /// A name in the DNS.
    fn dns(&mut self, name: &mut DnsName) -> Result<(), Self::Error>;
    /// An address of the envelope.
    fn address(&mut self, address: &mut mxdrill_smtp::Address) -> Result<(), Self::Error>;
    /// A domain whose recipients are meant.
    fn domain(&mut self, domain: &mut mxdrill_net::DomainName) -> Result<(), Self::Error>;
    /// The data of a record.
    fn record(&mut self, record: &mut Record) -> Result<(), Self::Error>;
}

impl Action {
    /// Renames everything in it.
    pub(super) fn rename<R: Rename>(&mut self, by: &mut R) -> Result<(), R::Error> {
        match self {
            Action::Send(send) => {
                by.place(&mut send.by)?;
                if let Some(from) = &mut send.from.0 {
                    by.address(from)?;
                }
                rename_to(&mut send.to, by)
            }
            Action::Fault(fault) => rename_fault(fault, by),
            Action::Clear(Clear::Host(place)) | Action::Flush(place) => by.place(place),
            Action::Clear(Clear::Link { from, to, .. }) => by.place(from).and_then(|()| by.place(to)),
            Action::Clear(Clear::Dns { name, .. }) => by.dns(name),
            Action::Clear(Clear::Fault(_)) => Ok(()),
            Action::Set(record) => by.dns(&mut record.name).and_then(|()| by.record(record)),
            Action::Expect(expect) => rename_expect(expect, by),
        }
    }
}

fn rename_to<R: Rename>(to: &mut To, by: &mut R) -> Result<(), R::Error> {
    match to {
        To::One(address) => by.address(address),
        To::Several(addresses) => addresses.iter_mut().try_for_each(|address| by.address(address)),
        To::Numbered { after, .. } => {
            // What stands behind the number ends in the domain: an address of its own, but for the local part.
            let Some((rest, domain)) = after.rsplit_once('@') else { return Ok(()) };
            let Ok(mut domain) = domain.parse() else { return Ok(()) };
            by.domain(&mut domain)?;
            *after = format!("{rest}@{domain}");
            Ok(())
        }
    }
}

fn rename_fault<R: Rename>(fault: &mut Fault, by: &mut R) -> Result<(), R::Error> {
    match &mut fault.kind {
        FaultKind::Host(place, fault) => {
            by.place(place)?;
            match fault {
                HostFault::Dialogue(dialogue) => rename_matching(&mut dialogue.matching, by),
                HostFault::Crash(Some(crash)) => rename_matching(&mut crash.matching, by),
                _ => Ok(()),
            }
        }
        FaultKind::Link { from, to, .. } => by.place(from).and_then(|()| by.place(to)),
        FaultKind::Dns { name, .. } => by.dns(name),
    }
}

fn rename_matching<R: Rename>(matching: &mut Matching, by: &mut R) -> Result<(), R::Error> {
    if let Some(client) = &mut matching.client {
        by.place(client)?;
    }
    if let Some(Some(sender)) = matching.sender.as_mut().map(|sender| &mut sender.0) {
        by.address(sender)?;
    }
    match &mut matching.recipient {
        Some(super::RecipientPattern::Address(address)) => by.address(address),
        Some(super::RecipientPattern::Domain(domain)) => by.domain(domain),
        None => Ok(()),
    }
}

fn rename_expect<R: Rename>(expect: &mut Expect, by: &mut R) -> Result<(), R::Error> {
    for expectation in &mut expect.expectations {
        if let Subject::Host(host) = &mut expectation.figure.of {
            let mut place = Place::from(&**host);
            by.place(&mut place)?;
            *host = place.to_string().into();
        }
    }
    Ok(())
}

/// Puts labels for places.
struct Labels<'a>(&'a Scenario);

impl Rename for Labels<'_> {
    type Error = PlaceError;

    fn place(&mut self, place: &mut Place) -> Result<(), PlaceError> {
        *place = Place::Host(self.0.place(place)?.to_owned());
        Ok(())
    }

    fn dns(&mut self, name: &mut DnsName) -> Result<(), PlaceError> {
        *name = DnsName::Name(self.0.dns_name(name)?);
        Ok(())
    }

    fn address(&mut self, _: &mut mxdrill_smtp::Address) -> Result<(), PlaceError> {
        Ok(())
    }

    fn domain(&mut self, _: &mut mxdrill_net::DomainName) -> Result<(), PlaceError> {
        Ok(())
    }

    fn record(&mut self, record: &mut Record) -> Result<(), PlaceError> {
        for data in &mut record.to {
            *data = self.0.record_data(record.kind, data);
        }
        Ok(())
    }
}

impl Scenario {
    /// The same scenario with every place made concrete: steps name hosts by label and the DNS by full name, and
    /// the implicit sender, where one is needed, is the last of the hosts.
    ///
    /// # Errors
    /// When a place has no host.
    pub fn resolved(&self) -> Result<Scenario, PlaceError> {
        let mut resolved = self.clone();
        resolved.hosts.extend(self.sender());
        let labels = resolved.clone();
        for step in &mut resolved.steps {
            step.action.rename(&mut Labels(&labels))?;
        }
        Ok(resolved)
    }

    /// The records of a set, as the DNS keeps them.
    ///
    /// # Errors
    /// When the data cannot be read, or a place has no host. Neither happens for a scenario that was parsed.
    pub fn records(&self, record: &Record) -> Result<Vec<mxdrill_dns::Record>, RecordError> {
        let name = self.dns_name(&record.name)?;
        let zones = Zones::parse(&self.record_text(record)?)?;
        Ok(zones.records(&name, record.kind).cloned().collect())
    }

    /// A record set as a master file.
    pub(super) fn record_text(&self, record: &Record) -> Result<String, PlaceError> {
        let name = self.dns_name(&record.name)?;
        let old = self.zone.zones.records(&name, record.kind).next().map(|record| record.ttl);
        let ttl = record.ttl.map(|ttl| u32::try_from(ttl.as_secs()).unwrap_or(u32::MAX >> 1)).or(old);
        let ttl = ttl.unwrap_or(mxdrill_dns::TTL_DEFAULT);
        let mut text = String::new();
        if let Some(origin) = self.zone.origin() {
            text = format!("$ORIGIN {origin}.\n");
        }
        for data in &record.to {
            let data = self.record_data(record.kind, data);
            text += &format!("{name}. {ttl} {} {data}\n", record.kind);
        }
        Ok(text)
    }

    /// A host's label or place as the exchange of an MX record stands for that host's full name.
    fn record_data(&self, kind: mxdrill_dns::RecordType, data: &str) -> String {
        let full = || {
            let (preference, exchange) = data.trim().split_once(char::is_whitespace)?;
            let label = self.place(&Place::from(exchange.trim())).ok()?;
            Some(format!("{preference} {}.", self.host(label)?.name))
        };
        match kind {
            mxdrill_dns::RecordType::Mx => full().unwrap_or_else(|| data.to_owned()),
            _ => data.to_owned(),
        }
    }
}

/// Why a record set cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A place has no host.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The data cannot be read.
    #[error(transparent)]
    Zone(#[from] ZoneError),
}
