//! Counts wrong passwords by user and source, so that nobody can try them all (W30).
//!
//! Only requests with a nonce that was given to that very address and port are counted. Otherwise somebody could lock a user out
//! by datagrams sent with a forged source address.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::source::Source;
use crate::limits::{WRONG_PASSWORD_PLACES_MAX, WRONG_PASSWORDS_MAX, WRONG_PASSWORDS_WITHIN};

/// Whose password was tried (keyed hash of the user), and from which source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GuessKey {
    pub(crate) user: u128,
    pub(crate) source: Source,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct LoginThrottle {
    counts: BTreeMap<GuessKey, Count>,
    /// The keys by age.
    by_age: BTreeSet<(Instant, GuessKey)>,
    /// The keys by number of wrong passwords. The one with the fewest makes room, so that a guesser cannot have its own
    /// count dropped by inventing users.
    by_count: BTreeSet<(u32, Instant, GuessKey)>,
}

/// How many wrong passwords, and when the first one came.
#[derive(Clone, Copy, Debug)]
struct Count {
    since: Instant,
    wrong: u32,
}

impl LoginThrottle {
    /// How long this user's passwords are refused from this source; `None` if they are not.
    pub(crate) fn wait(&self, place: GuessKey, now: Instant) -> Option<Duration> {
        let count = self.counts.get(&place).filter(|count| count.wrong >= WRONG_PASSWORDS_MAX)?;
        let over = count.since + WRONG_PASSWORDS_WITHIN;
        over.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Records a failed attempt.
    pub(crate) fn wrong(&mut self, place: GuessKey, now: Instant) {
        self.forget_old(now);
        let Count { since, wrong } = self.take(place).unwrap_or(Count { since: now, wrong: 0 });
        if self.counts.len() >= WRONG_PASSWORD_PLACES_MAX
            && let Some((_, _, fewest)) = self.by_count.first().copied()
        {
            self.take(fewest);
        }
        let wrong = wrong.saturating_add(1);
        self.counts.insert(place, Count { since, wrong });
        self.by_age.insert((since, place));
        self.by_count.insert((wrong, since, place));
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((since, place)) = self.by_age.first().copied()
            && now.saturating_duration_since(since) >= WRONG_PASSWORDS_WITHIN
        {
            self.take(place);
        }
    }

    /// Drops the counts of a removed user: somebody else may get this address next.
    pub(crate) fn forget(&mut self, user: u128) {
        let places: Vec<_> = self.counts.keys().copied().filter(|place| place.user == user).collect();
        for place in places {
            self.take(place);
        }
    }

    fn take(&mut self, place: GuessKey) -> Option<Count> {
        let count = self.counts.remove(&place)?;
        self.by_age.remove(&(count.since, place));
        self.by_count.remove(&(count.wrong, count.since, place));
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    fn place(user: u128, address: &str) -> GuessKey {
        GuessKey { user, source: Source::of(address.parse().unwrap()) }
    }

    #[test]
    fn w30_after_so_many_wrong_ones_it_is_over_for_a_minute_there_and_for_that_user() {
        let now = Clock::start().now();
        let mut guesses = LoginThrottle::default();
        let ann = place(1, "192.0.2.1");
        for _ in 0..WRONG_PASSWORDS_MAX {
            assert_eq!(guesses.wait(ann, now.mono), None);
            guesses.wrong(ann, now.mono);
        }
        assert_eq!(guesses.wait(ann, now.mono), Some(WRONG_PASSWORDS_WITHIN));
        assert_eq!(guesses.wait(place(2, "192.0.2.1"), now.mono), None);
        assert_eq!(guesses.wait(place(1, "192.0.2.2"), now.mono), None);
        assert!(guesses.wait(place(1, "::ffff:192.0.2.1"), now.mono).is_some());
        let late = now.plus(WRONG_PASSWORDS_WITHIN);
        assert_eq!(guesses.wait(ann, late.mono), None);
        guesses.wrong(ann, late.mono);
        assert_eq!(guesses.wait(ann, late.mono), None, "it counts from the beginning");
        assert_eq!((guesses.counts.len(), guesses.by_age.len(), guesses.by_count.len()), (1, 1, 1));
    }

    #[test]
    fn the_table_has_an_end_and_invented_users_do_not_make_a_count_forgotten() {
        let now = Clock::start().now();
        let mut guesses = LoginThrottle::default();
        let tried = place(u128::MAX, "192.0.2.1");
        for _ in 1..WRONG_PASSWORDS_MAX {
            guesses.wrong(tried, now.mono);
        }
        for number in 0..2 * WRONG_PASSWORD_PLACES_MAX {
            guesses.wrong(place(u128::try_from(number).unwrap(), "192.0.2.1"), now.mono);
        }
        let full = WRONG_PASSWORD_PLACES_MAX;
        assert_eq!((guesses.counts.len(), guesses.by_age.len(), guesses.by_count.len()), (full, full, full));
        guesses.wrong(tried, now.mono);
        assert!(guesses.wait(tried, now.mono).is_some(), "the tenth counts");
    }
}
