//! What a node remembers of hosts that failed, as its profile does.

use std::{net::IpAddr, time::Duration};

use mxdrill_net::{Index, Time};

use crate::{
    Profile, Retry, RetryRule,
    profile::{Expiry, Memory},
    retry,
};

/// Addresses remembered at most. A zone may name any number; then all are forgotten, which only costs tries.
const HOSTS_MAX: usize = 65_536;

/// The hosts that failed.
#[derive(Debug)]
pub(crate) struct HostMemory {
    kind: Memory,
    rules: Vec<RetryRule>,
    hosts: Index<IpAddr, Trouble>,
}

/// One address that failed.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    first: Time,
    last: Time,
    /// Skipped until then.
    next: Time,
    failures: u32,
    /// Failing for longer than the last rule (Exim).
    is_past_cutoff: bool,
}

impl HostMemory {
    pub(crate) fn new(profile: &Profile) -> HostMemory {
        let rules = match &profile.retry {
            Retry::Rules(rules) => rules.clone(),
            _ => Vec::new(),
        };
        HostMemory { kind: profile.memory, rules, hosts: Index::default() }
    }

    /// Whether hosts have clocks of their own, so that mail waits for them rather than for its own time.
    pub(crate) fn has_clocks(&self) -> bool {
        matches!(self.kind, Memory::Clock { .. })
    }

    /// Whether an address is to be skipped now.
    pub(crate) fn skips(&self, now: Time, address: IpAddr) -> bool {
        !self.hosts.is_empty() && self.hosts.get(&address).is_some_and(|trouble| now < trouble.next)
    }

    /// Whether an address has been failing for longer than the last rule, in a profile that gives up for that.
    pub(crate) fn is_past_cutoff(&self, address: IpAddr, expiry: Expiry) -> bool {
        expiry == Expiry::HostCutoff && self.hosts.get(&address).is_some_and(|trouble| trouble.is_past_cutoff)
    }

    /// The address answered as an SMTP server should.
    pub(crate) fn succeeded(&mut self, address: IpAddr) {
        if !self.hosts.is_empty() {
            self.hosts.remove(&address);
        }
    }

    /// The address failed: the connection, the greeting, or the session. `timed_out` tells a connect that
    /// nobody answered from the rest.
    pub(crate) fn failed(&mut self, now: Time, address: IpAddr, timed_out: bool) {
        match self.kind {
            Memory::None => return,
            Memory::Timeouts { .. } if !timed_out => return self.succeeded(address),
            _ => {}
        }
        if self.hosts.len() >= HOSTS_MAX {
            self.hosts.clear();
        }
        let before = self.hosts.get(&address).filter(|trouble| !self.is_stale(now, trouble)).copied();
        let trouble = self.again(now, before);
        self.hosts.insert(address, trouble);
    }

    fn is_stale(&self, now: Time, trouble: &Trouble) -> bool {
        matches!(self.kind, Memory::Clock { forget } if now.since(trouble.last) > forget)
    }

    fn again(&self, now: Time, before: Option<Trouble>) -> Trouble {
        if let (Memory::Timeouts { apart, .. }, Some(before)) = (self.kind, before)
            && now.since(before.last) < apart
        {
            return before;
        }
        let first = before.map_or(now, |trouble| trouble.first);
        let failures = before.map_or(0, |trouble| trouble.failures).saturating_add(1);
        let wait = match self.kind {
            Memory::None => Duration::ZERO,
            Memory::Clock { .. } => self.clock_gap(now, first, before),
            Memory::Penalty { unit, max } => unit.saturating_mul(failures.saturating_mul(failures)).min(max),
            Memory::Fixed(wait) => wait,
            Memory::Timeouts { times, lasts, .. } => {
                if failures >= times {
                    lasts
                } else {
                    Duration::ZERO
                }
            }
        };
        let cutoff = self.rules.last().map(RetryRule::until);
        Trouble {
            first,
            last: now,
            next: now + wait,
            failures,
            is_past_cutoff: cutoff.is_some_and(|cutoff| now.since(first) > cutoff),
        }
    }

    /// Exim, retry.c: the last gap is the shorter of the predicted and the actual one.
    fn clock_gap(&self, now: Time, first: Time, before: Option<Trouble>) -> Duration {
        let last = before
            .map_or(Duration::ZERO, |trouble| trouble.next.since(trouble.last).min(now.since(trouble.last)));
        retry::gap(&self.rules, now.since(first), last)
    }

    /// Forgets everything (`exim -qff` looks past its hints).
    pub(crate) fn clear(&mut self) {
        self.hosts.clear();
    }
}
