//! The hosts of a live world: added, crashed, brought back, woken.

use std::net::SocketAddr;

use super::{
    end::End,
    engine::{Engine, Soon},
    store::Store,
    timers::Due,
};
use crate::{Access, Commands, Fact, HostId, HostSpec, Kept, Time};

/// A host as the engine knows it: everything but its process.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) listens: Vec<SocketAddr>,
    pub(super) access: Access,
    pub(super) up: bool,
    /// Counts crashes, so that answers to a former life are known.
    pub(super) life: u32,
    /// What its disk kept, until its process has begun.
    pub(super) first: Option<Vec<Kept>>,
    pub(super) store: Store,
    wake: Option<Time>,
    /// The earliest entry of this host among the timers.
    armed: Option<Time>,
}

impl<F: From<Fact>> Engine<F> {
    /// Takes up a host, with its addresses and disk; its process begins when time next runs.
    pub(super) fn add(&mut self, spec: HostSpec) -> HostId {
        let id = HostId(u16::try_from(self.hosts.len()).expect("at most 65536 hosts"));
        for address in &spec.addresses {
            if let Err(error) = self.addresses.settle(id, *address) {
                self.trouble(error);
            }
        }
        let (store, kept) = match self.spool.open(id, &spec.name) {
            Ok(opened) => opened,
            Err(error) => {
                self.trouble(error);
                (Store::memory(), Vec::new())
            }
        };
        self.hosts.push(Host {
            listens: Vec::new(),
            access: Access::Open,
            up: true,
            life: 0,
            first: Some(kept),
            store,
            wake: None,
            armed: None,
        });
        self.soon.push_back(Soon::Begin(id));
        id
    }

    /// Takes a host down: connections are reset, listeners closed, what was not synced is lost.
    pub(super) fn crash(&mut self, host: HostId, out: &mut Commands<F>) {
        for key in self.listeners_of(host) {
            while let Some(incoming) = self.accept(key, out) {
                self.reset_silently(incoming.conn);
            }
        }
        let of_host = |end: &End| end.host == host;
        let keys: Vec<_> = self.ends.iter().filter(|(_, end)| of_host(end)).map(|(key, _)| key).collect();
        keys.into_iter().for_each(|key| self.lose_end(key));
        self.connects.retain(|_, connect| connect.host != host);
        self.close_listeners(host);
        let state = self.host_mut(host);
        state.up = false;
        state.life += 1;
        state.first = None;
        state.wake = None;
        state.store.crash();
        self.record(host, Fact::Crashed);
    }

    /// Brings a host back, with what its disk kept.
    pub(super) fn restart(&mut self, host: HostId) {
        let state = self.host_mut(host);
        state.up = true;
        let kept = state.store.kept();
        let kept = kept.unwrap_or_else(|error| {
            self.trouble(error);
            Vec::new()
        });
        self.host_mut(host).first = Some(kept);
        self.soon.push_back(Soon::Begin(host));
        self.record(host, Fact::Restarted);
    }

    /// Sets the deadline of a host's process, or disarms it. One entry of a host stands among the timers, and is
    /// put off lazily.
    pub(super) fn set_wake(&mut self, host: HostId, wake: Option<Time>) {
        let state = &mut self.hosts[usize::from(host.0)];
        state.wake = wake;
        if let Some(at) = wake
            && state.armed.is_none_or(|armed| at < armed)
        {
            state.armed = Some(at);
            self.timers.arm(at, Due::Wake(host));
        }
    }

    /// Whether the deadline of a host has really come; re-arms it where it was put off.
    pub(super) fn is_awake(&mut self, host: HostId, armed: Time, now: Time) -> bool {
        let state = &mut self.hosts[usize::from(host.0)];
        if state.armed != Some(armed) {
            return false;
        }
        state.armed = None;
        match state.wake {
            Some(at) if at <= now => {
                state.wake = None;
                state.up
            }
            wake => {
                self.set_wake(host, wake);
                false
            }
        }
    }
}
