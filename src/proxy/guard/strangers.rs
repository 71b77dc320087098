//! How much strangers sent recently, and how much each of our users got from them. Strangers are not authenticated, so
//! they are counted by source and by recipient (W31).

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::source::Source;
use crate::limits::{STRANGER_SOURCES_MAX, STRANGERS_RECIPIENTS_MAX};

/// Limits are per minute; this fraction (one third) may come as a burst.
const BURST_PART: u32 = 3;

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Strangers {
    pub(crate) sources: Rates<Source>,
    /// By the keyed hash of the user.
    pub(crate) recipients: Rates<u128>,
}

impl Default for Strangers {
    fn default() -> Self {
        Self { sources: Rates::new(STRANGER_SOURCES_MAX), recipients: Rates::new(STRANGERS_RECIPIENTS_MAX) }
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
    const fn new(keys_max: usize) -> Self {
        Self { paid_at: BTreeMap::new(), by_time: BTreeSet::new(), keys_max }
    }

    /// Counts one more; false, and not counted, if that exceeds the rate.
    pub(crate) fn allows(&mut self, key: K, per_minute: u32, now: Instant) -> bool {
        while let Some((paid_at, key)) = self.by_time.first().copied().filter(|(at, _)| *at <= now) {
            self.remove(key, paid_at);
        }
        let each = Duration::from_secs(60) / per_minute.max(1);
        let credit = each * (per_minute / BURST_PART).max(1);
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
            (0..tries).filter(|_| rates.allows(key, 60, at)).count()
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
            assert!(rates.allows(0_u32, 60, now));
        }
        for key in 1..1000 {
            assert!(rates.allows(key, 60, now));
        }
        assert_eq!((rates.paid_at.len(), rates.by_time.len()), (100, 100));
        assert!(!rates.allows(0, 60, now));
    }
}
