//! The same drills mounted over each world, modules by theme.

mod determinism;
