//! The cell: the namespaces that a drill is played in, with all their processes, mounts and networks.
//!
//! A drill is a process of its own, the first of a private process namespace. When it ends, in whatever way, the
//! kernel kills every other process of that namespace, and with the last of them the mounts and networks vanish:
//! nothing has to be cleaned up by anybody. The process in turn ends when the pipe from its parent does.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    net::IpAddr,
    path::Path,
    process::{Command, ExitStatus},
};

use mxdrill_net::{Access, Tag};

use crate::{
    Adapter, Host, HostError, Station,
    firewall::Firewall,
    store::Install,
    tool::{self, ToolError},
};

/// Where a cell keeps the files of its hosts: in memory, and seen by nobody outside.
pub(crate) const FOLDER: &str = "/run/mxdrill";

/// The command that runs a program in a cell of its own, as its first process. Where the user is not root, the cell
/// has a user namespace with the user's range of subordinate ids as well.
pub fn command(program: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]);
    if !is_root() {
        command.args(["--user", "--map-root-user", "--map-auto"]);
    }
    command.arg("--").arg(program);
    command
}

/// Whether this process has the rights of root, in its own user namespace.
pub(crate) fn is_root() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let uids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    uids.and_then(|uids| uids.split_whitespace().nth(1)) == Some("0")
}

/// Makes the cell that this process is the first of fit to live in: memory for files, a loopback, a way for packets
/// between its hosts.
///
/// # Errors
/// When this is not the first process of a process namespace, or the kernel does not allow it.
fn furnish() -> Result<(), ToolError> {
    if std::process::id() != 1 {
        let source = io::Error::other("this is not the first process of a private process namespace");
        return Err(ToolError::File { path: "/proc/self".into(), source });
    }
    tool::words("mount -t tmpfs -o mode=755 tmpfs /run")?;
    make_folder(Path::new(FOLDER))?;
    tool::words("ip link set lo up")?;
    write("/proc/sys/net/ipv4/ip_forward", "1")
}

/// Writes a file.
pub(crate) fn write(path: impl AsRef<Path>, text: &str) -> Result<(), ToolError> {
    let path = path.as_ref();
    fs::write(path, text).map_err(|source| ToolError::File { path: path.display().to_string(), source })
}

/// Makes a folder, with those above it.
pub(crate) fn make_folder(path: &Path) -> Result<(), ToolError> {
    fs::create_dir_all(path).map_err(|source| ToolError::File { path: path.display().to_string(), source })
}

/// Ends this process, and so its cell, as soon as `parent` ends: it is the pipe from whoever asked for the drill.
///
/// # Errors
/// There is no thread to watch with.
pub fn end_with(mut parent: impl Read + Send + 'static) -> io::Result<()> {
    let watch = move || {
        let mut byte = [0];
        // nobody writes any more: what ends the wait is the end of the parent
        while !matches!(parent.read(&mut byte), Ok(0) | Err(_)) {}
        std::process::exit(ABANDONED);
    };
    std::thread::Builder::new().name("mxdrill-parent".into()).spawn(watch).map(drop)
}

/// The exit code of a cell whose parent has gone.
const ABANDONED: i32 = 70;

/// What became of a cell, for people.
pub fn fate(status: ExitStatus) -> String {
    match status.code() {
        Some(0) => "it ended without an outcome".into(),
        Some(code) => format!("it ended with code {code}"),
        None => format!("it was killed ({status})"),
    }
}

/// The inside of a cell: its harness, which owns the addresses of the hosts that are played, and the hosts that are
/// programs.
#[derive(Debug)]
pub struct Cell {
    hosts: Vec<Host>,
    firewall: Firewall,
}

impl Cell {
    /// Makes the cell that this process is the first of fit to live in. `hurried` says whether time is: then a door that
    /// is shut also resets the sessions that stand.
    ///
    /// # Errors
    /// When this is not the first process of a process namespace, or the kernel does not allow it.
    pub fn enter(hurried: bool) -> Result<Cell, ToolError> {
        furnish()?;
        Ok(Cell { hosts: Vec::new(), firewall: Firewall::new(None, hurried) })
    }

    /// Gives the harness an address.
    ///
    /// # Errors
    /// When the kernel does not take it.
    pub fn own(&mut self, address: IpAddr) -> Result<(), ToolError> {
        match address {
            IpAddr::V4(address) => tool::words(&format!("ip addr add {address}/32 dev lo")),
            IpAddr::V6(address) => tool::words(&format!("ip addr add {address}/128 dev lo nodad")),
        }
        .map(drop)
    }

    /// Makes a host that is a program, and starts it. Its number counts from zero.
    ///
    /// # Errors
    /// When it cannot be made, or does not begin to listen.
    pub fn join(&mut self, station: Station, adapter: Adapter, install: Install) -> Result<usize, HostError> {
        let number = self.hosts.len();
        let mut host = Host::new(station, adapter, install, number)?;
        host.start()?;
        self.hosts.push(host);
        Ok(number)
    }

    /// A host that is a program.
    pub fn host(&mut self, number: usize) -> Option<&mut Host> {
        self.hosts.get_mut(number)
    }

    /// All hosts that are programs.
    pub fn hosts(&mut self) -> &mut [Host] {
        &mut self.hosts
    }

    /// How connects to addresses of the harness are met from now on.
    ///
    /// # Errors
    /// When the packet filter does not take the rule.
    pub fn access(&mut self, addresses: &[IpAddr], access: Access) -> Result<(), ToolError> {
        self.firewall.meet(addresses, access)
    }

    /// Nothing passes from some addresses to others, or everything does again.
    ///
    /// # Errors
    /// When the packet filter does not take the rule.
    pub fn cut(&mut self, from: &[IpAddr], to: &[IpAddr], tag: Option<Tag>) -> Result<(), ToolError> {
        self.firewall.cut(from, to, tag)
    }

    /// The faults that bit since this was last asked, at the harness and at the doors of the hosts.
    ///
    /// # Errors
    /// When the packet filter does not tell.
    pub fn bitten(&mut self) -> Result<BTreeSet<Tag>, ToolError> {
        let mut bitten = self.firewall.bitten()?;
        for host in &mut self.hosts {
            bitten.extend(host.bitten()?);
        }
        Ok(bitten)
    }
}
