//! Carries out what a machine asks of its world.

use std::net::SocketAddr;

use bytes::Bytes;

use super::{DISK, Due, PROXY, TRAVEL, World};
use crate::check::cast::PROXY_AT;
use crate::injection::{Arrival as PathArrival, Mark, OnConnection, is_accepted};
use crate::inspect::WireMessage;
use crate::limits::{DATAGRAM_PAYLOAD_BYTES_MAX, SCRIPT_WIRE_MAX};
use crate::machine::{ConnectFault, ConnectId, Flow, Hop, Transmit};
use crate::model::command::Event;
use crate::simulation::{Arrival, Body, Effect, End, Host, HostId, Side, Told, stream};
use crate::sip::{Transport, Uri};

/// The first port of a connection.
const EPHEMERAL: u16 = 40_000;

impl World {
    /// Carries out all that a machine asks for.
    pub(super) fn settle(&mut self, id: HostId) {
        while let Some(effect) = self.hosts.get_mut(id.0).and_then(Host::poll) {
            match effect {
                Effect::Transmit(transmit) => self.transmit(id, transmit),
                Effect::Connect(asked, hop) => self.dial(id, asked, hop),
                Effect::Resolve(asked, uri) => {
                    let hops = self.resolved(&uri);
                    self.plan(TRAVEL, Some(id), Due::Resolved { id: asked, hops });
                }
                Effect::Commit => self.commit(id),
                Effect::Read(dispatch) => self.plan(DISK, Some(id), Due::Read(dispatch)),
                Effect::Told(Told::Agent(Event::NotSent { why, .. })) => self.refused.push(why),
                Effect::Told(_) => {}
            }
        }
    }

    fn transmit(&mut self, id: HostId, Transmit { flow, bytes, request }: Transmit) {
        if flow.transport == Transport::Udp && bytes.len() > DATAGRAM_PAYLOAD_BYTES_MAX {
            return self.plan(TRAVEL, Some(id), Due::NotSent { flow, request });
        }
        if flow.transport == Transport::Udp {
            let fate = self.path.fate(&bytes, id == PROXY, self.time.now().mono);
            self.record(flow, &bytes, Mark::of_datagram(&bytes, &fate));
            for PathArrival { after, bytes } in fate {
                let (from, to) = (flow.local, flow.remote);
                self.plan(TRAVEL + after, None, Due::Datagram { from, to, bytes });
            }
        } else if let Some(side) = self.links.side(id, flow) {
            self.pass_on(side, flow, &bytes);
        } else {
            self.record(flow, &bytes, None);
            let now = self.now_at(id);
            if let Some(host) = self.hosts.get_mut(id.0) {
                host.handle(Arrival::Disconnected { flow }, now);
            }
        }
        if id == PROXY
            && is_accepted(&bytes)
            && let Some(fault) = self.after_202.take()
        {
            self.befall(fault);
        }
    }

    /// Sends on a connection.
    fn pass_on(&mut self, side: Side, flow: Flow, bytes: &Bytes) {
        let happens = self.path.on_connection(self.time.now().mono);
        self.record(flow, bytes, Mark::on_connection(happens));
        let at = match happens {
            OnConnection::Arrives(after) => self.links.send(side, self.time.now().mono, TRAVEL + after),
            OnConnection::Cut => None,
        };
        let (link, end) = side;
        if let Some(at) = at {
            let delay = at.saturating_duration_since(self.time.now().mono);
            return self.plan(delay, None, Due::Stream { side, bytes: bytes.clone() });
        }
        self.plan(TRAVEL, None, Due::Lost { side });
        if happens == OnConnection::Cut {
            self.plan(TRAVEL, None, Due::Lost { side: (link, 1 - end) });
        }
    }

    fn record(&mut self, flow: Flow, bytes: &Bytes, mark: Option<Mark>) {
        if self.wire.len() < SCRIPT_WIRE_MAX {
            let Flow { local: from, remote: to, transport, .. } = flow;
            let (at, bytes) = (self.time.now().wall, bytes.clone());
            self.wire.push(WireMessage { at, direction: None, from, to, transport, bytes, mark });
        }
    }

    /// Where a name leads: the script's domain to the proxy, any other nowhere.
    fn resolved(&self, uri: &Uri) -> Vec<Hop> {
        let hop = |transport| Hop { transport, remote: PROXY_AT };
        if uri.host() == self.domain {
            [Transport::Udp, Transport::Tcp].map(hop).to_vec()
        } else {
            Vec::new()
        }
    }

    fn commit(&mut self, id: HostId) {
        let now = self.time.now().mono;
        let Some(host) = self.hosts.get_mut(id.0) else { return };
        // One batch after the other, as a disk writes them.
        let durable_at = host.disk_busy_until.map_or(now, |until| until.max(now)) + DISK;
        host.disk_busy_until = Some(durable_at);
        self.plan(durable_at.saturating_duration_since(now), Some(id), Due::Durable);
    }

    pub(super) fn durable(&mut self, id: HostId) {
        let Some(host) = self.hosts.get_mut(id.0) else { return };
        let verdict = host.disk().judge(&mut self.random);
        if let Some((batch, written)) = host.write_next(verdict) {
            self.plan(DISK, Some(id), Due::Answered(batch, written.is_ok()));
        }
    }

    fn dial(&mut self, id: HostId, asked: ConnectId, hop: Hop) {
        if let Some(flow) = self.links.open_to(id, hop.remote) {
            let now = self.now_at(id);
            if let Some(host) = self.hosts.get_mut(id.0) {
                host.handle(Arrival::Connected { id: asked, flow }, now);
            }
            return;
        }
        self.plan(TRAVEL * 2, Some(id), Due::Dialed { id: asked, hop });
    }

    /// A connection is there, or nobody listens. People take datagrams alone.
    pub(super) fn dialed(&mut self, id: HostId, asked: ConnectId, hop: Hop) {
        let listens =
            |host: &Host| host.address == hop.remote && host.is_up() && !matches!(host.body, Body::Person(_));
        let place = self.hosts.iter().position(listens).filter(|_| hop.transport == Transport::Tcp);
        let own = self.hosts.get(id.0).map(|host| host.address);
        let (Some(place), Some(own)) = (place, own) else {
            return self.give(id, Arrival::ConnectFailed { id: asked, fault: ConnectFault::Unreachable });
        };
        let number = self.next_connection(id);
        let port = EPHEMERAL.saturating_add(u16::try_from(number % 20_000).unwrap_or(0));
        let ephemeral = SocketAddr::new(own.ip(), port);
        let near = End { host: id, flow: stream(ephemeral, hop.remote, number) };
        let far_number = self.next_connection(HostId(place));
        let far = End { host: HostId(place), flow: stream(hop.remote, ephemeral, far_number) };
        self.links.connect(near, far, self.time.now().mono);
        self.give(id, Arrival::Connected { id: asked, flow: near.flow });
    }

    fn next_connection(&mut self, id: HostId) -> u64 {
        self.hosts.get_mut(id.0).map_or(0, |host| {
            host.connections += 1;
            host.connections
        })
    }
}
