//! The header fields that were sent, and whether they all stand in what a host stored.

/// The headers of all messages, one after the other: how many fields, then a hash of each. Some 30 octets a
/// message, where the headers themselves would be ten times that.
#[derive(Debug, Default)]
pub(crate) struct Headers(Vec<u32>);

impl Headers {
    /// The place of a new header, its empty line included or not.
    pub(crate) fn add(&mut self, header: &[u8]) -> u32 {
        let place = self.0.len();
        self.0.push(0);
        self.0.extend(fields(header).map(crc32fast::hash));
        self.0[place] = (self.0.len() - place - 1) as u32;
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// Whether every field of a header stands in what was stored, unchanged and in its order, whatever was added
    /// above, between or below (RFC 5321 4.4, 6.4). A header that nobody knows is in everything.
    pub(crate) fn are_in(&self, place: u32, stored: &[u8]) -> bool {
        let Some(count) = self.0.get(place as usize) else { return true };
        let from = place as usize + 1;
        let mut sent = self.0[from..from + *count as usize].iter().peekable();
        for field in fields(stored).map(crc32fast::hash) {
            sent.next_if(|sent| **sent == field);
        }
        sent.next().is_none()
    }
}

/// The fields of a header section, each with its continuation lines (RFC 5322 2.2). Left out is what a relay may
/// change with the encoding of the body (RFC 6152 3): that is judged by what it decodes to.
fn fields(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    lines(header).filter(|field| *field != b"\r\n" && !is_encoding(field))
}

/// A header without what it says of the encoding of the body.
pub(crate) fn without_encoding(header: &[u8]) -> Vec<u8> {
    lines(header).filter(|field| !is_encoding(field)).flatten().copied().collect()
}

/// All fields, and the empty line.
fn lines(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = header;
    std::iter::from_fn(move || {
        let mut end = line_end(rest, 0);
        while end < rest.len() && matches!(rest[end], b' ' | b'\t') {
            end = line_end(rest, end);
        }
        let (field, after) = rest.split_at(end);
        rest = after;
        (!field.is_empty()).then_some(field)
    })
}

fn line_end(text: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |at| from + at + 1)
}

/// Whether a field says how the body is encoded.
fn is_encoding(field: &[u8]) -> bool {
    const NAME: &[u8] = b"content-transfer-encoding";
    field.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(sent: &str, stored: &str, expected: bool) {
        let mut headers = Headers::default();
        headers.add(b"X: another\r\n\r\n");
        let place = headers.add(sent.as_bytes());
        headers.add(b"Y: another\r\n\r\n");
        assert_eq!(headers.are_in(place, stored.as_bytes()), expected, "{sent:?} in {stored:?}");
    }

    #[test]
    fn fields_may_be_added_anywhere() {
        let sent = "A: 1\r\n 2\r\nB: 3\r\n\r\n";
        check(sent, sent, true);
        check(sent, "Received: x\r\n\ty\r\nA: 1\r\n 2\r\nB: 3\r\n\r\n", true);
        check(sent, "A: 1\r\n 2\r\nX: new\r\nB: 3\r\nDate: now\r\n\r\n", true);
    }

    #[test]
    fn none_may_be_changed_moved_or_left_out() {
        let sent = "A: 1\r\n 2\r\nB: 3\r\n\r\n";
        check(sent, "A: 1\r\n 2\r\n\r\n", false);
        check(sent, "B: 3\r\nA: 1\r\n 2\r\n\r\n", false);
        check(sent, "A: 1\r\n 3\r\nB: 3\r\n\r\n", false);
        check(sent, "A: 1\r\nB: 3\r\n\r\n", false);
        check(sent, "", false);
    }

    #[test]
    fn the_encoding_of_the_body_may_change() {
        check(
            "Content-Transfer-Encoding: 8bit\r\nA: 1\r\n",
            "content-transfer-encoding: base64\r\nA: 1\r\n",
            true,
        );
    }

    #[test]
    fn an_unknown_header_is_in_everything() {
        assert!(Headers::default().are_in(u32::MAX, b"A: 1\r\n"));
    }
}
