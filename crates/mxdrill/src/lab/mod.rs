//! A lab: the DNS and the mail hosts of a scenario on loopback, for a sender of your own.
//!
//! The hosts are the same mail nodes as in a drill, on real sockets; they, and only they, can be reached. Point a
//! resolver at [`Lab::dns_addr`], and connect to port [`Lab::smtp_port`] of the addresses that it gives: the DNS
//! of a lab tells real loopback addresses. Break and repair hosts by hand, or let the steps of the scenario do it:
//! they happen at their times, counted from the start of the lab. Time runs with the wall clock, unless the world
//! says otherwise.
//!
//! ```
//! use mxdrill::{Lab, build::*};
//!
//! let drill = Drill::new("two MX")
//!     .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
//!     .host(Host::delivers("mx1"))
//!     .host(Host::relays("mx2").like(Postfix));
//! let lab = Lab::start_blocking(&drill.scenario().unwrap()).unwrap();
//!
//! lab.host("mx1").refuse();
//! // here your sender is told lab.dns_addr() and lab.smtp_port(), and sends to user@example.test
//! assert!(lab.host("mx2").address().ip().is_loopback());
//! assert_eq!(lab.host("mx2").queue(), []);
//! lab.host("mx1").clear();
//!
//! lab.outcome_blocking().unwrap().assert_ok();
//! ```
//!
//! # The books
//! Mail of a foreign sender is known by its Message-ID, and by its content where it has none: what a host of the
//! lab took from it counts as sent and acknowledged, and from then on must neither be lost nor come twice. What a
//! former lab left in a spool that is kept ([`World::spool`]) counts, too.

