//! Nonces: made without being kept, and good for each number once (RFC 7616 §3.3, §5.5).
//!
//! A nonce carries its own time and a check by our key, so that nothing is stored for whoever only asks. What is kept is which
//! numbers were said under a nonce by somebody who had the password; of that there is a maximum.

use std::collections::BTreeMap;
use std::time::Instant;

use super::secret::Secret;
use crate::limits::{NONCE_LIFETIME, NONCES_USED_MAX};
use crate::random::Random;

/// What tells nonces apart: milliseconds since the start, and chance.
type Name = (u64, u64);

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Nonces {
    secret: Secret,
    /// Of this start: what was said before it is not remembered, so no nonce of before counts.
    salt: u64,
    started: Instant,
    used: BTreeMap<Name, Window>,
    /// Up to this name, what is not in `used` was forgotten.
    forgotten: Option<Name>,
}

/// What a nonce is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Fresh,
    /// Not ours, too old, or used with this number before.
    Stale,
}

/// The largest number under a nonce, and which of the 64 up to it were there: datagrams overtake each other.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    largest: u32,
    seen: u64,
}

impl Nonces {
    pub(super) fn new(secret: Secret, random: &mut Random, started: Instant) -> Self {
        Self { secret, salt: random.bits(), started, used: BTreeMap::new(), forgotten: None }
    }

    /// A nonce for a challenge.
    pub(super) fn issue(&self, random: &mut Random, now: Instant) -> String {
        let name = (self.millis(now), random.bits());
        self.print(name)
    }

    /// Uses a nonce for the request of this number; who does not count may use it once.
    pub(super) fn take(&mut self, nonce: &str, count: Option<u32>, now: Instant) -> Freshness {
        self.forget_old(now);
        let Some(name) = self.read(nonce).filter(|name| !self.is_over(*name, now)) else {
            return Freshness::Stale;
        };
        let is_known = self.used.contains_key(&name);
        let was_forgotten = self.forgotten.is_some_and(|forgotten| name <= forgotten);
        if !is_known && (was_forgotten || !self.make_room(name)) {
            return Freshness::Stale;
        }
        let window = self.used.entry(name).or_default();
        let is_new = match count {
            Some(count) => window.take(count),
            None if is_known => false,
            None => {
                *window = Window { largest: u32::MAX, seen: u64::MAX };
                true
            }
        };
        if is_new { Freshness::Fresh } else { Freshness::Stale }
    }

    /// Whether a nonce is ours and of this hour; it is not used up by this.
    pub(super) fn look(&self, nonce: &str, now: Instant) -> Freshness {
        match self.read(nonce).filter(|name| !self.is_over(*name, now)) {
            Some(_) => Freshness::Fresh,
            None => Freshness::Stale,
        }
    }

    fn print(&self, (at, chance): Name) -> String {
        let check = self.secret.nonce(self.salt, at, chance);
        format!("{at:x}.{chance:016x}.{check:032x}")
    }

    /// The name in a nonce of ours.
    fn read(&self, nonce: &str) -> Option<Name> {
        let mut parts = nonce.split('.');
        let at = u64::from_str_radix(parts.next()?, 16).ok()?;
        let chance = u64::from_str_radix(parts.next()?, 16).ok()?;
        let name = (at, chance);
        // Spelled as we spell it, so that it has one spelling.
        bool::from(subtle::ConstantTimeEq::ct_eq(self.print(name).as_bytes(), nonce.as_bytes()))
            .then_some(name)
    }

    fn is_over(&self, (at, _): Name, now: Instant) -> bool {
        let lifetime = u64::try_from(NONCE_LIFETIME.as_millis()).unwrap_or(u64::MAX);
        self.millis(now).saturating_sub(at) > lifetime
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some((name, _)) = self.used.first_key_value()
            && self.is_over(*name, now)
        {
            self.used.pop_first();
        }
    }

    /// Forgets the oldest where there are too many; false when that is the new one itself.
    fn make_room(&mut self, name: Name) -> bool {
        if self.used.len() < NONCES_USED_MAX {
            return true;
        }
        let Some(oldest) = self.used.first_entry().filter(|oldest| *oldest.key() < name) else {
            return false;
        };
        self.forgotten = Some(oldest.remove_entry().0);
        true
    }

