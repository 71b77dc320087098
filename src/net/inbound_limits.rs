//! Limits on peers: the connections that they opened, and bytes of incomplete messages (W31).
//!
//! One address can use a part of either, never all; its own oldest connection without any complete message makes room for
//! its next. When the pool is full, a connection without any complete message
//! yet makes room for a new one, the oldest first; if all have sent one, the neighbourhood with the most connections
//! gives up one, so that nobody fills the pool from a handful of addresses. It is the same with the bytes: the
//! neighbourhood that holds most makes room for others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::limits::{
    CONNECTION_IDLE, CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX, STREAM_BYTES_FREE, STREAM_BYTES_MAX,
    STREAM_MESSAGE_WAIT, STREAM_WRITE_WAIT, neighbourhood, network,
};
use crate::machine::ConnectionId;

/// Timeouts and limits of streams; tests use shorter ones.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamLimits {
    /// A connection on which nothing arrives for this long is closed.
    pub(super) idle: Duration,
    /// A message must be complete this long after its first byte.
    pub(super) message_wait: Duration,
    /// The peer must have taken a message this long after we began to write it.
    pub(super) write_wait: Duration,
    /// The most connections, including those being opened.
    pub(super) connections_max: usize,
    /// The most connections that one address may have opened.
    pub(super) per_address_max: usize,
    /// The most bytes of incomplete messages.
    pub(super) bytes_max: usize,
}

impl StreamLimits {
    /// The values in `limits.rs`.
    pub(super) const USUAL: Self = Self {
        idle: CONNECTION_IDLE,
        message_wait: STREAM_MESSAGE_WAIT,
        write_wait: STREAM_WRITE_WAIT,
        connections_max: CONNECTIONS_MAX,
        per_address_max: CONNECTIONS_PER_ADDRESS_MAX,
        bytes_max: STREAM_BYTES_MAX,
    };
}

/// What one address uses.
#[derive(Debug, Default)]
struct InboundPeer {
    connections: usize,
    bytes: usize,
    /// Those of its connections on which no complete message has come yet.
    silent: BTreeSet<ConnectionId>,
}

/// See the top of this file.
#[derive(Debug, Default)]
pub(super) struct InboundPeers {
    peers: BTreeMap<IpAddr, InboundPeer>,
    /// Connections that peers opened and that have not sent a complete message yet. Numbers grow, so the oldest is
    /// first.
    silent: BTreeSet<ConnectionId>,
    /// All connections that peers opened, by neighbourhood.
    crowds: BTreeMap<IpAddr, BTreeSet<ConnectionId>>,
    /// The same, ordered by size.
    sizes: BTreeSet<(usize, IpAddr)>,
    /// Bytes of the incomplete message on each connection that has one, above what is free, and its peer.
    halves: BTreeMap<ConnectionId, (IpAddr, usize)>,
    /// The same, by neighbourhood.
    hoards: BTreeMap<IpAddr, Hoard>,
    /// The neighbourhoods, ordered by these bytes.
    by_bytes: BTreeSet<(usize, IpAddr)>,
    /// Bytes of incomplete messages from all peers.
    bytes: usize,
}

/// The incomplete messages of a neighbourhood.
#[derive(Debug, Default)]
struct Hoard {
    bytes: usize,
    connections: BTreeSet<ConnectionId>,
}

impl InboundPeers {
    /// A peer has opened a connection. False if it has too many.
    pub(super) fn enter(&mut self, ip: IpAddr, connection: ConnectionId, limits: StreamLimits) -> bool {
        let peer = self.peers.entry(network(ip)).or_default();
        if peer.connections >= limits.per_address_max {
            return false;
        }
        peer.connections += 1;
        peer.silent.insert(connection);
        self.silent.insert(connection);
        self.change_crowd(ip, |crowd| {
            crowd.insert(connection);
        });
        true
    }

    /// The connection to close for another one of that address, if it has as many as it may: the oldest that has sent
    /// nothing complete.
    pub(super) fn makes_room_for_own(&self, ip: IpAddr, limits: StreamLimits) -> Option<ConnectionId> {
        let peer = self.peers.get(&network(ip))?;
        peer.silent.first().copied().filter(|_| peer.connections >= limits.per_address_max)
    }

    /// A complete message has arrived.
    pub(super) fn spoke(&mut self, ip: IpAddr, connection: ConnectionId) {
        if self.silent.remove(&connection)
            && let Some(peer) = self.peers.get_mut(&network(ip))
        {
            peer.silent.remove(&connection);
        }
    }

    /// The connection to close for a newcomer from `ip` when the pool is full: one that has sent nothing complete, else
    /// the newest of the largest neighbourhood, if that is not the newcomer's and is larger than his would become.
    pub(super) fn makes_room(&self, ip: IpAddr) -> Option<ConnectionId> {
        self.silent.first().copied().or_else(|| {
            let (most, crowd) = *self.sizes.last()?;
            let own = self.crowds.get(&neighbourhood(ip)).map_or(0, BTreeSet::len);
            let newest = self.crowds.get(&crowd)?.last().copied();
            newest.filter(|_| most > own + 1)
        })
    }

