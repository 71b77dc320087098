//! How many bytes a day are stored of what people write who are neither contacts nor were written to: anybody can write to
//! us, and nobody shall fill the disk. It is counted anew at each start.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::limits::{STRANGER_DOMAIN_BYTES_A_DAY, STRANGER_DOMAINS_MAX, STRANGERS_BYTES_A_DAY};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// See the top of this file.
#[derive(Debug, Default)]
pub(super) struct Quota {
    since: Option<Instant>,
    total: usize,
    by_domain: BTreeMap<String, usize>,
    /// Something was refused.
    is_told: bool,
}

/// Whether a message may be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is counted.
    Yes,
    /// Too much has come.
    No {
        /// Seconds until the counts start anew.
        wait: u64,
        /// It is the first that is refused.
        is_first: bool,
    },
}

impl Quota {
    /// Counts a message from this domain, or refuses it. A domain over the maximum of domains counts with the others of its
    /// kind, under no name.
    pub(super) fn take(&mut self, domain: &str, bytes: usize, now: Instant) -> Taken {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= DAY) {
            *self = Self { since: Some(now), ..Self::default() };
        }
        let is_room = self.by_domain.len() < STRANGER_DOMAINS_MAX || self.by_domain.contains_key(domain);
        let of_domain = self.by_domain.entry(if is_room { domain } else { "" }.to_owned()).or_default();
        let (domain_after, total_after) = (of_domain.saturating_add(bytes), self.total.saturating_add(bytes));
        if domain_after > STRANGER_DOMAIN_BYTES_A_DAY || total_after > STRANGERS_BYTES_A_DAY {
            let ends = self.since.map_or(now, |since| since + DAY);
            let is_first = !std::mem::replace(&mut self.is_told, true);
            return Taken::No { wait: ends.saturating_duration_since(now).as_secs().max(1), is_first };
        }
        (*of_domain, self.total) = (domain_after, total_after);
        Taken::Yes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    const MB: usize = 1024 * 1024;

    #[test]
    fn w31_a_domain_has_its_part_of_a_day_and_all_together_have_an_end() {
        let (mut quota, start) = (Quota::default(), Clock::start().now().mono);
        for _ in 0..50 {
            assert_eq!(quota.take("evil.example", MB, start), Taken::Yes);
        }
        let later = start + Duration::from_secs(3600);
        assert_eq!(quota.take("evil.example", 1, later), Taken::No { wait: 23 * 3600, is_first: true });
        assert_eq!(quota.take("evil.example", 1, later), Taken::No { wait: 23 * 3600, is_first: false });
        // As much from others, but not from any number of them.
        let taken =
            (0..400).filter(|number| quota.take(&format!("d{number}.example"), MB, later) == Taken::Yes);
        assert_eq!(taken.count(), 150);
        // A day after the first one it starts anew.
        let next = start + Duration::from_secs(24 * 3600);
        assert_eq!(quota.take("evil.example", MB, next), Taken::Yes);
    }

    #[test]
    fn w31_domains_that_are_counted_have_a_maximum_and_further_ones_share() {
        let (mut quota, start) = (Quota::default(), Clock::start().now().mono);
        for number in 0..2 * STRANGER_DOMAINS_MAX {
            assert_eq!(quota.take(&format!("d{number}.example"), 1, start), Taken::Yes);
        }
        assert_eq!(quota.by_domain.len(), STRANGER_DOMAINS_MAX + 1);
        assert_eq!(quota.by_domain[""], STRANGER_DOMAINS_MAX);
    }
}
