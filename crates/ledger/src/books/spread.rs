//! Percentiles of times, by nearest rank.

use std::time::Duration;

use crate::Spread;

/// The percentiles of a list of nanoseconds, which is put in order.
pub(crate) fn spread(nanos: &mut [u64]) -> Spread {
    nanos.sort_unstable();
    let rank = |percent: usize| {
        let place = (nanos.len() * percent).div_ceil(100).max(1) - 1;
        nanos.get(place).copied().map(Duration::from_nanos)
    };
    Spread { n: nanos.len() as u64, p50: rank(50), p95: rank(95), p99: rank(99), max: rank(100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_nearest_rank() {
        let nanos = |n| Some(Duration::from_nanos(n));
        let mut list: Vec<u64> = (1..=100).rev().collect();
        assert_eq!(
            spread(&mut list),
            Spread { n: 100, p50: nanos(50), p95: nanos(95), p99: nanos(99), max: nanos(100) }
        );
        assert_eq!(
            spread(&mut [7]),
            Spread { n: 1, p50: nanos(7), p95: nanos(7), p99: nanos(7), max: nanos(7) }
        );
        assert_eq!(spread(&mut []), Spread::default());
    }
}
