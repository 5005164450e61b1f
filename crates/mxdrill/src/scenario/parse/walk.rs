//! Walks a TOML document whose every key and value knows its place, and remembers the keys it was asked for.

use std::{cell::RefCell, ops::Range, str::FromStr, time::Duration};

use mxdrill_ledger::Span;
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, is_slip, list};
use crate::scenario::units::Octets;

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

/// A value and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a>(pub(super) &'a Spanned<DeValue<'a>>);

impl<'a> Value<'a> {
    pub(super) fn span(self) -> Range<usize> {
        self.0.span()
    }

    pub(super) fn raw(self) -> &'a DeValue<'a> {
        self.0.get_ref()
    }

    /// A mistake at this value.
    pub(super) fn mistake(self, message: impl Into<String>) -> Mistake {
        Mistake::new(self.span(), message)
    }

    /// The value is of another type than `expected`.
    pub(super) fn wrong(self, expected: &str) -> Mistake {
        let found = match self.raw() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "an integer",
            DeValue::Float(_) => "a float",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "an array",
            DeValue::Table(_) => "a table",
        };
        self.mistake(format!("expected {expected}, found {found}")).label(format!("expected {expected}"))
    }

    /// A string; `expected` says of what kind, for the mistake.
    pub(super) fn text(self, expected: &str) -> Read<&'a str> {
        self.raw().as_str().ok_or_else(|| self.wrong(expected))
    }

    /// A string that reads as a `T`.
    pub(super) fn parsed<T>(self, expected: &str) -> Read<T>
    where
        T: FromStr<Err: std::fmt::Display>,
    {
        let text = self.text(expected)?;
        text.parse().map_err(|err| {
            self.mistake(format!("`{}` is not {expected}", clip(text))).label(format!("{err}"))
        })
    }

    /// A string that is one of some words.
    pub(super) fn word<T: Copy>(self, what: &str, known: &[T], word: impl Fn(T) -> &'static str) -> Read<T> {
        let text = self.text(what)?;
        known.iter().copied().find(|one| word(*one) == text).ok_or_else(|| {
            let words: Vec<&str> = known.iter().map(|one| word(*one)).collect();
            self.mistake(format!("`{}` is not {what}", clip(text)))
                .label(format!("expected one of {}", list(&words)))
                .near(text, words)
        })
    }

    /// A duration.
    pub(super) fn duration(self) -> Read<Duration> {
        if let Some(number) = self.raw().as_integer() {
            let hint = format!("write a unit: \"{number}s\" (w d h m s ms)");
            return Err(self.wrong("a duration such as \"5m\"").help(hint));
        }
        self.parsed::<Span>("a duration such as \"5m\"").map(|span| span.0)
    }

    /// A duration above zero.
    pub(super) fn duration_above_zero(self) -> Read<Duration> {
        match self.duration()? {
            Duration::ZERO => {
                Err(self.mistake("the duration is zero").label("expected some time, such as \"5m\""))
            }
            some => Ok(some),
        }
    }

    /// A size: an integer of octets, or a string with a unit.
    pub(super) fn octets(self) -> Read<u64> {
        match self.raw() {
            DeValue::Integer(_) => self.integer("a size in octets", 0, i64::MAX as u64),
            _ => self.parsed::<Octets>("a size such as \"10 MB\"").map(|octets| octets.0),
        }
    }

    /// Octets a second: an integer, or a size with `/s`.
    pub(super) fn octets_a_second(self) -> Read<u64> {
        if self.raw().is_integer() {
            return self.integer("octets a second", 1, i64::MAX as u64);
        }
        let expected = "octets a second, such as \"64 kB/s\"";
        let size = self.text(expected)?.strip_suffix("/s").and_then(|size| size.parse::<Octets>().ok());
        size.map(|octets| octets.0).filter(|octets| *octets > 0).ok_or_else(|| {
            self.mistake(format!("expected {expected}")).label("expected a size and `/s`, above zero")
        })
    }

    /// An integer of bounds.
    pub(super) fn integer(self, expected: &str, min: u64, max: u64) -> Read<u64> {
        let integer = self.raw().as_integer().ok_or_else(|| self.wrong(expected))?;
        let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        number.filter(|n| (min..=max).contains(n)).ok_or_else(|| {
            let label = match max {
                max if max >= u64::from(u32::MAX) => format!("expected {expected}, at least {min}"),
                _ => format!("expected {expected}, {min} to {max}"),
            };
            self.mistake(format!("{integer} is out of bounds")).label(label)
        })
    }

    /// A number of things.
    pub(super) fn count(self, min: u32) -> Read<u32> {
        let number = self.integer("a whole number", u64::from(min), u64::from(u32::MAX))?;
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }

    /// A boolean.
    pub(super) fn flag(self) -> Read<bool> {
        self.raw().as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    /// A boolean that is only ever written when true.
    pub(super) fn only_true(self) -> Read<()> {
        match self.flag()? {
            true => Ok(()),
            false => Err(self
                .mistake("this fault is never false")
                .label("expected true")
                .help("leave it out instead")),
        }
    }

    /// An array.
    pub(super) fn array(self, expected: &str) -> Read<impl Iterator<Item = Value<'a>>> {
        let array = self.raw().as_array().ok_or_else(|| self.wrong(expected))?;
        Ok(array.iter().map(Value))
    }

    /// An array, or one value that stands for an array of it.
    pub(super) fn one_or_more(self) -> Vec<Value<'a>> {
        match self.raw().as_array() {
            Some(array) => array.iter().map(Value).collect(),
            None => vec![self],
        }
    }

    /// A table; `what` names it in mistakes: "a step".
    pub(super) fn table(self, what: &'static str, notes: &'a Notes) -> Read<Table<'a>> {
        let table = self.raw().as_table().ok_or_else(|| self.wrong(&format!("{what}, a table")))?;
        Ok(Table::new(what, table, self.span(), notes))
    }
}

/// A text short enough for a message.
pub(super) fn clip(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
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
    fn unknown(&self) -> impl Iterator<Item = &'a Spanned<std::borrow::Cow<'a, str>>> {
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
    pub(super) fn entries(
        &self,
    ) -> impl Iterator<Item = (&'a Spanned<std::borrow::Cow<'a, str>>, Value<'a>)> {
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

/// Where a part of a string value stands in the file, if the string was written without escapes; otherwise
/// the whole value.
pub(super) fn part_span(file: &str, value: Value<'_>, part: Range<usize>) -> Range<usize> {
    let span = value.span();
    let exact = || {
        let raw = file.get(span.clone())?;
        let content = value.raw().as_str()?;
        let at = raw.find(content)?;
        let shifted = span.start + at + part.start..span.start + at + part.end.max(part.start);
        (shifted.end <= span.end && file.get(shifted.clone()).is_some()).then_some(shifted)
    };
    exact().unwrap_or(span)
}
