//! smtp-source into a mock MX, beside smtp-source into smtp-sink: both of Postfix, neither stores anything.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener, TcpStream},
    ops::ControlFlow,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use mxdrill_ledger::Fact;
use mxdrill_mta::{Node, NodeConfig};
use mxdrill_net::{
    Driver, HostSpec, Time,
    live::{Live, LiveOptions, Storage},
};
use mxdrill_smtp::Pass;

use crate::{
    Size,
    meter::Cost,
    say,
    table::{Row, Table},
};

/// Sessions at once, where nothing else is said.
const SESSIONS: u32 = 20;

/// Sessions that a host must hold without an error.
const CROWDS: [u32; 4] = [1, 20, 200, 2000];

/// Measures a mock and a relay beside smtp-sink, in turn.
pub(crate) fn measure(table: &mut Table, folder: &Path, size: &Size) {
    let postfix = folder.join("mta/postfix/root/usr");
    if !postfix.join("sbin/smtp-source").exists() {
        return table
            .leave_out("live beside smtp-sink: run `cargo xtask bench`, which fetches it, on Debian");
    }
    let Some(sink) = start_sink(&postfix) else {
        return table.leave_out("live beside smtp-sink: smtp-sink does not run here");
    };
    let (mock, relay) = (start("mock", ""), start("mock", "relay"));
    for (word, reused) in [("reused", true), ("one connection each", false)] {
        let load = |at| rate(&postfix, at, size.messages, SESSIONS, reused);
        let beside = |ours| -> Vec<(f64, f64)> {
            (0..size.rounds).filter_map(|_| Some((load(ours)?, load(sink.at)?))).collect()
        };
        table.add(Row::beside(&format!("live mock MX, {word}"), "messages/s", "smtp-sink", &beside(mock.at)));
        table.add(
            Row::beside(&format!("live relay, synced, {word}"), "messages/s", "smtp-sink", &beside(relay.at))
                .without_mark(),
        );
    }
    for sessions in CROWDS {
        let messages = size.messages.max(2 * sessions);
        let what = format!("live mock MX, {sessions} sessions");
        let rounds: Vec<(f64, f64)> = (0..size.rounds.min(3))
            .filter_map(|_| {
                let ours = rate(&postfix, mock.at, messages, sessions, true)?;
                Some((ours, rate(&postfix, sink.at, messages, sessions, true)?))
            })
            .collect();
        match rounds.is_empty() {
            true => table.leave_out(&format!("{what}: smtp-source reports an error")),
            false => table.add(Row::beside(&what, "messages/s", "smtp-sink", &rounds).without_mark()),
        }
    }
}

/// A server under way; it ends with this value.
pub(crate) struct Running {
    child: Child,
    /// Where it listens.
    pub(crate) at: SocketAddr,
}

impl Running {
    /// A program that listens at `at`.
    pub(crate) fn new(child: Child, at: SocketAddr) -> Running {
        Running { child, at }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a part of this program that says where it listens.
pub(crate) fn start(what: &str, how: &str) -> Running {
    let program = std::env::current_exe().expect("a running program has a path");
    let mut child = Command::new(program)
        .args([what, how])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the bench can run itself");
    let mut line = String::new();
    let output = child.stdout.take().expect("its output is a pipe");
    BufReader::new(output).read_line(&mut line).expect("it says where it is");
    Running { child, at: line.trim().parse().expect("an address") }
}

/// A port that is free.
#[expect(clippy::disallowed_methods, reason = "programs of others need a free port")]
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|held| held.local_addr()).expect("a free port").port()
}

#[expect(clippy::disallowed_methods, reason = "smtp-sink is asked whether it listens")]
fn start_sink(postfix: &Path) -> Option<Running> {
    let port = free_port();
    let at = SocketAddr::from(([127, 0, 0, 1], port));
    let mut command = program(postfix, "smtp-sink");
    if fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0) {
        // it does not run as root
        command.args(["-u", "nobody"]);
    }
    let child = command.args([format!("127.0.0.1:{port}"), "2000".into()]).spawn().ok()?;
    let mut running = Running { child, at };
    while TcpStream::connect(at).and_then(|mut stream| stream.read(&mut [0; 3])).is_err() {
        std::thread::yield_now();
        if running.child.try_wait().map_or(true, |ended| ended.is_some()) {
            return None;
        }
    }
    Some(running)
}

fn program(postfix: &Path, name: &str) -> Command {
    let mut command = Command::new(postfix.join("sbin").join(name));
    let libraries: Vec<PathBuf> = ["lib/postfix", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"]
        .map(|place| postfix.join(place))
        .into();
    let libraries = std::env::join_paths(libraries).expect("paths without a colon");
    command.env("LD_LIBRARY_PATH", libraries).stdout(Stdio::null());
    command
}

/// Messages a second from smtp-source, 1 KiB each; `None` when it reports an error.
fn rate(postfix: &Path, at: SocketAddr, messages: u32, sessions: u32, reused: bool) -> Option<f64> {
    let mut command = program(postfix, "smtp-source");
    if reused {
        command.arg("-d");
    }
    command.args(["-s", &sessions.to_string(), "-l", "1024", "-m", &messages.to_string()]);
    command.args(["-f", "alice@sender.test", "-t", "user@example.test"]).arg(at.to_string());
    let mut is_well = false;
    let cost = Cost::of(|| is_well = command.status().is_ok_and(|status| status.success()));
    is_well.then(|| f64::from(messages) / cost.wall.as_secs_f64())
}

/// A mail host, until it is killed: it delivers into memory, or as a relay keeps mail on the disk.
pub(crate) fn mock(is_relay: bool) {
    let storage = if is_relay { Storage::Files } else { Storage::Memory };
    let options = LiveOptions { storage, speed: Some(1), ..LiveOptions::default() };
    let mut live: Live<Node<Pass>, Fact> = Live::new(options).expect("a world on loopback");
    let at = SocketAddr::from(([192, 0, 2, 10], 25));
    let name = "mx1.example.test".parse().expect("a name");
    let mut config = NodeConfig::new(name, vec![at.ip()], SocketAddr::from(([192, 0, 2, 53], 53)));
    let domain = "example.test".parse().expect("a name");
    match is_relay {
        // nobody answers its look-ups: it keeps what it takes
        true => config.relays = vec![domain],
        false => config.delivers = vec![domain],
    }
    live.add(HostSpec { name: "mx1".into(), addresses: vec![at.ip()] }, Node::new(config, Pass));
    let mut sink = |_, _, _: Fact| ControlFlow::Continue(());
    live.run_until(Time::ZERO + Duration::from_millis(1), &mut sink);
    say(&live.actual(at).expect("the host listens").to_string());
    live.run_until(Time::MAX, &mut sink);
}
