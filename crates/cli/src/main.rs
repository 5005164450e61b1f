//! The command line of mxdrill.

mod arguments;
mod compare;
mod doctor;
mod drills;
mod error;
mod exit;
mod explore;
mod jobs;
mod list;
mod merge;
mod profiles;
mod progress;
mod regress;
mod run;
mod table;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};
use error::Error;
use exit::Exit;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(why) => return terminal::usage(&why),
    };
    let exit = match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Explore(arguments) => explore::explore(&arguments),
        Command::Merge(arguments) => merge::merge(&arguments),
        Command::List(arguments) => list::list(&arguments),
        Command::Regress(arguments) => regress::regress(&arguments),
        Command::Profiles(arguments) => profiles::list(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Schema => schema(),
        Command::Doctor => doctor::doctor(),
        Command::NetnsDrill => doctor::drill(),
        Command::Completions { shell } => completions(shell),
    };
    exit.unwrap_or_else(terminal::mistake).into()
}

/// Prints the JSON Schema of scenario files.
fn schema() -> Result<Exit, Error> {
    terminal::out(&format!("{:#}\n", mxdrill::scenario::schema()))?;
    Ok(Exit::Passed)
}

/// Prints what a shell needs to complete the command line.
fn completions(shell: clap_complete::Shell) -> Result<Exit, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "mxdrill", &mut script);
    terminal::out(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Passed)
}
