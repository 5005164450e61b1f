//! Looking at every octet of every message, once, with vector code: lines are so short that a search from one
//! line end to the next costs more.

use std::sync::LazyLock;

use memchr::memmem::Finder;

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
    let length = next_dot_line(text).map_or(text.len(), |at| at + 1);
    Run { length, bare: has_bare(&text[..length]) }
}

/// Where the next LF stands that has a dot behind it.
pub(super) fn next_dot_line(text: &[u8]) -> Option<usize> {
    static DOT_LINE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n."));
    DOT_LINE.find(text)
}

/// Octets looked at in one step of [`has_bare`].
const STEP: usize = 32;

/// Whether there are neighbours of which only one is its part of CRLF. Branchless, in steps of fixed size, so
/// that the compiler makes vector code of it.
fn has_bare(text: &[u8]) -> bool {
    let Some(behind) = text.get(1..) else { return false };
    let test = |before: u8, behind: u8| u8::from(before == b'\r') ^ u8::from(behind == b'\n');
    let (steps, rest) = text[..behind.len()].as_chunks::<STEP>();
    let (steps_behind, rest_behind) = behind.as_chunks::<STEP>();
    let mut lanes = [0_u8; STEP];
    for (before, behind) in steps.iter().zip(steps_behind) {
        for lane in 0..STEP {
            lanes[lane] |= test(before[lane], behind[lane]);
        }
    }
    let mut found = lanes.iter().fold(0, |found, lane| found | lane);
    for (&before, &behind) in rest.iter().zip(rest_behind) {
        found |= test(before, behind);
    }
    found != 0
}
