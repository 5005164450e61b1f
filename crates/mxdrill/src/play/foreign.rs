//! Mail of programs that are no hosts of the world. Nobody announces it, so it is announced when a host first
//! takes it: from then on the books treat it as the drill's own.

use std::net::IpAddr;

use bytes::Bytes;
use mxdrill_ledger::{Deed, Fact, Taken};
use mxdrill_mta::{Fact as Node, Message, MessageKey};
use mxdrill_net::{HostId, Index};
use mxdrill_smtp::Address;

use crate::plan::Plan;

/// No send step of the scenario.
const NO_SEND: u32 = u32::MAX;

/// Tells foreign mail from the world's own, and numbers it.
pub(super) struct Foreign {
    /// The addresses of the world's hosts: what comes from there has been announced.
    hosts: Vec<IpAddr>,
    originator: HostId,
    /// Messages known, the drill's own among them. Mail without a Message-ID is known by its content.
    numbers: Index<MessageKey, u32>,
    next: u32,
}

impl Foreign {
    /// Nothing came yet. Numbers go on after those of the scenario's own mail.
    pub(super) fn new(plan: &Plan) -> Foreign {
        let hosts = plan.cast.members().flat_map(|(_, member)| member.addresses.iter().copied()).collect();
        let next = plan.messages() + 1;
        Foreign { hosts, originator: plan.cast.originator(), numbers: Index::default(), next }
    }

    /// The number of a message, if it is known.
    pub(super) fn number(&self, key: MessageKey) -> Option<u32> {
        self.numbers.get(&key).copied()
    }

    /// What has to be booked before a fact, so that its message is known.
    pub(super) fn announce(&mut self, host: HostId, fact: &Fact) -> Vec<(HostId, Deed)> {
        match fact {
            Fact::Drill(Deed::Sending { number, key, .. }) => {
                self.numbers.insert(*key, *number);
                Vec::new()
            }
            Fact::Mta(Node::Accepted { message, peer, .. }) if !self.hosts.contains(peer) => {
                self.deeds(host, message, addresses(message, 0..message.recipients.len()))
            }
            // what a former lab left in the spool is acknowledged mail, too
            Fact::Mta(Node::Recovered { message, pending }) if !message.reverse_path.is_null() => {
                self.deeds(host, message, addresses(message, pending.iter().copied().map(usize::from)))
            }
            _ => Vec::new(),
        }
    }

    /// The deeds of a message that is not known yet: sent, and acknowledged by the host that has it.
    fn deeds(&mut self, host: HostId, message: &Message, to: Vec<Address>) -> Vec<(HostId, Deed)> {
        if to.is_empty() || self.numbers.get(&message.key).is_some() {
            return Vec::new();
        }
        let number = self.next;
        self.next += 1;
        self.numbers.insert(message.key, number);
        let sent = |recipient| Deed::Sent { number, recipient, taken: Taken::Acknowledged, by: None };
        let count = u16::try_from(to.len()).unwrap_or(u16::MAX);
        let sending = Deed::Sending {
            number,
            send: NO_SEND,
            key: message.key,
            from: message.reverse_path.clone(),
            forged: false,
            to: to.into(),
            header: without_trace(&message.header),
            body: message.body.clone(),
        };
        let mut deeds = vec![(self.originator, sending)];
        deeds.extend((0..count).map(|recipient| (host, sent(recipient))));
        deeds
    }
}

fn addresses(message: &Message, places: impl Iterator<Item = usize>) -> Vec<Address> {
    places.filter_map(|place| Some(message.recipients.get(place)?.address.clone())).collect()
}

/// The header as the client sent it: without the Received field that the host put on top (RFC 5321 4.4).
fn without_trace(header: &Bytes) -> Bytes {
    let is_received = header.get(..9).is_some_and(|name| name.eq_ignore_ascii_case(b"received:"));
    if is_received { header.slice(field_length(header)..) } else { header.clone() }
}

/// The length of the first field with its continuation lines (RFC 5322 2.2.3).
fn field_length(header: &[u8]) -> usize {
    let ends = header.iter().enumerate().filter(|(_, octet)| **octet == b'\n').map(|(at, _)| at + 1);
    let mut last = ends.skip_while(|end| matches!(header.get(*end), Some(b' ' | b'\t')));
    last.next().unwrap_or(header.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &'static str, expected: &str) {
        assert_eq!(without_trace(&Bytes::from_static(header.as_bytes())), expected.as_bytes(), "{header:?}");
    }

    #[test]
    fn only_the_hosts_own_trace_field_is_taken_off() {
        check("Subject: a\r\n\r\n", "Subject: a\r\n\r\n");
        check("Received: from a\r\n\tby b;\r\n\tnow\r\nSubject: a\r\n\r\n", "Subject: a\r\n\r\n");
        check("received: x\r\nReceived: y\r\n\r\n", "Received: y\r\n\r\n");
        check("Received: x", "");
        check("", "");
    }
}
