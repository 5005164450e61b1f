//! Results as lines of JSON: what a share writes, and what merging reads.
//!
//! | `type` | when | what else |
//! |---|---|---|
//! | `begin` | first | `mxdrill`, `schema`, `scenario`, `fingerprint`, `seed`, `seeds`, `faults`, `part`, `of`, `keep_going` |
//! | `finding` | as soon as a drill failed | `index`, `claim`, `rule`, `clause`, `host`, `text`, `steps`, `scenario_toml` |
//! | `shrunk` | at the end, for the first finding of each rule and clause | the same, smaller |
//! | `coverage` | at the end | `fault`, `stage`, `on`, `kind`, `drawn`, `bitten` |
//! | `end` | last | `played`, `findings`, `verdict` |
//!
//! A share without its `end` was killed.

use serde_json::{Value, json};

use super::{Claim, Coverage, Explored, Finding, Row, Share};

/// The version of these lines.
const SCHEMA: u64 = 1;

/// What is explored: the first line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The version of mxdrill: another may draw other outages.
    pub version: String,
    /// The name of the scenario.
    pub scenario: String,
    /// A number that is another for another scenario.
    pub fingerprint: u64,
    /// The seed.
    pub seed: u64,
    /// How many drills there are in all; `None` goes on until it is ended.
    pub seeds: Option<u64>,
    /// The families of faults.
    pub faults: Vec<String>,
    /// The share of the drills.
    pub share: Share,
    /// Whether it goes on after a finding.
    pub keep_going: bool,
}

/// How exploring ended: the last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Drills played.
    pub played: u64,
    /// Drills that failed.
    pub findings: u64,
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    Begin(Head),
    Finding(Finding),
    Coverage(Row),
    End(Tail),
}

impl Head {
    /// The first line, with its end.
    pub fn line(&self) -> String {
        line(json!({
            "type": "begin",
            "mxdrill": self.version,
            "schema": SCHEMA,
            "scenario": self.scenario,
            "fingerprint": format!("{:016x}", self.fingerprint),
            "seed": self.seed,
            "seeds": self.seeds,
            "faults": self.faults,
            "part": self.share.part(),
            "of": self.share.of(),
            "keep_going": self.keep_going,
        }))
    }

    /// Whether two are shares of one whole.
    pub(super) fn is_like(&self, other: &Head) -> bool {
        let whole = |head: &Head| Head { share: Share::WHOLE, ..head.clone() };
        whole(self) == whole(other) && self.share.of() == other.share.of()
    }
}

impl Finding {
    /// Its line, with its end.
    pub fn line(&self) -> String {
        line(json!({
            "type": if self.shrunk { "shrunk" } else { "finding" },
            "index": self.index,
            "claim": self.claim.word(),
            "rule": self.rule,
            "clause": self.clause,
            "host": self.host,
            "text": self.text,
            "steps": self.steps,
            "scenario_toml": self.toml,
        }))
    }
}

impl Explored {
    /// The lines that come after the findings, with their ends: what was shrunk, coverage, and the end.
    pub fn closing_lines(&self) -> String {
        let shrunk = self.findings.iter().filter(|finding| finding.shrunk).map(Finding::line);
        let rows = self.coverage.rows.iter().map(row);
        let end = line(json!({
            "type": "end",
            "played": self.played,
            "findings": self.findings.len(),
            "verdict": self.verdict().word(),
        }));
        shrunk.chain(rows).chain([end]).collect()
    }
}

fn row(row: &Row) -> String {
    line(json!({
        "type": "coverage",
        "fault": row.fault,
        "stage": row.stage,
        "on": row.on,
        "kind": row.kind,
        "drawn": row.drawn,
        "bitten": row.bitten,
    }))
}

fn line(value: Value) -> String {
    format!("{value}\n")
}

