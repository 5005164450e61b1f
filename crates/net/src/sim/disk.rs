//! A disk in memory: segments of shared slices, which a crash cuts back to what was synced, or tears.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use bytes::{Bytes, BytesMut};

use crate::{Disk, Event, Kept, Seed, Segment, StoreError, Tag, Token, seed::scale};

/// How long a sync takes: that of a solid-state disk with a cache that power loss does not empty.
pub(super) const SYNC: Duration = Duration::from_millis(1);

/// What a host has stored.
#[derive(Debug, Default)]
pub(super) struct Store {
    files: BTreeMap<Segment, File>,
    /// Bytes in all files.
    used: u64,
    /// Files made so far: tells a file from a removed one of the same name.
    births: u64,
    /// What is wrong with it at present.
    pub(super) health: Disk,
    /// Why an append since the last sync failed.
    failed: Option<StoreError>,
    /// Syncs begun so far; keys what each covers.
    begun: u64,
    under_way: VecDeque<Sync>,
    covers: VecDeque<Cover>,
    /// Segments appended to since the last sync.
    dirty: Vec<Segment>,
}

#[derive(Debug, Default)]
struct File {
    birth: u64,
    slices: Vec<Bytes>,
    len: u64,
    /// Its length when the last sync began: what a failed append cuts it back to.
    begun: u64,
    /// Its length as far as it is on stable storage.
    stable: u64,
}

#[derive(Debug)]
struct Sync {
    number: u64,
    token: Token,
    failed: Option<StoreError>,
}

/// A sync makes a file stable up to this length.
#[derive(Debug)]
struct Cover {
    sync: u64,
    segment: Segment,
    birth: u64,
    len: u64,
}

impl Store {
    /// Appends slices, all or none. Gives the tag of the fault that refused them, if one did.
    pub(super) fn append(&mut self, segment: Segment, slices: Vec<Bytes>) -> Option<Tag> {
        let len: u64 = slices.iter().map(|slice| slice.len() as u64).sum();
        let fits = self.health.capacity.is_none_or(|capacity| self.used.saturating_add(len) <= capacity);
        if self.health.full.is_some() || !fits {
            self.failed = Some(StoreError::Full);
            return self.health.full;
        }
        let births = &mut self.births;
        let file = self.files.entry(segment).or_insert_with(|| {
            *births += 1;
            File { birth: *births, ..File::default() }
        });
        if file.len == file.begun && !self.dirty.contains(&segment) {
            self.dirty.push(segment);
        }
        file.slices.extend(slices.into_iter().filter(|slice| !slice.is_empty()));
        file.len += len;
        self.used += len;
        None
    }

    /// Begins a sync, which ends [`SYNC`] later. After a failed append it will fail, and what was appended since
    /// the sync before is cut off now, so that what follows stands where the log expects it.
    pub(super) fn sync(&mut self, token: Token) {
        self.begun += 1;
        let failed = self.failed.take();
        for segment in self.dirty.drain(..) {
            let Some(file) = self.files.get_mut(&segment) else { continue };
            if failed.is_some() {
                self.used -= file.cut(file.begun);
            }
            file.begun = file.len;
            self.covers.push_back(Cover { sync: self.begun, segment, birth: file.birth, len: file.len });
        }
        self.under_way.push_back(Sync { number: self.begun, token, failed });
    }

    /// Ends the oldest sync under way: syncs end in the order in which they began.
    pub(super) fn end_sync(&mut self) -> Option<Event<'static>> {
        let sync = self.under_way.pop_front()?;
        while let Some(cover) = self.covers.pop_front_if(|cover| cover.sync == sync.number) {
            if let Some(file) = self.files.get_mut(&cover.segment)
                && file.birth == cover.birth
            {
                file.stable = file.stable.max(cover.len);
            }
        }
        Some(match sync.failed {
            None => Event::Synced(sync.token),
            Some(why) => Event::StoreFailed(sync.token, why),
        })
    }

    /// Deletes a segment, at once and for good.
    pub(super) fn remove(&mut self, segment: Segment) {
        if let Some(file) = self.files.remove(&segment) {
            self.used -= file.len;
        }
        self.dirty.retain(|dirty| *dirty != segment);
    }

    /// Loses what was not synced; of that, half of the files keep a torn part, as long as the draw says.
    pub(super) fn lose_power(&mut self, seed: Seed, host: u16, life: u32) {
        self.failed = None;
        self.dirty.clear();
        self.under_way.clear();
        self.covers.clear();
        for (segment, file) in &mut self.files {
            let unsynced = file.len - file.stable;
            let number = seed.pick("torn write", &[u64::from(host), u64::from(life), segment.0]);
            let torn = if number & 1 == 1 { scale(number, unsynced + 1) } else { 0 };
            self.used -= file.cut(file.stable + torn);
            (file.begun, file.stable) = (file.len, file.len);
        }
        self.files.retain(|_, file| file.len > 0);
    }

    /// What a restarted process finds, each segment in one piece.
    pub(super) fn kept(&mut self) -> Vec<Kept> {
        self.files.iter_mut().map(|(segment, file)| Kept { segment: *segment, bytes: file.join() }).collect()
    }
}

