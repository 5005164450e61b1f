//! Look-ups played against an authority, as a host of a world would have them.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use hickory_proto::op::Message;
use insta::assert_snapshot;
use mxdrill_net::{Closed, Command, Commands, Conn, DomainName, Seed, Tag, Time};
use proptest::prelude::*;

use super::{Answer, Asked, Lookup, LookupConfig, Ticket};
use crate::{Authority, DnsFault, Fact, How, Outcome, RecordData, RecordType, Transport, Zones};

const ZONES: &str = "
$ORIGIN example.test.
$TTL 300
@        SOA   ns hostmaster 1 2h 15m 2w 60
@        MX    10 mx1
@        MX    20 mx2
null     MX    0 .
mx1      60 A  192.0.2.10
mx2      A     192.0.2.20
alias    30 CNAME mx1
loop     CNAME pool
pool     CNAME loop
dangling CNAME nowhere
";

fn name(text: &str) -> DomainName {
    text.parse().unwrap()
}

/// A host and its resolver, and what passes between them.
struct Site {
    lookup: Lookup,
    authority: Authority,
    now: Time,
    out: Commands<Fact>,
    /// What happened, a line each.
    story: Vec<String>,
    /// Answers on their way back.
    under_way: Vec<(Time, Conn, Bytes)>,
    /// Whether the server refuses TCP.
    refuses: bool,
}

const UDP: Conn = Conn(0);

impl Site {
    fn new() -> Site {
        let server = "192.0.2.53:53".parse().unwrap();
        let config = LookupConfig::new(server, [192, 0, 2, 20].into(), Seed(1), 2);
        Site {
            lookup: Lookup::new(config),
            authority: Authority::new(Zones::parse(ZONES).unwrap()).secure(true),
            now: Time::ZERO,
            out: Commands::default(),
            story: Vec::new(),
            under_way: Vec::new(),
            refuses: false,
        }
    }

    fn fault(mut self, owner: &str, how: How) -> Site {
        self.authority.fault(Tag(1), DnsFault { name: name(owner), kind: None, how });
        self
    }

    fn ask(&mut self, owner: &str, kind: RecordType) -> Asked {
        self.lookup.ask(self.now, &name(owner), kind, &mut self.out)
    }

    /// Asks and plays on until the answer is there.
    fn answer(&mut self, owner: &str, kind: RecordType) -> Answer {
        match self.ask(owner, kind) {
            Asked::Now(answer) => answer,
            Asked::Later(ticket) => {
                self.play();
                let (answered, answer) = self.lookup.poll().expect("every question is settled");
                assert_eq!(answered, ticket);
                answer
            }
        }
    }

    /// Plays until nothing is under way.
    fn play(&mut self) {
        self.carry_out();
        loop {
            let arrival = self.under_way.iter().map(|(at, ..)| *at).min();
            let Some(next) = arrival.into_iter().chain(self.lookup.deadline()).min() else { return };
            self.now = self.now.max(next);
            match self.under_way.iter().position(|(at, ..)| *at <= self.now) {
                Some(at) => self.arrive(at),
                None => self.lookup.timer(self.now, &mut self.out),
            }
            self.carry_out();
        }
    }

    fn arrive(&mut self, at: usize) {
        let (_, conn, bytes) = self.under_way.remove(at);
        if conn == UDP {
            return self.lookup.datagram(self.now, self.server(), &bytes, &mut self.out);
        }
        // over TCP an answer comes in pieces
        for piece in [&(bytes.len() as u16).to_be_bytes()[..], &bytes[..20], &bytes[20..]] {
            self.lookup.bytes(self.now, conn, piece, &mut self.out);
        }
    }

    fn server(&self) -> SocketAddr {
        self.lookup.config.server
    }

    fn carry_out(&mut self) {
        let commands = self.out.take();
        let sent = self.out.text().to_vec();
        self.out.clear(Vec::new());
        for command in commands {
            self.carry(command, &sent);
        }
    }

    fn carry(&mut self, command: Command<Fact>, sent: &[u8]) {
        let now = self.now.as_secs_f64();
        match command {
            Command::Datagram { bytes, .. } => {
                self.story.push(format!("{now} datagram"));
                self.serve(&bytes, UDP);
            }
            Command::Connect { conn, to, .. } => {
                self.story.push(format!("{now} connect {to}"));
                if self.refuses {
                    self.lookup.connect_failed(self.now, conn, &mut self.out);
                } else {
                    self.lookup.connected(conn, &mut self.out);
                }
                self.carry_out();
            }
            Command::Send(conn, range) => {
                self.serve(&sent[range.start as usize + 2..range.end as usize], conn)
            }
            Command::Close(conn) => assert!(!self.lookup.owns(conn)),
            Command::Record(Fact::Asked { name, kind }) => {
                self.story.push(format!("{now} asks {name} {kind}"))
            }
            Command::Record(Fact::Answered { name, kind, outcome }) => {
                self.story.push(format!("{now} {name} {kind}: {outcome:?}"));
            }
            other => panic!("unexpected: {other:?}"),
        }
    }

