//! The same drills mounted over each world, modules by theme.

mod broken;
mod catalogue;
mod determinism;
mod explored;
mod foreign;
mod laws;
mod mutations;
mod rows;
mod sender;
mod sigkill;
mod switched_off;
