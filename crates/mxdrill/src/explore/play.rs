//! Playing outages, side by side, with results in the order of their numbers.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use super::{
    Coverage, Explore, Finding, Watch,
    finding::Broken,
    outage::{Outage, demanding},
    space::Space,
};
use crate::{World, run::run_bare, scenario::Scenario};

/// What a drill came to.
pub(super) struct Played {
    /// The faults that bit.
    pub(super) bitten: Vec<u32>,
    /// What it broke, the gravest first.
    pub(super) broken: Vec<Broken>,
}

/// Plays a scenario as it stands. A machine that panics is a finding, too.
pub(super) fn play(scenario: &Scenario, world: &World) -> Played {
    match catch_unwind(AssertUnwindSafe(|| run_bare(scenario, world))) {
        Ok(Ok(outcome)) => {
            let mut broken = Broken::all_of(&outcome);
            broken.sort_by_key(Broken::claim); // safety first
            Played { bitten: outcome.bitten, broken }
        }
        Ok(Err(why)) => Played { bitten: Vec::new(), broken: vec![Broken::panicked(why.to_string())] },
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            Played { bitten: Vec::new(), broken: vec![Broken::panicked(text.unwrap_or_default())] }
        }
    }
}

/// Many drills, and what they came to.
pub(super) struct Course {
    pub(super) played: u64,
    pub(super) findings: Vec<Finding>,
    pub(super) coverage: Coverage,
    /// Drills that are through before one with a lower number.
    ahead: BTreeMap<u64, (Outage, Played)>,
    /// A drill failed, and nothing after it counts.
    closed: bool,
}

impl Course {
    /// Plays the share of drills that was asked for.
    pub(super) fn run(explore: &Explore<'_>, space: &Space, watch: &dyn Watch) -> Course {
        let (next, stop) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        let course = Mutex::new(Course {
            played: 0,
            findings: Vec::new(),
            coverage: Coverage::of(&space.cells),
            ahead: BTreeMap::new(),
            closed: false,
        });
        let work = || {
            while watch.goes_on() {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(index) = explore.share.index(place, explore.seeds) else { return };
                if place > stop.load(Ordering::Relaxed) {
                    return;
                }
                let outage = space.outage(explore.seed, index);
                let played = play(&demanding(&outage.scenario), &explore.world);
                if !played.broken.is_empty() && !explore.keep_going {
                    stop.fetch_min(place, Ordering::Relaxed);
                }
                let mut course = course.lock().unwrap_or_else(PoisonError::into_inner);
                course.take(place, outage, played, explore, watch);
            }
        };
        std::thread::scope(|scope| (0..explore.workers()).for_each(|_| _ = scope.spawn(work)));
        course.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what a drill came to, and counts those that no lower number holds up.
    fn take(&mut self, place: u64, outage: Outage, played: Played, explore: &Explore<'_>, watch: &dyn Watch) {
        self.ahead.insert(place, (outage, played));
        while !self.closed
            && let Some((outage, played)) = self.ahead.remove(&self.played)
        {
            self.played += 1;
            self.coverage.add(&outage, &played.bitten);
            if let Some(broken) = played.broken.first() {
                let finding = Finding::new(outage.index, broken, &demanding(&outage.scenario));
                watch.found(&finding);
                self.findings.push(finding);
                self.closed = !explore.keep_going;
            }
        }
        watch.played(self.played, self.findings.len() as u64);
    }
}

/// Does `work` for each item, side by side; results stand in the order of the items.
pub(super) fn each<T: Sync, R: Send>(jobs: usize, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done: Mutex<BTreeMap<usize, R>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(place) else { return };
                    let result = work(item);
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(place, result);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}
