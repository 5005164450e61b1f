//! `mxdrill profiles`: what each profile does, as a table.

use std::time::Duration;

use mxdrill::profiles::{ProfileLine, profiles};
use serde_json::json;

use crate::{
    arguments::{Profiles, Table},
    error::Error,
    exit::Exit,
    table, terminal,
};

/// Prints a line a profile.
pub(crate) fn list(arguments: &Profiles) -> Result<Exit, Error> {
    let lines = profiles();
    let text = match arguments.format {
        Table::Text => text(&lines),
        Table::Markdown => table::markdown(&HEAD, &rows(&lines)),
        Table::Json => json(&lines),
    };
    terminal::out(&text)?;
    Ok(Exit::Passed)
}

const HEAD: [&str; 11] = [
    "profile",
    "models",
    "retries",
    "lifetime",
    "last attempt",
    "connect",
    "MX tried",
    "5xx greeting, at the last host",
    "delay notice",
    "TLS policies",
    "source",
];

/// Two tables, so that each fits on a screen: what it does, and what it models.
fn text(lines: &[ProfileLine]) -> String {
    let pick = |columns: &[usize]| {
        let head: Vec<&str> = columns.iter().map(|column| HEAD[*column]).collect();
        let cells = |row: Vec<String>| columns.iter().map(|column| row[*column].clone()).collect();
        table::text(&head, &rows(lines).into_iter().map(cells).collect::<Vec<_>>())
    };
    format!("{}\n{}", pick(&[0, 3, 4, 5, 6, 7, 8, 2]), pick(&[0, 1, 9, 10]))
}

fn rows(lines: &[ProfileLine]) -> Vec<Vec<String>> {
    lines.iter().map(row).collect()
}

fn row(line: &ProfileLine) -> Vec<String> {
    let notice: Vec<String> = line.warns.iter().map(|after| span(*after)).collect();
    vec![
        line.name.into(),
        line.about.into(),
        line.schedule.clone(),
        line.lifetime.clone(),
        hours(line.last_attempt),
        span(line.connect),
        line.mx.clone(),
        line.greeting_5xx.join(", "),
        if notice.is_empty() { "none".into() } else { notice.join(", ") },
        policies(line),
        line.source.into(),
    ]
}

fn policies(line: &ProfileLine) -> String {
    match (line.dane, line.mta_sts) {
        (true, true) => "DANE, MTA-STS",
        (true, false) => "DANE",
        (false, true) => "MTA-STS",
        (false, false) => "none",
    }
    .into()
}

fn span(time: Duration) -> String {
    mxdrill::Span(time).to_string()
}

/// Hours with one decimal, in which the schedules of MTAs are told apart.
fn hours(time: Duration) -> String {
    format!("{:.1} h", time.as_secs_f64() / 3600.0)
}

fn json(lines: &[ProfileLine]) -> String {
    let profile = |line: &ProfileLine| {
        json!({
            "profile": line.name,
            "about": line.about,
            "schedule": line.schedule,
            "lifetime": line.lifetime,
            "last_attempt_seconds": line.last_attempt.as_secs_f64(),
            "given_up_seconds": line.given_up.as_secs_f64(),
            "connect_seconds": line.connect.as_secs_f64(),
            "mx": line.mx,
            "greeting_5xx": { "more": line.greeting_5xx[0], "last": line.greeting_5xx[1] },
            "delay_notice_seconds": line.warns.iter().map(Duration::as_secs_f64).collect::<Vec<_>>(),
            "dane": line.dane,
            "mta_sts": line.mta_sts,
            "source": line.source,
        })
    };
    let all: Vec<_> = lines.iter().map(profile).collect();
    let document = json!({ "mxdrill": env!("CARGO_PKG_VERSION"), "schema": 1, "profiles": all });
    format!("{document:#}\n")
}
