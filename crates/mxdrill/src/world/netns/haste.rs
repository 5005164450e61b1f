//! A scenario played faster than it is written: real mail servers live in real time, so the waiting between the
//! steps is shortened, as their retry schedules are.
//!
//! What happens keeps its order. A stretch in which nothing happens lasts [`LEAST`] and a fraction of itself, at most
//! [`MOST`]. A moment of the script thus stands for all the time until the next: what is expected at it must hold
//! at some moment until then.

use std::{collections::BTreeSet, time::Duration};

use mxdrill_ledger::{Comparison, Expectation, Quantity};

use crate::scenario::{Action, Expect, Rate, Scenario, Spacing, When};

/// The least time between two things that happen one after the other: mail servers need it to react.
const LEAST: Duration = Duration::from_secs(5);
/// The most: three hurried retries.
const MOST: Duration = Duration::from_secs(15);
/// What is left of a long stretch beyond that.
const FRACTION: u32 = 600;

/// The scenario, hurried.
///
/// # Errors
/// An expectation of a least duration makes no sense then; says which.
pub(super) fn hasten(scenario: &Scenario) -> Result<Scenario, String> {
    let times = Times::of(scenario);
    let mut hurried = scenario.clone();
    for step in &mut hurried.steps {
        let at = step.at;
        step.at = times.hurried(at);
        match &mut step.action {
            Action::Send(send) => send.spacing = spacing(send.spacing, at, &times),
            Action::Fault(fault) => {
                fault.lasting = fault.lasting.map(|lasting| times.between(at, at + lasting));
            }
            Action::Expect(expect) => expect.when = when(expect, at, &times)?,
            Action::Clear(_) | Action::Flush(_) | Action::Set(_) => {}
        }
    }
    hurried.end = scenario.end.map(|end| times.hurried(end) + MOST);
    Ok(hurried)
}

/// The moments at which something happens, and when they come in a hurry.
struct Times(Vec<(Duration, Duration)>);

impl Times {
    fn of(scenario: &Scenario) -> Times {
        let mut moments: BTreeSet<Duration> = BTreeSet::from([Duration::ZERO]);
        for step in &scenario.steps {
            moments.insert(step.at);
            let lasting = match &step.action {
                Action::Send(send) => Some(send.spacing.lasting()),
                Action::Fault(fault) => fault.lasting,
                Action::Expect(Expect { when: When::Within(lasting), .. }) => Some(*lasting),
                _ => None,
            };
            moments.extend(lasting.map(|lasting| step.at + lasting));
        }
        moments.extend(scenario.end);
        let mut times: Vec<(Duration, Duration)> = Vec::with_capacity(moments.len());
        for moment in moments {
            let hurried = times.last().map_or(moment, |(last, at)| *at + stretch(moment - *last));
            times.push((moment, hurried));
        }
        Times(times)
    }

    /// When a moment comes in a hurry. Every moment of a scenario is known.
    fn hurried(&self, moment: Duration) -> Duration {
        let after = self.0.partition_point(|(known, _)| *known <= moment);
        let (known, at) = self.0[after.saturating_sub(1)];
        at + stretch(moment - known)
    }

    fn between(&self, from: Duration, to: Duration) -> Duration {
        self.hurried(to) - self.hurried(from)
    }

    /// How long a moment stands for what follows it.
    fn stands(&self, moment: Duration) -> Duration {
        let next = self.0.iter().find(|(known, _)| *known > moment);
        next.map_or(MOST, |(_, at)| *at - self.hurried(moment))
    }
}

fn stretch(stretch: Duration) -> Duration {
    stretch.min((LEAST + stretch / FRACTION).min(MOST))
}

/// The same number of messages over the hurried time.
fn spacing(spacing: Spacing, at: Duration, times: &Times) -> Spacing {
    let over = times.between(at, at + spacing.lasting());
    match spacing {
        Spacing::Over { count, .. } => Spacing::Over { count, over },
        Spacing::Rate { .. } if over.is_zero() => spacing,
        Spacing::Rate { .. } => {
            Spacing::Rate { rate: Rate { count: spacing.count(), per: over }, lasting: over }
        }
    }
}

fn when(expect: &Expect, at: Duration, times: &Times) -> Result<When, String> {
    if let Some(least) = expect.expectations.iter().find(|one| is_least_duration(one)) {
        return Err(format!("`{least}` makes no sense in a hurry: --defaults plays it as it is written"));
    }
    Ok(When::Within(match expect.when {
        When::Now => times.stands(at),
        When::Within(lasting) => times.between(at, at + lasting).max(MOST),
    }))
}

/// Whether at least some time is expected to pass.
fn is_least_duration(expectation: &Expectation) -> bool {
    let at_most = matches!(expectation.comparison, Comparison::Below | Comparison::AtMost);
    matches!(expectation.quantity, Quantity::Span(_)) && !at_most
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Scenario, catalogue};

    fn named(name: &str) -> Scenario {
        catalogue::named(name).remove(0).scenario().unwrap()
    }

    #[test]
    fn two_hours_become_a_minute() {
        let hurried = hasten(&named("primary-refused")).unwrap();
        let at: Vec<u64> = hurried.steps.iter().map(|step| step.at.as_secs()).collect();
        assert_eq!(at, [0, 5, 10, 22, 50]);
        let fault = hurried.faults().next().unwrap();
        assert_eq!(fault.lasting.unwrap().as_secs(), 31);
    }

    #[test]
    fn the_whole_catalogue_keeps_its_order() {
        for entry in catalogue::all() {
            let scenario = entry.scenario().unwrap();
            let Ok(hurried) = hasten(&scenario) else { continue };
            let mut last = Duration::ZERO;
            for (step, before) in hurried.steps.iter().zip(&scenario.steps) {
                assert!(last <= step.at && step.at <= before.at, "{}", entry.name());
                last = step.at;
            }
            let count = |scenario: &Scenario| -> u32 {
                let sends = scenario.steps.iter().filter_map(|step| match &step.action {
                    Action::Send(send) => Some(send.spacing.count()),
                    _ => None,
                });
                sends.sum()
            };
            assert_eq!(count(&hurried), count(&scenario), "{}", entry.name());
        }
    }

    #[test]
    fn what_is_expected_at_a_moment_must_hold_until_the_next() {
        let hurried = hasten(&named("primary-refused")).unwrap();
        let whens: Vec<When> = hurried
            .steps
            .iter()
            .filter_map(|step| match &step.action {
                Action::Expect(expect) => Some(expect.when),
                _ => None,
            })
            .collect();
        assert_eq!(whens, [When::Within(MOST), When::Within(MOST)]);
    }
}
