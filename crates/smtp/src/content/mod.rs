//! The content of a message on its way: taken off the wire after DATA or BDAT, and put onto it.
//!
//! A line ends in CRLF and nothing else (RFC 5321 2.3.8). A bare CR or LF never ends a line here, so it can
//! never end a message: `LF.LF`, `LF.CRLF`, `CRLF.LF`, `CR.CR` and their kin are content, and the message
//! that has them is refused after its true end, as Postfix does with smtpd_forbid_bare_newline = reject.

mod scan;
mod stuff;
#[cfg(test)]
mod tests;

pub(crate) use stuff::{ends_line, needs_stuffing, stuff};

use bytes::{Bytes, BytesMut};

/// Takes the content of one message off the wire.
#[derive(Debug)]
pub(crate) struct Content {
    buffer: BytesMut,
    /// Octets of the message so far, kept or not.
    size: u64,
    size_max: u64,
    place: Place,
    bare: bool,
}

/// Where in a line the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At its start.
    Start,
    /// Behind its first octet, a dot, which is not kept yet.
    Dot,
    /// Behind a dot and a CR, neither kept yet.
    DotCr,
    /// Behind a CR, kept.
    Cr,
    /// Anywhere else.
    Middle,
}

/// What is wrong with a whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A bare CR or LF.
    Bare,
    /// Larger than the limit.
    TooLarge,
}

/// Octets of a message where no limit is set: memory is never without bound.
const CONTENT_MAX: u64 = 256 << 20;

/// Octets set aside for a message on the word of its sender alone.
const ANNOUNCED_MAX: u64 = 64 * 1024;

impl Content {
    /// Nothing yet. `announced` sizes the buffer, within reason, which is taken from `spare` where that is free;
    /// `size_max` of 0 stands for [`CONTENT_MAX`].
    pub(crate) fn new(mut spare: BytesMut, announced: u64, size_max: u64) -> Content {
        let size_max = if size_max == 0 { CONTENT_MAX } else { size_max };
        let room = announced.min(size_max).min(ANNOUNCED_MAX) as usize;
        spare.reserve(room);
        Content { buffer: spare, size: 0, size_max, place: Place::Start, bare: false }
    }

    /// Octets so far, dots un-stuffed.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// What was kept.
    pub(crate) fn kept(&self) -> &[u8] {
        &self.buffer
    }

    /// What is wrong with it; asked at its end.
    pub(crate) fn flaw(&self) -> Option<Flaw> {
        if self.size > self.size_max {
            Some(Flaw::TooLarge)
        } else if self.bare || !matches!(self.place, Place::Start) {
            Some(Flaw::Bare)
        } else {
            None
        }
    }

    /// The whole message, and its memory for the next one: it is free again when the message is gone. That of a
    /// large message is let go.
    pub(crate) fn into_bytes(mut self) -> (Bytes, BytesMut) {
        let whole = self.buffer.split().freeze();
        let spare = if whole.len() as u64 > ANNOUNCED_MAX { BytesMut::new() } else { self.buffer };
        (whole, spare)
    }

    /// Takes octets that follow DATA. Returns how many were taken and whether the message ended with them.
    pub(crate) fn take_data(&mut self, input: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < input.len() {
            if self.is_at_text(input[at]) {
                at += self.take_text(&input[at..]);
            } else if self.step_dot(input[at]) {
                return (at + 1, true);
            } else {
                at += 1;
            }
        }
        (at, false)
    }

    /// Takes octets of a BDAT chunk: no dots, no end. Lines must be CRLF lines all the same, because BINARYMIME
    /// is not offered and the next hop may know only DATA.
    pub(crate) fn take_chunk(&mut self, input: &[u8]) {
        let mut rest = input;
        while !rest.is_empty() {
            rest = &rest[self.take_text(rest)..];
        }
    }

    /// The last chunk has come. A last line without its end gets one, as any relay through DATA would do.
    pub(crate) fn end_chunks(&mut self) {
        if self.place == Place::Middle {
            self.take_run(b"\r\n", false);
        }
    }

    fn is_at_text(&self, next: u8) -> bool {
        match self.place {
            Place::Start => next != b'.',
            Place::Cr | Place::Middle => true,
            Place::Dot | Place::DotCr => false,
        }
    }

    /// Takes text through the next LF before a dot, or all of it. Returns how many octets that is.
    fn take_text(&mut self, input: &[u8]) -> usize {
        let run = scan::run(input);
        self.take_run(&input[..run.length], run.bare);
        run.length
    }

    fn take_octet(&mut self, octet: u8) {
        self.take_run(&[octet], false);
    }

    /// Takes a run of text; `bare` is what is known of its inside.
    fn take_run(&mut self, run: &[u8], bare: bool) {
        let (Some(&first), Some(&last)) = (run.first(), run.last()) else { return };
        let after_cr = self.place == Place::Cr;
        self.bare |= bare || after_cr != (first == b'\n');
        let before_last = if run.len() > 1 { run[run.len() - 2] == b'\r' } else { after_cr };
        self.keep(run);
        self.place = match last {
            b'\r' => Place::Cr,
            b'\n' if before_last => Place::Start,
            _ => Place::Middle,
        };
    }

    /// One octet at or behind a dot that begins a line; whether the message ends with it.
    fn step_dot(&mut self, octet: u8) -> bool {
        match (self.place, octet) {
            (Place::Start, _) => self.place = Place::Dot,
            (Place::Dot, b'\r') => self.place = Place::DotCr,
            (Place::DotCr, b'\n') => {
                self.place = Place::Start;
                return true;
            }
            (Place::DotCr, _) => {
                self.place = Place::Middle;
                self.take_octet(b'\r');
                self.take_octet(octet);
            }
            // RFC 5321 4.5.2: a dot at the start of a line with more on it is taken away.
            (_, _) => {
                self.place = Place::Middle;
                self.take_octet(octet);
            }
        }
        false
    }

    /// What is beyond the limit is counted, not kept.
    fn keep(&mut self, run: &[u8]) {
        let room = self.size_max.saturating_sub(self.size);
        self.size += run.len() as u64;
        let fits = usize::try_from(room).map_or(run.len(), |room| room.min(run.len()));
        self.buffer.extend_from_slice(&run[..fits]);
    }
}
