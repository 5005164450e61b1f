//! Every scenario of the catalogue, in every world in which it makes sense, with the same outcome.

use mxdrill::{
    Outcome, RunError, World, report,
    scenario::{Scenario, catalogue},
};

fn scenarios() -> impl Iterator<Item = Scenario> {
    catalogue::all().map(|entry| entry.scenario().expect("the catalogue is sound"))
}

/// Plays a scenario; `None` where the world makes no sense for it.
fn play(scenario: &Scenario, world: &World) -> Option<Outcome> {
    match scenario.play(world) {
        Ok(outcome) => Some(outcome),
        Err(RunError::Elsewhere { .. }) => None,
        Err(why) => panic!("{}: {why}", scenario.name),
    }
}

/// What an operator needs to see of a drill that went wrong.
fn story(outcome: &Outcome) -> String {
    report::text(outcome, false)
}

#[test]
fn every_scenario_passes_in_sim() {
    let outcomes =
        scenarios().filter_map(|scenario| play(&scenario, &World::of(mxdrill::scenario::WorldKind::Sim)));
    let failed: Vec<String> =
        outcomes.filter(|outcome| !outcome.is_pass()).map(|outcome| story(&outcome)).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_scenario_comes_to_the_same_on_sockets() {
    let mut faults = Vec::new();
    for scenario in scenarios() {
        let sim = play(&scenario, &World::of(mxdrill::scenario::WorldKind::Sim));
        let live = play(&scenario, &World::live());
        let (Some(sim), Some(live)) = (sim, live) else { continue };
        if sim.verdict != live.verdict || figures(&sim) != figures(&live) {
            faults.push(format!("{}\n{}", story(&sim), story(&live)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Here chance decides what becomes of each mail: which of two MX of equal preference it meets is drawn by the
/// number of the attempt, and attempts come in another order on sockets. The sum of both fates is the same.
const DRAWN: [&str; 1] = ["equal-preference-relay"];

/// The counts that must not depend on the world. Copies are told apart from first deliveries.
fn figures(outcome: &Outcome) -> [(&'static str, u64); 9] {
    let mut counts = outcome.counts;
    if DRAWN.contains(&outcome.scenario.as_str()) {
        counts.delivered += std::mem::take(&mut counts.bounced);
    }
    [
        ("messages", counts.messages),
        ("sent", counts.sent),
        ("acknowledged", counts.acknowledged),
        ("rejected", counts.rejected),
        ("in doubt", counts.in_doubt),
        ("delivered", counts.delivered),
        ("bounced", counts.bounced),
        ("discarded", counts.discarded),
        ("lost", counts.lost),
    ]
}
