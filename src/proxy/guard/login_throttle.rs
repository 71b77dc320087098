//! Counts wrong passwords by user and source, and by source alone, so that nobody can try them all, nor a few of everybody
//! (W30).
//!
//! Only requests with a nonce that was given to that very address and port are counted. Otherwise somebody could lock a user out
//! by datagrams sent with a forged source address.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::source::Source;
use crate::limits::{
    WRONG_PASSWORD_PLACES_MAX, WRONG_PASSWORDS_MAX, WRONG_PASSWORDS_PER_SOURCE_MAX, WRONG_PASSWORDS_WITHIN,
};

/// Whose password was tried (keyed hash of the user), and from which source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GuessKey {
    pub(crate) user: u128,
    pub(crate) source: Source,
    /// Over a WebSocket, perhaps by a page that its visitor did not ask to sign in: that shuts nobody out elsewhere.
    pub(crate) is_web: bool,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct LoginThrottle {
    by_user: WrongCounts<GuessKey>,
    /// Bounds how many entries one source has in the other table, too.
    by_source: WrongCounts<(Source, bool)>,
}

impl LoginThrottle {
    /// How long this user's passwords are refused from this source; `None` if they are not.
    pub(crate) fn wait(&self, place: GuessKey, now: Instant) -> Option<Duration> {
        let of_user = self.by_user.wait(place, WRONG_PASSWORDS_MAX, now);
        of_user.max(self.by_source.wait((place.source, place.is_web), WRONG_PASSWORDS_PER_SOURCE_MAX, now))
    }

    /// Records a failed attempt.
    pub(crate) fn wrong(&mut self, place: GuessKey, now: Instant) {
        self.by_user.wrong(place, now);
        self.by_source.wrong((place.source, place.is_web), now);
    }

    /// Drops the counts of a removed user: somebody else may get this address next.
    pub(crate) fn forget(&mut self, user: u128) {
        let places: Vec<_> = self.by_user.counts.keys().copied().filter(|place| place.user == user).collect();
        for place in places {
            self.by_user.take(place);
        }
    }
}

/// Wrong passwords within a minute, by what they have in common.
#[derive(Debug)]
struct WrongCounts<K> {
    counts: BTreeMap<K, Count>,
    /// The keys by age.
    by_age: BTreeSet<(Instant, K)>,
    /// The keys by number of wrong passwords. The one with the fewest makes room.
    by_count: BTreeSet<(u32, Instant, K)>,
}

/// How many wrong passwords, and when the first one came.
#[derive(Clone, Copy, Debug)]
struct Count {
    since: Instant,
    wrong: u32,
}

impl<K> Default for WrongCounts<K> {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), by_age: BTreeSet::new(), by_count: BTreeSet::new() }
    }
}

impl<K: Copy + Ord> WrongCounts<K> {
    fn wait(&self, key: K, max: u32, now: Instant) -> Option<Duration> {
        let count = self.counts.get(&key).filter(|count| count.wrong >= max)?;
        let over = count.since + WRONG_PASSWORDS_WITHIN;
        over.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    fn wrong(&mut self, key: K, now: Instant) {
        self.forget_old(now);
        let Count { since, wrong } = self.take(key).unwrap_or(Count { since: now, wrong: 0 });
        if self.counts.len() >= WRONG_PASSWORD_PLACES_MAX
            && let Some((_, _, fewest)) = self.by_count.first().copied()
        {
            self.take(fewest);
        }
        let wrong = wrong.saturating_add(1);
        self.counts.insert(key, Count { since, wrong });
        self.by_age.insert((since, key));
        self.by_count.insert((wrong, since, key));
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((since, key)) = self.by_age.first().copied()
            && now.saturating_duration_since(since) >= WRONG_PASSWORDS_WITHIN
        {
            self.take(key);
        }
    }

    fn take(&mut self, key: K) -> Option<Count> {
        let count = self.counts.remove(&key)?;
        self.by_age.remove(&(count.since, key));
        self.by_count.remove(&(count.wrong, count.since, key));
        Some(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    fn place(user: u128, address: &str) -> GuessKey {
        GuessKey { user, source: Source::of(address.parse().unwrap()), is_web: false }
    }

    fn sizes(guesses: &LoginThrottle) -> [(usize, usize, usize); 2] {
        let LoginThrottle { by_user, by_source } = guesses;
        [
            (by_user.counts.len(), by_user.by_age.len(), by_user.by_count.len()),
            (by_source.counts.len(), by_source.by_age.len(), by_source.by_count.len()),
        ]
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
        assert_eq!(sizes(&guesses), [(1, 1, 1); 2]);
    }

    #[test]
    fn the_tables_have_an_end_and_invented_users_do_not_make_a_count_forgotten() {
        let now = Clock::start().now();
        let mut guesses = LoginThrottle::default();
        let tried = place(u128::MAX, "192.0.2.1");
        for _ in 1..WRONG_PASSWORDS_MAX {
            guesses.wrong(tried, now.mono);
        }
        for number in 0..2 * WRONG_PASSWORD_PLACES_MAX {
            let source = format!("2001:db8:{:x}:{:x}::1", number / 256, number % 256);
            guesses.wrong(place(u128::try_from(number).unwrap(), &source), now.mono);
        }
        let full = WRONG_PASSWORD_PLACES_MAX;
        assert_eq!(sizes(&guesses), [(full, full, full); 2]);
        guesses.wrong(tried, now.mono);
        assert!(guesses.wait(tried, now.mono).is_some(), "the tenth counts");
    }

    #[test]
    fn w30_one_source_has_so_many_wrong_ones_whoever_he_tries() {
        let now = Clock::start().now();
        let mut guesses = LoginThrottle::default();
        let james = |address| place(u128::MAX, address);
        // The attack: invented users in between, so that the count of James is thrown out of the table.
        let tried = (0..u128::from(10 * WRONG_PASSWORDS_PER_SOURCE_MAX)).take_while(|number| {
            let next = if number % 2 == 0 { james("192.0.2.1") } else { place(*number, "192.0.2.1") };
            let is_free = guesses.wait(place(*number, "192.0.2.1"), now.mono).is_none();
            if is_free {
                guesses.wrong(next, now.mono);
            }
            is_free
        });
        assert_eq!(tried.count(), usize::try_from(WRONG_PASSWORDS_PER_SOURCE_MAX).unwrap());
        assert!(guesses.wait(place(1_000_000, "192.0.2.1"), now.mono).is_some(), "of nobody else either");
        assert_eq!(guesses.wait(james("192.0.2.2"), now.mono), None, "elsewhere it is another matter");
        let in_a_page = GuessKey { is_web: true, ..james("192.0.2.1") };
        assert_eq!(guesses.wait(in_a_page, now.mono), None);
        let late = now.plus(WRONG_PASSWORDS_WITHIN);
        assert_eq!(guesses.wait(james("192.0.2.1"), late.mono), None);
    }
}
