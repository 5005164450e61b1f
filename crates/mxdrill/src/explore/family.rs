//! Families of faults: what `--faults` chooses from, and what each drill leaves some of out.

use std::{fmt, str::FromStr};

/// A family of faults. Each drill draws from some families only, so that one fault does not hide another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// How a host meets connects.
    Connect,
    /// A host says 4xx.
    Temporary,
    /// A host says 5xx.
    Permanent,
    /// A host drops the connection.
    Drop,
    /// A host waits, or its replies trickle.
    Slow,
    /// A host loses power.
    Crash,
    /// A host's disk is full.
    Disk,
    /// A host takes few sessions, or sends first tries away.
    Limits,
    /// A host takes small messages only.
    Size,
    /// A host's TLS is broken.
    Tls,
    /// The way between two hosts is cut, slow or lossy.
    Link,
    /// The DNS answers wrongly, late, or not at all.
    Dns,
}

impl Family {
    /// All families.
    pub const ALL: [Family; 12] = [
        Family::Connect,
        Family::Temporary,
        Family::Permanent,
        Family::Drop,
        Family::Slow,
        Family::Crash,
        Family::Disk,
        Family::Limits,
        Family::Size,
        Family::Tls,
        Family::Link,
        Family::Dns,
    ];

    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Family::Connect => "connect",
            Family::Temporary => "4xx",
            Family::Permanent => "5xx",
            Family::Drop => "drop",
            Family::Slow => "slow",
            Family::Crash => "crash",
            Family::Disk => "disk",
            Family::Limits => "limits",
            Family::Size => "size",
            Family::Tls => "tls",
            Family::Link => "link",
            Family::Dns => "dns",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The text names no family of faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no family of faults: {words}", words = Family::ALL.map(Family::word).join(", "))]
pub struct UnknownFamily(String);

impl FromStr for Family {
    type Err = UnknownFamily;

    fn from_str(text: &str) -> Result<Family, UnknownFamily> {
        let known = Family::ALL.into_iter().find(|family| family.word() == text);
        known.ok_or_else(|| UnknownFamily(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_has_a_word_of_its_own() {
        for family in Family::ALL {
            assert_eq!(family.word().parse(), Ok(family));
        }
        let why = "tsl".parse::<Family>().expect_err("no such family").to_string();
        assert!(why.starts_with("`tsl` is no family of faults: connect, 4xx"), "{why}");
    }
}