    /// A connection that a peer opened is gone.
    pub(super) fn leave(&mut self, ip: IpAddr, connection: ConnectionId) {
        self.silent.remove(&connection);
        self.change_crowd(ip, |crowd| {
            crowd.remove(&connection);
        });
        self.change(ip, |peer| {
            peer.connections = peer.connections.saturating_sub(1);
            peer.silent.remove(&connection);
        });
    }

    /// An incomplete message on a connection has that many bytes now. Returns the connections to close for it: the
    /// newest of the neighbourhoods that hold most. `None` if it is too much itself.
    pub(super) fn hold(
        &mut self,
        (ip, connection): (IpAddr, ConnectionId),
        bytes: usize,
        limits: StreamLimits,
    ) -> Option<Vec<ConnectionId>> {
        let after = counted(bytes);
        let before = self.halves.get(&connection).map_or(0, |(_, before)| *before);
        let mut closed = Vec::new();
        if after > before {
            let more = after - before;
            let of_peer = self.peers.get(&network(ip)).map_or(0, |peer| peer.bytes);
            if of_peer.saturating_add(more) > limits.bytes_max / 4 {
                return None;
            }
            while self.bytes.saturating_add(more) > limits.bytes_max {
                let newest = self.hoarder(ip, more)?;
                self.set_half(newest, 0);
                closed.push(newest.1);
            }
        }
        self.set_half((ip, connection), after);
        Some(closed)
    }

    /// The newest connection of the neighbourhood that holds most, if that is more than the one of `ip` would then hold.
    fn hoarder(&self, ip: IpAddr, more: usize) -> Option<(IpAddr, ConnectionId)> {
        let own = self.hoards.get(&neighbourhood(ip)).map_or(0, |hoard| hoard.bytes);
        let (most, crowd) = *self.by_bytes.last()?;
        let newest = *self.hoards.get(&crowd)?.connections.last()?;
        let (peer, _) = self.halves.get(&newest)?;
        (most > own.saturating_add(more) && crowd != neighbourhood(ip)).then_some((*peer, newest))
    }

    fn set_half(&mut self, (ip, connection): (IpAddr, ConnectionId), after: usize) {
        let before = match self.halves.remove(&connection) {
            Some((_, before)) => before,
            None => 0,
        };
        let crowd = neighbourhood(ip);
        let mut hoard = self.hoards.remove(&crowd).unwrap_or_default();
        self.by_bytes.remove(&(hoard.bytes, crowd));
        hoard.connections.remove(&connection);
        if after > 0 {
            self.halves.insert(connection, (ip, after));
            hoard.connections.insert(connection);
        }
        let changed = |bytes: usize| bytes.saturating_add(after).saturating_sub(before);
        hoard.bytes = changed(hoard.bytes);
        if !hoard.connections.is_empty() {
            self.by_bytes.insert((hoard.bytes, crowd));
            self.hoards.insert(crowd, hoard);
        }
        self.bytes = changed(self.bytes);
        self.change(ip, |peer| peer.bytes = changed(peer.bytes));
    }

    fn change_crowd(&mut self, ip: IpAddr, change: impl FnOnce(&mut BTreeSet<ConnectionId>)) {
        let ip = neighbourhood(ip);
        let crowd = self.crowds.entry(ip).or_default();
        self.sizes.remove(&(crowd.len(), ip));
        change(crowd);
        if crowd.is_empty() {
            self.crowds.remove(&ip);
        } else {
            self.sizes.insert((crowd.len(), ip));
        }
    }

    fn change(&mut self, ip: IpAddr, change: impl FnOnce(&mut InboundPeer)) {
        let ip = network(ip);
        let peer = self.peers.entry(ip).or_default();
        change(peer);
        if peer.connections == 0 && peer.bytes == 0 {
            self.peers.remove(&ip);
        }
    }
}

