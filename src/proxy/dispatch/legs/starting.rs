//! How the branches of a leg start: at first, and once more after a 482 (W15).

use super::{Facts, LegId, Legs};
use crate::proxy::core::Core;
use crate::proxy::dispatch::branch::Fork;
use crate::proxy::routing::router::Target;
use crate::proxy::transport::request_sender::{Consent, FailedRequest, NextHop, User};
use crate::sip::{Scheme, Uri};
use crate::time::Now;

impl Legs {
    /// Timer J is over after a 482: the leg is sent once more (W15). Its target may be chosen by somebody who redirected
    /// it, and a name may lead elsewhere by now, so what its owner has agreed to counts as it did at first.
    pub(crate) fn again(&mut self, core: &mut Core, facts: Facts<'_>, place: LegId, now: Now) {
        let Some(recipient) = self.recipient(place.recipient) else {
            return;
        };
        if recipient.is_over() {
            // Another device has decided: this one is tried again when it registers (W16).
            self.device_heard(core, facts, place, 482, now);
            return;
        }
        let Some(uri) = recipient.fork.uri(place.branch).cloned() else {
            return;
        };
        let Some((given, payer)) = recipient.fork.terms(place.branch) else {
            return;
        };
        let again = core.router().way_again(&recipient.route, &uri, now);
        let routes = again.as_ref().map_or_else(Vec::new, |target| target.routes.clone());
        let Some(branch) = recipient.fork.add_again(place.branch, routes) else {
            return;
        };
        let user = User::Leg { dispatch: facts.dispatch, recipient: place.recipient, branch };
        let Some((way, consent)) = again.map(Target::into_way) else {
            return self.failed(core, facts, LegId { branch, ..place }, FailedRequest::NO_ROUTE, now);
        };
        let way = match payer {
            Some(payer) => way.paid_by(|| payer),
            None => way,
        };
        core.begin(user, facts.looks_up(), (way, consent.and(given)), core.timer_f(now));
    }
}

/// A target that is no user's of ours was named by the sender, unless the operator did.
pub(super) fn by_sender(core: &Core, address: &Uri, target: Target) -> Target {
    let is_open = match &target.way {
        NextHop::Hop(hop) => !core.config.names(hop.remote.ip()),
        NextHop::Lookup { .. } => true,
        NextHop::Flow(_) | NextHop::FlowAlone(_) | NextHop::Route(..) => false,
    };
    let is_his = || *address.scheme() != Scheme::Tel && core.domains.aor(address).is_none();
    let is_free = target.consent == Consent::NotNeeded && core.users.asks();
    if is_open && is_free && is_his() { Target { consent: Consent::BySender, ..target } } else { target }
}

/// Starts a branch to a target that has not been tried yet.
pub(super) fn begin(
    core: &mut Core,
    facts: Facts<'_>,
    (recipient, fork): (u32, &mut Fork),
    (target, steps): (Target, u8),
    now: Now,
) {
    let Some(branch) = fork.add(&target, steps) else {
        return;
    };
    // A redirect target is not the device that we know.
    fork.set_device(branch, target.device.clone().filter(|_| steps == 0));
    let ends = fork.look_until(now.mono, core.config.timers.f());
    let user = User::Leg { dispatch: facts.dispatch, recipient, branch };
    core.begin(user, facts.looks_up(), target.into_way(), ends);
}
