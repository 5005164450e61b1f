//! Exit codes. They are a contract: scripts rely on them.

use std::process::ExitCode;

use mxdrill::Verdict;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every drill passed.
    Passed,
    /// A drill failed: mail was mishandled, or an expectation did not hold.
    Failed,
    /// A mistake in the arguments or in a scenario.
    Mistake,
    /// A drill proves nothing, or could not be played.
    Unknown,
    /// No scenario matched, or all were skipped.
    Nothing,
}

impl Exit {
    /// What all drills together come to: a failure beats what is unknown.
    pub(crate) fn of(verdicts: impl Iterator<Item = Verdict>) -> Exit {
        let worse = |exit, verdict| match (exit, verdict) {
            (Exit::Failed, _) | (_, Verdict::Fail) => Exit::Failed,
            (Exit::Unknown, _) | (_, Verdict::Unknown) => Exit::Unknown,
            (_, Verdict::Pass) => Exit::Passed,
        };
        verdicts.fold(Exit::Nothing, worse)
    }

    /// What it comes to where one more drill could not be played, for which the program alone would end with
    /// `broken`: a failure beats that, too.
    pub(crate) fn with_broken(self, broken: Exit) -> Exit {
        if self == Exit::Failed { self } else { broken }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Passed => 0,
            Exit::Failed => 1,
            Exit::Mistake => 2,
            Exit::Unknown => 3,
            Exit::Nothing => 4,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(verdicts: &[Verdict], expected: Exit) {
        assert_eq!(Exit::of(verdicts.iter().copied()), expected, "{verdicts:?}");
    }

    #[test]
    fn a_failure_beats_what_is_unknown() {
        use Verdict::{Fail, Pass, Unknown};
        check(&[], Exit::Nothing);
        check(&[Pass, Pass], Exit::Passed);
        check(&[Pass, Unknown, Pass], Exit::Unknown);
        check(&[Unknown, Fail, Pass], Exit::Failed);
        check(&[Fail, Unknown], Exit::Failed);
    }

    #[test]
    fn a_drill_that_could_not_be_played_is_never_a_pass() {
        assert_eq!(Exit::Passed.with_broken(Exit::Unknown), Exit::Unknown);
        assert_eq!(Exit::Nothing.with_broken(Exit::Unknown), Exit::Unknown);
        assert_eq!(Exit::Failed.with_broken(Exit::Unknown), Exit::Failed);
    }
}
