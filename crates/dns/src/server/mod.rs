//! The name server of live worlds: hickory-server in front of the same [`Authority`].
//!
//! A client from outside the world (an application under test, dig, a resolver) gets the real loopback addresses
//! behind the scenario's: see [`Map`]. The world's own hosts better ask a [`Host`](crate::Host) with the same
//! authority: the driver sees what is under way to it, and so never leaps over an answer that is late because the
//! computer is busy.

mod handler;
mod map;
mod sockets;
#[cfg(test)]
mod tests;

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mxdrill_net::live::Clock;
use tokio::runtime::Handle;

pub use map::Map;

use crate::Authority;
use handler::Handler;

/// A TCP connection without a query for so long is closed. RFC 7766 6.2.3 asks for a few seconds.
const IDLE: Duration = Duration::from_secs(10);
/// Answers that may wait for one TCP connection to take them.
const BACKLOG: usize = 32;

/// A running name server, UDP and TCP on one port. Dropping it stops it and closes its connections.
pub struct Server {
    address: SocketAddr,
    /// Owns all tasks.
    _tasks: hickory_server::Server<Handler>,
}

impl Server {
    /// Serves `authority` at `bind`; port 0 takes a free one. With a map, clients from outside the world are
    /// told real addresses.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub fn start(
        runtime: &Handle,
        authority: Arc<Mutex<Authority>>,
        clock: Clock,
        bind: SocketAddr,
        map: Option<Arc<dyn Map>>,
    ) -> io::Result<Server> {
        let _inside = runtime.enter();
        let (udp, tcp) = sockets::pair(bind)?;
        let address = tcp.local_addr()?;
        let mut tasks = hickory_server::Server::new(Handler::new(authority, clock, map));
        tasks.register_socket(udp);
        tasks.register_listener(tcp, IDLE, BACKLOG);
        Ok(Server { address, _tasks: tasks })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// The authority, whatever a panic elsewhere left: every change to it is whole.
fn lock(authority: &Mutex<Authority>) -> MutexGuard<'_, Authority> {
    authority.lock().unwrap_or_else(PoisonError::into_inner)
}
