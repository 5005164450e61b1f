//! What a scenario expects of a figure.

use std::time::Duration;

/// One figure compared with one quantity: `queued.mx2 = 40`, `delay.max = "<= 3h30m"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Which figure.
    pub figure: Figure,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub quantity: Quantity,
}

/// A figure of the books: `queued.mx2`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The measure: `queued`.
    pub measure: String,
    /// Of what: `all`, a host or its place, or a statistic such as `max`.
    pub of: String,
}

/// How a figure is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// A number or a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A count.
    Count(u64),
    /// A duration.
    Duration(Duration),
}
