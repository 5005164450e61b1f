//! Drills for backup MX: scenario, plan, world, play, outcome.
//!
//! - [`scenario`]: what a scenario file says, as plain data; reading, printing and checking it
//! - [`build`]: the same, built in code

pub mod build;
pub mod scenario;

pub use build::Drill;
