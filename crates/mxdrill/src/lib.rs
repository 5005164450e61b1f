//! Drills for backup MX: scenario, plan, world, play, outcome.
//!
//! - [`scenario`]: what a scenario file says, as plain data; reading, printing, building and checking it

pub mod scenario;
