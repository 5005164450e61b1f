//! The bodies that were sent, and whether what a host stored is one of them, whole.

use bytes::Bytes;
use mail_parser::{MessageParser, PartType};
use mxdrill_mta::Message;

use super::header::without_encoding;

/// Bodies equal in content but at another place in memory that are remembered for each: one a host.
const KNOWN_MAX: usize = 16;

/// All bodies sent; a run of messages with one body has one entry.
#[derive(Debug, Default)]
pub(crate) struct Bodies(Vec<Body>);

#[derive(Debug)]
struct Body {
    sent: Bytes,
    /// Copies compared before. They are kept, so that their place in memory is not used again.
    known: Vec<Bytes>,
}

/// How a stored body differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Differs {
    /// Only its beginning was stored.
    CutOff {
        /// Octets stored.
        stored: u64,
        /// Octets sent.
        sent: u64,
    },
    /// It was changed.
    Changed,
    /// The body is whole, and a field of the header is missing, moved or changed.
    Header,
}

impl Bodies {
    /// The number of a body.
    pub(crate) fn add(&mut self, body: &Bytes) -> u32 {
        if !self.0.last().is_some_and(|last| is_same_place(&last.sent, body)) {
            self.0.push(Body { sent: body.clone(), known: Vec::new() });
        }
        self.0.len() as u32 - 1
    }

    /// Compares what was stored with what was sent. Equal places in memory are equal: that is the usual case.
    pub(crate) fn compare(&mut self, number: u32, stored: &Bytes) -> Result<(), Differs> {
        let Some(body) = self.0.get_mut(number as usize) else { return Ok(()) };
        if is_same_place(&body.sent, stored) || body.known.iter().any(|known| is_same_place(known, stored)) {
            return Ok(());
        }
        if body.sent != *stored {
            return Err(differs(&body.sent, stored));
        }
        body.remember(stored);
        Ok(())
    }
}

impl Body {
    fn remember(&mut self, copy: &Bytes) {
        if self.known.len() == KNOWN_MAX {
            self.known.remove(0);
        }
        self.known.push(copy.clone());
    }
}

impl Bodies {
    /// Whether an 8-bit body was encoded for a host that lacks 8BITMIME, and still says the same (RFC 6152 3,
    /// RFC 2045 6): compared decoded, part by part.
    pub(crate) fn says_the_same(&mut self, number: u32, stored: &Message) -> bool {
        let Some(body) = self.0.get_mut(number as usize) else { return false };
        if body.sent.is_ascii() {
            return false;
        }
        let sent = [&without_encoding(&stored.header)[..], &body.sent[..]].concat();
        let is_same = decoded(&sent) == decoded(&[&stored.header[..], &stored.body[..]].concat());
        if is_same {
            body.remember(&stored.body);
        }
        is_same
    }
}

/// The leaves of a message, decoded.
fn decoded(content: &[u8]) -> Option<Vec<Vec<u8>>> {
    let message = MessageParser::new().parse(content)?;
    let leaf = |body: &PartType<'_>| match body {
        PartType::Text(text) | PartType::Html(text) => Some(text.as_bytes().to_vec()),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => Some(bytes.to_vec()),
        PartType::Message(inner) => Some(inner.raw_message().to_vec()),
        PartType::Multipart(_) => None,
    };
    Some(message.parts.iter().filter_map(|part| leaf(&part.body)).collect())
}

fn differs(sent: &Bytes, stored: &Bytes) -> Differs {
    // who takes the end of a link for the end of a message may end its last line
    let kept = stored.strip_suffix(b"\r\n").unwrap_or(stored);
    if kept.len() < sent.len() && sent.starts_with(kept) {
        Differs::CutOff { stored: stored.len() as u64, sent: sent.len() as u64 }
    } else {
        Differs::Changed
    }
}

fn is_same_place(a: &Bytes, b: &Bytes) -> bool {
    a.as_ptr() == b.as_ptr() && a.len() == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_whole_from_half_from_changed() {
        let mut bodies = Bodies::default();
        let number = bodies.add(&Bytes::from_static(b"hello\r\n"));
        let mut compare = |text: &'static [u8]| bodies.compare(number, &Bytes::copy_from_slice(text));
        assert_eq!(compare(b"hello\r\n"), Ok(()));
        assert_eq!(compare(b"hel"), Err(Differs::CutOff { stored: 3, sent: 7 }));
        assert_eq!(compare(b"hel\r\n"), Err(Differs::CutOff { stored: 5, sent: 7 }));
        assert_eq!(compare(b"jello\r\n"), Err(Differs::Changed));
        assert_eq!(compare(b"hello\r\n\r\n"), Err(Differs::Changed));
    }

    #[test]
    fn an_encoded_body_says_the_same() {
        let check = |header: &str, stored: &str, expected| {
            let mut bodies = Bodies::default();
            let number = bodies.add(&Bytes::from("Grüße\r\n".to_owned()));
            let header = format!("Content-Type: text/plain; charset=utf-8\r\n{header}\r\n\r\n");
            let content = Bytes::from(format!("{header}{stored}"));
            let message = Message::new(mxdrill_smtp::ReversePath::NULL, Vec::new(), &content);
            assert_eq!(bodies.says_the_same(number, &message), expected, "{header}{stored}");
        };
        check("Content-Transfer-Encoding: quoted-printable", "Gr=C3=BC=C3=9Fe\r\n", true);
        check("Content-Transfer-Encoding: base64", "R3LDvMOfZQ0K\r\n", true);
        check("Content-Transfer-Encoding: quoted-printable", "Gr=C3=BCsse\r\n", false);
        check("Content-Transfer-Encoding: 8bit", "Gr=C3=BC=C3=9Fe\r\n", false);
    }

    #[test]
    fn a_run_of_one_body_has_one_entry() {
        let mut bodies = Bodies::default();
        let body = Bytes::from(vec![b'x'; 100]);
        assert_eq!(bodies.add(&body), 0);
        assert_eq!(bodies.add(&body.clone()), 0);
        assert_eq!(bodies.add(&Bytes::from(vec![b'x'; 100])), 1);
    }
}
