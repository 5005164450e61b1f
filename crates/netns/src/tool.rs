//! Running the programs that do the work: `ip`, `nft`, `unshare`, `mount`, and those of the mail servers.

use std::{
    io,
    process::{Command, Stdio},
};

/// Why a program did not do what it was run for.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It could not be started.
    #[error("`{command}` cannot be run: {source}")]
    Start {
        /// The command line.
        command: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// It failed.
    #[error("`{command}` failed: {said}")]
    Failed {
        /// The command line.
        command: String,
        /// What it said.
        said: String,
    },
    /// A file of the private network could not be written or read.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
}

/// Runs a command to its end and gives what it printed.
///
/// # Errors
/// When it cannot be started, or fails.
pub fn output(command: &mut Command) -> Result<String, ToolError> {
    let done = command.stdin(Stdio::null()).output();
    let done = done.map_err(|source| ToolError::Start { command: shown(command), source })?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    let said = [done.stderr, done.stdout].concat();
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let said = if said.is_empty() { done.status.to_string() } else { said };
    Err(ToolError::Failed { command: shown(command), said })
}

/// Runs a program with arguments, to its end.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<String, ToolError> {
    output(Command::new(program).args(arguments))
}

/// Runs words that stand in one text, separated by spaces.
pub(crate) fn words(line: &str) -> Result<String, ToolError> {
    let mut words = line.split_whitespace();
    let program = words.next().unwrap_or_default();
    output(Command::new(program).args(words))
}

/// The command line, for people.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    words.join(" ")
}

/// The first of the usual folders that has this program.
pub(crate) fn find(program: &str) -> Option<std::path::PathBuf> {
    let usual = ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"];
    usual.iter().map(|folder| std::path::Path::new(folder).join(program)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_says_which_command_and_what_it_said() {
        let why = run("ls", &["/nonexistent-for-sure"]).unwrap_err().to_string();
        assert!(why.starts_with("`ls /nonexistent-for-sure` failed: ls: cannot access"), "{why}");
        let why = words("no-such-program-at-all x").unwrap_err().to_string();
        assert!(why.starts_with("`no-such-program-at-all x` cannot be run"), "{why}");
    }

    #[test]
    fn what_is_printed_comes_back() {
        assert_eq!(words("echo a b").unwrap(), "a b\n");
    }
}
