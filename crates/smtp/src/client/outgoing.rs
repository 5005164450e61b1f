//! The content of a letter on its way out: shared where it can be, in blocks where it is large.

use bytes::Bytes;
use mxdrill_net::{Commands, Conn};

use crate::{
    content::{ends_line, needs_stuffing, stuff},
    tls::Layer,
};

/// Octets handed to the driver in one go. More than the 64 KiB above which a driver reports that its output
/// has drained, so that progress is seen block by block (RFC 5321 4.5.3.2.5), and a link lost before the last
/// block is known to be lost before the final dot.
const BLOCK: usize = 128 * 1024;

/// What is still to be sent of a letter's content.
#[derive(Debug)]
pub(super) struct Outgoing {
    header: Bytes,
    body: Bytes,
    /// The end of the last line if it lacks one, and the dot.
    tail: &'static [u8],
}

impl Outgoing {
    /// The content for DATA: dots stuffed, only where needed, otherwise shared.
    /// `plain` is the last body that needed no stuffing: mostly the next letter has the same.
    pub(super) fn for_data(header: &Bytes, body: &Bytes, plain: &mut Bytes) -> Outgoing {
        let body_starts_line = ends_line(header);
        let last = if body.is_empty() { header } else { body };
        let tail: &[u8] = if ends_line(last) { b".\r\n" } else { b"\r\n.\r\n" };
        // what lies at the same place in memory is the same, as long as `plain` keeps it there
        let is_plain = body_starts_line && plain.as_ptr() == body.as_ptr() && plain.len() == body.len();
        if !is_plain && body_starts_line && !needs_stuffing(body, true) {
            *plain = body.clone();
        }
        let body = if is_plain { body.clone() } else { stuffed(body, body_starts_line) };
        Outgoing { header: stuffed(header, true), body, tail }
    }

    /// The content for BDAT: as it is (RFC 3030 2).
    pub(super) fn for_chunk(header: &Bytes, body: &Bytes) -> Outgoing {
        Outgoing { header: header.clone(), body: body.clone(), tail: b"" }
    }

    /// Sends the next block; whether it was the last.
    pub(super) fn send_block<F>(
        &mut self,
        conn: Conn,
        mut tls: Option<&mut Layer>,
        out: &mut Commands<F>,
    ) -> bool {
        let mut room = BLOCK;
        for piece in [&mut self.header, &mut self.body] {
            let part = if piece.len() <= room { std::mem::take(piece) } else { piece.split_to(room) };
            room -= part.len();
            if !part.is_empty() {
                match &mut tls {
                    None => out.send_shared(conn, part),
                    Some(tls) => tls.send_shared(conn, part, out),
                }
            }
            if !piece.is_empty() {
                return false;
            }
        }
        if !self.tail.is_empty() {
            match tls {
                None => out.send(conn, self.tail),
                Some(tls) => tls.send(conn, self.tail, out),
            }
        }
        true
    }
}

fn stuffed(text: &Bytes, at_start: bool) -> Bytes {
    if !needs_stuffing(text, at_start) {
        return text.clone();
    }
    let mut longer = Vec::with_capacity(text.len() + text.len() / 16 + 16);
    stuff(text, at_start, &mut longer);
    longer.into()
}
