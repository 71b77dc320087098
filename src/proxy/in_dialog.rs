//! A submission within a session (W29): the leg for To stays in the dialog, the other legs are outside it.

use super::core::Core;
use std::net::SocketAddr;

use super::own_route::{Ahead, PeersPart, own_routes};
use super::routing::router::{Target, is_routable};
use crate::sip::{Aor, Dialog, Request};
use crate::time::Now;

/// What the leg for To keeps of the dialog.
#[derive(Clone, Debug)]
pub(super) struct InDialog {
    /// Where it goes first: along the rest of the route set, else to the remote target.
    ahead: Ahead,
    peers: PeersPart,
    pub(super) call_id: String,
    pub(super) from_tag: String,
    pub(super) cseq: u32,
    /// The parts that only a request within the dialog has.
    pub(super) dialog: Dialog,
}

impl InDialog {
    /// `None` for a submission that is in no dialog of ours.
    pub(super) fn of(core: &Core, request: &Request) -> Option<Self> {
        let fields = request.fields();
        let to_tag = fields.to().tag()?.to_owned();
        let own = own_routes(core, request);
        if !own.was_recorded() || !is_routable(request.uri()) {
            return None;
        }
        let from_tag = fields.from().tag()?.to_owned();
        let others = fields.routes("Route").ok()?;
        let mut routes: Vec<_> = others.iter().skip(own.count).map(ToString::to_string).collect();
        if own.strict().is_some() {
            // RFC 3261 §16.6 step 6.
            routes.remove(0);
            routes.push(format!("<{}>", request.uri().to_sip().to_target()));
        }
        Some(Self {
            ahead: Ahead::of(request, &own),
            peers: PeersPart::of(core, request),
            call_id: fields.call_id().to_owned(),
            from_tag,
            cseq: fields.cseq(),
            dialog: Dialog { to_tag, routes },
        })
    }

    /// Whether the other party of the dialog has blocked this sender.
    pub(super) fn is_blocked(&self, core: &Core, sender: &Aor, now: Now) -> bool {
        self.ahead.is_blocked(core, sender, now)
    }

    /// Whether the sender's identity may be asserted at that place.
    pub(super) fn may_assert(&self, core: &Core, place: SocketAddr, now: Now) -> bool {
        self.peers.may_assert(core, place, now)
    }

    /// The target of the leg for To; `None` if that would leave TLS (W32).
    pub(super) fn target(&self, core: &Core, now: Now) -> Option<Target> {
        self.ahead.target(core, now)
    }
}
