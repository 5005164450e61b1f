//! Which faults were drawn at which stage of which host, and which of them bit: what stays empty was never tried.

use super::{
    cell::{Cell, On},
    outage::Outage,
};

/// How often each kind of fault was drawn, and bit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The rows, in a fixed order.
    pub rows: Vec<Row>,
}

/// One kind of fault, at one stage, in one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The fault: `reply 4xx`.
    pub fault: String,
    /// The stage of the dialogue: `rcpt`; `-` where it is not in one.
    pub stage: String,
    /// What it is on: a host (`mx1`), a way (`app>mx1`), or a name and type (`example.test MX`).
    pub on: String,
    /// What that is: `host`, `link` or `dns`.
    pub kind: String,
    /// In how many drills it was drawn.
    pub drawn: u64,
    /// In how many of these it changed something.
    pub bitten: u64,
}

impl Coverage {
    pub(super) fn of(cells: &[Cell]) -> Coverage {
        let row = |cell: &Cell| Row {
            fault: cell.what.to_string(),
            stage: cell.what.stage().into(),
            on: cell.on.to_string(),
            kind: match cell.on {
                On::Host(_) => "host",
                On::Link(..) => "link",
                On::Dns(..) => "dns",
            }
            .into(),
            drawn: 0,
            bitten: 0,
        };
        Coverage { rows: cells.iter().map(row).collect() }
    }

    /// Counts a drill in which these faults bit.
    pub(super) fn add(&mut self, outage: &Outage, bitten: &[u32]) {
        for (tag, cell) in outage.cells.iter().enumerate() {
            let Some(row) = self.rows.get_mut(*cell) else { continue };
            row.drawn += 1;
            row.bitten += u64::from(bitten.contains(&(tag as u32)));
        }
    }

    /// Adds what others counted.
    pub(super) fn join(&mut self, other: &Coverage) {
        for row in &other.rows {
            let key = |row: &Row| (row.fault.clone(), row.stage.clone(), row.on.clone());
            match self.rows.iter_mut().find(|known| key(known) == key(row)) {
                Some(known) => {
                    known.drawn += row.drawn;
                    known.bitten += row.bitten;
                }
                None => self.rows.push(row.clone()),
            }
        }
    }

    /// What never bit.
    pub fn empty(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.bitten == 0)
    }
}
