//! The table: a row for each scenario, role and mail server.

use std::time::Duration;

use mxdrill::Outcome;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;

/// All rows. As JSON its shape is a contract: keys are added, never changed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Table {
    pub(super) mxdrill: String,
    pub(super) schema: u32,
    pub(super) rows: Vec<Row>,
}

/// What became of a scenario with a mail server in a role.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) scenario: String,
    /// `backup` or `sender`.
    pub(super) role: String,
    /// The mail server.
    pub(super) mta: String,
    /// `pass`, `fail`, `unknown` or `skipped`.
    pub(super) verdict: String,
    /// What the server did with most of the mail: `next` MX, `defer`, `bounce`; of a backup, `hold` or `bounce`.
    pub(super) decision: Option<String>,
    /// The longest failover.
    pub(super) failover_seconds: Option<f64>,
    /// From the repair to the last delivery.
    pub(super) drain_seconds: Option<f64>,
    pub(super) delivered: u64,
    pub(super) bounced: u64,
    pub(super) lost: u64,
    pub(super) duplicated: u64,
    /// Why there is no verdict.
    pub(super) why: Option<String>,
}

impl Row {
    /// A row of which nothing is known yet.
    pub(super) fn new(scenario: &str, role: &str, mta: &str) -> Row {
        Row {
            scenario: scenario.into(),
            role: role.into(),
            mta: mta.into(),
            verdict: "unknown".into(),
            decision: None,
            failover_seconds: None,
            drain_seconds: None,
            delivered: 0,
            bounced: 0,
            lost: 0,
            duplicated: 0,
            why: None,
        }
    }

    /// The row of an outcome.
    pub(super) fn with(self, outcome: &Outcome) -> Row {
        let counts = outcome.counts;
        let decision = match (self.role.as_str(), counts.bounced > counts.delivered, outcome.failover.n) {
            (_, true, _) => "bounce",
            ("sender", false, 0) => "defer",
            ("sender", false, _) => "next",
            _ => "hold",
        };
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
        Row {
            verdict: outcome.verdict.word().into(),
            decision: Some(decision.into()),
            failover_seconds: seconds(outcome.failover.max).filter(|_| self.role == "sender"),
            drain_seconds: seconds(outcome.drain),
            delivered: counts.delivered,
            bounced: counts.bounced,
            lost: counts.lost,
            duplicated: counts.duplicated,
            ..self
        }
    }

    /// What tells it from the other rows.
    pub(super) fn key(&self) -> (&str, &str, &str) {
        (&self.scenario, &self.role, &self.mta)
    }

    fn cells(&self) -> [String; 10] {
        let seconds = |time: Option<f64>| time.map_or_else(|| "-".into(), |time| format!("{time:.1}"));
        [
            self.scenario.clone(),
            self.role.clone(),
            self.mta.clone(),
            self.verdict.clone(),
            self.decision.clone().unwrap_or_else(|| "-".into()),
            seconds(self.failover_seconds),
            seconds(self.drain_seconds),
            self.bounced.to_string(),
            self.lost.to_string(),
            self.duplicated.to_string(),
        ]
    }
}

/// The heads of the columns.
const HEADS: [&str; 10] = [
    "scenario",
    "role",
    "mta",
    "verdict",
    "decision",
    "failover s",
    "drain s",
    "bounced",
    "lost",
    "duplicated",
];

impl Table {
    /// For people.
    pub(super) fn text(&self) -> String {
        let rows: Vec<[String; 10]> = self.lines().collect();
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
        let widths: [usize; 10] = std::array::from_fn(width);
        let mut text = String::new();
        for row in &rows {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            text += cells.collect::<Vec<_>>().join("  ").trim_end();
            text += "\n";
        }
        text + &self.reasons("")
    }

    /// For a page.
    pub(super) fn markdown(&self) -> String {
        let mut text = String::new();
        for (at, row) in self.lines().enumerate() {
            text += &format!("| {} |\n", row.join(" | "));
            if at == 0 {
                text += &format!("|{}\n", "---|".repeat(HEADS.len()));
            }
        }
        text + &self.reasons("- ")
    }

    /// For machines.
    pub(super) fn json(&self) -> String {
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    fn lines(&self) -> impl Iterator<Item = [String; 10]> {
        std::iter::once(HEADS.map(String::from)).chain(self.rows.iter().map(Row::cells))
    }

    /// Why some rows have no verdict.
    fn reasons(&self, bullet: &str) -> String {
        let reason = |row: &Row| Some(format!("{bullet}{}: {}\n", name(row), row.why.as_ref()?));
        let reasons: String = self.rows.iter().filter_map(reason).collect();
        if reasons.is_empty() { reasons } else { format!("\n{reasons}") }
    }

    /// What all rows come to.
    pub(super) fn exit(&self) -> Exit {
        let has = |verdict: &str| self.rows.iter().any(|row| row.verdict == verdict);
        match (has("fail"), has("unknown"), has("pass")) {
            (true, ..) => Exit::Failed,
            (_, true, _) => Exit::Unknown,
            (_, _, true) => Exit::Passed,
            _ => Exit::Nothing,
        }
    }
}

/// A row, for people.
pub(super) fn name(row: &Row) -> String {
    format!("{} with {} as {}", row.scenario, row.mta, row.role)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let passed = Row {
            verdict: "pass".into(),
            decision: Some("next".into()),
            failover_seconds: Some(2.14),
            drain_seconds: Some(4.4),
            delivered: 50,
            ..Row::new("primary-refused", "sender", "opensmtpd")
        };
        let broken = Row { why: Some("exim is not there".into()), ..Row::new("greet-421", "backup", "exim") };
        Table { mxdrill: "0.1.0".into(), schema: 1, rows: vec![passed, broken] }
    }

    #[test]
    fn people_read_a_table_and_reasons() {
        insta::assert_snapshot!(table().text(), @r"
        scenario         role    mta        verdict  decision  failover s  drain s  bounced  lost  duplicated
        primary-refused  sender  opensmtpd  pass     next      2.1         4.4      0        0     0
        greet-421        backup  exim       unknown  -         -           -        0        0     0

        greet-421 with exim as backup: exim is not there
        ");
        insta::assert_snapshot!(table().markdown(), @r"
        | scenario | role | mta | verdict | decision | failover s | drain s | bounced | lost | duplicated |
        |---|---|---|---|---|---|---|---|---|---|
        | primary-refused | sender | opensmtpd | pass | next | 2.1 | 4.4 | 0 | 0 | 0 |
        | greet-421 | backup | exim | unknown | - | - | - | 0 | 0 | 0 |

        - greet-421 with exim as backup: exim is not there
        ");
    }

    #[test]
    fn machines_read_it_back() {
        assert_eq!(serde_json::from_str::<Table>(&table().json()).unwrap(), table());
    }

    #[test]
    fn a_row_without_a_verdict_is_no_pass() {
        let mut table = table();
        assert_eq!(table.exit(), Exit::Unknown);
        table.rows[0].verdict = "fail".into();
        assert_eq!(table.exit(), Exit::Failed);
        table.rows.clear();
        assert_eq!(table.exit(), Exit::Nothing);
    }
}
