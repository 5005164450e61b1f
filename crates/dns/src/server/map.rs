//! Scenario addresses and the real ones behind them, for clients from outside the world.

use std::net::{IpAddr, SocketAddr};

use hickory_proto::{
    op::Message,
    rr::{Name, RData, Record, RecordType, rdata::AAAA},
};

/// What stands for what in a live world.
pub trait Map: Send + Sync {
    /// Whether a client is not a host of the world, and so has to be told real addresses.
    fn is_foreign(&self, client: SocketAddr) -> bool;
    /// The real address behind one of the scenario; others stay as they are.
    fn actual(&self, scenario: IpAddr) -> IpAddr;
    /// The scenario's address for a real one; others stay as they are.
    fn scenario(&self, actual: IpAddr) -> IpAddr;
}

/// The question for the scenario's address, when a client asks for the name of a real one. `None` leaves it.
pub(super) fn question(map: &dyn Map, query: &[u8]) -> Option<Vec<u8>> {
    let mut message = Message::from_vec(query).ok()?;
    let [asked] = &mut *message.queries else { return None };
    if asked.query_type() != RecordType::PTR {
        return None;
    }
    let net = asked.name().parse_arpa_name().ok()?;
    // fewer labels than an address has name a whole network
    if net.prefix_len() < net.max_prefix_len() {
        return None;
    }
    let address = net.addr();
    let scenario = map.scenario(address);
    if scenario == address {
        return None;
    }
    asked.name = Name::from(scenario);
    message.to_vec().ok()
}

/// Rewrites an answer: real addresses, and the owner that was asked for.
pub(super) fn answer(map: &dyn Map, message: &mut Message, asked: Option<&Name>) {
    let [question] = &*message.queries else { return };
    let (ours, theirs) = (question.name().clone(), asked.cloned());
    for record in &mut message.answers {
        record_out(map, record);
        if let Some(theirs) = theirs.as_ref().filter(|_| record.name == ours) {
            record.name = theirs.clone();
        }
    }
}

fn record_out(map: &dyn Map, record: &mut Record) {
    match &mut record.data {
        RData::A(address) => {
            if let IpAddr::V4(actual) = map.actual(address.0.into()) {
                *address = actual.into();
            }
        }
        // an IPv6 address of the scenario may be an IPv4 loopback address in life: written as mapped (RFC 4291
        // 2.5.5.2), which connects through an IPv6 socket
        RData::AAAA(address) => {
            *address = match map.actual(address.0.into()) {
                IpAddr::V4(actual) => AAAA(actual.to_ipv6_mapped()),
                IpAddr::V6(actual) => AAAA(actual),
            }
        }
        _ => {}
    }
}
