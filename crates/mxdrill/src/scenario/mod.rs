//! Scenarios: a zone, hosts, steps and expectations, read whole on one screen.
//!
//! Start with [`Scenario`], the meaning of a file as plain data.

mod expectation;
mod model;

pub use expectation::{Comparison, Expectation, Figure, Quantity};
pub use model::{
    Action, Answer, Body, CheckOff, Clear, Connect, Content, Crash, Dialogue, DnsFault, DnsName, Expect,
    Fault, FaultKind, Host, HostFault, KnownAs, LinkFault, Matching, Moment, NextHop, Overrides, Place,
    Program, Rate, RecipientPattern, Record, Restriction, RetryPart, Scenario, Send, Spacing, Step, Timeouts,
    TlsFault, To, Trigger, When, WorldKind, Zone,
};
