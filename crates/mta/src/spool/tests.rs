//! Tests of the spool over a small disk that tears what was not synced.

mod crash;
mod disk;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mxdrill_net::{StoreError, Time};
use mxdrill_smtp::Recipient;

use self::disk::Bench;
use super::{Entry, LAZY, Pending, Spool, SpoolOptions};
use crate::{
    Intake, Message,
    fixture::{intake, received},
};

/// A message as a node takes it in.
fn message(intake: &mut Intake, number: u32, recipients: usize, body: &str) -> Arc<Message> {
    let recipient = |n| Recipient::new(format!("u{n}@example.test").parse().unwrap());
    let mut came = received(format!("Subject: x\r\nMessage-ID: <{number}@sender.test>\r\n\r\n{body}\r\n"));
    came.envelope.recipients = (0..recipients).map(recipient).collect();
    Arc::new(intake.receive(Time::from_secs(number.into()), came))
}

#[test]
fn a_message_is_acknowledged_after_the_sync_and_not_before() {
    let mut bench = Bench::new(1 << 20);
    bench.store(1, 1, "hello");
    assert_eq!(bench.answers(), "");
    bench.sync();
    assert_eq!(bench.answers(), "1 stored");
}

#[test]
fn stores_during_a_sync_share_the_next_one() {
    let mut bench = Bench::new(1 << 20);
    for number in 1..=4 {
        bench.store(number, 1, "hello");
    }
    assert_eq!((bench.disk.appends, bench.disk.syncs), (1, 1));
    bench.sync();
    assert_eq!(bench.answers(), "1 stored");
    assert_eq!((bench.disk.appends, bench.disk.syncs), (2, 2));
    bench.sync();
    assert_eq!(bench.answers(), "2 stored, 3 stored, 4 stored");
}

#[test]
fn a_failed_sync_fails_its_own_batch_only() {
    let mut bench = Bench::new(1 << 20);
    bench.store(1, 1, "hello");
    bench.sync();
    bench.store(2, 1, "hello");
    bench.store(3, 1, "hello");
    bench.fail(StoreError::Full);
    bench.sync();
    assert_eq!(bench.answers(), "1 stored, 2 Full, 3 stored");
    bench.crash(0);
    assert_eq!(bench.holds(), "1[0] 3[0]");
}

#[test]
fn answers_to_another_sync_are_ignored() {
    let mut bench = Bench::new(1 << 20);
    bench.store(1, 1, "hello");
    bench.stray_answers();
    assert_eq!(bench.answers(), "");
    bench.sync();
    assert_eq!(bench.answers(), "1 stored");
}

#[test]
fn marks_wait_for_company_or_a_second() {
    let mut bench = Bench::new(1 << 20);
    bench.store(1, 2, "hello");
    bench.sync();
    assert_eq!(bench.spool.deadline(), None);
    assert!(bench.done(1, 0));
    assert!(!bench.done(1, 0), "it is done already");
    assert!(!bench.done(1, 2), "there is no such recipient");
    assert!(!bench.done(9, 0), "there is no such message");
    assert_eq!((bench.disk.syncs, bench.spool.deadline()), (1, Some(Time::ZERO + LAZY)));
    bench.advance(LAZY);
    assert_eq!((bench.disk.syncs, bench.spool.deadline()), (2, None));
    bench.sync();
    bench.crash(0);
    assert_eq!(bench.holds(), "1[1]");
}

#[test]
fn a_mark_that_a_crash_loses_means_one_more_delivery() {
    let mut bench = Bench::new(1 << 20);
    bench.store(1, 1, "hello");
    bench.sync();
    bench.done(1, 0);
    bench.crash(0);
    assert_eq!(bench.holds(), "1[0]");
}

#[test]
fn a_mark_that_failed_is_written_later() {
    let mut bench = Bench::new(1 << 20);
    bench.store(1, 2, "hello");
    bench.sync();
    bench.done(1, 1);
    bench.advance(LAZY);
    bench.fail(StoreError::Io);
    assert!(bench.spool.deadline().is_some());
    bench.store(2, 1, "hello");
    bench.sync();
    bench.crash(0);
    assert_eq!(bench.holds(), "1[0] 2[0]");
}

