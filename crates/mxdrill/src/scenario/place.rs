//! Which host is the primary, which the backup: places follow from the MX preferences in the zone.

use mxdrill_net::DomainName;

use super::{Action, DnsName, FaultKind, Host, HostFault, Place, Scenario};

/// Why a place, or a label, is no host of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// No host has that label.
    #[error("unknown host `{0}`")]
    Unknown(String),
    /// The MX of the domain name too few hosts.
    #[error("no host has the place `{place}`: the MX of {domain} name {count} of the hosts")]
    NoPlace {
        /// The place.
        place: Place,
        /// The domain.
        domain: String,
        /// How many.
        count: usize,
    },
}

impl Scenario {
    /// The domain that the drill is about: the first that a host delivers, else relays, else the first zone.
    pub fn domain(&self) -> Option<&DomainName> {
        let delivered = self.hosts.iter().find_map(|host| host.delivers.first());
        let relayed = || self.hosts.iter().find_map(|host| host.relays.first());
        delivered.or_else(relayed).or_else(|| self.zone.origin())
    }

    /// The hosts of the drill's domain, best MX preference first, equals in the order of the zone; each once,
    /// at its best preference. Without MX, the host that is the domain itself (RFC 5321 5.1).
    pub fn ranking(&self) -> Vec<&Host> {
        let Some(domain) = self.domain() else { return Vec::new() };
        let mut mx = self.zone.zones.mx(domain);
        mx.sort_by_key(|(preference, _)| *preference);
        let mut ranking: Vec<&Host> = Vec::new();
        let names = mx.into_iter().filter_map(|(_, name)| name);
        for host in names.filter_map(|name| self.hosts.iter().find(|host| host.name == name)) {
            if !ranking.iter().any(|known| known.label == host.label) {
                ranking.push(host);
            }
        }
        if ranking.is_empty() {
            ranking.extend(self.hosts.iter().find(|host| host.name == *domain));
        }
        ranking
    }

    /// The host of that label or full name.
    pub fn host(&self, name: &str) -> Option<&Host> {
        let by_label = self.hosts.iter().find(|host| host.label == name);
        by_label.or_else(|| self.hosts.iter().find(|host| host.name.as_str() == name))
    }

    /// The label of the host at a place.
    ///
    /// `sender` is the only host that neither delivers nor relays nor is an MX, or one of that label, or else the
    /// implicit one of [`Scenario::sender`].
    ///
    /// # Errors
    /// When no host of the scenario is there.
    pub fn place(&self, place: &Place) -> Result<&str, PlaceError> {
        let rank = match place {
            Place::Sender => return Ok(self.declared_sender().map_or("sender", |host| &host.label)),
            Place::Host(label) => {
                let host = self.host(label);
                return host
                    .map(|host| host.label.as_str())
                    .ok_or_else(|| PlaceError::Unknown(label.clone()));
            }
            Place::Primary => 0,
            Place::Backup(n) => usize::from(*n),
        };
        let ranking = self.ranking();
        ranking.get(rank).map(|host| host.label.as_str()).ok_or_else(|| PlaceError::NoPlace {
            place: place.clone(),
            domain: self.domain().map_or_else(|| "no domain".into(), ToString::to_string),
            count: ranking.len(),
        })
    }

    fn declared_sender(&self) -> Option<&Host> {
        // A published backup that was never told to relay is a mistake to be shown, not a second sender.
        let ranking = self.ranking();
        let published = |host: &Host| ranking.iter().any(|known| known.label == host.label);
        let mut only = self.hosts.iter().filter(|host| host.only_sends() && !published(host));
        let (first, second) = (only.next(), only.next());
        self.host("sender").or(if second.is_none() { first } else { None })
    }

    /// The implicit sender, where a step needs one and no host of the scenario is it: `sender`, a label of the
    /// first zone, of the default profile.
    pub fn sender(&self) -> Option<Host> {
        if self.declared_sender().is_some() || !self.places().any(|place| *place == Place::Sender) {
            return None;
        }
        Some(Host::new("sender", self.implicit_name()?))
    }

    /// The name that the implicit sender has.
    fn implicit_name(&self) -> Option<DomainName> {
        self.zone.origin()?.child("sender").ok()
    }

    /// All places that steps name.
    fn places(&self) -> impl Iterator<Item = &Place> {
        self.steps.iter().flat_map(|step| step.action.places())
    }

    /// The name in the DNS that a step means.
    ///
    /// # Errors
    /// When it names a host that is not there.
    pub fn dns_name(&self, name: &DnsName) -> Result<DomainName, PlaceError> {
        match name {
            DnsName::Name(name) => Ok(name.clone()),
            DnsName::Own => self.domain().cloned().ok_or_else(|| PlaceError::Unknown("@".into())),
            DnsName::Host(place) => {
                let label = self.place(place)?;
                let name = self.host(label).map(|host| host.name.clone()).or_else(|| self.implicit_name());
                name.ok_or_else(|| PlaceError::Unknown(label.into()))
            }
        }
    }
}

impl Action {
    /// The places it names.
    pub fn places(&self) -> Vec<&Place> {
        match self {
            Action::Send(send) => vec![&send.by],
            Action::Fault(fault) => fault.kind.places(),
            Action::Clear(clear) => clear.places(),
            Action::Flush(place) => vec![place],
            Action::Set(record) => record.name.place().into_iter().collect(),
            Action::Expect(_) => Vec::new(),
        }
    }
}

impl FaultKind {
    fn places(&self) -> Vec<&Place> {
        match self {
            FaultKind::Host(place, fault) => [place].into_iter().chain(fault.client()).collect(),
            FaultKind::Link { from, to, .. } => vec![from, to],
            FaultKind::Dns { name, .. } => name.place().into_iter().collect(),
        }
    }
}

impl HostFault {
    /// The client that it matches, where it does.
    fn client(&self) -> Option<&Place> {
        match self {
            HostFault::Dialogue(dialogue) => dialogue.matching.client.as_ref(),
            HostFault::Crash(Some(crash)) => crash.matching.client.as_ref(),
            _ => None,
        }
    }
}

impl super::Clear {
    fn places(&self) -> Vec<&Place> {
        match self {
            super::Clear::Host(place) => vec![place],
            super::Clear::Link { from, to, .. } => vec![from, to],
            super::Clear::Dns { name, .. } => name.place().into_iter().collect(),
            super::Clear::Fault(_) => Vec::new(),
        }
    }
}

impl DnsName {
    fn place(&self) -> Option<&Place> {
        match self {
            DnsName::Host(place) => Some(place),
            DnsName::Own | DnsName::Name(_) => None,
        }
    }
}
