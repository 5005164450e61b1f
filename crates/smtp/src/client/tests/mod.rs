//! Whole dialogues with a client.
//!
//! `S:` is a line of the server's; neighbouring lines come in one piece. `send to...` gives a letter to these
//! recipients, `quit` asks for the end, `+ 5m` lets time pass, `eof` and `lost` end the server's side.
//! Everything else is what comes out; results are told by name.

mod letters;
mod robust;
mod sessions;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mxdrill_net::{Closed, Commands, Conn, Time};

use super::*;
use crate::{
    Recipient, Ret, ReversePath, Severity,
    story::{Note, lines, octets, span, tell},
};

/// A letter for tests.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    from: ReversePath,
    to: Vec<Recipient>,
    header: Bytes,
    pub(super) body: Bytes,
    eight_bit: bool,
    utf8: bool,
    dsn: bool,
}

impl Letter for Paper {
    fn reverse_path(&self) -> &ReversePath {
        &self.from
    }

    fn recipients(&self) -> usize {
        self.to.len()
    }

    fn recipient(&self, index: usize) -> &Recipient {
        &self.to[index]
    }

    fn header(&self) -> &Bytes {
        &self.header
    }

    fn body(&self) -> &Bytes {
        &self.body
    }

    fn eight_bit(&self) -> bool {
        self.eight_bit
    }

    fn utf8(&self) -> bool {
        self.utf8
    }

    fn envid(&self) -> Option<&str> {
        self.dsn.then_some("id+2B7")
    }

    fn ret(&self) -> Option<Ret> {
        self.dsn.then_some(Ret::Headers)
    }
}

/// A letter to local parts at d.test; words with `=` say what it is like.
pub(super) fn paper(words: &str) -> Paper {
    let mut paper = Paper {
        from: ReversePath(Some("a@b.test".parse().expect("an address"))),
        to: Vec::new(),
        header: Bytes::from_static(b"Subject: x\r\n\r\n"),
        body: Bytes::from_static(b"text\r\n"),
        eight_bit: false,
        utf8: false,
        dsn: false,
    };
    for word in words.split(' ') {
        match word.split_once('=') {
            Some(("body", body)) => {
                paper.body = Bytes::from(body.replace("\\r", "\r").replace("\\n", "\n"));
            }
            Some(("big", size)) => paper.body = Bytes::from("x".repeat(size.parse().expect("a number"))),
            Some(("is", "null")) => paper.from = ReversePath::NULL,
            Some(("is", "8bit")) => paper.eight_bit = true,
            Some(("is", "utf8")) => paper.utf8 = true,
            Some(("is", "dsn")) => paper.dsn = true,
            _ => paper.to.push(Recipient::new(format!("{word}@d.test").parse().expect("an address"))),
        }
    }
    paper
}

/// A client on its own.
pub(super) struct Bench {
    pub(super) client: Client<Paper>,
    pub(super) now: Time,
    out: Commands<Note>,
    pub(super) story: String,
}

impl Bench {
    pub(super) fn new(config: ClientConfig) -> Bench {
        let client = Client::open(Time::ZERO, Conn(7), Arc::new(config));
        Bench { client, now: Time::ZERO, out: Commands::default(), story: String::new() }
    }

