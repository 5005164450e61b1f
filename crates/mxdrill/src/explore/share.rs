//! A share of the drills, for one of several computers: every n-th, so that nobody need talk to anybody.

use std::{fmt, str::FromStr};

/// Part k of n.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    part: u32,
    of: u32,
}

/// Why there is no share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// It is not written as a share.
    #[error("`{0}` is no share: k/n with k from 1 to n, or auto")]
    Text(String),
    /// No engine has said which.
    #[error("no share is in the environment: {KNOWN}")]
    Absent,
    /// An engine gave something that cannot be understood.
    #[error("{name} is `{value}`: {reason}")]
    Variable {
        /// The variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// Only half of it was said.
    #[error("{0} is set, and {1} is not: how many shares are there?")]
    NoCount(&'static str, &'static str),
}

const KNOWN: &str =
    "SLURM_ARRAY_TASK_ID with SLURM_ARRAY_TASK_COUNT, or JOB_COMPLETION_INDEX with MXDRILL_SHARES";

/// How many shares there are, where the engine does not say, or says it of only those that are run again.
const SHARES: &str = "MXDRILL_SHARES";
const SLURM_ID: &str = "SLURM_ARRAY_TASK_ID";
const SLURM_COUNT: &str = "SLURM_ARRAY_TASK_COUNT";
const SLURM_MIN: &str = "SLURM_ARRAY_TASK_MIN";
const SLURM_STEP: &str = "SLURM_ARRAY_TASK_STEP";
const KUBERNETES_INDEX: &str = "JOB_COMPLETION_INDEX";

impl Share {
    /// All of it.
    pub const WHOLE: Share = Share { part: 1, of: 1 };

    /// Part `part`, counted from 1, of `of`.
    pub fn new(part: u32, of: u32) -> Option<Share> {
        (1..=of).contains(&part).then_some(Share { part, of })
    }

    /// Which part, counted from 1.
    pub fn part(self) -> u32 {
        self.part
    }

    /// How many parts there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// The number of the `place`-th drill of this share (both from 0), if there are so many drills in all.
    pub(crate) fn index(self, place: u64, seeds: Option<u64>) -> Option<u64> {
        let index = place.checked_mul(self.of.into())?.checked_add(u64::from(self.part) - 1)?;
        (index < seeds.unwrap_or(u64::MAX)).then_some(index)
    }

    /// The share that the engine which runs us has put into the environment: that of a Slurm array, or of an
    /// indexed job of Kubernetes.
    ///
    /// `MXDRILL_SHARES` says how many there are where the engine does not. With it, the tasks of a Slurm array
    /// count from 1 whichever of them are run, so that one can be run again.
    ///
    /// # Errors
    /// When there is none, or it cannot be understood.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Share, ShareError> {
        let number = |name: &'static str| -> Result<Option<u32>, ShareError> {
            let Some(value) = variable(name).filter(|value| !value.is_empty()) else { return Ok(None) };
            let reason = "a number was expected";
            value.trim().parse().map(Some).map_err(|_| ShareError::Variable { name, value, reason })
        };
        let shares = number(SHARES)?;
        let (name, part, of) = if let Some(id) = number(SLURM_ID)? {
            match shares {
                Some(of) => (SLURM_ID, Some(id), of),
                None => {
                    let of = number(SLURM_COUNT)?.ok_or(ShareError::NoCount(SLURM_ID, SLURM_COUNT))?;
                    let (min, step) =
                        (number(SLURM_MIN)?.unwrap_or(1), number(SLURM_STEP)?.unwrap_or(1).max(1));
                    let part = id.checked_sub(min).map(|past| past / step + 1);
                    (SLURM_ID, part, of)
                }
            }
        } else if let Some(index) = number(KUBERNETES_INDEX)? {
            let of = shares.ok_or(ShareError::NoCount(KUBERNETES_INDEX, SHARES))?;
            (KUBERNETES_INDEX, index.checked_add(1), of)
        } else {
            return Err(ShareError::Absent);
        };
        let value = || variable(name).unwrap_or_default();
        let reason = "outside of the shares, which must be a plain range";
        part.and_then(|part| Share::new(part, of)).ok_or_else(|| ShareError::Variable {
            name,
            value: value(),
            reason,
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.of)
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Share, ShareError> {
        let parts = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        parts.and_then(|(part, of)| Share::new(part, of)).ok_or_else(|| ShareError::Text(text.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: &str) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let found = match Share::from_environment(variable) {
            Ok(share) => share.to_string(),
            Err(why) => why.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn shares_are_read_as_they_are_written() {
        for text in ["1/1", "3/8", "8/8"] {
            assert_eq!(text.parse::<Share>().map(|share| share.to_string()), Ok(text.into()));
        }
        for text in ["0/8", "9/8", "1", "a/b", "", "1/0", "-1/2"] {
            assert_eq!(text.parse::<Share>(), Err(ShareError::Text(text.into())));
        }
    }

    #[test]
    fn shares_are_whole_together_and_apart() {
        let mut all: Vec<u64> = Vec::new();
        for part in 1..=3 {
            let share = Share::new(part, 3).expect("a share");
            all.extend((0..).map_while(|place| share.index(place, Some(10))));
        }
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        assert_eq!(Share::new(2, 2).expect("a share").index(u64::MAX, None), None);
    }

    #[test]
    fn a_slurm_array_may_count_from_anywhere() {
        let array = |id, count, min| [(SLURM_ID, id), (SLURM_COUNT, count), (SLURM_MIN, min)];
        check(&array("1", "8", "1"), "1/8");
        check(&array("8", "8", "1"), "8/8");
        check(&array("0", "4", "0"), "1/4");
        check(&array("12", "8", "5"), "8/8");
        check(&[&array("14", "8", "0")[..], &[(SLURM_STEP, "2")]].concat(), "8/8");
        check(
            &array("9", "3", "1"),
            "SLURM_ARRAY_TASK_ID is `9`: outside of the shares, which must be a plain range",
        );
        check(
            &[(SLURM_ID, "1")],
            "SLURM_ARRAY_TASK_ID is set, and SLURM_ARRAY_TASK_COUNT is not: how many shares are there?",
        );
    }

    #[test]
    fn one_task_of_an_array_can_be_run_again() {
        check(&[(SLURM_ID, "3"), (SLURM_COUNT, "1"), (SLURM_MIN, "3"), (SHARES, "8")], "3/8");
    }

    #[test]
    fn a_kubernetes_job_counts_from_zero_and_does_not_say_how_far() {
        check(&[(KUBERNETES_INDEX, "0"), (SHARES, "8")], "1/8");
        check(&[(KUBERNETES_INDEX, "7"), (SHARES, "8")], "8/8");
        check(
            &[(KUBERNETES_INDEX, "8"), (SHARES, "8")],
            "JOB_COMPLETION_INDEX is `8`: outside of the shares, which must be a plain range",
        );
        check(
            &[(KUBERNETES_INDEX, "0")],
            "JOB_COMPLETION_INDEX is set, and MXDRILL_SHARES is not: how many shares are there?",
        );
        check(&[(KUBERNETES_INDEX, "x")], "JOB_COMPLETION_INDEX is `x`: a number was expected");
    }

    #[test]
    fn an_empty_environment_has_no_share() {
        let none = "no share is in the environment: SLURM_ARRAY_TASK_ID with SLURM_ARRAY_TASK_COUNT, or \
                    JOB_COMPLETION_INDEX with MXDRILL_SHARES";
        check(&[], none);
        check(&[(SHARES, "8")], none);
    }
}
