//! Shrinking: from a drill that failed to the smallest that still breaks the same rule for the same reason.
//!
//! A greedy search over the scenario itself, for it is the drawn value: fewer steps, fewer hosts, plainer hosts,
//! simpler steps, shorter times, again and again until nothing helps. Each candidate is printed, read back and
//! played, so that what is left is a file that fails by itself.

mod simpler;

use std::time::Duration;

use super::{Explore, Finding, finding::Broken, outage::demanding, play::play};
use crate::{
    counterfactual::without,
    scenario::{Action, NoFiles, Scenario},
};

/// Plays that shrinking one finding may cost.
const PLAYS_MAX: u32 = 3000;

/// A smaller finding of the same kind, or the same one where it cannot be played again.
pub(super) fn shrunk(finding: &Finding, explore: &Explore<'_>) -> Finding {
    let Ok(mut scenario) = Scenario::parse(&finding.rule, &finding.toml, &NoFiles) else {
        return finding.clone();
    };
    scenario.steps.retain(|step| !matches!(step.action, Action::Expect(_)));
    let wanted = Broken {
        rule: finding.rule.clone(),
        clause: finding.clause.clone(),
        host: None,
        text: String::new(),
    };
    let mut shrinker = Shrinker { explore, wanted, left: PLAYS_MAX };
    let Some(first) = shrinker.broken(&scenario) else { return finding.clone() };
    let mut smallest = (scenario, first);
    loop {
        let before = smallest.0.clone();
        smallest = shrinker.fewer_steps(smallest);
        smallest = shrinker.fewer_hosts(smallest);
        smallest = shrinker.plainer_hosts(smallest);
        smallest = shrinker.simpler_steps(smallest);
        smallest = shrinker.sooner(smallest);
        if smallest.0 == before || shrinker.left == 0 {
            break;
        }
    }
    let (mut scenario, broken) = smallest;
    describe(&mut scenario, finding, &broken, explore);
    Finding { shrunk: true, ..Finding::new(finding.index, &broken, &demanding(&scenario)) }
}

/// A title, and where it comes from.
fn describe(scenario: &mut Scenario, finding: &Finding, broken: &Broken, explore: &Explore<'_>) {
    let (rule, index, seed) = (&broken.rule, finding.index, explore.seed);
    let at = broken.host.as_ref().map(|host| format!(" at {host}")).unwrap_or_default();
    scenario.title = format!("Exploring found `{rule}`{at}");
    scenario.why = Some(format!(
        "{}; drill {index} of `mxdrill explore {} --seed {seed}`, shrunk",
        broken.clause, explore.scenario.name
    ));
}

/// A scenario that fails, and how.
type Failing = (Scenario, Broken);

struct Shrinker<'a> {
    explore: &'a Explore<'a>,
    /// What must stay broken.
    wanted: Broken,
    /// Plays left.
    left: u32,
}

impl Shrinker<'_> {
    /// How a scenario, printed and read back, still fails.
    fn broken(&mut self, scenario: &Scenario) -> Option<Broken> {
        self.left = self.left.checked_sub(1)?;
        let read = Scenario::parse(&self.wanted.rule, &demanding(scenario).to_toml(), &NoFiles).ok()?;
        let mut broken = play(&read, &self.explore.world).broken.into_iter();
        broken.find(|broken| broken.is_like(&self.wanted))
    }

    /// Puts a smaller scenario in the place of a larger one, if it still fails.
    fn try_one(&mut self, smallest: &mut Failing, smaller: Scenario) -> bool {
        let broken = if smaller == smallest.0 { None } else { self.broken(&smaller) };
        match broken {
            Some(broken) => {
                *smallest = (smaller, broken);
                true
            }
            None => false,
        }
    }

    /// Leaves out steps, many at a time first.
    fn fewer_steps(&mut self, mut smallest: Failing) -> Failing {
        let mut size = smallest.0.steps.len();
        while size > 0 {
            let mut start = 0;
            while start < smallest.0.steps.len() {
                let mut smaller = smallest.0.clone();
                let end = (start + size).min(smaller.steps.len());
                smaller.steps.drain(start..end);
                if !self.try_one(&mut smallest, smaller) {
                    start += size;
                }
            }
            size /= 2;
        }
        smallest
    }

    /// Leaves out hosts that no step names, and their MX records; not those that deliver, without which any mail
    /// would bounce.
    fn fewer_hosts(&mut self, mut smallest: Failing) -> Failing {
        let spare = smallest.0.hosts.iter().filter(|host| host.delivers.is_empty());
        let labels: Vec<String> = spare.map(|host| host.label.clone()).collect();
        for label in labels {
            let mut smaller = without(&smallest.0, &label);
            if smaller.steps.len() == smallest.0.steps.len() {
                smaller.zone.text = smaller.zone.zones.to_string();
                self.try_one(&mut smallest, smaller);
            }
        }
        smallest
    }

    /// Makes hosts like the default, and as little special as can be.
    fn plainer_hosts(&mut self, mut smallest: Failing) -> Failing {
        for place in 0..smallest.0.hosts.len() {
            for smaller in simpler::hosts(&smallest.0.hosts[place]) {
                let mut scenario = smallest.0.clone();
                scenario.hosts[place] = smaller;
                self.try_one(&mut smallest, scenario);
            }
        }
        smallest
    }

    /// Replaces what a step does by something simpler, as long as that helps.
    fn simpler_steps(&mut self, mut smallest: Failing) -> Failing {
        for place in 0..smallest.0.steps.len() {
            'again: loop {
                for simpler in simpler::actions(&smallest.0.steps[place].action) {
                    let mut scenario = smallest.0.clone();
                    scenario.steps[place].action = simpler;
                    if self.try_one(&mut smallest, scenario) {
                        continue 'again;
                    }
                }
                break;
            }
        }
        smallest
    }

    /// Shortens the time before each step, first for all that follow, then for it alone.
    fn sooner(&mut self, mut smallest: Failing) -> Failing {
        for place in 0..smallest.0.steps.len() {
            let before = place.checked_sub(1).map_or(Duration::ZERO, |before| smallest.0.steps[before].at);
            let gap = smallest.0.steps[place].at.saturating_sub(before);
            for shorter in simpler::shorter(gap) {
                let mut scenario = smallest.0.clone();
                scenario.steps[place..].iter_mut().for_each(|step| step.at = step.at + shorter - gap);
                if self.try_one(&mut smallest, scenario) {
                    break;
                }
            }
            for sooner in simpler::shorter(smallest.0.steps[place].at) {
                let mut scenario = smallest.0.clone();
                scenario.steps[place].at = sooner;
                scenario.steps.sort_by_key(|step| step.at);
                if self.try_one(&mut smallest, scenario) {
                    break;
                }
            }
        }
        smallest
    }
}
