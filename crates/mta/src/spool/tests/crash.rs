//! The law of the spool: after any crash, what was acknowledged and is not done is there, and nothing else but
//! what was under way.

use std::collections::{BTreeMap, BTreeSet};

use mxdrill_net::StoreError;
use proptest::prelude::*;

use super::{super::LAZY, disk::Bench};
use crate::spool::Pending;

#[derive(Clone, Debug)]
enum Act {
    Store { recipients: usize, local: u16, body: usize },
    Done { message: prop::sample::Index, recipient: u16 },
    DoneAll { message: prop::sample::Index },
    Sync,
    Fail,
    Wait,
    Crash { torn: usize },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (1usize..70, 0u16..4, 0usize..600)
            .prop_map(|(recipients, local, body)| Act::Store { recipients: recipients / 10 * 10 + 1, local, body }),
        6 => (any::<prop::sample::Index>(), 0u16..3).prop_map(|(message, recipient)| Act::Done { message, recipient }),
        6 => any::<prop::sample::Index>().prop_map(|message| Act::DoneAll { message }),
        8 => Just(Act::Sync),
        1 => Just(Act::Fail),
        2 => Just(Act::Wait),
        1 => (0usize..3000).prop_map(|torn| Act::Crash { torn }),
    ]
}

type Recipients = BTreeSet<u16>;

/// What the outside knows.
#[derive(Default)]
struct Model {
    /// Acknowledged, and recipients not done: a crash must leave at least these.
    owed: BTreeMap<u32, Recipients>,
    /// As `owed`, but a recipient leaves it only when a sync that began after its mark has succeeded: a crash
    /// must leave at most these, and what was under way.
    durable: BTreeMap<u32, Recipients>,
    /// `owed` when the sync under way began.
    at_sync: BTreeMap<u32, Recipients>,
    /// Stored and not answered yet.
    under_way: BTreeMap<u32, Recipients>,
    syncs: u32,
}

impl Model {
    /// Takes in what the spool did since the last call.
    fn follow(&mut self, bench: &mut Bench, succeeded: bool) {
        if succeeded {
            self.durable = std::mem::take(&mut self.at_sync);
        }
        for answer in bench.answers().split(", ").filter(|answer| !answer.is_empty()) {
            let (number, word) = answer.split_once(' ').expect("number and word");
            let number = number.parse().expect("a number");
            let pending = self.under_way.remove(&number).expect("an answer to a store under way");
            if word == "stored" && !pending.is_empty() {
                self.owed.insert(number, pending.clone());
                self.durable.insert(number, pending);
            }
        }
        if bench.disk.syncs != self.syncs {
            self.syncs = bench.disk.syncs;
            self.at_sync = self.owed.clone();
        }
    }

    fn done(&mut self, bench: &mut Bench, message: prop::sample::Index, recipients: Option<u16>) {
        if self.owed.is_empty() {
            return;
        }
        let number = *self.owed.keys().nth(message.index(self.owed.len())).expect("in bounds");
        let chosen = recipients.map_or_else(|| self.owed[&number].clone(), |one| BTreeSet::from([one]));
        for recipient in chosen {
            let Some(left) = self.owed.get_mut(&number) else { return };
            assert_eq!(bench.done(number, recipient), left.remove(&recipient));
            if left.is_empty() {
                self.owed.remove(&number);
            }
        }
    }

    /// Holds what the disk gave back against the law, and goes on from there.
    fn crash(&mut self, bench: &mut Bench, torn: usize) -> Result<(), TestCaseError> {
        bench.crash(torn);
        let mut found = BTreeMap::new();
        for recovered in &bench.recovered {
            let number = bench.numbers.iter().find(|(_, m)| m.id == recovered.message.id).map(|(n, _)| *n);
            let number = number.expect("a message that was once stored");
            prop_assert_eq!(&*bench.numbers[&number], &*recovered.message);
            let pending: Recipients = recovered.pending.iter().collect();
            prop_assert!(found.insert(number, pending).is_none(), "a message twice");
        }
        for (number, owed) in &self.owed {
            prop_assert!(
                found.get(number).is_some_and(|found| owed.is_subset(found)),
                "lost {}: {:?}",
                number,
                owed
            );
        }
        for (number, found) in &found {
            let most = self.durable.get(number).or(self.under_way.get(number));
            prop_assert!(most.is_some_and(|most| found.is_subset(most)), "back from the dead: {}", number);
        }
        *self = Model { owed: found.clone(), durable: found, syncs: self.syncs, ..Model::default() };
        Ok(())
    }
}

fn play(segment_size: u64, acts: Vec<Act>) -> Result<(), TestCaseError> {
    let mut bench = Bench::new(segment_size);
    let mut model = Model::default();
    for (number, act) in (1u32..).zip(acts) {
        let mut succeeded = false;
        match act {
            Act::Store { recipients, local, body } => {
                let mut pending = Pending::all(recipients);
                for recipient in 0..local {
                    pending.remove(recipient);
                }
                model.under_way.insert(number, pending.iter().collect());
                bench.store_pending(number, recipients, &"x".repeat(body), pending);
            }
            Act::Done { message, recipient } => model.done(&mut bench, message, Some(recipient)),
            Act::DoneAll { message } => model.done(&mut bench, message, None),
            Act::Sync => {
                succeeded = bench.disk.sync.is_some();
                bench.sync();
            }
            Act::Fail => bench.fail(StoreError::Io),
            Act::Wait => bench.advance(LAZY),
            Act::Crash { torn } => model.crash(&mut bench, torn)?,
        }
        model.follow(&mut bench, succeeded);
        prop_assert_eq!(bench.disk.synced_len(), bench.spool.bytes());
        prop_assert_eq!(bench.spool.len(), model.owed.len());
    }
    model.crash(&mut bench, 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn nothing_acknowledged_is_lost_and_nothing_done_comes_back(
        segment_size in 200u64..4000,
        acts in prop::collection::vec(act(), 0..200),
    ) {
        play(segment_size, acts)?;
    }
}
