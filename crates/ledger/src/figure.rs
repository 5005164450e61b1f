//! Figures: what can be read off the books at any time, named as scenarios name it (`queued.mx2`).

use std::{fmt, str::FromStr};

/// What a figure measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Messages offered by the originator.
    Messages,
    /// Recipients whose first transaction has ended.
    Sent,
    /// Recipients that the first host took with its 250 after the dot.
    Acknowledged,
    /// Recipients that the first host did not take.
    Rejected,
    /// Recipients whose link was lost after the final dot.
    InDoubt,
    /// Recipients in a mailbox, first copies only.
    Delivered,
    /// Recipients in a queue.
    Queued,
    /// Recipients given up with a DSN of failure.
    Bounced,
    /// Recipients given up in silence.
    Discarded,
    /// Recipients acknowledged and found nowhere.
    Lost,
    /// Extra copies, explained ones included.
    Duplicated,
    /// Deliveries that nobody sent.
    Unexpected,
    /// Recipients taken over by a host.
    Accepted,
    /// The longest queue, in recipients.
    QueueMax,
    /// The largest queue, in bytes.
    QueueBytesMax,
    /// The longest time that a recipient lay in a queue.
    QueueOldest,
    /// The most sessions at one time.
    SessionsMax,
    /// Delivery attempts begun, in messages.
    Attempts,
    /// Connections taken.
    Connections,
    /// Questions put to the DNS.
    Queries,
    /// DSNs of failure, delivered.
    Dsns,
    /// Delay warnings, delivered.
    Warnings,
    /// From sending to delivery.
    Delay,
    /// From the start of the attempt to the 250 of a worse MX.
    Failover,
    /// From the end of the last fault on a delivering host to the last delivery of what a relay then held.
    Drain,
}

/// Of what a figure is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Of the whole drill: `all`, or nothing.
    All,
    /// Of one host, by its name in the scenario.
    Host(Box<str>),
    /// The median, of a measure of times.
    P50,
    /// The 95th percentile.
    P95,
    /// The 99th percentile.
    P99,
    /// The maximum.
    Max,
}

/// One figure of the books.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Figure {
    /// What is measured.
    pub measure: Measure,
    /// Of what.
    pub of: Subject,
}

/// Why a text names no figure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FigureError {
    /// No such measure.
    #[error("there is no figure `{word}`{}", nearest.map(|w| format!(": did you mean `{w}`?")).unwrap_or_default())]
    Measure {
        /// What was written.
        word: String,
        /// The nearest word.
        nearest: Option<&'static str>,
    },
    /// A time without a statistic, or of a host.
    #[error("`{0}` is a time: p50, p95, p99 or max, not `{1}`")]
    Statistic(&'static str, String),
    /// A statistic or host of something that has none.
    #[error("`{0}` is of the whole drill: `all`, not `{1}`")]
    Whole(&'static str, String),
    /// An empty subject.
    #[error("`{0}.` needs a host, or `all`")]
    NoSubject(&'static str),
}

impl Measure {
    /// All measures with their words, in the order of the books.
    pub const ALL: [(Measure, &'static str); 25] = [
        (Measure::Messages, "messages"),
        (Measure::Sent, "sent"),
        (Measure::Acknowledged, "acknowledged"),
        (Measure::Rejected, "rejected"),
        (Measure::InDoubt, "in-doubt"),
        (Measure::Delivered, "delivered"),
        (Measure::Queued, "queued"),
        (Measure::Bounced, "bounced"),
        (Measure::Discarded, "discarded"),
        (Measure::Lost, "lost"),
        (Measure::Duplicated, "duplicated"),
        (Measure::Unexpected, "unexpected"),
        (Measure::Accepted, "accepted"),
        (Measure::QueueMax, "queue-max"),
        (Measure::QueueBytesMax, "queue-bytes-max"),
        (Measure::QueueOldest, "queue-oldest"),
        (Measure::SessionsMax, "sessions-max"),
        (Measure::Attempts, "attempts"),
        (Measure::Connections, "connections"),
        (Measure::Queries, "queries"),
        (Measure::Dsns, "dsns"),
        (Measure::Warnings, "warnings"),
        (Measure::Delay, "delay"),
        (Measure::Failover, "failover"),
        (Measure::Drain, "drain"),
    ];

    /// The word of scenario files.
    pub fn word(self) -> &'static str {
        Measure::ALL[self as usize].1
    }

    /// Whether it is a time with percentiles.
    pub fn is_spread(self) -> bool {
        matches!(self, Measure::Delay | Measure::Failover)
    }

    /// Whether its quantity is a duration.
    pub fn is_time(self) -> bool {
        self.is_spread() || matches!(self, Measure::Drain | Measure::QueueOldest)
    }
}

impl FromStr for Measure {
    type Err = FigureError;

    fn from_str(text: &str) -> Result<Self, FigureError> {
        let found = Measure::ALL.iter().find(|(_, word)| *word == text);
        found
            .map(|(measure, _)| *measure)
            .ok_or_else(|| FigureError::Measure { word: text.into(), nearest: nearest(text) })
    }
}

/// The known word that differs least, if it differs by little.
fn nearest(text: &str) -> Option<&'static str> {
    let distance = |word: &str| edits(text, word);
    let best = Measure::ALL.iter().map(|(_, word)| *word).min_by_key(|word| distance(word))?;
    (distance(best) <= 1 + best.len() / 3).then_some(best)
}

/// Levenshtein distance, over at most 32 characters of `from`.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().take(32).enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let change = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[to.len()]
}

