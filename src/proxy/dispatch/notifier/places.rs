//! How the places where a report is tried are told apart (W24).

use crate::machine::Hop;
use crate::proxy::core::Core;
use crate::proxy::transport::request_sender::{Consent, NextHop};

/// A keyed hash of a place.
pub(super) fn probe(core: &Core, mark: &NextHop) -> u128 {
    core.secret.place(&format!("{mark:?}"))
}

/// True if whoever is at this place has agreed to be sent to.
pub(super) fn is_certain(mark: &NextHop, consent: Consent) -> bool {
    match mark {
        NextHop::Hop(hop) | NextHop::Route(hop, _) => consent.is_given_for(hop.remote.ip()),
        NextHop::Flow(_) | NextHop::FlowAlone(_) | NextHop::Lookup { .. } => consent == Consent::NotNeeded,
    }
}

/// The identity of a place: the other end, however it was found.
pub(super) fn mark(way: &NextHop) -> NextHop {
    match way {
        NextHop::Flow(flow) | NextHop::FlowAlone(flow) => {
            NextHop::Hop(Hop { transport: flow.transport, remote: flow.remote })
        }
        NextHop::Hop(_) | NextHop::Route(..) => way.clone(),
        NextHop::Lookup { uri, .. } => NextHop::Lookup { uri: uri.clone(), otherwise: None },
    }
}
