//! Queries a second over UDP, as dnsperf counts them: the DNS of a lab beside nsd, with the same zone.

use std::{
    fs,
    io::Read,
    net::{SocketAddr, UdpSocket},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mxdrill::Lab;

use crate::{
    Size, hop,
    live::{Running, free_port, start},
    say,
    table::{Row, Table},
};

/// The zone of both.
const ZONE: &str = "\
$ORIGIN example.test.
$TTL 300
@    SOA ns hostmaster 1 3600 600 86400 300
@    NS  ns
@    MX  10 mx1
@    MX  20 mx2
ns   A   192.0.2.53
mx1  A   192.0.2.10
mx2  A   192.0.2.20
";

/// What is asked, over and over.
const QUESTIONS: &str = "example.test MX\nmx1.example.test A\nmx2.example.test A\nnone.example.test A\n";

/// Measures both in turn.
pub(crate) fn measure(table: &mut Table, folder: &Path, size: &Size) {
    let [nsd, dnsperf] = ["nsd", "dnsperf"].map(|name| folder.join("mta").join(name).join("root/usr"));
    if !nsd.join("sbin/nsd").exists() || !dnsperf.join("bin/dnsperf").exists() {
        return table.leave_out("DNS beside nsd: run `cargo xtask bench`, which fetches it, on Debian");
    }
    let work = folder.join("bench-dns");
    fs::create_dir_all(&work).expect("the target folder can be written");
    fs::write(work.join("questions"), QUESTIONS).expect("a file in the target folder");
    let Some(other) = start_nsd(&nsd, &work) else {
        return table.leave_out("DNS beside nsd: nsd does not run here");
    };
    let ours = start("dns", "");
    let load = |at| rate(&dnsperf, &work, at);
    let rounds: Vec<(f64, f64)> =
        (0..size.rounds).filter_map(|_| Some((load(ours.at)?, load(other.at)?))).collect();
    match rounds.is_empty() {
        true => table.leave_out("DNS beside nsd: dnsperf does not run here"),
        false => table.add(Row::beside("DNS over UDP", "queries/s", "nsd", &rounds)),
    }
}

/// The DNS of a lab, until its input ends.
pub(crate) fn serve() {
    let scenario = hop::two_mx().scenario().expect("a scenario");
    let lab = Lab::start_blocking(&scenario).expect("a lab on loopback");
    say(&lab.dns_addr().to_string());
    // the end of this program is the end of its input, or a signal
    let _ = std::io::stdin().read(&mut [0]);
}

fn start_nsd(nsd: &Path, work: &Path) -> Option<Running> {
    let port = free_port();
    fs::write(work.join("example.test.zone"), ZONE).ok()?;
    let work_shown = work.display();
    let text = format!(
        "server:\n  ip-address: 127.0.0.1@{port}\n  zonesdir: \"{work_shown}\"\n  database: \"\"\n  username: \"\"\n  \
         chroot: \"\"\n  pidfile: \"{work_shown}/nsd.pid\"\n  xfrdfile: \"{work_shown}/xfrd.state\"\n  \
         zonelistfile: \"{work_shown}/zone.list\"\n  server-count: 1\n  rrl-ratelimit: 0\nremote-control:\n  control-enable: no\n\
         zone:\n  name: \"example.test\"\n  zonefile: \"example.test.zone\"\n"
    );
    fs::write(work.join("nsd.conf"), text).ok()?;
    let at = SocketAddr::from(([127, 0, 0, 1], port));
    let child = command(nsd, "sbin/nsd").arg("-d").arg("-c").arg(work.join("nsd.conf")).spawn().ok()?;
    let running = Running::new(child, at);
    answers(at).then_some(running)
}

/// Whether a name server answers there, asked until it does or has had long enough.
#[expect(clippy::disallowed_methods, reason = "a bench waits for a server of others on real sockets")]
fn answers(at: SocketAddr) -> bool {
    // a query for the root's NS
    let query = [0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1];
    let Ok(socket) = UdpSocket::bind("127.0.0.1:0") else { return false };
    let patience = std::time::Duration::from_millis(100);
    if socket.set_read_timeout(Some(patience)).and_then(|()| socket.connect(at)).is_err() {
        return false;
    }
    (0..100).any(|_| {
        let heard = socket.send(&query).and_then(|_| socket.recv(&mut [0; 512]));
        if heard.is_err() {
            std::thread::sleep(patience / 4);
        }
        heard.is_ok()
    })
}

fn command(root: &Path, program: &str) -> Command {
    let libraries: Vec<PathBuf> =
        ["lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"].map(|place| root.join(place)).into();
    let mut command = Command::new(root.join(program));
    command
        .env("LD_LIBRARY_PATH", std::env::join_paths(libraries).expect("paths without a colon"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Queries a second that were answered, by dnsperf.
fn rate(dnsperf: &Path, work: &Path, at: SocketAddr) -> Option<f64> {
    let output = command(dnsperf, "bin/dnsperf")
        .args(["-s", &at.ip().to_string(), "-p", &at.port().to_string(), "-l", "1", "-d"])
        .arg(work.join("questions"))
        .stdout(Stdio::piped())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.trim().strip_prefix("Queries per second:"))?;
    line.trim().parse().ok()
}
