//! How much we answer to datagrams, whose source anybody can forge: little more than what came from there (RFC 9000 §8.1).
//!
//! What comes from an address and port pays for the answers that go there, so that a usual answer always goes out: a flood
//! of small requests from other addresses of that network does not take it from anybody. What an address does not need
//! goes to its network, which has a burst for the answers that cost more than their requests brought in.
//!
//! A response that we pass back is not counted here: its bytes came in from whoever answered.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use crate::limits::{
    REFLECTED_ADDRESS_BYTES, REFLECTED_ADDRESSES_MAX, REFLECTED_BURST_BYTES, REFLECTED_NETWORKS_MAX,
    REFLECTED_RATIO, neighbourhood,
};

/// What may still be answered.
#[derive(Debug, Default)]
pub(crate) struct Reflection {
    addresses: Addresses,
    networks: Networks,
}

/// Bytes that came from each address and are not used up, times the ratio.
#[derive(Debug, Default)]
struct Addresses {
    /// With the number of its last datagram.
    left: BTreeMap<SocketAddr, (usize, u64)>,
    by_age: BTreeMap<u64, SocketAddr>,
    /// Datagrams so far.
    datagrams: u64,
}

/// Bytes that each network may still be answered beyond that; one that is not in here may be answered the full burst.
#[derive(Debug, Default)]
struct Networks {
    left: BTreeMap<IpAddr, usize>,
    /// The networks by what is left to them. The one with the most makes room: it loses the least by that.
    by_left: BTreeSet<(usize, IpAddr)>,
}

impl Reflection {
    /// A request of so many bytes came in a datagram from that address.
    pub(crate) fn received(&mut self, from: SocketAddr, bytes: usize) {
        if from.ip().to_canonical().is_loopback() {
            return;
        }
        let over = self.addresses.add(from, bytes.saturating_mul(REFLECTED_RATIO));
        self.networks.add(neighbourhood(from.ip()), over);
    }

    /// Whether an answer of so many bytes may go there in a datagram; counts it if so.
    pub(crate) fn allows(&mut self, to: SocketAddr, bytes: usize) -> bool {
        if to.ip().to_canonical().is_loopback() {
            // No network delivers such a source.
            return true;
        }
        let own = self.addresses.left(to).min(bytes);
        let is_allowed = self.networks.take(neighbourhood(to.ip()), bytes - own);
        if is_allowed {
            self.addresses.take(to, own);
        }
        is_allowed
    }
}

impl Addresses {
    fn left(&self, address: SocketAddr) -> usize {
        self.left.get(&address).map_or(0, |(left, _)| *left)
    }

    /// Returns what is more than an address keeps, its own or that of whoever made room.
    fn add(&mut self, address: SocketAddr, more: usize) -> usize {
        self.datagrams += 1;
        let (left, age) = self.left.remove(&address).unwrap_or_default();
        self.by_age.remove(&age);
        let all = left.saturating_add(more);
        let kept = all.min(REFLECTED_ADDRESS_BYTES);
        self.left.insert(address, (kept, self.datagrams));
        self.by_age.insert(self.datagrams, address);
        if self.left.len() > REFLECTED_ADDRESSES_MAX
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.left.remove(&oldest);
        }
        all - kept
    }

    fn take(&mut self, address: SocketAddr, bytes: usize) {
        if let Some((left, _)) = self.left.get_mut(&address) {
            *left = left.saturating_sub(bytes);
        }
    }
}

impl Networks {
    fn add(&mut self, network: IpAddr, more: usize) {
        if let Some(left) = self.left.get(&network).copied() {
            self.set(network, left, left.saturating_add(more));
        }
    }

    fn take(&mut self, network: IpAddr, bytes: usize) -> bool {
        if bytes == 0 {
            return true;
        }
        let left = self.left.get(&network).copied().unwrap_or(REFLECTED_BURST_BYTES);
        let Some(less) = left.checked_sub(bytes) else { return false };
        self.set(network, left, less);
        true
    }

