//! Looking at every octet of every message, once. Branchless in blocks, so that the compiler makes vector code.

/// Neighbours looked at in one go.
const BLOCK: usize = 256;

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
    let mut bare = false;
    for (index, (before, behind)) in pairs(text).enumerate() {
        let (any_bare, any_dot) = look(before, behind);
        if any_dot && let Some(at) = dot_line(before, behind) {
            let (bare_here, _) = look(&before[..at], &behind[..at]);
            return Run { length: index * BLOCK + at + 1, bare: bare | bare_here };
        }
        bare |= any_bare;
    }
    Run { length: text.len(), bare }
}

/// Where the next LF stands that has a dot behind it.
pub(super) fn next_dot_line(text: &[u8]) -> Option<usize> {
    let mut blocks = pairs(text).enumerate();
    blocks.find_map(|(index, (before, behind))| {
        let any = look(before, behind).1;
        if any { dot_line(before, behind).map(|at| index * BLOCK + at) } else { None }
    })
}

/// All neighbours, in blocks: octets, and what follows each.
fn pairs(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let behind = text.get(1..).unwrap_or_default();
    text[..behind.len()].chunks(BLOCK).zip(behind.chunks(BLOCK))
}

/// Whether there is a bare CR or LF, and whether there is a dot behind an LF.
fn look(before: &[u8], behind: &[u8]) -> (bool, bool) {
    let (mut bare, mut dot) = (0, 0);
    for (&a, &b) in before.iter().zip(behind) {
        bare |= u8::from(a == b'\r') ^ u8::from(b == b'\n');
        dot |= u8::from(a == b'\n') & u8::from(b == b'.');
    }
    (bare != 0, dot != 0)
}

fn dot_line(before: &[u8], behind: &[u8]) -> Option<usize> {
    before.iter().zip(behind).position(|pair| pair == (&b'\n', &b'.'))
}
