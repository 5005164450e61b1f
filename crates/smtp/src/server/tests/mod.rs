//! Whole dialogues with a server.
//!
//! `C:` is a line of the client's; neighbouring lines come in one piece. `C-` is text without a line end.
//! `+ 5m` lets time pass, `verdict 250 text` is the policy's late answer, `eof` and `lost` end the client's
//! side. Everything else is what comes out.

mod commands;
mod faults;
mod mail;
mod robust;

use std::{sync::Arc, time::Duration};

use mxdrill_net::{Closed, Commands, Conn, Time};

use super::*;
use crate::{
    Extensions, Pass, Stage,
    story::{Desk, Note, lines, octets, span, tell},
};

/// A server on its own, with whoever it asks.
pub(super) struct Bench<S> {
    pub(super) server: Server,
    now: Time,
    desk: Desk,
    script: S,
    out: Commands<Note>,
    pub(super) story: String,
}

impl<S: Script> Bench<S> {
    pub(super) fn new(config: ServerConfig, later: bool, mut script: S) -> Bench<S> {
        let mut desk = Desk { later };
        let mut out = Commands::default();
        let peer = "192.0.2.9".parse().expect("an address");
        let config = Arc::new(config);
        let server = Server::open(Time::ZERO, Conn(7), peer, config, &mut desk, &mut script, &mut out);
        let mut bench = Bench { server, now: Time::ZERO, desk, script, out, story: String::new() };
        bench.tell();
        bench
    }

    fn tell(&mut self) {
        tell(&mut self.out, "S", &mut self.story);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.server.bytes(self.now, bytes, &mut self.desk, &mut self.script, &mut self.out);
        self.tell();
    }

    /// Lets time pass, with a stop at every deadline on the way.
    pub(super) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.server.deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.server.timer(self.now, &mut self.desk, &mut self.script, &mut self.out);
            self.tell();
        }
        self.now = end;
    }

    pub(super) fn verdict(&mut self, text: &str) {
        let reply = Reply::parse(format!("{text}\r\n").as_bytes()).expect("a reply");
        self.server.resume(self.now, reply, &mut self.desk, &mut self.script, &mut self.out);
        self.tell();
    }

    fn act(&mut self, line: &str) -> bool {
        match line.split_once(' ') {
            Some(("+", time)) => self.pass(span(time)),
            Some(("verdict", text)) => self.verdict(text),
            _ if line == "eof" => self.server.closed(Closed::Eof, &mut self.out),
            _ if line == "lost" => self.server.closed(Closed::Reset, &mut self.out),
            _ => return false,
        }
        self.tell();
        true
    }

    /// Replays the story's input.
    pub(super) fn replay(&mut self, story: &[&str]) {
        let mut input: Vec<u8> = Vec::new();
        for (index, line) in story.iter().enumerate() {
            if let Some(octets) = octets(line).filter(|_| line.starts_with('C')) {
                self.story.push_str(&format!("{line}\n"));
                input.extend(octets);
                if story.get(index + 1).is_some_and(|next| next.starts_with('C')) {
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

pub(super) fn config() -> ServerConfig {
    ServerConfig::new("mx.test".parse().expect("a name"))
}

/// A dialogue right after EHLO, with a policy that answers the final dot at once.
#[track_caller]
pub(super) fn check(story: &str) {
    check_with(config(), false, Pass, story);
}

#[track_caller]
pub(super) fn check_with<S: Script>(config: ServerConfig, later: bool, script: S, story: &str) {
    let mut bench = Bench::new(config, later, script);
    bench.story.clear();
    bench.bytes(b"EHLO client.test\r\n");
    bench.story.clear();
    compare(bench, story);
}

/// A dialogue from the very beginning.
#[track_caller]
pub(super) fn check_all<S: Script>(config: ServerConfig, script: S, story: &str) {
    compare(Bench::new(config, false, script), story);
}

#[track_caller]
fn compare<S: Script>(mut bench: Bench<S>, story: &str) {
    let wanted = lines(story);
    bench.replay(&wanted);
    assert_eq!(bench.story, wanted.iter().map(|line| format!("{line}\n")).collect::<String>());
}

pub(super) fn without(change: impl FnOnce(&mut Extensions)) -> ServerConfig {
    let mut config = config();
    change(&mut config.extensions);
    config
}
