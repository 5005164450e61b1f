//! Figures that hold from machine to machine, compared with those of a file in the repository.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};

use crate::{
    say,
    table::{Mark, Table},
};

/// How much worse a figure may be: other machines, and others on the same machine, shift ratios by as much.
const TOLERANCE: f64 = 0.35;

/// Writes the figures of a table.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn save(table: &Table, file: &Path) -> Result<(), String> {
    let of = |kind: Mark| -> Map<String, Value> {
        let rows = table.marks().filter(|(_, _, mark)| *mark == kind);
        rows.map(|(what, figure, _)| (what.into(), json!((figure * 1000.0).round() / 1000.0))).collect()
    };
    let (ratios, figures) = (of(Mark::Ratio), of(Mark::Figure));
    let value = json!({ "tolerance": TOLERANCE, "at-least": ratios, "at-most": figures });
    fs::write(file, format!("{value:#}\n")).map_err(|why| format!("{}: {why}", file.display()))
}

/// Holds a table against the figures of a file. What the table lacks is no mistake: it was left out, and the table
/// says so.
///
/// # Errors
/// A figure is worse by more than the tolerance, or the file is none.
pub(crate) fn check(table: &Table, file: &Path) -> Result<(), String> {
    let broken = |why: &dyn std::fmt::Display| format!("{}: {why}", file.display());
    let text = fs::read_to_string(file).map_err(|why| broken(&why))?;
    let known: Value = serde_json::from_str(&text).map_err(|why| broken(&why))?;
    let tolerance = known["tolerance"].as_f64().ok_or_else(|| broken(&"no tolerance"))?;
    let mut worse = Vec::new();
    for (what, figure, mark) in table.marks() {
        let (list, bound) = match mark {
            Mark::Figure => ("at-most", 1.0 + tolerance),
            Mark::Ratio | Mark::None => ("at-least", 1.0 - tolerance),
        };
        let Some(before) = known[list][what].as_f64() else { continue };
        let is_worse = match mark {
            Mark::Figure => figure > before * bound,
            Mark::Ratio | Mark::None => figure < before * bound,
        };
        if is_worse {
            worse.push(format!("{what}: {figure:.3}, and {before:.3} before"));
        }
    }
    match worse.is_empty() {
        true => {
            say(&format!("no figure is worse than in {} by more than {tolerance}", file.display()));
            Ok(())
        }
        false => Err(format!("worse by more than {tolerance}:\n  {}", worse.join("\n  "))),
    }
}
