//! What a scenario does to the world from outside: [`Driver`] for [`Live`].

use std::time::Duration;

use super::Live;
use crate::{Access, Disk, Driver, Fact, HostId, HostSpec, LinkRule, Process, Sink, Stop, Time, Visit};

impl<P: Process<F>, F: From<Fact>> Driver<P, F> for Live<P, F> {
    fn now(&self) -> Time {
        self.engine.now()
    }

    /// # Panics
    /// When an address belongs to another host already, or at the 65,536th host.
    fn add(&mut self, spec: HostSpec, process: P) -> HostId {
        self.catch_up();
        let host = self.engine.add(spec);
        self.processes.push(Some(process));
        host
    }

    fn run_until(&mut self, until: Time, sink: &mut dyn Sink<F>) -> Stop {
        self.asked_until = until.max(self.engine.now());
        self.engine.clock.run(until);
        let stop = self.run(until, sink);
        if stop == Stop::Asked {
            self.asked_until = self.engine.now(); // whoever asked acts now, not at the end of the run
        }
        self.engine.clock.freeze();
        stop
    }

    fn visit(&mut self, host: HostId, visit: Visit<P, F>) {
        self.catch_up();
        self.begin(host);
        let now = self.engine.now();
        if let Some(Some(process)) = self.processes.get_mut(usize::from(host.0)) {
            visit(process, now, &mut self.out);
            self.engine.carry_out(host, now, &mut self.out);
        }
    }

    fn access(&mut self, host: HostId, access: Access) {
        self.catch_up();
        for key in self.engine.listeners_of(host) {
            while self.accept_one(key) {} // what the kernel took before is not refused after all
        }
        self.engine.set_access(host, access);
    }

    fn link(&mut self, from: HostId, to: HostId, rule: Option<LinkRule>) {
        self.catch_up();
        let now = self.engine.now();
        self.engine.set_link(now, from, to, rule);
    }

    fn disk(&mut self, host: HostId, disk: Disk) {
        self.engine.host_mut(host).store.health = disk;
    }

    fn crash(&mut self, host: HostId) {
        self.catch_up();
        if let Some(process) = self.processes.get_mut(usize::from(host.0))
            && process.take().is_some()
        {
            self.engine.crash(host, &mut self.out);
        }
    }

    /// A host that is up is taken down first.
    fn restart(&mut self, host: HostId, process: P) {
        self.crash(host);
        if let Some(place) = self.processes.get_mut(usize::from(host.0)) {
            *place = Some(process);
            self.engine.restart(host);
        }
    }

    fn connect_patience(&mut self, patience: Duration) {
        self.engine.patience = patience;
    }
}

impl<P, F> Live<P, F> {
    /// On an idle world, moves the time to where it was asked to run.
    fn catch_up(&mut self) {
        if self.asked_until < Time::MAX {
            self.engine.clock.leap(self.asked_until);
        }
    }
}
