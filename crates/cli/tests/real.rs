//! Real mail servers as hosts of private networks: Postfix, Exim and OpenSMTPD, each as backup and as sender.
//!
//! They run where MXDRILL_REAL is set, on Linux, after `cargo xtask mta fetch`; elsewhere each test says what it
//! leaves out.
#![cfg(target_os = "linux")]

use std::{
    env, fs,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use mxdrill::{
    World,
    build::{Drill, Host, fault, flush, mx, seconds, send},
    report, run,
    scenario::{Place, Program, Scenario, catalogue},
};

const MXDRILL: &str = env!("CARGO_BIN_EXE_mxdrill");

/// Stories that every mail server must pass.
const CORE: [&str; 4] = ["primary-refused", "primary-blackhole", "greet-421", "backup-refuses-relay"];

/// Whether real mail servers are wanted. Otherwise says that `what` is left out.
fn wanted(what: &str) -> bool {
    let wanted = env::var_os("MXDRILL_REAL").is_some_and(|value| value != "0");
    if !wanted {
        // past the harness, which would keep it to itself
        let text = format!("left out: {what} (MXDRILL_REAL=1 runs it)\n");
        io::stderr().write_all(text.as_bytes()).unwrap();
    }
    wanted
}

/// What is wrong with a play, as a story; nothing where it passes.
fn complaint(scenario: &Scenario, world: &World) -> Option<String> {
    match run(scenario, world) {
        Ok(outcome) if outcome.is_pass() => None,
        Ok(outcome) => Some(report::text(&outcome, false)),
        Err(why) => Some(format!("{}: {why}", scenario.name)),
    }
}

/// The scenario with a real mail server at a place.
fn with(name: &str, place: &Place, program: Program) -> Scenario {
    let mut scenario = catalogue::named(name).remove(0).scenario().unwrap().resolved().unwrap();
    let label = scenario.place(place).unwrap().to_owned();
    let host = scenario.hosts.iter_mut().find(|host| host.label == label).unwrap();
    *host = host.clone().played_by(program);
    scenario
}

/// Plays the core with a mail server at a place, all at once: drills wait more than they work.
fn check_core(place: &Place, program: Program) {
    if !wanted(&format!("{program} as {place}")) {
        return;
    }
    let world = World::netns(MXDRILL);
    let complaints: Vec<String> = thread::scope(|scope| {
        let plays = CORE.map(|name| {
            let (scenario, world) = (with(name, place, program), &world);
            scope.spawn(move || complaint(&scenario, world))
        });
        plays.into_iter().filter_map(|play| play.join().expect("a play does not panic")).collect()
    });
    assert!(complaints.is_empty(), "{program} as {place}\n{}", complaints.join("\n"));
}

#[test]
fn postfix_as_backup() {
    check_core(&Place::Backup(1), Program::Postfix);
}

#[test]
fn postfix_as_sender() {
    check_core(&Place::Sender, Program::Postfix);
}

#[test]
fn exim_as_backup() {
    check_core(&Place::Backup(1), Program::Exim);
}

#[test]
fn exim_as_sender() {
    check_core(&Place::Sender, Program::Exim);
}

#[test]
fn opensmtpd_as_backup() {
    check_core(&Place::Backup(1), Program::OpenSmtpd);
}

#[test]
fn opensmtpd_as_sender() {
    check_core(&Place::Sender, Program::OpenSmtpd);
}

/// With the retry settings that it has out of the box, only a flush empties the queue of a backup in seconds.
#[test]
fn a_flush_empties_the_queue() {
    if !wanted("flushes of real mail servers") {
        return;
    }
    let world = World::netns(MXDRILL).defaults();
    thread::scope(|scope| {
        for program in [Program::Postfix, Program::Exim, Program::OpenSmtpd] {
            let drill = Drill::new(&format!("{program} is flushed"))
                .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
                .host(Host::delivers("mx1"))
                .host(Host::relays("mx2").run(program))
                .at(seconds(1), fault("mx1").refuse().lasting(seconds(15)))
                .at(seconds(2), send(10))
                .at(seconds(18), flush("mx2"));
            let (scenario, world) = (drill.scenario().unwrap(), &world);
            scope.spawn(move || assert_eq!(complaint(&scenario, world), None));
        }
    });
}

/// The parent of a process, and the process namespace it lives in.
fn parent_and_space(process: &str) -> Option<(u32, String)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
    let space = fs::read_link(format!("/proc/{process}/ns/pid")).ok()?;
    Some((parent, space.display().to_string()))
}

fn processes() -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.parse::<u32>().is_ok()).collect()
}

/// Looks again and again until something is there; not for ever.
#[expect(clippy::disallowed_methods, reason = "processes of the kernel's take real time to come and go")]
fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    for _ in 0..600 {
        if let Some(found) = look() {
            return found;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("{what}: not after a minute")
}

/// A harness that is killed takes everything with it: processes, and with them networks and mounts.
#[test]
fn nothing_is_left_of_a_killed_harness() {
    if !wanted("the kill of a harness") {
        return;
    }
    let site = tempfile::tempdir().unwrap();
    let path = site.path().join("killed.toml");
    fs::write(&path, with("primary-refused", &Place::Backup(1), Program::Postfix).to_toml()).unwrap();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mut harness = Command::new(MXDRILL)
        .args(["run", &path.display().to_string(), "--world", "netns"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let own = parent_and_space(&harness.id().to_string()).unwrap().1;
    let child_of = |parent: u32| {
        let mut all = processes().into_iter();
        all.find(|process| parent_and_space(process).is_some_and(|(other, _)| other == parent))
    };
    // harness, unshare, the first process of the cell
    let cell = until("the cell", || {
        let unshare: u32 = child_of(harness.id())?.parse().ok()?;
        let first = child_of(unshare)?;
        parent_and_space(&first).map(|(_, space)| space).filter(|space| *space != own)
    });
    let living = || {
        let in_cell = |process: &String| parent_and_space(process).is_some_and(|(_, space)| space == cell);
        processes().into_iter().filter(in_cell).count()
    };
    until("the hosts of the cell", || (living() > 2).then_some(()));
    harness.kill().unwrap();
    harness.wait().unwrap();
    until("the end of the cell", || (living() == 0).then_some(()));
    assert_eq!(fs::read_to_string("/proc/self/mounts").unwrap(), mounts);
    assert!(!Path::new("/run/mxdrill").exists());
}
