//! What senders send to addresses that they named themselves and that have not answered: a few recipients of one message in
//! full, and of each later attempt one transmission. The other recipients of that message wait for an answer.
//!
//! A sender may write to any address. But one request may name hundreds of recipients at one address, and each of them would
//! have its eleven transmissions, at once and again at each later attempt, whether anybody is there or not. Many addresses of
//! one network may be one victim, so what goes there is counted too.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Instant;

use super::Allowance;
use crate::limits::{
    DESTINATIONS_UNPROVEN_MAX, UNANSWERED_LEG_BYTES_MAX, UNANSWERED_LEGS_MAX, UNANSWERED_MESSAGES_MAX,
    UNANSWERED_NETWORK_BYTES_MAX, UNPROVEN_REQUESTS_MAX, UNPROVEN_REQUESTS_WITHIN, neighbourhood,
};
use crate::proxy::journal::DispatchId;
use crate::proxy::transport::next_hop::User;

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    addresses: Recent<Attempts>,
    networks: Recent<NetworkBytes>,
}

/// What was sent within the last minute, by address or by network; over the maximum, the oldest is forgotten.
#[derive(Debug, Default)]
struct Recent<T> {
    all: BTreeMap<IpAddr, (Instant, T)>,
    by_age: BTreeSet<(Instant, IpAddr)>,
}

impl<T: Default> Recent<T> {
    fn at(&mut self, ip: IpAddr, now: Instant) -> &mut T {
        while let Some((since, oldest)) = self.by_age.first().copied()
            && (now.saturating_duration_since(since) >= UNPROVEN_REQUESTS_WITHIN
                || (self.all.len() >= DESTINATIONS_UNPROVEN_MAX && !self.all.contains_key(&ip)))
        {
            self.by_age.remove(&(since, oldest));
            self.all.remove(&oldest);
        }
        let by_age = &mut self.by_age;
        let (_, sent) = self.all.entry(ip).or_insert_with(|| {
            by_age.insert((now, ip));
            (now, T::default())
        });
        sent
    }

    fn forget(&mut self, ip: IpAddr) {
        if let Some((since, _)) = self.all.remove(&ip) {
            self.by_age.remove(&(since, ip));
        }
    }
}

/// Bytes that went to a network.
#[derive(Debug, Default)]
struct NetworkBytes {
    in_full: usize,
    once: usize,
}

impl NetworkBytes {
    /// How much of so many bytes may be sent there; counts them if they may.
    const fn allow(&mut self, bytes: usize) -> Option<Allowance> {
        let (in_full, once) = (self.in_full.saturating_add(bytes), self.once.saturating_add(bytes));
        if in_full <= UNANSWERED_NETWORK_BYTES_MAX {
            self.in_full = in_full;
            Some(Allowance::Full)
        } else if once <= UNANSWERED_NETWORK_BYTES_MAX {
            self.once = once;
            Some(Allowance::Few(1))
        } else {
            None
        }
    }
}

/// What went to one address.
#[derive(Debug, Default)]
struct Attempts {
    messages: BTreeMap<DispatchId, Sum>,
    /// How many of them were later attempts, of all messages.
    later: usize,
}

/// The legs of one message, and their bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    legs: usize,
    bytes: usize,
}

impl Unanswered {
    /// How much of a leg may be sent; counts it if it may. `None`: it waits.
    pub(super) fn allow(
        &mut self,
        (user, leg_bytes): (User, usize),
        ip: IpAddr,
        now: Instant,
    ) -> Option<Allowance> {
        let User::Leg { dispatch, branch, .. } = user else { return Some(Allowance::Full) };
        let attempts = self.addresses.at(ip, now);
        let sum = attempts.messages.get(&dispatch).copied();
        if sum.is_none() && attempts.messages.len() >= UNANSWERED_MESSAGES_MAX {
            return None;
        }
        let sum = sum.unwrap_or_default();
        let is_later = branch > 0;
        let (legs, bytes) = (sum.legs + 1, sum.bytes.saturating_add(leg_bytes));
        let may_be = if is_later {
            legs == 1 && attempts.later < UNPROVEN_REQUESTS_MAX
        } else {
            legs == 1 || (legs <= UNANSWERED_LEGS_MAX && bytes <= UNANSWERED_LEG_BYTES_MAX)
        };
        if !may_be {
            return None;
        }
        let allowed = self.networks.at(neighbourhood(ip), now).allow(leg_bytes)?;
        attempts.messages.insert(dispatch, Sum { legs, bytes });
        attempts.later += usize::from(is_later);
        Some(if is_later { Allowance::Few(1) } else { allowed })
    }

