//! The drawn value: an outage, which is a scenario, and the demand that all its mail arrives in the end.

use std::time::Duration;

use mxdrill_ledger::Expectation;
use mxdrill_net::Seed;

use crate::plan::LIFE_MAX;
use crate::scenario::{Action, Expect, Scenario, Step, When};

/// A drawn outage.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outage {
    /// Its number.
    pub(crate) index: u64,
    /// Who plays, and what happens.
    pub(crate) scenario: Scenario,
    /// The cell of each fault, in the order of the faults in the scenario.
    pub(crate) cells: Vec<usize>,
}

/// More than the waits between attempts: dialogues that hang, a look-up that failed, mail that waits its turn.
const SLACK: Duration = Duration::from_secs(6 * 3600);

/// The scenario with the demand for progress at its end: once every fault is over and all mail is sent, the queues
/// drain within the time that each host on the way may let pass between two attempts.
pub(crate) fn demanding(scenario: &Scenario) -> Scenario {
    let mut demanding = scenario.clone();
    let figure = "queued.all".parse().expect("a figure");
    let waits: Duration =
        scenario.hosts.iter().filter_map(|host| host.profile().ok()).map(|p| wait_max(&p)).sum();
    let within = When::Within(hours(waits * 2 + SLACK));
    let expect = Expect::new(within, [Expectation::number(figure, 0)]);
    demanding.steps.push(Step { at: healed(scenario), action: Action::Expect(expect) });
    demanding.steps.sort_by_key(|step| step.at);
    demanding
}

/// When every fault is over and all mail is sent.
pub(crate) fn healed(scenario: &Scenario) -> Duration {
    let end = |step: &Step| match &step.action {
        Action::Fault(fault) => step.at + fault.lasting.unwrap_or_default(),
        Action::Send(send) => step.at + send.spacing.lasting(),
        _ => step.at,
    };
    scenario.steps.iter().map(end).max().unwrap_or_default()
}

/// The longest wait between two attempts.
fn wait_max(profile: &mxdrill_mta::Profile) -> Duration {
    let attempts = profile.attempts_within(Seed(0), LIFE_MAX);
    attempts.at.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).max().unwrap_or_default()
}

/// Up to whole hours, for readers.
fn hours(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs().div_ceil(3600) * 3600)
}
