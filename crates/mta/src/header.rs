//! One pass over the header section of a message (RFC 5322 2.2), as far as a relay needs to understand it.

use std::ops::Range;

use crate::{MessageKey, hash::hash};

/// What one pass over the header section finds.
///
/// The header section is the run of fields and their continuation lines at the top. It ends with an empty
/// line, which belongs to neither side here; or before the first line that is no field, which then begins the
/// body; or with the content. So content without a separator is all header if every line of it is a field,
/// and all body if its first line is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scan {
    /// Where the last field ends.
    pub(crate) fields_end: usize,
    /// Where the body begins.
    pub(crate) body_at: usize,
    /// The value of the first Message-ID field that has one, without white space around it.
    pub(crate) message_id: Option<Range<usize>>,
    /// How many Received fields there are (RFC 5321 6.3 counts them).
    pub(crate) received: u16,
}

/// A field as it lies in the content: name, and the whole of it with its continuation lines.
pub(crate) struct Field<'a> {
    pub(crate) name: &'a [u8],
    /// From the first octet of the name to the end of the last line.
    pub(crate) range: Range<usize>,
    /// Where the value begins, after the colon.
    pub(crate) value_at: usize,
}

/// The fields from the top of the content.
pub(crate) struct Fields<'a> {
    content: &'a [u8],
    at: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(content: &'a [u8]) -> Fields<'a> {
        Fields { content, at: 0 }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        let start = self.at;
        let (name, value_at) = field_name(self.content, start)?;
        let mut end = line_end(self.content, value_at);
        while matches!(self.content.get(end), Some(b' ' | b'\t')) {
            end = line_end(self.content, end);
        }
        self.at = end;
        Some(Field { name, range: start..end, value_at })
    }
}

/// The octets a field name is made of (RFC 5322 2.2: printable, no colon).
const NAME: [bool; 256] = {
    let mut set = [false; 256];
    let mut octet = 33;
    while octet < 127 {
        set[octet] = octet != b':' as usize;
        octet += 1;
    }
    set
};

/// The name of the field that begins here, and the place after its colon, before which old mail may have white
/// space (RFC 5322 4.5). `None` if the line is no field.
#[inline]
fn field_name(content: &[u8], start: usize) -> Option<(&[u8], usize)> {
    let mut end = start;
    while NAME[usize::from(*content.get(end)?)] {
        end += 1;
    }
    let mut colon = end;
    while matches!(content.get(colon)?, b' ' | b'\t') {
        colon += 1;
    }
    (end > start && content[colon] == b':').then(|| (&content[start..end], colon + 1))
}

/// Where the line that goes on at `at` ends, its line end included.
#[inline]
fn line_end(content: &[u8], at: usize) -> usize {
    memchr::memchr(b'\n', &content[at..]).map_or(content.len(), |len| at + len + 1)
}

impl Scan {
    /// Reads the header section of a message. Never fails: what is no header is body.
    pub(crate) fn of(content: &[u8]) -> Scan {
        let mut fields = Fields { content, at: 0 };
        let (mut message_id, mut received) = (None, 0u16);
        for field in &mut fields {
            match field.name.len() {
                8 if field.name.eq_ignore_ascii_case(b"received") => received = received.saturating_add(1),
                10 if message_id.is_none() && field.name.eq_ignore_ascii_case(b"message-id") => {
                    message_id = trimmed(content, field.value_at..field.range.end);
                }
                _ => {}
            }
        }
        let fields_end = fields.at;
        let body_at = if content[fields_end..].starts_with(b"\r\n") { fields_end + 2 } else { fields_end };
        Scan { fields_end, body_at, message_id, received }
    }

    /// The name across hosts of the content that was scanned.
    pub(crate) fn key(&self, content: &[u8]) -> MessageKey {
        match &self.message_id {
            Some(id) => MessageKey::of_id(&content[id.clone()]),
            None => self.key_of_content(content),
        }
    }

