//! Zones read from files, as a name server's configuration names them.

use std::{
    io,
    path::{Path, PathBuf},
};

use mxdrill_net::DomainName;

use super::{ZoneError, Zones};

/// A zone file that could not be read or understood.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file could not be read, or is not UTF-8.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a mistake in it.
    #[error("{}: {source}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Its text, for pointing at the place.
        text: String,
        /// The mistake.
        source: Box<ZoneError>,
    },
}

impl Zones {
    /// Reads zone files. Until a file names an `$ORIGIN`, its name is the origin: `example.test.zone`,
    /// `example.test.db`, `db.example.test` or `example.test`.
    ///
    /// # Errors
    /// The first file that cannot be read or has a mistake in it.
    pub fn read<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Result<Zones, FileError> {
        let mut zones = Zones::default();
        for path in paths {
            zones.merge(&read_one(path.as_ref())?);
        }
        Ok(zones)
    }
}

fn read_one(path: &Path) -> Result<Zones, FileError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    // a text that begins with its own $ORIGIN needs no other, whatever its file is called
    let named = text.lines().map(str::trim_start).find(|l| !l.is_empty() && !l.starts_with(';'));
    let says = named.is_some_and(|line| line.to_ascii_uppercase().starts_with("$ORIGIN"));
    let origin = if says { None } else { origin_of(path) };
    Zones::parse_at(&text, origin.as_ref()).map_err(|source| FileError::Text {
        path: path.to_owned(),
        text,
        source: source.into(),
    })
}

fn origin_of(path: &Path) -> Option<DomainName> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_prefix("db.").unwrap_or(name);
    let name = name.strip_suffix(".zone").or_else(|| name.strip_suffix(".db")).unwrap_or(name);
    name.parse().ok()
}