    fn serve(&mut self, query: &[u8], conn: Conn) {
        let via = if conn == UDP { Transport::Udp } else { Transport::Tcp };
        let response = self.authority.answer(self.now, query, via, [192, 0, 2, 20].into());
        if let Some(bytes) = response.bytes {
            self.under_way.push((self.now + response.delay, conn, bytes));
        }
    }

    fn later(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    fn story(&mut self) -> String {
        std::mem::take(&mut self.story).join("\n")
    }
}

#[test]
fn mail_exchangers_are_found_and_remembered() {
    let mut site = Site::new();
    let answer = site.answer("example.test", RecordType::Mx);
    assert_eq!(answer.outcome, Outcome::Records(2));
    assert!(answer.authentic);
    assert_eq!(
        answer.records[0].data,
        RecordData::Mx { preference: 10, exchange: Some(name("mx1.example.test")) }
    );
    assert_snapshot!(site.story(), @"
    0 asks example.test MX
    0 datagram
    0 example.test MX: Records(2)
    ");
    site.later(299);
    assert_eq!(site.ask("example.test", RecordType::Mx), Asked::Now(answer.clone()));
    site.later(1);
    assert_eq!(site.answer("EXAMPLE.test", RecordType::Mx), answer);
    assert_snapshot!(site.story(), @"
    300 asks example.test MX
    300 datagram
    300 example.test MX: Records(2)
    ");
}

#[test]
fn the_null_exchanger_has_no_name() {
    let answer = Site::new().answer("null.example.test", RecordType::Mx);
    assert_eq!(answer.records[0].data, RecordData::Mx { preference: 0, exchange: None });
}

#[test]
fn absence_is_remembered_as_long_as_the_soa_says() {
    let mut site = Site::new();
    assert_eq!(site.answer("mx1.example.test", RecordType::Aaaa).outcome, Outcome::NoData);
    assert_eq!(site.answer("nowhere.example.test", RecordType::Mx).outcome, Outcome::NxDomain);
    assert_eq!(site.answer("elsewhere.org", RecordType::Mx).outcome, Outcome::NxDomain);
    site.story();
    site.later(59);
    assert!(matches!(site.ask("mx1.example.test", RecordType::Aaaa), Asked::Now(_)));
    site.later(1);
    assert!(matches!(site.ask("nowhere.example.test", RecordType::Mx), Asked::Later(_)));
}

#[test]
fn an_alias_lives_as_long_as_its_shortest_link() {
    let mut site = Site::new();
    let answer = site.answer("alias.example.test", RecordType::A);
    assert_eq!(answer.records[0].name, name("mx1.example.test"));
    site.later(29);
    assert!(matches!(site.ask("alias.example.test", RecordType::A), Asked::Now(_)));
    site.later(1);
    assert!(matches!(site.ask("alias.example.test", RecordType::A), Asked::Later(_)));
}

#[test]
fn alias_of_nothing_and_alias_of_itself() {
    let mut site = Site::new();
    assert_eq!(site.answer("alias.example.test", RecordType::Mx).outcome, Outcome::NoData);
    assert_eq!(site.answer("dangling.example.test", RecordType::A).outcome, Outcome::NxDomain);
    assert_eq!(site.answer("loop.example.test", RecordType::A).outcome, Outcome::ServFail);
}

#[test]
fn a_cut_answer_is_asked_for_over_tcp() {
    let mut site = Site::new().fault("example.test", How::Truncate);
    assert_eq!(site.answer("example.test", RecordType::Mx).outcome, Outcome::Records(2));
    assert_snapshot!(site.story(), @"
    0 asks example.test MX
    0 datagram
    0 connect 192.0.2.53:53
    0 example.test MX: Records(2)
    ");
}

#[test]
fn a_server_that_refuses_tcp_is_asked_again() {
    let mut site = Site::new().fault("example.test", How::Truncate);
    site.refuses = true;
    assert_eq!(site.answer("example.test", RecordType::Mx).outcome, Outcome::Timeout);
    assert_snapshot!(site.story(), @"
    0 asks example.test MX
    0 datagram
    0 connect 192.0.2.53:53
    0 datagram
    0 connect 192.0.2.53:53
    0 example.test MX: Timeout
    ");
}

#[test]
fn silence_is_waited_for_twice() {
    let mut site = Site::new().fault("example.test", How::Timeout);
    assert_eq!(site.answer("example.test", RecordType::Mx).outcome, Outcome::Timeout);
    assert_snapshot!(site.story(), @"
    0 asks example.test MX
    0 datagram
    5 datagram
    10 example.test MX: Timeout
    ");
    assert!(matches!(site.ask("example.test", RecordType::Mx), Asked::Later(_)));
}

#[test]
fn a_late_answer_to_the_first_try_counts() {
    let mut site = Site::new().fault("example.test", How::Delay(Duration::from_secs(7)));
    assert_eq!(site.answer("example.test", RecordType::Mx).outcome, Outcome::Records(2));
    assert_snapshot!(site.story(), @"
    0 asks example.test MX
    0 datagram
    5 datagram
    7 example.test MX: Records(2)
    ");
}

#[test]
fn failures_are_told_apart_and_not_remembered() {
    let check = |how, expected: Outcome| {
        let mut site = Site::new().fault("example.test", how);
        assert_eq!(site.answer("example.test", RecordType::Mx).outcome, expected);
        site.authority.clear(Tag(1));
        assert_eq!(site.answer("example.test", RecordType::Mx).outcome, Outcome::Records(2));
    };
    check(How::ServFail, Outcome::ServFail);
    check(How::Refused, Outcome::Refused);
    check(How::Timeout, Outcome::Timeout);
}

#[test]
fn equal_questions_under_way_are_sent_once() {
    let mut site = Site::new();
    for _ in 0..3 {
        assert!(matches!(site.ask("example.test", RecordType::Mx), Asked::Later(_)));
    }
    site.play();
    assert_snapshot!(site.story(), @"
    0 asks example.test MX
    0 datagram
    0 example.test MX: Records(2)
    ");
    let tickets: Vec<Ticket> = std::iter::from_fn(|| site.lookup.poll()).map(|(ticket, _)| ticket).collect();
    assert_eq!(tickets, [Ticket(1), Ticket(2), Ticket(3)]);
    assert_eq!(site.lookup.deadline(), None);
}

#[test]
fn many_questions_wait_for_their_turn() {
    let mut site = Site::new();
    for n in 0..10_000 {
        site.ask(&format!("n{n}.example.test"), RecordType::Mx);
    }
    site.play();
    assert_eq!(std::iter::from_fn(|| site.lookup.poll()).count(), 10_000);
}

#[test]
fn a_full_cache_forgets_the_oldest() {
    let mut site = Site::new();
    site.lookup.cache = super::Cache::new(2);
    for owner in ["example.test", "mx1.example.test", "mx2.example.test"] {
        site.answer(owner, RecordType::A);
    }
    assert!(matches!(site.ask("mx1.example.test", RecordType::A), Asked::Now(_)));
    assert!(matches!(site.ask("mx2.example.test", RecordType::A), Asked::Now(_)));
    assert!(matches!(site.ask("example.test", RecordType::A), Asked::Later(_)));
}

#[test]
fn a_name_without_a_wire_form_does_not_exist() {
    let asked = Site::new().ask("no\u{378}character.test", RecordType::Mx);
    assert!(matches!(asked, Asked::Now(Answer { outcome: Outcome::NxDomain, .. })));
}

#[test]
fn hosts_and_questions_draw_apart_and_seeds_repeat() {
    let ids = |seed, host| {
        let server = "192.0.2.53:53".parse().unwrap();
        let mut lookup = Lookup::new(LookupConfig::new(server, [192, 0, 2, 20].into(), Seed(seed), host));
        let mut out: Commands<Fact> = Commands::default();
        for owner in ["a.test", "b.test"] {
            lookup.ask(Time::ZERO, &name(owner), RecordType::A, &mut out);
        }
        let ids = out.take().into_iter().filter_map(|command| match command {
            Command::Datagram { from, bytes, .. } => Some((from.port(), [bytes[0], bytes[1]])),
            _ => None,
        });
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(1, 2), ids(1, 2));
    assert_ne!(ids(1, 2), ids(1, 3));
    assert_ne!(ids(1, 2), ids(2, 2));
    assert_ne!(ids(1, 2)[0].1, ids(1, 2)[1].1);
}

/// The answer that is on its way, and a site that waits for it.
fn waiting() -> (Site, Bytes) {
    let mut site = Site::new();
    site.ask("example.test", RecordType::Mx);
    site.carry_out();
    let (_, _, bytes) = site.under_way.pop().unwrap();
    (site, bytes)
}

#[test]
fn strays_and_forgeries_are_ignored() {
    let check = |change: &dyn Fn(&mut Message), from: &str, expected: bool| {
        let (mut site, bytes) = waiting();
        let mut message = Message::from_vec(&bytes).unwrap();
        change(&mut message);
        site.lookup.datagram(site.now, from.parse().unwrap(), &message.to_vec().unwrap(), &mut site.out);
        assert_eq!(site.lookup.poll().is_some(), expected);
    };
    let server = "192.0.2.53:53";
    check(&|_| {}, server, true);
    check(&|_| {}, "192.0.2.54:53", false);
    check(&|_| {}, "192.0.2.53:54", false);
    check(&|m| m.metadata.id ^= 1, server, false);
    check(&|m| m.metadata.message_type = hickory_proto::op::MessageType::Query, server, false);
    check(&|m| m.queries[0].query_type = hickory_proto::rr::RecordType::A, server, false);
    check(&|m| m.queries[0].name = hickory_proto::rr::Name::root(), server, false);
    check(&|m| m.queries.clear(), server, false);
}

/// A server that tells only the next link of a chain, and then what `last` holds.
fn link_by_link(site: &mut Site, links: u32) -> Option<Answer> {
    site.ask("n0.example.test", RecordType::A);
    for n in 1.. {
        site.carry_out();
        let Some((_, _, bytes)) = site.under_way.pop() else { break };
        let mut message = Message::from_vec(&bytes).unwrap();
        message.metadata.response_code = hickory_proto::op::ResponseCode::NoError;
        message.authorities.clear();
        let owner = message.queries[0].name().clone();
        let data = match n <= links {
            true => RecordData::Cname(name(&format!("n{n}.example.test"))),
            false => RecordData::A([192, 0, 2, 1].into()),
        };
        let record = crate::Record::new(name("x.test"), data);
        message.answers = crate::wire::record(owner, &record).into_iter().collect();
        site.lookup.datagram(site.now, site.server(), &message.to_vec().unwrap(), &mut site.out);
    }
    site.lookup.poll().map(|(_, answer)| answer)
}

#[test]
fn targets_that_the_answer_leaves_out_are_asked_for() {
    let mut site = Site::new();
    let answer = link_by_link(&mut site, 2).unwrap();
    assert_eq!((answer.outcome, &answer.records[0].name), (Outcome::Records(1), &name("n2.example.test")));
    assert_snapshot!(site.story(), @"
    0 asks n0.example.test A
    0 datagram
    0 asks n1.example.test A
    0 datagram
    0 asks n2.example.test A
    0 datagram
    0 n0.example.test A: Records(1)
    ");
    assert_eq!(link_by_link(&mut Site::new(), 8).unwrap().outcome, Outcome::Records(1));
    assert_eq!(link_by_link(&mut Site::new(), 1000).unwrap().outcome, Outcome::ServFail);
}

#[test]
fn a_connection_that_ends_early_is_a_lost_try() {
    for how in [Closed::Eof, Closed::Reset] {
        let mut site = Site::new().fault("example.test", How::Truncate);
        site.ask("example.test", RecordType::Mx);
        site.carry_out();
        site.arrive(0);
        let conn = site.out.take().into_iter().find_map(|command| match command {
            Command::Connect { conn, .. } => Some(conn),
            _ => None,
        });
        let conn = conn.expect("a cut answer leads to a connect");
        site.out.clear(Vec::new());
        site.authority.clear(Tag(1));
        site.lookup.closed(site.now, conn, how, &mut site.out);
        assert!(!site.lookup.owns(conn));
        assert!(matches!(site.out.take().last(), Some(Command::Datagram { .. })), "it asks again");
    }
}

proptest! {
    /// Whatever a server sends, a question is settled in the end.
    #[test]
    fn any_datagram_and_any_stream_are_survived(
        damage in prop::collection::vec((2..200_usize, any::<u8>()), 0..6),
        cut in 0..200_usize,
        stream in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let (mut site, bytes) = waiting();
        let mut bytes = bytes.to_vec();
        for (at, octet) in damage {
            let at = at % bytes.len();
            bytes[at] = octet;
        }
        bytes.truncate(cut.max(12));
        site.lookup.datagram(site.now, site.server(), &bytes, &mut site.out);
        for n in 1..20 {
            site.lookup.bytes(site.now, Conn(n), &stream, &mut site.out);
        }
        site.carry_out();
        site.play();
        prop_assert!(site.lookup.poll().is_some());
        prop_assert_eq!(site.lookup.deadline(), None);
    }
}
