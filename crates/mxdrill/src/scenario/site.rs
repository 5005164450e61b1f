//! An operator's own zone and hosts, on which the catalogue is played.

use std::time::Duration;

use mxdrill_dns::RecordType;
use mxdrill_ledger::Span;
use mxdrill_net::DomainName;
use mxdrill_smtp::Address;

use super::{DnsName, Host, Place, PlaceError, Record, Scenario, Zone, resolve::Rename};

/// An operator's own zone and hosts (`--site FILE`). See [`Site::parse`].
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// What reports call it: the path of the file.
    pub name: String,
    /// The zone.
    pub zone: Zone,
    /// The hosts.
    pub hosts: Vec<Host>,
}

/// Why a scenario cannot be played on a site.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// `site = false`.
    #[error("its point is a mistake in its own tables (site = false)")]
    LeftOut,
    /// A step names something of the scenario's own zone.
    #[error("the step at {} names `{what}`, which is the scenario's own: use a place, or say `site = false`", Span(*.at))]
    Own {
        /// What it names.
        what: String,
        /// The time of the step.
        at: Duration,
    },
    /// The site has no such place.
    #[error("on this site, {0}")]
    Place(#[from] PlaceError),
    /// The site delivers nothing, so there is nobody to write to.
    #[error("no host of the site delivers a domain")]
    NoDomain,
}

impl Scenario {
    /// The same drill on an operator's own zone and hosts. Steps keep their places; recipients of the scenario's
    /// domain become recipients of the site's.
    ///
    /// # Errors
    /// When the scenario is not meant for it, or names what only its own zone has.
    pub fn on_site(&self, site: &Site) -> Result<Scenario, SiteError> {
        if !self.site {
            return Err(SiteError::LeftOut);
        }
        let mut moved = Scenario { zone: site.zone.clone(), hosts: site.hosts.clone(), ..self.clone() };
        if moved.delivered().is_empty() {
            return Err(SiteError::NoDomain);
        }
        let target = moved.clone();
        for step in &mut moved.steps {
            step.action.rename(&mut Move { from: self, to: &target, at: step.at })?;
        }
        Ok(moved)
    }
}

/// Moves the names of a step from one scenario's zone to another's.
struct Move<'a> {
    from: &'a Scenario,
    to: &'a Scenario,
    at: Duration,
}

impl Move<'_> {
    fn own(&self, what: impl ToString) -> SiteError {
        SiteError::Own { what: what.to_string(), at: self.at }
    }

    /// The drill's domain becomes the site's; other domains of the scenario's zone exist only there.
    fn moved(&self, domain: &DomainName) -> Result<Option<DomainName>, SiteError> {
        if Some(domain) == self.from.domain() {
            return Ok(self.to.domain().cloned());
        }
        let own = self.from.zone.zones.apex_of(domain).is_some();
        let shared = self.to.zone.zones.apex_of(domain).is_some();
        if own && !shared { Err(self.own(domain)) } else { Ok(None) }
    }
}

impl Rename for Move<'_> {
    type Error = SiteError;

    fn place(&mut self, place: &mut Place) -> Result<(), SiteError> {
        match place {
            Place::Host(label) if self.to.host(label).is_none() => Err(self.own(label)),
            place => Ok(self.to.place(place).map(drop)?),
        }
    }

    fn dns(&mut self, name: &mut DnsName) -> Result<(), SiteError> {
        match name {
            DnsName::Own => Ok(()),
            DnsName::Host(place) => self.place(place),
            DnsName::Name(name) => {
                if let Some(moved) = self.moved(name)? {
                    *name = moved;
                }
                Ok(())
            }
        }
    }

    fn address(&mut self, address: &mut Address) -> Result<(), SiteError> {
        if let Some(domain) = self.moved(address.domain())?
            && let Ok(moved) = format!("{}@{domain}", address.local()).parse()
        {
            *address = moved;
        }
        Ok(())
    }

    fn domain(&mut self, domain: &mut DomainName) -> Result<(), SiteError> {
        if let Some(moved) = self.moved(domain)? {
            *domain = moved;
        }
        Ok(())
    }

    /// Places may stand in MX records; addresses and other data belong to the zone they were written for.
    fn record(&mut self, record: &mut Record) -> Result<(), SiteError> {
        for data in &record.to {
            let exchange = data.split_ascii_whitespace().nth(1).unwrap_or_default();
            let place = Place::from(exchange);
            let follows = match record.kind {
                RecordType::Mx => !matches!(place, Place::Host(_)) || exchange == ".",
                _ => false,
            };
            if !follows {
                return Err(self.own(data));
            }
            if exchange != "." {
                self.to.place(&place)?;
            }
        }
        Ok(())
    }
}
