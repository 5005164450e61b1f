//! A host of a lab, in the hands of whoever runs the lab.

use std::{net::SocketAddr, time::Duration};

use mxdrill_net::HostId;
use mxdrill_smtp::{Reply, Stage};

use super::{Held, Lab};
use crate::{
    PlanError,
    scenario::{Connect, Dialogue, HostFault, Matching, Moment, Trigger},
};

/// A host of a [`Lab`]. What is done to it adds up until it is cleared.
#[derive(Clone, Copy, Debug)]
pub struct LabHost<'a> {
    pub(super) lab: &'a Lab,
    pub(super) id: HostId,
    pub(super) address: SocketAddr,
}

impl LabHost<'_> {
    /// Where it really listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// It refuses connections.
    pub fn refuse(&self) {
        self.connect(Connect::Refuse);
    }

    /// It does not answer connects.
    pub fn blackhole(&self) {
        self.connect(Connect::Blackhole);
    }

    /// There is no way to it. On loopback a foreign client sees a refusal.
    pub fn unreachable(&self) {
        self.connect(Connect::Unreachable);
    }

    /// It accepts connections and closes them at once.
    pub fn close(&self) {
        self.connect(Connect::Close);
    }

    /// It accepts connections and never greets.
    pub fn silent(&self) {
        self.connect(Connect::Silent);
    }

    /// It says this at a stage: `"451 4.3.0 later"`.
    ///
    /// # Panics
    /// At the caller's line, when the text is no reply.
    #[track_caller]
    pub fn reply(&self, stage: Stage, reply: &str) {
        match Reply::parse(format!("{reply}\r\n").as_bytes()) {
            Ok(reply) => self.dialogue(Dialogue { reply: Some(reply), ..at(stage) }),
            Err(why) => panic!("`{reply}` is no reply: {why}"),
        }
    }

    /// It drops the connection at a moment of a stage.
    pub fn drop_at(&self, stage: Stage, moment: Moment) {
        self.dialogue(Dialogue { drop: Some(moment), ..at(stage) });
    }

    /// It waits before it replies at a stage.
    pub fn delay(&self, stage: Stage, delay: Duration) {
        self.dialogue(Dialogue { delay: Some(delay), ..at(stage) });
    }

    /// Its disk is full.
    pub fn disk_full(&self) {
        self.sure(HostFault::DiskFull);
    }

    /// It loses power, and stays down until [`LabHost::restart`] or [`LabHost::clear`].
    pub fn crash(&self) {
        self.sure(HostFault::Crash(None));
    }

    /// It comes back with what its disk kept; a host that is up loses power first.
    pub fn restart(&self) {
        let id = self.id;
        self.lab.ask(move |bench| bench.restart(id)).expect("every world can restart a host");
    }

    /// Any fault that a scenario can put on a host.
    ///
    /// # Errors
    /// No world can bring it about.
    pub fn fault(&self, fault: HostFault) -> Result<(), PlanError> {
        let id = self.id;
        self.lab.ask(move |bench| bench.begin(id, fault))
    }

    /// All its faults end, those of the scenario's steps too.
    pub fn clear(&self) {
        let id = self.id;
        self.lab.ask(move |bench| bench.clear(id));
    }

    /// It tries its whole queue at once (ETRN, `postqueue -f`, `exim -qff`).
    pub fn flush(&self) {
        let id = self.id;
        self.lab.ask(move |bench| bench.flush(id));
    }

    /// What is in its queue, in the order in which it came; nothing while it is down.
    pub fn queue(&self) -> Vec<Held> {
        let id = self.id;
        self.lab.ask(move |bench| bench.queue(id))
    }

    fn connect(&self, connect: Connect) {
        self.sure(HostFault::Connect(connect));
    }

    fn dialogue(&self, dialogue: Dialogue) {
        self.sure(HostFault::Dialogue(Box::new(dialogue)));
    }

    /// A fault that exists in live worlds and names no other host.
    fn sure(&self, fault: HostFault) {
        self.fault(fault).expect("live worlds have this fault");
    }
}

/// Nothing happens at a stage yet.
fn at(stage: Stage) -> Dialogue {
    Dialogue {
        stage,
        matching: Matching::default(),
        trigger: Trigger::default(),
        delay: None,
        tarpit: None,
        reply: None,
        drop: None,
    }
}
