//! The live name server, asked over real sockets: by our look-ups, and by hickory-resolver beside them.

mod differential;
mod foreign;
mod hosts;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    sync::{Arc, Mutex},
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{Name, RecordType as Wire},
};
use mxdrill_net::{
    Process, Tag,
    live::{Live, LiveOptions},
};

use super::{Map, Server};
use crate::{Authority, DnsFault, How, Zones, fixture::Seen};

const ZONES: &str = "
$ORIGIN example.test.
@        MX    10 mx1
@        MX    20 mx2
mx1      A     192.0.2.10
mx2      A     192.0.2.20
mx2      AAAA  2001:db8::20
alias    CNAME mx1
dangling CNAME nowhere
loop     CNAME loop
null     MX    0 .
text     TXT   \"one\" \"two\"
";

/// How long a socket waits before a test is given up.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

type Sockets = Live<Box<dyn Process<Seen>>, Seen>;

/// A world with nothing in it but a name server.
struct World {
    server: Server,
    authority: Arc<Mutex<Authority>>,
    live: Sockets,
}

impl World {
    fn new(map: Option<Arc<dyn Map>>) -> World {
        let live = Live::new(LiveOptions::default()).unwrap();
        let zones = Zones::parse(ZONES).unwrap();
        let authority = Arc::new(Mutex::new(Authority::new(zones).secure(true)));
        let server = start(&live, &authority, "127.0.0.1:0".parse().unwrap(), map).unwrap();
        World { server, authority, live }
    }

    fn fault(&self, owner: &str, how: How) {
        let fault = DnsFault { name: owner.parse().unwrap(), kind: None, how };
        self.authority.lock().unwrap().fault(Tag(1), fault);
    }
}

fn start(
    live: &Sockets,
    authority: &Arc<Mutex<Authority>>,
    bind: SocketAddr,
    map: Option<Arc<dyn Map>>,
) -> std::io::Result<Server> {
    Server::start(&live.handle(), authority.clone(), live.clock(), bind, map)
}

fn query(id: u16, owner: &str, kind: Wire) -> Vec<u8> {
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(Name::from_ascii(owner).unwrap(), kind));
    message.to_vec().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a client from outside of the world")]
fn udp(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(PATIENCE).unwrap();
    socket
}

#[expect(clippy::disallowed_methods, reason = "a client from outside of the world")]
fn tcp(server: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(server)?;
    stream.set_read_timeout(PATIENCE)?;
    Ok(stream)
}

fn receive(socket: &UdpSocket) -> Message {
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).expect("the server answers");
    Message::from_vec(&buffer[..length]).unwrap()
}

fn receive_framed(stream: &mut TcpStream) -> Message {
    let mut length = [0; 2];
    stream.read_exact(&mut length).expect("the server answers");
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut message).unwrap();
    Message::from_vec(&message).unwrap()
}

fn send_framed(stream: &mut TcpStream, query: &[u8]) {
    let framed = [&(query.len() as u16).to_be_bytes()[..], query].concat();
    stream.write_all(&framed).unwrap();
}

#[test]
fn several_queries_on_one_connection() {
    let world = World::new(None);
    let mut stream = tcp(world.server.address()).unwrap();
    for id in 1..=3 {
        send_framed(&mut stream, &query(id, "example.test.", Wire::MX));
    }
    for id in 1..=3 {
        let answer = receive_framed(&mut stream);
        assert_eq!((answer.metadata.id, answer.answers.len()), (id, 2));
    }
}

#[test]
fn noise_is_answered_with_an_error_and_service_goes_on() {
    let world = World::new(None);
    let socket = udp(world.server.address());
    let whole = query(9, "example.test.", Wire::MX);
    socket.send(&whole[..20]).unwrap();
    let answer = receive(&socket);
    assert_eq!((answer.metadata.id, answer.metadata.response_code), (9, ResponseCode::FormErr));
    socket.send(b"short").unwrap();
    socket.send(&whole).unwrap();
    assert_eq!(receive(&socket).answers.len(), 2);
}

/// The clock of a world that is not played stands still: what is delayed stays delayed.
#[test]
fn a_flood_of_delayed_queries_does_not_stop_the_others() {
    let world = World::new(None);
    world.fault("example.test", How::Delay(Duration::from_secs(1)));
    let socket = udp(world.server.address());
    for id in 0..5000 {
        socket.send(&query(id, "example.test.", Wire::MX)).unwrap();
    }
    let mut stream = tcp(world.server.address()).unwrap();
    send_framed(&mut stream, &query(1, "mx1.example.test.", Wire::A));
    assert_eq!(receive_framed(&mut stream).answers.len(), 1);
}

#[test]
fn a_dropped_server_frees_its_port() {
    let World { server, authority, live } = World::new(None);
    let address = server.address();
    assert!(start(&live, &authority, address, None).is_err(), "one server at a time");
    drop(server);
    // tasks end when their runtime comes round to them; each question to it is one round
    let again = (0..1000).find_map(|_| {
        let (asked, answered) = std::sync::mpsc::channel();
        live.handle().spawn(async move { asked.send(()) });
        answered.recv().unwrap();
        start(&live, &authority, address, None).ok()
    });
    assert_eq!(again.map(|server| server.address()), Some(address));
}

#[test]
fn a_server_can_be_held_anywhere() {
    fn held<T: Send + Sync + 'static>() {}
    held::<Server>();
}
