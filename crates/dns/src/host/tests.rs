//! A name server and its clients in a simulated world.

use std::{net::IpAddr, ops::ControlFlow, time::Duration};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query},
    rr::{self, Name},
};
use insta::assert_snapshot;
use mxdrill_net::{
    self as net, Command, Commands, Conn, Driver, Event, HostId, HostSpec, Process, Seed, Tag, Time, sim::Sim,
};

use proptest::prelude::*;

use super::{CONNECTIONS_MAX, DELAYED_MAX, Host, frame};
use crate::{
    Authority, DnsFault, How, Zones,
    fixture::{Asker, Seen},
};

const SERVER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 53));
const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
const ZONE: &str = "$ORIGIN example.test.\n@ MX 10 mx1\nmx1 A 192.0.2.10\n";

type World = Sim<Box<dyn Process<Seen>>, Seen>;

fn spec(name: &str, address: IpAddr) -> HostSpec {
    HostSpec { name: name.into(), addresses: vec![address] }
}

fn world(fault: Option<How>) -> World {
    let mut authority = Authority::new(Zones::parse(ZONE).unwrap());
    if let Some(how) = fault {
        let name = "example.test".parse().unwrap();
        authority.fault(Tag(7), DnsFault { name, kind: None, how });
    }
    let mut world = World::new(Seed(1));
    world.add(spec("dns", SERVER), Box::new(Host::new(authority, SERVER)));
    world
}

/// What happens in a world until nothing does: tenths of milliseconds, host, fact.
fn story(mut world: World) -> String {
    let mut lines = Vec::new();
    world.run_until(Time::MAX, &mut |at: Time, host: HostId, fact: Seen| {
        lines.push(format!("{:.3} {} {}", at.as_secs_f64(), ["dns", "app"][usize::from(host.0)], fact.say()));
        ControlFlow::Continue(())
    });
    lines.join("\n")
}

fn looked_up(fault: Option<How>) -> String {
    let mut world = world(fault);
    world.add(spec("app", CLIENT), Box::new(Asker::new(SERVER, CLIENT)));
    story(world)
}

