//! One port for both transports.

use std::{io, net::SocketAddr};

use tokio::net::{TcpListener, UdpSocket};

/// Free ports tried before giving up: one that is free for TCP may be taken for UDP.
const TRIES: usize = 64;

/// Binds UDP and TCP to one address and port. To be called inside a runtime.
pub(super) fn pair(bind: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let tries = if bind.port() == 0 { TRIES } else { 1 };
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..tries {
        match try_pair(bind) {
            Ok(pair) => return Ok(pair),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

#[expect(clippy::disallowed_methods, reason = "the sockets of the live world's name server")]
fn try_pair(bind: SocketAddr) -> io::Result<(UdpSocket, TcpListener)> {
    let tcp = std::net::TcpListener::bind(bind)?;
    let udp = std::net::UdpSocket::bind(tcp.local_addr()?)?;
    tcp.set_nonblocking(true)?;
    udp.set_nonblocking(true)?;
    Ok((UdpSocket::from_std(udp)?, TcpListener::from_std(tcp)?))
}
