//! Expectations: a figure, a comparison and a quantity, parsed from and printed as the scenario's text.

use std::{fmt, time::Duration};

use crate::{Figure, Span, SpanError};

/// What a scenario expects of a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The figure.
    pub figure: Figure,
    /// How it compares.
    pub comparison: Comparison,
    /// With what.
    pub quantity: Quantity,
}

/// How a figure compares with the quantity of an [`Expectation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`, or nothing.
    Equal,
    /// `!=`
    Unlike,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `low..high`, both included; the quantity of the expectation is the low one.
    UpTo(Quantity),
}

/// The value of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A number, or bytes.
    Count(u64),
    /// A duration.
    Span(Duration),
    /// The figure does not apply: no delivery, no failover. It equals nothing and compares with nothing.
    None,
}

/// Why a text is no expectation of a figure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationError {
    /// A duration was expected.
    #[error("`{figure}` is a duration: {error}")]
    Span {
        /// The figure.
        figure: String,
        /// What is wrong.
        error: SpanError,
    },
    /// A number was expected.
    #[error("`{figure}` is a number, such as 40, \"<= 40\", \"10..20\" or \"10 GB\"; this is `{text}`")]
    Number {
        /// The figure.
        figure: String,
        /// What was written.
        text: String,
    },
}

/// Signs, the longer ones first so that `<=` is not read as `<`.
const SIGNS: [(&str, Comparison); 8] = [
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("!=", Comparison::Unlike),
    ("==", Comparison::Equal),
    ("<", Comparison::Below),
    (">", Comparison::Above),
    ("=", Comparison::Equal),
    ("", Comparison::Equal),
];

impl Expectation {
    /// `figure = count`.
    pub fn number(figure: Figure, count: u64) -> Expectation {
        Expectation { figure, comparison: Comparison::Equal, quantity: Quantity::Count(count) }
    }

    /// Reads the value that a scenario writes beside a figure: `40`, `"<= 3h30m"`, `"400..600"`.
    ///
    /// # Errors
    /// When the value is no quantity of this figure.
    pub fn parse(figure: Figure, text: &str) -> Result<Expectation, ExpectationError> {
        let text = text.trim();
        if let Some((low, high)) = text.split_once("..") {
            let quantity = Quantity::parse(&figure, low.trim())?;
            let comparison = Comparison::UpTo(Quantity::parse(&figure, high.trim())?);
            return Ok(Expectation { figure, comparison, quantity });
        }
        let (sign, comparison) =
            SIGNS.iter().find(|(sign, _)| text.starts_with(sign)).copied().unwrap_or(("", Comparison::Equal));
        let quantity = Quantity::parse(&figure, text[sign.len()..].trim())?;
        Ok(Expectation { figure, comparison, quantity })
    }

    /// Whether a figure found so satisfies it.
    pub fn holds(&self, found: Quantity) -> bool {
        let Some(order) = found.compare(self.quantity) else {
            return false;
        };
        match self.comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::Unlike => order.is_ne(),
            Comparison::Below => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Above => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
            Comparison::UpTo(high) => order.is_ge() && found.compare(high).is_some_and(|order| order.is_le()),
        }
    }

    /// The value as the scenario writes it, without the figure: `40`, `<= 3h30m`.
    pub fn value(&self) -> String {
        let sign = match self.comparison {
            Comparison::Equal => "",
            Comparison::Unlike => "!= ",
            Comparison::Below => "< ",
            Comparison::AtMost => "<= ",
            Comparison::Above => "> ",
            Comparison::AtLeast => ">= ",
            Comparison::UpTo(high) => return format!("{}..{high}", self.quantity),
        };
        format!("{sign}{}", self.quantity)
    }
}

impl Quantity {
    fn parse(figure: &Figure, text: &str) -> Result<Quantity, ExpectationError> {
        if figure.measure.is_time() {
            let span: Span =
                text.parse().map_err(|error| ExpectationError::Span { figure: figure.to_string(), error })?;
            return Ok(Quantity::Span(span.0));
        }
        let wrong = || ExpectationError::Number { figure: figure.to_string(), text: text.into() };
        count(text).map(Quantity::Count).ok_or_else(wrong)
    }

    fn compare(self, other: Quantity) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Quantity::Count(a), Quantity::Count(b)) => Some(a.cmp(&b)),
            (Quantity::Span(a), Quantity::Span(b)) => Some(a.cmp(&b)),
            _ => None,
        }
    }
}

/// A number with an optional unit of bytes, decimal as disks are sold: B, kB, MB, GB, TB.
fn count(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let number: u64 = text[..end].replace('_', "").parse().ok()?;
    let unit = match text[end..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        _ => return None,
    };
    number.checked_mul(unit)
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Quantity::Count(count) => write!(f, "{count}"),
            Quantity::Span(span) => write!(f, "{}", Span(*span)),
            Quantity::None => f.write_str("none"),
        }
    }
}

impl fmt::Display for Expectation {
    /// `queued.mx2 = 40`, `delay.max <= 3h30m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equal = matches!(self.comparison, Comparison::Equal | Comparison::UpTo(_));
        write!(f, "{}{} {}", self.figure, if equal { " =" } else { "" }, self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(figure: &str, value: &str, expected: &str) {
        let figure: Figure = figure.parse().expect("a figure");
        let shown = match Expectation::parse(figure.clone(), value) {
            Ok(expectation) => {
                assert_eq!(Expectation::parse(figure, &expectation.value()).as_ref(), Ok(&expectation));
                expectation.to_string()
            }
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(shown, expected, "{value:?}");
    }

    #[test]
    fn reads_what_scenarios_write() {
        check("queued.mx2", "40", "queued.mx2 = 40");
        check("queued.mx2", "= 40", "queued.mx2 = 40");
        check("delay.max", "<= 3h30m", "delay.max <= 3h30m");
        check("attempts.app", "> 0", "attempts.app > 0");
        check("delivered.mx1", "400..600", "delivered.mx1 = 400..600");
        check("queue-bytes-max.mx2", "<= 10 GB", "queue-bytes-max.mx2 <= 10000000000");
        check("drain", "< 1h", "drain.all < 1h");
    }

    #[test]
    fn says_what_is_wrong() {
        check("delay.max", "40", "error: `delay.max` is a duration: `40` has no unit: w, d, h, m, s or ms");
        check(
            "queued.mx2",
            "some",
            "error: `queued.mx2` is a number, such as 40, \"<= 40\", \"10..20\" or \"10 GB\"; this is `some`",
        );
    }

    fn holds(figure: &str, value: &str, found: Quantity) -> bool {
        Expectation::parse(figure.parse().expect("a figure"), value).expect("an expectation").holds(found)
    }

    #[test]
    fn compares() {
        assert!(holds("queued.mx2", "40", Quantity::Count(40)));
        assert!(!holds("queued.mx2", "40", Quantity::Count(39)));
        assert!(holds("queued.mx2", "!= 40", Quantity::Count(39)));
        assert!(holds("queued.mx2", "10..20", Quantity::Count(20)));
        assert!(!holds("queued.mx2", "10..20", Quantity::Count(21)));
        assert!(holds("delay.max", "<= 1m", Quantity::Span(Duration::from_secs(60))));
        assert!(!holds("delay.max", "< 1m", Quantity::Span(Duration::from_secs(60))));
    }

    #[test]
    fn a_figure_that_does_not_apply_satisfies_nothing() {
        assert!(!holds("delay.max", "<= 1m", Quantity::None));
        assert!(!holds("delay.max", "!= 1m", Quantity::None));
    }
}
