//! All profiles as a table: what each MTA does, in a line.

use std::time::Duration;

use mxdrill_ledger::Span;
use mxdrill_mta::{
    Profile, Retry, RetryRule,
    profile::{Verdict, all},
};
use mxdrill_net::Seed;

/// One profile in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileLine {
    /// The word of `like`.
    pub name: &'static str,
    /// Which program, version and settings.
    pub about: &'static str,
    /// The retry schedule in words.
    pub schedule: String,
    /// The lifetime in words.
    pub lifetime: String,
    /// The last attempt at a message whose only host never answers, since the message came.
    pub last_attempt: Duration,
    /// When it is given up.
    pub given_up: Duration,
    /// How long it waits for a connection.
    pub connect: Duration,
    /// How many MX it tries in one attempt, in words.
    pub mx: String,
    /// What a 5xx greeting makes it do: while a worse MX is left, and at the last host.
    pub greeting_5xx: [&'static str; 2],
    /// Ages at which it tells the sender of a delay.
    pub warns: Vec<Duration>,
    /// Whether it keeps to TLSA records (RFC 7672).
    pub dane: bool,
    /// Whether it keeps to MTA-STS policies (RFC 8461).
    pub mta_sts: bool,
    /// Where its numbers come from.
    pub source: &'static str,
}

/// A line for each profile, in the order of [`all`].
pub fn profiles() -> Vec<ProfileLine> {
    all().iter().map(|(_, make)| ProfileLine::of(&make())).collect()
}

impl ProfileLine {
    fn of(profile: &Profile) -> ProfileLine {
        let attempts = profile.attempts(Seed(1));
        let verdicts = &profile.verdicts;
        ProfileLine {
            name: profile.name,
            about: profile.about,
            schedule: schedule(profile),
            lifetime: lifetime(profile),
            last_attempt: attempts.at.last().copied().unwrap_or_default(),
            given_up: attempts.given_up.unwrap_or_default(),
            connect: profile.timeouts.connect,
            mx: mx(profile),
            greeting_5xx: [
                word(verdicts.more.greeting.permanent),
                match verdicts.last.greeting.permanent {
                    Verdict::Next => word(Verdict::Defer),
                    other => word(other),
                },
            ],
            warns: profile.warn.after.clone(),
            dane: profile.tls.dane,
            mta_sts: profile.tls.mta_sts,
            source: profile.source,
        }
    }
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Next => "next",
        Verdict::Defer => "defer",
        Verdict::Bounce => "bounce",
    }
}

/// A duration for a table: `5m`, `3h`, `66m40s`.
fn short(time: Duration) -> String {
    Span(time).to_string()
}

fn schedule(profile: &Profile) -> String {
    if profile.attempts_max == Some(1) {
        return "one attempt".into();
    }
    let mut words = match &profile.retry {
        Retry::List(waits) => listed(profile, waits),
        Retry::Age { min, max, scan } => {
            format!("the age of the mail, {} to {}, seen every {}", short(*min), short(*max), short(*scan))
        }
        Retry::Rules(rules) => rules.iter().map(rule).collect::<Vec<_>>().join("; "),
        Retry::Power { unit, exponent } => format!("{} x n^{exponent}", short(*unit)),
        Retry::Geometric { first, percent, .. } => {
            format!("{}, each {} times the last", short(*first), hundredths(*percent))
        }
    };
    if let Retry::Geometric { max, .. } = &profile.retry
        && *max < Duration::from_secs(86_400)
    {
        words += &format!(", at most {}", short(*max));
    }
    if !matches!(profile.retry, Retry::Age { .. } | Retry::List(_))
        && let Some(runner) = profile.runner
    {
        words += &format!(", seen every {}", short(runner));
    }
    if profile.jitter != mxdrill_mta::profile::Jitter::NONE {
        words += ", and chance";
    }
    if let Some(most) = profile.attempts_max {
        words += &format!(", {most} attempts");
    }
    words
}

