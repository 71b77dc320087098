//! Types for next-hop selection: whose a request is, where it may go, what its user has to do next (RFC 3263 §4).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::inner::Inner;
use crate::limits::{Nearness, network};
use crate::machine::{ConnectId, Flow, Hop, LookupPayer, LookupTerms, ResolveId};
use crate::proxy::journal::DispatchId;
use crate::proxy::secret::Secret;
use crate::sip::{Aor, Method, Response, Uri};

/// The user of a request: the part of the proxy that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum User {
    /// A leg of a message, to one of its recipient's targets.
    Leg { dispatch: DispatchId, recipient: u32, branch: u32 },
    /// The NOTIFY with that CSeq.
    Report { dispatch: DispatchId, cseq: u32 },
    /// An ordinary request, to one of its targets.
    Relay { relay: u64, branch: u32 },
    /// A request or response that passes without a transaction (W29).
    Session(u64),
}

/// How a target is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NextHop {
    /// Over an existing flow.
    Flow(Flow),
    /// Over an existing flow only: what is behind it has no address that others could send to.
    FlowAlone(Flow),
    /// To an address.
    Hop(Hop),
    /// To an address that the settings name for a domain; its certificate must name that domain (RFC 5922 §4).
    Route(Hop, Arc<str>),
    /// By RFC 3263; if that leads nowhere, over the flow on which the target was last heard. Whoever chose the name pays
    /// for the look-up; `None` for the sender.
    Lookup { uri: Uri, otherwise: Option<Flow>, payer: Option<LookupPayer> },
}

impl NextHop {
    /// Charges that payer for the look-up, if there is one and nobody pays for it yet.
    pub(crate) fn paid_by(mut self, who: impl FnOnce() -> LookupPayer) -> Self {
        if let Self::Lookup { payer, .. } = &mut self {
            payer.get_or_insert_with(who);
        }
        self
    }

    /// Who pays for the look-up, if there is one and that is not the sender.
    pub(crate) const fn payer(&self) -> Option<&LookupPayer> {
        match self {
            Self::Lookup { payer, .. } => payer.as_ref(),
            Self::Flow(_) | Self::FlowAlone(_) | Self::Hop(_) | Self::Route(..) => None,
        }
    }
}

/// Whether the owner of a destination has agreed to be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consent {
    /// No consent is needed: the operator, or a sender whom nobody asks for a password, named this destination, or it is a
    /// flow on which we received.
    NotNeeded,
    /// The sender named this destination himself, and may send to it what he likes; but while it is silent, not by many
    /// recipients of one message, and not again and again.
    BySender,
    /// Named by somebody who receives at this address: given for that address alone.
    From(IpAddr),
    /// Named by somebody else: not known.
    Unknown,
}

impl Consent {
    /// What both allow: sent to again, nobody is sent more than he was at first.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::NotNeeded, given) | (given, Self::NotNeeded) => given,
            (Self::BySender, given) | (given, Self::BySender) => given,
            (Self::From(one), Self::From(_)) if other.is_given_for(one) => self,
            (Self::From(_) | Self::Unknown, Self::From(_) | Self::Unknown) => Self::Unknown,
        }
    }

    /// True if the owner of that address has agreed.
    pub(crate) fn is_given_for(self, address: IpAddr) -> bool {
        match self {
            Self::NotNeeded => true,
            Self::From(own) => own.to_canonical() == address.to_canonical(),
            Self::BySender | Self::Unknown => false,
        }
    }
}

/// Why a request failed without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody answered in time.
    Timeout,
    /// It could not be sent, or the connection broke.
    Transport,
    /// There is nowhere to send it.
    NoRoute,
    /// It fits no datagram, and no connection can be made.
    TooLarge,
}

/// The final response to a request of ours.
#[derive(Clone, Copy)]
pub(crate) struct FinalResponse<'a> {
    pub(crate) response: &'a Response,
    /// The flow on which the request was sent.
    pub(crate) flow: Flow,
    /// How often it was sent until then.
    pub(crate) transmissions: u32,
}

/// How a request of ours ended without a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailedRequest {
    pub(crate) fault: Fault,
    pub(crate) transmissions: u32,
}

impl FailedRequest {
    /// It was never sent, because there is nowhere to send it.
    pub(crate) const NO_ROUTE: Self = Self { fault: Fault::NoRoute, transmissions: 0 };
}

