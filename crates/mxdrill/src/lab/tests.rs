//! Labs, with a foreign sender that is as simple as can be.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use mxdrill_smtp::Stage;

use super::*;
use crate::build::{Drill, Host, Postfix, fault, hours, minutes, mx, seconds};

const SOON: Duration = minutes(5);

fn two_mx() -> Drill {
    Drill::new("two MX")
        .zone("example.test", [mx(10, "mx1"), mx(20, "mx2")])
        .host(Host::delivers("mx1"))
        .host(Host::relays("mx2").like(Postfix))
}

fn start(drill: &Drill) -> Lab {
    Lab::start_blocking(&drill.scenario().unwrap()).unwrap()
}

/// A session of a foreign sender, and the replies to its commands.
struct Session {
    replies: BufReader<TcpStream>,
}

impl Session {
    #[expect(clippy::disallowed_methods, reason = "a foreign sender has sockets of its own")]
    fn open(to: SocketAddr) -> io::Result<Session> {
        let mut session = Session { replies: BufReader::new(TcpStream::connect(to)?) };
        session.reply()?;
        Ok(session)
    }

    fn reply(&mut self) -> io::Result<String> {
        loop {
            let mut line = String::new();
            if self.replies.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.as_bytes().get(3) == Some(&b' ') {
                return Ok(line.trim_end().to_owned());
            }
        }
    }

    fn say(&mut self, text: &str) -> io::Result<String> {
        self.replies.get_mut().write_all(format!("{text}\r\n").as_bytes())?;
        self.reply()
    }
}

/// Sends one message; the last reply, which is the first that is no success.
fn send(to: SocketAddr, id: &str, recipients: &[&str]) -> io::Result<String> {
    let mut session = Session::open(to)?;
    let mut commands = vec!["EHLO app.example".to_owned(), "MAIL FROM:<alice@sender.test>".into()];
    commands.extend(recipients.iter().map(|recipient| format!("RCPT TO:<{recipient}>")));
    commands.push("DATA".into());
    commands.push(format!("Message-ID: <{id}>\r\nSubject: foreign\r\n\r\nHello.\r\n."));
    let mut reply = String::new();
    for command in commands {
        reply = session.say(&command)?;
        if !reply.starts_with(['2', '3']) {
            break;
        }
    }
    Ok(reply)
}

fn check_sent(lab: &Lab, host: &str, id: &str, recipients: &[&str], code: &str) {
    let reply = send(lab.host(host).address(), id, recipients).unwrap();
    assert!(reply.starts_with(code), "{reply}");
}

#[test]
fn the_backup_keeps_what_the_primary_refuses_and_hands_it_over() {
    let lab = start(&two_mx());
    lab.host("mx1").refuse();
    send(lab.host("mx1").address(), "0@app", &["user@example.test"]).unwrap_err();
    check_sent(&lab, "mx2", "1@app", &["user@example.test", "other@example.test"], "250");
    lab.wait_until_blocking("queued.mx2", "2", SOON).unwrap();

    let queue = lab.host("backup").queue();
    assert_eq!(queue.len(), 1);
    assert_eq!((queue[0].number, queue[0].id.as_deref()), (Some(1), Some("<1@app>")));
    let recipients: Vec<String> = queue[0].recipients.iter().map(ToString::to_string).collect();
    assert_eq!(recipients, ["user@example.test", "other@example.test"]);

    lab.host("mx1").clear();
    lab.host("mx2").flush();
    lab.wait_until_blocking("delivered.mx1", "2", SOON).unwrap();
    lab.wait_until_blocking("queued.all", "0", SOON).unwrap();
    // the primary delivers before its 250 has reached the backup, which lets go of the mail only then
    assert!((0..100_000).any(|_| lab.host("mx2").queue().is_empty()), "the backup never lets go");
    let outcome = lab.outcome_blocking().unwrap();
    outcome.assert_ok();
    assert_eq!((outcome.counts.messages, outcome.counts.acknowledged, outcome.counts.delivered), (1, 2, 2));
}

#[test]
fn what_is_still_queued_in_the_end_is_told() {
    let lab = start(&two_mx());
    lab.host("mx1").refuse();
    check_sent(&lab, "mx2", "1@app", &["user@example.test"], "250");
    lab.wait_until_blocking("queued.mx2", "1", SOON).unwrap();
    let outcome = lab.outcome_blocking().unwrap();
    assert_eq!(
        outcome.violations.iter().map(|violation| violation.rule).collect::<Vec<_>>(),
        ["queued-at-end"]
    );
}

