//! What a layer between a machine and its sockets holds back until it is due: datagrams of a slow path, answers of a slow peer.
//!
//! **Invariant:** it has an end; over it, nothing is taken.

use std::collections::BTreeMap;
use std::time::Instant;

/// See the top of this file.
#[derive(Debug)]
pub(super) struct Held<T> {
    /// By when it is due; of what is due at one instant, what was held first comes first.
    waiting: BTreeMap<(Instant, u64), T>,
    count: u64,
    most: usize,
}

impl<T> Held<T> {
    /// Holds so many at most.
    pub(super) const fn new(most: usize) -> Self {
        Self { waiting: BTreeMap::new(), count: 0, most }
    }

    /// Holds this until `due`. False if there is no room.
    pub(super) fn hold(&mut self, due: Instant, what: T) -> bool {
        if self.waiting.len() >= self.most {
            return false;
        }
        self.count += 1;
        self.waiting.insert((due, self.count), what);
        true
    }

    /// When the next one is due.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// The one that is due first, if it is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<T> {
        let first = self.waiting.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }

    /// How many are held.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time::Clock;

    #[test]
    fn w31_what_is_due_comes_in_its_order_and_there_is_an_end() {
        let now = Clock::start().now().mono;
        let later = now + Duration::from_secs(1);
        let mut held = Held::new(3);
        assert!(held.hold(later, 'c') && held.hold(now, 'a') && held.hold(now, 'b'));
        assert!(!held.hold(now, 'd'), "there is no room");
        assert_eq!(held.next_at(), Some(now));
        let due: Vec<_> = std::iter::from_fn(|| held.due(now)).collect();
        assert_eq!((due, held.next_at()), (vec!['a', 'b'], Some(later)));
        assert_eq!((held.due(later), held.len()), (Some('c'), 0));
    }
}
