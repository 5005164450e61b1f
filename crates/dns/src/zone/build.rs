//! Zones made and changed record by record.

use std::{net::IpAddr, sync::Arc};

use hickory_proto::rr::Name;
use mxdrill_net::DomainName;

use super::{Tree, Zones};
use crate::{Record, RecordData, RecordType, Soa, wire};

impl Zones {
    /// Adds a zone, even without records. Does nothing inside an existing zone; takes in the zones below.
    #[must_use]
    pub fn with_zone(mut self, apex: &DomainName) -> Zones {
        self.open(apex);
        self
    }

    /// Adds a record.
    #[must_use]
    pub fn with(mut self, record: Record) -> Zones {
        self.insert(record);
        self
    }

    /// Adds a mail exchanger.
    #[must_use]
    pub fn with_mx(self, domain: &DomainName, preference: u16, exchange: &DomainName) -> Zones {
        let data = RecordData::Mx { preference, exchange: Some(exchange.clone()) };
        self.with(Record::new(domain.clone(), data))
    }

    /// Says that a domain takes no mail (RFC 7505 3: the only MX, with preference 0).
    #[must_use]
    pub fn with_null_mx(self, domain: &DomainName) -> Zones {
        self.with(Record::new(domain.clone(), RecordData::Mx { preference: 0, exchange: None }))
    }

    /// Adds an A or AAAA record.
    #[must_use]
    pub fn with_address(self, name: &DomainName, address: IpAddr) -> Zones {
        self.with(Record::new(name.clone(), address.into()))
    }

    /// Makes a name an alias.
    #[must_use]
    pub fn with_cname(self, name: &DomainName, target: &DomainName) -> Zones {
        self.with(Record::new(name.clone(), RecordData::Cname(target.clone())))
    }

    /// Adds a zone. Inside an existing zone it does nothing; zones below become part of it.
    pub fn open(&mut self, apex: &DomainName) {
        let Some(apex) = wire::ascii(apex) else { return };
        if self.apex_of(&apex).is_none() {
            Arc::make_mut(&mut self.0).open(apex);
        }
    }

    /// Adds a record. A name in no zone opens one of its own. The same record twice is one record (RFC 2181
    /// 5); records whose owner has no wire form are dropped.
    pub fn insert(&mut self, mut record: Record) {
        let Some(name) = wire::ascii(&record.name) else { return };
        record.name = name;
        if self.apex_of(&record.name).is_none() {
            self.open(&record.name.clone());
        }
        Arc::make_mut(&mut self.0).insert(record);
    }

    /// Removes the given records of a name and type, or of every type. Says whether there were any.
    pub fn remove(&mut self, name: &DomainName, kind: Option<RecordType>) -> bool {
        let Some(name) = wire::ascii(name) else { return false };
        let goes = |record: &Record| kind.is_none_or(|kind| record.kind() == kind);
        let any = self.0.nodes.get(&name).is_some_and(|node| node.given.iter().any(goes));
        if any {
            let tree = Arc::make_mut(&mut self.0);
            tree.nodes.entry(name).or_default().given.retain(|record| !goes(record));
            tree.rebuild();
        }
        any
    }

    /// Takes in the zones of another text; its zones come after.
    pub fn merge(&mut self, other: &Zones) {
        for apex in other.apexes() {
            self.open(apex);
        }
        for record in other.iter() {
            self.insert(record.clone());
        }
    }
}

impl Tree {
    fn open(&mut self, apex: DomainName) {
        let zones = self.apexes.len();
        self.apexes.retain(|other| !other.is_within(&apex));
        let took_in = self.apexes.len() < zones;
        self.apexes.push(apex.clone());
        if took_in { self.rebuild() } else { self.make_apex(&apex) }
    }

    fn insert(&mut self, record: Record) {
        self.make_reverse(&record);
        self.make_above(&record.name);
        let given = &mut self.nodes.entry(record.name.clone()).or_default().given;
        if !given.iter().any(|known| known.data == record.data) {
            given.push(record);
        }
    }

    /// Makes again all that follows from the given records.
    fn rebuild(&mut self) {
        let nodes = std::mem::take(&mut self.nodes);
        for apex in self.apexes.clone() {
            self.make_apex(&apex);
        }
        for record in nodes.into_values().flat_map(|node| node.given) {
            self.insert(record);
        }
    }

    fn make_apex(&mut self, apex: &DomainName) {
        self.make_above(apex);
        let wire = wire::name(apex);
        let soa = Soa::made(wire.as_ref());
        let node = self.nodes.entry(apex.clone()).or_default();
        node.apex = true;
        node.made.extend(wire::domain_name(&soa.primary).map(|ns| made(apex, RecordData::Ns(ns))));
        node.made.push(made(apex, RecordData::Soa(soa.into())));
    }

    /// The PTR that answers for an address unless the text gives one.
    fn make_reverse(&mut self, record: &Record) {
        let Some(address) = record.data.address() else { return };
        let Some(reverse) = wire::domain_name(&Name::from(address)) else { return };
        if record.name.first_label() == "*" {
            return;
        }
        self.make_above(&reverse);
        let pointer = made(&reverse, RecordData::Ptr(record.name.clone()));
        let pointers = &mut self.nodes.entry(reverse).or_default().made;
        if !pointers.contains(&pointer) {
            pointers.push(pointer);
        }
    }

    fn make_above(&mut self, name: &DomainName) {
        let mut above = name.parent();
        while let Some(name) = above.filter(|name| !self.nodes.contains_key(name)) {
            above = name.parent();
            self.nodes.insert(name, Default::default());
        }
    }
}

fn made(name: &DomainName, data: RecordData) -> Record {
    Record::new(name.clone(), data)
}
