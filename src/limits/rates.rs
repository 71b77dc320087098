//! How often something may be done by each of many: so many times at once, and then at a steady rate.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The part (one third) of what may come in a minute that may come at once.
const BURST_PART: u32 = 3;

/// So many at once, then one each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    each: Duration,
    at_once: u32,
}

impl Rate {
    /// So many a minute, a third of them at once.
    pub(crate) fn per_minute(many: u32) -> Self {
        Self { each: Duration::from_secs(60) / many.max(1), at_once: (many / BURST_PART).max(1) }
    }

    /// So many a second, after so many at once.
    pub(crate) fn per_second(many: u32, at_once: u32) -> Self {
        Self { each: Duration::from_secs(1) / many.max(1), at_once: at_once.max(1) }
    }
}

/// How many of each key came recently, kept as the time at which they are all paid for at the allowed rate.
#[derive(Debug)]
pub(crate) struct Rates<K> {
    paid_at: BTreeMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
    keys_max: usize,
}

impl<K: Copy + Ord> Rates<K> {
    pub(crate) const fn new(keys_max: usize) -> Self {
        Self { paid_at: BTreeMap::new(), by_time: BTreeSet::new(), keys_max }
    }

    /// Counts one more; false, and not counted, if that exceeds the rate.
    pub(crate) fn allows(&mut self, key: K, rate: Rate, now: Instant) -> bool {
        while let Some((paid_at, key)) = self.by_time.first().copied().filter(|(at, _)| *at <= now) {
            self.remove(key, paid_at);
        }
        let Rate { each, at_once } = rate;
        let credit = each * at_once;
        let known = self.paid_at.get(&key).copied();
        let paid_at = known.unwrap_or(now) + each;
        if paid_at > now + credit {
            return false;
        }
        if let Some(known) = known {
            self.remove(key, known);
        } else if self.paid_at.len() >= self.keys_max
            && let Some((soonest, key)) = self.by_time.first().copied()
        {
            // Drops whoever has sent the least.
            self.remove(key, soonest);
        }
        self.paid_at.insert(key, paid_at);
        self.by_time.insert((paid_at, key));
        true
    }

    fn remove(&mut self, key: K, paid_at: Instant) {
        self.by_time.remove(&(paid_at, key));
        self.paid_at.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    #[test]
    fn a_third_of_a_minutes_requests_may_come_at_once_and_the_rest_as_time_goes_by() {
        let now = Clock::start().now();
        let mut rates = Rates::new(10);
        let mut allowed = |key: u8, after: u64, tries: usize| {
            let at = now.plus(Duration::from_millis(after)).mono;
            (0..tries).filter(|_| rates.allows(key, Rate::per_minute(60), at)).count()
        };
        assert_eq!(allowed(1, 0, 300), 20);
        assert_eq!(allowed(2, 0, 5), 5, "each for itself");
        assert_eq!(allowed(1, 999, 300), 0);
        assert_eq!(allowed(1, 1000, 300), 1);
        assert_eq!(allowed(1, 11_000, 300), 10);
        assert_eq!(allowed(1, 600_000, 300), 20);
    }

    #[test]
    fn the_table_has_an_end_and_keeps_whoever_sends_most() {
        let now = Clock::start().now().mono;
        let mut rates = Rates::new(100);
        for _ in 0..20 {
            assert!(rates.allows(0_u32, Rate::per_minute(60), now));
        }
        for key in 1..1000 {
            assert!(rates.allows(key, Rate::per_minute(60), now));
        }
        assert_eq!((rates.paid_at.len(), rates.by_time.len()), (100, 100));
        assert!(!rates.allows(0, Rate::per_minute(60), now));
    }
}
