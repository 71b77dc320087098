//! Where a request goes: to its next hop, over the stream or the flow that is left, or nowhere (RFC 3263 §4.3).

use std::time::Instant;

use super::{RequestSender, Rest, Wait};
use crate::limits::CONNECT_WAIT;
use crate::machine::{Flow, Hop};
use crate::proxy::transport::inner::Inner;
use crate::proxy::transport::next_hop::{Consent, Fault, SenderStep, User};
use crate::sip::Transport;

impl RequestSender {
    /// Tries the next hop; without one, the flow that is left, or the request fails.
    pub(super) fn try_hops(&mut self, user: User, mut rest: Rest, fault: Fault) {
        while let Some(hop) = rest.hops.pop() {
            if self.is_shut_out(&rest, hop.remote) {
                continue;
            }
            if hop.transport == Transport::Udp
                && let Some(local) = self.sockets.local(Transport::Udp, hop.remote)
            {
                return self.keep(user, rest, Flow::udp(local, hop.remote));
            }
            // Without a UDP socket of that address family, a stream is what is left (RFC 3261 §18.1.1).
            let transport = if hop.transport == Transport::Udp { Transport::Tcp } else { hop.transport };
            let ends = rest.ends;
            return self.connect(user, (Hop { transport, ..hop }, rest), None, ends);
        }
        match rest.otherwise.take().filter(|flow| self.is_usable(*flow)) {
            Some(flow) => self.keep(user, rest, flow),
            None => {
                self.steps.push_back(SenderStep::Failed { user, fault, transmissions: rest.transmissions });
            }
        }
    }

    /// What a request waited for has failed.
    pub(super) fn fall_back(&mut self, user: User, wait: Wait, fault: Fault, now: Instant) {
        let Wait { mut rest, large, .. } = wait;
        let Some(large) = large else {
            return self.try_hops(user, rest, fault);
        };
        if let Some(hop) = rest.take_stream() {
            let ends = rest.ends.min(now + CONNECT_WAIT);
            return self.connect(user, (hop, rest), Some(large), ends);
        }
        self.refused.add(large.flow.remote, now);
        if !large.fits {
            // Silence may come from a peer that is away; a refusal comes from one that takes no connections.
            let fault = if fault == Fault::Timeout { fault } else { Fault::TooLarge };
            return self.try_hops(user, rest, fault);
        }
        self.keep(user, rest, large.flow);
    }

    /// A request has a flow: notes where else it may go.
    pub(super) fn keep(&mut self, user: User, mut rest: Rest, flow: Flow) {
        // A flow over UDP may be made of an address that somebody named.
        if flow.transport == Transport::Udp && self.is_shut_out(&rest, flow.remote) {
            return self.try_hops(user, rest.after_failure(0), Fault::NoRoute);
        }
        let has_more = !rest.hops.is_empty() || rest.otherwise.is_some();
        if !has_more && (flow.transport.is_reliable() || rest.consent.is_given_for(flow.remote.ip())) {
            (rest.consent, rest.inner) = (Consent::NotNeeded, Inner::Open);
        }
        let is_of_use = has_more || rest.failed > 0 || rest.is_alone || rest.consent != Consent::NotNeeded;
        // Nothing more is heard of what passes without a transaction.
        if is_of_use && !matches!(user, User::Session(_)) {
            self.rests.insert(user, rest);
        }
        self.ready(user, flow);
    }
}
