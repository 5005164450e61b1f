//! `mxdrill compare`: one scenario over many profiles, as a matrix.

use mxdrill::{
    Spread,
    compare::{self, Lineup, Row, Variant, spoken},
};
use serde_json::{Value, json};

use crate::{
    arguments::{Compare, Table},
    drills::{self, Chosen},
    error::Error,
    exit::Exit,
    jobs,
    progress::Progress,
    table, terminal,
};

/// Plays the scenario over the profiles, and prints what each play came to.
pub(crate) fn compare(arguments: &Compare) -> Result<Exit, Error> {
    let chosen = chosen(&arguments.scenario)?;
    let lineup = Lineup {
        sender: profiles(arguments.sender.as_deref())?,
        backup: profiles(arguments.backup.as_deref())?,
        primary: profiles(arguments.primary.as_deref())?,
    };
    let no_host = |why| Error::NoHost(chosen.scenario.name.clone(), why);
    let variants = compare::variants(&chosen.scenario, &lineup).map_err(no_host)?;
    let rows = play(&variants, arguments);
    let seed = arguments.seed.unwrap_or(chosen.scenario.seed);
    let text = match arguments.format {
        Table::Text => text(&chosen, seed, &rows),
        Table::Markdown => markdown(&chosen, seed, &rows),
        Table::Json => json(&chosen, seed, &rows),
    };
    terminal::out(&text)?;
    Ok(if rows.iter().all(|row| row.played.is_ok()) { Exit::Passed } else { Exit::Unknown })
}

fn chosen(word: &str) -> Result<Chosen, Error> {
    let mut chosen = drills::choose(&[word.to_owned()])?;
    match (chosen.pop(), chosen.len()) {
        (Some(only), 0) => Ok(only),
        (_, more) => Err(Error::Several(word.into(), more + 1)),
    }
}

fn profiles(list: Option<&str>) -> Result<Vec<&'static str>, Error> {
    Ok(list.map(Lineup::profiles).transpose()?.unwrap_or_default())
}

fn play(variants: &[Variant], arguments: &Compare) -> Vec<Row> {
    let progress = Progress::of(variants.len());
    let name = |variant: &Variant| format!("{} {}", variant.cast.sender, variant.cast.backup);
    let rows = jobs::each(
        variants,
        arguments.jobs,
        |variant| variant.play(arguments.seed),
        |variant, _| progress.done(&name(variant)),
    );
    progress.end();
    rows
}

const HEAD: [&str; 14] = [
    "sender",
    "backup",
    "primary",
    "sent",
    "delivered",
    "failover",
    "bounced",
    "lost",
    "missed",
    "drained",
    "p50",
    "p95",
    "max",
    "duplicated",
];

/// Heads and cells; the primary has a column only where it is one of several.
fn matrix(rows: &[Row]) -> (Vec<&'static str>, Vec<Vec<String>>) {
    let mut head: Vec<&str> = HEAD.into_iter().chain(["verdict"]).collect();
    let mut cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    if rows.iter().all(|row| row.cast.primary == rows[0].cast.primary) {
        head.remove(PRIMARY);
        cells.iter_mut().for_each(|row| drop(row.remove(PRIMARY)));
    }
    (head, cells)
}

const PRIMARY: usize = 2;

fn cells(row: &Row) -> Vec<String> {
    let cast = &row.cast;
    let mut cells = vec![cast.sender.clone(), cast.backup.clone(), cast.primary.clone()];
    match &row.played {
        Err(_) => cells.resize(HEAD.len(), "-".into()),
        Ok(outcome) => {
            let (counts, drain) = (&outcome.counts, outcome.drained);
            cells.extend([
                counts.sent.to_string(),
                counts.delivered.to_string(),
                spoken(outcome.failover.max),
                (counts.bounced + counts.discarded).to_string(),
                counts.lost.to_string(),
                percent(row.missed_basis_points()),
                format!("{}/{}", drain.n, outcome.held_at_repair),
                spoken(drain.p50),
                spoken(drain.p95),
                spoken(drain.max),
                counts.duplicated.to_string(),
            ]);
        }
    }
    cells.push(row.verdict());
    cells
}