    fn millis(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Window {
    /// True once for each number.
    const fn take(&mut self, count: u32) -> bool {
        if count > self.largest {
            let step = count - self.largest;
            self.seen = if step < 64 { self.seen << step } else { 0 };
            self.seen |= 1;
            self.largest = count;
            return true;
        }
        let back = self.largest - count;
        // Numbers count from 1 (RFC 7616 §3.4).
        if count == 0 || back >= 64 || self.seen & (1 << back) != 0 {
            return false;
        }
        self.seen |= 1 << back;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::time::{Clock, Now};

    fn start() -> (Nonces, Random, Now) {
        let now = Clock::start().now();
        let mut random = Random::from_seed(1);
        (Nonces::new(Secret::new([7; 16]), &mut random, now.mono), random, now)
    }

    #[test]
    fn each_number_counts_once_and_datagrams_may_overtake_each_other() {
        let (mut nonces, mut random, now) = start();
        let nonce = nonces.issue(&mut random, now.mono);
        let mut take = |count| nonces.take(&nonce, Some(count), now.mono) == Freshness::Fresh;
        assert!(take(1) && take(3) && take(2));
        assert!(!take(1) && !take(2) && !take(3) && !take(0));
        assert!(take(1000) && take(937) && !take(937) && !take(936), "64 numbers are remembered");
        assert!(take(u32::MAX) && !take(u32::MAX));
    }

    #[test]
    fn who_does_not_count_uses_a_nonce_once() {
        let (mut nonces, mut random, now) = start();
        let nonce = nonces.issue(&mut random, now.mono);
        assert_eq!(nonces.take(&nonce, None, now.mono), Freshness::Fresh);
        assert_eq!(nonces.take(&nonce, None, now.mono), Freshness::Stale);
        assert_eq!(nonces.take(&nonce, Some(9), now.mono), Freshness::Stale);
        let nonce = nonces.issue(&mut random, now.mono);
        assert_eq!(nonces.take(&nonce, Some(1), now.mono), Freshness::Fresh);
        assert_eq!(nonces.take(&nonce, None, now.mono), Freshness::Stale);
    }

    #[test]
    fn what_is_old_or_not_ours_is_stale() {
        let (mut nonces, mut random, now) = start();
        let nonce = nonces.issue(&mut random, now.mono);
        let late = now.plus(NONCE_LIFETIME + Duration::from_millis(1));
        assert_eq!(nonces.take(&nonce, Some(1), late.mono), Freshness::Stale);
        assert_eq!(nonces.take(&nonce, Some(1), now.plus(NONCE_LIFETIME).mono), Freshness::Fresh);
        let changed = nonce.replacen('.', "0.", 1);
        for foreign in ["", "..", "1.2.3", &nonce.to_uppercase(), &changed, &format!("{nonce}.")] {
            assert_eq!(nonces.take(foreign, Some(1), now.mono), Freshness::Stale, "{foreign}");
        }
        // The same key after a new start: what was said before is not remembered, so nothing of it counts.
        let mut again = Nonces::new(Secret::new([7; 16]), &mut random, now.mono);
        assert_eq!(again.take(&nonce, Some(2), now.mono), Freshness::Stale);
    }

    #[test]
    fn memory_is_bounded_and_what_was_forgotten_does_not_count_again() {
        let (mut nonces, mut random, now) = start();
        let first = nonces.issue(&mut random, now.mono);
        assert_eq!(nonces.take(&first, Some(1), now.mono), Freshness::Fresh);
        let unused = nonces.issue(&mut random, now.plus(Duration::from_millis(1)).mono);
        let later = now.plus(Duration::from_millis(2));
        for _ in 0..NONCES_USED_MAX {
            let nonce = nonces.issue(&mut random, later.mono);
            assert_eq!(nonces.take(&nonce, Some(1), later.mono), Freshness::Fresh);
        }
        assert_eq!(nonces.used.len(), NONCES_USED_MAX, "the first gave way");
        assert_eq!(nonces.take(&first, Some(2), later.mono), Freshness::Stale);
        assert_eq!(nonces.take(&unused, Some(1), later.mono), Freshness::Stale, "older than all of them");
        let young = later.plus(Duration::from_millis(1));
        let nonce = nonces.issue(&mut random, young.mono);
        assert_eq!(nonces.take(&nonce, Some(1), young.mono), Freshness::Fresh);
        assert_eq!(nonces.used.len(), NONCES_USED_MAX);
    }
}
