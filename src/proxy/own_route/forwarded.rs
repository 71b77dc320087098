//! Whom a request in a dialog may reach where it was said to go, and who may speak under the name that a forwarded call
//! was made to (W29). The callee of such a call has the old To in its
//! From, which is not its own name: it may send to the caller of that call, and to nobody else.

use std::net::SocketAddr;

use super::{Ahead, OwnRoutes, caller, is_binding, party_to};
use crate::proxy::core::Core;
use crate::proxy::routing::calls::Reaches;
use crate::proxy::routing::router::Target;
use crate::sip::{Aor, Request, Uri};
use crate::time::Now;

impl OwnRoutes {
    /// True if that user was really called in this dialog, and the request leads to the caller.
    pub(in crate::proxy) fn is_from_called(&self, user: &Aor) -> bool {
        self.called.contains(user)
    }
}

impl Ahead {
    /// Whether the target is the caller of this dialog, stranger or not. A place that the caller merely named does not
    /// count if it is a device of other users of ours, or a trusted peer that had no part in the call: they would take
    /// the name in From for the sender's.
    pub(in crate::proxy) fn leads_to_caller(
        &self,
        core: &Core,
        (request, target): (&Request, &Target),
        now: Now,
    ) -> bool {
        let there = self.next.as_ref().unwrap_or(&self.uri);
        let is_named =
            self.is_known(core, request, now) || self.is_caller_at(core, request, (there, false), now);
        is_named
            && target.place().is_none_or(|place| self.is_callers(core, (request, &target.uri), place, now))
    }

    /// Whether a request with this Request-URI may go to the place to which a name has led. Whoever named it may mean a
    /// device of other users of ours, or a trusted peer that had no part in the call.
    pub(in crate::proxy) fn may_reach(
        &self,
        core: &Core,
        (request, uri): (&Request, &Uri),
        reaches: Reaches,
        place: SocketAddr,
        now: Now,
    ) -> bool {
        match reaches {
            Reaches::Anybody => true,
            Reaches::Caller => self.is_callers(core, (request, uri), place, now),
            // A trusted peer decides itself whom it reaches.
            Reaches::Party if core.config.names(place.ip()) => PeersPart::of(core, request).is_any(core, now),
            Reaches::Party => {
                core.router().is_device_of(place, (uri, self.party.as_ref()), now) != Some(false)
            }
        }
    }

    /// Whether it leads to where the party is for certain: over its flow, or to a device that the user of ours who it is
    /// has registered. Any other place was merely named by who answered, or called.
    pub(in crate::proxy) fn is_to_device(&self, core: &Core, now: Now) -> bool {
        let owner = self.owner(core);
        let is_his = |owner: &Aor| core.router().is_owner(owner, &self.uri, now);
        self.next.is_none()
            && (self.flow(core).is_some()
                || core.domains.aor(&self.uri).is_some()
                || owner.as_ref().is_some_and(is_his)
                || is_binding(core, owner.as_ref(), &self.uri, now))
    }

    fn is_callers(&self, core: &Core, (request, uri): (&Request, &Uri), place: SocketAddr, now: Now) -> bool {
        let router = core.router();
        if let Some(is_his) = router.is_device_of(place, (uri, self.party.as_ref()), now) {
            return is_his;
        }
        let came_from_peer = || {
            let tag = request.fields().to().tag().map(str::to_owned);
            let party = tag.map(|tag| caller(core, request.fields(), &tag, true));
            let from = party.and_then(|party| core.calls.caller_of(party, now.mono));
            from.is_some_and(|from| core.config.names(from))
        };
        !core.config.names(place.ip()) || came_from_peer()
    }
}

/// Whether a trusted peer has a part in the call on the side to which a request goes.
#[derive(Clone, Copy, Debug)]
pub(in crate::proxy) struct PeersPart {
    /// Outside of a dialog its sender itself has chosen where it goes.
    is_in_dialog: bool,
    /// The other party, as the one who was called and as the one who called.
    parties: [Option<u128>; 2],
}

impl PeersPart {
    pub(in crate::proxy) fn of(core: &Core, request: &Request) -> Self {
        let (fields, to) = (request.fields(), request.fields().to());
        let called_from = to.tag().map(|tag| caller(core, fields, tag, true));
        Self { is_in_dialog: to.tag().is_some(), parties: [party_to(core, fields), called_from] }
    }

    /// Whether the sender's identity may be asserted at that place: not at a trusted peer that the other party of its
    /// dialog has merely named, for then that party would make it do something in the sender's name (RFC 3325 §5).
    pub(in crate::proxy) fn may_assert(self, core: &Core, place: SocketAddr, now: Now) -> bool {
        !self.is_in_dialog || !core.config.names(place.ip()) || self.is_any(core, now)
    }

    fn is_any(self, core: &Core, now: Now) -> bool {
        self.parties.into_iter().flatten().any(|party| core.calls.is_behind_peer(party, now.mono))
    }
}
