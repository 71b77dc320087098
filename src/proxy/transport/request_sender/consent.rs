//! Sends less, or nothing, to a destination that may not have agreed to it (RFC 9000 §8).

use std::net::SocketAddr;
use std::time::Instant;

use super::{Large, Question, RequestSender, Rest, Wait};
use crate::machine::{ConnectId, Flow, Hop};
use crate::proxy::secret::Secret;
use crate::proxy::transport::next_hop::{Consent, Fault, SenderNeed, User};
use crate::proxy::transport::validation::{Allowance, Trial};
use crate::sip::Method;

/// A request may not be sent to this hop now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotNow;

impl RequestSender {
    /// The branch of a request at the hop that it is sent to now ([`Rest::branch_at_hop`]).
    pub(crate) fn branch_at_hop(
        &self,
        user: User,
        branch: String,
        secret: Secret,
        hop: SocketAddr,
    ) -> String {
        match self.rests.get(&user) {
            Some(rest) => rest.branch_at_hop(branch, secret, hop),
            None => branch,
        }
    }

    /// How often a request may be sent over a flow; `None` if only Timer E limits it.
    pub(super) fn transmissions_max(&mut self, user: User, flow: Flow) -> Result<Option<u32>, NotNow> {
        let consent = self.rests.get(&user).map_or(Consent::NotNeeded, |rest| rest.consent);
        if flow.transport.is_reliable() || consent == Consent::NotNeeded {
            return Ok(None);
        }
        match self.validation.allow(consent, (user, Trial::Datagrams), flow.remote, self.now) {
            Allowance::Full => Ok(None),
            Allowance::Few(max) => Ok(Some(max)),
            Allowance::Nothing => Err(NotNow),
        }
    }

    /// How much of a request that passes without a transaction may be sent over a flow now; counts one transmission.
    pub(crate) fn pass(
        &mut self,
        consent: Consent,
        what: (u128, &Method),
        flow: Flow,
        now: Instant,
    ) -> Allowance {
        if flow.transport.is_reliable() {
            return Allowance::Full;
        }
        self.validation.pass(consent, what, flow.remote, now)
    }

    /// A request that passed without a transaction was answered from where it was sent.
    pub(crate) fn answered_from(&mut self, flow: Flow, now: Instant) {
        if self.validation.is_trying(flow.remote) {
            self.validation.answered(flow, now);
        }
    }

    /// This hop is not used: tries the next one, if there is one.
    pub(super) fn give_up_hop(&mut self, user: User) {
        match self.rests.remove(&user) {
            Some(rest) if !rest.hops.is_empty() => self.try_hops(user, rest.after_failure(0), Fault::Timeout),
            Some(_) | None => self.fail(user, Fault::Timeout),
        }
    }

    /// Asks for a connection to a hop.
    pub(super) fn connect(
        &mut self,
        user: User,
        (hop, rest): (Hop, Rest),
        large: Option<Large>,
        ends: Instant,
    ) {
        let trial = (user, Trial::Connection);
        if self.validation.allow(rest.consent, trial, hop.remote, self.now) == Allowance::Nothing {
            match large {
                Some(Large { flow, fits: true }) => {
                    self.refused.add(flow.remote, self.now);
                    self.keep(user, rest, flow);
                }
                Some(_) | None => self.try_hops(user, rest.after_failure(0), Fault::Timeout),
            }
            return;
        }
        let id = ConnectId(self.number());
        self.needs.push_back(SenderNeed::Connect { id, hop, domain: rest.domain.clone() });
        self.waits.add(user, Wait { asked: Question::Connect(id), rest, is_sips: false, large, ends });
    }
}
