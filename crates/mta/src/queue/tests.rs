//! The queue against a plain model of it.

use std::sync::Arc;

use bytes::Bytes;
use mxdrill_net::{Seed, Time};
use mxdrill_smtp::{Recipient, ReversePath};
use proptest::prelude::*;

use super::{Cause, Picks, Queue, Timetable};
use crate::{Message, Profile};

fn message(number: u64, arrived: u64) -> Arc<Message> {
    let to = vec![Recipient::new("u@example.test".parse().expect("an address"))];
    let content = Bytes::from(format!("Message-ID: <{number}@test>\r\n\r\nHello\r\n"));
    let arrived = Time::from_secs(arrived);
    Arc::new(Message {
        arrived,
        ..Message::new(ReversePath(Some("a@b.test".parse().expect("ok"))), to, &content)
    })
}

fn postfix() -> Timetable {
    Timetable::new(&Profile::named("postfix").expect("known"), Time::ZERO, Seed(1), 0)
}

#[test]
fn million_deferrals_keep_every_entry() {
    let (mut queue, table) = (Queue::default(), postfix());
    let line = queue.line_of(&"example.test".parse().expect("a name"));
    let shared = message(1, 0);
    for _ in 0..10_000 {
        let entry = queue.insert(shared.clone(), Picks::One(0), line);
        queue.line_mut(line).ready.push_back(entry);
    }
    let (mut puts, mut expired, mut now) = (0u64, 0, Time::ZERO);
    loop {
        let done = queue.put_off_ready(line, now, &table, Cause::Schedule, false);
        puts += u64::from(done.count);
        expired += done.expired.len();
        let Some(at) = queue.deadline() else { break };
        now = at;
        assert_eq!(queue.scan(now), Some(line));
        assert_eq!(queue.line(line).ready.len() + expired, 10_000);
    }
    assert_eq!(expired, 10_000);
    assert!(now >= Time::from_secs(5 * 86_400));
    assert_eq!(puts % 10_000, 0);
    assert!(puts / 10_000 > 100);
}

#[test]
fn an_entry_is_small() {
    assert!(size_of::<super::Entry>() <= 48, "{}", size_of::<super::Entry>());
}

proptest! {
    /// Whatever waits comes back at its second, once, and nothing else does.
    #[test]
    fn each_entry_comes_back_when_it_is_due(dues in prop::collection::vec((0u32..3, 1u32..50), 1..60)) {
        let mut queue = Queue::default();
        let lines: Vec<u32> = ["a.test", "b.test", "c.test"].iter().map(|n| queue.line_of(&n.parse().expect("ok"))).collect();
        let mut expected: Vec<(u32, u32)> = Vec::new();
        for (line, due) in dues {
            let entry = queue.insert(message(1, 0), Picks::One(0), lines[line as usize]);
            queue.wait(entry, due);
            expected.push((due, entry));
        }
        expected.sort_unstable();
        let mut seen = Vec::new();
        while let Some(at) = queue.deadline() {
            while let Some(line) = queue.scan(at) {
                let ready = std::mem::take(&mut queue.line_mut(line).ready);
                seen.extend(ready.into_iter().map(|entry| ((at.as_nanos() / 1_000_000_000) as u32, entry)));
            }
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, expected);
    }
}
