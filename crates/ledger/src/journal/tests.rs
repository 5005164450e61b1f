//! The journal repeats, tells different drills apart, and can be written and read as lines.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use mxdrill_dns::{Fact as Dns, Outcome, RecordType};
use mxdrill_mta::{Fact as Node, MessageKey};
use mxdrill_net::{Conn, ConnectError, DomainName, Fact as Net, HostId, Tag, Time};
use mxdrill_smtp::ReversePath;

use super::{Journal, Lines};
use crate::{
    Deed, Fact, Ledger, Taken,
    tale::{Tale, cast, id, reply},
};

fn story(tale: &mut Tale) {
    tale.send(2).routed("app").pass(1..=1, "app", "mx1").at("5m").fault(true).bit();
    tale.failed("app", "mx1").pass(2..=2, "app", "mx2").expect("queued.mx2", "1");
    tale.at("2h").fault(false).routed("mx2").pass(2..=2, "mx2", "mx1");
}

fn hash(tell: impl FnOnce(&mut Tale)) -> String {
    let mut tale = Tale::new();
    tell(&mut tale);
    tale.end().journal_hash.expect("a hash in sim")
}

#[test]
fn the_same_story_has_the_same_hash() {
    assert_eq!(hash(story), hash(story));
}

#[test]
fn the_encoding_does_not_change() {
    let mut journal = Journal::new(true);
    let domain: DomainName = "example.test".parse().expect("a domain");
    let to = "192.0.2.20:25".parse().expect("an address");
    let facts: [Fact; 6] = [
        Net::ConnectFailed { conn: Conn(7), to, why: ConnectError::Refused }.into(),
        Net::Bit(Tag(1)).into(),
        Dns::Answered { name: domain.clone(), kind: RecordType::Mx, outcome: Outcome::Records(2) }.into(),
        Deed::Sending {
            number: 17,
            send: 0,
            key: MessageKey(0x1234),
            from: ReversePath::NULL,
            forged: false,
            to: ["user@example.test".parse().expect("an address")].into(),
            header: Bytes::from_static(b"Subject: hello\r\n\r\n"),
            body: Bytes::from_static(b"hello\r\n"),
        }
        .into(),
        Deed::Sent { number: 17, recipient: 0, taken: Taken::Rejected(reply("451 4.3.0 later")), by: None }
            .into(),
        Node::Deferred { destination: domain, count: 1, attempted: true, next: Time::from_secs(600) }.into(),
    ];
    for fact in facts {
        journal.see(Time::from_secs(300), HostId(2), &fact);
    }
    // A change here is a change of the format: give it a new number in its first line.
    insta::assert_snapshot!(journal.hash().expect("hashed"), @"c64df11cc00f00d720f219406ed444a510ba0bd0b5c829d4b2cb3eff4e4fdbf1");
}

#[test]
fn any_difference_shows() {
    let later = |tale: &mut Tale| {
        story(tale);
        tale.at("2h1ms").fault(false);
    };
    let earlier = |tale: &mut Tale| {
        story(tale);
        tale.at("2h").fault(false);
    };
    assert_ne!(hash(story), hash(later));
    assert_ne!(hash(earlier), hash(later));
}

#[test]
fn elsewhere_there_is_no_hash() {
    let mut setup = cast();
    setup.hashed = false;
    let mut tale = Tale::of(setup);
    story(&mut tale);
    assert_eq!(tale.end().journal_hash, None);
}

/// A writer whose bytes can be seen from outside.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_hash_is_that_of_the_bytes_written() {
    let shared = Shared::default();
    let mut tale = Tale::new();
    tale.ledger = Ledger::new(cast()).journal_to(Box::new(shared.clone()));
    story(&mut tale);
    tale.ledger.finish_journal().expect("written to memory");
    let bytes = shared.0.lock().expect("no panic").clone();
    assert!(bytes.starts_with(b"mxdrill journal 1\n"));
    assert_eq!(tale.end().journal_hash, Some(blake3::hash(&bytes).to_hex().to_string()));
}

/// A disk that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_failed_write_is_told_and_the_drill_goes_on() {
    let mut tale = Tale::new();
    tale.ledger = Ledger::new(cast()).journal_to(Box::new(Full));
    story(&mut tale);
    assert_eq!(tale.ledger.finish_journal().map_err(|error| error.kind()), Err(io::ErrorKind::StorageFull));
    assert_eq!(tale.end().counts.delivered, 2);
}

#[test]
fn lines_for_people() {
    let names = cast().hosts.iter().map(|host| (host.id, host.name.clone())).collect();
    let lines = Arc::new(Mutex::new(Lines::new(Vec::new(), names)));
    let mut tale = Tale::new();
    let writer = lines.clone();
    tale.watched_by(move |at, host, fact| {
        writer.lock().expect("no panic").see(at, host, fact).expect("memory")
    });
    tale.send(1).routed("app").at("5m").fault(true).failed("app", "mx1").pass(1..=1, "app", "mx2");
    tale.see(id("mx2"), crate::Deed::Flush).expect("queued.mx2", "1");
    let key = format!("{:016x}", tale.message(1).key.0);
    drop(tale);
    let lines = Arc::into_inner(lines).expect("no other owner").into_inner().expect("no panic");
    let text = String::from_utf8(lines.into_inner()).expect("UTF-8").replace(&key, "KEY");
    insta::assert_snapshot!(text, @r#"
    {"at":0.0,"count":1,"fact":"sends","from":"<alice@sender.test>","host":"app","over":0.0,"send":0,"to":"user@example.test"}
    {"at":0.0,"fact":"sending","forged":false,"from":"<alice@sender.test>","host":"app","key":"KEY","number":1,"send":0,"size":37,"to":["user@example.test"]}
    {"at":0.0,"fact":"accepted","host":"app","message":{"from":"<alice@sender.test>","key":"KEY","size":37,"to":["user@example.test"]},"peer":"192.0.2.10"}
    {"at":0.0,"fact":"sent","host":"app","number":1,"recipient":0,"reply":null,"taken":"acknowledged"}
    {"at":0.0,"destination":"example.test","fact":"routed","host":"app","route":{"basis":"mx","hosts":[{"addresses":["192.0.2.20"],"dropped":false,"mx":"mx1.example.test","preference":10,"unresolved":null},{"addresses":["192.0.2.30"],"dropped":false,"mx":"mx2.example.test","preference":20,"unresolved":null},{"addresses":["192.0.2.40"],"dropped":false,"mx":"mx3.example.test","preference":30,"unresolved":null}],"own":null}}
    {"at":300.0,"begins":true,"fact":"fault","fault":1,"host":"mx1"}
    {"at":300.0,"destination":"example.test","fact":"failed","failure":"refused","host":"app","stage":"connect","target":{"address":"192.0.2.20","mx":"mx1.example.test","preference":10,"security":"clear"}}
    {"at":300.2,"destination":"example.test","fact":"began","host":"app","key":"KEY"}
    {"at":300.2,"fact":"accepted","host":"mx2","message":{"from":"<alice@sender.test>","key":"KEY","size":37,"to":["user@example.test"]},"peer":"192.0.2.10"}
    {"at":300.2,"began":300.0,"fact":"relayed","host":"app","key":"KEY","recipient":0,"target":{"address":"192.0.2.30","mx":"mx2.example.test","preference":20,"security":"clear"},"to":"user@example.test"}
    {"at":300.2,"fact":"flush","host":"mx2"}
    {"at":300.2,"expectation":"queued.mx2 = 1","fact":"expected","found":"1","held":true}
    "#);
}
