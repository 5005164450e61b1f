//! What a host acknowledged outlives the process of the lab, however it ends.

use std::{
    collections::BTreeSet,
    env,
    io::{self, BufRead, BufReader, Read},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::channel,
    thread,
};

use mxdrill::{
    Lab,
    build::{Drill, Host, Postfix, fault, minutes, mx, seconds},
};

use crate::sender::Session;

/// Tells the process that it is the one to be killed, and where its spool lies.
const SPOOL: &str = "MXDRILL_TEST_SPOOL";
/// Sessions at once.
const SENDERS: usize = 3;
/// Messages acknowledged before the kill.
const ACKNOWLEDGED: usize = 60;

/// Two MX, of which the primary refuses: what is sent to the backup stays there.
fn lab(spool: &Path) -> Lab {
    let drill = Drill::new("killed")
        .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
        .host(Host::delivers("mx1"))
        .host(Host::relays("mx2").like(Postfix))
        .at(seconds(0), fault("mx1").refuse());
    Lab::start_blocking_in(&drill.scenario().unwrap(), &Lab::world().spool(spool)).unwrap()
}

/// Holds a lab until the parent lets go of us, which it does not.
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn hold(spool: &Path) {
    let lab = lab(spool);
    println!("\nmx2 {}", lab.host("mx2").address());
    io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

fn victim(test: &str, spool: &Path) -> (Child, SocketAddr) {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(SPOOL, spool)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("mx2 ")?.parse().ok());
    (child, address.expect("the lab says where mx2 is"))
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    if let Some(spool) = env::var_os(SPOOL) {
        return hold(Path::new(&spool));
    }
    let spool = tempfile::tempdir().unwrap();
    let (mut child, mx2) = victim("sigkill::what_was_acknowledged_outlives_a_kill", spool.path());
    let (told, acknowledged) = channel();
    for sender in 0..SENDERS {
        let told = told.clone();
        thread::spawn(move || {
            let mut session = Session::open(mx2).unwrap();
            for count in 0.. {
                let id = format!("{count}.{sender}@app.example");
                match session.send(&id) {
                    Ok(true) => told.send(format!("<{id}>")).unwrap(),
                    Ok(false) => {}
                    Err(_) => return, // killed
                }
            }
        });
    }
    drop(told);
    let mut ids: BTreeSet<String> = acknowledged.iter().take(ACKNOWLEDGED).collect();
    child.kill().unwrap(); // SIGKILL, in the middle of three transactions
    child.wait().unwrap();
    ids.extend(acknowledged);

    let lab = lab(spool.path());
    let queue = lab.host("mx2").queue();
    let kept: BTreeSet<String> = queue.into_iter().filter_map(|held| held.id).collect();
    assert_eq!(ids.difference(&kept).collect::<Vec<_>>(), Vec::<&String>::new(), "acknowledged, and lost");

    lab.host("mx1").clear();
    lab.host("mx2").flush();
    lab.wait_until_blocking("delivered.mx1", &kept.len().to_string(), minutes(10)).unwrap();
    lab.wait_until_blocking("queued.all", "0", minutes(10)).unwrap();
    lab.outcome_blocking().unwrap().assert_ok();
}
