//! Durations as scenarios write them and reports say them: units w d h m s ms; a day is 24 hours.

use std::{fmt, str::FromStr, time::Duration};

use mxdrill_net::Time;

/// A duration as text: parsed from `3h30m`, `90s`, `1d 12h`, `250ms`; printed so that it parses back.
///
/// Digits and units only, each unit at most once, from the largest down. A fraction is allowed in the last part
/// (`1.5s`). Weeks are 7 days, days 24 hours: durations, not dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

/// Why a text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Nothing there.
    #[error("a duration is a number with a unit, such as `90s` or `3h30m`; this is empty")]
    Empty,
    /// A number without a unit.
    #[error("`{0}` has no unit: w, d, h, m, s or ms")]
    NoUnit(String),
    /// Something else where a number was expected.
    #[error("`{0}` does not begin with a number")]
    NoNumber(String),
    /// A unit that is none.
    #[error("`{0}` is no unit of time: w, d, h, m, s or ms")]
    Unit(String),
    /// A larger unit after a smaller one, or the same unit twice.
    #[error("`{0}` comes after a unit that is not larger: from the largest unit down, each once")]
    Order(String),
    /// A fraction that is not in the last part.
    #[error("only the last part may have a fraction, not `{0}`")]
    Fraction(String),
    /// More than fits (584 years).
    #[error("the duration `{0}` is too long")]
    TooLong(String),
}

/// Units from the largest down, in milliseconds.
const UNITS: [(&str, u64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

const NANOS_PER_MILLI: u128 = 1_000_000;

impl Span {
    /// As a report says it, rounded to what a reader needs: `3 h 30 m`, `0.2 s`, `0.4 ms`.
    pub fn spoken(self) -> Spoken {
        Spoken(self.0)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(SpanError::Empty);
        }
        let mut nanos: u128 = 0;
        let mut next = 0;
        while !rest.is_empty() {
            let part;
            (part, rest) = split_part(rest)?;
            let (unit, value) = read_part(part, rest.is_empty())?;
            if unit < next {
                return Err(SpanError::Order(part.into()));
            }
            next = unit + 1;
            nanos = nanos.saturating_add(value);
        }
        match u64::try_from(nanos) {
            Ok(nanos) => Ok(Span(Duration::from_nanos(nanos))),
            Err(_) => Err(SpanError::TooLong(text.into())),
        }
    }
}

/// Splits `3h30m` into `3h` and `30m`; white space between parts and before a unit is allowed.
fn split_part(text: &str) -> Result<(&str, &str), SpanError> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(|| SpanError::NoUnit(text.into()))?;
    let end = text[unit..].find(|c: char| !c.is_alphabetic()).map_or(text.len(), |length| unit + length);
    Ok((&text[..end], text[end..].trim_start()))
}

/// The place of the unit in [`UNITS`], and nanoseconds.
fn read_part(part: &str, last: bool) -> Result<(usize, u128), SpanError> {
    let at = part.find(|c: char| c.is_alphabetic()).unwrap_or(part.len());
    let (number, unit) = (part[..at].trim_end(), &part[at..]);
    let place =
        UNITS.iter().position(|(word, _)| *word == unit).ok_or_else(|| SpanError::Unit(unit.into()))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || number.ends_with('.') {
        return Err(SpanError::NoNumber(part.into()));
    }
    if !fraction.is_empty() && !last {
        return Err(SpanError::Fraction(part.into()));
    }
    let nanos = u128::from(UNITS[place].1) * NANOS_PER_MILLI;
    let whole: u64 = whole.parse().map_err(|_| SpanError::TooLong(part.into()))?;
    Ok((place, u128::from(whole) * nanos + fraction_of(fraction, nanos)))
}

/// Nanoseconds of the digits after the point, those beyond the ninth ignored.
fn fraction_of(digits: &str, unit: u128) -> u128 {
    let digits = &digits[..digits.len().min(9)];
    let scale = 10_u128.pow(digits.len() as u32);
    digits.parse::<u128>().unwrap_or(0) * unit / scale
}

