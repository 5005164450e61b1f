//! What a host remembers of answers: bounded, and never iterated.

use std::time::Duration;

use mxdrill_net::{Index, Time};

use super::{Answer, Key};

/// No answer is remembered longer, whatever its time to live (a week, as RFC 8767 4 suggests).
const TTL_MAX: u32 = 604_800;

/// Answers by question. When it is full, the answer put in first makes room.
#[derive(Debug)]
pub(crate) struct Cache {
    slots: Vec<Slot>,
    index: Index<Key, u32>,
    oldest: usize,
    capacity: usize,
}

#[derive(Debug)]
struct Slot {
    key: Key,
    answer: Answer,
    expires: Time,
}

impl Cache {
    pub(crate) fn new(capacity: usize) -> Cache {
        Cache { slots: Vec::new(), index: Index::default(), oldest: 0, capacity }
    }

    /// The answer, while it is fresh.
    pub(crate) fn get(&self, now: Time, key: &Key) -> Option<&Answer> {
        let slot = &self.slots[*self.index.get(key)? as usize];
        (now < slot.expires).then_some(&slot.answer)
    }

    /// Remembers an answer for `ttl` seconds.
    pub(crate) fn insert(&mut self, now: Time, key: Key, answer: Answer, ttl: u32) {
        let expires = now + Duration::from_secs(ttl.min(TTL_MAX).into());
        let slot = Slot { key: key.clone(), answer, expires };
        if let Some(at) = self.index.get(&key) {
            self.slots[*at as usize] = slot;
        } else if self.slots.len() < self.capacity {
            self.index.insert(key, self.slots.len() as u32);
            self.slots.push(slot);
        } else if self.capacity > 0 {
            self.replace_oldest(slot);
        }
    }

    fn replace_oldest(&mut self, slot: Slot) {
        self.index.remove(&self.slots[self.oldest].key);
        self.index.insert(slot.key.clone(), self.oldest as u32);
        self.slots[self.oldest] = slot;
        self.oldest = (self.oldest + 1) % self.capacity;
    }

    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.index.clear();
        self.oldest = 0;
    }
}