mod host;
#[cfg(test)]
mod tests;
mod thread;

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::mpsc::{Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use mxdrill_ledger::{Expectation, ExpectationError, Figure, FigureError, Outcome, Quantity};
use mxdrill_net::{HostId, live::Clock};
use tokio::sync::oneshot;

pub use crate::play::Held;
pub use host::LabHost;

use crate::{
    RunError, World,
    play::{Bench, Call},
    scenario::{Place, Scenario},
};

/// A running lab. Dropping it ends it without an outcome.
#[derive(Debug)]
pub struct Lab {
    scenario: Scenario,
    dns: SocketAddr,
    port: u16,
    hosts: BTreeMap<String, (HostId, SocketAddr)>,
    clock: Clock,
    /// `None` once it has ended.
    calls: Option<Sender<Call>>,
    thread: Option<JoinHandle<()>>,
}

/// Why something waited for did not come about, or a lab had no outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LabError {
    /// The figure does not exist.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// The value is none of this figure.
    #[error(transparent)]
    Expectation(#[from] ExpectationError),
    /// The figure did not agree in time.
    #[error("{expected}: found {found}")]
    NotYet {
        /// What was expected.
        expected: Expectation,
        /// What was found in the end.
        found: Quantity,
    },
    /// The journal of the lab could not be kept.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The lab broke down.
    #[error("the lab has broken down")]
    Broken,
}

impl Lab {
    /// Starts a lab. Once this returns, its DNS and hosts answer.
    ///
    /// # Errors
    /// The scenario makes no sense in a live world, or the world cannot be built.
    pub async fn start(scenario: &Scenario) -> Result<Lab, RunError> {
        Lab::start_in(scenario, &Lab::world()).await
    }

    /// Like [`Lab::start`], in a world of your own making: with a port, a spool, another speed. `World::live()`
    /// leaps over time in which nothing happens.
    ///
    /// # Errors
    /// As [`Lab::start`].
    pub async fn start_in(scenario: &Scenario, world: &World) -> Result<Lab, RunError> {
        let (told, ready) = oneshot::channel();
        let begun = thread::begin(scenario, world, move |ready| _ = told.send(ready))?;
        begun.lab(scenario, ready.await.ok())
    }

    /// Starts a lab, for callers that are not async.
    ///
    /// # Errors
    /// As [`Lab::start`].
    pub fn start_blocking(scenario: &Scenario) -> Result<Lab, RunError> {
        Lab::start_blocking_in(scenario, &Lab::world())
    }

    /// Like [`Lab::start_in`], for callers that are not async.
    ///
    /// # Errors
    /// As [`Lab::start`].
    pub fn start_blocking_in(scenario: &Scenario, world: &World) -> Result<Lab, RunError> {
        let (told, ready) = channel();
        let begun = thread::begin(scenario, world, move |ready| _ = told.send(ready))?;
        begun.lab(scenario, ready.recv().ok())
    }

    /// The world of a lab: real sockets, and time as on the wall.
    pub fn world() -> World {
        World::live().speed(1)
    }

    /// Where the DNS answers, over UDP and TCP. It knows the zones of the scenario and nothing else.
    pub fn dns_addr(&self) -> SocketAddr {
        self.dns
    }

    /// The port that stands for 25, the same on all hosts.
    pub fn smtp_port(&self) -> u16 {
        self.port
    }

    /// A host, by its label or its place (`primary`, `backup`).
    ///
    /// # Panics
    /// At the caller's line, when there is no such host.
    #[track_caller]
    pub fn host(&self, name: &str) -> LabHost<'_> {
        let place = Place::from(name);
        let label = self.scenario.place(&place).unwrap_or(name);
        match self.hosts.get(label) {
            Some((id, address)) => LabHost { lab: self, id: *id, address: *address },
            None => panic!("there is no host `{name}` in this lab"),
        }
    }

    /// Waits until a figure agrees: `("queued.mx2", "1")`, `("delivered.all", ">= 40")`, as scenarios write them.
    /// `within` is time of the lab.
    ///
    /// # Errors
    /// The figure or the value is none, or it did not agree in time.
    pub async fn wait_until(&self, figure: &str, value: &str, within: Duration) -> Result<(), LabError> {
        let expected = Expectation::parse(figure.parse::<Figure>()?, value)?;
        let (told, heard) = oneshot::channel();
        let wanted = expected.clone();
        self.call(move |bench| bench.tell_when(wanted, within, move |found| _ = told.send(found)));
        not_yet(expected, heard.await.ok())
    }

    /// Like [`Lab::wait_until`], for callers that are not async.
    ///
    /// # Errors
    /// As [`Lab::wait_until`].
    pub fn wait_until_blocking(&self, figure: &str, value: &str, within: Duration) -> Result<(), LabError> {
        let expected = Expectation::parse(figure.parse::<Figure>()?, value)?;
        let (told, heard) = channel();
        let wanted = expected.clone();
        self.call(move |bench| bench.tell_when(wanted, within, move |found| _ = told.send(found)));
        not_yet(expected, heard.recv().ok())
    }

    /// Ends the lab: looks into every queue, and closes the books. Mail that is still queued is a violation, so
    /// wait for what is to arrive. Steps that are still to come do not happen.
    ///
    /// # Errors
    /// The lab has broken down.
    pub async fn outcome(self) -> Result<Outcome, LabError> {
        let (told, heard) = oneshot::channel();
        self.call(move |bench| bench.close(move |outcome| _ = told.send(outcome)));
        Ok(heard.await.map_err(|_| LabError::Broken)??)
    }

    /// Like [`Lab::outcome`], for callers that are not async.
    ///
    /// # Errors
    /// As [`Lab::outcome`].
    pub fn outcome_blocking(self) -> Result<Outcome, LabError> {
        let (told, heard) = channel();
        self.call(move |bench| bench.close(move |outcome| _ = told.send(outcome)));
        Ok(heard.recv().map_err(|_| LabError::Broken)??)
    }

    /// Hands a call to the thread that plays.
    fn call(&self, call: impl FnOnce(&mut Bench<'_>) + Send + 'static) {
        if let Some(calls) = &self.calls {
            let _ = calls.send(Box::new(call)); // a thread that is gone answers by dropping what it would tell
        }
        self.clock.interrupt();
    }

    /// Hands a call to the thread that plays, and waits for what it says.
    ///
    /// # Panics
    /// The lab has broken down.
    fn ask<T: Send + 'static>(&self, call: impl FnOnce(&mut Bench<'_>) -> T + Send + 'static) -> T {
        let (told, heard) = channel();
        self.call(move |bench| _ = told.send(call(bench)));
        heard.recv().expect("a lab goes on until it is dropped")
    }
}

fn not_yet(expected: Expectation, heard: Option<Result<(), Quantity>>) -> Result<(), LabError> {
    match heard.ok_or(LabError::Broken)? {
        Ok(()) => Ok(()),
        Err(found) => Err(LabError::NotYet { expected, found }),
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.calls = None;
        self.clock.interrupt();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // its panic has been printed
        }
    }
}
