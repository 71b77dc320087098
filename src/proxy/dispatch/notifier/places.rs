//! What tells the places apart at which a report is tried (W24).

use crate::machine::Hop;
use crate::proxy::core::Core;
use crate::proxy::transport::request_sender::{Consent, NextHop};

/// A place in few bytes.
pub(super) fn probe(core: &Core, mark: &NextHop) -> u128 {
    core.secret.place(&format!("{mark:?}"))
}

/// True where whoever is at the place of this mark wants to be sent to.
pub(super) fn is_certain(mark: &NextHop, consent: Consent) -> bool {
    match mark {
        NextHop::Hop(hop) | NextHop::Route(hop, _) => consent.is_given_for(hop.remote.ip()),
        NextHop::Flow(_) | NextHop::FlowAlone(_) | NextHop::Lookup { .. } => consent == Consent::NotNeeded,
    }
}

/// What tells places apart: the other end, whichever way it was found.
pub(super) fn mark(way: &NextHop) -> NextHop {
    match way {
        NextHop::Flow(flow) | NextHop::FlowAlone(flow) => {
            NextHop::Hop(Hop { transport: flow.transport, remote: flow.remote })
        }
        NextHop::Hop(_) | NextHop::Route(..) => way.clone(),
        NextHop::Lookup { uri, .. } => NextHop::Lookup { uri: uri.clone(), otherwise: None },
    }
}
