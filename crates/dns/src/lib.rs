//! DNS: zones, one pure answer, faults, the look-up machine of every host, and the name server of live worlds.

mod fact;

pub use fact::{Fact, Outcome, RecordType};
