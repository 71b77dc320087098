//! The connections between hosts: each keeps its order until it breaks.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::host::HostId;
use crate::machine::{ConnectionId, Flow};
use crate::sip::Transport;

/// One end of a connection: the flow as that host sees it.
#[derive(Clone, Copy, Debug)]
pub struct End {
    /// Whose end it is.
    pub host: HostId,
    /// The flow.
    pub flow: Flow,
}

/// A connection; an end that is closed is `None`.
#[derive(Debug)]
struct Link {
    near: Option<End>,
    far: Option<End>,
    /// Per direction, from the near end first: nothing sent later arrives before this time.
    arrives: (Instant, Instant),
    /// Something on it was lost, so nothing more gets through.
    is_broken: bool,
}

/// A link, and which end of it: 0 is the one that opened it.
pub type Side = (u64, usize);

impl Link {
    const fn end(&self, side: usize) -> Option<End> {
        if side == 0 { self.near } else { self.far }
    }

    const fn end_mut(&mut self, side: usize) -> &mut Option<End> {
        if side == 0 { &mut self.near } else { &mut self.far }
    }
}

/// All connections.
#[derive(Debug, Default)]
pub struct Links {
    links: BTreeMap<u64, Link>,
    last: u64,
}

impl Links {
    /// Adds an established connection.
    pub fn connect(&mut self, near: End, far: End, now: Instant) {
        self.last += 1;
        let link = Link { near: Some(near), far: Some(far), arrives: (now, now), is_broken: false };
        self.links.insert(self.last, link);
    }

    /// The numbers of all connections.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        self.links.keys().copied()
    }

    /// A host's open connection to an address.
    pub fn open_to(&self, host: HostId, remote: SocketAddr) -> Option<Flow> {
        let mut ends = self.links.values().flat_map(|link| [link.near, link.far].into_iter().flatten());
        ends.find(|end| end.host == host && end.flow.remote == remote).map(|end| end.flow)
    }

    /// The link of a host's flow, and which end of it the host is.
    pub fn side(&self, host: HostId, flow: Flow) -> Option<Side> {
        self.links.iter().find_map(|(id, link)| {
            let is_it =
                |side: &usize| link.end(*side).is_some_and(|end| end.host == host && end.flow == flow);
            (0..2).find(is_it).map(|side| (*id, side))
        })
    }

    /// The end itself, if it is open.
    pub fn end(&self, (id, side): Side) -> Option<End> {
        self.links.get(&id)?.end(side)
    }

    /// The end that receives what `side` sends.
    pub fn far_end(&self, (id, side): Side) -> Option<End> {
        self.links.get(&id)?.end(1 - side)
    }

    /// When bytes that take so long arrive at the other end; none if the link is broken.
    pub fn send(&mut self, (id, side): Side, now: Instant, delay: Duration) -> Option<Instant> {
        let link = self.links.get_mut(&id)?;
        link.end(side)?;
        if link.is_broken {
            return None;
        }
        let last = if side == 0 { &mut link.arrives.0 } else { &mut link.arrives.1 };
        *last = (now + delay).max(*last);
        Some(*last)
    }

    /// Breaks a connection: nothing more gets through, and nobody is told.
    pub fn cut(&mut self, id: u64) {
        if let Some(link) = self.links.get_mut(&id) {
            link.is_broken = true;
        }
    }

    /// Closes an end, or lets it learn that the other one is closed; returns it if it was still open.
    pub fn drop_end(&mut self, (id, side): Side) -> Option<End> {
        let link = self.links.get_mut(&id)?;
        let end = link.end_mut(side).take();
        if link.near.is_none() && link.far.is_none() {
            self.links.remove(&id);
        }
        end
    }

    /// All ends of a host.
    pub fn sides_of(&self, host: HostId) -> Vec<Side> {
        let sides = self.links.iter().flat_map(|(id, link)| {
            let of_host = move |side: &usize| link.end(*side).is_some_and(|end| end.host == host);
            (0..2).filter(of_host).map(|side| (*id, side))
        });
        sides.collect()
    }

    /// Ends whose other end vanished without closing the connection.
    pub fn half_open(&self) -> Vec<Side> {
        let ends = self.links.iter().flat_map(|(id, link)| (0..2).map(move |side| (*id, side, link)));
        let is_left = |side: usize, link: &Link| link.end(side).is_some() && link.end(1 - side).is_none();
        ends.filter(|(_, side, link)| is_left(*side, link)).map(|(id, side, _)| (id, side)).collect()
    }
}

/// The stream flow of one end.
pub const fn stream(local: SocketAddr, remote: SocketAddr, connection: u64) -> Flow {
    Flow { transport: Transport::Tcp, local, remote, connection: Some(ConnectionId(connection)) }
}
