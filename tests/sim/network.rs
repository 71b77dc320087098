//! The network between the hosts: datagrams that are lost, duplicated, delayed, reordered, or refused by the sender's
//! system; connections that keep their order until they break; partitions.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fanfare::limits::DATAGRAM_PAYLOAD_BYTES_MAX;
use fanfare::machine::SendFault;
use fanfare::random::Random;
use fanfare::simulation::{Links, Side};

use crate::tally::Tally;

/// The current condition of the network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Datagrams lost, per thousand.
    pub(crate) lost: u64,
    /// Datagrams duplicated, per thousand.
    pub(crate) doubled: u64,
    /// Minimum delay.
    pub(crate) delay_min: Duration,
    /// Maximum extra delay; a large value reorders datagrams.
    pub(crate) delay_spread: Duration,
    /// Larger datagrams are lost.
    pub(crate) datagram_bytes_max: usize,
    /// Name lookups that find nothing, per thousand.
    pub(crate) unknown: u64,
    /// Datagrams that the sender's system refuses, per thousand: no route, or not permitted.
    pub(crate) refused: u64,
    /// Largest datagram that the sender's interface accepts (EMSGSIZE).
    pub(crate) interface_bytes_max: usize,
}

impl Weather {
    /// A good local network.
    pub(crate) const fn calm() -> Self {
        Self {
            lost: 0,
            doubled: 0,
            delay_min: Duration::from_millis(1),
            delay_spread: Duration::from_millis(9),
            datagram_bytes_max: 65_535,
            unknown: 0,
            refused: 0,
            interface_bytes_max: DATAGRAM_PAYLOAD_BYTES_MAX,
        }
    }

    /// Random weather, from a light breeze to a storm.
    pub(crate) fn drawn(random: &mut Random) -> Self {
        Self {
            lost: [0, 20, 100, 300, 600][pick(random, 5)],
            doubled: [0, 10, 100, 300][pick(random, 4)],
            delay_min: Duration::from_millis([1, 20, 200][pick(random, 3)]),
            delay_spread: Duration::from_millis([5, 100, 1500, 6000][pick(random, 4)]),
            datagram_bytes_max: [65_535, 65_535, 1472][pick(random, 3)],
            unknown: [0, 0, 300][pick(random, 3)],
            refused: [0, 0, 50, 400][pick(random, 4)],
            interface_bytes_max: [DATAGRAM_PAYLOAD_BYTES_MAX, DATAGRAM_PAYLOAD_BYTES_MAX, 1452]
                [pick(random, 3)],
        }
    }
}

/// An index below `end`.
pub(crate) fn pick(random: &mut Random, end: usize) -> usize {
    usize::try_from(random.below(u64::try_from(end).unwrap())).unwrap()
}

/// See the top of this file.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) weather: Weather,
    blocked: BTreeSet<(IpAddr, IpAddr)>,
    pub(crate) links: Links,
    random: Random,
    /// Chance of its own, so that the runs of older seeds stay what they were.
    rooms: Random,
    /// Counts of everything that happened.
    pub(crate) tally: Tally,
}

impl Network {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            weather: Weather::calm(),
            blocked: BTreeSet::new(),
            links: Links::default(),
            random: Random::from_seed(seed),
            rooms: Random::from_seed(!seed),
            tally: Tally::default(),
        }
    }

    /// Blocks one direction between two hosts; the other is not affected.
    pub(crate) fn block(&mut self, from: IpAddr, to: IpAddr) {
        self.blocked.insert((from, to));
    }

    pub(crate) fn unblock(&mut self, from: IpAddr, to: IpAddr) {
        self.blocked.remove(&(from, to));
    }

    pub(crate) fn unblock_all(&mut self) {
        self.blocked.clear();
    }

    pub(crate) fn is_blocked(&self, from: IpAddr, to: IpAddr) -> bool {
        self.blocked.contains(&(from, to))
    }

    /// The delay of one packet.
    pub(crate) fn delay(&mut self) -> Duration {
        let spread = u64::try_from(self.weather.delay_spread.as_micros()).unwrap();
        self.weather.delay_min + Duration::from_micros(self.random.below(spread + 1))
    }

    /// True with a probability of `permille` in a thousand.
    pub(crate) fn happens(&mut self, permille: u64) -> bool {
        self.random.below(1000) < permille
    }

    /// Why a datagram does not leave its host, if it does not.
    pub(crate) fn refuses(&mut self, bytes: usize) -> Option<SendFault> {
        let (fate, fault) = if bytes > DATAGRAM_PAYLOAD_BYTES_MAX {
            ("datagrams too large for any network", SendFault::TooLarge)
        } else if bytes > self.weather.interface_bytes_max {
            ("datagrams too large for an interface", SendFault::TooLarge)
        } else if self.happens(self.weather.refused) {
            ("datagrams refused", SendFault::Refused)
        } else {
            return None;
        };
        self.tally.count(fate);
        Some(fault)
    }

    /// True if too much waits on a connection for another request, as often as datagrams are refused.
    pub(crate) fn has_no_room(&mut self) -> bool {
        let has_none = self.rooms.below(1000) < self.weather.refused;
        if has_none {
            self.tally.count("requests without room on their connection");
        }
        has_none
    }

    /// The delays after which a datagram arrives: none, one or two.
    pub(crate) fn datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: &Bytes) -> Vec<Duration> {
        self.tally.count("datagrams");
        let fate = if bytes.len() > self.weather.datagram_bytes_max {
            "datagrams too large to arrive"
        } else if self.is_blocked(from.ip(), to.ip()) {
            "datagrams into a partition"
        } else if self.happens(self.weather.lost) {
            "datagrams lost"
        } else if self.happens(self.weather.doubled) {
            self.tally.count("datagrams doubled");
            return vec![self.delay(), self.delay()];
        } else {
            return vec![self.delay()];
        };
        self.tally.count(fate);
        Vec::new()
    }

    /// When bytes arrive at the other end; none if this breaks the link.
    pub(crate) fn send(&mut self, side: Side, now: Instant) -> Option<Instant> {
        let delay = self.delay();
        let near = self.links.end(side)?;
        if self.blocked.contains(&(near.flow.local.ip(), near.flow.remote.ip())) {
            self.links.cut(side.0);
        }
        self.links.send(side, now, delay)
    }

    /// Breaks a random connection: nothing more gets through.
    pub(crate) fn cut_any(&mut self) -> Option<u64> {
        let ids: Vec<_> = self.links.ids().collect();
        let id = *ids.get(pick(&mut self.random, ids.len().max(1)))?;
        self.links.cut(id);
        self.tally.count("connections cut");
        Some(id)
    }
}