impl File {
    /// Cuts the file back to `len` bytes and returns how many went.
    fn cut(&mut self, len: u64) -> u64 {
        let mut excess = self.len.saturating_sub(len);
        let gone = excess;
        self.len -= gone;
        while let Some(last) = self.slices.last_mut().filter(|_| excess > 0) {
            let kept = (last.len() as u64).saturating_sub(excess);
            excess -= last.len() as u64 - kept;
            last.truncate(kept as usize);
            if last.is_empty() {
                self.slices.pop();
            }
        }
        gone
    }

    /// The contents; the file keeps them in one piece from then on.
    fn join(&mut self) -> Bytes {
        if let [whole] = &self.slices[..] {
            return whole.clone();
        }
        let mut whole = BytesMut::with_capacity(self.len as usize);
        self.slices.drain(..).for_each(|slice| whole.extend_from_slice(&slice));
        let whole = whole.freeze();
        self.slices.push(whole.clone());
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: Segment = Segment(1);

    /// Plays words such as `+abc` (append), `sync`, `end`, `crash`, `remove`, `full`, `mended`, `room 5`, and
    /// checks the contents (`-` for no file) and what the syncs said (`.` synced, `!` failed).
    fn check(script: &str, contents: &str, answers: &str) {
        let mut store = Store::default();
        let mut said = String::new();
        for word in script.split(", ") {
            match word {
                "sync" => store.sync(Token(0)),
                "end" => said.push(match store.end_sync() {
                    Some(Event::Synced(_)) => '.',
                    Some(Event::StoreFailed(_, StoreError::Full)) => '!',
                    other => panic!("{other:?}"),
                }),
                "crash" => store.lose_power(Seed(4), 0, 0),
                "remove" => store.remove(LOG),
                "full" => store.health.full = Some(Tag(1)),
                "mended" => store.health = Disk::default(),
                other => match other.strip_prefix("room ") {
                    Some(room) => store.health.capacity = room.parse().ok(),
                    None => {
                        store
                            .append(LOG, other[1..].split('+').map(|s| Bytes::from(s.to_string())).collect());
                    }
                },
            }
        }
        let found =
            store.kept().pop().map_or("-".to_string(), |kept| String::from_utf8_lossy(&kept.bytes).into());
        assert_eq!((found.as_str(), said.as_str()), (contents, answers), "{script}");
        let used: u64 = store.files.values().map(|file| file.len).sum();
        assert_eq!(store.used, used, "{script}");
    }

    #[test]
    fn what_was_synced_outlives_a_crash() {
        check("+ab+c, sync, end, crash", "abc", ".");
        check("+ab, sync, +cd, sync, end, end, crash", "abcd", "..");
        check("+ab, sync, end, remove, crash", "-", ".");
    }

    #[test]
    fn a_full_disk_cuts_back_to_the_last_sync() {
        check("+ab, sync, +cd, full, +ef, sync, end, end", "ab", ".!");
        check("+ab, sync, full, +ef, sync, mended, +gh, sync, end, end, end, crash", "abgh", ".!.");
        check("room 5, +abc, sync, +def, sync, end, end", "abc", ".!");
        check("room 5, +abcde, sync, end", "abcde", ".");
        check("room 5, +abc, sync, end, remove, +defgh, sync, end", "defgh", "..");
    }

    #[test]
    fn a_sync_of_a_removed_file_says_nothing_of_its_successor() {
        let script = "+abcdef, sync, remove, +gh, end, crash";
        for seed in 0..64 {
            let mut store = Store::default();
            store.append(LOG, vec![Bytes::from_static(b"abcdef")]);
            store.sync(Token(0));
            store.remove(LOG);
            store.append(LOG, vec![Bytes::from_static(b"gh")]);
            store.end_sync();
            assert_eq!(store.files[&LOG].stable, 0, "{script}");
            store.lose_power(Seed(seed), 0, 0);
        }
    }

    #[test]
    fn a_crash_keeps_the_synced_part_and_at_times_a_torn_one() {
        let torn = |seed| {
            let mut store = Store::default();
            store.append(LOG, vec![Bytes::from_static(b"synced")]);
            store.sync(Token(0));
            store.end_sync();
            store.append(LOG, vec![Bytes::from_static(b" and "), Bytes::from_static(b"not")]);
            store.lose_power(Seed(seed), 0, 0);
            String::from_utf8(store.kept()[0].bytes.to_vec()).expect("text")
        };
        let found: Vec<_> = (0..64).map(torn).collect();
        assert!(found.iter().all(|text| "synced and not".starts_with(text.as_str()) && text.len() >= 6));
        for whole in ["synced", "synced and", "synced and not"] {
            assert!(found.iter().any(|text| text == whole), "never {whole}: {found:?}");
        }
    }
}
