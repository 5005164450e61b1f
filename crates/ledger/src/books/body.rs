//! The bodies that were sent, and whether what a host stored is one of them, whole.

use bytes::Bytes;

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
        if body.known.len() == KNOWN_MAX {
            body.known.remove(0);
        }
        body.known.push(stored.clone());
        Ok(())
    }
}

fn differs(sent: &Bytes, stored: &Bytes) -> Differs {
    if stored.len() < sent.len() && sent.starts_with(stored) {
        Differs::CutOff { stored: stored.len() as u64, sent: sent.len() as u64 }
    } else {
        Differs::Changed
    }
}

/// The body of a message that is in quoted-printable (RFC 2045 6.7), decoded.
pub(super) fn decoded(header: &[u8], body: &[u8]) -> Option<Bytes> {
    let is_encoded = |line: &[u8]| {
        let (name, value) = line.split_at_checked(ENCODING.len())?;
        let is_it = name.eq_ignore_ascii_case(ENCODING)
            && value.trim_ascii().eq_ignore_ascii_case(b"quoted-printable");
        is_it.then_some(())
    };
    header.split(|octet| *octet == b'\n').find_map(is_encoded)?;
    mail_parser::decoders::quoted_printable::quoted_printable_decode(body).map(Bytes::from)
}

const ENCODING: &[u8] = b"Content-Transfer-Encoding:";

fn is_same_place(a: &Bytes, b: &Bytes) -> bool {
    a.as_ptr() == b.as_ptr() && a.len() == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_in_quoted_printable_is_compared_decoded() {
        let check = |header: &str, body: &str, expected: Option<&str>| {
            let found = decoded(header.as_bytes(), body.as_bytes());
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{header}");
        };
        let label = "A: b\r\ncontent-transfer-encoding: Quoted-Printable\r\n\r\n";
        check(label, "Gr=C3=BC=C3=9Fe=\r\n =3D 1=20\r\n", Some("Gr\u{fc}\u{df}e = 1 \r\n"));
        check("A: b\r\nContent-Transfer-Encoding: 8bit\r\n\r\n", "=C3=BC", None);
        check("A: b\r\n\r\n", "=C3=BC", None);
        check(label, "=ZZ", None);
    }

    #[test]
    fn tells_whole_from_half_from_changed() {
        let mut bodies = Bodies::default();
        let number = bodies.add(&Bytes::from_static(b"hello\r\n"));
        let mut compare = |text: &'static [u8]| bodies.compare(number, &Bytes::copy_from_slice(text));
        assert_eq!(compare(b"hello\r\n"), Ok(()));
        assert_eq!(compare(b"hel"), Err(Differs::CutOff { stored: 3, sent: 7 }));
        assert_eq!(compare(b"jello\r\n"), Err(Differs::Changed));
        assert_eq!(compare(b"hello\r\n\r\n"), Err(Differs::Changed));
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
