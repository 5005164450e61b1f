//! The domain name, the one word that dns, smtp and the scenario share.

use std::{fmt, str::FromStr, sync::Arc};

/// A domain name: lower case, without the trailing dot, at least one label. Cheap to clone.
///
/// Letters, digits, hyphen and underscore, UTF-8 letters (RFC 6531 U-labels), and `*` as a whole first label
/// (RFC 4592), so that one type serves zones and mail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainName(Arc<str>);

/// Why a text is not a domain name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there, or only a dot.
    #[error("a domain name needs at least one label, such as `example.test`")]
    Empty,
    /// More than 253 octets (RFC 1035 2.3.4, less the length octets).
    #[error("a domain name is at most 253 octets long; this one has {0}")]
    TooLong(usize),
    /// A label of 0 or of more than 63 octets (RFC 1035 2.3.4).
    #[error("the label `{0}` is not 1 to 63 octets long")]
    Label(String),
    /// Another character than a letter, a digit, a hyphen or an underscore.
    #[error("the character {0:?} has no place in a domain name")]
    Character(char),
}

impl DomainName {
    /// The text, lower case and without a trailing dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `parent` or lies below it.
    pub fn is_within(&self, parent: &DomainName) -> bool {
        self.0.strip_suffix(&*parent.0).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    }

    /// The first label.
    pub fn first_label(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// The name one label up, if there is one.
    pub fn parent(&self) -> Option<DomainName> {
        self.0.split_once('.').map(|(_, rest)| DomainName(rest.into()))
    }

    /// `label.self`.
    pub fn child(&self, label: &str) -> Result<DomainName, NameError> {
        format!("{label}.{}", self.0).parse()
    }
}

impl FromStr for DomainName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        // Lower case first: it can make a text longer, and what is written must read back.
        let lower =
            text.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()).then(|| text.to_lowercase());
        let text = lower.as_deref().unwrap_or(text);
        let text = text.strip_suffix('.').unwrap_or(text);
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > 253 {
            return Err(NameError::TooLong(text.len()));
        }
        for (index, label) in text.split('.').enumerate() {
            check_label(label, index == 0)?;
        }
        Ok(DomainName(text.into()))
    }
}

fn check_label(label: &str, first: bool) -> Result<(), NameError> {
    if label.is_empty() || label.len() > 63 {
        return Err(NameError::Label(label.into()));
    }
    if first && label == "*" {
        return Ok(());
    }
    let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || (!c.is_ascii() && !c.is_control());
    match label.chars().find(|c| !fits(*c)) {
        Some(c) => Err(NameError::Character(c)),
        None => Ok(()),
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
