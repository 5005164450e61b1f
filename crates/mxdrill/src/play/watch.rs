//! What a play sees: every fact goes to the ledger; a few make the play stop and act.

use std::{
    io,
    net::IpAddr,
    ops::ControlFlow,
    sync::{Arc, mpsc::Receiver},
};

use mxdrill_ledger::{DRILL, Deed, Expectation, Fact, FaultSetup, Outcome, Quantity, Taken};
use mxdrill_mta::Message;
use mxdrill_net::{HostId, Index, Sink, Tag, Time};
use mxdrill_smtp::Stage;

use super::{Beside, Books, foreign::Foreign};
use crate::{plan::Plan, scenario::Moment};

/// Expectations that must all hold at one moment until a time.
pub(super) struct Pending {
    /// What.
    pub(super) expectations: Vec<Expectation>,
    /// Until when.
    pub(super) until: Time,
}

/// Somebody who wants to know when figures agree.
pub(super) struct Waiter {
    /// What must hold.
    pub(super) expectation: Expectation,
    /// How long they wait.
    pub(super) until: Time,
    /// Told when it holds, or what was found in the end.
    pub(super) tell: Box<dyn FnOnce(Result<(), Quantity>) + Send>,
}

/// A host that crashes at a moment of a stage.
pub(super) struct Fuse {
    pub(super) tag: Tag,
    pub(super) host: HostId,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) moment: Moment,
    pub(super) stage: Stage,
    /// Its rule has bitten: what is still waited for is the moment.
    pub(super) lit: bool,
}

impl Fuse {
    /// Whether this fact is the moment.
    fn blows(&mut self, host: HostId, fact: &Fact) -> bool {
        if let Fact::Net(mxdrill_net::Fact::Bit(tag)) = fact
            && *tag == self.tag
        {
            self.lit = true;
            // before the dot nothing is stored, and a reply makes no difference to the mail
            return self.moment == Moment::AtOnce || self.stage != Stage::Dot;
        }
        let moment = match (self.moment, fact) {
            (Moment::BeforeReply, Fact::Mta(mxdrill_mta::Fact::Accepted { .. })) => host == self.host,
            (Moment::AfterReply, Fact::Mta(mxdrill_mta::Fact::Relayed { target, .. })) => {
                self.addresses.contains(&target.address)
            }
            (Moment::AfterReply, Fact::Drill(Deed::Sent { taken: Taken::Acknowledged, by, .. })) => {
                by.is_some_and(|by| self.addresses.contains(&by))
            }
            _ => false,
        };
        self.lit && moment
    }
}

/// The sink of a play.
pub(super) struct Watch {
    books: Books,
    /// The hosts at the addresses of the world.
    hosts: Index<IpAddr, HostId>,
    beside: Option<Receiver<Beside>>,
    pending: Vec<Pending>,
    /// Faults that crash a host in the middle of a dialogue.
    fuses: Vec<Fuse>,
    /// Hosts whose sessions a fault caps: the fault bites when they turn a client away at the door.
    caps: Vec<(Tag, HostId)>,
    /// Hosts to be crashed as soon as the driver comes back.
    blown: Vec<HostId>,
    /// Whether the play stops as soon as every recipient is final.
    pub(super) settles: bool,
    last: Time,
    /// In a lab: mail that nobody announced.
    foreign: Option<Foreign>,
    waiters: Vec<Waiter>,
    /// What a look into a queue shows goes here, and not into the books.
    peeked: Option<Vec<(Arc<Message>, u16)>>,
}

impl Watch {
    pub(super) fn new(books: Books, beside: Option<Receiver<Beside>>, plan: &Plan) -> Watch {
        let mut hosts = Index::default();
        for (id, member) in plan.cast.members() {
            member.addresses.iter().for_each(|address| _ = hosts.insert(*address, id));
        }
        Watch {
            books,
            hosts,
            beside,
            pending: Vec::new(),
            fuses: Vec::new(),
            caps: Vec::new(),
            blown: Vec::new(),
            settles: false,
            last: Time::ZERO,
            foreign: None,
            waiters: Vec::new(),
            peeked: None,
        }
    }

