//! What was seen, and what it means: facts, journal, books, checks and reports. Nothing here acts.

mod fact;

pub use fact::{Deed, Fact, Taken};
