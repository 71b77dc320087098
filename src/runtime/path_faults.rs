//! A network on which messages are lost, delayed and repeated as a tester wants. It stands between a proxy and its
//! sockets, and the proxy knows nothing of it. On a connection what passes keeps its order.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::held::Held;
use super::network::Network;
use super::wire_tap::{Direction, WireTap};
use crate::injection::{Mark, OnConnection, Passing, PathFault, PathLayer};
use crate::limits::FAULT_DELAYED_MAX;
use crate::machine::{ConnectId, ConnectionId, Flow, Hop, LookupTerms, ResolveId, Transmit};
use crate::net::NetEvent;
use crate::random::Random;
use crate::sip::Uri;
use crate::time::Clock;

/// Whose arrival is looked at: the connection, and whether it goes away from the proxy.
type StreamEnd = (ConnectionId, bool);

/// The faults of a path, for whoever sets them; copies share them.
#[derive(Clone, Debug)]
pub struct PathFaults(Arc<Mutex<PathLayer>>);

impl PathFaults {
    /// Without faults; `random` decides what is lost.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self(Arc::new(Mutex::new(PathLayer::new(random))))
    }

    /// Sets a fault from now on, in place of the one before it for the same datagrams.
    pub fn set(&self, of: Passing, fault: PathFault, now: Instant) {
        self.with(|layer| layer.set(of, fault, now));
    }

    /// True if the fault of these messages has ended by itself.
    #[must_use]
    pub fn is_over(&self, of: Passing, now: Instant) -> bool {
        self.with(|layer| layer.is_over(of, now))
    }

    /// Ends all faults.
    pub fn clear(&self) {
        self.with(PathLayer::clear);
    }

    fn with<T>(&self, work: impl FnOnce(&mut PathLayer) -> T) -> T {
        // Ignoring poison is safe: nothing under this lock can leave the layer half changed.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// See the module documentation.
#[derive(Debug)]
pub struct FaultyPath<N> {
    net: N,
    clock: Clock,
    /// None where nobody can set faults: then nothing is asked and nothing is held.
    faults: Option<PathFaults>,
    /// Where all that passes is shown with what a fault did to it.
    wire: Option<WireTap>,
    /// What is under way, until it arrives.
    delayed: Held<Delayed>,
    /// When the last message that is under way on a connection arrives.
    last: BTreeMap<StreamEnd, Instant>,
}

/// A message that is under way.
#[derive(Debug)]
enum Delayed {
    /// To the proxy.
    Arriving(NetEvent, Option<Mark>),
    /// From it.
    Leaving(Transmit),
}

impl<N: Network> FaultyPath<N> {
    /// The network of a proxy.
    #[must_use]
    pub const fn new(net: N, clock: Clock, faults: Option<PathFaults>) -> Self {
        let delayed = Held::new(FAULT_DELAYED_MAX);
        Self { net, clock, faults, wire: None, delayed, last: BTreeMap::new() }
    }

    /// Shows every message that passes from now on, with what a fault did to it.
    #[must_use]
    pub fn watched(self, wire: Option<WireTap>) -> Self {
        Self { wire, ..self }
    }

    /// The network below.
    #[must_use]
    pub const fn under(&self) -> &N {
        &self.net
    }

    /// How much is under way.
    #[cfg(test)]
    pub(super) fn delayed(&self) -> usize {
        self.delayed.len()
    }

    fn record(&self, direction: Direction, flow: Flow, bytes: &Bytes, mark: Option<Mark>) {
        if let Some(wire) = &self.wire {
            wire.record_marked(self.clock.now().wall, direction, flow, bytes, mark);
        }
    }

    /// The event, which arrives now.
    fn arrived(&self, event: NetEvent, mark: Option<Mark>) -> NetEvent {
        if let NetEvent::Received { flow, bytes } = &event {
            self.record(Direction::Received, *flow, bytes, mark);
        }
        event
    }

    /// Lets what is due leave, and returns what is due to arrive.
    fn due(&mut self) -> Option<NetEvent> {
        let now = self.clock.now().mono;
        while let Some(delayed) = self.delayed.due(now) {
            match delayed {
                Delayed::Arriving(event, mark) => return Some(self.arrived(event, mark)),
                Delayed::Leaving(transmit) => {
                    if let Some(failed) = self.net.transmit(&transmit) {
                        return Some(failed);
                    }
                }
            }
        }
        // All of these have arrived.
        self.last.retain(|_, last| *last > now);
        None
    }

    /// Holds a message. Over the limit it is lost, as on a path that is full.
    fn delay(&mut self, after: Duration, delayed: Delayed) -> bool {
        self.delayed.hold(self.clock.now().mono + after, delayed)
    }

    /// The event, if it arrives now.
    fn judged(&mut self, faults: &PathFaults, event: NetEvent) -> Option<NetEvent> {
        if let NetEvent::Disconnected { flow } = &event
            && let Some(connection) = flow.connection
            && self.last.contains_key(&(connection, false))
        {
            // What was sent before a connection ended arrives before its end.
            self.in_order((connection, false), Duration::ZERO, Delayed::Arriving(event, None));
            return None;
        }
        let NetEvent::Received { flow, bytes } = event else { return Some(event) };
        match flow.connection {
            Some(connection) => {
                let event = NetEvent::Received { flow, bytes };
                self.judged_on_connection(faults, (connection, flow), event)
            }
            None => self.judged_datagram(faults, flow, bytes),
        }
    }

    fn judged_datagram(&mut self, faults: &PathFaults, flow: Flow, bytes: Bytes) -> Option<NetEvent> {
        let now = self.clock.now().mono;
        let arrivals = faults.with(|layer| layer.fate(&bytes, false, now));
        let mark = Mark::of_datagram(&bytes, &arrivals);
        if arrivals.is_empty() {
            self.record(Direction::Received, flow, &bytes, mark);
        }
        let mut first = None;
        for arrival in arrivals {
            let event = NetEvent::Received { flow, bytes: arrival.bytes };
            if arrival.after.is_zero() && first.is_none() {
                first = Some(self.arrived(event, mark));
            } else {
                self.delay(arrival.after, Delayed::Arriving(event, mark));
            }
        }
        first
    }

    fn judged_on_connection(
        &mut self,
        faults: &PathFaults,
        (connection, flow): (ConnectionId, Flow),
        event: NetEvent,
    ) -> Option<NetEvent> {
        let now = self.clock.now().mono;
        let happens = faults.with(|layer| layer.on_connection(now));
        let mark = Mark::on_connection(happens);
        let way = (connection, false);
        match happens {
            OnConnection::Cut => {
                self.arrived(event, mark);
                Some(self.cut(flow))
            }
            OnConnection::Arrives(after) if after.is_zero() && !self.last.contains_key(&way) => {
                Some(self.arrived(event, mark))
            }
            OnConnection::Arrives(after) => {
                let is_held = self.in_order(way, after, Delayed::Arriving(event, mark));
                (!is_held).then(|| self.cut(flow))
            }
        }
    }

    /// Holds a message so that it does not overtake those that are under way on its connection. False if there is no room:
    /// nothing can be left out on a connection.
    fn in_order(&mut self, way: StreamEnd, after: Duration, delayed: Delayed) -> bool {
        let now = self.clock.now().mono;
        let due = self.last.get(&way).map_or(now, |last| *last).max(now + after);
        self.last.insert(way, due);
        self.delayed.hold(due, delayed)
    }

    /// Closes a connection.
    fn cut(&mut self, flow: Flow) -> NetEvent {
        self.net.close(flow);
        NetEvent::Disconnected { flow }
    }

    fn transmit_datagram(&mut self, faults: &PathFaults, transmit: &Transmit) -> Option<NetEvent> {
        let now = self.clock.now().mono;
        let arrivals = faults.with(|layer| layer.fate(&transmit.bytes, true, now));
        let mark = Mark::of_datagram(&transmit.bytes, &arrivals);
        let mut failed = None;
        for arrival in arrivals {
            let transmit = Transmit { bytes: arrival.bytes, ..transmit.clone() };
            if arrival.after.is_zero() {
                failed = self.net.transmit(&transmit).or(failed);
            } else {
                self.delay(arrival.after, Delayed::Leaving(transmit));
            }
        }
        if failed.is_none() {
            self.record(Direction::Sent, transmit.flow, &transmit.bytes, mark);
        }
        failed
    }

    fn transmit_on_connection(
        &mut self,
        faults: &PathFaults,
        connection: ConnectionId,
        transmit: &Transmit,
    ) -> Option<NetEvent> {
        let (now, flow) = (self.clock.now().mono, transmit.flow);
        let happens = faults.with(|layer| layer.on_connection(now));
        let way = (connection, true);
        let failed = match happens {
            OnConnection::Cut => Some(self.cut(flow)),
            OnConnection::Arrives(after) if after.is_zero() && !self.last.contains_key(&way) => {
                self.net.transmit(transmit)
            }
            OnConnection::Arrives(after) => {
                let is_held = self.in_order(way, after, Delayed::Leaving(transmit.clone()));
                (!is_held).then(|| self.cut(flow))
            }
        };
        if failed.is_none() || happens == OnConnection::Cut {
            self.record(Direction::Sent, flow, &transmit.bytes, Mark::on_connection(happens));
        }
        failed
    }
}

impl<N: Network + Send> Network for FaultyPath<N> {
    #[expect(clippy::manual_async_fn, reason = "the trait wants a future that can be sent")]
    fn receive(&mut self) -> impl Future<Output = Option<NetEvent>> + Send {
        async move {
            let Some(faults) = self.faults.clone() else { return self.net.receive().await };
            loop {
                if let Some(event) = self.due() {
                    return Some(event);
                }
                let wait = self.delayed.next_at().map(|at| self.clock.until(at));
                let event = tokio::select! {
                    event = self.net.receive() => event?,
                    () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => continue,
                };
                if let Some(event) = self.judged(&faults, event) {
                    return Some(event);
                }
            }
        }
    }

    fn try_receive(&mut self) -> Option<NetEvent> {
        let Some(faults) = self.faults.clone() else { return self.net.try_receive() };
        loop {
            if let Some(event) = self.due() {
                return Some(event);
            }
            let event = self.net.try_receive()?;
            if let Some(event) = self.judged(&faults, event) {
                return Some(event);
            }
        }
    }

    fn waiting(&self) -> usize {
        self.net.waiting()
    }

    fn transmit(&mut self, transmit: &Transmit) -> Option<NetEvent> {
        let Some(faults) = self.faults.clone() else { return self.net.transmit(transmit) };
        match transmit.flow.connection {
            Some(connection) => self.transmit_on_connection(&faults, connection, transmit),
            None => self.transmit_datagram(&faults, transmit),
        }
    }

    fn connect(&mut self, id: ConnectId, hop: Hop, domain: Option<Arc<str>>) -> Option<NetEvent> {
        self.net.connect(id, hop, domain)
    }

    fn resolve(&mut self, id: ResolveId, uri: &Uri, terms: LookupTerms) -> Option<NetEvent> {
        self.net.resolve(id, uri, terms)
    }

    fn changed_interfaces(&mut self, now: Instant) -> Option<Arc<[IpAddr]>> {
        self.net.changed_interfaces(now)
    }

    fn close(&mut self, flow: Flow) {
        self.net.close(flow);
    }
}
