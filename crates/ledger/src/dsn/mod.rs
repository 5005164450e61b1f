//! Reading delivery status notifications (RFC 3464) and bounces in prose, for hosts whose making of them was not
//! seen.

use mail_parser::{MessageParser, MimeHeaders, PartType};
use mxdrill_mta::MessageKey;
use mxdrill_smtp::Address;

/// What a DSN reports of a recipient (RFC 3464 2.3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Given up.
    Failed,
    /// Not yet delivered: a warning.
    Delayed,
    /// Delivered.
    Delivered,
    /// Passed to a host that sends no DSNs.
    Relayed,
    /// Passed to several recipients.
    Expanded,
}

/// A DSN, or a bounce in prose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is said of whom. Empty for a bounce in prose.
    pub recipients: Vec<(Action, Address)>,
    /// The message that it is about, by its Message-ID field.
    pub original: Option<MessageKey>,
}

/// Recipients read from one DSN; more than RFC 5321 4.5.3.1.8 asks any host to take.
const RECIPIENTS_MAX: usize = 1000;

impl Report {
    /// Whether somebody was given up. A bounce in prose always says so.
    pub fn is_failure(&self) -> bool {
        self.is_prose() || self.failed().next().is_some()
    }

    /// Whether it is in prose: nobody is named in a way that a program may rely on.
    pub fn is_prose(&self) -> bool {
        self.recipients.is_empty()
    }

    /// Who was given up.
    pub fn failed(&self) -> impl Iterator<Item = &Address> {
        self.recipients.iter().filter(|(action, _)| *action == Action::Failed).map(|(_, address)| address)
    }
}

/// Reads a message with a null reverse-path. `None` when it is neither a DSN nor about a message that it names.
pub fn read(content: &[u8]) -> Option<Report> {
    let message = MessageParser::new().parse(content)?;
    let mut report = Report::default();
    let mut is_dsn = false;
    for part in &message.parts {
        let kind = part.content_type().map(|kind| (kind.ctype(), kind.subtype().unwrap_or_default()));
        let is = |main: &str, sub: &str| {
            kind.is_some_and(|(m, s)| m.eq_ignore_ascii_case(main) && s.eq_ignore_ascii_case(sub))
        };
        let text = match &part.body {
            PartType::Text(text) | PartType::Html(text) => text.as_bytes(),
            PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes,
            PartType::Message(inner) => inner.raw_message(),
            PartType::Multipart(_) => continue,
        };
        if is("message", "delivery-status") {
            is_dsn = true;
            report.recipients.extend(recipients(text));
        } else if is("message", "rfc822") || is("text", "rfc822-headers") || is("message", "global") {
            report.original = report.original.or(Some(MessageKey::of(text)));
        }
    }
    report.recipients.truncate(RECIPIENTS_MAX);
    if !is_dsn {
        // Prose, as qmail writes it: the message returned stands below the text.
        let body = message.raw_message().get(message.root_part().raw_body_offset() as usize..)?;
        report.original = report.original.or_else(|| key_in(body));
        report.original?;
    }
    Some(report)
}

/// The recipients of a delivery-status part: groups of fields, each with Final-Recipient and Action.
fn recipients(text: &[u8]) -> Vec<(Action, Address)> {
    let text = String::from_utf8_lossy(text);
    let mut found = Vec::new();
    let (mut action, mut address) = (None, None);
    for line in text.lines().chain([""]) {
        if line.trim().is_empty() {
            found.extend(action.take().zip(address.take()));
            continue;
        }
        let Some((field, value)) = line.split_once(':') else { continue };
        match field.trim().to_ascii_lowercase().as_str() {
            "action" => action = action_of(value.trim()),
            // The original recipient is the one that the sender knows (RFC 3464 2.3.1).
            "original-recipient" => address = address_of(value).or(address),
            "final-recipient" => address = address.or_else(|| address_of(value)),
            _ => {}
        }
    }
    found
}

fn action_of(word: &str) -> Option<Action> {
    let word = word.split_whitespace().next()?.to_ascii_lowercase();
    Some(match word.as_str() {
        "failed" => Action::Failed,
        "delayed" => Action::Delayed,
        "delivered" => Action::Delivered,
        "relayed" => Action::Relayed,
        "expanded" => Action::Expanded,
        _ => return None,
    })
}

/// `rfc822; user@example.test`.
fn address_of(value: &str) -> Option<Address> {
    let text = value.split_once(';').map_or(value, |(_, text)| text).trim();
    text.trim_start_matches('<').trim_end_matches('>').parse().ok()
}

/// The key of the message whose Message-ID field stands somewhere in a text.
fn key_in(text: &[u8]) -> Option<MessageKey> {
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.trim_ascii());
    let line = lines
        .into_iter()
        .find(|line| line.get(..11).is_some_and(|field| field.eq_ignore_ascii_case(b"message-id:")))?;
    Some(MessageKey::of(&[line, b"\r\n\r\n"].concat()))
}

#[cfg(test)]
pub(crate) mod tests;
