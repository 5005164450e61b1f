//! The play: moves a world through the cues of a plan, and tells the ledger all that happens.
//!
//! It is written once, over [`Stage`]; what differs between worlds is behind that.

mod bench;
mod blows;
mod books;
mod foreign;
mod watch;

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, mpsc::Receiver},
    time::Duration,
};

use mxdrill_dns::Authority;
use mxdrill_ledger::{DRILL, Deed, Fact, Outcome};
use mxdrill_mta::Message;
use mxdrill_net::{Driver, HostId, Stop, Tag, Time};

use crate::{
    host::HostProcess,
    mail::Batch,
    plan::{Act, Part, Plan, PlannedFault},
};
pub use bench::Held;
pub(crate) use bench::{Bench, Call};
use blows::Standing;
pub(crate) use books::Books;
use watch::{Pending, Watch};

/// A change of the world's DNS.
pub(crate) type Rename = Box<dyn FnOnce(&mut Authority, Time) + Send>;

/// Something done beside the processes: when, where, what.
pub(crate) type Beside = (Time, HostId, Deed);

/// A world, with all its hosts, as a play needs it.
pub(crate) trait Stage {
    /// What moves the processes.
    fn driver(&mut self) -> &mut dyn Driver<HostProcess, Fact>;

    /// Changes the DNS.
    fn rename(&mut self, change: Rename);

    /// Begins a send by a host.
    fn send(&mut self, by: HostId, batch: Arc<Batch>);

    /// The faults that bit beside the processes since this was last asked.
    fn bitten(&mut self) -> BTreeSet<Tag>;

    /// Where deeds done beside the processes are reported, if there are such. Asked for once.
    fn beside(&mut self) -> Option<Receiver<Beside>>;

    /// Lets a host that is a program try its whole queue.
    fn flush(&mut self, _host: HostId) {}

    /// What a host that is a program still holds: each message with the recipients that are left. `None` when it
    /// cannot say, because it is down.
    fn look(&mut self, _host: HostId) -> Option<Vec<Arc<Message>>> {
        None
    }
}

/// Plays a plan in a world and closes the books.
///
/// # Errors
/// When the journal could not be written.
pub(crate) fn play(plan: &Plan, stage: &mut dyn Stage, books: Books) -> io::Result<Outcome> {
    let mut play = Play::new(plan, stage, books);
    for cue in &plan.cues {
        play.advance(cue.at);
        play.act(cue.at, &cue.act);
    }
    play.finish();
    play.end()
}

struct Play<'a> {
    plan: &'a Plan,
    stage: &'a mut dyn Stage,
    watch: Watch,
    /// The faults under way.
    standing: Standing,
    /// All faults, by tag.
    faults: Vec<PlannedFault>,
}

impl<'a> Play<'a> {
    fn new(plan: &'a Plan, stage: &'a mut dyn Stage, books: Books) -> Play<'a> {
        let watch = Watch::new(books, stage.beside(), plan);
        let mut play =
            Play { plan, stage, watch, standing: Standing::default(), faults: plan.faults.clone() };
        plan.cast.members().for_each(|(host, _)| play.settle_disk(host));
        play
    }

    /// Runs until `until`, and crashes the hosts whose scripts ask for it on the way.
    fn advance(&mut self, until: Time) {
        while self.stage.driver().run_until(until, &mut self.watch) == Stop::Asked {
            self.crashes();
        }
        self.bitten();
    }

    /// Books the faults that bit beside the processes.
    fn bitten(&mut self) {
        let now = self.watch.last();
        for tag in self.stage.bitten() {
            self.watch.bit(now, DRILL, tag);
        }
    }

    fn act(&mut self, at: Time, act: &Act) {
        match act {
            Act::Send(by, batch) => {
                self.watch.deed(at, self.plan.cast.sender(*by), batch.sends());
                self.stage.send(*by, batch.clone());
            }
            Act::Begin(tag) => self.begin(at, *tag),
            Act::End(tag) => self.end_fault(at, *tag),
            Act::Flush(host) => {
                self.watch.deed(at, *host, Deed::Flush);
                self.stage.flush(*host);
                self.visit(*host, |process, now, out| {
                    if let Some(node) = process.mail() {
                        node.flush(now, out);
                    }
                });
            }
            Act::Set(change) => {
                self.watch.deed(at, DRILL, Deed::Set { text: change.text.clone() });
                let change = change.clone();
                self.stage.rename(Box::new(move |authority, _| change.make(authority)));
            }
            Act::Expect(expectations) => self.watch.expect(at, expectations),
            Act::Eventually(expectations, until) => {
                self.watch.wait_for(at, Pending { expectations: expectations.clone(), until: *until });
            }
        }
    }

    /// Plays on after the last cue: to the end that the scenario gives, or until every recipient is final.
    fn finish(&mut self) {
        if let Some(end) = self.plan.end {
            return self.advance(end);
        }
        // what the last cue set off at once, such as a restart, is seen before anything is found settled
        self.advance(self.plan.last_cue());
        self.watch.settles = true;
        let last = self.plan.last_cue() + self.plan.patience;
        while !self.watch.is_settled() {
            let now = self.stage.driver().now();
            let until = (now + STRIDE).min(last);
            match self.stage.driver().run_until(until, &mut self.watch) {
                Stop::Asked => self.crashes(),
                Stop::Idle => return,
                Stop::Reached if until >= last => return,
                Stop::Reached => {}
            }
        }
    }

    /// Looks into every queue and closes the books.
    fn end(mut self) -> io::Result<Outcome> {
        self.bitten();
        let at = self.plan.end.unwrap_or_else(|| self.watch.last());
        self.watch.give_up(at);
        let nodes = self.plan.cast.members().filter(|(_, member)| matches!(member.part, Part::Mail(_)));
        for (host, _) in nodes {
            self.visit(host, |process, now, out| {
                if let Some(node) = process.mail() {
                    node.look(now, out);
                }
            });
        }
        // what the looks recorded reaches the ledger in a run that takes no time
        self.watch.settles = false;
        let now = self.stage.driver().now();
        self.stage.driver().run_until(now, &mut self.watch);
        let programs = self.plan.cast.members().filter(|(_, member)| member.server().is_some());
        for (host, _) in programs {
            if let Some(held) = self.stage.look(host) {
                self.watch.looked(host, &held);
            }
        }
        self.watch.close(at)
    }

    fn visit(
        &mut self,
        host: HostId,
        visit: impl FnOnce(&mut HostProcess, Time, &mut mxdrill_net::Commands<Fact>) + Send + 'static,
    ) {
        self.stage.driver().visit(host, Box::new(visit));
    }
}

/// How far a play runs at a time while it waits for its end.
const STRIDE: Duration = Duration::from_secs(86_400);
