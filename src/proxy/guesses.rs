//! Wrong passwords, counted for each user and address, so that nobody tries them all (W30).

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use crate::limits::{WRONG_PASSWORD_PLACES_MAX, WRONG_PASSWORDS_MAX, WRONG_PASSWORDS_WITHIN};
use crate::sip::Aor;

/// Who is tried from where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    user: Aor,
    network: IpAddr,
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    counts: BTreeMap<Place, Count>,
}

/// How often since the first one.
#[derive(Clone, Copy, Debug)]
struct Count {
    since: Instant,
    wrong: u32,
}

impl Place {
    /// A network of IPv6 that is one person's counts as one address.
    pub(super) fn new(user: Aor, address: IpAddr) -> Self {
        let network = match address.to_canonical() {
            IpAddr::V4(v4) => IpAddr::V4(v4),
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        };
        Self { user, network }
    }
}

impl Guesses {
    /// How long nothing is to be tried there any more; none when there is no need.
    pub(super) fn wait(&self, place: &Place, now: Instant) -> Option<Duration> {
        let count = self.counts.get(place).filter(|count| count.wrong >= WRONG_PASSWORDS_MAX)?;
        let over = count.since + WRONG_PASSWORDS_WITHIN;
        over.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// One more that was wrong.
    pub(super) fn wrong(&mut self, place: Place, now: Instant) {
        if self.counts.len() >= WRONG_PASSWORD_PLACES_MAX && !self.counts.contains_key(&place) {
            self.make_room(now);
        }
        let count = self.counts.entry(place).or_insert(Count { since: now, wrong: 0 });
        if now.saturating_duration_since(count.since) >= WRONG_PASSWORDS_WITHIN {
            *count = Count { since: now, wrong: 0 };
        }
        count.wrong = count.wrong.saturating_add(1);
    }

    /// The right one.
    pub(super) fn right(&mut self, place: &Place) {
        self.counts.remove(place);
    }

    /// Somebody else may have this address next.
    pub(super) fn forget(&mut self, user: &Aor) {
        self.counts.retain(|place, _| place.user != *user);
    }

    fn make_room(&mut self, now: Instant) {
        self.counts.retain(|_, count| now.saturating_duration_since(count.since) < WRONG_PASSWORDS_WITHIN);
        if self.counts.len() >= WRONG_PASSWORD_PLACES_MAX {
            let oldest =
                self.counts.iter().min_by_key(|(_, count)| count.since).map(|(place, _)| place.clone());
            oldest.map(|place| self.counts.remove(&place));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    fn place(user: &str, address: &str) -> Place {
        Place::new(Aor::parse(user).unwrap(), address.parse().unwrap())
    }

    #[test]
    fn w30_after_so_many_wrong_ones_it_is_over_for_a_minute_there_and_for_that_user() {
        let now = Clock::start().now();
        let mut guesses = Guesses::default();
        let ann = place("ann@d.com", "192.0.2.1");
        for _ in 0..WRONG_PASSWORDS_MAX {
            assert_eq!(guesses.wait(&ann, now.mono), None);
            guesses.wrong(ann.clone(), now.mono);
        }
        assert_eq!(guesses.wait(&ann, now.mono), Some(WRONG_PASSWORDS_WITHIN));
        assert_eq!(guesses.wait(&place("bob@d.com", "192.0.2.1"), now.mono), None);
        assert_eq!(guesses.wait(&place("ann@d.com", "192.0.2.2"), now.mono), None);
        assert!(guesses.wait(&place("ann@d.com", "::ffff:192.0.2.1"), now.mono).is_some());
        let late = now.plus(WRONG_PASSWORDS_WITHIN);
        assert_eq!(guesses.wait(&ann, late.mono), None);
        guesses.wrong(ann.clone(), late.mono);
        assert_eq!(guesses.wait(&ann, late.mono), None, "it counts from the beginning");
        guesses.right(&ann);
        assert!(guesses.counts.is_empty());
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_the_table_has_an_end() {
        assert_eq!(place("a@d", "2001:db8::1"), place("a@d", "2001:db8::ffff:2"));
        assert_ne!(place("a@d", "2001:db8::1"), place("a@d", "2001:db8:0:1::1"));
        let now = Clock::start().now();
        let mut guesses = Guesses::default();
        for number in 0..=WRONG_PASSWORD_PLACES_MAX {
            guesses.wrong(place(&format!("u{number}@d"), "192.0.2.1"), now.mono);
        }
        assert_eq!(guesses.counts.len(), WRONG_PASSWORD_PLACES_MAX);
    }
}
