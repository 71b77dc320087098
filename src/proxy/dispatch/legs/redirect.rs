//! Follows a recipient's redirects (W18), and limits how much is sent there.

use super::{Facts, LegId, Legs, begin};
use crate::proxy::core::Core;
use crate::proxy::routing::router::TargetSet;
use crate::proxy::transport::request_sender::Consent;
use crate::sip::Uri;
use crate::time::Now;

impl Legs {
    /// Follows a redirect to targets that have not been tried for this recipient (W18).
    pub(super) fn redirect(
        &mut self,
        core: &mut Core,
        facts: Facts<'_>,
        place: LegId,
        to: (&Uri, u8),
        now: Now,
    ) {
        let ((uri, steps), index) = (to, place.recipient);
        // A redirect does not lead around a block.
        if core.router().is_blocked(uri, facts.sender, now) {
            return;
        }
        let TargetSet::Targets(targets) = core.router().targets(uri, now) else {
            return;
        };
        let Some(recipient) = self.recipient(index) else {
            return;
        };
        let consent = recipient.fork.uri(place.branch).map(|from| core.router().redirected(from));
        // W32: a redirect does not lead out of TLS.
        for mut target in targets.into_iter().filter(|target| target.may_carry(&recipient.route)) {
            if target.consent == Consent::NotNeeded {
                target.consent = consent.unwrap_or(Consent::Unknown);
            }
            if recipient.fork.has_room() {
                begin(core, facts, (index, &mut recipient.fork), (target, steps), now);
            }
        }
    }
}