impl fmt::Display for Span {
    /// Without spaces, so that it parses back to the same: `3h30m`, `0s`, `1.5ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = (self.0.as_nanos() / NANOS_PER_MILLI) as u64;
        let odd = (self.0.as_nanos() % NANOS_PER_MILLI) as u32;
        if millis == 0 && odd == 0 {
            return f.write_str("0s");
        }
        let mut left = millis;
        for (unit, size) in UNITS.iter().skip(1) {
            let count = left / size;
            left %= size;
            if *unit == "ms" && odd > 0 {
                let fraction = format!("{odd:06}");
                write!(f, "{count}.{}ms", fraction.trim_end_matches('0'))?;
            } else if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

/// A duration for people: two units at most, and tenths of milliseconds below ten, of seconds below a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken(Duration);

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = |nanos: u128, unit: u128| ((nanos * 10 + unit / 2) / unit) as u64;
        let nanos = self.0.as_nanos();
        if nanos == 0 {
            return f.write_str("0 s");
        }
        if tenths(nanos, 1_000_000_000) < 1 {
            let tenths = tenths(nanos, NANOS_PER_MILLI).max(1);
            let rounded = if tenths < 100 { tenths } else { (tenths + 5) / 10 * 10 };
            return write_tenths(f, rounded, "ms");
        }
        if tenths(nanos, 1_000_000_000) < 600 {
            return write_tenths(f, tenths(nanos, 1_000_000_000), "s");
        }
        let secs = ((nanos + 500_000_000) / 1_000_000_000) as u64;
        write_two(f, secs)
    }
}

fn write_tenths(f: &mut fmt::Formatter<'_>, tenths: u64, unit: &str) -> fmt::Result {
    match (tenths / 10, tenths % 10) {
        (whole, 0) => write!(f, "{whole} {unit}"),
        (whole, tenth) => write!(f, "{whole}.{tenth} {unit}"),
    }
}

/// The two largest units of a whole number of seconds, the smaller one rounded.
fn write_two(f: &mut fmt::Formatter<'_>, secs: u64) -> fmt::Result {
    let rounded = |unit: u64| (secs + unit / 2) / unit * unit;
    let (large, small, secs) = match secs {
        0..3600 => (("m", 60), ("s", 1), secs),
        3600..86_400 => (("h", 3600), ("m", 60), rounded(60)),
        _ => (("d", 86_400), ("h", 3600), rounded(3600)),
    };
    write!(f, "{} {}", secs / large.1, large.0)?;
    match secs % large.1 / small.1 {
        0 => Ok(()),
        rest => write!(f, " {rest} {}", small.0),
    }
}

/// A time for people: hours and minutes, and seconds where they are not zero.
pub(crate) fn clock(at: Time) -> String {
    let secs = at.as_nanos() / 1_000_000_000;
    Time::from_secs(secs).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match text.parse::<Span>() {
            Ok(span) => span.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn reads_what_scenarios_write() {
        check("3h30m", "3h30m");
        check("90s", "1m30s");
        check("1d 12h", "1d12h");
        check("1w", "7d");
        check("250ms", "250ms");
        check("1.5s", "1s500ms");
        check("5 m", "5m");
        check("0s", "0s");
    }

    #[test]
    fn says_what_is_wrong_with_the_rest() {
        check("", "error: a duration is a number with a unit, such as `90s` or `3h30m`; this is empty");
        check("90", "error: `90` has no unit: w, d, h, m, s or ms");
        check("h", "error: `h` does not begin with a number");
        check("-5s", "error: `-5s` does not begin with a number");
        check("3 days", "error: `days` is no unit of time: w, d, h, m, s or ms");
        check(
            "30m3h",
            "error: `3h` comes after a unit that is not larger: from the largest unit down, each once",
        );
        check("1.5h10m", "error: only the last part may have a fraction, not `1.5h`");
        check("99999999999w", "error: the duration `99999999999w` is too long");
    }

    #[test]
    fn speaks_to_people() {
        let spoken = |nanos: u64| Span(Duration::from_nanos(nanos)).spoken().to_string();
        assert_eq!(spoken(0), "0 s");
        assert_eq!(spoken(400_000), "0.4 ms");
        assert_eq!(spoken(13_500_000), "14 ms");
        assert_eq!(spoken(200_000_000), "0.2 s");
        assert_eq!(spoken(12_000_000_000), "12 s");
        assert_eq!(spoken(59_960_000_000), "1 m");
        assert_eq!(spoken(2_400_000_000_000), "40 m");
        assert_eq!(spoken(12_600_000_000_000), "3 h 30 m");
        assert_eq!(spoken(7_812_000_000_000), "2 h 10 m");
        assert_eq!(spoken(431_999_000_000_000), "5 d");
    }

    proptest! {
        #[test]
        fn what_is_printed_parses_back(nanos in any::<u64>()) {
            let span = Span(Duration::from_nanos(nanos));
            prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
        }

        #[test]
        fn any_text_gives_an_answer(text in "\\PC{0,12}") {
            let _ = text.parse::<Span>();
        }
    }
}
