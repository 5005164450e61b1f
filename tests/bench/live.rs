//! smtp-source into a mock MX, beside smtp-source into smtp-sink: both of Postfix, neither stores anything.

use std::{
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpListener, TcpStream},
    ops::ControlFlow,
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
    meter::Cost,
    say,
    table::{Row, Table},
};

/// Messages of one round.
const MESSAGES: u32 = 5000;

/// Measures both, in turn.
pub(crate) fn measure(table: &mut Table, folder: &Path, rounds: usize) {
    let postfix = folder.join("postfix/usr");
    if !postfix.join("sbin/smtp-source").exists() {
        return table.leave_out(
            "live beside smtp-sink: target/postfix is missing (apt-get download postfix; dpkg-deb -x postfix_*.deb \
             target/postfix)",
        );
    }
    let (mock, sink) = (start_mock(), start_sink(&postfix));
    for (word, reused) in [("reused", true), ("one connection each", false)] {
        let rounds: Vec<(f64, f64)> =
            (0..rounds).map(|_| (rate(&postfix, mock.at, reused), rate(&postfix, sink.at, reused))).collect();
        table.add(Row::beside(&format!("live mock MX, {word}"), "messages/s", "smtp-sink", &rounds));
    }
}

/// A server under way; it ends with this value.
struct Running {
    child: Child,
    at: SocketAddr,
}

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn start_mock() -> Running {
    let program = std::env::current_exe().expect("a running program has a path");
    let mut child =
        Command::new(program).arg("mock").stdout(Stdio::piped()).spawn().expect("the bench can run itself");
    let mut line = String::new();
    let output = child.stdout.take().expect("its output is a pipe");
    BufReader::new(output).read_line(&mut line).expect("the mock says where it is");
    Running { child, at: line.trim().parse().expect("an address") }
}

#[expect(clippy::disallowed_methods, reason = "smtp-sink needs a free port, and is asked whether it listens")]
fn start_sink(postfix: &Path) -> Running {
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|held| held.local_addr()).expect("a free port").port();
    let at = SocketAddr::from(([127, 0, 0, 1], port));
    let child = program(postfix, "smtp-sink")
        .args([format!("127.0.0.1:{port}"), "1000".into()])
        .spawn()
        .expect("smtp-sink can be run");
    while TcpStream::connect(at).and_then(|mut stream| stream.read(&mut [0; 3])).is_err() {
        std::thread::yield_now();
    }
    Running { child, at }
}

fn program(postfix: &Path, name: &str) -> Command {
    let mut command = Command::new(postfix.join("sbin").join(name));
    let libraries: PathBuf = postfix.join("lib/postfix");
    command.env("LD_LIBRARY_PATH", libraries).stdout(Stdio::null());
    command
}

/// Messages a second from smtp-source: ten sessions at once, 1 KiB each.
fn rate(postfix: &Path, at: SocketAddr, reused: bool) -> f64 {
    let mut command = program(postfix, "smtp-source");
    if reused {
        command.arg("-d");
    }
    command.args(["-s", "10", "-l", "1024", "-m", &MESSAGES.to_string()]);
    command.args(["-f", "alice@sender.test", "-t", "user@example.test"]).arg(format!(
        "{}:{}",
        at.ip(),
        at.port()
    ));
    let cost =
        Cost::of(|| assert!(command.status().is_ok_and(|status| status.success()), "smtp-source ends well"));
    f64::from(MESSAGES) / cost.wall.as_secs_f64()
}

/// A mail host that delivers into memory, until it is killed.
pub(crate) fn mock() {
    let options = LiveOptions { storage: Storage::Memory, speed: Some(1), ..LiveOptions::default() };
    let mut live: Live<Node<Pass>, Fact> = Live::new(options).expect("a world on loopback");
    let at = SocketAddr::from(([192, 0, 2, 10], 25));
    let name = "mx1.example.test".parse().expect("a name");
    let mut config = NodeConfig::new(name, vec![at.ip()], SocketAddr::from(([192, 0, 2, 53], 53)));
    config.delivers = vec!["example.test".parse().expect("a name")];
    live.add(HostSpec { name: "mx1".into(), addresses: vec![at.ip()] }, Node::new(config, Pass));
    let mut sink = |_, _, _: Fact| ControlFlow::Continue(());
    live.run_until(Time::ZERO + Duration::from_millis(1), &mut sink);
    say(&live.actual(at).expect("the host listens").to_string());
    live.run_until(Time::MAX, &mut sink);
}