    /// Announces mail of foreign programs from now on.
    pub(super) fn welcome(&mut self, foreign: Foreign) {
        self.foreign = Some(foreign);
    }

    /// Adds a fault that the plan did not have.
    pub(super) fn add_fault(&mut self, fault: FaultSetup) {
        self.books.add_fault(fault);
    }

    /// Tells somebody when figures agree.
    pub(super) fn tell_when(&mut self, at: Time, waiter: Waiter) {
        self.catch_up();
        self.waiters.push(waiter);
        self.tell_waiters(at);
    }

    /// When the first of those who wait gives up.
    pub(super) fn patience(&self) -> Option<Time> {
        self.waiters.iter().map(|waiter| waiter.until).min()
    }

    /// Tells those who wait and now know, or waited long enough.
    pub(super) fn tell_waiters(&mut self, at: Time) {
        for index in (0..self.waiters.len()).rev() {
            let waiter = &self.waiters[index];
            let Deed::Expected { held, found, .. } = self.books.expect(at, &waiter.expectation) else {
                continue;
            };
            if held || at >= waiter.until {
                let waiter = self.waiters.swap_remove(index);
                (waiter.tell)(if held { Ok(()) } else { Err(found) });
            }
        }
    }

    /// Sets what looks show aside from now on.
    pub(super) fn peek(&mut self) {
        self.peeked = Some(Vec::new());
    }

    /// What looks have shown since.
    pub(super) fn take_peeked(&mut self) -> Vec<(Arc<Message>, u16)> {
        self.peeked.take().unwrap_or_default()
    }

    /// The number of a message in the drill.
    pub(super) fn number(&self, message: &Message) -> Option<u32> {
        self.foreign.as_ref()?.number(message.key)
    }

    /// Records that a fault bit.
    pub(super) fn bit(&mut self, at: Time, host: HostId, tag: Tag) {
        self.book(at, host, &Fact::Net(mxdrill_net::Fact::Bit(tag)));
    }

    /// Waits for the moment at which a host is to crash.
    pub(super) fn arm(&mut self, fuse: Fuse) {
        self.fuses.push(fuse);
    }

    /// That moment is waited for no more: the fault is over, and nobody would bring the host back.
    pub(super) fn disarm(&mut self, tag: Tag) {
        self.fuses.retain(|fuse| fuse.tag != tag);
    }

    /// A fault caps the sessions of a host.
    pub(super) fn cap(&mut self, tag: Tag, host: HostId) {
        self.caps.push((tag, host));
    }

    /// It does so no more.
    pub(super) fn uncap(&mut self, tag: Tag) {
        self.caps.retain(|(other, _)| *other != tag);
    }

    /// The hosts that are to crash now.
    pub(super) fn take_blown(&mut self) -> Vec<HostId> {
        std::mem::take(&mut self.blown)
    }

    /// Records something that the play itself does.
    pub(super) fn deed(&mut self, at: Time, host: HostId, deed: Deed) {
        self.catch_up();
        self.book(at, host, &deed.into());
    }

    /// Compares figures as they stand.
    pub(super) fn expect(&mut self, at: Time, expectations: &[Expectation]) {
        self.catch_up();
        for expectation in expectations {
            let deed = self.books.expect(at, expectation);
            self.book(at, DRILL, &deed.into());
        }
    }

    /// Waits for figures to agree.
    pub(super) fn wait_for(&mut self, at: Time, pending: Pending) {
        self.pending.push(pending);
        self.check_pending(at);
    }

    /// Compares what is still waited for, for the last time.
    pub(super) fn give_up(&mut self, at: Time) {
        for pending in std::mem::take(&mut self.pending) {
            self.expect(at.min(pending.until), &pending.expectations);
        }
    }

