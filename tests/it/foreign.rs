//! Clients that others wrote, against the hosts and the DNS of a lab.
//!
//! They run where MXDRILL_FOREIGN is set, and must then be installed; elsewhere each test says what it leaves out.

use std::{
    env, fs,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mxdrill::{
    Lab,
    build::{Drill, Host, Postfix, minutes, mx},
};

/// A message for clients that send what they are given.
const MESSAGE: &str = "Message-ID: <1@app.example>\r\nSubject: foreign\r\n\r\n.\r\nHello.\r\n";

/// Whether foreign clients are wanted. Otherwise says that `what` is left out.
fn wanted(what: &str) -> bool {
    let wanted = env::var_os("MXDRILL_FOREIGN").is_some_and(|value| value != "0");
    if !wanted {
        // past the harness, which would keep it to itself
        let text = format!("left out: {what} (MXDRILL_FOREIGN=1 runs it)\n");
        io::stderr().write_all(text.as_bytes()).unwrap();
    }
    wanted
}

fn lab() -> Lab {
    let drill = Drill::new("foreign clients")
        .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
        .host(Host::delivers("mx1"))
        .host(Host::relays("mx2").like(Postfix));
    Lab::start_blocking(&drill.scenario().unwrap()).unwrap()
}

/// Where programs lie that are unpacked, not installed.
fn unpacked() -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().unwrap_or(tmp).join("foreign")
}

fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|why| panic!("{command:?} must be installed: {why}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{said}{complained}", output.status);
    said
}

/// A client sends `count` messages to the backup while the primary refuses; all of them arrive in the end.
fn check_sender(what: &str, count: u32, command: impl FnOnce(SocketAddr) -> Command) {
    if !wanted(what) {
        return;
    }
    let lab = lab();
    lab.host("mx1").refuse();
    output(&mut command(lab.host("mx2").address()));
    lab.wait_until_blocking("queued.mx2", &count.to_string(), minutes(5)).unwrap();
    assert_eq!(lab.host("mx2").queue().len() as u32, count);
    lab.host("mx1").clear();
    lab.host("mx2").flush();
    lab.wait_until_blocking("delivered.mx1", &count.to_string(), minutes(5)).unwrap();
    lab.wait_until_blocking("queued.all", "0", minutes(5)).unwrap();
    lab.outcome_blocking().unwrap().assert_ok();
}

#[test]
fn python_smtplib() {
    let script = "import smtplib, sys\n\
                  with smtplib.SMTP(sys.argv[1], int(sys.argv[2])) as smtp:\n\
                  \x20   for n in range(3):\n\
                  \x20       text = f'Message-ID: <{n}@app.example>\\r\\n\\r\\n.\\r\\nHello.\\r\\n'\n\
                  \x20       refused = smtp.sendmail('alice@sender.test', ['user@example.test'], text)\n\
                  \x20       assert not refused, refused\n";
    check_sender("python3 smtplib", 3, |to| {
        let mut command = Command::new("python3");
        command.args(["-c", script, &to.ip().to_string(), &to.port().to_string()]);
        command
    });
}

#[test]
fn swaks() {
    check_sender("swaks", 1, |to| {
        let mut command = Command::new("swaks");
        command.args(["--server", &to.ip().to_string(), "--port", &to.port().to_string()]);
        command.args(["--helo", "app.example", "--from", "alice@sender.test", "--to", "user@example.test"]);
        command
    });
}

#[test]
fn curl() {
    let folder = tempfile::tempdir().unwrap();
    let message = folder.path().join("message.eml");
    fs::write(&message, MESSAGE).unwrap();
    check_sender("curl", 1, |to| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--url", &format!("smtp://{to}/app.example")]);
        command.args(["--mail-from", "alice@sender.test", "--mail-rcpt", "user@example.test"]);
        command.arg("--upload-file").arg(&message);
        command
    });
}

#[test]
fn smtp_source() {
    let (program, libraries) = (unpacked().join("usr/sbin/smtp-source"), unpacked().join("usr/lib/postfix"));
    check_sender("smtp-source", 100, |to| {
        let mut command = Command::new(program);
        command.env("LD_LIBRARY_PATH", libraries);
        command.args(["-s", "5", "-m", "100", "-l", "4096", "-M", "app.example", "-f", "alice@sender.test"]);
        command.args(["-t", "user@example.test", &format!("inet:{}:{}", to.ip(), to.port())]);
        command
    });
}

/// What dig says in short, asking there.
fn dig(server: SocketAddr, question: &[&str]) -> Vec<String> {
    let mut command = Command::new("dig");
    command.args([&format!("@{}", server.ip()), "-p", &server.port().to_string(), "+short"]).args(question);
    let mut lines: Vec<String> = output(&mut command).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn dig_asks_in_every_way() {
    if !wanted("dig") {
        return;
    }
    let lab = lab();
    let mx1 = lab.host("mx1").address().ip().to_string();
    for way in ["+notcp", "+tcp", "+bufsize=512", "+noedns"] {
        let mx = dig(lab.dns_addr(), &[way, "example.test", "MX"]);
        assert_eq!(mx, ["10 mx1.example.test.", "20 mx2.example.test."], "{way}");
        assert_eq!(dig(lab.dns_addr(), &[way, "mx1.example.test", "A"]), [mx1.as_str()], "{way}");
    }
    assert_eq!(dig(lab.dns_addr(), &["-x", &mx1]), ["mx1.example.test."]);
}

/// What unbound's resolver finds that asks there, as a site's own resolver would.
fn unbound(config: &Path, name: &str, kind: &str) -> Vec<String> {
    let mut command = Command::new("unbound-host");
    command.arg("-C").arg(config).args(["-t", kind, name]);
    let mut lines: Vec<String> = output(&mut command).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn unbound_resolves_through_the_lab() {
    if !wanted("unbound") {
        return;
    }
    let lab = lab();
    let (server, mx1) = (lab.dns_addr(), lab.host("mx1").address().ip());
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("unbound.conf");
    // left to itself it asks nobody on loopback, and nobody at all about `test` (RFC 6761 6.2)
    let text = format!(
        "server:\n do-not-query-localhost: no\n local-zone: \"test.\" nodefault\n module-config: \"iterator\"\n\
         stub-zone:\n name: \"example.test.\"\n stub-addr: {}@{}\n",
        server.ip(),
        server.port()
    );
    fs::write(&config, text).unwrap();
    let mx = [
        "example.test mail is handled by 10 mx1.example.test.",
        "example.test mail is handled by 20 mx2.example.test.",
    ];
    assert_eq!(unbound(&config, "example.test", "MX"), mx);
    assert_eq!(unbound(&config, "mx1.example.test", "A"), [format!("mx1.example.test has address {mx1}")]);
    let nothing = unbound(&config, "mx9.example.test", "A");
    assert_eq!(nothing, ["Host mx9.example.test not found: 3(NXDOMAIN)."]);
}
