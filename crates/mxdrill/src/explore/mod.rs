//! Exploring: looks for the outage that nobody wrote down.
//!
//! From a scenario's hosts and zone, [`Explore`] draws outages (which faults, where, when and how long, which mail,
//! which profiles), plays each in virtual time, and gathers those in which a check was violated. What it finds it
//! shrinks to a scenario that fails by itself.
//!
//! - Two verdicts: what was done with the mail while things were wrong, and whether all of it gets through once
//!   they are well again ([`Claim`]).
//! - What the drawn faults explain is no finding: each says `may-bounce`, from which the checks derive what may be
//!   given up, and `may-miss`, for whether it bites is up to the other draws.
//! - Drill k is drawn from the scenario, the seed and k alone, so that findings do not depend on who plays them:
//!   [`Share`] splits them over computers, and [`merge`] joins what these report.

mod cell;
mod coverage;
mod draw;
mod family;
mod finding;
mod lines;
mod merge;
mod outage;
mod play;
mod share;
mod shrink;
mod space;
#[cfg(test)]
mod tests;

use std::num::NonZeroUsize;

use crate::{
    Verdict, World,
    scenario::{PlaceError, Scenario},
};

pub use coverage::{Coverage, Row};
pub use family::{Family, UnknownFamily};
pub use finding::{Claim, Finding};
pub use lines::{Head, Tail};
pub use merge::{Broken as BrokenShard, MergeError, Merged, merge};
pub use share::{Share, ShareError};
use space::Space;

/// Why a scenario cannot be explored.
#[derive(Debug, thiserror::Error)]
pub enum ExploreError {
    /// A step names a host that is not there.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// There is nobody to send mail to.
    #[error("no send of the scenario says to whom, and not exactly one domain is delivered")]
    NoRecipient,
    /// Nothing can go wrong.
    #[error("none of these faults can happen to the hosts of the scenario")]
    NoFault,
}

/// What to explore, and how.
///
/// ```
/// use mxdrill::{explore::{Explore, Quiet}, scenario::catalogue};
///
/// let scenario = catalogue::named("primary-refused")[0].scenario()?;
/// let found = Explore::new(&scenario).seeds(20).run(&Quiet)?;
/// assert!(found.findings.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Explore<'a> {
    scenario: &'a Scenario,
    world: World,
    seed: u64,
    seeds: Option<u64>,
    families: Vec<Family>,
    jobs: Option<NonZeroUsize>,
    keep_going: bool,
    share: Share,
}

/// Who looks on while drills are played, and may end it.
pub trait Watch: Sync {
    /// Whether another drill is to be played.
    fn goes_on(&self) -> bool {
        true
    }

    /// So many drills were played in all, and so many of them failed.
    fn played(&self, _drills: u64, _failed: u64) {}

    /// A drill failed; its scenario is as it was drawn. Told in the order of the drills.
    fn found(&self, _finding: &Finding) {}

    /// Findings are being shrunk now.
    fn shrinking(&self) {}
}

/// Looks on and says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Watch for Quiet {}

/// What exploring came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Explored {
    /// What was explored.
    pub head: Head,
    /// Drills played: up to the first that failed, or all.
    pub played: u64,
    /// The drills that failed, in order. The first of each kind is shrunk.
    pub findings: Vec<Finding>,
    /// Which faults were drawn, and which of them bit.
    pub coverage: Coverage,
}

impl Explored {
    /// `Fail` where something was found, `Unknown` where nothing was played.
    pub fn verdict(&self) -> Verdict {
        match (self.findings.is_empty(), self.played) {
            (false, _) => Verdict::Fail,
            (true, 0) => Verdict::Unknown,
            (true, _) => Verdict::Pass,
        }
    }

    /// The first finding of each kind, with how many there are of it.
    pub fn kinds(&self) -> Vec<(&Finding, usize)> {
        finding::kinds(&self.findings)
    }
}

impl<'a> Explore<'a> {
    /// Everything that can go wrong, from seed 1, until the first finding.
    pub fn new(scenario: &'a Scenario) -> Explore<'a> {
        Explore {
            scenario,
            world: World::of(crate::scenario::WorldKind::Sim),
            seed: 1,
            seeds: None,
            families: Family::ALL.into(),
            jobs: None,
            keep_going: false,
            share: Share::WHOLE,
        }
    }

    /// Another seed than 1: other outages.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Explore { seed, ..self }
    }

    /// Only so many drills; otherwise they go on until whoever looks on ends them.
    #[must_use]
    pub fn seeds(self, seeds: u64) -> Self {
        Explore { seeds: Some(seeds), ..self }
    }

    /// Only faults of these families.
    #[must_use]
    pub fn families(self, families: impl IntoIterator<Item = Family>) -> Self {
        Explore { families: families.into_iter().collect(), ..self }
    }

    /// So many drills at the same time; otherwise one a processor.
    #[must_use]
    pub fn jobs(self, jobs: NonZeroUsize) -> Self {
        Explore { jobs: Some(jobs), ..self }
    }

    /// Goes on after a finding, and counts.
    #[must_use]
    pub fn keep_going(self) -> Self {
        Explore { keep_going: true, ..self }
    }

    /// Only a share of the drills.
    #[must_use]
    pub fn share(self, share: Share) -> Self {
        Explore { share, ..self }
    }

    /// Wraps hosts as this world does: for testing the tests, by nodes broken on purpose.
    #[must_use]
    pub fn in_world(self, world: World) -> Self {
        Explore { world, ..self }
    }

    /// What is explored, for whoever must know it before.
    pub fn head(&self) -> Head {
        Head {
            version: env!("CARGO_PKG_VERSION").into(),
            scenario: self.scenario.name.clone(),
            fingerprint: mxdrill_net::Seed(0).pick(&self.scenario.to_toml(), &[]),
            seed: self.seed,
            seeds: self.seeds,
            faults: self.families.iter().map(|family| family.word().into()).collect(),
            share: self.share,
            keep_going: self.keep_going,
        }
    }

    /// Draws, plays, and shrinks what was found.
    ///
    /// # Errors
    /// When nothing can be drawn from the scenario.
    pub fn run(&self, watch: &dyn Watch) -> Result<Explored, ExploreError> {
        let space = Space::of(self.scenario, &self.families)?;
        let course = play::Course::run(self, &space, watch);
        let mut findings = course.findings;
        watch.shrinking();
        let first: Vec<usize> = finding::firsts(&findings);
        let smaller = play::each(self.workers(), &first, |place| shrink::shrunk(&findings[*place], self));
        for (place, smaller) in first.into_iter().zip(smaller) {
            findings[place] = smaller;
        }
        Ok(Explored { head: self.head(), played: course.played, findings, coverage: course.coverage })
    }

    fn workers(&self) -> usize {
        let all = || std::thread::available_parallelism().ok();
        self.jobs.or_else(all).map_or(1, NonZeroUsize::get)
    }
}
