//! The state of the world's DNS, and its one pure answer.
//!
//! The lab is the whole world: a name in none of its zones does not exist (NXDOMAIN, with a SOA of the root),
//! and names between the root and a zone exist, so that a resolver that walks down from the root arrives. It
//! answers as authority and as the caching resolver of a site at once (AA and RA).

mod fault;
mod find;
mod log;
mod message;
mod place;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use bytes::Bytes;
use hickory_proto::op::{Message, ResponseCode};
use mxdrill_net::{DomainName, Tag, Time};

pub use fault::{DnsFault, How};
pub use log::{QueryCount, QueryLog};

use crate::{Record, RecordData, RecordType, Zones};
use fault::Faults;
use message::Received;

/// What carries a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams: answers that do not fit are cut, and say so (TC).
    Udp,
    /// Streams: messages of up to 65,535 octets, each after its length.
    Tcp,
}

/// What to do with a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The message to send; `None` stays silent.
    pub bytes: Option<Bytes>,
    /// How long to hold it back.
    pub delay: Duration,
    /// The faults that changed it.
    pub bit: Vec<Tag>,
}

/// Zones, faults and query log: the state of a world's DNS.
#[derive(Debug, Default)]
pub struct Authority {
    zones: Zones,
    faults: Faults,
    log: QueryLog,
    bitten: BTreeSet<Tag>,
    secure: bool,
}

impl Authority {
    /// Serves these zones, without faults.
    pub fn new(zones: Zones) -> Authority {
        Authority { zones, ..Authority::default() }
    }

    /// Whether answers say that they are authentic (AD) to those who ask (RFC 6840 5.8). There are no
    /// signatures: this plays a resolver that has checked them.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Authority {
        self.secure = secure;
        self
    }

    /// What is served now.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    /// Replaces the records of a name and type. `records` carry data; owner and type are the given ones, so
    /// records of another type are left out.
    pub fn set(
        &mut self,
        name: &DomainName,
        kind: RecordType,
        ttl: u32,
        records: impl IntoIterator<Item = RecordData>,
    ) {
        self.zones.remove(name, Some(kind));
        for data in records.into_iter().filter(|data| data.kind() == kind) {
            self.zones.insert(Record { name: name.clone(), ttl, data });
        }
    }

    /// Deletes the records of a name and type, or of every type. Says whether there were any.
    pub fn delete(&mut self, name: &DomainName, kind: Option<RecordType>) -> bool {
        self.zones.remove(name, kind)
    }

    /// Begins a fault. A stale one answers from the records of this moment.
    pub fn fault(&mut self, tag: Tag, fault: DnsFault) {
        self.faults.begin(tag, fault, &self.zones);
    }

    /// Ends the faults with this tag. Says whether there were any.
    pub fn clear(&mut self, tag: Tag) -> bool {
        self.faults.end(tag)
    }

    /// What was asked, by whom, how often.
    pub fn queries(&self) -> &QueryLog {
        &self.log
    }

    /// The faults that bit since this was last asked: for worlds where no process records [`Response::bit`].
    pub fn take_bitten(&mut self) -> BTreeSet<Tag> {
        std::mem::take(&mut self.bitten)
    }

    /// The answer to a message, whatever it is.
    ///
    /// Silent for what is itself a response (RFC 5358: not to be bounced between servers) or shorter than a
    /// header; FORMERR for what has a header and no sense beyond it.
    pub fn answer(&mut self, now: Time, query: &[u8], via: Transport, from: IpAddr) -> Response {
        let query = match message::receive(query) {
            Received::Nothing => return Response::default(),
            Received::Refused(refusal) => return message::whole(&refusal, Response::default()),
            Received::Query(query) => query,
        };
        let found = self.resolve(&query.queries[0], via);
        self.log.count(now, &query.queries[0], from);
        self.bitten.extend(&found.bit);
        let response = Response { bytes: None, delay: found.delay, bit: found.bit };
        if found.silent {
            return response;
        }
        let mut message = message::respond(&query);
        message.metadata.response_code = found.code;
        message.metadata.authoritative = matches!(found.code, ResponseCode::NoError | ResponseCode::NXDomain);
        message.metadata.authentic_data =
            self.secure && message.metadata.authoritative && asks_authentic(&query);
        message.answers = found.answers;
        message.authorities = found.authority.into_iter().collect();
        message::fitted(message, found.truncate, via, &query, response)
    }
}

/// RFC 6840 5.7, RFC 3225: the client understands AD if it sets AD or DO.
fn asks_authentic(query: &Message) -> bool {
    query.metadata.authentic_data || query.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok)
}
