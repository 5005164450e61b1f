//! The only place that speaks to the terminal.

use std::{
    io::{self, IsTerminal, Write},
    process::ExitCode,
};

use crate::{error::Error, exit::Exit};

/// Writes a whole text to the standard output. A reader that has gone away is no mistake.
pub(crate) fn out(text: &str) -> Result<(), Error> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(why)),
        _ => Ok(()),
    }
}

/// Whether reports may be coloured: only for people, and only if they want it (no-color.org).
pub(crate) fn is_colourful() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Whether somebody watches the standard error.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Prints what clap has to say: help on the standard output, mistakes on the standard error.
pub(crate) fn usage(why: &clap::Error) -> ExitCode {
    let _ = why.print(); // there is no other way to say it
    if why.use_stderr() { Exit::Mistake.into() } else { Exit::Passed.into() }
}

/// Prints a mistake, pointing at the text where there is one.
#[expect(clippy::print_stderr, reason = "this is where mistakes are said")]
pub(crate) fn mistake(why: Error) -> Exit {
    let exit = why.exit();
    match why.mistakes() {
        Some(mistakes) => mistakes.reports().for_each(|report| eprintln!("{report:?}")),
        None => eprintln!("{:?}", miette::Report::new(why)),
    }
    exit
}

/// Writes a remark beside a report.
#[expect(clippy::print_stderr, reason = "this is where remarks are made")]
pub(crate) fn note(text: &str) {
    eprint!("{text}");
}