fn percent(basis_points: u64) -> String {
    format!("{}.{} %", basis_points / 100, basis_points % 100 / 10)
}

fn title(chosen: &Chosen, seed: u64, rows: &[Row]) -> String {
    let scenario = &chosen.scenario;
    format!("{}   {}   sim   seed {seed}   {} plays", scenario.name, scenario.title, rows.len())
}

/// What was dropped, each line once.
fn notes(rows: &[Row]) -> Vec<&str> {
    let mut notes: Vec<&str> = Vec::new();
    for note in rows.iter().flat_map(|row| &row.notes) {
        if !notes.contains(&note.as_str()) {
            notes.push(note);
        }
    }
    notes
}

fn text(chosen: &Chosen, seed: u64, rows: &[Row]) -> String {
    let mut text = format!("{}\n\n", title(chosen, seed, rows));
    let (head, cells) = matrix(rows);
    text += &table::text(&head, &cells);
    let notes = notes(rows);
    if !notes.is_empty() {
        text += "\n";
        notes.iter().for_each(|note| text += &format!("{note}\n"));
    }
    text
}

fn markdown(chosen: &Chosen, seed: u64, rows: &[Row]) -> String {
    let mut text = format!("{}\n\n", title(chosen, seed, rows));
    let (head, cells) = matrix(rows);
    text += &table::markdown(&head, &cells);
    for note in notes(rows) {
        text += &format!("\n- {note}");
    }
    text.trim_end().to_owned() + "\n"
}

fn json(chosen: &Chosen, seed: u64, rows: &[Row]) -> String {
    let (played, skipped): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.played.is_ok());
    let document = json!({
        "mxdrill": env!("CARGO_PKG_VERSION"),
        "schema": 1,
        "scenario": chosen.scenario.name,
        "title": chosen.scenario.title,
        "world": "sim",
        "seed": seed,
        "rows": played.iter().filter_map(|row| object(row)).collect::<Vec<_>>(),
        "skipped": skipped.iter().map(|row| left_out(row)).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn object(row: &Row) -> Option<Value> {
    let outcome = row.played.as_ref().ok()?;
    let counts = &outcome.counts;
    Some(json!({
        "sender": row.cast.sender,
        "backup": row.cast.backup,
        "primary": row.cast.primary,
        "verdict": outcome.verdict.word(),
        "rules": rules(row),
        "counts": {
            "sent": counts.sent,
            "delivered": counts.delivered,
            "bounced": counts.bounced,
            "discarded": counts.discarded,
            "rejected": counts.rejected,
            "queued": counts.queued,
            "lost": counts.lost,
            "duplicated": counts.duplicated,
        },
        "missed_share": row.missed_basis_points() as f64 / 10_000.0,
        "failover": spread(outcome.failover),
        "drain": { "held": outcome.held_at_repair, "delivered": spread(outcome.drained) },
        "delay": spread(outcome.delay),
        "notes": row.notes,
    }))
}

fn rules(row: &Row) -> Vec<&'static str> {
    let violations = row.played.as_ref().map(|outcome| outcome.violations.as_slice()).unwrap_or_default();
    let mut rules: Vec<&str> = violations.iter().map(|violation| violation.rule).collect();
    rules.dedup();
    rules
}

fn left_out(row: &Row) -> Value {
    let reason = row.played.as_ref().err().map(ToString::to_string);
    json!({ "sender": row.cast.sender, "backup": row.cast.backup, "primary": row.cast.primary, "reason": reason })
}

fn spread(spread: Spread) -> Value {
    let seconds = |time: Option<std::time::Duration>| time.map(|time| time.as_secs_f64());
    json!({ "n": spread.n, "p50": seconds(spread.p50), "p95": seconds(spread.p95), "max": seconds(spread.max) })
}
