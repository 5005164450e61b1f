//! Callouts against a better MX that is spoken by hand.

use std::net::Ipv4Addr;

use mxdrill_net::{Command, DomainName};

use super::*;
use crate::RouterConfig;

#[derive(Debug)]
struct Any;

impl From<DnsFact> for Any {
    fn from(_: DnsFact) -> Any {
        Any
    }
}

/// A backup whose DNS and primary are played by hand.
struct Stage {
    callouts: Callouts,
    config: NodeConfig,
    router: Router,
    out: Commands<Any>,
    now: Time,
}

fn stage() -> Stage {
    let name: DomainName = "mx2.example.test".parse().expect("a name");
    let own: IpAddr = Ipv4Addr::new(192, 0, 2, 20).into();
    let resolver = SocketAddr::new(Ipv4Addr::new(192, 0, 2, 53).into(), 53);
    let config = NodeConfig::new(name, vec![own], resolver);
    let router = Router::new(RouterConfig::of(&config));
    Stage { callouts: Callouts::default(), config, router, out: Commands::default(), now: Time::ZERO }
}

impl Stage {
    fn ask(&mut self, conn: u64, address: &str) -> Option<Found> {
        let waiting = Waiting {
            conn: Conn(conn),
            peer: Ipv4Addr::LOCALHOST.into(),
            address: address.parse().expect("an address"),
        };
        self.callouts.ask(self.now, waiting, &self.config, &mut self.router, &mut self.out)
    }

    /// The way to the primary comes; gives the connection that is opened.
    fn routed(&mut self) -> Conn {
        let address: IpAddr = Ipv4Addr::new(192, 0, 2, 10).into();
        let host = crate::RouteHost {
            preference: 10,
            name: "mx1.example.test".parse().expect("a name"),
            addresses: Ok(vec![address]),
            dropped: false,
            policy: Default::default(),
        };
        let route = Arc::new(Route { basis: crate::Basis::Mx, hosts: vec![host], own: Some(20), sts: None });
        let ticket = self.callouts.calls[0].ticket.expect("it asks the DNS");
        self.callouts.routed(self.now, ticket, &route, &self.config, &mut self.out);
        let opened = self.out.take().into_iter().find_map(|command| match command {
            Command::Connect { conn, .. } => Some(conn),
            _ => None,
        });
        opened.expect("it connects")
    }

    /// The primary says this; gives what is said to it.
    fn hear(&mut self, conn: Conn, text: &str) -> String {
        self.callouts.bytes(self.now, conn, text.as_bytes(), &self.config, &mut self.out);
        let spent = self.out.take();
        let said = String::from_utf8_lossy(self.out.text()).into_owned();
        self.out.clear(spent);
        said
    }

    fn found(&mut self) -> Vec<(u64, Found)> {
        std::iter::from_fn(|| self.callouts.poll()).map(|(waiting, found)| (waiting.conn.0, found)).collect()
    }
}

#[test]
fn asks_with_a_null_sender_and_remembers() {
    let mut stage = stage();
    assert_eq!(stage.ask(1, "user@example.test"), None);
    assert_eq!(stage.ask(2, "user@example.test"), None, "a second session waits for the same answer");
    let conn = stage.routed();
    assert!(stage.callouts.owns(conn));
    assert_eq!(stage.hear(conn, "220 mx1.exa"), "");
    assert_eq!(stage.hear(conn, "mple.test ESMTP\r\n"), "EHLO mx2.example.test\r\n");
    assert_eq!(stage.hear(conn, "250-mx1.example.test\r\n250 SIZE\r\n"), "MAIL FROM:<>\r\n");
    assert_eq!(stage.hear(conn, "250 2.1.0 Ok\r\n"), "RCPT TO:<user@example.test>\r\n");
    assert_eq!(stage.hear(conn, "250 2.1.5 Ok\r\n"), "QUIT\r\n");
    assert_eq!(stage.found(), [(1, Found::Exists), (2, Found::Exists)]);
    assert_eq!(stage.ask(3, "user@example.test"), Some(Found::Exists));
    stage.now = Time::ZERO + EXISTS_FOR;
    assert_eq!(stage.ask(4, "user@example.test"), None, "too long ago");
}

#[test]
fn only_5xx_at_rcpt_means_unknown() {
    let check = |replies: &[&str], expected| {
        let mut stage = stage();
        stage.ask(1, "user@example.test");
        let conn = stage.routed();
        replies.iter().for_each(|reply| _ = stage.hear(conn, reply));
        assert_eq!(stage.found(), [(1, expected)], "{replies:?}");
        assert!(!stage.callouts.owns(conn));
    };
    let ok = "250 ok\r\n";
    check(&["220 hi\r\n", ok, ok, "550 5.1.1 no such user\r\n"], Found::Unknown);
    check(&["220 hi\r\n", ok, ok, "451 4.3.0 later\r\n"], Found::Nothing);
    check(&["220 hi\r\n", ok, "550 no\r\n"], Found::Nothing);
    check(&["554 go away\r\n"], Found::Nothing);
    check(&["what?\r\n"], Found::Nothing);
}

#[test]
fn silence_and_lost_connections_say_nothing() {
    let mut stage = stage();
    stage.ask(1, "user@example.test");
    let conn = stage.routed();
    stage.callouts.closed(stage.now, conn, false, &mut stage.out);
    assert_eq!(stage.found(), [(1, Found::Nothing)]);
    stage.ask(2, "user@example.test");
    assert_eq!(stage.callouts.deadline(), Some(Time::ZERO + PATIENCE));
    stage.callouts.timer(Time::ZERO + PATIENCE, &mut stage.out);
    assert_eq!(stage.found(), [(2, Found::Nothing)]);
    assert_eq!(stage.callouts.deadline(), None);
}

#[test]
fn no_more_than_so_many_at_once() {
    let mut stage = stage();
    for number in 0..CALLS_MAX as u64 {
        assert_eq!(stage.ask(number, &format!("u{number}@example.test")), None);
    }
    assert_eq!(stage.ask(1000, "another@example.test"), Some(Found::Nothing));
}