impl Line {
    /// Reads one line; the error says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Line, String> {
        let value: Value = serde_json::from_str(text).map_err(|why| why.to_string())?;
        let line = Fields(&value);
        Ok(match &*line.text("type")? {
            "begin" => Line::Begin(line.head()?),
            "finding" => Line::Finding(line.finding(false)?),
            "shrunk" => Line::Finding(line.finding(true)?),
            "coverage" => Line::Coverage(line.row()?),
            "end" => Line::End(Tail { played: line.number("played")?, findings: line.number("findings")? }),
            other => return Err(format!("`{other}` is no type of line")),
        })
    }
}

/// The fields of a line.
struct Fields<'a>(&'a Value);

impl Fields<'_> {
    fn head(&self) -> Result<Head, String> {
        if self.number("schema")? != SCHEMA {
            return Err(format!("schema {SCHEMA} was expected"));
        }
        let part = |name| self.number(name).map(|number| u32::try_from(number).unwrap_or(0));
        let faults = self.0["faults"].as_array().ok_or("`faults` is no list")?.iter();
        Ok(Head {
            version: self.text("mxdrill")?,
            scenario: self.text("scenario")?,
            fingerprint: u64::from_str_radix(&self.text("fingerprint")?, 16)
                .map_err(|why| why.to_string())?,
            seed: self.number("seed")?,
            seeds: self.0["seeds"].as_u64(),
            faults: faults.filter_map(|fault| fault.as_str().map(String::from)).collect(),
            share: Share::new(part("part")?, part("of")?).ok_or("`part` is no part `of`")?,
            keep_going: self.0["keep_going"] == true,
        })
    }

    fn finding(&self, shrunk: bool) -> Result<Finding, String> {
        let claim = match &*self.text("claim")? {
            "safety" => Claim::Safety,
            "progress" => Claim::Progress,
            other => return Err(format!("`{other}` is no claim")),
        };
        Ok(Finding {
            index: self.number("index")?,
            claim,
            rule: self.text("rule")?,
            clause: self.text("clause")?,
            host: self.0["host"].as_str().map(String::from),
            text: self.text("text")?,
            steps: usize::try_from(self.number("steps")?).map_err(|why| why.to_string())?,
            toml: self.text("scenario_toml")?,
            shrunk,
        })
    }

    fn row(&self) -> Result<Row, String> {
        Ok(Row {
            fault: self.text("fault")?,
            stage: self.text("stage")?,
            on: self.text("on")?,
            kind: self.text("kind")?,
            drawn: self.number("drawn")?,
            bitten: self.number("bitten")?,
        })
    }

    fn text(&self, name: &str) -> Result<String, String> {
        self.0[name].as_str().map(String::from).ok_or_else(|| format!("`{name}` is no text"))
    }

    fn number(&self, name: &str) -> Result<u64, String> {
        self.0[name].as_u64().ok_or_else(|| format!("`{name}` is no number"))
    }
}

/// What the lines of one share hold; a line that was cut off at the end is where it was killed.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    pub(super) head: Option<Head>,
    pub(super) findings: Vec<Finding>,
    pub(super) coverage: Coverage,
    pub(super) end: Option<Tail>,
}

impl Sheet {
    /// Reads the lines of one share.
    ///
    /// # Errors
    /// The number, from 1, of a line that is none, but for a last one without its end; and what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Sheet, (usize, String)> {
        let mut sheet = Sheet::default();
        for (place, line) in text.split_inclusive('\n').enumerate() {
            match Line::read(line) {
                Ok(line) => sheet.take(line).map_err(|why| (place + 1, why))?,
                Err(_) if !line.ends_with('\n') => break,
                Err(why) => return Err((place + 1, why)),
            }
        }
        Ok(sheet)
    }

    fn take(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Begin(head) if self.head.is_none() => self.head = Some(head),
            Line::Begin(_) => return Err("a second beginning".into()),
            _ if self.head.is_none() => return Err("a line before the beginning".into()),
            _ if self.end.is_some() => return Err("a line after the end".into()),
            Line::Finding(finding) => {
                match self.findings.iter_mut().find(|known| known.index == finding.index) {
                    Some(known) => *known = finding,
                    None => self.findings.push(finding),
                }
            }
            Line::Coverage(row) => self.coverage.rows.push(row),
            Line::End(end) => self.end = Some(end),
        }
        Ok(())
    }
}