#[test]
fn mail_that_a_foreign_sender_sends_twice_is_duplicated() {
    let lab = start(&two_mx());
    for _ in 0..2 {
        check_sent(&lab, "mx1", "1@app", &["user@example.test"], "250");
    }
    lab.wait_until_blocking("duplicated.all", "1", SOON).unwrap();
    assert!(!lab.outcome_blocking().unwrap().is_pass());
}

#[test]
fn a_host_says_what_it_is_told_to_say() {
    let lab = start(&two_mx());
    let mx1 = lab.host("mx1");
    mx1.reply(Stage::Rcpt, "451 4.3.0 later");
    check_sent(&lab, "mx1", "1@app", &["user@example.test"], "451");
    mx1.clear();
    check_sent(&lab, "mx1", "1@app", &["user@example.test"], "250");
    mx1.close();
    send(mx1.address(), "2@app", &["user@example.test"]).unwrap_err();
    lab.outcome_blocking().unwrap().assert_ok();
}

#[test]
fn a_host_that_lost_power_comes_back_with_its_queue() {
    let lab = start(&two_mx());
    lab.host("mx1").refuse();
    check_sent(&lab, "mx2", "1@app", &["user@example.test"], "250");
    lab.host("mx2").crash();
    send(lab.host("mx2").address(), "2@app", &["user@example.test"]).unwrap_err();
    assert_eq!(lab.host("mx2").queue(), []);
    lab.host("mx2").restart();
    assert_eq!(lab.host("mx2").queue().len(), 1);
    lab.host("mx1").clear();
    lab.host("mx2").flush();
    lab.wait_until_blocking("delivered.mx1", "1", SOON).unwrap();
    lab.wait_until_blocking("queued.all", "0", SOON).unwrap();
    lab.outcome_blocking().unwrap().assert_ok();
}

#[test]
fn steps_of_the_scenario_happen_too_and_can_be_cleared_by_hand() {
    let lab = start(&two_mx().at(seconds(0), fault("mx1").refuse().lasting(hours(2))));
    send(lab.host("mx1").address(), "1@app", &["user@example.test"]).unwrap_err();
    lab.host("primary").clear();
    check_sent(&lab, "mx1", "1@app", &["user@example.test"], "250");
    lab.outcome_blocking().unwrap().assert_ok();
}

#[test]
fn the_spool_of_a_former_lab_is_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = two_mx().scenario().unwrap();
    let world = Lab::world().spool(folder.path());
    let lab = Lab::start_blocking_in(&scenario, &world).unwrap();
    lab.host("mx1").refuse();
    check_sent(&lab, "mx2", "1@app", &["user@example.test"], "250");
    drop(lab);

    let lab = Lab::start_blocking_in(&scenario, &world).unwrap();
    lab.host("mx2").flush();
    lab.wait_until_blocking("delivered.mx1", "1", SOON).unwrap();
    lab.wait_until_blocking("queued.all", "0", SOON).unwrap();
    let outcome = lab.outcome_blocking().unwrap();
    outcome.assert_ok();
    assert_eq!(outcome.counts.acknowledged, 1);
}

#[test]
fn a_lab_is_at_home_in_an_async_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let outcome = runtime.block_on(async {
        let lab = Lab::start(&two_mx().scenario().unwrap()).await.unwrap();
        check_sent(&lab, "mx1", "1@app", &["user@example.test"], "250");
        lab.wait_until("delivered.mx1", "1", SOON).await.unwrap();
        lab.outcome().await.unwrap()
    });
    outcome.assert_ok();
}

#[test]
fn what_never_comes_about_is_told_when_patience_ends() {
    let scenario = two_mx().scenario().unwrap();
    let lab = Lab::start_blocking_in(&scenario, &World::live()).unwrap();
    let why = lab.wait_until_blocking("queued.mx2", ">= 1", hours(2)).unwrap_err();
    assert_eq!(why.to_string(), "queued.mx2 >= 1: found 0");
    assert!(matches!(lab.wait_until_blocking("nothing.mx2", "1", SOON), Err(LabError::Figure(_))));
    assert!(matches!(lab.wait_until_blocking("queued.mx2", "much", SOON), Err(LabError::Expectation(_))));
}
