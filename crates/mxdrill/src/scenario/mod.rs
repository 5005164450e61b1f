//! Scenarios: a zone, hosts, steps and expectations, read whole on one screen.
//!
//! Start with [`Scenario`], the meaning of a file as plain data. [`Scenario::read`] reads a file and
//! [`Scenario::to_toml`] writes one; [`crate::Drill`] builds the same value in code.
//!
//! - [`Place`]: hosts named by their place among the MX; [`Scenario::resolved`] makes them concrete
//! - [`Site`]: an operator's own zone and hosts instead of the scenario's
//! - [`catalogue`]: the scenarios that are compiled in

pub mod catalogue;
mod model;
mod overrides;
mod parse;
mod place;
pub(crate) mod print;
mod resolve;
mod site;
#[cfg(test)]
mod tests;
pub(crate) mod toml_text;
mod units;

pub use model::{
    Action, Answer, Body, CheckOff, Clear, Connect, Content, Crash, Dialogue, DnsFault, DnsName, Expect,
    Fault, FaultKind, Host, HostFault, KnownAs, LinkFault, Matching, Moment, Overrides, Place, Program, Rate,
    RecipientPattern, Record, Restriction, RetryPart, Scenario, Send, Spacing, Step, Timeouts, TlsFault, To,
    Trigger, When, WorldKind, Zone,
};
pub use overrides::RetryMismatch;
pub use parse::{Files, Folder, Mistake, Mistakes, NoFiles, ReadError};
pub use place::PlaceError;
pub use resolve::RecordError;
pub use site::{Site, SiteError};
pub use units::{Octets, UnitError};

/// The rules that are checked without being written, by the names that `[unchecked]` takes.
pub const CHECKS: [&str; 8] =
    ["loss", "bounce", "discard", "queue", "unexpected", "duplicate", "mx-order", "loop"];
