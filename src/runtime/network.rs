//! What a shell needs of a network: the real sockets are one, and a layer that loses, delays or repeats messages for a
//! tester is another, wrapped around any of them.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::machine::{ConnectId, Flow, Hop, LookupTerms, ResolveId, Transmit};
use crate::net::{Net, NetEvent};
use crate::sip::Uri;

/// The network of one machine. An event that a method returns at once is given to the machine at once.
pub trait Network {
    /// The next event, in order. None if the network can no longer be relied on: the loop around the machine is over.
    fn receive(&mut self) -> impl Future<Output = Option<NetEvent>> + Send;

    /// An event that is already queued, without waiting.
    fn try_receive(&mut self) -> Option<NetEvent>;

    /// How many events are queued.
    fn waiting(&self) -> usize;

    /// Sends now, or queues on a connection; returns an event if that is known to have failed.
    fn transmit(&mut self, transmit: &Transmit) -> Option<NetEvent>;

    /// Finds a live connection to the hop, or opens one, whose certificate must name `domain`.
    fn connect(&mut self, id: ConnectId, hop: Hop, domain: Option<Arc<str>>) -> Option<NetEvent>;

    /// Looks up where a URI leads, when it is the turn of whoever pays for it.
    fn resolve(&mut self, id: ResolveId, uri: &Uri, terms: LookupTerms) -> Option<NetEvent>;

    /// The addresses of this computer's interfaces, if they have changed since they were last asked for.
    fn changed_interfaces(&mut self, now: Instant) -> Option<Arc<[IpAddr]>>;

    /// Closes a connection; no event tells of it.
    fn close(&mut self, flow: Flow);
}

impl Network for Net {
    fn receive(&mut self) -> impl Future<Output = Option<NetEvent>> + Send {
        Self::receive(self)
    }

    fn try_receive(&mut self) -> Option<NetEvent> {
        Self::try_receive(self)
    }

    fn waiting(&self) -> usize {
        Self::waiting(self)
    }

    fn transmit(&mut self, transmit: &Transmit) -> Option<NetEvent> {
        Self::transmit(self, transmit)
    }

    fn connect(&mut self, id: ConnectId, hop: Hop, domain: Option<Arc<str>>) -> Option<NetEvent> {
        Self::connect(self, id, hop, domain)
    }

    fn resolve(&mut self, id: ResolveId, uri: &Uri, terms: LookupTerms) -> Option<NetEvent> {
        Self::resolve(self, id, uri, terms)
    }

    fn changed_interfaces(&mut self, now: Instant) -> Option<Arc<[IpAddr]>> {
        Self::changed_interfaces(self, now)
    }

    fn close(&mut self, flow: Flow) {
        Self::close(self, flow);
    }
}