/// What the user of a request has to do next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SenderStep {
    /// Print the request for this flow, and send it.
    Ready { user: User, flow: Flow },
    /// Give up this target.
    Failed { user: User, fault: Fault, transmissions: u32 },
}

/// What became of printed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// They were handed to the transaction layer, or the request has failed.
    Sent,
    /// They have to be printed again, for another flow.
    Waits,
}

/// What the request sender needs from the outside world.
#[derive(Clone, Debug)]
pub(crate) enum SenderNeed {
    Connect { id: ConnectId, hop: Hop, domain: Option<Arc<str>> },
    Resolve { id: ResolveId, uri: Uri, terms: LookupTerms },
}

/// A printed request.
#[derive(Debug)]
pub(crate) struct Printed<'a> {
    pub(crate) branch: &'a str,
    pub(crate) method: Method,
    pub(crate) flow: Flow,
    pub(crate) bytes: Bytes,
}

/// Where else a request may go (RFC 3263 §4.3).
#[derive(Debug)]
pub(crate) struct Rest {
    /// Further hops, best last.
    pub(crate) hops: Vec<Hop>,
    /// The last resort, once those are used up.
    pub(crate) otherwise: Option<Flow>,
    /// The name that a certificate must contain.
    pub(crate) domain: Option<Arc<str>>,
    /// How many hops were tried in vain, and how often the request was sent in all.
    pub(crate) failed: u32,
    pub(crate) transmissions: u32,
    /// No connection can be made in place of the flow ([`NextHop::FlowAlone`]).
    pub(crate) is_alone: bool,
    pub(crate) consent: Consent,
    /// Whether it may go to an address that only this computer, or the link, can reach.
    pub(crate) inner: Inner,
    /// Keyed hash of whoever has it sent, whose connections being opened are counted.
    pub(crate) payer: u128,
    pub(crate) ends: Instant,
}

impl Rest {
    pub(crate) fn of(hops: Vec<Hop>, otherwise: Option<Flow>, ends: Instant) -> Self {
        let (consent, inner) = (Consent::NotNeeded, Inner::Open);
        Self {
            hops,
            otherwise,
            domain: None,
            failed: 0,
            transmissions: 0,
            is_alone: false,
            consent,
            inner,
            payer: 0,
            ends,
        }
    }

    /// The state after one more hop was tried in vain.
    pub(crate) fn after_failure(self, transmissions: u32) -> Self {
        Self { failed: self.failed + 1, transmissions: self.transmissions + transmissions, ..self }
    }

    /// The branch of a request at this hop: RFC 3263 §4.3 requires a new one for each. Nobody who has seen it at one hop
    /// can tell what it is at another, so that an answer shows who received it.
    pub(crate) fn branch_at_hop(&self, branch: String, secret: Secret, hop: SocketAddr) -> String {
        if self.failed == 0 {
            return branch;
        }
        let at_hop = format!("{branch}.{}", self.failed);
        format!("{at_hop}.{}", secret.sent_to(&at_hop, hop))
    }

    /// True if this request may not go to that address, which is so far away: only who is inside, or who was registered
    /// from there, is reached inside.
    pub(crate) fn is_shut_out(&self, address: IpAddr, nearness: Nearness) -> bool {
        let is_registered = matches!(self.consent, Consent::From(_)) && self.consent.is_given_for(address);
        !is_registered && self.inner.is_shut(nearness)
    }

    /// Whether there is another way left: any hop, or the last resort if a connection broke.
    pub(crate) fn has_another(&self, fault: Fault) -> bool {
        !self.hops.is_empty() || (fault == Fault::Transport && self.otherwise.is_some())
    }

    /// Removes the best hop that takes a connection.
    pub(crate) fn take_stream(&mut self) -> Option<Hop> {
        let place = self.hops.iter().rposition(|hop| hop.transport.is_reliable())?;
        Some(self.hops.remove(place))
    }
}

/// The message of a request that is subject to pacing: legs may come in bursts.
pub(crate) const fn paced(user: User) -> Option<DispatchId> {
    match user {
        User::Leg { dispatch, .. } => Some(dispatch),
        User::Report { .. } | User::Relay { .. } | User::Session(_) => None,
    }
}

/// A user of ours pays for a look-up.
pub(crate) fn user_pays(user: &Aor) -> LookupPayer {
    LookupPayer(user.as_str().into())
}

/// Anybody else pays for it with those who share his address, or his network of IPv6.
pub(crate) fn source_pays(from: IpAddr) -> LookupPayer {
    LookupPayer(format!("from {}", network(from)).into())
}
