//! The places where a report is tried, and how they are told apart (W24).

use super::{Order, Report};
use crate::limits::REPORT_PLACES_PROBED_MAX;
use crate::machine::{Flow, Hop};
use crate::proxy::core::Core;
use crate::proxy::routing::router::Target;
use crate::proxy::transport::request_sender::{Consent, NextHop};
use crate::sip::Uri;
use crate::time::Now;

impl Report {
    /// The order of W24: the flow of the submission, then its Contact, then the bindings of the sender.
    pub(super) fn next_place(&self, core: &Core, flow: Flow, now: Now) -> Option<Target> {
        let router = core.router();
        let dialog = &self.dialog;
        let uri = dialog.contact.as_ref().unwrap_or(&dialog.sender);
        let way_back = || router.way_back(flow, self.sender.as_ref(), now);
        let over_flow = core.sender.is_usable(flow).then(|| Target::at(uri.clone(), way_back()));
        let consent = router.consent(flow);
        let contact = dialog.contact.as_ref().filter(|_| !self.is_departed);
        let at_contact = contact.into_iter().map(|contact| Target { consent, ..router.elsewhere(contact) });
        let at_bindings = self.sender.iter().flat_map(|sender| router.at_bindings(sender, now));
        let is_foreign = self.sender.is_none() && !self.is_departed;
        let at_home = is_foreign.then(|| router.elsewhere(&dialog.sender));
        let is_new = |target: &Target| {
            let mark = mark(&target.way);
            !self
                .tried
                .iter()
                .any(|(tried, who)| *tried == mark && *who == behind(&target.uri, &target.routes))
                && (is_certain(&mark, target.consent) || self.may_probe(core, &mark))
                && target.may_carry(&dialog.sender)
        };
        match self.order {
            Order::FlowFirst => {
                over_flow.into_iter().chain(at_contact).chain(at_bindings).chain(at_home).find(is_new)
            }
            Order::BindingsFirst => {
                at_bindings.chain(over_flow).chain(at_contact).chain(at_home).find(is_new)
            }
        }
    }

    /// Whether a place may be tried that may not have asked for it.
    fn may_probe(&self, core: &Core, mark: &NextHop) -> bool {
        !self.was_probed
            && self.probed.len() < REPORT_PLACES_PROBED_MAX
            && !self.probed.contains(&probe(core, mark))
    }
}

/// Who is meant at a place that many share because it is the first proxy on their Path.
pub(super) fn behind(uri: &Uri, routes: &[String]) -> Option<Uri> {
    (!routes.is_empty()).then(|| uri.clone())
}

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
        NextHop::Lookup { uri, .. } => NextHop::Lookup { uri: uri.clone(), otherwise: None, payer: None },
    }
}
