//! How much we answer to datagrams, whose source anybody can forge: little more than what came from there (RFC 9000 §8.1).
//!
//! What a request brings in pays for its own answer, so that a usual answer always goes out: a flood of small requests in
//! somebody's name does not take it from him.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::limits::{REFLECTED_BURST_BYTES, REFLECTED_NETWORKS_MAX, REFLECTED_RATIO, neighbourhood};

/// Bytes that each network may still be answered; one that is not in here may be answered the full burst.
#[derive(Debug, Default)]
pub(crate) struct Reflection {
    left: BTreeMap<IpAddr, usize>,
    /// The networks by what is left to them. The one with the most makes room: it loses the least by that.
    by_left: BTreeSet<(usize, IpAddr)>,
}

impl Reflection {
    /// So many bytes came in a datagram from that address.
    pub(crate) fn received(&mut self, from: IpAddr, bytes: usize) {
        let network = neighbourhood(from);
        if let Some(left) = self.left.get(&network).copied() {
            let more = left.saturating_add(bytes.saturating_mul(REFLECTED_RATIO));
            self.set(network, left, more);
        }
    }

    /// Whether an answer of so many bytes may go there in a datagram; counts it if so.
    pub(crate) fn allows(&mut self, to: IpAddr, bytes: usize) -> bool {
        if to.to_canonical().is_loopback() {
            // No network delivers such a source.
            return true;
        }
        let network = neighbourhood(to);
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

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn w31_a_network_is_answered_a_burst_and_then_three_times_what_came_from_there() {
        let mut reflection = Reflection::default();
        let sent = |reflection: &mut Reflection, requests: usize, (asked, answer): (usize, usize)| {
            let one = |number: usize| ip(&format!("192.0.2.{}", number % 250));
            let answered = (0..requests).filter(|number| {
                reflection.received(one(*number), asked);
                reflection.allows(one(*number), answer)
            });
            answered.count() * answer
        };
        let all = sent(&mut reflection, 10_000, (109, 483));
        let most = REFLECTED_BURST_BYTES + REFLECTED_RATIO * 10_000 * 109;
        assert!(all <= most && all > most - 1000, "{all} of {most}");
        // Whoever asks as everybody does gets an answer in the midst of that.
        assert_eq!(sent(&mut reflection, 100, (400, 900)), 100 * 900);
        // Other networks are not concerned.
        assert!(reflection.allows(ip("192.0.3.1"), 900));
        assert!(reflection.allows(ip("127.0.0.1"), 10 * REFLECTED_BURST_BYTES));
    }

    #[test]
    fn the_table_has_an_end_and_invented_networks_do_not_make_one_forgotten_that_is_flooded() {
        let mut reflection = Reflection::default();
        let victim = ip("203.0.113.7");
        while reflection.allows(victim, 500) {}
        for number in 0..2 * REFLECTED_NETWORKS_MAX {
            let other = ip(&format!("2001:db8:{number:x}::1"));
            assert!(reflection.allows(other, 500));
        }
        assert_eq!(reflection.left.len(), REFLECTED_NETWORKS_MAX);
        assert_eq!(reflection.by_left.len(), REFLECTED_NETWORKS_MAX);
        assert!(!reflection.allows(victim, 500));
        // What is paid back is forgotten.
        reflection.received(victim, REFLECTED_BURST_BYTES);
        assert_eq!(reflection.left.len(), REFLECTED_NETWORKS_MAX - 1);
    }
}
