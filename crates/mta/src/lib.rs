//! A mail node: it accepts, spools, routes (RFC 5321 5.1), retries, relays and bounces; and the profiles of MTAs.
//!
//! Start with [`Node`]: a machine that a driver of net moves. [`NodeConfig`] says what it is, [`Profile`] how it
//! behaves, [`Fact`] what it did.

mod accept;
mod callout;
mod config;
mod core;
mod deliver;
mod dsn;
mod enqueue;
mod fact;
#[cfg(test)]
mod fixture;
mod giveup;
mod hash;
mod header;
mod intake;
mod intern;
mod message;
mod node;
pub mod profile;
mod queue;
mod retry;
mod route;
mod seven_bit;
pub mod spool;
mod sts;
mod timers;
mod trace;
#[cfg(test)]
mod world;

pub use self::core::AnyFact;
pub use callout::Unverified;
pub use config::{Filter, NodeConfig};
pub use dsn::Undelivered;
pub use fact::{Basis, Discard, Fact, GiveUp, HostPolicy, Rejection, Route, RouteHost, Skip, Target};
pub use intake::Intake;
pub use message::{Message, MessageKey, Origin, QueueId, Recipients};
pub use node::Node;
pub use profile::Profile;
pub use retry::{Retry, RetryRule};
pub use route::{Identity, Resolved, RouteTicket, Router, RouterConfig};
pub use spool::{Pending, Spool, SpoolOptions};
pub use sts::{FetchError, PolicyConfig, PolicyHost, StsMode, StsPolicy, StsRecord};
