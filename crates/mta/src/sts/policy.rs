//! MTA-STS policies and the records that announce them (RFC 8461 3).

use std::time::Duration;

use mxdrill_dns::{Answer, RecordData};
use mxdrill_smtp::tls::covers;

/// The longest `max_age` (RFC 8461 3.2: at most 31557600).
const AGE_MAX: u64 = 31_557_600;
/// Patterns of one policy at most.
const PATTERNS_MAX: usize = 64;

/// A policy of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StsPolicy {
    /// What senders make of it.
    pub mode: StsMode,
    /// The MX hosts that it names; the first label may be `*` (RFC 8461 4.1).
    pub mx: Vec<String>,
    /// How long it may be remembered.
    pub max_age: Duration,
}

/// What senders make of a policy (RFC 8461 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StsMode {
    /// A host that does not keep to it must not be used.
    Enforce,
    /// Mail goes as without it.
    Testing,
    /// There is none.
    None,
}

impl StsMode {
    /// All modes.
    pub const ALL: [StsMode; 3] = [StsMode::Enforce, StsMode::Testing, StsMode::None];

    /// The word of policies.
    pub const fn word(self) -> &'static str {
        match self {
            StsMode::Enforce => "enforce",
            StsMode::Testing => "testing",
            StsMode::None => "none",
        }
    }
}

impl StsPolicy {
    /// Reads a policy (RFC 8461 3.2). Fields that are not known are skipped; `None` for what is no policy.
    pub fn parse(text: &str) -> Option<StsPolicy> {
        let (mut version, mut mode, mut age, mut mx) = (None, None, None, Vec::new());
        for line in text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)) {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            match key.trim() {
                "version" if version.is_none() => version = Some(value),
                "mode" if mode.is_none() => mode = StsMode::ALL.into_iter().find(|mode| mode.word() == value),
                "max_age" if age.is_none() => age = value.parse::<u64>().ok(),
                "mx" if mx.len() < PATTERNS_MAX => mx.push(value.to_ascii_lowercase()),
                _ => {}
            }
        }
        let (mode, age) = (mode?, age.filter(|age| *age <= AGE_MAX)?);
        let is_whole = version == Some("STSv1") && (mode == StsMode::None || !mx.is_empty());
        is_whole.then_some(StsPolicy { mode, mx, max_age: Duration::from_secs(age) })
    }

    /// The policy as a host serves it.
    pub fn text(&self) -> String {
        let mx: String = self.mx.iter().map(|mx| format!("mx: {mx}\r\n")).collect();
        let (mode, age) = (self.mode.word(), self.max_age.as_secs());
        format!("version: STSv1\r\nmode: {mode}\r\n{mx}max_age: {age}\r\n")
    }

    /// Whether it names a host.
    pub fn names(&self, host: &str) -> bool {
        self.mx.iter().any(|pattern| covers(pattern, host))
    }
}

/// The id that the TXT records of `_mta-sts.` announce (RFC 8461 3.1): there must be just one record of that kind.
pub(crate) fn announced(answer: &Answer) -> Option<Box<str>> {
    let text = |data: &RecordData| match data {
        RecordData::Txt(strings) => String::from_utf8(strings.concat()).ok(),
        _ => None,
    };
    let texts = answer.records.iter().filter_map(|record| text(&record.data));
    let mut records = texts.filter(|text| text.starts_with("v=STSv1;"));
    match (records.next(), records.next()) {
        (Some(record), None) => id(&record).map(Box::from),
        _ => None,
    }
}

fn id(record: &str) -> Option<&str> {
    let fields = record.split(';').skip(1);
    let id = fields.filter_map(|field| field.trim().strip_prefix("id=")).map(str::trim).next()?;
    let is_sound = (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    is_sound.then_some(id)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOUND: &str =
        "version: STSv1\nmode: enforce\nmx: mx1.example.test\nmx: *.Example.test\nmax_age: 86400\n";

    #[test]
    fn a_policy_is_read_as_it_is_written() {
        let policy = StsPolicy::parse(SOUND).expect("a policy");
        assert_eq!(StsPolicy::parse(&policy.text()), Some(policy.clone()));
        assert_eq!((policy.mode, policy.max_age), (StsMode::Enforce, Duration::from_secs(86_400)));
        assert!(policy.names("MX2.example.test") && !policy.names("example.test"));
    }

    #[test]
    fn what_lacks_a_field_is_none() {
        for lacks in ["version: STSv1\n", "mode: enforce\n", "max_age: 86400\n"] {
            assert_eq!(StsPolicy::parse(&SOUND.replace(lacks, "")), None, "{lacks}");
        }
        assert_eq!(StsPolicy::parse("version: STSv1\nmode: enforce\nmax_age: 1\n"), None, "no host at all");
        assert!(StsPolicy::parse("version: STSv1\nmode: none\nmax_age: 1\n").is_some());
        assert_eq!(StsPolicy::parse(&SOUND.replace("86400", "31557601")), None);
    }

    #[test]
    fn an_id_is_letters_and_digits() {
        assert_eq!(id("v=STSv1; id=20160831085700Z;"), Some("20160831085700Z"));
        assert_eq!(id("v=STSv1; id=a b;"), None);
        assert_eq!(id("v=STSv1;"), None);
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in ".{0,200}") {
            let _ = StsPolicy::parse(&text);
            let _ = id(&text);
        }
    }
}
