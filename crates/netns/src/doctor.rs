//! What this machine has and lacks for private networks with real mail servers, and the command that helps.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    Adapter, cell,
    store::{self, Install},
    tool,
};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What: `nft`, `postfix`.
    pub what: String,
    /// What was found: a path or a version; otherwise what is missing.
    pub found: Result<String, String>,
    /// The command, or the change, that helps where something is missing.
    pub help: Option<String>,
    /// Whether no drill can be played without it; a mail server is needed by the drills that run it only.
    pub needed: bool,
}

/// Programs that every drill needs: name, Debian package.
const PROGRAMS: [(&str, &str); 6] = [
    ("unshare", "util-linux"),
    ("nsenter", "util-linux"),
    ("mount", "mount"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("awk", "mawk"),
];

/// Things that only a trial can tell: what, a script for the inside of a cell, what helps where it fails.
const TRIALS: [(&str, &str, &str); 3] = [
    (
        "virtual wires",
        "ip link add wire0 type veth peer name wire1",
        "a kernel with CONFIG_VETH (modprobe veth)",
    ),
    (
        "packet filter",
        "nft add table inet t && nft add counter inet t c && nft -j list counters",
        "a kernel with CONFIG_NF_TABLES_INET (modprobe nf_tables)",
    ),
    (
        "overlays",
        "mount -t tmpfs tmpfs /mnt && mkdir /mnt/a && mount -t overlay overlay -o lowerdir=/mnt/a:/etc /etc",
        "a kernel with CONFIG_OVERLAY_FS, from 5.11 on for ordinary users (modprobe overlay)",
    ),
];

/// Looks at everything. `binary` says where unpacked servers may lie, see [`store::folders`].
pub fn examine(binary: Option<&Path>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = PROGRAMS.iter().map(|(name, package)| program(name, package)).collect();
    findings.push(rights());
    if findings.iter().all(|finding| finding.found.is_ok()) {
        let namespaces = trial("namespaces", "true", namespaces_help());
        let works = namespaces.found.is_ok();
        findings.push(namespaces);
        if works {
            findings.extend(TRIALS.iter().map(|(what, script, help)| trial(what, script, (*help).into())));
        }
    }
    let folders = store::folders(binary);
    findings.extend(Adapter::all().unwrap_or_default().iter().map(|adapter| server(adapter, &folders)));
    findings
}

/// Whether drills can be played at all; mail servers aside.
pub fn is_fit(findings: &[Finding]) -> bool {
    let tried = findings.iter().any(|finding| finding.what == "namespaces");
    tried && findings.iter().all(|finding| !finding.needed || finding.found.is_ok())
}

fn program(name: &str, package: &str) -> Finding {
    let found = tool::find(name);
    Finding {
        what: name.into(),
        help: found.is_none().then(|| format!("apt-get install {package}")),
        found: found.map(|path| path.display().to_string()).ok_or_else(|| "not installed".into()),
        needed: true,
    }
}

/// Root may do everything; others need a range of ids, so that mail servers find their users.
fn rights() -> Finding {
    let what = "rights".to_owned();
    let fine = |text: &str| Finding { what: what.clone(), found: Ok(text.into()), help: None, needed: true };
    if cell::is_root() {
        return fine("root");
    }
    let lacks = |text: &str, help: String| Finding {
        what: what.clone(),
        found: Err(text.into()),
        help: Some(help),
        needed: true,
    };
    if tool::find("newuidmap").is_none() {
        return lacks("newuidmap is not installed", "apt-get install uidmap, or run as root".into());
    }
    let user = tool::run("id", &["-un"]).unwrap_or_default();
    let user = user.trim();
    let has_range = |path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().any(|line| line.split(':').next() == Some(user))
    };
    if !has_range("/etc/subuid") || !has_range("/etc/subgid") {
        let help = format!("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}");
        return lacks("no subordinate ids", help);
    }
    fine("an ordinary user with subordinate ids")
}

fn namespaces_help() -> String {
    if cell::is_root() {
        "a container must allow it: docker run --privileged".into()
    } else {
        "sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0".into()
    }
}

/// Runs a script in a cell.
fn trial(what: &str, script: &str, help: String) -> Finding {
    let mut command: Command = cell::command(Path::new("/bin/sh"));
    let done = tool::output(command.args(["-c", script]));
    let found = done.map(|_| "works".to_owned()).map_err(|why| why.to_string());
    Finding { what: what.into(), help: found.is_err().then_some(help), found, needed: true }
}

fn server(adapter: &Adapter, folders: &[PathBuf]) -> Finding {
    let found = store::find(adapter, folders).map(|install| place(&install, adapter));
    Finding {
        what: adapter.name.clone(),
        help: found.is_none().then(|| "cargo xtask mta fetch".into()),
        found: found.ok_or_else(|| "neither unpacked nor installed".into()),
        needed: false,
    }
}

fn place(install: &Install, adapter: &Adapter) -> String {
    match install.is_aside() {
        true => format!("unpacked in {}", install.root.display()),
        false => format!("installed, {}", adapter.program),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(what: &str, found: bool, needed: bool) -> Finding {
        let found = if found { Ok("there".into()) } else { Err("not there".into()) };
        Finding { what: what.into(), found, help: None, needed }
    }

    #[test]
    fn a_machine_is_fit_when_all_that_is_needed_works() {
        let namespaces = |works| finding("namespaces", works, true);
        assert!(is_fit(&[finding("nft", true, true), namespaces(true), finding("exim", false, false)]));
        assert!(!is_fit(&[finding("nft", false, true), namespaces(true)]));
        assert!(!is_fit(&[namespaces(false)]));
        assert!(!is_fit(&[finding("nft", true, true)]), "what was not tried is not known");
    }

    #[test]
    fn what_is_missing_comes_with_what_helps() {
        let found = program("no-such-program-at-all", "some-package");
        assert_eq!(found.found, Err("not installed".into()));
        assert_eq!(found.help.as_deref(), Some("apt-get install some-package"));
        for finding in examine(None) {
            assert_eq!(finding.found.is_err(), finding.help.is_some(), "{finding:?}");
        }
    }
}
