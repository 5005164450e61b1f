//! xtext (RFC 3461 4): printable text in which `+` and two capital hex digits stand for an octet.

/// Whether the text is xtext, of at most `max` octets, and not empty.
pub(crate) fn is_valid(text: &str, max: usize) -> bool {
    !text.is_empty() && text.len() <= max && decode(text.as_bytes()).is_some()
}

/// The octets that an xtext stands for; `None` where it is none.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'+' => {
                let [high, low, tail @ ..] = tail else { return None };
                plain.push(hex(*high)? << 4 | hex(*low)?);
                rest = tail;
            }
            b'=' => return None,
            b'!'..=b'~' => plain.push(*first),
            _ => return None,
        }
    }
    Some(plain)
}

/// The xtext of some octets.
pub fn encode(plain: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut text = String::with_capacity(plain.len());
    for octet in plain {
        match octet {
            b'+' | b'=' | ..b'!' | 0x7f.. => {
                text.push('+');
                text.push(char::from(DIGITS[usize::from(octet >> 4)]));
                text.push(char::from(DIGITS[usize::from(octet & 15)]));
            }
            _ => text.push(char::from(*octet)),
        }
    }
    text
}

/// RFC 3461 4: hexchar has capital letters only.
fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