    /// A host that says nothing by itself was looked into: this is all that it holds.
    pub(super) fn looked(&mut self, host: HostId, held: &[Arc<Message>]) {
        self.catch_up();
        let at = self.last;
        for message in held {
            for recipient in (0..).take(message.recipients.len()) {
                let holds = mxdrill_mta::Fact::Holds { message: message.clone(), recipient };
                self.book(at, host, &holds.into());
            }
        }
        self.book(at, host, &Deed::Looked.into());
    }

    /// Whether every recipient is final.
    pub(super) fn is_settled(&mut self) -> bool {
        self.catch_up();
        self.pending.is_empty() && self.books.is_settled()
    }

    /// When the last fact was.
    pub(super) fn last(&self) -> Time {
        self.last
    }

    /// Closes the books.
    pub(super) fn close(mut self, at: Time) -> io::Result<Outcome> {
        self.deed(self.last.max(at), DRILL, Deed::Looked);
        self.books.end(at)
    }

    /// Sees whether a cap on sessions has bitten.
    fn turned_away(&mut self, at: Time, host: HostId, fact: &Fact) {
        if self.caps.is_empty() {
            return;
        }
        if let Some(&(tag, _)) = self.caps.iter().find(|(_, capped)| *capped == host)
            && matches!(fact, Fact::Mta(mxdrill_mta::Fact::TurnedAway { stage: Stage::Greeting, .. }))
        {
            self.bit(at, host, tag);
        }
    }

    /// Sees whether the moment of a fuse has come.
    fn light(&mut self, host: HostId, fact: &Fact) {
        if self.fuses.is_empty() {
            return;
        }
        let blown = self.fuses.extract_if(.., |fuse| fuse.blows(host, fact));
        self.blown.extend(blown.map(|fuse| fuse.host));
    }

    fn book(&mut self, at: Time, host: HostId, fact: &Fact) {
        let host = self.taker(fact).unwrap_or(host);
        self.last = self.last.max(at);
        if let Some(foreign) = &mut self.foreign {
            for (host, deed) in foreign.announce(host, fact) {
                self.books.see(at, host, &deed.into());
            }
        }
        self.books.see(at, host, fact);
    }

    /// The host that answered for a message, where one did: the sender, which tells of it, only passes it on.
    fn taker(&self, fact: &Fact) -> Option<HostId> {
        let Fact::Drill(Deed::Sent { by, .. }) = fact else { return None };
        self.hosts.get(&(*by)?).copied()
    }

    /// Books what was done beside the processes.
    pub(super) fn catch_up(&mut self) {
        while let Some((at, host, deed)) = self.beside.as_ref().and_then(|beside| beside.try_recv().ok()) {
            self.book(at, host, &deed.into());
        }
    }

    /// Books what has come to hold, and what will not any more.
    fn check_pending(&mut self, at: Time) {
        let holds = |books: &Books, expectation: &Expectation| {
            matches!(books.expect(at, expectation), Deed::Expected { held: true, .. })
        };
        for index in (0..self.pending.len()).rev() {
            let pending = &self.pending[index];
            let late = at > pending.until;
            if late || pending.expectations.iter().all(|one| holds(&self.books, one)) {
                let Pending { expectations, until } = self.pending.swap_remove(index);
                self.expect(at.min(until), &expectations);
            }
        }
    }
}

impl Sink<Fact> for Watch {
    fn see(&mut self, at: Time, host: HostId, fact: Fact) -> ControlFlow<()> {
        self.catch_up();
        if !self.pending.is_empty() {
            self.check_pending(at);
        }
        if let (Some(peeked), Fact::Mta(mxdrill_mta::Fact::Holds { message, recipient })) =
            (&mut self.peeked, &fact)
        {
            peeked.push((message.clone(), *recipient));
            return ControlFlow::Continue(());
        }
        self.light(host, &fact);
        self.turned_away(at, host, &fact);
        self.book(at, host, &fact);
        if !self.waiters.is_empty() {
            self.tell_waiters(at);
        }
        let stop = !self.blown.is_empty() || self.settles && self.books.is_settled();
        if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
