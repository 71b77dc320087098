//! Words of the way that a request takes: whose it is, where it may go, what its sender has to do next (RFC 3263 §4).

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::machine::{ConnectId, Flow, Hop, ResolveId};
use crate::proxy::journal::DispatchId;
use crate::sip::{Method, Transport, Uri};

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum User {
    /// A leg of a message, at one of its recipient's targets.
    Leg { dispatch: DispatchId, recipient: u32, branch: u32 },
    /// The NOTIFY with that CSeq.
    Report { dispatch: DispatchId, cseq: u32 },
    /// An ordinary request at one of its targets.
    Relay { relay: u64, branch: u32 },
    /// What passes without a transaction (W29).
    Session(u64),
}

/// How a target is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextHop {
    /// Over a flow that is there.
    Flow(Flow),
    /// Over a flow that is there, and in no other way: what is behind it has no address that others could send to.
    FlowAlone(Flow),
    /// At an address.
    Hop(Hop),
    /// At an address that the settings name for a domain, which a certificate has to name (RFC 5922 §4).
    Route(Hop, Arc<str>),
    /// By RFC 3263; where that leads nowhere, over the flow that the target was last heard on.
    Lookup { uri: Uri, otherwise: Option<Flow> },
}

/// Whether who is at a destination wants to be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// It is not asked for: the sender himself or the operator named this destination, or it is a flow that we were written on.
    NotNeeded,
    /// Somebody who receives at this address named the destination: given for that address alone.
    From(IpAddr),
    /// Somebody else named it: not known.
    Unknown,
}

impl Consent {
    /// True where whoever is at that address wants it.
    pub(crate) fn is_given_for(self, address: IpAddr) -> bool {
        match self {
            Self::NotNeeded => true,
            Self::From(own) => own.to_canonical() == address.to_canonical(),
            Self::Unknown => false,
        }
    }
}

/// Why a request came to nothing without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody answered in time.
    Timeout,
    /// It could not be sent, or the connection broke.
    Transport,
    /// There is nowhere to send it.
    NoRoute,
    /// No datagram holds it, and no connection is to be had.
    TooLarge,
}

/// What the sender of a request has to do next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SenderStep {
    /// Print the request for this flow, and send it.
    Ready { user: User, flow: Flow },
    /// Give this target up.
    Failed { user: User, fault: Fault, transmissions: u32 },
}

/// What became of printed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// They are with the transactions, or too late.
    Sent,
    /// They are to be printed for another flow.
    Waits,
}

/// What the carrier wants of the world.
#[derive(Clone, Debug)]
pub(crate) enum SenderNeed {
    Connect { id: ConnectId, hop: Hop, domain: Option<Arc<str>> },
    Resolve { id: ResolveId, uri: Uri },
}

/// A printed request.
#[derive(Debug)]
pub(crate) struct Printed<'a> {
    pub(crate) branch: &'a str,
    pub(crate) method: Method,
    pub(crate) flow: Flow,
    pub(crate) bytes: Bytes,
}

/// Where a request may go to yet (RFC 3263 §4.3).
#[derive(Debug)]
pub(crate) struct Rest {
    /// Further hops, best last.
    pub(crate) hops: Vec<Hop>,
    /// What is left after these.
    pub(crate) otherwise: Option<Flow>,
    /// Whom a certificate has to name.
    pub(crate) domain: Option<Arc<str>>,
    /// Hops that were sent to in vain, and how often in all.
    pub(crate) failed: u32,
    pub(crate) transmissions: u32,
    /// No connection can be made in place of the flow ([`NextHop::FlowAlone`]).
    pub(crate) is_alone: bool,
    pub(crate) consent: Consent,
    pub(crate) ends: Instant,
}

impl Rest {
    pub(crate) fn of(hops: Vec<Hop>, otherwise: Option<Flow>, ends: Instant) -> Self {
        let consent = Consent::NotNeeded;
        Self { hops, otherwise, domain: None, failed: 0, transmissions: 0, is_alone: false, consent, ends }
    }

    /// After one more hop to which the request was sent in vain.
    pub(crate) fn after_failure(self, transmissions: u32) -> Self {
        Self { failed: self.failed + 1, transmissions: self.transmissions + transmissions, ..self }
    }

    /// Whether there is another way after this: any hop, or the last resort where a connection broke.
    pub(crate) fn has_another(&self, fault: Fault) -> bool {
        !self.hops.is_empty() || (fault == Fault::Transport && self.otherwise.is_some())
    }

    /// Takes out the best hop that takes a connection.
    pub(crate) fn take_stream(&mut self) -> Option<Hop> {
        let place = self.hops.iter().rposition(|hop| hop.transport.is_reliable())?;
        Some(self.hops.remove(place))
    }
}

/// The message of what may come in bursts, and that no stream paces by itself.
pub(crate) const fn paced(user: User, flow: Flow) -> Option<DispatchId> {
    match (user, flow.transport) {
        (User::Leg { dispatch, .. }, Transport::Udp) => Some(dispatch),
        (User::Leg { .. } | User::Report { .. } | User::Relay { .. } | User::Session(_), _) => None,
    }
}
