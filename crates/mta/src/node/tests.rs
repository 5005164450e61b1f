//! A node among others, as stories. Times are whole seconds; equal lines in a row are counted.

mod door;
mod failover;
mod giving_up;
mod holding;
mod law;
mod profiles;
mod security;
mod sts;

use crate::world::World;

/// Compares what these hosts did with what a test expects, line by line.
#[track_caller]
fn check(world: &World, labels: &[&str], expected: &str) {
    let tidy = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    };
    let story = world.story(labels);
    assert!(tidy(&story) == tidy(expected), "what happened:\n{story}\nexpected:\n{expected}");
}
