//! How a live world is set up, and what may go wrong with that.

use std::{io, path::PathBuf};

use crate::Seed;

/// How a live world is set up. `LiveOptions::default()` is right for a test: a free port, leaps over quiet
/// time, a temporary spool.
#[derive(Clone, Debug, Default)]
pub struct LiveOptions {
    /// The real TCP port that stands for the scenario's port 25 on every host; `None` chooses a free one.
    pub port: Option<u16>,
    /// The folder that holds one folder for each host's disk, and is kept; `None` is a temporary one.
    pub spool: Option<PathBuf>,
    /// Where hosts keep their segments.
    pub storage: Storage,
    /// Virtual seconds per real second, for labs that people watch: time never leaps. `None` leaps.
    pub speed: Option<u32>,
    /// What the draws of links (jitter, loss) depend on.
    pub seed: Option<Seed>,
    /// Which real addresses stand for the scenario's.
    pub ground: Ground,
}

/// Which real addresses stand for the scenario's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground {
    /// A block of loopback addresses of the world's own.
    #[default]
    Loopback,
    /// The scenario's addresses and ports themselves. The network namespace must have the addresses, and no way out:
    /// faults of connects are then left to its packet filter, so that programs outside the driver meet them, too.
    Own,
}

/// Where hosts keep their segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Storage {
    /// In files, synced to the device.
    #[default]
    Files,
    /// In memory, synced at once: for mailboxes that only stand in for real ones. It outlives the crash of a
    /// host, not the world.
    Memory,
}

/// Why a live world could not be set up, or a host's address not be opened.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// No block of loopback addresses is free.
    #[error("no free block of addresses in 127.0.0.0/8: {0}")]
    Block(#[source] io::Error),
    /// The port cannot be had: somebody has it (EADDRINUSE), or it needs a privilege (EACCES, below 1024).
    #[error("cannot listen on port {port} of the loopback addresses: {source}")]
    Port {
        /// The real port; 0 stands for any.
        port: u16,
        /// What the kernel said.
        source: io::Error,
    },
    /// A folder or file of the spool cannot be used.
    #[error("cannot use the spool {}: {source}", path.display())]
    Spool {
        /// Which one.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A service that is not on loopback: nothing leaves the world.
    #[error("{0} is not in 127.0.0.0/8: nothing leaves the world")]
    Outside(std::net::SocketAddr),
    /// The threads or the poll of the world cannot be made.
    #[error("cannot start the world: {0}")]
    Start(#[source] io::Error),
}
