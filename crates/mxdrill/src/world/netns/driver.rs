//! How the hosts of a private network are moved: mocks by the live driver, programs by what is done to their
//! processes and packets.

use std::{sync::Arc, time::Duration};

use mxdrill_ledger::Fact;
use mxdrill_net::{Access, Disk, Driver, HostId, HostSpec, LinkRule, Sink, Stop, Time, Visit};

use mxdrill_netns::HostError;

use super::{NetnsStage, SLICE, mail};
use crate::{host::HostProcess, play::Stage};

impl NetnsStage<'_> {
    fn mocks(&mut self) -> &mut dyn Driver<HostProcess, Fact> {
        self.live.driver()
    }

    fn time(&mut self) -> Time {
        self.mocks().now()
    }

    /// Hands over what happened beside the mocks. False when the sink wants the driver to come back.
    fn hand_over(&mut self, sink: &mut dyn Sink<Fact>) -> bool {
        while let Some((at, host, fact)) = self.facts.pop_front() {
            if sink.see(at, host, fact).is_break() {
                return false;
            }
        }
        true
    }

    /// Looks into the inboxes, and hurries schedules that cannot be set.
    fn make_round(&mut self) {
        let now = self.time();
        for host in self.programs.keys().copied().collect::<Vec<_>>() {
            self.collect(now, host);
            self.nudge(now, host);
        }
    }

    fn collect(&mut self, now: Time, host: HostId) {
        if self.plan.cast.member(host).server().is_none_or(|(_, config)| config.delivers.is_empty()) {
            return;
        }
        let arrived = self.program(host).map(|program| program.arrived());
        let arrived = arrived.and_then(|arrived| self.note(arrived)).unwrap_or_default();
        for message in arrived.iter().filter_map(|arrived| mail::arrived(&arrived.content)) {
            let fact = mxdrill_mta::Fact::Delivered { message: Arc::new(message), recipient: 0 };
            self.facts.push_back((now, host, fact.into()));
        }
    }

    fn nudge(&mut self, now: Time, host: HostId) {
        let Some(every) =
            self.program(host).filter(|program| program.is_up()).and_then(|program| program.nudge())
        else {
            return;
        };
        let due = *self.rounds.nudge.entry(host).or_insert(now + every);
        if now >= due {
            self.rounds.nudge.insert(host, now + every);
            self.flush(host);
        }
    }

    /// Whether this host is a program.
    fn is_program(&self, host: HostId) -> bool {
        self.programs.contains_key(&host)
    }
}

impl Driver<HostProcess, Fact> for NetnsStage<'_> {
    fn now(&self) -> Time {
        self.live.clock().now()
    }

    fn add(&mut self, spec: HostSpec, process: HostProcess) -> HostId {
        self.mocks().add(spec, process)
    }

    fn run_until(&mut self, until: Time, sink: &mut dyn Sink<Fact>) -> Stop {
        loop {
            if !self.hand_over(sink) {
                return Stop::Asked;
            }
            let slice = (self.time() + SLICE).min(until);
            match self.mocks().run_until(slice, sink) {
                Stop::Asked => return Stop::Asked,
                Stop::Reached | Stop::Idle if slice >= until => return Stop::Reached,
                Stop::Reached | Stop::Idle => self.make_round(),
            }
        }
    }

    fn visit(&mut self, host: HostId, visit: Visit<HostProcess, Fact>) {
        self.mocks().visit(host, visit);
    }

    fn access(&mut self, host: HostId, access: Access) {
        let addresses = self.addresses(host);
        let done = match self.program(host) {
            Some(program) => program.access(access),
            None => {
                self.mocks().access(host, access);
                self.cell.access(&addresses, access)
            }
        };
        self.note(done);
    }

    fn link(&mut self, from: HostId, to: HostId, rule: Option<LinkRule>) {
        if !self.is_program(from) && !self.is_program(to) {
            return self.mocks().link(from, to, rule);
        }
        let (from_addresses, to_addresses) = (self.addresses(from), self.addresses(to));
        let tag = rule.filter(|rule| rule.link.partition).map(|rule| rule.tag);
        let done = self.cell.cut(&from_addresses, &to_addresses, tag);
        self.note(done);
    }

    fn disk(&mut self, host: HostId, disk: Disk) {
        self.mocks().disk(host, disk);
    }

    fn crash(&mut self, host: HostId) {
        let now = self.time();
        match self.program(host) {
            Some(program) => {
                let killed = program.kill();
                self.note(killed);
                self.facts.push_back((now, host, mxdrill_net::Fact::Crashed.into()));
            }
            None => self.mocks().crash(host),
        }
    }

    fn restart(&mut self, host: HostId, process: HostProcess) {
        let now = self.time();
        let started = match self.program(host) {
            Some(program) => program.kill().map_err(HostError::from).and_then(|()| program.start()),
            None => return self.mocks().restart(host, process),
        };
        self.note(started);
        self.facts.push_back((now, host, mxdrill_net::Fact::Restarted.into()));
    }

    fn connect_patience(&mut self, patience: Duration) {
        self.mocks().connect_patience(patience);
    }
}
