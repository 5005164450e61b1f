//! A profile with a host's overrides applied.

use mxdrill_mta::{Profile, Retry, profile::Memory};

use mxdrill_smtp::Extensions;

use super::{Host, Overrides, RetryPart, Timeouts};

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

    /// The profile it plays: overrides applied, and its door as the host has it (`size`, `lacks`).
    ///
    /// # Errors
    /// When the retry schedule is a part of one kind over another kind.
    pub fn profile(&self) -> Result<Profile, RetryMismatch> {
        let mut profile = self.overrides.applied(self.profile_named())?;
        let offered = &mut profile.door.extensions;
        offered.size = self.size.or(offered.size);
        self.lacks.iter().for_each(|keyword| withdraw(offered, keyword));
        Ok(profile)
    }
}

/// Takes an extension back, by its EHLO keyword.
fn withdraw(offered: &mut Extensions, keyword: &str) {
    match keyword {
        "pipelining" => offered.pipelining = false,
        "size" => offered.size = None,
        "8bitmime" => offered.eight_bit = false,
        "smtputf8" => offered.utf8 = false,
        "chunking" => offered.chunking = false,
        "enhancedstatuscodes" => offered.enhanced = false,
        "dsn" => offered.dsn = false,
        "starttls" => offered.starttls = false,
        "etrn" => offered.etrn = false,
        _ => {}
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
        self.timeout.apply(&mut profile.timeouts);
        profile.tls.dane = self.dane.unwrap_or(profile.tls.dane);
        profile.tls.mta_sts = self.mta_sts.unwrap_or(profile.tls.mta_sts);
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

impl Timeouts {
    fn apply(&self, timeouts: &mut mxdrill_smtp::Timeouts) {
        let all = [
            (&mut timeouts.connect, self.connect),
            (&mut timeouts.greeting, self.greeting),
            (&mut timeouts.ehlo, self.ehlo),
            (&mut timeouts.starttls, self.starttls),
            (&mut timeouts.mail, self.mail),
            (&mut timeouts.rcpt, self.rcpt),
            (&mut timeouts.data_init, self.data),
            (&mut timeouts.data_block, self.block),
            (&mut timeouts.dot, self.dot),
            (&mut timeouts.quit, self.quit),
        ];
        for (timeout, over) in all {
            *timeout = over.unwrap_or(*timeout);
        }
    }
}

impl RetryPart {
    /// The whole schedule: what is not given stays as the profile has it, if that is of the same kind.
    fn over(&self, profile: &Profile) -> Result<Retry, RetryMismatch> {
        let missing = |missing| RetryMismatch {
            part: self.word(),
            whole: profile.retry.word(),
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const FIVE: Duration = Duration::from_secs(300);

    fn over(profile: &str, part: RetryPart) -> Result<Retry, String> {
        let overrides = Overrides { retry: Some(part), ..Overrides::default() };
        let profile = Profile::named(profile).expect("a profile");
        overrides.applied(profile).map(|profile| profile.retry).map_err(|err| err.to_string())
    }

    #[test]
    fn a_part_changes_a_schedule_of_its_kind() {
        let part = RetryPart::Age { min: None, max: Some(FIVE), scan: None };
        let Ok(Retry::Age { min, max, scan }) = over("postfix", part) else { panic!("a schedule by age") };
        assert_eq!((min, max, scan), (Duration::from_secs(300), FIVE, Duration::from_secs(300)));
    }

    #[test]
    fn a_whole_one_takes_the_place_of_any() {
        assert_eq!(over("exim", RetryPart::List(vec![FIVE])), Ok(Retry::List(vec![FIVE])));
        let whole = RetryPart::Age { min: Some(FIVE), max: Some(FIVE), scan: Some(FIVE) };
        assert_eq!(over("exim", whole), Ok(Retry::Age { min: FIVE, max: FIVE, scan: FIVE }));
    }

    #[test]
    fn a_part_of_one_kind_over_another_kind_is_named() {
        let part = RetryPart::Power { unit: Some(FIVE), exponent: None };
        let told =
            "a part of `power` over the schedule `age` of postfix: `exponent` is missing to make it whole";
        assert_eq!(over("postfix", part), Err(told.into()));
    }

    #[test]
    fn every_extension_that_a_host_can_lack_is_taken_back() {
        let name = "mx1.example.test".parse().expect("a name");
        let lacks = crate::scenario::parse::EXTENSIONS.map(String::from).to_vec();
        let host = Host { lacks, size: Some(10), ..Host::new("mx1", name) };
        let offered = host.profile().expect("no part of a schedule").door.extensions;
        let nothing = Extensions {
            pipelining: false,
            size: None,
            eight_bit: false,
            utf8: false,
            chunking: false,
            enhanced: false,
            dsn: false,
            starttls: false,
            etrn: false,
        };
        assert_eq!(offered, nothing);
    }

    #[test]
    fn what_is_not_overridden_stays() {
        let postfix = Profile::named("postfix").expect("a profile");
        assert_eq!(Overrides::default().applied(postfix.clone()), Ok(postfix.clone()));
        let timeout = Timeouts { dot: Some(FIVE), ..Timeouts::default() };
        let more =
            Overrides { memory: Some(Duration::ZERO), hops_max: Some(7), timeout, ..Overrides::default() };
        let changed = more.applied(postfix.clone()).expect("no part of a schedule");
        assert_eq!(changed.timeouts, mxdrill_smtp::Timeouts { dot: FIVE, ..postfix.timeouts });
        assert_eq!((changed.memory, changed.door.hops_max), (Memory::None, 7));
        assert_eq!(changed.lifetime, postfix.lifetime);
    }
}
