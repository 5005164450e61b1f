//! Reports: each is a pure reading of outcomes.

use crate::{Outcome, Skipped};

/// The story of a drill for people; `colour` adds ANSI colours.
pub fn text(outcome: &Outcome, _colour: bool) -> String {
    outcome.title.clone()
}

/// All drills as one JSON document; `version` is that of mxdrill.
pub fn json(_version: &str, _drills: &[Outcome], _skipped: &[Skipped]) -> String {
    String::new()
}

/// All drills as JUnit XML.
pub fn junit(_drills: &[Outcome], _skipped: &[Skipped]) -> String {
    String::new()
}
