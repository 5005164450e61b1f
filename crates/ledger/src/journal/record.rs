//! The encoding of one fact: kind, time, host, then its fields in order; little-endian, strings and lists behind
//! their length. A domain name is spelled out once and then goes by its number. Numbers once given to a kind or a
//! variant never change.

use std::net::{IpAddr, SocketAddr};

use mxdrill_dns::{Outcome, RecordType};
use mxdrill_mta::{Basis, Discard, GiveUp, HostPolicy, Message, Rejection, Route, Skip, Target};
use mxdrill_net::{Closed, ConnectError, DomainName, HostId, Time};
use mxdrill_smtp::{Address, Enhanced, Failure, Reply, ReversePath, Stage, TlsFailure};

use crate::{Deed, Fact, Taken};

/// Domain names that have a number; those beyond are always spelled out.
const NAMES_MAX: usize = 254;

/// Stands before a name that is spelled out; in the order of their first mention, names get numbers from 0.
const SPELLED: u8 = 255;

/// The domain names mentioned so far.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<DomainName>);

/// Appends the record of a fact.
pub(super) fn write(out: &mut Vec<u8>, names: &mut Names, at: Time, host: HostId, fact: &Fact) {
    let mut record = Record { out, names };
    match fact {
        Fact::Net(fact) => record.net(at, host, fact),
        Fact::Dns(fact) => record.dns(at, host, fact),
        Fact::Mta(fact) => record.mta(at, host, fact),
        Fact::Drill(deed) => record.deed(at, host, deed),
    }
}

struct Record<'a> {
    out: &'a mut Vec<u8>,
    names: &'a mut Names,
}