    pub(super) fn tell(&mut self) {
        tell(&mut self.out, "C", &mut self.story);
        while let Some(step) = self.client.poll() {
            self.story.push_str(&show(&step));
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.client.bytes(self.now, bytes, &mut self.out);
        self.tell();
    }

    pub(super) fn send(&mut self, letter: Paper) {
        self.client.send(self.now, letter, &mut self.out);
        self.tell();
    }

    pub(super) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.client.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.client.timer(self.now, &mut self.out);
            self.tell();
        }
        self.now = end;
    }

    pub(super) fn closed(&mut self, how: Closed) {
        self.client.closed(how, &mut self.out);
        self.tell();
    }

    pub(super) fn drained(&mut self) {
        self.client.drained(self.now, &mut self.out);
        self.tell();
    }

    fn act(&mut self, line: &str) -> bool {
        match line.split_once(' ') {
            Some(("+", time)) => self.pass(span(time)),
            Some(("send", words)) => self.send(paper(words)),
            Some(("is", "ready?")) => self.story.push_str(&format!("{}\n", self.client.is_ready())),
            _ if line == "quit" => self.client.quit(self.now, &mut self.out),
            _ if line == "eof" => self.closed(Closed::Eof),
            _ if line == "lost" => self.closed(Closed::Reset),
            _ if line == "drained" => self.drained(),
            _ => return false,
        }
        self.tell();
        true
    }

    pub(super) fn replay(&mut self, story: &[&str]) {
        let mut input: Vec<u8> = Vec::new();
        for (index, line) in story.iter().enumerate() {
            if let Some(octets) = octets(line).filter(|_| line.starts_with('S')) {
                self.story.push_str(&format!("{line}\n"));
                input.extend(octets);
                if story.get(index + 1).is_some_and(|next| next.starts_with('S')) {
                    continue;
                }
                self.bytes(&std::mem::take(&mut input));
            } else {
                let before = self.story.len();
                if self.act(line) {
                    self.story.insert_str(before, &format!("{line}\n"));
                }
            }
        }
    }
}

fn show(step: &Step<Paper>) -> String {
    match step {
        Step::Ready => "ready\n".into(),
        Step::Closed => "left\n".into(),
        Step::Done(report) => format!("done: {}\n", show_report(report)),
        Step::Failed { stage, failure, report, ahead } => {
            let failure = match failure {
                Failure::Reply(reply) => format!("{}", reply.code.number()),
                other => format!("{other:?}").to_lowercase(),
            };
            let report =
                report.as_ref().map(|report| format!(": {}", show_report(report))).unwrap_or_default();
            let ahead = if ahead.is_some() { ", one ahead" } else { "" };
            format!("failed at {stage} {failure}{report}{ahead}\n")
        }
    }
}

fn show_report(report: &Report<Paper>) -> String {
    let show = |(index, outcome): (usize, &Outcome)| {
        let outcome = match outcome {
            Outcome::Acknowledged(reply) => format!("acknowledged ({reply})"),
            Outcome::Rejected { stage, reply } => {
                let kind = if reply.severity() == Severity::Temporary { "temporary" } else { "permanent" };
                format!("{kind} at {stage} {}", reply.code.number())
            }
            Outcome::InDoubt => "in doubt".into(),
            Outcome::Untried => "untried".into(),
            Outcome::Lacks(extension) => format!("lacks {extension}"),
        };
        format!("{} {outcome}", report.letter.to[index].address.local())
    };
    report.outcomes.iter().enumerate().map(show).collect::<Vec<_>>().join(", ")
}

pub(super) fn config() -> ClientConfig {
    ClientConfig::new("client.test".parse().expect("a name"))
}

pub(super) const PIPELINING: &str = "250-mx.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 1000000\r\n";

/// A dialogue from the beginning.
#[track_caller]
pub(super) fn check_all(config: ClientConfig, story: &str) {
    compare(Bench::new(config), story);
}

/// A dialogue right after the reply to EHLO.
#[track_caller]
pub(super) fn check_after(config: ClientConfig, hello: &str, story: &str) {
    compare(ready(config, hello), story);
}

/// A dialogue with a server that has PIPELINING, right after the reply to EHLO.
#[track_caller]
pub(super) fn check(story: &str) {
    check_after(config(), PIPELINING, story);
}

pub(super) fn ready(config: ClientConfig, hello: &str) -> Bench {
    let mut bench = Bench::new(config);
    bench.bytes(b"220 mx.test\r\n");
    bench.bytes(hello.as_bytes());
    assert!(bench.client.is_ready(), "{}", bench.story);
    bench.story.clear();
    bench
}

#[track_caller]
fn compare(mut bench: Bench, story: &str) {
    let wanted = lines(story);
    bench.replay(&wanted);
    assert_eq!(bench.story, wanted.iter().map(|line| format!("{line}\n")).collect::<String>());
}