    fn set(&mut self, network: IpAddr, was: usize, left: usize) {
        self.by_left.remove(&(was, network));
        if left >= REFLECTED_BURST_BYTES {
            self.left.remove(&network);
            return;
        }
        if self.left.insert(network, left).is_none()
            && self.left.len() > REFLECTED_NETWORKS_MAX
            && let Some((_, most)) = self.by_left.pop_last()
        {
            self.left.remove(&most);
        }
        self.by_left.insert((left, network));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 5060)
    }

    #[test]
    fn w31_a_network_is_answered_a_burst_and_then_three_times_what_came_from_there() {
        let mut reflection = Reflection::default();
        let sent = |reflection: &mut Reflection, requests: usize, (asked, answer): (usize, usize)| {
            let one = |number: usize| at(&format!("192.0.2.{}", number % 250));
            let answered = (0..requests).filter(|number| {
                reflection.received(one(*number), asked);
                reflection.allows(one(*number), answer)
            });
            answered.count() * answer
        };
        let all = sent(&mut reflection, 10_000, (109, 483));
        let most = REFLECTED_BURST_BYTES + REFLECTED_RATIO * 10_000 * 109;
        assert!(all <= most && all > most - 250 * 1000, "{all} of {most}");
        // Whoever asks as everybody does gets an answer in the midst of that.
        assert_eq!(sent(&mut reflection, 100, (400, 900)), 100 * 900);
        // Other networks are not concerned.
        assert!(reflection.allows(at("192.0.3.1"), 900));
        assert!(reflection.allows(at("127.0.0.1"), 10 * REFLECTED_BURST_BYTES));
    }

    #[test]
    fn w31_what_somebody_sent_pays_for_his_answer_however_late_while_his_network_is_flooded() {
        let mut reflection = Reflection::default();
        let ann = at("192.0.2.7");
        reflection.received(ann, 400);
        for number in 0..5000_u16 {
            let forged = SocketAddr::new(ann.ip(), 10_000 + number);
            reflection.received(forged, 109);
            reflection.allows(forged, 483);
        }
        assert!(reflection.allows(ann, 1200));
        assert!(!reflection.allows(ann, 1200), "paid once");
    }

    #[test]
    fn what_addresses_do_not_need_pays_for_their_network_again() {
        let mut reflection = Reflection::default();
        let (flooded, usual) = (at("203.0.113.7"), at("203.0.113.8"));
        while reflection.allows(flooded, 500) {}
        for _ in 0..1000 {
            reflection.received(usual, 400);
            assert!(reflection.allows(usual, 500));
        }
        assert!(reflection.networks.left.is_empty() && reflection.networks.by_left.is_empty());
    }

    #[test]
    fn the_tables_have_an_end_and_invented_networks_do_not_make_one_forgotten_that_is_flooded() {
        let mut reflection = Reflection::default();
        let victim = at("203.0.113.7");
        while reflection.allows(victim, 500) {}
        for number in 0..2 * REFLECTED_NETWORKS_MAX.max(REFLECTED_ADDRESSES_MAX) {
            let other = at(&format!("2001:{:x}:{:x}::1", number >> 16, number & 0xffff));
            reflection.received(other, 1);
            assert!(reflection.allows(other, 500));
        }
        assert_eq!(reflection.networks.left.len(), REFLECTED_NETWORKS_MAX);
        assert_eq!(reflection.networks.by_left.len(), REFLECTED_NETWORKS_MAX);
        assert_eq!(reflection.addresses.left.len(), REFLECTED_ADDRESSES_MAX);
        assert_eq!(reflection.addresses.by_age.len(), REFLECTED_ADDRESSES_MAX);
        assert!(!reflection.allows(victim, 500));
        // What is paid back is forgotten.
        reflection.received(victim, REFLECTED_BURST_BYTES);
        assert_eq!(reflection.networks.left.len(), REFLECTED_NETWORKS_MAX - 1);
    }
}
