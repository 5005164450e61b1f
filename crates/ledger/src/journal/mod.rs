//! The canonical journal: every fact as a binary record, streamed into a hash and, if asked for, a writer.
//!
//! Two runs that saw the same have the same journal, byte for byte, on every computer: the hash compares them.
//! The journal holds envelopes and sizes, not contents. JSON lines are another rendering, see [`Lines`].

mod lines;
mod record;

use std::{fmt, io};

use mxdrill_net::{HostId, Time};

pub use lines::Lines;

use crate::Fact;

/// The first bytes of a journal; the number is that of the encoding.
const MAGIC: &[u8] = b"mxdrill journal 1\n";

/// So much is gathered before it is hashed: blake3 is fastest on long inputs.
const BLOCK: usize = 64 * 1024;

/// A stream of records.
pub struct Journal {
    pending: Vec<u8>,
    names: record::Names,
    hasher: Option<blake3::Hasher>,
    writer: Option<Box<dyn io::Write + Send>>,
    error: Option<io::Error>,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("pending", &self.pending.len()).field("error", &self.error).finish()
    }
}

impl Journal {
    /// An empty journal, hashed or not.
    pub fn new(hashed: bool) -> Journal {
        let mut pending = Vec::with_capacity(BLOCK + 4096);
        pending.extend_from_slice(MAGIC);
        Journal {
            pending,
            names: record::Names::default(),
            hasher: hashed.then(blake3::Hasher::new),
            writer: None,
            error: None,
        }
    }

    /// Also writes it. To be called before the first fact.
    pub fn write_to(mut self, writer: Box<dyn io::Write + Send>) -> Journal {
        self.writer = Some(writer);
        self
    }

    /// Adds a fact.
    pub fn see(&mut self, at: Time, host: HostId, fact: &Fact) {
        if self.hasher.is_none() && self.writer.is_none() {
            return;
        }
        record::write(&mut self.pending, &mut self.names, at, host, fact);
        if self.pending.len() >= BLOCK {
            self.flush();
        }
    }

    /// Hashes and writes what is pending.
    fn flush(&mut self) {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&self.pending);
        }
        if let Some(writer) = &mut self.writer
            && let Err(error) = writer.write_all(&self.pending)
        {
            self.error.get_or_insert(error);
            self.writer = None;
        }
        self.pending.clear();
    }

    /// blake3 over everything seen so far, in hexadecimal; `None` when it is not hashed.
    pub fn hash(&self) -> Option<String> {
        let mut hasher = self.hasher.clone()?;
        hasher.update(&self.pending);
        Some(hasher.finalize().to_hex().to_string())
    }

    /// Writes out what is pending.
    ///
    /// # Errors
    /// The first error of the writer, if there was one.
    pub fn finish(&mut self) -> io::Result<()> {
        self.flush();
        if let Some(writer) = &mut self.writer {
            writer.flush()?;
        }
        self.error.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests;