#[test]
fn what_is_delivered_here_survives_as_a_count() {
    let mut bench = Bench::new(600);
    for number in 1..=40 {
        bench.store_pending(number, 2, "hello", Pending::none());
        bench.sync();
    }
    assert_eq!((bench.spool.len(), bench.spool.delivered()), (0, 80));
    assert!(bench.disk.len() < 2000, "mailboxes are not kept in the spool");
    bench.crash(0);
    assert_eq!((bench.spool.len(), bench.spool.delivered()), (0, 80));
}

#[test]
fn a_copy_does_not_count_as_a_delivery() {
    let mut bench = Bench::new(600);
    let mut pending = Pending::all(3);
    pending.remove(0);
    bench.store_pending(1, 3, "stuck", pending);
    bench.sync();
    bench.done(1, 1);
    for number in 2..100 {
        bench.store(number, 1, "passing");
        bench.sync();
        bench.done(number, 0);
    }
    assert!(!bench.disk.segments.contains_key(&1), "the stuck message was copied forward");
    bench.advance(LAZY);
    bench.sync();
    bench.crash(0);
    assert_eq!((bench.holds().as_str(), bench.spool.delivered()), ("1[2]", 1));
}

#[test]
fn an_outage_with_much_mail_that_passes_does_not_grow_the_log() {
    let mut bench = Bench::new(4000);
    let stuck: Vec<u32> = (1..=10).collect();
    for number in &stuck {
        bench.store(*number, 1, "stuck");
    }
    bench.sync();
    bench.sync();
    for number in 11..5000 {
        bench.store(number, 1, "passing");
        bench.sync();
        assert!(bench.done(number, 0));
        assert!(bench.spool.bytes() < 2 * (bench.spool.bytes_live + 4000) + 8000, "at {number}");
        assert_eq!(bench.disk.synced_len(), bench.spool.bytes());
    }
    bench.crash(0);
    assert_eq!(bench.spool.len(), 10 + 1, "the last mark was not synced");
}

#[test]
fn a_full_disk_drains_without_space_for_marks() {
    let mut bench = Bench::new(600);
    for number in 1..=20 {
        bench.store(number, 1, "hello");
        bench.sync();
    }
    for number in 1..=20 {
        bench.done(number, 0);
        bench.advance(Duration::from_secs(100));
        bench.fail(StoreError::Full);
    }
    assert_eq!(bench.spool.len(), 0);
    bench.store(21, 1, "hello");
    bench.sync();
    bench.crash(0);
    assert_eq!(bench.holds(), "21[0]");
    assert!(bench.disk.len() < 1000);
}

#[test]
fn equal_bodies_are_one_again_after_a_restart() {
    let mut bench = Bench::new(1 << 20);
    for number in 1..=3 {
        bench.store(number, 1, "hello");
    }
    bench.sync();
    bench.sync();
    bench.crash(0);
    let bodies: Vec<_> = bench.recovered.iter().map(|r| r.message.body.as_ptr()).collect();
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}

#[test]
fn ids_are_new_after_a_restart() {
    let mut bench = Bench::new(1 << 20);
    bench.store(1000, 1, "hello");
    bench.sync();
    let before = message(&mut bench.intake, 0, 1, "hello").id;
    bench.crash(0);
    let after = message(&mut bench.intake, 0, 1, "hello").id;
    assert!(after >= before, "{after} {before}");
}

#[test]
fn what_is_no_log_recovers_as_nothing() {
    for junk in [&b""[..], b"\0", b"junk that is longer than a record's head", &[0; 64], &[255; 64]] {
        let kept =
            mxdrill_net::Kept { segment: mxdrill_net::Segment(3), bytes: Bytes::copy_from_slice(junk) };
        let mut out = mxdrill_net::Commands::<()>::default();
        let (mut spool, found) =
            Spool::<u32>::recover(SpoolOptions::default(), &[kept], &mut intake(), &mut out);
        assert!(found.is_empty() && spool.is_empty());
        assert_eq!(spool.bytes(), 0, "a segment without life is removed");
        spool.store(1, message(&mut intake(), 1, 1, "hello"), Pending::all(1), &mut out);
    }
}

#[test]
fn a_queued_message_is_small() {
    // its recipient lies in it, where there is one
    assert!(size_of::<Message>() <= 208, "{}", size_of::<Message>());
    assert!(size_of::<Entry>() <= 32, "{}", size_of::<Entry>());
}
