//! Carries out a machine's requests to the world and checks them: bytes leave, connections are opened, names looked up,
//! batches given to the disk, owners told.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use fanfare::limits::BATCHES_WAITING_MAX;
use fanfare::machine::{ConnectFault, ConnectId, Flow, Hop, RequestId, ResolveId, SendFault, Transmit};
use fanfare::model::command::Event;
use fanfare::model::journal::DeliveryState;
use fanfare::sip::{Transport, Uri};

use super::{Due, Sent, World, first_line};
use crate::safety::{self, Scene};
use crate::text::with_instance;
use fanfare::simulation::{Arrival, Body, Effect, Host, HostId, Told};
use fanfare::simulation::{End, stream};

/// How long a disk takes to read.
const READ_WAIT: Duration = Duration::from_millis(3);
/// How long an unanswered connection attempt lasts.
const DIAL_WAIT: Duration = Duration::from_secs(5);

impl World {
    /// Carries out all pending outputs of a machine.
    pub(super) fn settle(&mut self, id: HostId) {
        while let Some(effect) = self.host_mut(id).poll() {
            match effect {
                Effect::Transmit(transmit) => self.transmit(id, transmit),
                Effect::Connect(asked, hop) => self.dial(id, asked, hop),
                Effect::Resolve(asked, uri) => self.resolve(id, asked, &uri),
                Effect::Commit => self.commit(id),
                Effect::Read(dispatch) => self.plan(READ_WAIT, Some(id), Due::Read(dispatch)),
                Effect::Told(told) => {
                    match &told {
                        Told::Agent(event) => self.note_told(id, event),
                        Told::Other(event) => self.note(id, &format!("tells {event}")),
                    }
                    let scene = Scene { hosts: &self.hosts, id, wall: self.now_at(id).wall };
                    let checked = safety::told(&mut self.model, scene, &told);
                    self.hold(checked);
                }
            }
        }
    }

    fn note_told(&mut self, id: HostId, event: &Event) {
        if matches!(event, Event::Delivery { state: DeliveryState::Read, .. }) {
            self.tally.count("recipients who have read it");
        }
        self.note(id, &format!("tells {event:?}"));
    }

    fn transmit(&mut self, id: HostId, Transmit { flow, bytes, request }: Transmit) {
        let bytes = self.as_device(id, bytes);
        self.note(id, &format!("> {} {}", flow.remote, first_line(&bytes)));
        self.trace.bytes(&bytes);
        let scene = Scene { hosts: &self.hosts, id, wall: self.now_at(id).wall };
        let checked = safety::transmitted(&mut self.model, scene, &bytes);
        self.hold(checked);
        if let Some(wire) = &mut self.wire {
            let at = self.time.elapsed();
            wire.push(Sent { at, flow, text: String::from_utf8_lossy(&bytes).into_owned() });
        }
        if flow.transport == Transport::Udp {
            if let Some(fault) = self.network.refuses(bytes.len()) {
                return self.not_sent(id, flow, request, fault);
            }
            self.stranger.overhears(flow, &bytes);
            for delay in self.network.datagram(flow.local, flow.remote, &bytes) {
                let bytes = bytes.clone();
                self.plan(delay, None, Due::Datagram { from: flow.local, to: flow.remote, bytes });
            }
            return;
        }
        let Some(side) = self.network.links.side(id, flow) else {
            let now = self.now_at(id);
            return self.host_mut(id).handle(Arrival::Disconnected { flow }, now);
        };
        if request.is_some() && self.network.has_no_room() {
            return self.not_sent(id, flow, request, SendFault::NoRoom);
        }
        match self.network.send(side, self.now().mono) {
            Some(arrives) => {
                let delay = arrives.saturating_duration_since(self.now().mono);
                self.plan(delay, None, Due::Stream { side, bytes });
            }
            None => {
                // Nobody acknowledges; after some time the kernel gives up.
                let delay = Duration::from_millis(1000 + self.random.below(30_000));
                self.plan(delay, None, Due::Lost { side });
            }
        }
    }

