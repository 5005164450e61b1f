//! From eight bits to seven, for a host that lacks 8BITMIME (RFC 6152 3): the body as quoted-printable (RFC 2045
//! 6.7), as Postfix and Sendmail do it.

use bytes::Bytes;

use crate::{Message, header::Fields};

/// A line of quoted-printable has at most so many characters (RFC 2045 6.7, rule 5).
const LINE_MAX: usize = 76;

const ENCODING: &[u8] = b"Content-Transfer-Encoding";

/// The message with a body of seven bits. `None` when that would take more than encoding one body: parts of their
/// own encodings (RFC 2045 6.4 forbids to encode a composite whole), or eight bits in the header (RFC 6532).
pub(crate) fn converted(message: &Message) -> Option<Message> {
    if !message.header.is_ascii() || is_composite(&message.header) {
        return None;
    }
    let body = encoded(&message.body);
    Some(Message {
        header: relabelled(&message.header),
        body_check: crc32fast::hash(&body),
        body,
        eight_bit: false,
        ..message.clone()
    })
}

fn is_composite(header: &[u8]) -> bool {
    let mut fields = Fields::of(header);
    fields.any(|field| {
        let value = header[field.value_at..field.range.end].trim_ascii_start();
        let begins =
            |kind: &[u8]| value.get(..kind.len()).is_some_and(|start| start.eq_ignore_ascii_case(kind));
        field.name.eq_ignore_ascii_case(b"Content-Type") && (begins(b"multipart/") || begins(b"message/"))
    })
}

/// The header with the one encoding that the body now has.
fn relabelled(header: &Bytes) -> Bytes {
    let mut out = Vec::with_capacity(header.len() + 48);
    let mut end = 0;
    for field in Fields::of(header) {
        end = field.range.end;
        if !field.name.eq_ignore_ascii_case(ENCODING) {
            out.extend_from_slice(&header[field.range]);
        }
    }
    out.extend_from_slice(ENCODING);
    out.extend_from_slice(b": quoted-printable\r\n");
    out.extend_from_slice(&header[end..]);
    out.into()
}

fn encoded(body: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(body.len() * 3 / 2);
    for line in body.split_inclusive(|octet| *octet == b'\n') {
        let text = line.strip_suffix(b"\r\n").unwrap_or(line);
        encode_line(text, &mut out);
        out.extend_from_slice(&line[text.len()..]);
    }
    out.into()
}

fn encode_line(text: &[u8], out: &mut Vec<u8>) {
    let mut width = 0;
    for (at, octet) in text.iter().enumerate() {
        let is_last = at + 1 == text.len();
        let is_plain =
            matches!(octet, b'!'..=b'<' | b'>'..=b'~') || (matches!(octet, b' ' | b'\t') && !is_last);
        let needs = if is_plain { 1 } else { 3 };
        // one place is kept for the `=` of a soft line break
        if width + needs > LINE_MAX - 1 {
            out.extend_from_slice(b"=\r\n");
            width = 0;
        }
        width += needs;
        if is_plain {
            out.push(*octet);
        } else {
            const HEX: &[u8; 16] = b"0123456789ABCDEF";
            out.extend_from_slice(&[b'=', HEX[usize::from(octet >> 4)], HEX[usize::from(octet & 15)]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use mxdrill_smtp::ReversePath;
    use proptest::prelude::*;

    use super::*;

    fn check(content: &str, expected: Option<&str>) {
        let message = Message {
            eight_bit: true,
            ..Message::new(ReversePath(None), Vec::new(), &content.to_owned().into())
        };
        let converted = converted(&message);
        let text = converted.map(|message| [&message.header[..], &message.body[..]].concat());
        let text = text.map(|text| String::from_utf8(text).expect("seven bits are ASCII"));
        assert_eq!(text.as_deref(), expected);
    }

    #[test]
    fn one_body_becomes_quoted_printable() {
        check(
            "Subject: x\r\nContent-Transfer-Encoding: 8bit\r\nX: y\r\n\r\nGr\u{fc}\u{df}e = 1 \r\n.\r\n",
            Some(
                "Subject: x\r\nX: y\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe =3D 1=20\r\n.\r\n",
            ),
        );
        check(
            "A: b\r\n\r\n\u{e9}",
            Some("A: b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9"),
        );
    }

    #[test]
    fn what_is_more_than_one_body_stays() {
        check("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\u{e9}\r\n--b--\r\n", None);
        check("content-type:\tMESSAGE/rfc822\r\n\r\nA: \u{e9}\r\n", None);
        check("Subject: \u{e9}\r\n\r\nx\r\n", None);
    }

    fn decoded(text: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(text.to_vec()).expect("ASCII").replace("=\r\n", "");
        let mut out = Vec::new();
        let mut octets = text.bytes();
        while let Some(octet) = octets.next() {
            if octet == b'=' {
                let two = [octets.next().expect("a digit"), octets.next().expect("a digit")];
                out.push(
                    u8::from_str_radix(std::str::from_utf8(&two).expect("ASCII"), 16).expect("hexadecimal"),
                );
            } else {
                out.push(octet);
            }
        }
        out
    }

    proptest! {
        #[test]
        fn decodes_to_what_it_was(lines in prop::collection::vec("[\\PC \t=]{0,120}", 0..6)) {
            let body = lines.join("\r\n");
            let text = encoded(body.as_bytes());
            prop_assert!(text.is_ascii());
            prop_assert!(text.split(|octet| *octet == b'\n').all(|line| line.len() <= LINE_MAX + 1));
            prop_assert_eq!(decoded(&text), body.into_bytes());
        }
    }
}
