//! Processes on real sockets.
//!
//! [`Live`] moves the same machines as [`sim`](crate::sim), over the kernel's own TCP and UDP. Every address of
//! the scenario gets a loopback address of the world's own block in 127.0.0.0/8, one real port stands for port
//! 25, and processes see only the scenario's side of that. Nothing can leave: a destination that is neither a
//! host of the world nor a registered service is unreachable.
//!
//! Time runs with the wall clock while anything is under way, and leaps where nothing is.
//!
//! - [`LiveOptions`], [`LiveError`]: how a world is set up
//! - [`Clock`], [`Foreign`]: time, for what stands beside the processes
#![expect(dead_code, reason = "the driver's loop follows")]

mod addresses;
mod clock;
mod options;
mod runtime;

use std::{marker::PhantomData, net::SocketAddr};

pub use clock::{Clock, Foreign, Sleep};
pub use options::{LiveError, LiveOptions, Storage};

use addresses::Addresses;
use runtime::Runtime;

/// The token of the waker in the poll; sockets count from zero.
const WAKER: mio::Token = mio::Token(usize::MAX);

/// A world on real sockets.
///
/// Processes are moved on the thread that calls [`run_until`](crate::Driver::run_until), by one readiness loop
/// over all sockets; the runtime behind [`Live::handle`] has a thread of its own and serves only what stands
/// beside the processes. There is no process-wide state: many worlds can be live at once.
#[derive(Debug)]
pub struct Live<P, F> {
    poll: mio::Poll,
    clock: Clock,
    addresses: Addresses,
    runtime: Runtime,
    marker: PhantomData<(P, F)>,
}

impl<P, F> Live<P, F> {
    /// Makes an empty world, its clock at zero.
    ///
    /// # Errors
    /// No block of addresses or port is to be had, or the spool or the runtime cannot be made.
    pub fn new(options: LiveOptions) -> Result<Self, LiveError> {
        let poll = mio::Poll::new().map_err(LiveError::Start)?;
        let waker = mio::Waker::new(poll.registry(), WAKER).map_err(LiveError::Start)?;
        Ok(Live {
            poll,
            clock: Clock::new(waker, options.speed.unwrap_or(1)),
            addresses: Addresses::new(options.port)?,
            runtime: Runtime::start().map_err(LiveError::Start)?,
            marker: PhantomData,
        })
    }

    /// The real address of a scenario's address: a host's, once it was opened (port 25 always), or that of a
    /// registered service.
    pub fn actual(&self, scenario: SocketAddr) -> Option<SocketAddr> {
        self.addresses.actual(scenario)
    }

    /// What the scenario calls a real address of this world.
    pub fn scenario(&self, actual: SocketAddr) -> Option<SocketAddr> {
        self.addresses.scenario(actual)
    }

    /// Makes a service outside the driver (on UDP, TCP or both) reachable for the processes, at an address of the scenario.
    ///
    /// # Errors
    /// `actual` is not in 127.0.0.0/8.
    pub fn register(&mut self, scenario: SocketAddr, actual: SocketAddr) -> Result<(), LiveError> {
        self.addresses.register(scenario, actual)
    }

    /// The real port that stands for port 25 on every host.
    pub fn port(&self) -> u16 {
        self.addresses.port()
    }

    /// The clock, for services beside the processes.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Says that a foreign peer is at work, as long as the guard is held.
    pub fn foreign(&self) -> Foreign {
        self.clock.foreign()
    }

    /// The runtime for services beside the processes. It ends with the world.
    pub fn handle(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }
}

impl<P, F> Drop for Live<P, F> {
    fn drop(&mut self) {
        self.clock.end();
    }
}
