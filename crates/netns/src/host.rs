//! A host that is a program: its own network, files and users, and the life of the program on it.

mod files;
mod life;
mod mail;

use std::{
    io::{BufRead, BufReader},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use mxdrill_net::{Access, Tag};

pub use mail::{Arrived, Queued};

use crate::{
    Adapter, TemplateError,
    adapter::Values,
    cell,
    firewall::Firewall,
    store::Install,
    tool::{self, ToolError},
};

/// The address that the harness has on every wire (RFC 6598): the way out for a host, which leads to the other hosts
/// and nowhere else.
pub(crate) const ROUTER: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);

/// What a host is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Station {
    /// What reports call it.
    pub label: String,
    /// Its name in the DNS.
    pub name: String,
    /// Its addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Domains that it delivers.
    pub delivers: Vec<String>,
    /// Domains that it relays.
    pub relays: Vec<String>,
    /// Clients for which it relays anything.
    pub trusted: Vec<IpAddr>,
    /// The mailboxes it knows; `None` takes any.
    pub recipients: Option<Vec<String>>,
    /// The name server.
    pub resolver: Option<IpAddr>,
    /// Whether retries are hurried, so that a drill ends in a minute.
    pub tuned: bool,
}

/// Why a host could not be made, or asked.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A program that does the work failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A template of the adapter is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The program did not begin to listen.
    #[error("{label} does not listen on port 25; it said: {said}")]
    Deaf {
        /// The host.
        label: String,
        /// The end of its log.
        said: String,
    },
    /// The adapter says something that makes no sense.
    #[error("the adapter `{adapter}`: {why}")]
    Adapter {
        /// Which.
        adapter: String,
        /// Why not.
        why: String,
    },
}

/// A host.
#[derive(Debug)]
pub struct Host {
    station: Station,
    adapter: Adapter,
    install: Install,
    /// Holds the namespaces of the host, whether the program runs or not.
    holder: Child,
    /// Its files.
    folder: PathBuf,
    firewall: Firewall,
    life: Option<life::Life>,
    /// Files of the inbox that were seen.
    seen: std::collections::BTreeSet<String>,
}

impl Host {
    /// Makes a host and joins it to the harness by a wire; its program does not run yet. `number` tells its wire
    /// from others.
    pub(crate) fn new(
        station: Station,
        adapter: Adapter,
        install: Install,
        number: usize,
    ) -> Result<Host, HostError> {
        let holder = hold()?;
        let mut host = Host {
            folder: PathBuf::from(cell::FOLDER).join(&station.label),
            firewall: Firewall::new(Some(holder.id()), station.tuned),
            station,
            adapter,
            install,
            holder,
            life: None,
            seen: Default::default(),
        };
        host.wire(number)?;
        host.lay_files()?;
        Ok(host)
    }

    /// What it is.
    pub fn station(&self) -> &Station {
        &self.station
    }

    /// What is known of its program.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Lays the wire and gives both ends their addresses.
    fn wire(&self, number: usize) -> Result<(), ToolError> {
        let process = self.holder.id();
        let wire = format!("wire{number}");
        tool::words(&format!("ip link add {wire} type veth peer name eth0 netns {process}"))?;
        tool::words(&format!("ip addr add {ROUTER}/32 dev {wire}"))?;
        tool::words(&format!("ip link set {wire} up"))?;
        let mut inside = String::from("set -e; ip link set lo up; ip link set eth0 up;");
        for address in &self.station.addresses {
            tool::words(&format!("ip route add {address}/32 dev {wire}"))?;
            inside += &format!(" ip addr add {address}/32 dev eth0;");
        }
        inside += &format!(" ip route add {ROUTER} dev eth0 scope link;");
        let own = self.station.addresses.first().copied().unwrap_or(Ipv4Addr::UNSPECIFIED);
        inside += &format!(" ip route add default via {ROUTER} dev eth0 src {own};");
        if self.station.tuned {
            // two SYNs, 3 s in all, where eleven would take 134 s
            inside += " echo 1 >/proc/sys/net/ipv4/tcp_syn_retries;";
        }
        inside += &format!(" hostname {}", self.station.name);
        self.sh(&inside).map(drop)
    }

    /// Runs a line of `sh` on the host, to its end.
    pub(crate) fn sh(&self, line: &str) -> Result<String, ToolError> {
        tool::output(self.inside().args(["sh", "-c", line]))
    }

    /// A command that enters the host; what it is to run there is added.
    fn inside(&self) -> Command {
        let mut command = Command::new("nsenter");
        let process = self.holder.id().to_string();
        command.args(["--target", &process, "--mount", "--net", "--uts", "--ipc", "--"]);
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", "/").env("LC_ALL", "C");
        command.current_dir("/");
        command
    }

    /// How connects are met from now on.
    ///
    /// # Errors
    /// When the packet filter does not take the rule.
    pub fn access(&mut self, access: Access) -> Result<(), ToolError> {
        let addresses: Vec<IpAddr> = self.station.addresses.iter().map(|own| IpAddr::V4(*own)).collect();
        self.firewall.meet(&addresses, access)
    }

    /// The faults that bit at its door since this was last asked.
    ///
    /// # Errors
    /// When the packet filter does not tell.
    pub fn bitten(&mut self) -> Result<std::collections::BTreeSet<Tag>, ToolError> {
        self.firewall.bitten()
    }

    /// What templates are filled with.
    fn values(&self) -> Values {
        let station = &self.station;
        let mut values = self.adapter.settings(station.tuned);
        let ips = |list: &[IpAddr]| list.iter().map(ToString::to_string).collect();
        values.extend([
            ("label".to_owned(), vec![station.label.clone()]),
            ("name".to_owned(), vec![station.name.clone()]),
            ("addresses".to_owned(), station.addresses.iter().map(ToString::to_string).collect()),
            ("delivers".to_owned(), station.delivers.clone()),
            ("relays".to_owned(), station.relays.clone()),
            ("trusted".to_owned(), ips(&station.trusted)),
            ("recipients".to_owned(), station.recipients.clone().unwrap_or_default()),
        ]);
        values
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // what cannot be killed goes with the cell
        let _ = self.kill();
        // the namespaces go with their last process
        if self.holder.kill().is_ok() {
            let _ = self.holder.wait();
        }
    }
}

/// A process that does nothing but hold new namespaces, until its input ends.
fn hold() -> Result<Child, ToolError> {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--uts", "--ipc", "--", "sh", "-c", "echo ready; exec cat"]);
    let started = |source| ToolError::Start { command: "unshare".into(), source };
    let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(started)?;
    let mut ready = String::new();
    let out = holder.stdout.as_mut().map(|out| BufReader::new(out).read_line(&mut ready));
    match out {
        Some(Ok(_)) if ready.trim() == "ready" => Ok(holder),
        _ => {
            let said = "it did not come up".to_owned();
            Err(ToolError::Failed { command: "unshare --mount --net --uts --ipc".into(), said })
        }
    }
}