    /// Body and header without the trace fields, which differ from hop to hop (RFC 5321 4.4).
    fn key_of_content(&self, content: &[u8]) -> MessageKey {
        let is_trace =
            |name: &[u8]| name.eq_ignore_ascii_case(b"received") || name.eq_ignore_ascii_case(b"return-path");
        let fields = Fields { content, at: 0 }.filter(|field| !is_trace(field.name));
        let header = fields.fold(1, |state, field| hash(state, &content[field.range]));
        MessageKey(hash(header, &content[self.body_at..]))
    }
}

/// The range without the white space at its ends; `None` if nothing is left.
fn trimmed(content: &[u8], range: Range<usize>) -> Option<Range<usize>> {
    let text = &content[range.clone()];
    let first = text.iter().position(|b| !b.is_ascii_whitespace())?;
    let last = text.iter().rposition(|b| !b.is_ascii_whitespace())?;
    Some(range.start + first..range.start + last + 1)
}

#[cfg(test)]
mod tests {
    use super::Scan;

    /// Shows fields, body, Message-ID and the number of Received fields.
    fn check(content: &str, fields: &str, body: &str, id: &str, received: u16) {
        let scan = Scan::of(content.as_bytes());
        let found = scan.message_id.clone().map_or("", |range| &content[range]);
        assert_eq!(
            (&content[..scan.fields_end], &content[scan.body_at..], found, scan.received),
            (fields, body, id, received),
            "{content:?}"
        );
    }

    #[test]
    fn an_empty_line_ends_the_header() {
        check("A: 1\r\nB: 2\r\n\r\nbody\r\n", "A: 1\r\nB: 2\r\n", "body\r\n", "", 0);
        check("A: 1\r\n\r\n", "A: 1\r\n", "", "", 0);
        check("\r\nbody\r\n", "", "body\r\n", "", 0);
        check("A: 1\r\n\r\n\r\nbody", "A: 1\r\n", "\r\nbody", "", 0);
    }

    #[test]
    fn without_a_separator_it_is_all_header_or_all_body() {
        check("", "", "", "", 0);
        check("A: 1\r\n", "A: 1\r\n", "", "", 0);
        check("A: 1", "A: 1", "", "", 0);
        check("hello\r\n", "", "hello\r\n", "", 0);
        check(" A: 1\r\n", "", " A: 1\r\n", "", 0);
        check(": 1\r\n", "", ": 1\r\n", "", 0);
        check("A: 1\r\nhello\r\n\r\nx", "A: 1\r\n", "hello\r\n\r\nx", "", 0);
        check("From alice\r\n", "", "From alice\r\n", "", 0);
    }

    #[test]
    fn the_first_message_id_with_a_value_counts() {
        check("Message-ID: <1@a>\r\n\r\n", "Message-ID: <1@a>\r\n", "", "<1@a>", 0);
        check("MESSAGE-id :<1@a> \r\n\r\n", "MESSAGE-id :<1@a> \r\n", "", "<1@a>", 0);
        check("Message-ID:\r\n <1@a>\r\n\r\n", "Message-ID:\r\n <1@a>\r\n", "", "<1@a>", 0);
        check(
            "Message-ID: \r\nMessage-ID: <2>\r\nMessage-ID: <3>\r\n",
            "Message-ID: \r\nMessage-ID: <2>\r\nMessage-ID: <3>\r\n",
            "",
            "<2>",
            0,
        );
        check("X: a\r\n Message-ID: <1>\r\n\r\n", "X: a\r\n Message-ID: <1>\r\n", "", "", 0);
        check("X: a\r\n\r\nMessage-ID: <1>\r\n", "X: a\r\n", "Message-ID: <1>\r\n", "", 0);
    }

    #[test]
    fn received_fields_are_counted() {
        check(
            "Received: a\r\n\tb\r\nreceived: c\r\nX: d\r\n\r\n",
            "Received: a\r\n\tb\r\nreceived: c\r\nX: d\r\n",
            "",
            "",
            2,
        );
    }
}
