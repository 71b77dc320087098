//! Prints a leg (W15), also within a session (W29).

use bytes::Bytes;

use super::{Facts, LegId, Legs, index};
use crate::machine::Flow;
use crate::proxy::core::Core;
use crate::proxy::dispatch::recipient::Own;
use crate::proxy::identity;
use crate::proxy::in_dialog::InDialog;
use crate::proxy::routing::router::Target;
use crate::sip::{Aor, Leg, Member};
use crate::time::Now;

impl Legs {
    /// The bytes of one branch for a flow; `None` if there is no such recipient.
    pub(super) fn print(
        &self,
        core: &Core,
        facts: Facts<'_>,
        (place, expires): (LegId, Option<u32>),
        (flow, branch): (Flow, &str),
    ) -> Bytes {
        let Some(recipient) = self.recipients.get(index(place.recipient)) else { return Bytes::new() };
        let Some(uri) = recipient.fork.uri(place.branch) else { return Bytes::new() };
        let (tag, call_id);
        let kept = self.in_dialog(place.recipient);
        let (from_tag, call_id, cseq) = match kept {
            Some(kept) => (kept.from_tag.as_str(), kept.call_id.as_str(), kept.cseq),
            None => {
                tag = core.secret.leg_tag(facts.leg(place.recipient));
                call_id = core.secret.leg_call_id(facts.leg(place.recipient));
                (tag.as_str(), call_id.as_str(), 1)
            }
        };
        let leg = Leg {
            recipient: recipient.own.line(),
            uri,
            via: &core.sender.sockets().via(flow, branch),
            from_tag,
            call_id,
            cseq,
            dialog: kept.filter(|_| place.branch == FIRST).map(|kept| &kept.dialog),
            routes: recipient.fork.routes(place.branch),
            expires,
            branches: recipient.fork.len(),
            asserted: identity::told(core, facts.asserted, flow),
        };
        match &recipient.own {
            Own::Line(_) => self.template.print(&leg),
            Own::Member(member) => {
                let (address, line, sees) = (&member.address, member.line, member.sees);
                self.template.print_for(&Member { address, line, sees }, &leg)
            }
        }
    }

    /// In a session, the first target of the leg for To. When its recipient registers later, the session is over: the
    /// same leg then goes to the binding, outside the dialog.
    pub(super) fn target_in_dialog(&self, core: &Core, recipient: u32, now: Now) -> Option<Target> {
        let is_first = self.recipients.get(index(recipient)).is_some_and(|it| it.fork.used() == FIRST);
        self.in_dialog(recipient).filter(|_| is_first)?.target(core, now)
    }

    /// Whether the sender's identity may be asserted there: not where the other party of its dialog leads it.
    pub(super) fn may_assert(&self, core: &Core, place: LegId, flow: Flow, now: Now) -> bool {
        let dialog = self.in_dialog(place.recipient).filter(|_| place.branch == FIRST);
        dialog.is_none_or(|dialog| dialog.may_assert(core, flow.remote, now))
    }

    /// Whether the other party of that dialog has blocked this sender.
    pub(super) fn is_blocked_in_dialog(
        &self,
        core: &Core,
        (sender, recipient): (&Aor, u32),
        now: Now,
    ) -> bool {
        self.in_dialog(recipient).is_some_and(|dialog| dialog.is_blocked(core, sender, now))
    }

    /// The dialog of the leg for To; an alias or a list in To is outside of it.
    fn in_dialog(&self, recipient: u32) -> Option<&InDialog> {
        let own = &self.recipients.get(index(recipient))?.own;
        self.dialog.as_ref().filter(|_| *own == Own::Line(0))
    }
}

/// The number of a leg's first branch.
const FIRST: u32 = 0;