    /// A host's system refuses to send a datagram, or has no room for a request: it says so at once, or later if others were queued before it.
    fn not_sent(&mut self, id: HostId, flow: Flow, request: Option<RequestId>, fault: SendFault) {
        if self.random.below(3) == 0 {
            let delay = Duration::from_millis(1 + self.random.below(50));
            return self.plan(delay, Some(id), Due::NotSent { flow, request, fault });
        }
        let now = self.now_at(id);
        self.host_mut(id).handle(Arrival::NotSent { flow, request, fault }, now);
    }

    /// Adds a device's instance id to its REGISTER.
    fn as_device(&self, id: HostId, bytes: Bytes) -> Bytes {
        match (&self.host(id).instance, std::str::from_utf8(&bytes)) {
            (Some(instance), Ok(text)) => with_instance(text, instance).into(),
            (Some(_) | None, _) => bytes,
        }
    }

    fn dial(&mut self, id: HostId, asked: ConnectId, hop: Hop) {
        if let Some(flow) = self.network.links.open_to(id, hop.remote) {
            let now = self.now_at(id);
            return self.host_mut(id).handle(Arrival::Connected { id: asked, flow }, now);
        }
        let (own, ip) = (self.host(id).address.ip(), hop.remote.ip());
        let is_dark = self.network.is_blocked(own, ip)
            || self.network.is_blocked(ip, own)
            || !self.hosts.iter().any(|host| host.address == hop.remote);
        let delay = if is_dark { DIAL_WAIT } else { self.network.delay() + self.network.delay() };
        self.plan(delay, Some(id), Due::Dialed { id: asked, hop });
    }

    /// Resolves a domain to one or more addresses, in any order, but never to the host that asks: so two proxies that
    /// both resolve the same name form a loop.
    fn resolve(&mut self, id: HostId, asked: ResolveId, uri: &Uri) {
        let own = self.host(id).address;
        let mut hops = self.names.get(uri.host()).cloned().unwrap_or_default();
        hops.retain(|hop| hop.remote != own);
        if self.random.below(2) == 0 {
            hops.reverse();
        }
        if self.network.happens(self.network.weather.unknown) {
            hops.clear();
            self.tally.count("look-ups without an answer");
        }
        let delay = self.network.delay();
        self.plan(delay, Some(id), Due::Resolved { id: asked, hops });
    }

    fn commit(&mut self, id: HostId) {
        let (least, spread) = self.fsync;
        let spread = self.random.below(u64::try_from(spread.as_micros()).unwrap() + 1);
        let now = self.now().mono;
        let host = self.host_mut(id);
        let durable_at = host.disk_busy_until.map_or(now, |until| until.max(now)) + least;
        let durable_at = durable_at + Duration::from_micros(spread);
        host.disk_busy_until = Some(durable_at);
        let waiting = host.batches_waiting();
        self.plan(durable_at.saturating_duration_since(now), Some(id), Due::Durable);
        assert!(waiting <= BATCHES_WAITING_MAX, "{} batches wait for the disk", waiting);
    }

    pub(super) fn dialed(&mut self, id: HostId, asked: ConnectId, hop: Hop) {
        let own = self.host(id).address;
        let listens =
            |host: &Host| host.address == hop.remote && host.is_up() && !matches!(host.body, Body::Person(_));
        let place = self.hosts.iter().position(listens).filter(|_| {
            !self.network.is_blocked(own.ip(), hop.remote.ip())
                && !self.network.is_blocked(hop.remote.ip(), own.ip())
        });
        let Some(place) = place.filter(|_| hop.transport == Transport::Tcp) else {
            return self.give(id, Arrival::ConnectFailed { id: asked, fault: ConnectFault::Unreachable });
        };
        let port = 40_000 + u16::try_from(self.random.below(20_000)).unwrap();
        let ephemeral = SocketAddr::new(own.ip(), port);
        let near = self.new_end(id, ephemeral, hop.remote);
        let far = self.new_end(HostId(place), hop.remote, ephemeral);
        self.network.links.connect(near, far, self.now().mono);
        self.give(id, Arrival::Connected { id: asked, flow: near.flow });
    }

    fn new_end(&mut self, id: HostId, local: SocketAddr, remote: SocketAddr) -> End {
        let host = self.host_mut(id);
        host.connections += 1;
        End { host: id, flow: stream(local, remote, host.connections) }
    }
}
