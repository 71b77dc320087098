//! What tells the places apart at which a report is tried (W24).

use crate::machine::Hop;
use crate::proxy::carrier::{Consent, Way};
use crate::proxy::core::Core;

/// A place in few bytes.
pub(super) fn probe(core: &Core, mark: &Way) -> u128 {
    core.secret.place(&format!("{mark:?}"))
}

/// True where whoever is at the place of this mark wants to be sent to.
pub(super) fn is_certain(mark: &Way, consent: Consent) -> bool {
    match mark {
        Way::Hop(hop) | Way::Route(hop, _) => consent.is_given_for(hop.remote.ip()),
        Way::Flow(_) | Way::FlowAlone(_) | Way::Lookup { .. } => consent == Consent::NotNeeded,
    }
}

/// What tells places apart: the other end, whichever way it was found.
pub(super) fn mark(way: &Way) -> Way {
    match way {
        Way::Flow(flow) | Way::FlowAlone(flow) => {
            Way::Hop(Hop { transport: flow.transport, remote: flow.remote })
        }
        Way::Hop(_) | Way::Route(..) => way.clone(),
        Way::Lookup { uri, .. } => Way::Lookup { uri: uri.clone(), otherwise: None },
    }
}
