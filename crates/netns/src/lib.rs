//! Private networks with real mail servers as hosts. Linux only; elsewhere the crate is empty.
//!
//! Nothing here needs `unsafe`, because programs that every Linux has do the work: `unshare` makes namespaces,
//! `nsenter` enters them, `ip` lays wires, `nft` drops and refuses packets, `mount` lays unpacked programs over the
//! machine's own. No packet leaves a cell: it has no wire to the outside.
//!
//! - [`cell`]: the namespaces of one drill, which vanish with its process
//! - [`Host`]: a host that is a program; [`Station`]: what it is to be
//! - [`Adapter`]: what is to be known of a mail server; [`store`]: where it lies
//! - [`doctor`]: what a machine has and lacks for all this
#![cfg(target_os = "linux")]

mod adapter;
pub mod cell;
pub mod doctor;
mod firewall;
mod host;
pub mod store;
pub mod tool;

pub use adapter::{Adapter, AdapterError, TemplateError};
pub use cell::Cell;
pub use host::{Arrived, Host, HostError, Queued, Station};