impl Figure {
    /// A figure of the whole drill.
    pub fn all(measure: Measure) -> Figure {
        let of = if measure.is_spread() { Subject::Max } else { Subject::All };
        Figure { measure, of }
    }

    /// A figure of one host.
    pub fn of(measure: Measure, host: &str) -> Figure {
        Figure { measure, of: Subject::Host(host.into()) }
    }

    /// A figure from the two words of a scenario's table: `queued`, `mx2`. No second word is `all`, and of a
    /// spread of times its maximum.
    ///
    /// # Errors
    /// When the measure is unknown, or has no such subject.
    pub fn new(measure: &str, of: Option<&str>) -> Result<Figure, FigureError> {
        let measure: Measure = measure.parse()?;
        let Some(of) = of else { return Ok(Figure::all(measure)) };
        let whole = matches!(measure, Measure::Messages | Measure::Drain);
        // the drain itself is one time; its percentiles are those of the mail that was drained
        let has_percentiles = measure.is_spread() || measure == Measure::Drain;
        let of = match of {
            "" => return Err(FigureError::NoSubject(measure.word())),
            "p50" if has_percentiles => Subject::P50,
            "p95" if has_percentiles => Subject::P95,
            "p99" if has_percentiles => Subject::P99,
            "max" if has_percentiles => Subject::Max,
            other if measure.is_spread() => return Err(FigureError::Statistic(measure.word(), other.into())),
            "all" => Subject::All,
            other if whole => return Err(FigureError::Whole(measure.word(), other.into())),
            host => Subject::Host(host.into()),
        };
        Ok(Figure { measure, of })
    }
}

impl FromStr for Figure {
    type Err = FigureError;

    /// `queued.mx2`; what follows the first dot is the subject, quoted or not.
    fn from_str(text: &str) -> Result<Self, FigureError> {
        match text.split_once('.') {
            None => Figure::new(text, None),
            Some((measure, of)) => Figure::new(measure, Some(of.trim_matches('"'))),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::All => f.write_str("all"),
            Subject::Host(name) => f.write_str(name),
            Subject::P50 => f.write_str("p50"),
            Subject::P95 => f.write_str("p95"),
            Subject::P99 => f.write_str("p99"),
            Subject::Max => f.write_str("max"),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.measure, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let shown = match text.parse::<Figure>() {
            Ok(figure) => figure.to_string(),
            Err(error) => format!("error: {error}"),
        };
        assert_eq!(shown, expected, "{text:?}");
    }

    #[test]
    fn every_measure_is_found_at_its_place() {
        for (place, (measure, word)) in Measure::ALL.iter().enumerate() {
            assert_eq!(*measure as usize, place, "{word}");
            assert_eq!(word.parse(), Ok(*measure));
        }
    }

    #[test]
    fn reads_what_scenarios_write() {
        check("queued.mx2", "queued.mx2");
        check("queued", "queued.all");
        check("delay.max", "delay.max");
        check("failover.p95", "failover.p95");
        check("delay.p99", "delay.p99");
        check("drain", "drain.all");
        check("drain.p95", "drain.p95");
        check("queue-oldest.\"mx2.other.test\"", "queue-oldest.mx2.other.test");
    }

    #[test]
    fn says_what_is_wrong() {
        check("queud.mx2", "error: there is no figure `queud`: did you mean `queued`?");
        check("weather", "error: there is no figure `weather`");
        check("delay.mx1", "error: `delay` is a time: p50, p95, p99 or max, not `mx1`");
        check("drain.mx1", "error: `drain` is of the whole drill: `all`, not `mx1`");
        check("queued.", "error: `queued.` needs a host, or `all`");
    }
}
