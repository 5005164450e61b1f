//! Joining what the shares of one exploration reported. One that is missing, or was killed, makes the whole
//! unknown: nobody looked there.

use super::{Coverage, Finding, Head, finding, lines::Sheet};
use crate::Verdict;

/// Why results cannot be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// A line is none of ours.
    #[error("{file}:{line}: {why}")]
    Line {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// Two files are no shares of one exploration.
    #[error("{other} is no share of the same exploration as {first}: {what} differs")]
    Apart {
        /// The first file.
        first: String,
        /// Another file.
        other: String,
        /// What differs.
        what: &'static str,
    },
    /// Two files hold the same share, and both are whole.
    #[error("{first} and {other} are both share {part}")]
    Twice {
        /// One file.
        first: String,
        /// The other.
        other: String,
        /// The share.
        part: u32,
    },
    /// No file says what was explored.
    #[error("none of the files says what was explored")]
    Nothing,
}

/// A share that did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which share, from 1, if it is known.
    pub part: Option<u32>,
    /// Its file; `None` when there is no file of it.
    pub file: Option<String>,
}

/// What the shares came to together.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// What was explored.
    pub head: Head,
    /// Drills played by the shares that came to their end.
    pub played: u64,
    /// The drills that failed, in order; those of broken shares, too.
    pub findings: Vec<Finding>,
    /// The coverage of all shares that came to their end.
    pub coverage: Coverage,
    /// The shares that did not.
    pub broken: Vec<Broken>,
}

impl Merged {
    /// `Fail` where something was found, else `Unknown` where a share is broken.
    pub fn verdict(&self) -> Verdict {
        match (self.findings.is_empty(), self.broken.is_empty() && self.played > 0) {
            (false, _) => Verdict::Fail,
            (true, false) => Verdict::Unknown,
            (true, true) => Verdict::Pass,
        }
    }

    /// The first finding of each kind, with how many there are of it.
    pub fn kinds(&self) -> Vec<(&Finding, usize)> {
        finding::kinds(&self.findings)
    }
}

/// Joins the lines of shares: name and contents of each file.
///
/// # Errors
/// When a file is none of ours, or they are not of one exploration.
pub fn merge(files: &[(String, String)]) -> Result<Merged, MergeError> {
    let mut sheets = Vec::new();
    for (file, text) in files {
        let sheet =
            Sheet::read(text).map_err(|(line, why)| MergeError::Line { file: file.clone(), line, why })?;
        sheets.push((file, sheet));
    }
    let first = sheets.iter().find_map(|(file, sheet)| Some((*file, sheet.head.clone()?)));
    let (first, head) = first.ok_or(MergeError::Nothing)?;
    let mut broken = headless(&sheets);
    let mut merged = Merged {
        head: head.clone(),
        played: 0,
        findings: Vec::new(),
        coverage: Coverage::default(),
        broken: Vec::new(),
    };
    let mut whole: Vec<Option<&str>> = vec![None; head.share.of() as usize];
    let mut begun: Vec<Option<&str>> = vec![None; head.share.of() as usize];
    for (file, sheet) in &sheets {
        let Some(other) = &sheet.head else { continue };
        if !head.is_like(other) {
            return Err(MergeError::Apart {
                first: first.clone(),
                other: (*file).clone(),
                what: what(&head, other),
            });
        }
        let (part, place) = (other.share.part(), other.share.part() as usize - 1);
        let seen = if sheet.end.is_some() { &mut whole } else { &mut begun };
        if let (Some(first), true) = (seen[place].replace(file), sheet.end.is_some()) {
            return Err(MergeError::Twice { first: first.into(), other: (*file).clone(), part });
        }
    }
    for (_, sheet) in &sheets {
        let Some(other) = &sheet.head else { continue };
        // what was begun again and came to its end counts once
        if sheet.end.is_some() || whole[other.share.part() as usize - 1].is_none() {
            merged.findings.extend(sheet.findings.iter().cloned());
        }
        if let Some(end) = sheet.end {
            merged.played += end.played;
            merged.coverage.join(&sheet.coverage);
        }
    }
    let unfinished = whole.iter().zip(&begun).zip(1..).filter(|((whole, _), _)| whole.is_none());
    broken.extend(
        unfinished.map(|((_, file), part)| Broken { part: Some(part), file: file.map(String::from) }),
    );
    merged.findings.sort_by_key(|finding| finding.index);
    merged.broken = broken;
    Ok(merged)
}

/// Files that do not even say which share they are.
fn headless(sheets: &[(&String, Sheet)]) -> Vec<Broken> {
    let headless = sheets.iter().filter(|(_, sheet)| sheet.head.is_none());
    headless.map(|(file, _)| Broken { part: None, file: Some((*file).clone()) }).collect()
}

/// What is not the same in two.
fn what(one: &Head, other: &Head) -> &'static str {
    match () {
        () if one.version != other.version => "the version of mxdrill",
        () if (&one.scenario, one.fingerprint) != (&other.scenario, other.fingerprint) => "the scenario",
        () if one.seed != other.seed => "the seed",
        () if one.seeds != other.seeds => "the number of drills",
        () if one.faults != other.faults => "the choice of faults",
        () if one.share.of() != other.share.of() => "the number of shares",
        () => "--keep-going",
    }
}
