//! How a request of ours begins, and who pays for the look-up of the name that it goes to.

use std::net::IpAddr;
use std::time::Instant;

use super::Core;
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
        let way = way.paid_by(|| match sender.filter(|sender| self.domains.serves(sender)) {
            Some(user) => user_pays(user),
            None => source_pays(from),
        });
        let inner = self.inner(&way, from);
        self.sender.begin(user, (way, consent, inner), ends);
    }

    /// Whether a request from that address may go to this computer itself: where the operator named the way or the peer,
    /// and where nobody is asked for a password.
    fn inner(&self, way: &NextHop, from: IpAddr) -> Inner {
        let is_named = match way {
            NextHop::Route(..) => true,
            NextHop::Hop(hop) => self.config.names(hop.remote.ip()) || self.domains.has_route(*hop),
            NextHop::Flow(_) | NextHop::FlowAlone(_) | NextHop::Lookup { .. } => false,
        };
        if is_named || !self.users.asks() || self.config.names(from) {
            Inner::Open
        } else {
            Inner::seen_from(from)
        }
    }
}
