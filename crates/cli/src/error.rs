//! What ends the program before its work is done.

use std::{io, path::PathBuf};

use miette::Diagnostic;
use mxdrill::{
    RunError,
    compare::UnknownProfile,
    explore::{ExploreError, MergeError},
    scenario::{Mistakes, PlaceError, ReadError},
};

use crate::exit::Exit;

/// What ends the program.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub(crate) enum Error {
    /// A scenario or site file is not right, or cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Read(#[from] ReadError),
    /// A scenario of the catalogue is not right.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Scenario(#[from] Mistakes),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Neither a path nor a name.
    #[error("`{0}` is neither a file, nor a folder with scenarios, nor a name of the catalogue")]
    #[diagnostic(help("`mxdrill list` names the scenarios of the catalogue"))]
    NoScenario(String),
    /// One scenario was asked for, and this is more.
    #[error("`{0}` is {1} scenarios; one is compared at a time")]
    Several(String, usize),
    /// A profile that there is not.
    #[error(transparent)]
    #[diagnostic(help("`mxdrill profiles` names them; `all` is all of them"))]
    Profile(#[from] UnknownProfile),
    /// A host that a scenario does not have.
    #[error("{0}: {1}")]
    NoHost(String, PlaceError),
    /// A journal is the journal of one drill.
    #[error("--journal is for one drill in one world; this would be {0}")]
    Journals(usize),
    /// A drill could not be played.
    #[error("{scenario}: {why}")]
    Run {
        /// Which scenario.
        scenario: String,
        /// Why not.
        why: RunError,
    },
    /// More than one scenario, or none, is meant.
    #[error("explore takes one scenario; `{0}` is {1}")]
    OneScenario(String, usize),
    /// A scenario cannot be explored.
    #[error("{scenario}: {why}")]
    Explore {
        /// Which scenario.
        scenario: String,
        /// Why not.
        why: ExploreError,
    },
    /// Results cannot be joined.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// The report could not be written.
    #[error("the report could not be written: {0}")]
    Output(#[source] io::Error),
}

impl Error {
    /// The mistakes of a scenario or site file, if it is about one.
    pub(crate) fn mistakes(&self) -> Option<&Mistakes> {
        match self {
            Error::Read(ReadError::Mistakes(mistakes)) | Error::Scenario(mistakes) => Some(mistakes),
            _ => None,
        }
    }

    /// The exit code that it means.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Error::Read(_) | Error::Scenario(_) | Error::File { .. } => Exit::Mistake,
            Error::NoHost(..) | Error::Journals(_) | Error::Several(..) | Error::Profile(_) => Exit::Mistake,
            Error::OneScenario(..) | Error::Explore { .. } | Error::Merge(_) => Exit::Mistake,
            Error::NoScenario(..) => Exit::Nothing,
            Error::Run { .. } | Error::Output(_) => Exit::Unknown,
        }
    }
}