impl Record<'_> {
    fn head(&mut self, kind: u8, at: Time, host: HostId) -> &mut Self {
        let mut head = [0; 11];
        head[0] = kind;
        head[1..9].copy_from_slice(&at.as_nanos().to_le_bytes());
        head[9..].copy_from_slice(&host.0.to_le_bytes());
        self.out.extend_from_slice(&head);
        self
    }

    fn byte(&mut self, value: u8) -> &mut Self {
        self.out.push(value);
        self
    }

    fn short(&mut self, value: u16) -> &mut Self {
        self.out.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn word(&mut self, value: u32) -> &mut Self {
        self.out.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn long(&mut self, value: u64) -> &mut Self {
        self.out.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn time(&mut self, value: Time) -> &mut Self {
        self.long(value.as_nanos())
    }

    fn text(&mut self, value: &str) -> &mut Self {
        self.word(value.len() as u32);
        self.out.extend_from_slice(value.as_bytes());
        self
    }

    fn name(&mut self, value: &DomainName) -> &mut Self {
        if let Some(number) = self.names.0.iter().position(|name| name == value) {
            return self.byte(number as u8);
        }
        if self.names.0.len() < NAMES_MAX {
            self.names.0.push(value.clone());
        }
        self.byte(SPELLED).text(value.as_str())
    }

    /// A local part: at most 64 octets (RFC 5321 4.5.3.1.1).
    fn local_part(&mut self, value: &str) -> &mut Self {
        self.byte(value.len() as u8);
        self.out.extend_from_slice(value.as_bytes());
        self
    }

    fn ip(&mut self, value: IpAddr) -> &mut Self {
        match value {
            IpAddr::V4(v4) => {
                self.byte(4);
                self.out.extend_from_slice(&v4.octets());
            }
            IpAddr::V6(v6) => {
                self.byte(6);
                self.out.extend_from_slice(&v6.octets());
            }
        }
        self
    }

    fn socket(&mut self, value: SocketAddr) -> &mut Self {
        self.ip(value.ip()).short(value.port())
    }

    fn address(&mut self, value: &Address) -> &mut Self {
        self.local_part(value.local()).name(value.domain())
    }

    fn reverse_path(&mut self, value: &ReversePath) -> &mut Self {
        match &value.0 {
            None => self.byte(0),
            Some(address) => self.byte(1).address(address),
        }
    }

    fn reply(&mut self, value: &Reply) -> &mut Self {
        self.short(value.code.number());
        match value.enhanced {
            None => self.byte(0),
            Some(enhanced) => self.enhanced(enhanced),
        };
        self.text(&value.text)
    }

    fn enhanced(&mut self, Enhanced(class, subject, detail): Enhanced) -> &mut Self {
        self.byte(class).short(subject).short(detail)
    }

    /// A message where it was seen before: its name is enough.
    fn known(&mut self, message: &Message, recipient: u16) -> &mut Self {
        self.long(message.key.0).short(recipient)
    }

    /// A message where it is first seen at a host: envelope and sizes.
    fn message(&mut self, message: &Message) -> &mut Self {
        self.long(message.key.0).reverse_path(&message.reverse_path);
        self.word(message.header.len() as u32).word(message.body.len() as u32);
        self.byte(u8::from(message.eight_bit) | u8::from(message.utf8) << 1);
        self.short(message.recipients.len() as u16);
        for recipient in &message.recipients {
            self.address(&recipient.address);
        }
        self
    }

    fn target(&mut self, target: &Target) -> &mut Self {
        self.short(target.preference).name(&target.host).ip(target.address).byte(target.security as u8)
    }
}

impl Record<'_> {
    fn net(&mut self, at: Time, host: HostId, fact: &mxdrill_net::Fact) {
        use mxdrill_net::Fact::*;
        match fact {
            Connected { conn, to } => self.head(1, at, host).long(conn.0).socket(*to),
            ConnectFailed { conn, to, why } => {
                self.head(2, at, host).long(conn.0).socket(*to).byte(connect_error(*why))
            }
            Incoming { conn, from } => self.head(3, at, host).long(conn.0).socket(*from),
            Gone { conn, how } => self.head(4, at, host).long(conn.0).byte(closed(*how)),
            Crashed => self.head(5, at, host),
            Restarted => self.head(6, at, host),
            Bit(tag) => self.head(7, at, host).word(tag.0),
        };
    }

    fn dns(&mut self, at: Time, host: HostId, fact: &mxdrill_dns::Fact) {
        use mxdrill_dns::Fact::*;
        match fact {
            Asked { name, kind } => self.head(16, at, host).name(name).byte(record_type(*kind)),
            Answered { name, kind, outcome } => {
                self.head(17, at, host).name(name).byte(record_type(*kind)).outcome(*outcome)
            }
        };
    }

    fn outcome(&mut self, outcome: Outcome) -> &mut Self {
        match outcome {
            Outcome::Records(count) => self.byte(0).short(count),
            Outcome::NoData => self.byte(1),
            Outcome::NxDomain => self.byte(2),
            Outcome::ServFail => self.byte(3),
            Outcome::Refused => self.byte(4),
            Outcome::Timeout => self.byte(5),
        }
    }

    fn mta(&mut self, at: Time, host: HostId, fact: &mxdrill_mta::Fact) {
        use mxdrill_mta::Fact::*;
        match fact {
            Accepted { message, conn, peer } => {
                self.head(32, at, host).message(message).long(conn.0).ip(*peer)
            }
            TurnedAway { peer, stage, reply, recipient, key } => self.head(33, at, host).turned_away(
                *peer,
                *stage,
                reply,
                recipient.as_ref(),
                key.map(|key| key.0),
            ),
            Delivered { message, recipient } => self.head(34, at, host).known(message, *recipient),
            Began { message, destination } => self.head(35, at, host).long(message.key.0).name(destination),
            Routed { destination, route } => self.head(36, at, host).name(destination).route(route),
            Skipped { destination, host: mx, preference, why } => {
                self.head(37, at, host).name(destination).name(mx).short(*preference).byte(skip(*why))
            }
            Failed { destination, target, stage, failure } => self
                .head(38, at, host)
                .name(destination)
                .target(target)
                .byte(stage_number(*stage))
                .failure(failure),
            Relayed { message, recipient, target, began } => {
                self.head(39, at, host).known(message, *recipient).target(target).time(*began)
            }
            Rejected { message, recipient, target, stage, rejection } => {
                self.head(40, at, host).known(message, *recipient).target(target).byte(stage_number(*stage));
                self.rejection(rejection)
            }
            InDoubt { message, recipient, target } => {
                self.head(41, at, host).known(message, *recipient).target(target)
            }
            Deferred { .. }
            | GivenUp { .. }
            | Bounced { .. }
            | Discarded { .. }
            | Warned { .. }
            | Recovered { .. }
            | Policy { .. }
            | Flushed
            | Holds { .. } => self.mta_queue(at, host, fact),
        };
    }

    /// The facts about the queue rather than the dialogue.
    fn mta_queue(&mut self, at: Time, host: HostId, fact: &mxdrill_mta::Fact) -> &mut Self {
        use mxdrill_mta::Fact::*;
        match fact {
            Deferred { destination, count, attempted, next } => {
                self.head(42, at, host).name(destination).word(*count).byte(u8::from(*attempted)).time(*next)
            }
            GivenUp { message, recipient, why, status, text } => self
                .head(43, at, host)
                .known(message, *recipient)
                .byte(give_up(*why))
                .enhanced(*status)
                .text(text),
            Bounced { message, recipient, dsn } => {
                self.head(44, at, host).known(message, *recipient).message(dsn)
            }
            Discarded { message, recipient, why } => {
                self.head(45, at, host).known(message, *recipient).byte(discard(*why))
            }
            Warned { message, dsn } => self.head(46, at, host).long(message.key.0).message(dsn),
            Recovered { message, pending } => {
                self.head(47, at, host).message(message).word(pending.len() as u32);
                for recipient in pending {
                    self.short(*recipient);
                }
                self
            }
            Policy { domain, fetched } => self.head(50, at, host).name(domain).byte(match fetched {
                Ok(mode) => *mode as u8,
                Err(why) => 16 + *why as u8,
            }),
            Flushed => self.head(48, at, host),
            Holds { message, recipient } => self.head(49, at, host).known(message, *recipient),
            Accepted { .. }
            | TurnedAway { .. }
            | Delivered { .. }
            | Began { .. }
            | Routed { .. }
            | Skipped { .. }
            | Failed { .. }
            | Relayed { .. }
            | Rejected { .. }
            | InDoubt { .. } => unreachable!("the facts of the dialogue are written by `mta`"),
        }
    }

    fn turned_away(
        &mut self,
        peer: IpAddr,
        stage: Stage,
        reply: &Reply,
        recipient: Option<&Address>,
        key: Option<u64>,
    ) -> &mut Self {
        self.ip(peer).byte(stage_number(stage)).reply(reply);
        match recipient {
            None => self.byte(0),
            Some(address) => self.byte(1).address(address),
        };
        match key {
            None => self.byte(0),
            Some(key) => self.byte(1).long(key),
        }
    }

    fn route(&mut self, route: &Route) -> &mut Self {
        match route.basis {
            Basis::Mx => self.byte(0),
            Basis::Implicit => self.byte(1),
            Basis::Static => self.byte(2),
            Basis::NullMx => self.byte(3),
            Basis::Unresolved(outcome) => self.byte(4).outcome(outcome),
        };
        match route.own {
            None => self.byte(0),
            Some(own) => self.byte(1).short(own),
        };
        self.short(route.hosts.len() as u16);
        for host in &route.hosts {
            self.short(host.preference).name(&host.name).byte(u8::from(host.dropped));
            self.host_policy(&host.policy);
            match &host.addresses {
                Err(outcome) => _ = self.byte(0).outcome(*outcome),
                Ok(addresses) => {
                    self.byte(1).short(addresses.len() as u16);
                    addresses.iter().for_each(|address| _ = self.ip(*address));
                }
            }
        }
        self
    }

    fn failure(&mut self, failure: &Failure) -> &mut Self {
        match failure {
            Failure::Connect(why) => self.byte(0).byte(connect_error(*why)),
            Failure::Timeout => self.byte(1),
            Failure::Lost => self.byte(2),
            Failure::Reply(reply) => self.byte(3).reply(reply),
            Failure::Garbled => self.byte(4),
            Failure::Tls(why) => self.byte(5).tls_failure(why),
        }
    }

    fn tls_failure(&mut self, why: &TlsFailure) -> &mut Self {
        match why {
            TlsFailure::NotOffered => self.byte(0),
            TlsFailure::Rejected(reply) => self.byte(1).reply(reply),
            TlsFailure::Handshake => self.byte(2),
            TlsFailure::Certificate(problem) => self.byte(3).byte(*problem as u8),
        }
    }

    fn host_policy(&mut self, policy: &HostPolicy) -> &mut Self {
        match policy {
            HostPolicy::None => self.byte(0),
            HostPolicy::Dane(pins) => self.byte(1).short(pins.len() as u16),
            HostPolicy::Unknown(outcome) => self.byte(2).outcome(*outcome),
            HostPolicy::Sts => self.byte(3),
            HostPolicy::Outside => self.byte(4),
        }
    }

    fn rejection(&mut self, rejection: &Rejection) -> &mut Self {
        match rejection {
            Rejection::Temporary(reply) => self.byte(4).reply(reply),
            Rejection::Permanent(reply) => self.byte(5).reply(reply),
        }
    }

    fn deed(&mut self, at: Time, host: HostId, deed: &Deed) {
        match deed {
            Deed::Sends { send, from, to, count, over } => {
                self.head(64, at, host).word(*send).reverse_path(from).text(to).word(*count);
                self.long(over.as_nanos() as u64)
            }
            Deed::Flush => self.head(65, at, host),
            Deed::Set { text } => self.head(66, at, host).text(text),
            Deed::Expected { expectation, found, held } => {
                self.head(67, at, host).text(&expectation.to_string());
                self.text(&found.to_string()).byte(u8::from(*held))
            }
            Deed::Sending { number, send, key, from, forged, to, header, body } => {
                self.head(68, at, host).word(*number).word(*send).long(key.0).reverse_path(from);
                self.byte(u8::from(*forged)).word(header.len() as u32).word(body.len() as u32);
                self.short(to.len() as u16);
                to.iter().for_each(|address| _ = self.address(address));
                self
            }
            Deed::Sent { number, recipient, taken, .. } => {
                self.head(69, at, host).word(*number).short(*recipient).taken(taken)
            }
            Deed::Fault { tag, begins } => self.head(70, at, host).word(tag.0).byte(u8::from(*begins)),
            Deed::Looked => self.head(71, at, host),
            Deed::Ended { wall } => self.head(72, at, host).long(wall.as_nanos() as u64),
        };
    }

    fn taken(&mut self, taken: &Taken) -> &mut Self {
        match taken {
            Taken::Acknowledged => self.byte(0),
            Taken::Rejected(reply) => self.byte(1).reply(reply),
            Taken::InDoubt => self.byte(2),
            Taken::Unreached => self.byte(3),
        }
    }
}

fn connect_error(why: ConnectError) -> u8 {
    match why {
        ConnectError::Refused => 0,
        ConnectError::TimedOut => 1,
        ConnectError::Unreachable => 2,
    }
}

fn closed(how: Option<Closed>) -> u8 {
    match how {
        None => 0,
        Some(Closed::Eof) => 1,
        Some(Closed::Reset) => 2,
    }
}

/// The type's number in the DNS: all of those served are below 256.
fn record_type(kind: RecordType) -> u8 {
    match kind {
        RecordType::A => 1,
        RecordType::Ns => 2,
        RecordType::Cname => 5,
        RecordType::Soa => 6,
        RecordType::Ptr => 12,
        RecordType::Mx => 15,
        RecordType::Txt => 16,
        RecordType::Aaaa => 28,
        RecordType::Tlsa => 52,
    }
}

fn stage_number(stage: Stage) -> u8 {
    match stage {
        Stage::Connect => 0,
        Stage::Greeting => 1,
        Stage::Ehlo => 2,
        Stage::StartTls => 3,
        Stage::Mail => 4,
        Stage::Rcpt => 5,
        Stage::Data => 6,
        Stage::Dot => 7,
        Stage::Quit => 8,
    }
}

fn skip(why: Skip) -> u8 {
    match why {
        Skip::Remembered => 0,
        Skip::AddressLimit => 1,
        Skip::SessionLimit => 2,
        Skip::Unresolved => 3,
        Skip::OpenSession => 4,
        Skip::TlsPolicy => 5,
        Skip::Extension => 6,
    }
}

fn give_up(why: GiveUp) -> u8 {
    match why {
        GiveUp::Expired => 0,
        GiveUp::Rejected => 1,
        GiveUp::NxDomain => 2,
        GiveUp::NullMx => 3,
        GiveUp::NoAddress => 4,
        GiveUp::BestMxIsSelf => 5,
        GiveUp::Loop => 6,
        GiveUp::Extension => 7,
    }
}

fn discard(why: Discard) -> u8 {
    match why {
        Discard::NullReversePath => 0,
        Discard::NotifyNever => 1,
        Discard::Filtered => 2,
    }
}
