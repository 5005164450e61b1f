//! What changed since an earlier table, and whether it is worse.

use std::{fs, path::Path};

use super::table::{Row, Table, name};
use crate::error::Error;

/// The differences of two tables.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes(Vec<Change>);

#[derive(Debug, PartialEq, Eq)]
struct Change {
    text: String,
    is_worse: bool,
}

/// Reads an earlier table.
pub(super) fn read(path: &Path) -> Result<Table, Error> {
    let broken = |source| Error::File { path: path.into(), source };
    let text = fs::read_to_string(path).map_err(broken)?;
    serde_json::from_str(&text).map_err(|why| broken(why.into()))
}

/// What changed from `before` to `now`. Rows that only one of them has are told, too: one that is gone is worse.
pub(super) fn changes(before: &Table, now: &Table) -> Changes {
    let find = |table: &Table, row: &Row| table.rows.iter().find(|other| other.key() == row.key()).cloned();
    let mut changes = Vec::new();
    for row in &now.rows {
        match find(before, row) {
            Some(old) => changes.extend(change(&old, row)),
            None => changes.push(Change { text: format!("{}: is new", name(row)), is_worse: false }),
        }
    }
    let gone = before.rows.iter().filter(|row| find(now, row).is_none());
    changes.extend(gone.map(|row| Change { text: format!("{}: is gone", name(row)), is_worse: true }));
    Changes(changes)
}

/// How a row changed. Times differ from run to run, and are no change.
fn change(old: &Row, new: &Row) -> Option<Change> {
    let mut parts = Vec::new();
    let mut word = |what: &str, old: &str, new: &str| {
        if old != new {
            parts.push(format!("{what} {old} -> {new}"));
        }
    };
    word("verdict", &old.verdict, &new.verdict);
    word("decision", old.decision.as_deref().unwrap_or("-"), new.decision.as_deref().unwrap_or("-"));
    let counts = |row: &Row| [row.bounced, row.lost, row.duplicated];
    for (what, (old, new)) in
        ["bounced", "lost", "duplicated"].iter().zip(counts(old).into_iter().zip(counts(new)))
    {
        word(what, &old.to_string(), &new.to_string());
    }
    if parts.is_empty() {
        return None;
    }
    let more = counts(new).iter().zip(counts(old)).any(|(new, old)| *new > old);
    let is_worse = rank(&new.verdict) < rank(&old.verdict) || more && new.verdict == old.verdict;
    Some(Change { text: format!("{}: {}", name(new), parts.join(", ")), is_worse })
}

/// The better verdict has the higher rank.
fn rank(verdict: &str) -> u8 {
    match verdict {
        "pass" => 3,
        "skipped" => 2,
        "unknown" => 1,
        _ => 0,
    }
}

impl Changes {
    /// Whether anything is worse.
    pub(super) fn is_worse(&self) -> bool {
        self.0.iter().any(|change| change.is_worse)
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        if self.0.is_empty() {
            return "nothing changed\n".into();
        }
        let line = |change: &Change| {
            let word = if change.is_worse { "worse" } else { "other" };
            format!("{word}  {}\n", change.text)
        };
        self.0.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(verdict: &str, bounced: u64) -> Row {
        Row { verdict: verdict.into(), bounced, ..Row::new("greet-554", "sender", "postfix") }
    }

    fn check(old: Row, new: Row, text: &str, is_worse: bool) {
        let table = |row| Table { mxdrill: "0.1.0".into(), schema: 1, rows: vec![row] };
        let changes = changes(&table(old), &table(new));
        assert_eq!((changes.text().as_str(), changes.is_worse()), (text, is_worse));
    }

    #[test]
    fn a_worse_row_is_told_and_counts() {
        let name = "greet-554 with postfix as sender";
        check(row("pass", 0), row("pass", 0), "nothing changed\n", false);
        let text = format!("worse  {name}: verdict pass -> fail, bounced 0 -> 20\n");
        check(row("pass", 0), row("fail", 20), &text, true);
        check(
            row("fail", 20),
            row("pass", 0),
            &text
                .replace("worse", "other")
                .replace("pass -> fail", "fail -> pass")
                .replace("0 -> 20", "20 -> 0"),
            false,
        );
        check(row("pass", 0), row("pass", 3), &format!("worse  {name}: bounced 0 -> 3\n"), true);
        check(row("pass", 0), row("unknown", 0), &format!("worse  {name}: verdict pass -> unknown\n"), true);
    }

    #[test]
    fn rows_that_come_and_go_are_told() {
        let table = |rows| Table { mxdrill: "0.1.0".into(), schema: 1, rows };
        let gone = changes(&table(vec![row("pass", 0)]), &table(vec![]));
        assert!(gone.is_worse());
        let new = changes(&table(vec![]), &table(vec![row("pass", 0)]));
        assert!(!new.is_worse());
        assert_eq!(new.text(), "other  greet-554 with postfix as sender: is new\n");
    }
}
