//! Looking at every octet of every message, once, with vector code (the memchr crate).

use memchr::memchr_iter;

/// A stretch of text that has no dot at the start of a line behind its first octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// How many octets.
    pub(super) length: usize,
    /// Whether, between neighbours, a CR is not followed by LF, or an LF does not follow CR.
    pub(super) bare: bool,
}

/// The run that `text` begins with: through the LF before the next dot, or all of it.
pub(super) fn run(text: &[u8]) -> Run {
    let (mut line_ends, mut bare, mut length) = (0, false, text.len());
    for at in memchr_iter(b'\n', text) {
        match at.checked_sub(1).map(|before| text[before]) {
            Some(b'\r') => line_ends += 1,
            Some(_) => bare = true,
            None => {}
        }
        if text.get(at + 1) == Some(&b'.') {
            length = at + 1;
            break;
        }
    }
    // Each CR belongs to a line end, but for one at the very end, whose neighbour is not known yet.
    let text = &text[..length];
    let waiting = usize::from(text.last() == Some(&b'\r'));
    bare |= memchr_iter(b'\r', text).count() != line_ends + waiting;
    Run { length, bare }
}

/// Where the next LF stands that has a dot behind it.
pub(super) fn next_dot_line(text: &[u8]) -> Option<usize> {
    memchr_iter(b'\n', text).find(|at| text.get(at + 1) == Some(&b'.'))
}
