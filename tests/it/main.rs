//! The same drills mounted over each world, modules by theme.

mod catalogue;
mod determinism;
mod laws;
mod mutations;
