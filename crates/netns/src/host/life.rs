//! The life of a program on its host: a process namespace of its own, so that its death is the death of all its
//! processes at once, as in a power cut.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use super::{Host, HostError};
use crate::tool::{self, ToolError};

/// A program under way.
#[derive(Debug)]
pub(super) struct Life {
    /// The parent of the first process of the namespace.
    child: Child,
}

/// How long a program may take until it listens.
const READY: Duration = Duration::from_secs(20);
/// How often it is looked whether it does.
const LOOK: Duration = Duration::from_millis(50);

impl Host {
    /// Starts the program and waits until it listens on port 25.
    ///
    /// # Errors
    /// When it cannot be started, or does not listen after a while.
    pub fn start(&mut self) -> Result<(), HostError> {
        let out = self.path("/var/log/out");
        let file = |source| ToolError::File { path: out.display().to_string(), source };
        let log = File::options().create(true).append(true).open(&out).map_err(file)?;
        let mut command = self.inside();
        command.args(["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]);
        command.arg(&self.adapter.start_line(&self.values())?);
        command.stdin(Stdio::null()).stderr(log.try_clone().map_err(file)?).stdout(log);
        let started = |source| ToolError::Start { command: self.adapter.start.clone(), source };
        self.life = Some(Life { child: command.spawn().map_err(started)? });
        self.wait_until_it_listens()
    }

    fn wait_until_it_listens(&mut self) -> Result<(), HostError> {
        for _ in 0..READY.as_millis() / LOOK.as_millis() {
            if self.listens()? {
                return Ok(());
            }
            if !self.is_alive() {
                break;
            }
            wait(LOOK);
        }
        let said = fs::read_to_string(self.path("/var/log/out")).unwrap_or_default();
        let log = fs::read_to_string(self.path(&self.adapter.log)).unwrap_or_default();
        let said = said.lines().chain(log.lines()).rev().take(3).collect::<Vec<_>>().join(" / ");
        Err(HostError::Deaf { label: self.station.label.clone(), said })
    }

    fn listens(&self) -> Result<bool, ToolError> {
        let listed = tool::output(self.inside().args(["ss", "-Hltn", "sport = :25"]))?;
        Ok(!listed.trim().is_empty())
    }

    /// Whether the program was started and not killed since.
    pub fn is_up(&self) -> bool {
        self.life.is_some()
    }

    /// Whether the program really runs.
    pub fn is_alive(&mut self) -> bool {
        self.life.as_mut().is_some_and(|life| matches!(life.child.try_wait(), Ok(None)))
    }

    /// Kills every process of the program, without a word, and waits until the last is gone.
    ///
    /// # Errors
    /// When something of it cannot be killed.
    pub fn kill(&mut self) -> Result<(), ToolError> {
        let Some(mut life) = self.life.take() else { return Ok(()) };
        let first = first_child(life.child.id());
        if let Some(first) = first.filter(|first| is_running(*first)) {
            // by its number: a program that changes its user outlives its parent
            tool::run("sh", &["-c", &format!("kill -KILL {first}")])?;
        }
        if life.child.kill().is_ok() {
            let _ = life.child.wait();
        }
        // the first process of a namespace is gone when all the others are (pid_namespaces(7))
        for _ in 0..READY.as_millis() / LOOK.as_millis() {
            if !first.is_some_and(is_running) {
                return Ok(());
            }
            wait(LOOK);
        }
        let command = format!("kill -KILL {}", first.unwrap_or_default());
        Err(ToolError::Failed { command, said: "the process is still there".into() })
    }

    /// A path of the host, as it is seen from outside of it.
    pub(super) fn path(&self, inside: &str) -> std::path::PathBuf {
        self.folder.join(inside.trim_start_matches('/'))
    }
}

fn first_child(process: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}

/// Whether a process exists and is no zombie (proc(5): the state stands behind the name in parentheses).
fn is_running(process: u32) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(process.to_string()).join("stat"));
    stat.is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with('Z')))
}

/// Waits in real time: a program that is not ours takes as long as it takes.
#[expect(clippy::disallowed_methods, reason = "a real program takes real time to come and to go")]
pub(crate) fn wait(lasting: Duration) {
    std::thread::sleep(lasting);
}
