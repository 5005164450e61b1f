//! The drill as a story along the time line: what each host did, in as few lines as tell it.

mod lines;
mod safety;
mod teller;

use mxdrill_net::Time;
use serde::{Deserialize, Serialize};

pub(crate) use teller::Teller;

use crate::wire;

/// What happened, along the time line, each host's doings in one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// The lines, in order of time.
    pub lines: Vec<Line>,
    /// Events beyond those told: flapping hosts make many.
    pub untold: u64,
}

/// One line of the story.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When.
    #[serde(with = "wire::time")]
    pub at: Time,
    /// Who: a host, a link, the DNS.
    pub who: String,
    /// What it did.
    pub what: String,
    /// What came of it, each a line of the right column.
    pub then: Vec<String>,
}
