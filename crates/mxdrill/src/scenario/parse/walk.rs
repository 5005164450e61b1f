//! Walks a TOML document whose every key and value knows its place, and remembers the keys it was asked for.

use std::{borrow::Cow, cell::RefCell, ops::Range};

use serde_spanned::Spanned;
use toml::de::DeTable;

use super::{
    mistake::{Mistake, is_slip},
    value::{Value, clip},
};

/// What came of reading a value.
pub(super) type Read<T> = Result<T, Mistake>;

/// Where mistakes are noted, so that several are told at once.
#[derive(Debug, Default)]
pub(super) struct Notes(RefCell<Vec<Mistake>>);

impl Notes {
    pub(super) fn add(&self, mistake: Mistake) {
        let mut notes = self.0.borrow_mut();
        // Bounded, whatever the file: only a handful is told.
        if notes.len() < 256 && !mistake.is_noted() {
            notes.push(mistake);
        }
    }

    /// Notes the mistake, if it is one.
    pub(super) fn note<T>(&self, read: Read<T>) -> Option<T> {
        read.map_err(|mistake| self.add(mistake)).ok()
    }

    pub(super) fn into_list(self) -> Vec<Mistake> {
        self.0.into_inner()
    }
}

/// A table and its place. Keys it was never asked for are unknown.
#[derive(Debug)]
pub(super) struct Table<'a> {
    what: &'static str,
    table: &'a DeTable<'a>,
    span: Range<usize>,
    notes: &'a Notes,
    asked: RefCell<Vec<&'static str>>,
    missing: RefCell<Vec<(&'static str, Mistake)>>,
}

impl<'a> Table<'a> {
    pub(super) fn new(
        what: &'static str,
        table: &'a DeTable<'a>,
        span: Range<usize>,
        notes: &'a Notes,
    ) -> Self {
        Table { what, table, span, notes, asked: RefCell::default(), missing: RefCell::default() }
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &'static str) -> Option<Value<'a>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key).map(Value)
    }

    /// Takes note of keys, so that they are known even where a mistake keeps them from being read.
    pub(super) fn know(&self, keys: &[&'static str]) {
        self.asked.borrow_mut().extend_from_slice(keys);
    }

    /// A mistake about what is missing, unless a key that nobody knows explains it.
    pub(super) fn incomplete(&self, mistake: Mistake) -> Mistake {
        match self.unknown().next() {
            Some(_) => Mistake::again(),
            None => mistake,
        }
    }

    /// Keys that nobody has asked for so far.
    fn unknown(&self) -> impl Iterator<Item = &'a Spanned<Cow<'a, str>>> {
        let asked = self.asked.borrow().clone();
        self.table.iter().map(|(key, _)| key).filter(move |key| !asked.contains(&&**key.get_ref()))
    }

    /// Whether a key is there.
    pub(super) fn has(&self, key: &'static str) -> bool {
        self.get(key).is_some()
    }

    /// Where a key stands; the table if it is not there.
    pub(super) fn key_span(&self, key: &str) -> Range<usize> {
        self.table.get_key_value(key).map_or(self.span(), |(key, _)| key.span())
    }

    /// Reads a key that may be left out; a mistake is noted.
    pub(super) fn read<T>(&self, key: &'static str, read: impl FnOnce(Value<'a>) -> Read<T>) -> Option<T> {
        self.notes.note(read(self.get(key)?))
    }

    /// Reads a key that must be there; `example` shows how.
    pub(super) fn need<T>(
        &self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(Value<'a>) -> Read<T>,
    ) -> Option<T> {
        if !self.has(key) {
            let mistake = Mistake::new(self.span(), format!("{} needs `{key}`", self.what))
                .label(format!("`{key}` is missing"))
                .help(format!("such as `{example}`"));
            self.missing.borrow_mut().push((key, mistake));
            return None;
        }
        self.read(key, read)
    }

    /// All keys and values, for tables whose keys are names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a Spanned<Cow<'a, str>>, Value<'a>)> {
        self.table.iter().map(|(key, value)| (key, Value(value)))
    }

    /// Of keys of which only one may stand: the one that does. Two are a mistake at the second.
    pub(super) fn only_one(&self, keys: &[&'static str]) -> Read<Option<&'static str>> {
        let mut there = keys.iter().copied().filter(|key| self.has(key));
        let (one, two) = (there.next(), there.next());
        match (one, two) {
            (Some(one), Some(two)) => Err(self.clash(one, two)),
            (one, _) => Ok(one),
        }
    }

    /// Two keys that contradict each other.
    pub(super) fn clash(&self, one: &str, two: &str) -> Mistake {
        Mistake::new(self.key_span(two), format!("`{two}` contradicts `{one}`"))
            .label(format!("{} takes one of the two", self.what))
            .other(self.key_span(one), "the other")
    }

    /// Notes every key that nobody asked for, and every one that is missing, unless it is there with a slip.
    pub(super) fn finish(self) {
        let mut known = self.asked.borrow().clone();
        known.sort_unstable();
        known.dedup();
        for key in self.unknown() {
            let word: &str = key.get_ref();
            self.missing.borrow_mut().retain(|(missing, _)| !is_slip(word, missing));
            self.notes.add(
                Mistake::new(key.span(), format!("unknown key `{}`", clip(word)))
                    .label(format!("not a key of {}", self.what))
                    .suggest(word, known.iter().copied()),
            );
        }
        self.missing.into_inner().into_iter().for_each(|(_, mistake)| self.notes.add(mistake));
    }
}
