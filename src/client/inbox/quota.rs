//! How much a day is taken of what people write who are neither contacts nor were written to, in bytes and in new
//! conversations: anybody can write to us, and nobody shall fill the disk or the list. It is counted anew at each start.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::limits::{
    STRANGER_DOMAIN_BYTES_A_DAY, STRANGER_DOMAIN_CONVERSATIONS_A_DAY, STRANGER_DOMAINS_MAX,
    STRANGERS_BYTES_A_DAY, STRANGERS_CONVERSATIONS_A_DAY,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// See the top of this file.
#[derive(Debug, Default)]
pub(super) struct Quota {
    since: Option<Instant>,
    total: Spent,
    by_domain: BTreeMap<String, Spent>,
    /// Something was refused.
    is_told: bool,
}

/// What was taken since the counts began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) bytes: usize,
    /// Conversations that did not exist before.
    pub(super) conversations: usize,
}

impl Spent {
    const A_DAY: Self = Self { bytes: STRANGERS_BYTES_A_DAY, conversations: STRANGERS_CONVERSATIONS_A_DAY };
    const DOMAIN_A_DAY: Self =
        Self { bytes: STRANGER_DOMAIN_BYTES_A_DAY, conversations: STRANGER_DOMAIN_CONVERSATIONS_A_DAY };

    const fn and(self, more: Self) -> Self {
        Self {
            bytes: self.bytes.saturating_add(more.bytes),
            conversations: self.conversations.saturating_add(more.conversations),
        }
    }

    /// False if this message, which is counted already, goes over the limit. One that begins no conversation is not
    /// concerned by how many there are.
    const fn is_within(self, limit: Self, message: Self) -> bool {
        self.bytes <= limit.bytes && (message.conversations == 0 || self.conversations <= limit.conversations)
    }
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
    pub(super) fn take(&mut self, domain: &str, message: Spent, now: Instant) -> Taken {
        if self.since.is_none_or(|since| now.saturating_duration_since(since) >= DAY) {
            *self = Self { since: Some(now), ..Self::default() };
        }
        let is_room = self.by_domain.len() < STRANGER_DOMAINS_MAX || self.by_domain.contains_key(domain);
        let of_domain = self.by_domain.entry(if is_room { domain } else { "" }.to_owned()).or_default();
        let (domain_after, total_after) = (of_domain.and(message), self.total.and(message));
        if !domain_after.is_within(Spent::DOMAIN_A_DAY, message)
            || !total_after.is_within(Spent::A_DAY, message)
        {
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

    const fn more(bytes: usize) -> Spent {
        Spent { bytes, conversations: 0 }
    }

    const BEGINS_ONE: Spent = Spent { bytes: 1, conversations: 1 };

    #[test]
    fn w31_a_domain_has_its_part_of_a_day_and_all_together_have_an_end() {
        let (mut quota, start) = (Quota::default(), Clock::start().now().mono);
        for _ in 0..50 {
            assert_eq!(quota.take("evil.example", more(MB), start), Taken::Yes);
        }
        let later = start + Duration::from_secs(3600);
        let refused = |is_first| Taken::No { wait: 23 * 3600, is_first };
        assert_eq!(quota.take("evil.example", more(1), later), refused(true));
        assert_eq!(quota.take("evil.example", more(1), later), refused(false));
        // As much from others, but not from any number of them.
        let taken = (0..400)
            .filter(|number| quota.take(&format!("d{number}.example"), more(MB), later) == Taken::Yes);
        assert_eq!(taken.count(), 150);
        // A day after the first one it starts anew.
        let next = start + Duration::from_secs(24 * 3600);
        assert_eq!(quota.take("evil.example", more(MB), next), Taken::Yes);
    }

    #[test]
    fn w31_domains_that_are_counted_have_a_maximum_and_further_ones_share() {
        let (mut quota, start) = (Quota::default(), Clock::start().now().mono);
        for number in 0..2 * STRANGER_DOMAINS_MAX {
            assert_eq!(quota.take(&format!("d{number}.example"), more(1), start), Taken::Yes);
        }
        assert_eq!(quota.by_domain.len(), STRANGER_DOMAINS_MAX + 1);
        assert_eq!(quota.by_domain[""], more(STRANGER_DOMAINS_MAX));
    }

    #[test]
    fn w31_new_conversations_of_a_day_have_an_end_and_those_that_exist_go_on() {
        let (mut quota, start) = (Quota::default(), Clock::start().now().mono);
        let mut begin = |domain: &str| quota.take(domain, BEGINS_ONE, start) == Taken::Yes;
        let of_one = (0..2 * STRANGERS_CONVERSATIONS_A_DAY).filter(|_| begin("evil.example")).count();
        assert_eq!(of_one, STRANGER_DOMAIN_CONVERSATIONS_A_DAY);
        let of_others = (0..2 * STRANGERS_CONVERSATIONS_A_DAY)
            .filter(|number| begin(&format!("d{}.example", number % 100)))
            .count();
        assert_eq!(of_one + of_others, STRANGERS_CONVERSATIONS_A_DAY);
        assert!(!begin("late.example"));
        assert_eq!(quota.take("evil.example", more(1), start), Taken::Yes);
    }
}