    /// That address has answered: others may be tried there, at another port too.
    pub(super) fn answered(&mut self, ip: IpAddr) {
        self.addresses.forget(ip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Clock;

    fn leg(dispatch: u64, recipient: u32, branch: u32) -> (User, usize) {
        (User::Leg { dispatch: DispatchId(dispatch), recipient, branch }, 600)
    }

    fn ip(number: usize) -> IpAddr {
        std::net::Ipv4Addr::from_bits(u32::try_from(number).unwrap() + 1).into()
    }

    #[test]
    fn a_few_of_one_message_go_in_full_and_the_others_wait_for_an_answer() {
        let (now, mut unanswered) = (Clock::start().now().mono, Unanswered::default());
        for recipient in 0..u32::try_from(UNANSWERED_LEGS_MAX).unwrap() {
            assert_eq!(unanswered.allow(leg(1, recipient, 0), ip(1), now), Some(Allowance::Full));
        }
        assert_eq!(unanswered.allow(leg(1, 90, 0), ip(1), now), None);
        assert_eq!(unanswered.allow(leg(1, 90, 0), ip(2), now), Some(Allowance::Full), "elsewhere");
        assert_eq!(unanswered.allow(leg(2, 0, 0), ip(1), now), Some(Allowance::Full), "another message");
        unanswered.answered(ip(1));
        assert_eq!(unanswered.allow(leg(1, 90, 0), ip(1), now), Some(Allowance::Full));
        // Of large ones there are fewer, but always one.
        let large = |recipient| (leg(3, recipient, 0).0, UNANSWERED_LEG_BYTES_MAX + 1);
        assert_eq!(unanswered.allow(large(0), ip(3), now), Some(Allowance::Full));
        assert_eq!(unanswered.allow(large(1), ip(3), now), None);
    }

    #[test]
    fn the_addresses_of_a_network_get_so_much_in_full_and_as_much_once() {
        let (now, mut unanswered) = (Clock::start().now().mono, Unanswered::default());
        let most = UNANSWERED_NETWORK_BYTES_MAX / 2000;
        let leg = |number: usize| (leg(u64::try_from(number).unwrap(), 0, 0).0, 2000);
        let mut allowed =
            |base: usize, number: usize, now| unanswered.allow(leg(number), ip(base + number % 250), now);
        for number in 0..most {
            assert_eq!(allowed(0, number, now), Some(Allowance::Full), "{number}");
        }
        for number in most..2 * most {
            assert_eq!(allowed(0, number, now), Some(Allowance::Few(1)), "{number}");
        }
        assert_eq!(allowed(0, 2 * most, now), None);
        assert_eq!(allowed(1024, 1, now), Some(Allowance::Full), "another network");
        assert_eq!(allowed(0, 1, now + UNPROVEN_REQUESTS_WITHIN), Some(Allowance::Full));
    }

    #[test]
    fn a_later_attempt_is_one_transmission_of_one_of_them() {
        let (now, mut unanswered) = (Clock::start().now().mono, Unanswered::default());
        assert_eq!(unanswered.allow(leg(1, 0, 1), ip(1), now), Some(Allowance::Few(1)));
        assert_eq!(unanswered.allow(leg(1, 1, 1), ip(1), now), None);
        for number in 2..=u64::try_from(UNPROVEN_REQUESTS_MAX).unwrap() {
            assert_eq!(unanswered.allow(leg(number, 0, 5), ip(1), now), Some(Allowance::Few(1)));
        }
        assert_eq!(unanswered.allow(leg(99, 0, 5), ip(1), now), None, "of all messages together");
        assert_eq!(unanswered.allow(leg(99, 0, 0), ip(1), now), Some(Allowance::Full), "a first one");
        let later = now + UNPROVEN_REQUESTS_WITHIN;
        assert_eq!(unanswered.allow(leg(1, 1, 1), ip(1), later), Some(Allowance::Few(1)));
    }

    #[test]
    fn what_is_counted_has_an_end() {
        let (now, mut unanswered) = (Clock::start().now().mono, Unanswered::default());
        for number in 0..=DESTINATIONS_UNPROVEN_MAX {
            unanswered.allow(leg(1, 0, 0), ip(number), now);
        }
        let full = DESTINATIONS_UNPROVEN_MAX;
        assert_eq!((unanswered.addresses.all.len(), unanswered.addresses.by_age.len()), (full, full));
        for number in 0..UNANSWERED_MESSAGES_MAX {
            let number = u64::try_from(number).unwrap();
            let empty = (leg(number, 0, 0).0, 0);
            assert_eq!(unanswered.allow(empty, ip(0), now), Some(Allowance::Full));
        }
        assert_eq!(unanswered.allow((leg(1 << 40, 0, 0).0, 0), ip(0), now), None);
        assert_eq!(
            unanswered.allow((User::Relay { relay: 1, branch: 0 }, 600), ip(0), now),
            Some(Allowance::Full)
        );
    }
}
