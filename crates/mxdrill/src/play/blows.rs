//! Dealing the blows of faults, and lifting them: what stands on a host is always the sum of its faults.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use mxdrill_dns::How;
use mxdrill_ledger::{DRILL, Deed};
use mxdrill_net::{Access, Disk, HostId, Link, LinkRule, Tag, Time};
use mxdrill_smtp::{Act, Faults, Rule, Then};

use super::{Play, watch::Fuse};
use crate::{
    plan::Blow,
    scenario::{Answer, DnsFault, LinkFault, Moment},
};

/// The faults under way.
#[derive(Default)]
pub(super) struct Standing {
    blows: Vec<(Tag, Blow)>,
    /// The scripts of hosts that are down: faults go on counting where they were.
    scripts: BTreeMap<HostId, Faults>,
}

impl Standing {
    fn access(&self, host: HostId) -> Access {
        let of = |(_, blow): &(Tag, Blow)| match blow {
            Blow::Access(on, access) if *on == host => Some(*access),
            _ => None,
        };
        self.blows.iter().rev().find_map(of).unwrap_or_default()
    }

    /// The tightest bound on sessions.
    fn sessions(&self, host: HostId) -> Option<u32> {
        let of = |(_, blow): &(Tag, Blow)| match blow {
            Blow::Sessions(on, most) if *on == host => Some(*most),
            _ => None,
        };
        self.blows.iter().filter_map(of).min()
    }

    fn disk_full(&self, host: HostId) -> Option<Tag> {
        let full =
            |(tag, blow): &(Tag, Blow)| matches!(blow, Blow::DiskFull(on) if *on == host).then_some(*tag);
        self.blows.iter().rev().find_map(full)
    }

    /// The rule of a way: each property as its last fault has it, under the tag of the last fault.
    fn link(&self, from: HostId, to: HostId) -> Option<LinkRule> {
        let mut rule = None;
        for (tag, blow) in &self.blows {
            if let Blow::Link(f, t, fault) = blow
                && (*f, *t) == (from, to)
            {
                let under = rule.map_or_else(Link::default, |rule: LinkRule| rule.link);
                rule = Some(LinkRule { link: worsened(under, fault), tag: *tag });
            }
        }
        rule
    }

    /// Whether a fault is under way.
    pub(super) fn has(&self, tag: Tag) -> bool {
        self.blows.iter().any(|(other, _)| *other == tag)
    }

    /// The faults under way that concern a host.
    pub(super) fn on(&self, host: HostId) -> Vec<Tag> {
        let on = self.blows.iter().filter(|(_, blow)| blow.hosts().contains(&host)).map(|(tag, _)| *tag);
        on.collect::<std::collections::BTreeSet<_>>().into_iter().collect()
    }

    pub(super) fn is_down(&self, host: HostId) -> bool {
        self.scripts.contains_key(&host)
    }
}

