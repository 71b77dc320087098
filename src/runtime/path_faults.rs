//! A network on which datagrams are lost, delayed and repeated as a tester wants. It stands between a proxy and its
//! sockets, and the proxy knows nothing of it. Connections are not affected.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::held::Held;
use super::network::Network;
use crate::injection::{Arrival, Passing, PathFault, PathLayer};
use crate::limits::FAULT_DELAYED_MAX;
use crate::machine::{ConnectId, Hop, LookupTerms, ResolveId, Transmit};
use crate::net::NetEvent;
use crate::random::Random;
use crate::sip::{Transport, Uri};
use crate::time::Clock;

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
    /// What is under way, until it arrives.
    delayed: Held<Delayed>,
}

/// A datagram that is under way.
#[derive(Debug)]
enum Delayed {
    Arriving(NetEvent),
    Leaving(Transmit),
}

impl<N: Network> FaultyPath<N> {
    /// The network of a proxy.
    #[must_use]
    pub const fn new(net: N, clock: Clock, faults: Option<PathFaults>) -> Self {
        Self { net, clock, faults, delayed: Held::new(FAULT_DELAYED_MAX) }
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

    /// Lets what is due leave, and returns what is due to arrive.
    fn due(&mut self) -> Option<NetEvent> {
        let now = self.clock.now().mono;
        while let Some(delayed) = self.delayed.due(now) {
            match delayed {
                Delayed::Arriving(event) => return Some(event),
                Delayed::Leaving(transmit) => {
                    if let Some(failed) = self.net.transmit(&transmit) {
                        return Some(failed);
                    }
                }
            }
        }
        None
    }

    fn delay(&mut self, arrival: &Arrival, delayed: Delayed) {
        // Over the limit it is lost, as on a path that is full.
        self.delayed.hold(self.clock.now().mono + arrival.after, delayed);
    }

    /// The event, if it arrives now.
    fn judged(&mut self, event: NetEvent) -> Option<NetEvent> {
        let (Some(faults), NetEvent::Received { flow, bytes }) = (&self.faults, &event) else {
            return Some(event);
        };
        if flow.transport != Transport::Udp {
            return Some(event);
        }
        let now = self.clock.now().mono;
        let arrivals = faults.with(|layer| layer.fate(bytes, false, now));
        let mut first = None;
        for arrival in arrivals {
            let event = NetEvent::Received { flow: *flow, bytes: arrival.bytes.clone() };
            if arrival.after.is_zero() && first.is_none() {
                first = Some(event);
            } else {
                self.delay(&arrival, Delayed::Arriving(event));
            }
        }
        first
    }
}

impl<N: Network + Send> Network for FaultyPath<N> {
    #[expect(clippy::manual_async_fn, reason = "the trait wants a future that can be sent")]
    fn receive(&mut self) -> impl Future<Output = Option<NetEvent>> + Send {
        async move {
            if self.faults.is_none() {
                return self.net.receive().await;
            }
            loop {
                if let Some(event) = self.due() {
                    return Some(event);
                }
                let wait = self.delayed.next_at().map(|at| self.clock.until(at));
                let event = tokio::select! {
                    event = self.net.receive() => event?,
                    () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => continue,
                };
                if let Some(event) = self.judged(event) {
                    return Some(event);
                }
            }
        }
    }

    fn try_receive(&mut self) -> Option<NetEvent> {
        if self.faults.is_none() {
            return self.net.try_receive();
        }
        loop {
            if let Some(event) = self.due() {
                return Some(event);
            }
            let event = self.net.try_receive()?;
            if let Some(event) = self.judged(event) {
                return Some(event);
            }
        }
    }

    fn waiting(&self) -> usize {
        self.net.waiting()
    }

    fn transmit(&mut self, transmit: &Transmit) -> Option<NetEvent> {
        let Some(faults) = self.faults.as_ref().filter(|_| transmit.flow.transport == Transport::Udp) else {
            return self.net.transmit(transmit);
        };
        let now = self.clock.now().mono;
        let arrivals = faults.with(|layer| layer.fate(&transmit.bytes, true, now));
        let mut failed = None;
        for arrival in arrivals {
            let transmit = Transmit { bytes: arrival.bytes.clone(), ..transmit.clone() };
            if arrival.after.is_zero() {
                failed = self.net.transmit(&transmit).or(failed);
            } else {
                self.delay(&arrival, Delayed::Leaving(transmit));
            }
        }
        failed
    }

    fn connect(&mut self, id: ConnectId, hop: Hop, domain: Option<Arc<str>>) -> Option<NetEvent> {
        self.net.connect(id, hop, domain)
    }

    fn resolve(&mut self, id: ResolveId, uri: &Uri, terms: LookupTerms) -> Option<NetEvent> {
        self.net.resolve(id, uri, terms)
    }
}
