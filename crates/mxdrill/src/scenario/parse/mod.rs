//! Reads a scenario file: TOML with the place of every key and value, then its meaning. Several mistakes are told
//! at once, each with its place in the text.

mod dialogue;
mod expect;
mod fault;
mod host;
mod mistake;
mod names;
mod retry;
mod send;
mod step;
mod value;
mod walk;
mod zone;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use miette::NamedSource;
use toml::de::DeTable;

pub(crate) use host::{EXTENSIONS, FILTERS, UNVERIFIED};
use mistake::Source;
pub use mistake::{Mistake, Mistakes};
use value::Value;
use walk::{Notes, Read, Table};

use super::{CheckOff, Restriction, Scenario, Site, WorldKind};

/// Where the files are that a scenario names: zones and messages.
pub trait Files {
    /// What is in the file of that path.
    ///
    /// # Errors
    /// When there is no such file, or it cannot be read.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
}

/// Files beside the scenario.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

/// No files: for a scenario that stands alone.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

/// A zone or a message beyond this is no test material.
const FILE_MAX: u64 = 64 << 20;

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let path = self.0.join(path);
        if std::fs::metadata(&path)?.len() > FILE_MAX {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the file is larger than 64 MiB"));
        }
        std::fs::read(path)
    }
}

impl Files for NoFiles {
    fn read(&self, _path: &str) -> io::Result<Vec<u8>> {
        Err(io::Error::new(io::ErrorKind::NotFound, "this scenario has no folder to look in"))
    }
}

/// Why there is no scenario.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ReadError {
    /// The file could not be read.
    #[error("cannot read {path}")]
    Io {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// What it says makes no sense.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Mistakes(#[from] Mistakes),
}

impl Scenario {
    /// Reads a scenario from its text. `path` is what mistakes call it; its stem is the scenario's name.
    ///
    /// Steps may stand in any order: they are sorted by time, those of one time keep their order. What a `send`
    /// omits is taken from the send before it in the file.
    ///
    /// # Errors
    /// All mistakes found.
    pub fn parse(path: &str, text: &str, files: &dyn Files) -> Result<Scenario, Mistakes> {
        document(path, text, files, |input, root| {
            let table = Table::new("a scenario", root, 0..0, input.notes);
            let mut scenario = head(path, &table);
            world(input, &table, &mut scenario);
            scenario.steps = step::read_all(input, &table, &scenario);
            check_end(input, &table, &scenario);
            table.finish();
            scenario
        })
    }

    /// Reads a scenario file, and the files it names from the same folder.
    ///
    /// # Errors
    /// When the file cannot be read, or has mistakes.
    pub fn read(path: &Path) -> Result<Scenario, ReadError> {
        let (text, folder) = read_text(path)?;
        Ok(Scenario::parse(&path.display().to_string(), &text, &folder)?)
    }
}

impl Site {
    /// Reads a site from its text: `[zone]` and `[host.NAME]` as in a scenario, and nothing else but a `title`.
    ///
    /// # Errors
    /// All mistakes found.
    pub fn parse(path: &str, text: &str, files: &dyn Files) -> Result<Site, Mistakes> {
        document(path, text, files, |input, root| {
            let table = Table::new("a site", root, 0..0, input.notes);
            let mut scenario = Scenario::new(stem(path));
            scenario.title = table.read("title", |v| v.text("a title").map(Into::into)).unwrap_or_default();
            world(input, &table, &mut scenario);
            table.finish();
            Site { name: path.into(), zone: scenario.zone, hosts: scenario.hosts }
        })
    }

    /// Reads a site file.
    ///
    /// # Errors
    /// When the file cannot be read, or has mistakes.
    pub fn read(path: &Path) -> Result<Site, ReadError> {
        let (text, folder) = read_text(path)?;
        Ok(Site::parse(&path.display().to_string(), &text, &folder)?)
    }
}

fn read_text(path: &Path) -> Result<(String, Folder), ReadError> {
    let fail = |source| ReadError::Io { path: path.display().to_string(), source };
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let bytes = Folder(PathBuf::new()).read(&path.to_string_lossy()).map_err(fail)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| fail(io::Error::new(io::ErrorKind::InvalidData, "the file is not UTF-8 text")))?;
    Ok((text, Folder(folder)))
}

/// What every part of the reader sees.
#[derive(Clone, Copy)]
struct Input<'a> {
    /// The text of the file.
    text: &'a str,
    /// Where the files are that it names.
    files: &'a dyn Files,
    /// Where mistakes go.
    notes: &'a Notes,
}

