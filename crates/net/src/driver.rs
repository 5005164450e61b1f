//! What a world can be asked to do, whichever world it is.

use std::{net::IpAddr, ops::ControlFlow, time::Duration};

use crate::{Commands, HostId, LinkRule, Process, Tag, Time};

/// A host as a driver needs to know it.
#[derive(Clone, Debug)]
pub struct HostSpec {
    /// The name used in thread names, folders and diagnostics.
    pub name: String,
    /// The scenario's addresses of the host. Unique in the world.
    pub addresses: Vec<IpAddr>,
}

/// How a host answers connects. The fault tag, if any, is recorded for the *connecting* host when it bites.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// As usual.
    #[default]
    Open,
    /// The kernel answers with a reset.
    Refuse(Tag),
    /// No answer at all: the SYN is lost.
    Blackhole(Tag),
    /// The network says that there is no way.
    Unreachable(Tag),
}

/// What is wrong with a host's disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that fit; appends beyond fail with `Full`. `None` is without bound.
    pub capacity: Option<u64>,
    /// Set while a fault fills the disk: every append fails, and the tag is recorded.
    pub full: Option<Tag>,
}

/// Where recorded facts go. `Break` asks the driver to come back as soon as it can.
pub trait Sink<F> {
    /// Sees one fact, stamped with virtual time and host.
    fn see(&mut self, at: Time, host: HostId, fact: F) -> ControlFlow<()>;
}

impl<F, S: FnMut(Time, HostId, F) -> ControlFlow<()>> Sink<F> for S {
    fn see(&mut self, at: Time, host: HostId, fact: F) -> ControlFlow<()> {
        self(at, host, fact)
    }
}

/// Why [`Driver::run_until`] came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The asked time was reached.
    Reached,
    /// The sink asked for it.
    Asked,
    /// Nothing is under way and no deadline is left: nothing would ever happen again by itself. In `sim` the
    /// time stays at the last event, and whoever acts from outside next acts at the time that was asked for.
    Idle,
}

/// Moves the processes of a world. `sim` and `live` implement it; a play is written once, over this.
pub trait Driver<P: Process<F>, F> {
    /// The present virtual time.
    fn now(&self) -> Time;

    /// Adds a host, before or during the run; its process gets `Start` when time next runs.
    fn add(&mut self, spec: HostSpec, process: P) -> HostId;

    /// Runs until `until`, handing every fact to `sink`.
    fn run_until(&mut self, until: Time, sink: &mut dyn Sink<F>) -> Stop;

    /// Lets `visit` act on a host's process from outside, as a step of a scenario does. Does nothing when the
    /// host is down. Facts recorded in the visit reach the sink of the next run.
    fn visit(&mut self, host: HostId, visit: Visit<P, F>);

    /// Says how a host answers connects from now on.
    fn access(&mut self, host: HostId, access: Access);

    /// Sets or (with `None`) lifts the rules of the way from one host to another. One direction.
    fn link(&mut self, from: HostId, to: HostId, rule: Option<LinkRule>);

    /// Says what is wrong with a host's disk from now on.
    fn disk(&mut self, host: HostId, disk: Disk);

    /// Takes the host down as a power cut would: process, connections and unsynced bytes are gone.
    fn crash(&mut self, host: HostId);

    /// Brings a crashed host back with a rebuilt process, which gets `Restart` with what the disk kept.
    fn restart(&mut self, host: HostId, process: P);

    /// How long a connect to an address that never answers lasts before the kernel gives up.
    fn connect_patience(&mut self, patience: Duration);
}

/// A call on a host's process from outside.
pub type Visit<P, F> = Box<dyn FnOnce(&mut P, Time, &mut Commands<F>) + Send>;
