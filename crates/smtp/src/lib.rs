//! SMTP (RFC 5321) without clock or socket: bytes and `now` in; bytes, deadlines and results out.
//!
//! Start with [`Server`] and [`Client`], the two ends of a session. Both are machines: their owner hands in the
//! time, what came over the connection and where commands go, and asks for their [`Server::deadline`].
//!
//! - [`Server`]: one session; asks a [`Policy`] what to take, and a [`Script`] what goes wrong
//! - [`Client`]: one session; carries [`Letter`]s and reports a typed [`Outcome`] for each recipient
//! - [`Command`], [`Reply`]: the strict grammar of both directions, `parse(print(x)) = x`
//! - [`Faults`]: the script as data: rules with stage, match, trigger and act
//! - [`Address`], [`Envelope`], [`Recipient`], [`Extensions`]: the words of the envelope
//!
//! - [`tls`]: a byte layer between a session and its connection (RFC 3207): rustls without I/O in live worlds, a
//!   short record of certificate facts in simulated ones

mod address;
mod client;
mod command;
mod content;
mod envelope;
mod extension;
mod failure;
mod faults;
#[cfg(test)]
mod pair;
mod reply;
mod script;
mod server;
mod stage;
#[cfg(test)]
mod story;
pub mod tls;

pub use address::{Address, AddressError, ReversePath};
pub use client::{AsIs, Client, ClientConfig, Letter, Outcome, Report, Step, Timeouts};
pub use command::{Body, Command, CommandError, Domain, Mail, Path, Rcpt, xtext};
pub use envelope::{Envelope, MailParameters, Notify, Protocol, Received, Recipient, Ret};
pub use extension::{Extension, Extensions};
pub use failure::Failure;
pub use faults::{Act, Faults, Matching, Pattern, Rule, Trigger};
pub use reply::{Code, Enhanced, Reply, ReplyError, ReplyReader, ReplyView, Severity};
pub use script::{Effect, Pass, Script, SessionView, Then};
pub use server::{Policy, Server, ServerConfig, Verdict};
pub use stage::Stage;
pub use tls::{CertificateProblem, TlsFailure};