/// A small amount is free for everybody, so that nobody's large messages block small ones.
const fn counted(bytes: usize) -> usize {
    if bytes > STREAM_BYTES_FREE { bytes } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: StreamLimits =
        StreamLimits { per_address_max: 2, bytes_max: 8 * STREAM_BYTES_FREE, ..StreamLimits::USUAL };

    #[test]
    fn w31_one_address_has_its_part_and_what_left_is_forgotten() {
        let mut inbound = InboundPeers::default();
        let [a, b, far]: [IpAddr; 3] =
            ["2001:db8::1", "2001:db8::ffff", "2001:db8:0:1::1"].map(|ip| ip.parse().unwrap());
        assert!(inbound.enter(a, ConnectionId(1), LIMITS) && inbound.enter(b, ConnectionId(2), LIMITS));
        assert!(!inbound.enter(a, ConnectionId(3), LIMITS), "one /64 is one peer");
        assert!(inbound.enter(far, ConnectionId(4), LIMITS));
        assert_eq!(inbound.makes_room_for_own(far, LIMITS), None, "it may have another");
        assert_eq!(inbound.makes_room_for_own(a, LIMITS), Some(ConnectionId(1)));
        inbound.spoke(a, ConnectionId(1));
        assert_eq!(inbound.makes_room_for_own(a, LIMITS), Some(ConnectionId(2)), "the oldest that is silent");
        assert_eq!(inbound.makes_room(far), Some(ConnectionId(2)));

        let hold = |inbound: &mut InboundPeers, ip: IpAddr, number: u64, free: usize| {
            inbound.hold((ip, ConnectionId(number)), free * STREAM_BYTES_FREE, LIMITS)
        };
        assert_eq!(hold(&mut inbound, a, 1, 1), Some(vec![]), "free");
        assert_eq!(hold(&mut inbound, a, 1, 2), Some(vec![]));
        assert_eq!(hold(&mut inbound, b, 2, 2), None, "a quarter of all for one peer");
        assert_eq!(hold(&mut inbound, far, 4, 2), Some(vec![]));
        assert_eq!(
            (hold(&mut inbound, a, 1, 0), hold(&mut inbound, far, 4, 0)),
            (Some(vec![]), Some(vec![]))
        );
        for (ip, connection) in [(a, 1), (b, 2), (far, 4)] {
            inbound.leave(ip, ConnectionId(connection));
        }
        assert!(
            inbound.peers.is_empty()
                && inbound.silent.is_empty()
                && inbound.bytes == 0
                && inbound.crowds.is_empty()
                && inbound.halves.is_empty()
                && inbound.hoards.is_empty()
                && inbound.by_bytes.is_empty(),
            "{inbound:?}"
        );
    }

    #[test]
    fn w31_in_a_full_pool_the_largest_neighbourhood_makes_room_and_nobody_for_his_own() {
        let limits = StreamLimits { per_address_max: 10, ..LIMITS };
        let mut inbound = InboundPeers::default();
        // An attacker with many networks of one /48 who sends a message on each connection, and a peer who came before
        // him.
        let ip = |text: String| text.parse::<IpAddr>().unwrap();
        let first = ip("192.0.2.1".to_owned());
        assert!(inbound.enter(first, ConnectionId(1), limits));
        inbound.spoke(first, ConnectionId(1));
        for number in 2..=20 {
            let ip = ip(format!("2001:db8:7:{number}::1"));
            assert!(inbound.enter(ip, ConnectionId(number), limits));
            inbound.spoke(ip, ConnectionId(number));
        }
        assert_eq!(inbound.makes_room(ip("198.51.100.9".to_owned())), Some(ConnectionId(20)));
        assert_eq!(inbound.makes_room(first), Some(ConnectionId(20)));
        assert_eq!(inbound.makes_room(ip("2001:db8:7:99::1".to_owned())), None, "one of his own");
        inbound.leave(ip("2001:db8:7:20::1".to_owned()), ConnectionId(20));
        assert_eq!(inbound.makes_room(first), Some(ConnectionId(19)));
    }

    #[test]
    fn w31_all_together_have_an_end_too() {
        let mut inbound = InboundPeers::default();
        let peers: Vec<IpAddr> = (1..=5).map(|last| IpAddr::from([192, 0, 2, last])).collect();
        let granted = peers.iter().zip(1..).filter(|(ip, number)| {
            inbound.hold((**ip, ConnectionId(*number)), 2 * STREAM_BYTES_FREE, LIMITS).is_some()
        });
        assert_eq!(granted.count(), 4);
    }

    #[test]
    fn w31_the_neighbourhood_that_holds_most_half_messages_makes_room_for_others() {
        let limits = StreamLimits { bytes_max: 40 * STREAM_BYTES_FREE, ..LIMITS };
        let mut inbound = InboundPeers::default();
        let of = |third: u8, last: u8| IpAddr::from([192, 0, third, last]);
        let hold = |inbound: &mut InboundPeers, ip: IpAddr, number: u64, free: usize| {
            inbound.hold((ip, ConnectionId(number)), free * STREAM_BYTES_FREE, limits)
        };
        for number in 1..=5 {
            assert_eq!(hold(&mut inbound, of(2, number), number.into(), 8), Some(vec![]));
        }
        // Who comes from there is refused, anybody else is not, and has his share up to what they hold.
        assert_eq!(hold(&mut inbound, of(2, 6), 6, 8), None);
        assert_eq!(hold(&mut inbound, of(3, 1), 7, 8), Some(vec![ConnectionId(5)]));
        assert_eq!(hold(&mut inbound, of(3, 1), 7, 10), Some(vec![ConnectionId(4)]));
        assert_eq!(hold(&mut inbound, of(4, 1), 8, 10), Some(vec![ConnectionId(3)]));
        assert_eq!(inbound.bytes, 36 * STREAM_BYTES_FREE);
        // A connection that was closed counts as empty; what it says at its end changes nothing.
        for number in [3, 4, 5] {
            assert_eq!(hold(&mut inbound, of(2, number), number.into(), 0), Some(vec![]));
        }
        assert_eq!(inbound.bytes, 36 * STREAM_BYTES_FREE);
    }
}
