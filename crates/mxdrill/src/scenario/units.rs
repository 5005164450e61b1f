//! Sizes, rates and odds as scenario files write them.

use std::{fmt, str::FromStr, time::Duration};

use mxdrill_ledger::{Span, SpanError};

use super::Rate;

/// Octets in the notation of scenario files: `10 GB` is decimal, `1 KiB` binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Octets(pub u64);

/// Why a text is not a size, rate or chance. Completes "`x` is no size: ...".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Nothing there.
    #[error("it is empty")]
    Empty,
    /// A number must come first.
    #[error("`{0}` does not begin with a whole number")]
    Number(String),
    /// A number without its unit.
    #[error("`{number}` has no unit (one of {units})")]
    Unit {
        /// The number.
        number: String,
        /// What there is.
        units: &'static str,
    },
    /// An unknown unit.
    #[error("`{unit}` is no unit (one of {units})")]
    Unknown {
        /// What was written.
        unit: String,
        /// What there is.
        units: &'static str,
    },
    /// The time of a rate is no duration.
    #[error(transparent)]
    Span(#[from] SpanError),
    /// More than can be counted.
    #[error("it is beyond what a drill can count")]
    TooMuch,
    /// No `/`.
    #[error("a rate is a number and a time, such as `3000/h`")]
    Rate,
    /// A rate of nothing, or in no time.
    #[error("a rate is above zero")]
    Zero,
    /// Not between 0 and 1.
    #[error("a chance is a number from 0 to 1, of at most six decimals")]
    Odds,
}

/// The number that a text begins with, and what follows it.
fn leading_number(text: &str) -> Result<(u64, &str), UnitError> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if end == 0 {
        return Err(UnitError::Number(text.into()));
    }
    let number = text[..end].parse().map_err(|_| UnitError::TooMuch)?;
    Ok((number, &text[end..]))
}

const SIZES: [(&str, u64); 9] = [
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("kB", 1000),
    ("KiB", 1 << 10),
    ("B", 1),
];
const SIZE_WORDS: &str = "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB";

impl FromStr for Octets {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Octets, UnitError> {
        if text.is_empty() {
            return Err(UnitError::Empty);
        }
        let (number, unit) = leading_number(text)?;
        let unit = unit.trim_start_matches(' ');
        if unit.is_empty() {
            return Err(UnitError::Unit { number: text.into(), units: SIZE_WORDS });
        }
        let known = SIZES.iter().find(|(word, _)| word.eq_ignore_ascii_case(unit));
        let (_, octets) = known.ok_or_else(|| UnitError::Unknown { unit: unit.into(), units: SIZE_WORDS })?;
        // Beyond 2^63 a TOML integer, and so a figure, could not say it.
        let total = number.checked_mul(*octets).filter(|total| *total <= i64::MAX as u64);
        total.map(Octets).ok_or(UnitError::TooMuch)
    }
}

impl fmt::Display for Octets {
    /// In the largest unit that is exact.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = SIZES.iter().find(|(_, octets)| self.0 >= *octets && self.0.is_multiple_of(*octets));
        let (word, octets) = exact.unwrap_or(&("B", 1));
        write!(f, "{} {word}", self.0 / octets)
    }
}

const PERS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3600), ("d", 86_400)];

