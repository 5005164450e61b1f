//! How much is done at once for one destination, and whether it is dead (Postfix, qmgr_queue.c).

use std::sync::Arc;

use mxdrill_net::Time;
use mxdrill_smtp::{Enhanced, Reply};

use super::Plan;
use crate::{Target, profile::Concurrency};

/// One destination, as deliveries see it.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    /// Deliveries allowed at once.
    pub(crate) window: u32,
    /// Agents that live, those included that say goodbye.
    pub(crate) agents: u32,
    /// Agents at work.
    pub(crate) busy: u32,
    /// Of these, agents that have no message yet.
    pub(crate) unfed: u32,
    /// Agents whose session is open and idle.
    pub(crate) idle: Vec<u32>,
    /// Failed deliveries in millionths of a cohort.
    failed_ppm: u32,
    /// Nothing is tried before.
    dead_until: Option<Time>,
    /// The last plan, used again while the route is the same.
    pub(crate) plan: Option<Arc<Plan>>,
    /// What was heard last, for those who are told.
    pub(crate) heard: Option<Heard>,
    /// Whether it is in the list of lanes to look at.
    pub(crate) is_dirty: bool,
}

/// The last thing that a destination said or did not say.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) status: Enhanced,
    pub(crate) text: Arc<str>,
    pub(crate) target: Option<Arc<Target>>,
    pub(crate) reply: Option<Arc<Reply>>,
}

impl Lane {
    pub(crate) fn new(concurrency: &Concurrency) -> Lane {
        Lane { window: concurrency.initial, ..Lane::default() }
    }

    pub(crate) fn is_dead(&self, now: Time) -> bool {
        self.dead_until.is_some_and(|until| now < until)
    }

    /// A delivery reached a host that works (Postfix, qmgr_queue_unthrottle).
    pub(crate) fn succeeded(&mut self, concurrency: &Concurrency) {
        self.revive(concurrency);
        if concurrency.feedback {
            self.failed_ppm = 0;
            if self.window < concurrency.max && self.window < self.busy + concurrency.initial {
                self.window += 1;
            }
        }
    }

    /// A delivery found no host that works (Postfix, qmgr_queue_throttle): each failure counts as its share of
    /// the cohort, `default_destination_concurrency_failed_cohort_limit` = 1.
    pub(crate) fn failed(&mut self, now: Time, concurrency: &Concurrency) {
        let Some(dead) = concurrency.dead else { return };
        if self.is_dead(now) {
            return;
        }
        self.revive(concurrency);
        self.failed_ppm += 1_000_000 / self.window.max(1);
        if dead.at_once || self.failed_ppm >= 1_000_000 {
            self.dead_until = Some(now + dead.lasts);
        } else if concurrency.feedback {
            self.window = self.window.saturating_sub(1).max(1);
        }
    }

    /// A dead destination whose time has come begins anew.
    fn revive(&mut self, concurrency: &Concurrency) {
        if self.dead_until.take().is_some() {
            self.window = concurrency.initial;
            self.failed_ppm = 0;
        }
    }

    /// Forgets that it failed.
    pub(crate) fn forgive(&mut self, concurrency: &Concurrency) {
        self.revive(concurrency);
        self.failed_ppm = 0;
    }

    /// What may be at work at once now.
    pub(crate) fn allowed(&self, concurrency: &Concurrency, is_run: bool) -> u32 {
        if is_run { self.window.min(concurrency.run.max(1)) } else { self.window }
    }
}
