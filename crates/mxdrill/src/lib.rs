//! Drills for backup MX: scenario, plan, world, play, outcome.
//!
//! - [`scenario`]: what a scenario file says, as plain data; reading, printing and checking it
//! - [`Drill`]: the same, built in code
//! - [`World`], [`run`]: where a drill is played, and the play
//! - [`explore`]: looking for the outage that nobody wrote down
//! - [`Lab`]: the same world, for a sender of your own
//! - [`compare`], [`profiles`]: one scenario over many MTAs, and what each does
//! - [`Outcome`], [`report`]: what it came to, for people and for machines

pub mod build;
pub mod compare;
mod counterfactual;
mod drill;
mod errand;
pub mod explore;
mod host;
pub mod lab;
mod mail;
mod originator;
mod plan;
mod play;
pub mod profiles;
mod run;
pub mod scenario;
mod world;
mod wrap;

pub use build::Drill;
pub use counterfactual::without;
pub use drill::PlayError;
pub use lab::Lab;
pub use mxdrill_ledger::{Outcome, Skipped, Span, Spread, Verdict, report};
#[cfg(target_os = "linux")]
pub use mxdrill_netns::doctor;
pub use plan::PlanError;
pub use run::{Journal, RunError, run, run_with_journal};
pub use world::World;
#[cfg(target_os = "linux")]
pub use world::netns::{NetnsError, drill as netns_drill};
pub use wrap::Wrap;

/// The examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The worked examples of the architecture page.
#[cfg(doctest)]
#[doc = include_str!("../../../ARCHITECTURE.md")]
struct Architecture;
