//! The network between the hosts: datagrams that are lost, doubled, late and out of order, or that the system of who sends
//! them refuses; connections that keep their order until they break; partitions.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use fanfare::limits::DATAGRAM_PAYLOAD_BYTES_MAX;
use fanfare::machine::{ConnectionId, Flow, SendFault};
use fanfare::random::Random;
use fanfare::sip::Transport;

use crate::host::HostId;
use crate::tally::Tally;

/// How the network is at present.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Of a thousand datagrams so many are lost.
    pub(crate) lost: u64,
    /// Of a thousand datagrams so many come twice.
    pub(crate) doubled: u64,
    /// Nothing is faster.
    pub(crate) delay_min: Duration,
    /// Nothing is slower than that and this; a large spread puts datagrams out of order.
    pub(crate) delay_spread: Duration,
    /// Larger datagrams do not come through.
    pub(crate) datagram_bytes_max: usize,
    /// Of a thousand look-ups of a name so many find nothing.
    pub(crate) unknown: u64,
    /// Of a thousand datagrams so many are refused by the system of who sends them: no way there, not let through.
    pub(crate) refused: u64,
    /// What the interface of who sends takes (EMSGSIZE).
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

    /// Anything from a slight breeze to a storm.
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

/// One end of a connection: the flow as that host sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) host: HostId,
    pub(crate) flow: Flow,
}

/// A connection; an end that is gone is none.
#[derive(Debug)]
pub(crate) struct Link {
    ends: [Option<End>; 2],
    /// Nothing sent later arrives before.
    arrives: [Instant; 2],
    /// Something was lost on it, so nothing more comes through.
    is_broken: bool,
}

/// A link and which of its ends.
pub(crate) type Side = (u64, usize);

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) weather: Weather,
    blocked: BTreeSet<(IpAddr, IpAddr)>,
    links: BTreeMap<u64, Link>,
    last_link: u64,
    random: Random,
    /// What became of everything.
    pub(crate) tally: Tally,
}

impl Network {
    pub(crate) fn new(random: Random) -> Self {
        Self {
            weather: Weather::calm(),
            blocked: BTreeSet::new(),
            links: BTreeMap::new(),
            last_link: 0,
            random,
            tally: Tally::default(),
        }
    }

    /// Nothing goes from one host to the other; the way back is another matter.
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

    /// How long one packet takes.
    pub(crate) fn delay(&mut self) -> Duration {
        let spread = u64::try_from(self.weather.delay_spread.as_micros()).unwrap();
        self.weather.delay_min + Duration::from_micros(self.random.below(spread + 1))
    }

    /// Whether something happens that does so many times in a thousand.
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

    /// When a datagram arrives: never, once or twice.
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

    /// A connection is there.
    pub(crate) fn connect(&mut self, near: End, far: End, now: Instant) {
        self.last_link += 1;
        self.links.insert(
            self.last_link,
            Link { ends: [Some(near), Some(far)], arrives: [now, now], is_broken: false },
        );
    }

    /// The open connection of a host to an address.
    pub(crate) fn open_to(&self, host: HostId, remote: SocketAddr) -> Option<Flow> {
        let mut ends = self.links.values().flat_map(|link| link.ends.iter().flatten());
        ends.find(|end| end.host == host && end.flow.remote == remote).map(|end| end.flow)
    }

    /// The link of a host's flow, and which end of it the host is.
    pub(crate) fn side(&self, host: HostId, flow: Flow) -> Option<Side> {
        self.links.iter().find_map(|(id, link)| {
            let is_it = |end: &Option<End>| end.is_some_and(|end| end.host == host && end.flow == flow);
            link.ends.iter().position(is_it).map(|side| (*id, side))
        })
    }

    /// When bytes arrive at the other end; none when the link is broken by that.
    pub(crate) fn send(&mut self, (id, side): Side, now: Instant) -> Option<Instant> {
        let delay = self.delay();
        let link = self.links.get_mut(&id)?;
        let near = link.ends[side]?;
        link.is_broken |= self.blocked.contains(&(near.flow.local.ip(), near.flow.remote.ip()));
        if link.is_broken {
            return None;
        }
        let arrives = (now + delay).max(link.arrives[side]);
        link.arrives[side] = arrives;
        Some(arrives)
    }

    /// The end that receives what `side` sends.
    pub(crate) fn far_end(&self, (id, side): Side) -> Option<End> {
        self.links.get(&id)?.ends[1 - side]
    }

    /// An end is gone, or learns that the other one is: the end, if it was there still.
    pub(crate) fn drop_end(&mut self, (id, side): Side) -> Option<End> {
        let link = self.links.get_mut(&id)?;
        let end = link.ends[side].take();
        if link.ends.iter().all(Option::is_none) {
            self.links.remove(&id);
        }
        end
    }

    /// Every end of a host.
    pub(crate) fn sides_of(&self, host: HostId) -> Vec<Side> {
        let sides = self.links.iter().flat_map(|(id, link)| {
            let of_host = move |side: &usize| link.ends[*side].is_some_and(|end| end.host == host);
            (0..2).filter(of_host).map(|side| (*id, side))
        });
        sides.collect()
    }

    /// Ends whose other end is gone without a word.
    pub(crate) fn half_open(&self) -> Vec<Side> {
        let ends = self.links.iter().flat_map(|(id, link)| (0..2).map(move |side| (*id, side, link)));
        let is_left = |side: usize, link: &Link| link.ends[side].is_some() && link.ends[1 - side].is_none();
        ends.filter(|(_, side, link)| is_left(*side, link)).map(|(id, side, _)| (id, side)).collect()
    }

    /// Cuts any one connection: nothing more comes through.
    pub(crate) fn cut_any(&mut self) -> Option<u64> {
        let ids: Vec<_> = self.links.keys().copied().collect();
        let id = *ids.get(pick(&mut self.random, ids.len().max(1)))?;
        self.links.get_mut(&id)?.is_broken = true;
        self.tally.count("connections cut");
        Some(id)
    }
}

/// A stream flow of one end.
pub(crate) const fn stream(local: SocketAddr, remote: SocketAddr, connection: u64) -> Flow {
    Flow { transport: Transport::Tcp, local, remote, connection: Some(ConnectionId(connection)) }
}
