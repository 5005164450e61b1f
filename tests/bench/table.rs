//! What was measured, for people and for machines.

use std::{fs, io, path::Path};

use serde_json::{Value, json};

use crate::say;

/// The middle of several rounds, and how far they lie apart.
#[derive(Clone, Copy, Debug)]
struct Spread {
    median: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn of(rounds: impl IntoIterator<Item = f64>) -> Spread {
        let mut rounds: Vec<f64> = rounds.into_iter().collect();
        rounds.sort_by(f64::total_cmp);
        match (rounds.first(), rounds.last()) {
            (Some(least), Some(most)) => {
                Spread { median: rounds[rounds.len() / 2], least: *least, most: *most }
            }
            _ => Spread { median: f64::NAN, least: f64::NAN, most: f64::NAN },
        }
    }

    fn json(self) -> Value {
        json!({ "median": self.median, "least": self.least, "most": self.most })
    }
}

/// One figure.
pub(crate) struct Row {
    what: String,
    unit: &'static str,
    figure: Spread,
    /// What it was measured beside, that figure, and the ratio of the two round by round.
    yardstick: Option<(&'static str, Spread, Spread)>,
    mark: Mark,
}

/// Which figure of a row must not get worse, whatever the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The ratio to the yardstick: more is better.
    Ratio,
    /// The figure itself: less is better.
    Figure,
    /// None: it depends on the machine.
    None,
}

impl Row {
    /// A figure without a yardstick.
    pub(crate) fn alone(what: &str, unit: &'static str, rounds: &[f64]) -> Row {
        Row {
            what: what.into(),
            unit,
            figure: Spread::of(rounds.iter().copied()),
            yardstick: None,
            mark: Mark::None,
        }
    }

    /// Rounds of a figure and of its yardstick, taken in turn.
    pub(crate) fn beside(what: &str, unit: &'static str, other: &'static str, rounds: &[(f64, f64)]) -> Row {
        let ratio = Spread::of(rounds.iter().map(|(ours, theirs)| ours / theirs));
        let theirs = Spread::of(rounds.iter().map(|(_, theirs)| *theirs));
        let figure = Spread::of(rounds.iter().map(|(ours, _)| *ours));
        Row { what: what.into(), unit, figure, yardstick: Some((other, theirs, ratio)), mark: Mark::Ratio }
    }

    /// Its figure says something on every machine, and less is better.
    pub(crate) fn at_most(self) -> Row {
        Row { mark: Mark::Figure, ..self }
    }

    /// Its ratio is no promise.
    pub(crate) fn without_mark(self) -> Row {
        Row { mark: Mark::None, ..self }
    }

    fn line(&self) -> String {
        let Spread { median, least, most } = self.figure;
        let mut line = format!(
            "{:34} {:>10} {} ({} to {})",
            self.what,
            short(median),
            self.unit,
            short(least),
            short(most)
        );
        if let Some((other, theirs, ratio)) = &self.yardstick {
            let Spread { median, least, most } = ratio;
            let theirs = short(theirs.median);
            line += &format!("; {median:.3} of {other}, {theirs} ({least:.3} to {most:.3})");
        }
        line
    }

    fn json(&self) -> Value {
        let mut value = json!({ "what": self.what, "unit": self.unit, "figure": self.figure.json() });
        if let Some((other, theirs, ratio)) = &self.yardstick {
            value["beside"] = json!({ "what": other, "figure": theirs.json(), "ratio": ratio.json() });
        }
        value
    }
}

/// All figures; each is shown as soon as it is known.
#[derive(Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
    left_out: Vec<String>,
}

impl Table {
    /// Takes in a figure.
    pub(crate) fn add(&mut self, row: Row) {
        say(&row.line());
        self.rows.push(row);
    }

    /// Says what cannot be measured here, and why.
    pub(crate) fn leave_out(&mut self, what: &str) {
        say(&format!("left out: {what}"));
        self.left_out.push(what.into());
    }

    /// What can be compared from machine to machine: name, middle, and of which kind.
    pub(crate) fn marks(&self) -> impl Iterator<Item = (&str, f64, Mark)> {
        self.rows.iter().filter_map(|row| match (row.mark, &row.yardstick) {
            (Mark::Ratio, Some((_, _, ratio))) => Some((row.what.as_str(), ratio.median, row.mark)),
            (Mark::Figure, _) => Some((row.what.as_str(), row.figure.median, row.mark)),
            _ => None,
        })
    }

    /// Writes everything for machines.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        let text = json!({ "figures": rows, "left-out": self.left_out });
        fs::write(path, format!("{text:#}\n"))
    }
}

/// Three digits that count.
fn short(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}
