//! How a request of ours begins, and who pays for the look-up of the name that it goes to.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::Core;
use crate::limits::{NEAR_PEERS_MAX, Nearness, network};
use crate::machine::Flow;
use crate::proxy::transport::inner::Inner;
use crate::proxy::transport::next_hop::{source_pays, user_pays};
use crate::proxy::transport::request_sender::{Consent, NextHop, User};
use crate::sip::Aor;

impl Core {
    /// Looks for a flow to a target, until `ends`. Whoever named the target pays for a look-up; that is the sender,
    /// whose request came from that address, unless the target says otherwise.
    pub(crate) fn begin(
        &mut self,
        user: User,
        (sender, from): (Option<&Aor>, IpAddr),
        (way, consent): (NextHop, Consent),
        ends: Instant,
    ) {
        let ours = sender.filter(|sender| self.domains.serves(sender));
        let way = way.paid_by(|| ours.map_or_else(|| source_pays(from), user_pays));
        let inner = self.inner(&way, from);
        let payer = ours.map_or_else(|| self.secret.source(network(from)), |user| self.secret.user(user));
        self.sender.begin(user, (way, consent, inner), payer, ends);
    }

    /// A datagram came over this flow: if it is from a trusted peer nearby, that is where its SIP is.
    pub(crate) fn note_near_peer(&mut self, flow: Flow) {
        let is_near = !self.config.trust.is_empty()
            && self.sender.sockets().nearness(flow.remote.ip()) == Nearness::ThisComputer
            && self.config.trusts(flow);
        if is_near && self.near_peers.len() < NEAR_PEERS_MAX {
            self.near_peers.insert(flow.remote);
        }
    }

    /// Whether a request from that address may go to this computer itself: where the operator named the way, where a peer
    /// is that he trusts (which opens that port, and no other of the same address), back to the address that it came from,
    /// and where nobody is asked for a password. Of this computer's addresses only loopback shows that a sender is inside:
    /// a gateway may put another one on what comes from outside.
    fn inner(&self, way: &NextHop, from: IpAddr) -> Inner {
        let is_open = |place: SocketAddr| {
            place.ip().to_canonical() == from.to_canonical()
                || (self.config.names(place.ip())
                    && (self.near_peers.contains(&place) || self.router().is_known_place(place)))
        };
        let is_named = match way {
            NextHop::Route(..) => true,
            NextHop::Hop(hop) => self.domains.has_route(*hop) || is_open(hop.remote),
            NextHop::Flow(flow) | NextHop::FlowAlone(flow) => is_open(flow.remote),
            NextHop::Lookup { .. } => false,
        };
        if is_named || !self.users.asks() || self.config.names(from) {
            Inner::Open
        } else {
            Inner::seen_from(Nearness::of(from))
        }
    }
}
