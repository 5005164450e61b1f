//! The floor of mxdrill: what a host is to the world it runs in, and the two drivers that move it.
//!
//! Start with [`Process`]: everything that decides is a machine `(now, event) -> commands`, without clock,
//! socket or ambient randomness. [`sim`] moves such machines in virtual time; [`live`] moves the same machines
//! over real sockets. Neither knows a protocol.
//!
//! - [`Time`], [`Epoch`]: virtual time, and the wall time it stands for
//! - [`Seed`]: keyed draws, so that adding one draw does not shift the others
//! - [`DomainName`]: normalised once, the trailing dot settled
//! - [`Index`]: a hash map that cannot be iterated, so that no order leaks out of it
//! - [`Process`], [`Event`], [`Commands`]: the contract
//! - [`Driver`], [`Access`], [`Link`], [`Disk`]: what a scenario can do to a host from outside
//! - [`Fact`]: what a driver saw

mod driver;
mod fact;
mod index;
mod link;
pub mod live;
mod name;
mod process;
mod seed;
pub mod sim;
#[cfg(test)]
mod tests;
mod time;
mod way;

pub use driver::{Access, Disk, Driver, HostSpec, Sink, Stop, Visit};
pub use fact::{Fact, Tag};
pub use index::Index;
pub use link::{Link, LinkRule};
pub use name::{DomainName, NameError};
pub use process::{
    Closed, Command, Commands, Conn, ConnectError, Event, HostId, Kept, Process, Segment, StoreError, Token,
};
pub use seed::{Draw, Seed};
pub use time::{Epoch, Time};
