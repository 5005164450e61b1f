//! Adapters: what is to be known of a mail server program to let it be a host, a TOML file each.

mod template;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use template::TemplateError;
pub(crate) use template::{Values, fill};

/// The adapters that come with mxdrill, by the name that scenarios use.
const BUILT_IN: [(&str, &str); 3] = [
    ("postfix", include_str!("postfix.toml")),
    ("exim", include_str!("exim.toml")),
    ("opensmtpd", include_str!("opensmtpd.toml")),
];

/// What is to be known of a program. Commands are lines of `sh`, run on the host.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    /// Its name in scenarios: `postfix`.
    pub name: String,
    /// The Debian packages that it consists of, libraries that a bare machine lacks included.
    pub packages: Vec<String>,
    /// The program whose presence shows that it is there.
    pub program: String,
    /// Prints the version.
    pub version: String,
    /// Users that it runs as, each with a group of the same name: `postfix 901`.
    pub users: Vec<String>,
    /// Folders that it needs, with owner and mode: `/var/spool/smtpd root 711`.
    pub folders: Vec<String>,
    /// Programs that need the rights of a group: `/usr/sbin/smtpctl opensmtpq`.
    #[serde(default)]
    pub setgid: Vec<String>,
    /// Starts it in the foreground.
    pub start: String,
    /// Makes everything in the queue due now.
    pub flush: String,
    /// Lists the queue: a line with the queue id and the recipient for each recipient that is still to be served.
    pub queue: String,
    /// Prints the header of the queued message `%{id}`.
    pub show: String,
    /// The maildir of all it delivers.
    pub inbox: String,
    /// Its log.
    pub log: String,
    /// Values for templates where retries are hurried, so that a drill ends in a minute.
    #[serde(default)]
    pub tuned: BTreeMap<String, String>,
    /// Values for templates where it behaves as it does out of the box.
    #[serde(default)]
    pub defaults: BTreeMap<String, String>,
    /// Templates of files, by path.
    pub files: BTreeMap<String, String>,
}

/// Why there is no such adapter.
#[derive(Debug, thiserror::Error)]
pub enum AdapterError {
    /// Nothing is known of the program.
    #[error("there is no adapter for `{0}`")]
    Unknown(String),
    /// The file is no adapter.
    #[error("the adapter `{name}`: {why}")]
    Broken {
        /// Which.
        name: String,
        /// Why not.
        why: String,
    },
}

impl Adapter {
    /// The adapter of a program, by its name in scenarios.
    ///
    /// # Errors
    /// When there is none.
    pub fn named(name: &str) -> Result<Adapter, AdapterError> {
        let found = BUILT_IN.iter().find(|(known, _)| *known == name);
        let (name, text) = found.ok_or_else(|| AdapterError::Unknown(name.into()))?;
        Adapter::parse(name, text)
    }

    /// All that come with mxdrill.
    ///
    /// # Errors
    /// Never, as a test reads them.
    pub fn all() -> Result<Vec<Adapter>, AdapterError> {
        BUILT_IN.iter().map(|(name, text)| Adapter::parse(name, text)).collect()
    }

    /// Reads an adapter.
    ///
    /// # Errors
    /// When a key is missing, unknown or of another kind.
    pub fn parse(name: &str, text: &str) -> Result<Adapter, AdapterError> {
        let read: Result<Adapter, _> = toml::from_str(text);
        let broken = |why: String| AdapterError::Broken { name: name.into(), why };
        read.map_err(|why| broken(why.message().into()))
    }

    /// The values of its settings: hurried, or as out of the box. A key that only one of them has is empty in the
    /// other.
    pub(crate) fn settings(&self, tuned: bool) -> Values {
        let (chosen, other) =
            if tuned { (&self.tuned, &self.defaults) } else { (&self.defaults, &self.tuned) };
        let empty = other.keys().map(|key| (key.clone(), Vec::new()));
        let given = chosen.iter().map(|(key, text)| (key.clone(), vec![text.trim_end().to_owned()]));
        empty.chain(given).collect()
    }

    /// The line that starts it.
    pub(crate) fn start_line(&self, values: &Values) -> Result<String, TemplateError> {
        fill(&self.start, values).map(|line| line.trim_end().to_owned())
    }

    /// How often all is made due, where its own schedule cannot be hurried.
    pub(crate) fn nudge(&self, tuned: bool) -> Option<std::time::Duration> {
        let text = self.tuned.get("nudge").filter(|_| tuned)?;
        let seconds = text.trim().strip_suffix('s')?.parse().ok()?;
        Some(std::time::Duration::from_secs(seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_adapter_can_be_read_and_is_called_by_its_name() {
        let all = Adapter::all().unwrap();
        let names: Vec<&str> = all.iter().map(|adapter| adapter.name.as_str()).collect();
        assert_eq!(names, BUILT_IN.map(|(name, _)| name));
        for adapter in &all {
            assert!(adapter.files.keys().all(|path| path.starts_with('/')), "{}", adapter.name);
        }
    }

    #[test]
    fn a_wrong_key_is_told() {
        let why = Adapter::parse("mine", "nmae = 'mine'").unwrap_err().to_string();
        assert!(why.starts_with("the adapter `mine`: unknown field `nmae`"), "{why}");
        assert_eq!(Adapter::named("qmail").unwrap_err().to_string(), "there is no adapter for `qmail`");
    }

    #[test]
    fn settings_are_hurried_or_not() {
        let exim = Adapter::named("exim").unwrap();
        assert_eq!(exim.settings(true)["scan"], ["-q5s"]);
        assert_eq!(exim.settings(false)["scan"], ["-q30m"]);
        let postfix = Adapter::named("postfix").unwrap();
        assert!(postfix.settings(false)["retry"].is_empty());
        assert!(postfix.settings(true)["retry"][0].contains("maximal_backoff_time = 5s"));
        let opensmtpd = Adapter::named("opensmtpd").unwrap();
        assert_eq!(opensmtpd.nudge(true), Some(std::time::Duration::from_secs(5)));
        assert_eq!(opensmtpd.nudge(false), None);
    }
}
