//! The same questions by our look-ups and by hickory-resolver, over real sockets: both must learn the same.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use hickory_proto::{op::ResponseCode, rr::Name};
use hickory_resolver::{
    TokioResolver,
    config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
};
use mxdrill_net::{Command, Commands, Conn, DomainName, Seed, Time};

use super::{World, tcp, udp};
use crate::{Answer, Asked, Fact, How, Lookup, LookupConfig, Outcome, RecordData, RecordType, wire};

/// Moves one look-up over blocking sockets, until it has its answer.
struct Mover {
    lookup: Lookup,
    server: SocketAddr,
    socket: UdpSocket,
    stream: Option<(Conn, TcpStream)>,
    out: Commands<Fact>,
}

impl Mover {
    fn new(server: SocketAddr) -> Mover {
        let config = LookupConfig::new(server, [127, 0, 0, 1].into(), Seed(1), 1);
        let (lookup, socket) = (Lookup::new(config), udp(server));
        Mover { lookup, server, socket, stream: None, out: Commands::default() }
    }

    fn ask(&mut self, name: &DomainName, kind: RecordType) -> Answer {
        match self.lookup.ask(Time::ZERO, name, kind, &mut self.out) {
            Asked::Now(answer) => answer,
            Asked::Later(_) => loop {
                if let Some((_, answer)) = self.lookup.poll() {
                    return answer;
                }
                self.carry_out();
                self.listen();
            },
        }
    }

    fn carry_out(&mut self) {
        let sent = self.out.text().to_vec();
        let commands = self.out.take();
        self.out.clear(Vec::new());
        for command in commands {
            match command {
                Command::Datagram { bytes, .. } => drop(self.socket.send(&bytes).unwrap()),
                Command::Connect { conn, to, .. } => {
                    self.stream = Some((conn, tcp(to).unwrap()));
                    self.lookup.connected(conn, &mut self.out);
                    self.carry_out();
                }
                Command::Send(_, range) => {
                    let (_, stream) = self.stream.as_mut().unwrap();
                    stream.write_all(&sent[range.start as usize..range.end as usize]).unwrap();
                }
                Command::Close(_) => self.stream = None,
                _ => {}
            }
        }
    }

    fn listen(&mut self) {
        let mut buffer = [0; 4096];
        match &mut self.stream {
            Some((conn, stream)) => {
                let length = stream.read(&mut buffer).unwrap();
                self.lookup.bytes(Time::ZERO, *conn, &buffer[..length], &mut self.out);
            }
            None => {
                let length = self.socket.recv(&mut buffer).unwrap();
                self.lookup.datagram(Time::ZERO, self.server, &buffer[..length], &mut self.out);
            }
        }
    }
}

/// hickory-resolver, with one server, no cache and no hosts file.
fn resolver(server: SocketAddr) -> TokioResolver {
    let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
        connection.port = server.port();
        connection
    });
    let server = NameServerConfig::new(server.ip(), true, connections.to_vec());
    let config = ResolverConfig::from_parts(None, vec![], vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.cache_size = 0;
    options.use_hosts_file = ResolveHosts::Never;
    options.os_port_selection = true;
    options.timeout = Duration::from_secs(20);
    builder.build().unwrap()
}

/// What hickory-resolver learned, in our words.
fn theirs(
    resolver: &TokioResolver,
    runtime: &tokio::runtime::Runtime,
    name: &DomainName,
    kind: RecordType,
) -> (Outcome, Vec<String>) {
    let name: Name = wire::name(name).unwrap();
    match runtime.block_on(resolver.lookup(name, wire::kind(kind))) {
        Ok(found) => {
            let wanted = found.answers().iter().filter(|r| r.record_type() == wire::kind(kind));
            let records: Vec<String> = wanted.filter_map(wire::received).map(|r| say(&r.data)).collect();
            (Outcome::Records(records.len() as u16), records)
        }
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => (wire::refusal(none.response_code), vec![]),
        Err(NetError::Dns(DnsError::ResponseCode(code))) => (wire::refusal(code), vec![]),
        Err(other) => panic!("{other:?}"),
    }
}

fn say(data: &RecordData) -> String {
    format!("{data:?}")
}

#[test]
fn both_learn_the_same() {
    let world = World::new(None);
    let hosts = (0..60).map(|n| format!("mx{n}.a-provider-of-mail.test").parse().unwrap());
    let many = hosts.map(|host| RecordData::Mx { preference: 10, exchange: Some(host) });
    world.authority.lock().unwrap().set(&"many.example.test".parse().unwrap(), RecordType::Mx, 300, many);
    world.fault("fails.example.test", How::ServFail);
    world.fault("refused.example.test", How::Refused);
    world.fault("cut.example.test", How::Truncate);
    world.fault("hidden.example.test", How::NxDomain);

    let address = world.server.address();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let resolver = runtime.block_on(async { resolver(address) });
    let mut mover = Mover::new(address);
    let mut check = |name: &str, kind: RecordType, expected: Outcome| {
        let name: DomainName = name.parse().unwrap();
        let answer = mover.ask(&name, kind);
        let ours: Vec<String> = answer.records.iter().map(|r| say(&r.data)).collect();
        assert_eq!(answer.outcome, expected, "{name} {kind}");
        assert_eq!(theirs(&resolver, &runtime, &name, kind), (expected, ours), "{name} {kind}");
    };
    check("example.test", RecordType::Mx, Outcome::Records(2));
    check("null.example.test", RecordType::Mx, Outcome::Records(1));
    check("many.example.test", RecordType::Mx, Outcome::Records(60));
    check("mx1.example.test", RecordType::A, Outcome::Records(1));
    check("alias.example.test", RecordType::A, Outcome::Records(1));
    check("mx2.example.test", RecordType::Aaaa, Outcome::Records(1));
    check("text.example.test", RecordType::Txt, Outcome::Records(1));
    check("10.2.0.192.in-addr.arpa", RecordType::Ptr, Outcome::Records(1));
    check("example.test", RecordType::Soa, Outcome::Records(1));
    check("mx1.example.test", RecordType::Mx, Outcome::NoData);
    check("alias.example.test", RecordType::Mx, Outcome::NoData);
    check("test", RecordType::A, Outcome::NoData);
    check("nowhere.example.test", RecordType::Mx, Outcome::NxDomain);
    check("dangling.example.test", RecordType::A, Outcome::NxDomain);
    check("elsewhere.org", RecordType::Mx, Outcome::NxDomain);
    check("hidden.example.test", RecordType::A, Outcome::NxDomain);
    check("loop.example.test", RecordType::A, Outcome::ServFail);
    check("fails.example.test", RecordType::Mx, Outcome::ServFail);
    check("refused.example.test", RecordType::Mx, Outcome::Refused);
    assert_eq!(wire::refusal(ResponseCode::NotImp), Outcome::ServFail);
}
