//! Follows a recipient's redirects (W18), and limits how much is sent there.

use super::{Facts, LegId, Legs, begin};
use crate::machine::Flow;
use crate::proxy::core::Core;
use crate::proxy::routing::router::TargetSet;
use crate::proxy::transport::next_hop::source_pays;
use crate::proxy::transport::request_sender::{Consent, NextHop};
use crate::sip::{Scheme, Uri};
use crate::time::Now;

impl Legs {
    /// Follows a redirect to targets that have not been tried for this recipient (W18). `flow` is where the redirected
    /// leg went. Its branch shows that whoever redirects received it there, so they speak for that address, whatever
    /// address they registered. They pay for looking up the names that they choose.
    pub(super) fn redirect(
        &mut self,
        core: &mut Core,
        facts: Facts<'_>,
        place: LegId,
        (uri, steps, flow): (&Uri, u8, Flow),
        now: Now,
    ) {
        let index = place.recipient;
        // A redirect does not lead around a block.
        if core.router().is_blocked(uri, facts.sender, now) {
            return;
        }
        let is_peer = core.config.names(flow.remote.ip());
        // A telephone number leads to a gateway, where the call or the message would be the sender's.
        if !is_peer && *uri.scheme() == Scheme::Tel {
            return;
        }
        let TargetSet::Targets(targets) = core.router().targets(uri, now) else {
            return;
        };
        let Some(recipient) = self.recipient(index) else {
            return;
        };
        let consent = core.router().redirected(flow);
        // W32: a redirect does not lead out of TLS.
        for mut target in targets.into_iter().filter(|target| target.may_carry(&recipient.route)) {
            // The operator has named the server of a route.
            if target.consent == Consent::NotNeeded && !matches!(target.way, NextHop::Route(..)) {
                target.consent = consent;
            }
            target.way = target.way.paid_by(|| source_pays(flow.remote.ip()));
            // Where a user of ours is, his bindings say.
            target.is_by_recipient |= !is_peer && core.domains.aor(uri).is_none();
            if recipient.fork.has_room() && core.router().may_go_to(&target) {
                begin(core, facts, (index, &mut recipient.fork), (target, steps), now);
            }
        }
    }
}
