//! Percentiles of times, for the summary of many messages.

use serde::Serialize;

/// How long something took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Percentiles {
    p50: u64,
    p95: u64,
    p99: u64,
    max: u64,
}

impl Percentiles {
    /// By the nearest rank. None if there are no values.
    pub(super) fn of(values: &mut [u64]) -> Option<Self> {
        values.sort_unstable();
        let rank =
            |percent: usize| values.get((values.len() * percent).div_ceil(100).saturating_sub(1)).copied();
        Some(Self { p50: rank(50)?, p95: rank(95)?, p99: rank(99)?, max: rank(100)? })
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { p50, p95, p99, max } = self;
        write!(f, "p50 {p50} ms, p95 {p95} ms, p99 {p99} ms, max {max} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        assert_eq!(Percentiles::of(&mut []), None);
        assert_eq!(Percentiles::of(&mut [7]), Some(Percentiles { p50: 7, p95: 7, p99: 7, max: 7 }));
        let mut hundred: Vec<u64> = (1..=100).rev().collect();
        let expected = Percentiles { p50: 50, p95: 95, p99: 99, max: 100 };
        assert_eq!(Percentiles::of(&mut hundred), Some(expected));
        assert_eq!(expected.to_string(), "p50 50 ms, p95 95 ms, p99 99 ms, max 100 ms");
        let few = Percentiles::of(&mut [40, 10, 30, 20]).unwrap();
        assert_eq!((few.p50, few.p95), (20, 40));
    }
}
