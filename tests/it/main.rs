//! The same drills mounted over each world, modules by theme.

mod catalogue;
mod determinism;
mod explored;
mod foreign;
mod laws;
mod mutations;
mod sender;
mod sigkill;