impl FromStr for Rate {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Rate, UnitError> {
        let (count, per) = text.split_once('/').ok_or(UnitError::Rate)?;
        let count = count.parse().map_err(|_| UnitError::Number(count.into()))?;
        let per = match PERS.iter().find(|(word, _)| *word == per) {
            Some((_, secs)) => Duration::from_secs(*secs),
            None if per.starts_with(|c: char| c.is_ascii_digit()) => per.parse::<Span>()?.0,
            None => return Err(UnitError::Unknown { unit: per.into(), units: "s, min, h, d" }),
        };
        if count == 0 || per.is_zero() {
            return Err(UnitError::Zero);
        }
        Ok(Rate { count, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match PERS.iter().find(|(_, secs)| Duration::from_secs(*secs) == self.per) {
            Some((word, _)) => write!(f, "{}/{word}", self.count),
            None => write!(f, "{}/{}", self.count, Span(self.per)),
        }
    }
}

/// Reads `0.05`, `1`, `5%` or `1.5%` as parts per million, without a float in between.
pub(super) fn parse_odds(text: &str) -> Result<u32, UnitError> {
    let (text, places) = match text.strip_suffix('%') {
        Some(percent) => (percent, 4),
        None => (text, 6),
    };
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || part.len() > places || part.len() + whole.len() > 12 {
        return Err(UnitError::Odds);
    }
    let digits = format!("{whole}{part:0<places$}");
    let ppm = if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None };
    ppm.filter(|ppm| *ppm <= 1_000_000).ok_or(UnitError::Odds)
}

/// Parts per million as a decimal: `0.05`.
pub(super) fn print_odds(ppm: u32) -> String {
    let text = format!("{}.{:06}", ppm / 1_000_000, ppm % 1_000_000);
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

/// Reads a factor such as `1.5` as hundredths.
pub(super) fn parse_factor(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 4 || part.len() > 2 {
        return None;
    }
    let digits = format!("{whole}{part:0<2}");
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Hundredths as a factor: `1.5`.
pub(super) fn print_factor(percent: u32) -> String {
    let text = format!("{}.{:02}", percent / 100, percent % 100);
    let short = text.trim_end_matches('0');
    if short.ends_with('.') { format!("{short}0") } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr<Err = UnitError> + fmt::Display>(text: &str, expected: &str) {
        let shown = match text.parse::<T>() {
            Ok(value) => value.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn sizes_are_decimal_unless_they_say_binary() {
        check::<Octets>("10 GB", "10 GB");
        check::<Octets>("10gb", "10 GB");
        check::<Octets>("1 KiB", "1 KiB");
        check::<Octets>("1024 B", "1 KiB");
        check::<Octets>("2000 kB", "2 MB");
        check::<Octets>("0 B", "0 B");
        check::<Octets>("1500 B", "1500 B");
    }

    #[test]
    fn sizes_that_are_none() {
        check::<Octets>("", "error: it is empty");
        check::<Octets>("10", "error: `10` has no unit (one of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)");
        check::<Octets>("ten MB", "error: `ten MB` does not begin with a whole number");
        check::<Octets>("10 XB", "error: `XB` is no unit (one of B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)");
        check::<Octets>("99999999 TB", "error: it is beyond what a drill can count");
        check::<Octets>("99999999999999999999 B", "error: it is beyond what a drill can count");
    }

    #[test]
    fn rates() {
        check::<Rate>("3000/h", "3000/h");
        check::<Rate>("10/min", "10/min");
        check::<Rate>("10/1m", "10/min");
        check::<Rate>("7/90s", "7/1m30s");
        check::<Rate>("10", "error: a rate is a number and a time, such as `3000/h`");
        check::<Rate>("0/h", "error: a rate is above zero");
        check::<Rate>("5/0s", "error: a rate is above zero");
        check::<Rate>("5/fortnight", "error: `fortnight` is no unit (one of s, min, h, d)");
    }

    #[test]
    fn chances_and_factors_are_exact() {
        for (text, ppm, shown) in [
            ("0.05", 50_000, "0.05"),
            ("5%", 50_000, "0.05"),
            ("1", 1_000_000, "1.0"),
            ("0.000001", 1, "0.000001"),
        ] {
            assert_eq!(parse_odds(text), Ok(ppm), "{text}");
            assert_eq!(print_odds(ppm), shown);
        }
        for text in ["", "1.1", "101%", "-1", "0.0000001", "half"] {
            assert_eq!(parse_odds(text), Err(UnitError::Odds), "{text}");
        }
        assert_eq!(parse_factor("1.5"), Some(150));
        assert_eq!(print_factor(150), "1.5");
        assert_eq!(parse_factor("1.555"), None);
    }
}
