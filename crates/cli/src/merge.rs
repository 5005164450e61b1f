//! `mxdrill merge`: one report from the lines of all shares.

use std::fs;

use mxdrill::explore;

use crate::{
    arguments,
    error::Error,
    exit::Exit,
    explore::{save, text},
    terminal,
};

/// Joins the files and reports the whole.
pub(crate) fn merge(arguments: &arguments::Merge) -> Result<Exit, Error> {
    let mut files = Vec::new();
    for path in &arguments.files {
        let text = fs::read_to_string(path).map_err(|source| Error::File { path: path.clone(), source })?;
        files.push((path.display().to_string(), text));
    }
    let merged = explore::merge(&files)?;
    let kinds = merged.kinds();
    let saved = save(arguments.save.as_deref(), merged.head.seed, &kinds)?;
    let mut report = text::head(&merged.head, merged.played);
    report += &text::findings(&kinds, &saved);
    report += &text::broken(&merged.broken, merged.head.share.of());
    report += &text::coverage(&merged.coverage);
    report += &text::verdict(merged.verdict(), merged.played, merged.findings.len());
    terminal::out(&report)?;
    Ok(Exit::of([merged.verdict()].into_iter()))
}
