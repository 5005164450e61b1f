//! What goes over the pipe from the process of a drill to the one that asked for it: frames of a kind, a length and
//! contents.

use std::io::{self, Read, Write};

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A part of the journal.
    Journal,
    /// The outcome, as JSON. The last frame.
    Outcome,
    /// Why there is none, for people. The last frame.
    Failure,
}

/// A frame is never longer: a pipe that brings something else is noticed.
const LENGTH_MAX: u32 = 64 << 20;

impl Kind {
    const ALL: [(Kind, u8); 3] = [(Kind::Journal, b'J'), (Kind::Outcome, b'O'), (Kind::Failure, b'F')];

    fn octet(self) -> u8 {
        Kind::ALL.iter().find(|(kind, _)| *kind == self).map_or(0, |(_, octet)| *octet)
    }
}

/// Writes a frame.
pub(super) fn write(to: &mut impl Write, kind: Kind, contents: &[u8]) -> io::Result<()> {
    let length = u32::try_from(contents.len()).map_err(io::Error::other)?;
    to.write_all(&[kind.octet()])?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(contents)?;
    to.flush()
}

/// Reads a frame; `None` at the end.
pub(super) fn read(from: &mut impl Read) -> io::Result<Option<(Kind, Vec<u8>)>> {
    let mut head = [0; 5];
    match from.read_exact(&mut head) {
        Err(why) if why.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        done => done?,
    }
    let kind = Kind::ALL.iter().find(|(_, octet)| *octet == head[0]).map(|(kind, _)| *kind);
    let length = u32::from_le_bytes([head[1], head[2], head[3], head[4]]);
    let (Some(kind), true) = (kind, length <= LENGTH_MAX) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no frame"));
    };
    let mut contents = Vec::new();
    from.take(length.into()).read_to_end(&mut contents)?;
    match contents.len() == length as usize {
        true => Ok(Some((kind, contents))),
        false => Ok(None),
    }
}

/// A journal that goes into frames.
pub(super) struct Framed<W>(pub(super) W);

impl<W: Write> Write for Framed<W> {
    fn write(&mut self, contents: &[u8]) -> io::Result<usize> {
        write(&mut self.0, Kind::Journal, contents)?;
        Ok(contents.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_in_order_and_whole() {
        let mut pipe = Vec::new();
        Framed(&mut pipe).write_all(b"journal").unwrap();
        write(&mut pipe, Kind::Outcome, b"{}").unwrap();
        let mut from = &pipe[..];
        assert_eq!(read(&mut from).unwrap(), Some((Kind::Journal, b"journal".to_vec())));
        assert_eq!(read(&mut from).unwrap(), Some((Kind::Outcome, b"{}".to_vec())));
        assert_eq!(read(&mut from).unwrap(), None);
    }

    #[test]
    fn a_pipe_that_breaks_off_has_no_last_frame() {
        let mut pipe = Vec::new();
        write(&mut pipe, Kind::Outcome, b"{\"verdict\"").unwrap();
        for cut in 0..pipe.len() {
            assert_eq!(read(&mut &pipe[..cut]).unwrap(), None, "after {cut} octets");
        }
        assert!(read(&mut &b"X\0\0\0\0"[..]).is_err());
        assert!(read(&mut &b"O\xff\xff\xff\xff"[..]).is_err());
    }
}
