//! An outcome on its way from the process that played a drill to the one that asked for it: what serde does not know
//! by itself.

use mxdrill_net::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::{Recipients, Violation, check};

/// A violation on its way: rules and clauses are words of this program, and known again by their text.
#[derive(Deserialize)]
struct Broken {
    rule: String,
    clause: String,
    host: Option<String>,
    #[serde(with = "moment")]
    at: Option<Time>,
    text: String,
    recipients: Recipients,
}

impl<'de> Deserialize<'de> for Violation {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Violation, D::Error> {
        let Broken { rule, clause, host, at, text, recipients } = Broken::deserialize(from)?;
        let rule = known(&rule, check::RULES.iter().map(|rule| rule.name)).map_err(D::Error::custom)?;
        let clause = known(&clause, check::clauses()).map_err(D::Error::custom)?;
        Ok(Violation { rule, clause, host, at, text, recipients })
    }
}

fn known(word: &str, mut all: impl Iterator<Item = &'static str>) -> Result<&'static str, String> {
    all.find(|known| *known == word).ok_or_else(|| format!("there is no `{word}`"))
}

/// A time, in nanoseconds.
pub(crate) mod time {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Time};

    pub(crate) fn serialize<S: Serializer>(time: &Time, to: S) -> Result<S::Ok, S::Error> {
        time.as_nanos().serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Time, D::Error> {
        u64::deserialize(from).map(Time::from_nanos)
    }
}

/// A time that may be missing.
pub(crate) mod moment {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Time};

    pub(crate) fn serialize<S: Serializer>(time: &Option<Time>, to: S) -> Result<S::Ok, S::Error> {
        time.map(Time::as_nanos).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Time>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Time::from_nanos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Outcome, report, tale};

    #[test]
    fn an_outcome_arrives_as_it_set_out() {
        let mut tale = tale::Tale::new();
        tale.send(3);
        let sent = tale.end();
        let text = serde_json::to_string(&sent).unwrap();
        let arrived: Outcome = serde_json::from_str(&text).unwrap();
        assert!(!sent.violations.is_empty(), "a rule and a clause make the way, too");
        assert_eq!(report::text(&arrived, false), report::text(&sent, false));
        assert_eq!(report::json("1", &[arrived], &[]), report::json("1", &[sent], &[]));
    }

    #[test]
    fn rules_that_do_not_exist_do_not_arrive() {
        let text = r#"{"rule": "no-such", "clause": "scenario", "host": null, "at": null, "text": "", "recipients": {"runs": [], "count": 0}}"#;
        let why = serde_json::from_str::<Violation>(text).unwrap_err().to_string();
        assert!(why.starts_with("there is no `no-such`"), "{why}");
    }

    #[test]
    fn every_clause_is_known() {
        let all: Vec<_> = check::clauses().collect();
        assert!(all.contains(&"RFC 7505 3") && all.contains(&"RFC 1047"), "{all:?}");
    }
}