impl Play<'_> {
    /// A fault begins.
    pub(super) fn begin(&mut self, at: Time, tag: Tag) {
        self.watch.deed(at, self.concerned(tag), Deed::Fault { tag, begins: true });
        for blow in self.faults[tag.0 as usize].blows.clone() {
            self.standing.blows.push((tag, blow.clone()));
            self.deal(at, tag, &blow);
        }
    }

    /// A fault ends.
    pub(super) fn end_fault(&mut self, at: Time, tag: Tag) {
        self.watch.deed(at, self.concerned(tag), Deed::Fault { tag, begins: false });
        self.standing.blows.retain(|(other, _)| *other != tag);
        for blow in self.faults[tag.0 as usize].blows.clone() {
            self.lift(tag, &blow);
        }
    }

    /// Crashes the hosts whose scripts asked for it.
    pub(super) fn crashes(&mut self) {
        for host in self.watch.take_blown() {
            self.crash(host);
        }
    }

    fn deal(&mut self, at: Time, tag: Tag, blow: &Blow) {
        match blow {
            Blow::Rules(host, rules) => rules.iter().for_each(|rule| self.add_rule(*host, rule.clone())),
            Blow::Dns(name, kind, fault) => {
                let fault = mxdrill_dns::DnsFault { name: name.clone(), kind: *kind, how: how(*fault) };
                self.stage.rename(Box::new(move |authority, _| authority.fault(tag, fault)));
            }
            Blow::Down(host) => {
                self.watch.bit(at, *host, tag);
                self.crash(*host);
            }
            Blow::Restart(host) => {
                self.watch.bit(at, *host, tag);
                self.crash(*host);
                self.restart(*host);
            }
            Blow::CrashAt(host, rule, moment) => {
                let addresses = self.plan.cast.member(*host).addresses.clone();
                let (moment, stage) = (*moment, rule.stage);
                self.watch.arm(Fuse { tag, host: *host, addresses, moment, stage, lit: false });
                self.add_rule(*host, fuse(rule, moment));
            }
            Blow::Sessions(host, _) => {
                self.watch.cap(tag, *host);
                self.settle(blow);
            }
            Blow::Access(..) | Blow::DiskFull(_) | Blow::Link(..) => self.settle(blow),
        }
    }

    fn lift(&mut self, tag: Tag, blow: &Blow) {
        match blow {
            Blow::Rules(host, _) => self.clear_rules(*host, tag),
            Blow::Dns(..) => self.stage.rename(Box::new(move |authority, _| {
                authority.clear(tag);
            })),
            Blow::CrashAt(host, ..) => {
                self.clear_rules(*host, tag);
                self.watch.disarm(tag);
                self.restart(*host);
            }
            Blow::Down(host) => self.restart(*host),
            Blow::Restart(_) => {}
            Blow::Sessions(..) => {
                self.watch.uncap(tag);
                self.settle(blow);
            }
            Blow::Access(..) | Blow::DiskFull(_) | Blow::Link(..) => self.settle(blow),
        }
    }

    /// Tells the driver how a host or a way now is.
    fn settle(&mut self, blow: &Blow) {
        match blow {
            Blow::Access(host, _) => {
                let access = self.standing.access(*host);
                self.stage.driver().access(*host, access);
            }
            Blow::Sessions(host, _) => {
                let host = *host;
                let own = self.plan.cast.member(host).mail().and_then(|config| config.sessions);
                let most = self.standing.sessions(host).or(own);
                self.visit(host, move |process, _, _| {
                    if let Some(node) = process.mail() {
                        node.set_sessions(most);
                    }
                });
            }
            Blow::DiskFull(host) => self.settle_disk(*host),
            Blow::Link(from, to, _) => {
                let rule = self.standing.link(*from, *to);
                self.stage.driver().link(*from, *to, rule);
            }
            _ => {}
        }
    }

    /// Tells the driver how much room the disk of a host has, and whether a fault fills it.
    pub(super) fn settle_disk(&mut self, host: HostId) {
        let full = self.standing.disk_full(host);
        let capacity = self.plan.cast.member(host).spool;
        self.stage.driver().disk(host, Disk { capacity, full });
    }

    fn add_rule(&mut self, host: HostId, rule: Rule) {
        match self.standing.scripts.get_mut(&host) {
            Some(script) => script.add(rule),
            None => self.visit(host, move |process, _, _| {
                if let Some(script) = process.script() {
                    script.add(rule);
                }
            }),
        }
    }

    fn clear_rules(&mut self, host: HostId, tag: Tag) {
        match self.standing.scripts.get_mut(&host) {
            Some(script) => {
                script.clear(tag);
            }
            None => self.visit(host, move |process, _, _| {
                if let Some(script) = process.script() {
                    script.clear(tag);
                }
            }),
        }
    }

    /// Takes a host down; its script is kept aside, for its counts are the drill's and not the host's.
    fn crash(&mut self, host: HostId) {
        if self.standing.is_down(host) {
            return;
        }
        let fresh = self.plan.script(host);
        let kept = Arc::new(Mutex::new(None));
        let place = kept.clone();
        self.visit(host, move |process, _, _| {
            if let Some(own) = process.script() {
                let script = std::mem::replace(own, fresh);
                *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(script);
            }
        });
        self.stage.driver().crash(host);
        let kept = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.standing.scripts.insert(host, kept.unwrap_or_else(|| self.plan.script(host)));
    }

    /// Brings a host back, if it is down.
    fn restart(&mut self, host: HostId) {
        if let Some(script) = self.standing.scripts.remove(&host)
            && let Some(process) = self.plan.mail_process(host, script)
        {
            self.stage.driver().restart(host, process);
        }
    }

    /// The host that a fault is recorded for.
    fn concerned(&self, tag: Tag) -> HostId {
        let mut hosts = self.faults[tag.0 as usize].blows.iter().flat_map(Blow::hosts);
        hosts.next().unwrap_or(DRILL)
    }
}

/// The rule that shows when a crash is due: it drops the session where the host would have died before its
/// reply, and lets the reply go where the host is to die after it.
fn fuse(rule: &Rule, moment: Moment) -> Rule {
    let act = match moment {
        Moment::AtOnce => Act::Then(Then::Drop),
        Moment::BeforeReply => Act::Then(Then::DropBeforeReply),
        Moment::AfterReply => Act::Delay(std::time::Duration::ZERO),
    };
    Rule { act, ..rule.clone() }
}

fn worsened(link: Link, fault: &LinkFault) -> Link {
    Link {
        latency: fault.latency.unwrap_or(link.latency),
        loss_ppm: fault.loss_ppm.unwrap_or(link.loss_ppm),
        partition: fault.partition || link.partition,
        bandwidth: fault.bandwidth.or(link.bandwidth),
        cut_after: fault.cut_after.or(link.cut_after),
        ..link
    }
}

fn how(fault: DnsFault) -> How {
    match fault {
        DnsFault::Delay(delay) => How::Delay(delay),
        DnsFault::Answer(Answer::ServFail) => How::ServFail,
        DnsFault::Answer(Answer::NxDomain) => How::NxDomain,
        DnsFault::Answer(Answer::Refused) => How::Refused,
        DnsFault::Answer(Answer::Timeout) => How::Timeout,
        DnsFault::Answer(Answer::NoData) => How::NoData,
        DnsFault::Answer(Answer::Truncate) => How::Truncate,
        DnsFault::Answer(Answer::Stale) => How::Stale,
    }
}
