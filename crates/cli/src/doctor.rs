//! Private networks: `mxdrill doctor` says what this machine has and lacks for them, and each drill in one is a process
//! of its own.

use crate::{error::Error, exit::Exit, terminal};

/// Says what was found, line by line, and whether it is enough.
#[cfg(target_os = "linux")]
pub(crate) fn doctor() -> Result<Exit, Error> {
    use mxdrill::doctor::{examine, is_fit};

    let findings = examine(std::env::current_exe().ok().as_deref());
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or_default();
    let mut text = String::new();
    for finding in &findings {
        let (word, found) = match &finding.found {
            Ok(found) => ("has  ", found),
            Err(missing) => ("lacks", missing),
        };
        text += &format!("{word}  {:width$}  {found}\n", finding.what);
        if let Some(help) = &finding.help {
            text += &format!("       {:width$}  -> {help}\n", "");
        }
    }
    let fit = is_fit(&findings);
    text += match fit {
        true => "drills can be played in private networks (--world netns)\n",
        false => "drills cannot be played in private networks (--world netns) yet\n",
    };
    terminal::out(&text)?;
    Ok(if fit { Exit::Passed } else { Exit::Unknown })
}

/// Private networks are a thing of Linux.
#[cfg(not(target_os = "linux"))]
pub(crate) fn doctor() -> Result<Exit, Error> {
    terminal::out("lacks  Linux: private networks are a thing of its kernel\n")?;
    Ok(Exit::Unknown)
}

/// Plays the drill that comes in by the standard input.
#[cfg(target_os = "linux")]
pub(crate) fn drill() -> Result<Exit, Error> {
    mxdrill::netns_drill().map(|()| Exit::Passed).map_err(Error::Output)
}

/// Private networks are a thing of Linux.
#[cfg(not(target_os = "linux"))]
pub(crate) fn drill() -> Result<Exit, Error> {
    Ok(Exit::Unknown)
}
