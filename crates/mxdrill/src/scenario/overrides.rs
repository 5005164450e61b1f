//! A profile with a host's overrides applied.

use mxdrill_mta::{Profile, Retry, profile::Memory};

use super::{Host, Overrides, RetryPart};

/// A part of one kind of schedule was given over a profile of another kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a part of `{part}` over the schedule `{whole}` of {profile}: `{missing}` is missing to make it whole"
)]
pub struct RetryMismatch {
    part: &'static str,
    whole: &'static str,
    profile: &'static str,
    missing: &'static str,
}

impl Host {
    /// The profile it is like, without its overrides; where it runs a program, that program's.
    pub fn profile_named(&self) -> Profile {
        let program = self.run.map(|program| program.word());
        let name = self.like.as_deref().or(program);
        name.and_then(Profile::named).unwrap_or_default()
    }

    /// The profile it plays.
    ///
    /// # Errors
    /// When the retry schedule is a part of one kind over another kind.
    pub fn profile(&self) -> Result<Profile, RetryMismatch> {
        self.overrides.applied(self.profile_named())
    }
}

impl Overrides {
    /// `profile` with what is overridden.
    ///
    /// # Errors
    /// When the retry schedule is a part of one kind over another kind.
    pub fn applied(&self, mut profile: Profile) -> Result<Profile, RetryMismatch> {
        if let Some(part) = &self.retry {
            profile.retry = part.over(&profile)?;
        }
        self.apply_lifetimes(&mut profile);
        self.apply_limits(&mut profile);
        if let Some(memory) = self.memory {
            profile.memory = if memory.is_zero() { Memory::None } else { Memory::Fixed(memory) };
        }
        Ok(profile)
    }

    fn apply_lifetimes(&self, profile: &mut Profile) {
        if self.lifetime.is_some() {
            profile.lifetime.mail = self.lifetime;
        }
        if self.bounce_lifetime.is_some() {
            profile.lifetime.bounce = self.bounce_lifetime;
        }
        if let Some(after) = &self.warn_after {
            profile.warn.after.clone_from(after);
            profile.warn.every = None;
        }
    }

    fn apply_limits(&self, profile: &mut Profile) {
        profile.attempts_max = self.attempts_max.or(profile.attempts_max);
        profile.routing.hosts_max = self.hosts_max.or(profile.routing.hosts_max);
        profile.routing.addresses_max = self.addresses_max.or(profile.routing.addresses_max);
        profile.routing.sessions_max = self.attempt_sessions_max.or(profile.routing.sessions_max);
        profile.door.hops_max = self.hops_max.unwrap_or(profile.door.hops_max);
        if let Some(max) = self.concurrency {
            profile.concurrency.max = max;
            profile.concurrency.initial = profile.concurrency.initial.min(max);
            profile.concurrency.run = profile.concurrency.run.min(max);
        }
    }
}

impl RetryPart {
    /// The whole schedule: what is not given stays as the profile has it, if that is of the same kind.
    fn over(&self, profile: &Profile) -> Result<Retry, RetryMismatch> {
        let missing = |missing| RetryMismatch {
            part: self.word(),
            whole: word(&profile.retry),
            profile: profile.name,
            missing,
        };
        Ok(match *self {
            RetryPart::List(ref waits) => Retry::List(waits.clone()),
            RetryPart::Rules(ref rules) => Retry::Rules(rules.clone()),
            RetryPart::Age { min, max, scan } => {
                let whole = match profile.retry {
                    Retry::Age { min, max, scan } => (Some(min), Some(max), Some(scan)),
                    _ => (None, None, None),
                };
                Retry::Age {
                    min: min.or(whole.0).ok_or_else(|| missing("min"))?,
                    max: max.or(whole.1).ok_or_else(|| missing("max"))?,
                    scan: scan.or(whole.2).ok_or_else(|| missing("scan"))?,
                }
            }
            RetryPart::Power { unit, exponent } => {
                let whole = match profile.retry {
                    Retry::Power { unit, exponent } => (Some(unit), Some(exponent)),
                    _ => (None, None),
                };
                Retry::Power {
                    unit: unit.or(whole.0).ok_or_else(|| missing("unit"))?,
                    exponent: exponent.or(whole.1).ok_or_else(|| missing("exponent"))?,
                }
            }
            RetryPart::Geometric { first, percent, max } => {
                let whole = match profile.retry {
                    Retry::Geometric { first, percent, max } => (Some(first), Some(percent), Some(max)),
                    _ => (None, None, None),
                };
                Retry::Geometric {
                    first: first.or(whole.0).ok_or_else(|| missing("first"))?,
                    percent: percent.or(whole.1).ok_or_else(|| missing("factor"))?,
                    max: max.or(whole.2).ok_or_else(|| missing("max"))?,
                }
            }
        })
    }

    /// The word of scenario files.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            RetryPart::List(_) => "list",
            RetryPart::Age { .. } => "age",
            RetryPart::Rules(_) => "rules",
            RetryPart::Power { .. } => "power",
            RetryPart::Geometric { .. } => "geometric",
        }
    }
}

fn word(retry: &Retry) -> &'static str {
    match retry {
        Retry::List(_) => "list",
        Retry::Age { .. } => "age",
        Retry::Rules(_) => "rules",
        Retry::Power { .. } => "power",
        Retry::Geometric { .. } => "geometric",
    }
}