#[test]
fn a_question_and_its_answer() {
    assert_snapshot!(looked_up(None), @"
    0.000 app asks example.test MX
    0.001 app Records(1)
    ");
}

#[test]
fn over_tcp_when_the_datagram_does_not_hold_it() {
    assert_snapshot!(looked_up(Some(How::Truncate)), @"
    0.000 app asks example.test MX
    0.001 dns Bit(Tag(7))
    0.002 app Connected { conn: Conn(1), to: 192.0.2.53:53 }
    0.003 dns Incoming { conn: Conn(2), from: 192.0.2.1:49153 }
    0.003 app Gone { conn: Conn(1), how: None }
    0.003 app Records(1)
    0.004 dns Gone { conn: Conn(2), how: Some(Eof) }
    ");
}

#[test]
fn a_delay_is_the_server_s_own() {
    assert_snapshot!(looked_up(Some(How::Delay(Duration::from_secs(6)))), @"
    0.000 app asks example.test MX
    0.001 dns Bit(Tag(7))
    5.000 dns Bit(Tag(7))
    6.001 app Records(1)
    ");
}

#[test]
fn silence() {
    assert_snapshot!(looked_up(Some(How::Timeout)), @"
    0.000 app asks example.test MX
    0.001 dns Bit(Tag(7))
    5.000 dns Bit(Tag(7))
    10.000 app Timeout
    ");
}

/// A server without a world, and what it sent to each connection.
struct Bare {
    host: Host,
    out: Commands<Seen>,
}

impl Bare {
    fn new(how: Option<How>) -> Bare {
        let mut authority = Authority::new(Zones::parse(ZONE).unwrap());
        if let Some(how) = how {
            let name = "example.test".parse().unwrap();
            authority.fault(Tag(7), DnsFault { name, kind: None, how });
        }
        Bare { host: Host::new(authority, SERVER), out: Commands::default() }
    }

    fn connect(&mut self, conn: u64) {
        let (local, peer) = ((SERVER, 53).into(), (CLIENT, 50_000).into());
        self.handle(Time::ZERO, Event::Incoming { conn: Conn(conn), local, peer });
    }

    fn handle(&mut self, now: Time, event: Event<'_>) {
        self.host.handle(now, event, &mut self.out);
    }

    /// The ids of the answers sent since this was last asked, with the connections they went to; and resets.
    fn sent(&mut self) -> Vec<(u64, Option<u16>)> {
        let commands = self.out.take();
        self.out.clear(Vec::new());
        let answers = commands.into_iter().filter_map(|command| match command {
            Command::SendShared(conn, bytes) => {
                Some((conn.0, Some(u16::from_be_bytes([bytes[0], bytes[1]]))))
            }
            Command::Reset(conn) => Some((conn.0, None)),
            _ => None,
        });
        answers.collect()
    }
}

/// A query as it goes over a stream.
fn framed(id: u16) -> Vec<u8> {
    let mut query = Message::new(id, MessageType::Query, OpCode::Query);
    query.add_query(Query::query(Name::from_ascii("example.test.").unwrap(), rr::RecordType::MX));
    let query = query.to_vec().unwrap();
    [&(query.len() as u16).to_be_bytes()[..], &query].concat()
}

#[test]
fn several_queries_on_one_connection_however_cut() {
    let stream: Vec<u8> = (1..=5).flat_map(framed).collect();
    for size in [1, 2, 3, 30, 31, 1000] {
        let mut bare = Bare::new(None);
        bare.connect(1);
        stream.chunks(size).for_each(|piece| bare.handle(Time::ZERO, Event::Bytes(Conn(1), piece)));
        let expected: Vec<_> = (1..=5).map(|id| (1, Some(id))).collect();
        assert_eq!(bare.sent(), expected, "in pieces of {size}");
    }
}

#[test]
fn a_delayed_answer_waits_for_its_time_and_is_lost_with_its_connection() {
    let mut bare = Bare::new(Some(How::Delay(Duration::from_secs(3))));
    for conn in [1, 2] {
        bare.connect(conn);
        bare.handle(Time::ZERO, Event::Bytes(Conn(conn), &framed(7)));
    }
    bare.handle(Time::from_secs(1), Event::Closed(Conn(1), net::Closed::Reset));
    bare.handle(Time::from_secs(2), Event::Timer);
    assert_eq!(bare.sent(), []);
    assert_eq!(bare.out.take_wake(), Some(Some(Time::from_secs(3))));
    bare.handle(Time::from_secs(3), Event::Timer);
    assert_eq!(bare.sent(), [(2, Some(7))]);
    assert_eq!(bare.out.take_wake(), Some(None));
}

#[test]
fn too_many_connections_cost_the_oldest() {
    let mut bare = Bare::new(None);
    (0..CONNECTIONS_MAX as u64 + 2).for_each(|conn| bare.connect(conn));
    assert_eq!(bare.sent(), [(0, None), (1, None)]);
    assert_eq!(bare.host.connections.len(), CONNECTIONS_MAX);
}

#[test]
fn held_back_answers_are_bounded() {
    let mut bare = Bare::new(Some(How::Delay(Duration::from_secs(3))));
    bare.connect(1);
    let query = framed(7);
    for _ in 0..DELAYED_MAX + 10 {
        bare.handle(Time::ZERO, Event::Bytes(Conn(1), &query));
    }
    assert_eq!(bare.host.delayed.len(), DELAYED_MAX);
}

proptest! {
    #[test]
    fn any_stream_is_survived(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)) {
        let mut bare = Bare::new(None);
        bare.connect(1);
        for piece in &pieces {
            bare.handle(Time::ZERO, Event::Bytes(Conn(1), piece));
        }
        let input = &bare.host.connections[0].input;
        prop_assert!(frame(input).is_none(), "whole messages do not pile up");
    }
}
