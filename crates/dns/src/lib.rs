//! DNS: zones, one pure answer, faults, the look-up machine of every host, and the name server of live worlds.
//!
//! - [`Zones`]: what the world's DNS says, read from master-file text
//! - [`Authority`]: zones, faults and query log; one pure answer to any message
//! - [`Host`]: serves an authority as a process of its world
//! - [`server::Server`]: serves it to clients from outside a live world
//! - [`Lookup`]: how a host asks, the same in every world
//! - [`Fact`]: what a host's look-ups asked and learned

mod authority;
mod fact;
#[cfg(test)]
mod fixture;
mod host;
mod lookup;
mod record;
pub mod server;
mod wire;
mod zone;

pub use authority::{Authority, DnsFault, How, QueryCount, QueryLog, Response, Transport};
pub use fact::{Fact, Outcome, RecordType};
pub use host::{Host, Served};
pub use lookup::{Answer, Asked, Lookup, LookupConfig, Ticket};
pub use record::{Record, RecordData, Soa, TTL_DEFAULT, Tlsa, UnknownType};
pub use zone::{FileError, ZoneError, ZoneProblem, Zones};

/// Aliases (CNAME) followed for one question; a longer chain is taken for a loop.
const LINKS_MAX: u8 = 8;
