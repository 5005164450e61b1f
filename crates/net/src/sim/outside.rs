//! What a scenario does to the world from outside: [`Driver`] for [`Sim`].

use std::{ops::ControlFlow, time::Duration};

use super::{
    Sim,
    connection::State,
    host::{First, Host},
    queue::{Side, What},
    slab::Key,
};
use crate::{
    Access, Closed, Disk, Driver, Fact, HostId, HostSpec, LinkRule, Process, Seed, Sink, Stop, Time, Visit,
    way::{PATIENCE, next_retransmit},
};

impl<P: Process<F>, F: From<Fact>> Driver<P, F> for Sim<P, F> {
    fn now(&self) -> Time {
        self.now
    }

    /// # Panics
    /// When an address belongs to another host already, or at the 65,536th host.
    fn add(&mut self, spec: HostSpec, process: P) -> HostId {
        self.catch_up();
        let host = u16::try_from(self.hosts.len()).expect("at most 65,535 hosts");
        for address in spec.addresses {
            let former = self.addresses.insert(address, host);
            assert!(former.is_none(), "{address} belongs to two hosts, {} is one", spec.name);
        }
        self.hosts.push(Host::new(process));
        self.wakes.add();
        self.queue.push(self.now, What::Begin { host, life: 0 });
        HostId(host)
    }

    fn run_until(&mut self, until: Time, sink: &mut dyn Sink<F>) -> Stop {
        self.run(until, sink)
    }

    fn visit(&mut self, host: HostId, visit: Visit<P, F>) {
        self.act(|sim, sink| {
            sim.begin(host.0, sink);
            if let Some(process) = &mut sim.hosts[usize::from(host.0)].process {
                visit(process, sim.now, &mut sim.out);
                sim.carry_out(host.0, sink);
            }
        });
    }

    fn access(&mut self, host: HostId, access: Access) {
        self.hosts[usize::from(host.0)].access = access;
    }

    fn link(&mut self, from: HostId, to: HostId, rule: Option<LinkRule>) {
        self.act(|sim, sink| sim.set_link(from.0, to.0, rule, sink));
    }

    fn disk(&mut self, host: HostId, disk: Disk) {
        self.hosts[usize::from(host.0)].store.health = disk;
    }

    fn crash(&mut self, host: HostId) {
        self.act(|sim, sink| sim.cut_power(host.0, sink));
    }

    /// A host that is up is taken down first.
    fn restart(&mut self, host: HostId, process: P) {
        self.act(|sim, sink| {
            sim.cut_power(host.0, sink);
            let place = &mut sim.hosts[usize::from(host.0)];
            place.process = Some(process);
            place.first = Some(First::Restart(place.store.kept()));
            sim.queue.push(sim.now, What::Begin { host: host.0, life: place.life });
            sim.tell(host.0, Fact::Restarted, sink);
        });
    }

    fn connect_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }
}

impl<P: Process<F>, F: From<Fact>> Sim<P, F> {
    /// Lets somebody act from outside; the facts of it wait for the sink of the next run.
    fn act(&mut self, act: impl FnOnce(&mut Self, &mut dyn Sink<F>)) {
        self.catch_up();
        let mut pending = std::mem::take(&mut self.pending);
        act(self, &mut |at, host, fact| {
            pending.push((at, host, fact));
            ControlFlow::Continue(())
        });
        self.pending = pending;
    }

    /// On an idle world, moves the time to where it was asked to run.
    fn catch_up(&mut self) {
        if self.asked_until < Time::MAX {
            self.now = self.now.max(self.asked_until);
        }
    }

    fn cut_power(&mut self, host: u16, sink: &mut dyn Sink<F>) {
        if self.hosts[usize::from(host)].process.take().is_none() {
            return;
        }
        for key in self.connections.keys() {
            self.drop_end(key, Side::Opener, host, sink);
            self.drop_end(key, Side::Acceptor, host, sink);
        }
        self.wakes.set(host, Time::MAX);
        let place = &mut self.hosts[usize::from(host)];
        place.life += 1;
        place.first = None;
        place.listens.clear();
        place.store.lose_power(self.disks, host, place.life);
        self.tell(host, Fact::Crashed, sink);
    }

    /// Ends a side that stands on the crashed host. The SYN of a connect that the host has not heard of finds
    /// nobody when it comes.
    fn drop_end(&mut self, key: Key, side: Side, host: u16, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get(key) else { return };
        let end = connection.end(side);
        if end.host != host {
            return;
        }
        match end.state {
            State::Open => {
                self.tell_gone(key, side, Some(Closed::Reset), sink);
                self.abort(key, side, sink);
            }
            State::Answered => self.abort(key, side, sink),
            State::Connecting => self.forget_connect(key),
            State::Unasked | State::Done => {}
        }
    }

    fn set_link(&mut self, from: u16, to: u16, rule: Option<LinkRule>, sink: &mut dyn Sink<F>) {
        let number = self.way(from, to);
        let way = &mut self.ways[number as usize];
        let old = way.set(rule);
        let horizon = self.now + old.latency + old.jitter;
        let (is_cut, was_cut) = (way.link.partition, old.partition);
        for key in self.connections.keys() {
            for side in [Side::Opener, Side::Acceptor] {
                if self.connections.get(key).is_none_or(|c| c.end(side).out.way != number) {
                    continue;
                }
                match is_cut {
                    true if !was_cut => self.stall(key, side, horizon, sink),
                    true => {}
                    false => self.resume(key, side),
                }
            }
        }
    }

    /// A partition begins: what is on the wire arrives, what waits for its turn or is retransmitted does not.
    fn stall(&mut self, key: Key, side: Side, horizon: Time, sink: &mut dyn Sink<F>) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let end = connection.end_mut(side);
        let (host, way) = (end.host, end.out.way);
        if end.out.stalled.is_some() || !end.out.stall(horizon) {
            return;
        }
        end.out.stalled = Some(self.now);
        self.queue.push(self.now + PATIENCE, What::GiveUp(key, side));
        if let Some(tag) = self.ways[way as usize].tag() {
            self.tell(host, Fact::Bit(tag), sink);
        }
    }

    /// The way is open again: what is stalled goes with the next retransmission.
    fn resume(&mut self, key: Key, side: Side) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        let pipe = &mut connection.end_mut(side).out;
        let Some(since) = pipe.stalled.take() else { return };
        let way = &mut self.ways[pipe.way as usize];
        let (at, draw) = (next_retransmit(since, self.now), pipe.draw);
        let mut count = 0;
        pipe.resume(|bytes| {
            count += 1;
            way.pass(at, bytes, Seed(draw).pick("again", &[count])).at.unwrap_or(Time::MAX)
        });
        if pipe.last_at == Time::MAX {
            pipe.stalled = Some(since);
        }
        self.arm(key, side);
    }
}
