//! Who takes how much of a shared resource: mailbox, legs, relays. Nobody may take so much that nothing is left for
//! others.
//!
//! The limit is a part of what is free: including what one already has, one may have at most a part of what would then
//! be left. So one user alone gets a good part of an empty table, many share it, and however many they are, something
//! is always left.

use std::collections::BTreeMap;

/// Who is charged for something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Payer {
    /// One of our users, as a keyed hash.
    User(u128),
    /// All trusted peers together; the limits of users do not apply to them (W31).
    Peers,
    /// Everybody else, together.
    Strangers,
}

/// An amount: how many, and how many bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) count: usize,
    pub(crate) bytes: usize,
}

/// How much is taken, in all and by each.
#[derive(Debug)]
pub(crate) struct Shares<K> {
    all: Amount,
    each: BTreeMap<K, Amount>,
}

impl<K> Default for Shares<K> {
    fn default() -> Self {
        Self { all: Amount::default(), each: BTreeMap::new() }
    }
}

impl<K: Clone + Ord> Shares<K> {
    /// The amount taken in all.
    pub(crate) const fn all(&self) -> Amount {
        self.all
    }

    /// The amount that `key` has taken.
    pub(crate) fn of(&self, key: &K) -> Amount {
        self.each.get(key).copied().unwrap_or_default()
    }

    /// What would be left of `max` after taking `more`.
    pub(crate) const fn left(&self, more: Amount, max: Amount) -> Amount {
        max.minus(self.all.plus(more))
    }

    /// True if `key` may take more: it then has at most a `part`-th of what would be left.
    pub(crate) fn has_share(&self, key: &K, more: Amount, left: Amount, part: usize) -> bool {
        let own = self.of(key);
        let fits = |own: usize, more: usize, left: usize| {
            more == 0 || own.saturating_add(more) <= left / part.max(1)
        };
        fits(own.count, more.count, left.count) && fits(own.bytes, more.bytes, left.bytes)
    }

    /// Takes an amount.
    pub(crate) fn take(&mut self, key: &K, more: Amount) {
        let own = self.each.entry(key.clone()).or_default();
        *own = own.plus(more);
        self.all = self.all.plus(more);
    }

    /// Gives an amount back.
    pub(crate) fn give(&mut self, key: &K, back: Amount) {
        self.all = self.all.minus(back);
        if let Some(own) = self.each.get_mut(key) {
            *own = own.minus(back);
            if *own == Amount::default() {
                self.each.remove(key);
            }
        }
    }

    /// True if everything was given back.
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.all == Amount::default() && self.each.is_empty()
    }
}

impl Amount {
    const fn plus(self, more: Self) -> Self {
        Self { count: self.count.saturating_add(more.count), bytes: self.bytes.saturating_add(more.bytes) }
    }

    const fn minus(self, less: Self) -> Self {
        Self { count: self.count.saturating_sub(less.count), bytes: self.bytes.saturating_sub(less.bytes) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: Amount = Amount { count: 50_000, bytes: 1_000_000_000 };
    const ONE: Amount = Amount { count: 1, bytes: 100 };

    fn has_share(shares: &Shares<u32>, key: u32, more: Amount, part: usize) -> bool {
        shares.has_share(&key, more, shares.left(more, MAX), part)
    }

    /// How many items a user gets who takes as many as possible.
    fn takes_all(shares: &mut Shares<u32>, key: u32, part: usize) -> usize {
        let mut got = 0;
        while has_share(shares, key, ONE, part) {
            shares.take(&key, ONE);
            got += 1;
        }
        got
    }

    #[test]
    fn however_many_take_all_that_they_can_something_is_left_for_another() {
        let mut shares = Shares::default();
        assert_eq!(takes_all(&mut shares, 0, 4), 10_000, "a quarter of the 40,000 that are left");
        assert_eq!(takes_all(&mut shares, 1, 4), 8000);
        for key in 2..20 {
            assert!(takes_all(&mut shares, key, 4) > 100, "{key}");
        }
        assert!(shares.all().count < MAX.count);
        assert!(!has_share(&shares, 0, ONE, 4), "and none for who has enough");
        shares.give(&0, Amount { count: 10_000, bytes: 1_000_000 });
        assert!(has_share(&shares, 0, ONE, 4));
    }

    #[test]
    fn bytes_count_as_pieces_do_and_all_is_counted_back_to_nothing() {
        let mut shares = Shares::default();
        let large = Amount { count: 1, bytes: 150_000_000 };
        assert!(has_share(&shares, 1, large, 4));
        shares.take(&1, large);
        assert!(!has_share(&shares, 1, large, 4), "300 MB of 1000, where 700 would be left");
        assert!(has_share(&shares, 1, large, 2));
        assert!(has_share(&shares, 2, large, 4));
        shares.give(&1, large);
        assert!(shares.is_empty());
    }
}