/// Parses the TOML, lets `read` make sense of it, and tells all mistakes.
fn document<T>(
    path: &str,
    text: &str,
    files: &dyn Files,
    read: impl FnOnce(Input<'_>, &DeTable<'_>) -> T,
) -> Result<T, Mistakes> {
    let fail = |mistakes| {
        let source: Source = Arc::new(NamedSource::new(path, Arc::from(text)).with_language("TOML"));
        Err(Mistakes::new(source, mistakes))
    };
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return fail(errors.iter().map(syntax).collect());
    }
    let notes = Notes::default();
    let made = read(Input { text, files, notes: &notes }, root.get_ref());
    let mistakes = notes.into_list();
    if mistakes.is_empty() { Ok(made) } else { fail(mistakes) }
}

fn syntax(error: &toml::de::Error) -> Mistake {
    Mistake::new(error.span().unwrap_or(0..0), format!("this is not TOML: {}", error.message()))
}

fn stem(path: &str) -> &str {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    file.strip_suffix(".toml").unwrap_or(file)
}

/// Title, reason, seed and bounds.
fn head(path: &str, table: &Table<'_>) -> Scenario {
    let mut scenario = Scenario::new(stem(path));
    let text = |v: Value<'_>| v.text("a text").map(String::from);
    scenario.title = table.need("title", "title = \"The primary is down\"", text).unwrap_or_default();
    scenario.why = table.read("why", text);
    // TOML integers are signed: a seed above would not print.
    let seed = |v: Value<'_>| v.integer("a seed", 0, i64::MAX as u64);
    scenario.seed = table.read("seed", seed).unwrap_or(scenario.seed);
    scenario.site = table.read("site", Value::flag).unwrap_or(scenario.site);
    scenario.end = table.read("end", Value::duration);
    scenario.worlds = worlds(table);
    scenario.unchecked = table.read("unchecked", unchecked).unwrap_or_default();
    scenario
}

/// `worlds = ["sim"]` and `worlds-why`, which go together.
fn worlds(table: &Table<'_>) -> Option<Restriction> {
    let only = table.read("worlds", |v| {
        let only: Vec<_> = v.array("an array of worlds")?.map(world_kind).collect::<Read<_>>()?;
        let none = || v.mistake("no world is left").label("expected at least one world");
        if only.is_empty() { Err(none()) } else { Ok(only) }
    });
    if !table.has("worlds") {
        table.read("worlds-why", |v| {
            Err::<(), _>(
                v.mistake("`worlds-why` without `worlds`")
                    .label("which worlds?")
                    .help("add `worlds = [\"sim\"]`"),
            )
        });
        return None;
    }
    let reason = table.need("worlds-why", "worlds-why = \"needs a simulated disk\"", |v| {
        v.text("a reason").map(String::from)
    });
    Some(Restriction { only: only?, reason: reason? })
}

fn world_kind(value: Value<'_>) -> Read<WorldKind> {
    value.word("a world", &WorldKind::ALL, WorldKind::word)
}

/// `[unchecked]`: the name of a check, and why it does not hold here.
fn unchecked(value: Value<'_>) -> Read<Vec<CheckOff>> {
    let Some(table) = value.raw().as_table() else {
        return Err(value.wrong("a table of checks and reasons"));
    };
    table
        .iter()
        .map(|(key, reason)| {
            let check: &str = key.get_ref();
            if !super::checks().any(|known| known == check) {
                return Err(Mistake::new(key.span(), format!("unknown check `{}`", value::clip(check)))
                    .label("not the name of a check")
                    .suggest(check, super::checks()));
            }
            let reason = Value(reason).text("the reason, a string")?;
            Ok(CheckOff { check: check.into(), reason: reason.into() })
        })
        .collect()
}

/// Zone and hosts, which a site has too.
fn world<'a>(input: Input<'a>, table: &Table<'a>, scenario: &mut Scenario) {
    let example = "[zone]` with `text = \"\"\"$ORIGIN example.test. ...\"\"\"";
    scenario.zone = table.need("zone", example, |v| zone::read(input, v)).unwrap_or_default();
    let hosts = table.get("host");
    let (Some(origin), Some(hosts)) = (scenario.zone.origin().cloned(), hosts) else { return };
    scenario.hosts =
        input.notes.note(host::read_all(input, hosts, &scenario.zone, &origin)).unwrap_or_default();
}

fn check_end(input: Input<'_>, table: &Table<'_>, scenario: &Scenario) {
    let (Some(end), Some(last)) = (scenario.end, scenario.steps.last()) else { return };
    if end < last.at {
        let mistake = Mistake::new(table.key_span("end"), "the drill ends before its last step")
            .label(format!("the last step is at {}", mxdrill_ledger::Span(last.at)));
        input.notes.add(mistake);
    }
}
