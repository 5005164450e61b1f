//! SMTP (RFC 5321) without clock or socket: bytes and `now` in; bytes, deadlines and results out.

mod address;
mod envelope;
mod failure;
mod reply;
mod script;
mod stage;

pub use address::{Address, AddressError, ReversePath};
pub use envelope::{Notify, Recipient};
pub use failure::Failure;
pub use reply::{Code, Enhanced, Reply, Severity};
pub use script::{Effect, Pass, Script, SessionView, Then};
pub use stage::Stage;