/// `1m x4, 5m x6, then 10m`: equal waits counted, the last one repeated.
fn listed(profile: &Profile, waits: &[Duration]) -> String {
    if let (Some(runner), [only]) = (profile.runner, waits)
        && *only < runner
    {
        return format!("every queue run, {}", short(runner));
    }
    let mut parts: Vec<String> = waits
        .chunk_by(|a, b| a == b)
        .map(|equal| match equal.len() {
            1 => short(equal[0]),
            many => format!("{} x{many}", short(equal[0])),
        })
        .collect();
    let is_open = profile.attempts_max.is_none_or(|most| most as usize > waits.len() + 1);
    match parts.len() {
        1 if is_open => format!("every {}", parts[0]),
        len if is_open => {
            parts[len - 1] = format!("then every {}", short(waits[waits.len() - 1]));
            parts.join(", ")
        }
        _ => parts.join(", "),
    }
}

/// As a retry rule is written.
fn rule(rule: &RetryRule) -> String {
    match *rule {
        RetryRule::Fixed { until, every } => format!("F,{},{}", short(until), short(every)),
        RetryRule::Growing { until, first, percent } => {
            format!("G,{},{},{}", short(until), short(first), hundredths(percent))
        }
    }
}

fn hundredths(percent: u32) -> String {
    let text = format!("{}.{:02}", percent / 100, percent % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn lifetime(profile: &Profile) -> String {
    match (profile.lifetime.mail, profile.retry.cutoff()) {
        (Some(mail), _) => short(mail),
        (None, Some(cutoff)) => format!("{} of host failure", short(cutoff)),
        (None, None) => "attempts".into(),
    }
}

fn mx(profile: &Profile) -> String {
    let routing = &profile.routing;
    match (routing.hosts_max, routing.addresses_max) {
        (Some(hosts), _) => hosts.to_string(),
        (None, Some(addresses)) if routing.each_preference => {
            format!("{addresses} addresses, one of each preference")
        }
        (None, Some(addresses)) => format!("{addresses} addresses"),
        (None, None) => "all".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(name: &str) -> ProfileLine {
        profiles().into_iter().find(|line| line.name == name).expect("a profile")
    }

    #[test]
    fn schedules_in_words() {
        let words = |name| line(name).schedule;
        assert_eq!(words("rfc5321"), "every 30m");
        assert_eq!(words("postfix"), "the age of the mail, 5m to 1h6m40s, seen every 5m");
        assert_eq!(words("exim"), "F,2h,15m; G,16h,1h,1.5; F,4d,6h, seen every 30m");
        assert_eq!(words("sendmail"), "every queue run, 30m");
        assert_eq!(words("opensmtpd"), "6m40s x n^2");
        assert_eq!(words("stalwart"), "2m, 5m, 10m, 15m, 30m, 1h, 2h, 1d, then every 3d");
        assert_eq!(words("kumomta"), "20m, each 2 times the last, and chance");
        assert_eq!(words("postal"), "5m, each 1.3 times the last, 18 attempts");
        assert_eq!(words("zonemta"), "5m, 7m, 8m, 25m, 1h15m, 2h, 4h x11, 18 attempts");
        assert_eq!(words("dma"), "5m, each 1.5 times the last, at most 3h, and chance");
        assert_eq!(words("exchange"), "1m x4, 5m x6, then every 10m");
        assert_eq!(words("james"), "every 6h, 6 attempts");
        assert_eq!(words("one-try"), "one attempt");
    }

    #[test]
    fn the_rest_of_a_line() {
        let stalwart = line("stalwart");
        assert_eq!(stalwart.last_attempt, Duration::from_secs(100_920));
        assert_eq!(stalwart.given_up, Duration::from_secs(3 * 86_400));
        assert_eq!((stalwart.lifetime.as_str(), stalwart.mx.as_str()), ("3d", "2"));
        assert_eq!(stalwart.greeting_5xx, ["next", "bounce"]);
        assert_eq!(line("exim").mx, "5 addresses, one of each preference");
        assert_eq!(line("exim").lifetime, "4d of host failure");
        assert_eq!(line("qmail").greeting_5xx, ["defer", "defer"]);
        assert_eq!(line("postfix").greeting_5xx, ["next", "defer"]);
    }
}
