//! What exploring came to, for people.

use std::path::PathBuf;

use mxdrill::{
    Verdict,
    explore::{BrokenShard, Coverage, Finding, Head, Row, Share},
};

/// What was explored.
pub(crate) fn head(head: &Head, played: u64) -> String {
    let share = if head.share == Share::WHOLE { String::new() } else { format!("   share {}", head.share) };
    let of = match head.seeds {
        Some(seeds) if seeds != played => format!(" of {seeds}"),
        _ => String::new(),
    };
    let faults = head.faults.join(", ");
    format!(
        "explore {}   seed {}{share}   {played}{of} drills\nfaults  {faults}\n\n",
        head.scenario, head.seed
    )
}

/// Each kind of finding, and where its scenario is.
pub(crate) fn findings(kinds: &[(&Finding, usize)], saved: &[PathBuf]) -> String {
    let mut text = String::new();
    for (place, (finding, count)) in kinds.iter().enumerate() {
        text += &self::finding(finding, *count);
        let scenario = if finding.shrunk { "shrunk to" } else { "drawn as" };
        text += &match saved.get(place) {
            Some(path) => format!(
                "  {scenario} {} steps: {}\n  again  mxdrill run {}\n\n",
                finding.steps,
                path.display(),
                path.display()
            ),
            None => format!("  {scenario} {} steps\n\n{}\n", finding.steps, indented(&finding.toml)),
        };
    }
    text
}

fn finding(finding: &Finding, count: usize) -> String {
    let Finding { index, rule, clause, claim, .. } = finding;
    let drills =
        if count == 1 { format!("drill {index}") } else { format!("{count} drills, the first {index}") };
    let host = finding.host.as_ref().map(|host| format!("{host}: ")).unwrap_or_default();
    let story = indented(&format!("{host}{}", finding.text));
    format!("{} `{rule}`   {clause}   {drills}\n{story}", claim.word())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".into() } else { format!("  {line}\n") }).collect()
}

/// The shares that did not come to their end.
pub(crate) fn broken(broken: &[BrokenShard], of: u32) -> String {
    let name = |shard: &BrokenShard| match (shard.part, &shard.file) {
        (Some(part), Some(file)) => format!("share {part}/{of} was killed: {file} has no end\n"),
        (Some(part), None) => format!("share {part}/{of} is missing\n"),
        (None, file) => format!("{} does not even begin\n", file.as_deref().unwrap_or("a file")),
    };
    let names: String = broken.iter().map(name).collect();
    if names.is_empty() { names } else { names + "\n" }
}

/// Which faults bit at which stage of which host; and what never did.
pub(crate) fn coverage(coverage: &Coverage) -> String {
    let mut text =
        "in how many drills each fault bit (0/n: drawn in n, and without effect; .: not drawn)\n".to_owned();
    for on in firsts(of_kind(coverage, "host").map(|row| &*row.on)) {
        let rows = of_kind(coverage, "host").filter(|row| row.on == on);
        text += &table(on, rows.map(|row| (&*row.fault, &*row.stage, row)).collect());
    }
    text += &table("links", of_kind(coverage, "link").map(|row| (&*row.fault, &*row.on, row)).collect());
    text += &table("dns", of_kind(coverage, "dns").map(|row| (&*row.fault, &*row.on, row)).collect());
    text + &empty(coverage)
}

fn of_kind<'a>(coverage: &'a Coverage, kind: &'a str) -> impl Iterator<Item = &'a Row> {
    coverage.rows.iter().filter(move |row| row.kind == kind)
}

/// Each once, in the order in which they first come.
fn firsts<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut firsts = Vec::new();
    for one in all {
        if !firsts.contains(&one) {
            firsts.push(one);
        }
    }
    firsts
}

/// A table of (line, column, row).
fn table(title: &str, cells: Vec<(&str, &str, &Row)>) -> String {
    if cells.is_empty() {
        return String::new();
    }
    let lines = firsts(cells.iter().map(|(line, ..)| *line));
    let columns = firsts(cells.iter().map(|(_, column, _)| *column));
    let width = lines.iter().map(|line| line.len()).max().unwrap_or(0).max(title.len());
    let mut text = format!("\n  {title:width$}");
    let widths: Vec<usize> = columns.iter().map(|column| column.len().max(6)).collect();
    for (column, width) in columns.iter().zip(&widths) {
        text += &format!("  {column:>width$}");
    }
    text += "\n";
    for line in lines {
        let mut row = format!("  {line:width$}");
        for (column, width) in columns.iter().zip(&widths) {
            let cell = cells.iter().find(|(l, c, _)| *l == line && c == column);
            let shown = cell.map(|(_, _, row)| shown(row)).unwrap_or_default();
            row += &format!("  {shown:>width$}");
        }
        text += row.trim_end();
        text += "\n";
    }
    text
}

fn shown(row: &Row) -> String {
    match (row.drawn, row.bitten) {
        (0, _) => ".".into(),
        (drawn, 0) => format!("0/{drawn}"),
        (_, bitten) => bitten.to_string(),
    }
}

/// As many of those that never bit are named.
const NAMED_MAX: usize = 12;

fn empty(coverage: &Coverage) -> String {
    let empty: Vec<&Row> = coverage.empty().collect();
    let (all, none) = (coverage.rows.len(), empty.len());
    if empty.is_empty() {
        return format!("\nall of {all} bit\n\n");
    }
    let name = |row: &&Row| match &*row.stage {
        "-" => format!("{} on {}", row.fault, row.on),
        stage => format!("{} at {stage} of {}", row.fault, row.on),
    };
    let named: Vec<String> = empty.iter().take(NAMED_MAX).map(name).collect();
    let more = none.saturating_sub(NAMED_MAX);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    format!("\n{none} of {all} never bit: {}{more}\n\n", named.join(", "))
}

/// The last line.
pub(crate) fn verdict(verdict: Verdict, played: u64, failed: usize) -> String {
    match verdict {
        Verdict::Pass => format!("PASS  {played} drills  nothing lost, and all of it drained\n"),
        Verdict::Fail => format!("FAIL  {failed} of {played} drills\n"),
        Verdict::Unknown => format!("UNKNOWN  {played} drills  not all that was asked for was played\n"),
    }
}
