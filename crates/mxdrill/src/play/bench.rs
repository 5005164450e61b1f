//! A play that somebody outside has a hand in: the cues of a scenario at their times, and calls whenever they
//! come.

use std::{
    io,
    iter::Peekable,
    slice,
    sync::mpsc::{Receiver, TryRecvError},
    time::Duration,
};

use mxdrill_ledger::{Expectation, Outcome, Quantity};
use mxdrill_net::{HostId, Stop, Tag, Time};
use mxdrill_smtp::{Address, ReversePath};

use super::{Books, Play, Stage, foreign::Foreign, watch::Waiter};
use crate::{
    mail::message_id,
    plan::{Act, Blow, Cue, Plan, PlanError},
    scenario::{Fault, FaultKind, HostFault, Place, Scenario},
};

/// Something that somebody outside wants done. Called on the thread that plays.
pub(crate) type Call = Box<dyn FnOnce(&mut Bench<'_>) + Send>;

/// Told the outcome.
type Ending = Box<dyn FnOnce(io::Result<Outcome>) + Send>;

/// A message in the queue of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number in the lab, as violations name it.
    pub number: Option<u32>,
    /// Its Message-ID, with the angle brackets, if it has one.
    pub id: Option<String>,
    /// The envelope sender.
    pub from: ReversePath,
    /// The recipients that are still to be served.
    pub recipients: Vec<Address>,
}

/// A world under way, with its cues and callers.
pub(crate) struct Bench<'a> {
    play: Play<'a>,
    scenario: &'a Scenario,
    /// What is still to come.
    cues: Peekable<slice::Iter<'a, Cue>>,
    ending: Option<Ending>,
}

impl<'a> Bench<'a> {
    /// A world that has just begun: its hosts listen, and what happens at once has happened.
    pub(crate) fn new(
        plan: &'a Plan,
        scenario: &'a Scenario,
        stage: &'a mut dyn Stage,
        books: Books,
    ) -> Self {
        let mut play = Play::new(plan, stage, books);
        play.watch.welcome(Foreign::new(plan));
        play.advance(Time::ZERO);
        let mut bench = Bench { play, scenario, cues: plan.cues.iter().peekable(), ending: None };
        bench.due();
        bench
    }

    /// Plays the cues and does what is called for, until somebody wants the outcome, or nobody is left.
    pub(crate) fn run(mut self, calls: &Receiver<Call>) {
        loop {
            match calls.try_recv() {
                Ok(call) => call(&mut self),
                Err(TryRecvError::Disconnected) => return,
                Err(TryRecvError::Empty) => {
                    let next = [self.cues.peek().map(|cue| cue.at), self.play.watch.patience()];
                    self.go_on(next.into_iter().flatten().min().unwrap_or(Time::MAX));
                    self.due();
                }
            }
            if let Some(ending) = self.ending.take() {
                return ending(self.play.end());
            }
        }
    }

    fn go_on(&mut self, until: Time) {
        if self.play.stage.driver().run_until(until, &mut self.play.watch) == Stop::Asked {
            self.play.crashes();
        }
        let now = self.now();
        self.play.watch.tell_waiters(now);
    }

    /// Plays the cues whose time has come.
    fn due(&mut self) {
        let now = self.now();
        while let Some(cue) = self.cues.next_if(|cue| cue.at <= now) {
            self.cue(cue);
        }
    }

    fn cue(&mut self, cue: &Cue) {
        match &cue.act {
            Act::End(tag) if !self.play.standing.has(*tag) => {} // somebody has cleared it
            act => self.play.act(cue.at, act),
        }
    }

    fn now(&mut self) -> Time {
        self.play.stage.driver().now()
    }

    /// Something goes wrong with a host from now on.
    ///
    /// # Errors
    /// No world can bring it about.
    pub(crate) fn begin(&mut self, host: HostId, fault: HostFault) -> Result<(), PlanError> {
        let label = self.play.plan.cast.member(host).label.clone();
        let kind = FaultKind::Host(Place::Host(label), fault);
        // whoever reaches in by hand need not see it bite
        let fault = Fault { name: None, kind, lasting: None, may_miss: true, may_bounce: false };
        let tag = Tag(u32::try_from(self.play.faults.len()).unwrap_or(u32::MAX));
        let (planned, setup) = self.play.plan.fault(self.scenario, tag, &fault)?;
        self.play.faults.push(planned);
        self.play.watch.add_fault(setup);
        let now = self.now();
        self.play.begin(now, tag);
        Ok(())
    }

    /// Ends all faults of a host.
    pub(crate) fn clear(&mut self, host: HostId) {
        self.end(&self.play.standing.on(host));
    }

    /// Brings a host back that is down, or takes it down and brings it back at once.
    ///
    /// # Errors
    /// Never, as a restart exists in every world.
    pub(crate) fn restart(&mut self, host: HostId) -> Result<(), PlanError> {
        if !self.play.standing.is_down(host) {
            return self.begin(host, HostFault::Restart);
        }
        let faults = &self.play.faults;
        let downs = |tag: &Tag| {
            faults[tag.0 as usize].blows.iter().any(|blow| matches!(blow, Blow::Down(_) | Blow::CrashAt(..)))
        };
        let tags: Vec<Tag> = self.play.standing.on(host).into_iter().filter(downs).collect();
        self.end(&tags);
        Ok(())
    }

    fn end(&mut self, tags: &[Tag]) {
        let now = self.now();
        tags.iter().for_each(|tag| self.play.end_fault(now, *tag));
    }

    /// Lets a host try its whole queue.
    pub(crate) fn flush(&mut self, host: HostId) {
        let now = self.now();
        self.play.act(now, &Act::Flush(host));
    }

    /// What a host holds, in the order in which it came; nothing while it is down.
    pub(crate) fn queue(&mut self, host: HostId) -> Vec<Held> {
        let now = self.now();
        self.play.watch.peek();
        self.play.visit(host, |process, now, out| {
            if let Some(node) = process.mail() {
                node.look(now, out);
            }
        });
        self.play.advance(now);
        self.play.watch.catch_up();
        let mut queue: Vec<(mxdrill_mta::QueueId, Held)> = Vec::new();
        for (message, recipient) in self.play.watch.take_peeked() {
            let Some(recipient) = message.recipients.get(usize::from(recipient)) else { continue };
            let place = queue.iter().position(|(id, _)| *id == message.id).unwrap_or_else(|| {
                let number = self.play.watch.number(&message);
                let (id, from) = (message_id(&message.header), message.reverse_path.clone());
                queue.push((message.id, Held { number, id, from, recipients: Vec::new() }));
                queue.len() - 1
            });
            queue[place].1.recipients.push(recipient.address.clone());
        }
        queue.sort_by_key(|(id, _)| *id);
        queue.into_iter().map(|(_, held)| held).collect()
    }

    /// Tells somebody when a figure agrees, or what it was when their patience ended.
    pub(crate) fn tell_when(
        &mut self,
        expectation: Expectation,
        within: Duration,
        tell: impl FnOnce(Result<(), Quantity>) + Send + 'static,
    ) {
        let now = self.now();
        let waiter = Waiter { expectation, until: now + within, tell: Box::new(tell) };
        self.play.watch.tell_when(now, waiter);
    }

    /// Ends the play once the present call is done.
    pub(crate) fn close(&mut self, tell: impl FnOnce(io::Result<Outcome>) + Send + 'static) {
        self.ending = Some(Box::new(tell));
    }
}
