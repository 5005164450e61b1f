//! Scenarios: a zone, hosts, steps and expectations, read whole on one screen.
//!
//! Start with [`Scenario`], the meaning of a file as plain data. [`Scenario::read`] reads a file and
//! [`Scenario::to_toml`] writes one; [`crate::Drill`] builds the same value in code.
//!
//! - [`Place`]: hosts named by their place among the MX; [`Scenario::resolved`] makes them concrete
//! - [`Site`]: an operator's own zone and hosts instead of the scenario's
//! - [`catalogue`]: the scenarios that are compiled in
//! - [`schema`]: the JSON Schema by which editors complete scenario files

pub mod catalogue;
mod model;
mod overrides;
mod parse;
mod place;
pub(crate) mod print;
mod resolve;
mod schema;
mod site;
#[cfg(test)]
mod tests;
pub(crate) mod toml_text;
mod units;

pub use model::{
    Action, Answer, Body, CheckOff, Clear, Connect, Content, Crash, Dialogue, DnsFault, DnsName, Expect,
    Fault, FaultKind, Host, HostFault, HostTls, KnownAs, LinkFault, Matching, Moment, Overrides, Place,
    Policy, Program, Rate, RecipientPattern, Record, Restriction, RetryPart, Scenario, Send, Spacing, Step,
    Timeouts, TlsFault, To, Trigger, When, WorldKind, Zone,
};
pub use overrides::RetryMismatch;
pub use parse::{Files, Folder, Mistake, Mistakes, NoFiles, ReadError};
pub use place::PlaceError;
pub use resolve::RecordError;
pub use schema::schema;
pub use site::{Site, SiteError};
pub use units::{Octets, UnitError};

/// The checks that `[unchecked]` can name: all rules but that of the scenario's own expectations.
pub(crate) fn checks() -> impl Iterator<Item = &'static str> {
    mxdrill_ledger::RULES.iter().map(|rule| rule.name).filter(|name| *name != "expectation")
}
