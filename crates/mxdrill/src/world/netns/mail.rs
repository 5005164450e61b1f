//! Mail as real servers show it, in queues and mailboxes, as messages that the ledger knows.

use bytes::Bytes;
use mxdrill_mta::Message;
use mxdrill_netns::Queued;
use mxdrill_smtp::{Address, Recipient, ReversePath};

/// Fields in which servers note the recipient of a delivery, the best witness first.
const RECIPIENT_FIELDS: [&str; 3] = ["x-original-to", "envelope-to", "delivered-to"];

/// A recipient that a queue holds. `None` where the message left while it was looked at, or is none of ours.
pub(super) fn queued(queued: &Queued) -> Option<Message> {
    let recipient: Address = queued.recipient.parse().ok()?;
    if queued.header.trim().is_empty() {
        return None;
    }
    let header = crlf(queued.header.trim_end().as_bytes());
    let content = Bytes::from([&header[..], b"\r\n\r\n"].concat());
    Some(Message::new(ReversePath(None), vec![Recipient::new(recipient)], &content))
}

/// A message in a mailbox.
pub(super) fn arrived(content: &[u8]) -> Option<Message> {
    let content = Bytes::from(crlf(content));
    let text = String::from_utf8_lossy(&content);
    let header = text.split("\r\n\r\n").next().unwrap_or_default();
    let field = |name: &str| {
        let mut fields = header.split("\r\n").filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let recipient = RECIPIENT_FIELDS.iter().find_map(|name| field(name))?;
    let recipient: Address = recipient.trim_matches(['<', '>']).parse().ok()?;
    let sender = field("return-path").and_then(|path| path.trim_matches(['<', '>']).parse().ok());
    Some(Message::new(ReversePath(sender), vec![Recipient::new(recipient)], &content))
}

/// Line ends as SMTP has them (RFC 5321 2.3.8): files have their own.
fn crlf(text: &[u8]) -> Vec<u8> {
    let mut whole = Vec::with_capacity(text.len() + text.len() / 32);
    let mut last = 0;
    for octet in text {
        if *octet == b'\n' && last != b'\r' {
            whole.push(b'\r');
        }
        whole.push(*octet);
        last = *octet;
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use mxdrill_mta::MessageKey;

    #[test]
    fn a_queued_recipient_is_known_by_the_id_of_its_message() {
        let header = "Received: from a\n\tby b\nMessage-ID: <7.1@mxdrill.test>\nSubject: x\n";
        let message =
            queued(&Queued { recipient: "user@example.test".into(), header: header.into() }).unwrap();
        assert_eq!(message.key, MessageKey::of(b"Message-ID: <7.1@mxdrill.test>\r\n\r\n"));
        assert_eq!(message.recipients[0].address.to_string(), "user@example.test");
        assert!(queued(&Queued { recipient: "user@example.test".into(), header: String::new() }).is_none());
    }

    #[test]
    fn a_mailbox_tells_sender_and_recipient() {
        let file =
            b"Return-Path: <alice@sender.test>\nX-Original-To: user@example.test\nDelivered-To: box@mx1\n\
                     Message-ID: <7.1@mxdrill.test>\n\nbody\n";
        let message = arrived(file).unwrap();
        assert_eq!(message.reverse_path.to_string(), "<alice@sender.test>");
        assert_eq!(message.recipients[0].address.to_string(), "user@example.test");
        assert_eq!(message.body, "body\r\n");
        let bounce = arrived(b"Return-path: <>\nEnvelope-to: alice@sender.test\n\nno\n").unwrap();
        assert!(bounce.reverse_path.is_null());
        assert!(arrived(b"Subject: nobody knows whose\n\nx\n").is_none());
    }
}
