//! A value of a TOML document with its place, and the kinds of value that scenarios have.

use std::{fmt::Display, ops::Range, str::FromStr, time::Duration};

use mxdrill_ledger::Span;
use serde_spanned::Spanned;
use toml::de::DeValue;

use super::{
    mistake::{Mistake, list},
    walk::{Notes, Read, Table},
};
use crate::scenario::units::Octets;

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
        T: FromStr<Err: Display>,
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
