//! Peers that are not the world's own: they meet the kernel.

use std::{
    io::{ErrorKind, Read, Write},
    net::{TcpStream, UdpSocket},
    thread,
};

use super::*;

#[expect(clippy::disallowed_methods, reason = "a foreign peer opens sockets of its own")]
fn connect(to: SocketAddr) -> std::io::Result<TcpStream> {
    TcpStream::connect(to)
}

/// Lets a peer talk to `b` from a thread of its own, while the world runs.
fn meet<T: Send + 'static>(
    world: &mut World<'_, Live<Puppet, Line>>,
    peer: impl FnOnce(SocketAddr) -> T + Send + 'static,
) -> T {
    let actual = world.driver.actual(b()).expect("b listens");
    let foreign = world.driver.foreign();
    let clock = world.driver.clock();
    let peer = thread::spawn(move || {
        let result = peer(actual);
        drop(foreign);
        clock.interrupt();
        result
    });
    while world.run(Time::MAX) != Stop::Asked {}
    world.run(world.driver.now() + Duration::from_secs(1));
    peer.join().expect("the peer is done")
}

#[test]
fn a_foreign_client_is_served() {
    let mut live = live();
    let mut world = World::new(&mut live);
    let answer = meet(&mut world, |to| {
        let mut stream = connect(to).expect("it listens");
        stream.write_all(b"hello").expect("it reads");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).expect("it answers");
        answer
    });
    assert_eq!(&answer, b"hello");
    assert_eq!(world.lines, ["b connection from 127.0.0.1", "b gone Some(Eof)", "b 5 bytes came in"]);
}

/// The client writes faster than it reads: the echo has to stop reading, and to go on.
#[test]
fn eight_mebibytes_come_back_whole() {
    const SIZE: usize = 8 << 20;
    let mut live = live();
    let mut world = World::new(&mut live);
    let count = meet(&mut world, |to| {
        let mut stream = connect(to).expect("it listens");
        let mut writer = stream.try_clone().expect("a descriptor");
        let writing = thread::spawn(move || {
            writer.write_all(&vec![b'x'; SIZE]).expect("it reads");
            writer.shutdown(std::net::Shutdown::Write).expect("it is open");
        });
        let count = stream.read_to_end(&mut Vec::new()).expect("it answers");
        writing.join().expect("all is written");
        count
    });
    assert_eq!(count, SIZE);
}

#[test]
fn a_foreign_client_is_refused_by_the_kernel() {
    let mut live = live();
    let mut world = World::new(&mut live);
    world.driver.access(B, Access::Refuse(Tag(1)));
    let refusal = meet(&mut world, |to| connect(to).map(drop));
    assert_eq!(refusal.map_err(|error| error.kind()), Err(ErrorKind::ConnectionRefused));
    world.driver.access(B, Access::Open);
    meet(&mut world, |to| connect(to).map(drop)).expect("it listens again");
}

/// The kernel keeps a connect that meets no answer under way; a socket that does not wait for it shows that
/// without waiting.
#[test]
fn a_black_hole_answers_no_foreign_syn() {
    let mut live = live();
    let mut world = World::new(&mut live);
    world.driver.access(B, Access::Blackhole(Tag(1)));
    let actual = world.driver.actual(b()).expect("b has an address");
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    socket.set_nonblocking(true).expect("a socket");
    let begun = socket.connect(&actual.into()).map_err(|error| error.raw_os_error());
    assert_eq!(begun, Err(Some(libc::EINPROGRESS)));
    assert_eq!(socket.peer_addr().map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::NotConnected));
    assert!(socket.take_error().expect("a state").is_none());
    drop(socket);
    world.driver.access(B, Access::Open);
    meet(&mut world, |to| connect(to).map(drop)).expect("it listens again");
}

#[test]
fn a_crash_resets_a_foreign_client() {
    let mut live = live();
    let mut world = World::new(&mut live);
    let actual = world.driver.actual(b()).expect("b listens");
    let mut stream = connect(actual).expect("it listens");
    world.run(Time::from_secs(60));
    world.driver.crash(B);
    let end = stream.read(&mut [0; 10]).map_err(|error| error.kind());
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
}

#[test]
fn a_registered_service_is_reached_and_named() {
    let mut live = live();
    let mut world = World::new(&mut live);
    #[expect(clippy::disallowed_methods, reason = "a service outside the driver")]
    let service = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let name: SocketAddr = "192.0.2.53:53".parse().expect("an address");
    let actual = service.local_addr().expect("bound");
    world.driver.register(name, actual).expect("on loopback");
    assert_eq!((world.driver.actual(name), world.driver.scenario(actual)), (Some(actual), Some(name)));
    world.visit(A, move |_, out| out.datagram(a(), name, Bytes::from_static(b"query")));
    let server = thread::spawn(move || {
        let mut buffer = [0; 100];
        let (count, from) = service.recv_from(&mut buffer).expect("a query");
        service.send_to(&buffer[..count], from).expect("an answer");
    });
    server.join().expect("it answers");
    world.run(hours(1));
    assert_eq!(world.lines, ["a datagram query from 192.0.2.53:53"]);
}

#[test]
fn a_service_elsewhere_is_not_registered() {
    let mut live = live();
    let error = live.register(b(), "192.0.2.9:53".parse().expect("an address"));
    assert!(matches!(error, Err(LiveError::Outside(_))), "{error:?}");
}
