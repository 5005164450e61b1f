//! Processes on real sockets.
//!
//! [`Live`] moves the same machines as [`sim`](crate::sim), over the kernel's own TCP and UDP. Every address of
//! the scenario gets a loopback address of the world's own block in 127.0.0.0/8, one real port stands for port
//! 25, and processes see only the scenario's side of that. Nothing can leave: a destination that is neither a
//! host of the world nor a registered service is unreachable.
//!
//! Time runs with the wall clock while anything is under way: bytes sent and not read, connects to hosts that
//! answer, the ends of streams, datagrams, syncs. Where nothing is, it leaps to the next deadline. So timeouts
//! are exact, and five quiet days take no time.
//!
//! What faults do to connects of the world's own hosts is as in `sim`. A foreign peer meets real kernel
//! behaviour: a host that refuses has no listener; one that is a black hole has a listener whose queue is full,
//! so that the kernel answers no SYN; an unreachable one refuses, because loopback cannot say anything else.
//! Without a rule a link has no latency of its own; with one, what it holds back waits on the sending side.
//!
//! In a network namespace of its own a world can stand on the scenario's addresses themselves ([`Ground::Own`]).
//!
//! - [`LiveOptions`], [`LiveError`]: how a world is set up
//! - [`Clock`], [`Serving`], [`Foreign`]: time, for what stands beside the processes
//! - `run`: the loop; `engine`: the sockets and disks it moves, and what processes ask of them
//! - `flight`: what is under way
//! - `connect`, `listen`, `stream`, `close`, `datagram`, `link`: the network; `store`, `files`, `spool`: disks

mod addresses;
mod clock;
mod close;
mod connect;
mod datagram;
mod end;
mod engine;
mod files;
mod flight;
mod host;
mod link;
mod listen;
mod options;
mod outside;
mod run;
mod runtime;
mod slab;
mod sockets;
mod spool;
mod store;
mod stream;
#[cfg(test)]
mod tests;
mod timers;

use std::net::SocketAddr;

pub use addresses::Dialer;
pub use clock::{Clock, Foreign, Serving, Sleep};
pub use options::{Ground, LiveError, LiveOptions, Storage};

use engine::Engine;
use runtime::Runtime;

use crate::{Commands, HostId, Time};

/// The token of the waker in the poll.
const WAKER: mio::Token = mio::Token(usize::MAX);
/// What one read takes at most, over all connections of the world.
const BUFFER: usize = 64 * 1024;
/// Events that one call of the poll reports at most.
const EVENTS: usize = 1024;

/// A world on real sockets.
///
/// Processes are moved on the thread that calls [`run_until`](crate::Driver::run_until), by one readiness loop
/// over all sockets; the runtime behind [`Live::handle`] has a thread of its own and serves only what stands
/// beside the processes. There is no process-wide state: many worlds can be live at once.
#[derive(Debug)]
pub struct Live<P, F> {
    poll: mio::Poll,
    events: mio::Events,
    buffer: Vec<u8>,
    /// By number of the host; `None` while it is down.
    processes: Vec<Option<P>>,
    out: Commands<F>,
    engine: Engine<F>,
    leaps: bool,
    /// How far time has been asked to run: where it stands when somebody acts on an idle world.
    asked_until: Time,
    runtime: Runtime,
}

impl<P, F> Live<P, F> {
    /// Makes an empty world, its clock at zero.
    ///
    /// # Errors
    /// No block of addresses or port is to be had, or the spool or the runtime cannot be made.
    pub fn new(options: LiveOptions) -> Result<Self, LiveError> {
        let poll = mio::Poll::new().map_err(LiveError::Start)?;
        let waker = mio::Waker::new(poll.registry(), WAKER).map_err(LiveError::Start)?;
        let registry = poll.registry().try_clone().map_err(LiveError::Start)?;
        let clock = Clock::new(waker, options.speed.unwrap_or(1));
        Ok(Live {
            poll,
            events: mio::Events::with_capacity(EVENTS),
            buffer: vec![0; BUFFER],
            processes: Vec::new(),
            out: Commands::default(),
            engine: Engine::new(registry, clock, &options)?,
            leaps: options.speed.is_none(),
            asked_until: Time::ZERO,
            runtime: Runtime::start().map_err(LiveError::Start)?,
        })
    }

    /// The real address of a scenario's address: a host's, once it was opened (port 25 always), or that of a
    /// registered service.
    pub fn actual(&self, scenario: SocketAddr) -> Option<SocketAddr> {
        self.engine.addresses.actual(scenario)
    }

    /// What the scenario calls a real address of this world.
    pub fn scenario(&self, actual: SocketAddr) -> Option<SocketAddr> {
        self.engine.addresses.scenario(actual)
    }

    /// Makes a service outside the driver (on UDP, TCP or both) reachable for the processes, at an address of
    /// the scenario.
    ///
    /// # Errors
    /// `actual` is not in 127.0.0.0/8, and the world stands on loopback.
    pub fn register(&mut self, scenario: SocketAddr, actual: SocketAddr) -> Result<(), LiveError> {
        self.engine.addresses.register(scenario, actual)
    }

    /// The real port that stands for port 25 on every host.
    pub fn port(&self) -> u16 {
        self.engine.addresses.port()
    }

    /// What applications beside the processes connect with: to hosts and services that the world has now.
    pub fn dialer(&self) -> Dialer {
        self.engine.addresses.dialer()
    }

    /// The process of a host, to be looked at; `None` while the host is down.
    pub fn process(&self, host: HostId) -> Option<&P> {
        self.processes.get(usize::from(host.0))?.as_ref()
    }

    /// The clock, for services beside the processes.
    pub fn clock(&self) -> Clock {
        self.engine.clock.clone()
    }

    /// Says that a foreign peer is at work, as long as the guard is held.
    pub fn foreign(&self) -> Foreign {
        self.engine.clock.foreign()
    }

    /// The runtime for services beside the processes. It ends with the world.
    pub fn handle(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }

    /// What went wrong and no process could be told of: addresses that could not be opened, folders that could
    /// not be used.
    pub fn errors(&self) -> &[LiveError] {
        &self.engine.errors
    }
}

impl<P, F> Drop for Live<P, F> {
    fn drop(&mut self) {
        self.engine.clock.end();
    }
}
