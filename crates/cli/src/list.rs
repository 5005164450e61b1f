//! `mxdrill list`: what there is to play.

use crate::{arguments::List, drills, error::Error, exit::Exit, terminal};

/// Prints a line a scenario.
pub(crate) fn list(arguments: &List) -> Result<Exit, Error> {
    let chosen = match arguments.scenarios.is_empty() {
        true => drills::catalogue()?,
        false => drills::choose(&arguments.scenarios)?,
    };
    let width = chosen.iter().map(|chosen| chosen.word.len()).max().unwrap_or_default();
    let line = |chosen: &drills::Chosen| format!("{:width$}  {}\n", chosen.word, chosen.scenario.title);
    terminal::out(&chosen.iter().map(line).collect::<String>())?;
    Ok(if chosen.is_empty() { Exit::Nothing } else { Exit::Passed })
}
