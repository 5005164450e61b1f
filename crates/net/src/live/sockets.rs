//! Opening sockets, always inside the world.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use mio::net::{TcpListener, TcpStream, UdpSocket};
use socket2::{Domain, SockRef, Socket, Type};

/// Connections that the kernel keeps for us until we accept them.
const BACKLOG: i32 = 4096;
/// Tries to find a port that is free for TCP and UDP alike.
const TRIES: u32 = 16;

fn stream(at: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None)?;
    socket.set_reuse_address(true)?; // past connections in TIME_WAIT are no reason to refuse
    socket.set_tcp_nodelay(true)?; // on a listener, what it accepts inherits this
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Opens both kinds of socket on one port; port 0 chooses a free one.
pub(super) fn listen(at: SocketAddr) -> io::Result<(TcpListener, UdpSocket, SocketAddr)> {
    let mut tries = TRIES;
    loop {
        tries -= 1;
        match listen_once(at) {
            Err(error) if at.port() == 0 && tries > 0 && error.kind() == io::ErrorKind::AddrInUse => {}
            done => return done,
        }
    }
}

fn listen_once(at: SocketAddr) -> io::Result<(TcpListener, UdpSocket, SocketAddr)> {
    let (listener, at) = listen_tcp(at)?;
    Ok((listener, datagrams(at)?, at))
}

/// Opens a listener for connections.
pub(super) fn listen_tcp(at: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = stream(at)?;
    socket.bind(&at.into())?;
    socket.listen(BACKLOG)?;
    let listener = std::net::TcpListener::from(socket);
    let at = listener.local_addr()?;
    Ok((TcpListener::from_std(listener), at))
}

fn datagrams(at: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(at), Type::DGRAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&at.into())?;
    Ok(UdpSocket::from_std(socket.into()))
}

/// Begins a connect, and says the address it comes from. It goes to addresses of the address book only.
pub(super) fn connect(from: IpAddr, to: SocketAddr) -> io::Result<(TcpStream, SocketAddr)> {
    if from.is_ipv4() != to.is_ipv4() {
        return Err(io::ErrorKind::NetworkUnreachable.into());
    }
    let socket = stream(to)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    begin(&socket, to)?;
    let stream = std::net::TcpStream::from(socket);
    let local = stream.local_addr()?;
    Ok((TcpStream::from_std(stream), local))
}

fn begin(socket: &Socket, to: SocketAddr) -> io::Result<()> {
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
        done => done,
    }
}

/// Makes a listener answer no SYN: a queue that holds one connection, and the connection that fills it.
pub(super) fn choke(listener: &TcpListener, at: SocketAddr) -> io::Result<TcpStream> {
    SockRef::from(listener).listen(0)?;
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    begin(&socket, at)?;
    Ok(TcpStream::from_std(socket.into()))
}

/// Lets a choked listener answer again.
pub(super) fn unchoke(listener: &TcpListener) -> io::Result<()> {
    SockRef::from(listener).listen(BACKLOG)
}

/// Lets the connection end with a reset when it is dropped.
pub(super) fn abort(stream: &TcpStream) {
    if let Err(error) = SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO)) {
        tracing::debug!(%error, "a connection could not be reset");
    }
}

/// Acknowledges what came, and what comes next, at once; the kernel forgets this as it goes on.
pub(super) fn acknowledge(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    if let Err(error) = SockRef::from(stream).set_tcp_quickack(true) {
        tracing::debug!(%error, "acknowledgements may come late");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

/// Connects, for applications beside the processes; `to` is known to be inside the world.
pub(super) async fn application(from: IpAddr, to: SocketAddr) -> io::Result<tokio::net::TcpStream> {
    let socket = match to {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    socket.set_nodelay(true)?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(to).await
}
