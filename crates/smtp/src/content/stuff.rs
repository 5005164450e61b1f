//! Dot-stuffing (RFC 5321 4.5.2), only where it is needed.

use super::scan::next_dot_line;

/// Whether a line of `text` begins with a dot; `at_start` says whether its first octet begins a line.
///
/// What follows a bare LF counts as a line here: a receiver that takes it for one must not find an end of the
/// message in it.
pub(crate) fn needs_stuffing(text: &[u8], at_start: bool) -> bool {
    (at_start && text.first() == Some(&b'.')) || next_dot_line(text).is_some()
}

/// Appends `text` with each dot that begins a line doubled.
pub(crate) fn stuff(text: &[u8], at_start: bool, to: &mut Vec<u8>) {
    if at_start && text.first() == Some(&b'.') {
        to.push(b'.');
    }
    let mut rest = text;
    while let Some(at) = next_dot_line(rest) {
        let (lines, dot) = rest.split_at(at + 1);
        to.extend_from_slice(lines);
        to.push(b'.');
        rest = dot;
    }
    to.extend_from_slice(rest);
}

/// Whether what follows `text` begins a line.
pub(crate) fn ends_line(text: &[u8]) -> bool {
    text.is_empty() || text.ends_with(b"\n")
}
