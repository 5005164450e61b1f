//! The test of determinism itself: without it no other simulation means anything, so it runs first.

use std::process::Command;

use mxdrill::{World, scenario::catalogue};

/// Set in the processes that only tell their hashes.
const TELL: &str = "MXDRILL_TELL_HASHES";

/// Every scenario of the catalogue with the hash of its journal.
fn hashes(seed: u64) -> Vec<(String, String)> {
    let played = catalogue::all().map(|entry| {
        let scenario = entry.scenario().expect("the catalogue is sound");
        let outcome = scenario.play(&World::sim(seed)).expect("the catalogue plays in sim");
        (scenario.name, outcome.journal_hash.expect("in sim the journal is hashed"))
    });
    played.collect()
}

/// What another process finds.
fn hashes_elsewhere() -> String {
    let binary = std::env::current_exe().expect("the test knows its own path");
    let told = Command::new(binary)
        .args(["determinism::the_same_seed_gives_the_same_journal", "--exact", "--nocapture"])
        .env(TELL, "1")
        .output()
        .expect("the test runs once more");
    let text = String::from_utf8_lossy(&told.stdout);
    text.lines().filter(|line| line.starts_with("hash ")).map(|line| format!("{line}\n")).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "one process tells the other")]
fn the_same_seed_gives_the_same_journal() {
    let told: String = hashes(1).into_iter().map(|(name, hash)| format!("hash {name} {hash}\n")).collect();
    if std::env::var_os(TELL).is_some() {
        println!("\n{told}");
        return;
    }
    assert!(told.lines().count() > 2, "there is a catalogue to play");
    assert_eq!(hashes_elsewhere(), told, "another process, the same journal");
}

#[test]
fn another_seed_gives_another_journal() {
    for ((name, one), (_, two)) in hashes(1).into_iter().zip(hashes(2)) {
        assert_ne!(one, two, "{name}: the seed is in every Message-ID");
    }
}
