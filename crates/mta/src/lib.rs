//! A mail node: it accepts, spools, routes (RFC 5321 5.1), retries, relays and bounces; and the profiles of MTAs.

mod fact;
mod message;
mod retry;

pub use fact::{Basis, Discard, Fact, GiveUp, Rejection, Route, RouteHost, Skip, Target};
pub use message::{Message, MessageKey};
pub use retry::{Retry, RetryRule};
