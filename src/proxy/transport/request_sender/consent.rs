//! Sends less, or nothing, to a destination that may not have agreed to it (RFC 9000 §8), or is not for the sender to
//! reach.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::{Large, Question, RequestSender, Rest, Wait};
use crate::limits::CONNECT_WAIT;
use crate::machine::{ConnectId, Flow, Hop};
use crate::proxy::secret::Secret;
use crate::proxy::transport::next_hop::{Consent, Fault, SenderNeed, Sending, User};
use crate::proxy::transport::validation::{Allowance, Trial};
use crate::sip::{Method, Transport};

/// A request may not be sent to this hop now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotNow {
    /// It is not sent there.
    GivesUp,
    /// It waits until that address answers another request.
    Waits,
}

impl RequestSender {
    /// The addresses of this computer's interfaces.
    pub(crate) fn set_interfaces(&mut self, addresses: &[IpAddr]) {
        self.sockets.set_interfaces(addresses);
    }

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

    /// How often a request with so many bytes may be sent over a flow; `None` if only Timer E limits it.
    fn transmissions_max(&mut self, (user, bytes): (User, usize), flow: Flow) -> Result<Option<u32>, NotNow> {
        let consent = self.rests.get(&user).map_or(Consent::NotNeeded, |rest| rest.consent);
        if flow.transport.is_reliable() || consent == Consent::NotNeeded {
            return Ok(None);
        }
        let allowance = if consent == Consent::BySender {
            let named = self.validation.allow_named((user, bytes), flow.remote, self.now);
            named.ok_or(NotNow::Waits)?
        } else {
            self.validation.allow(consent, (user, Trial::Datagrams), flow.remote, self.now)
        };
        match allowance {
            Allowance::Full => Ok(None),
            Allowance::Few(max) => Ok(Some(max)),
            Allowance::Nothing => Err(NotNow::GivesUp),
        }
    }

    /// How often a request may be sent over a flow; or what becomes of it instead.
    pub(super) fn agreed(
        &mut self,
        (user, bytes): (User, usize),
        flow: Flow,
        ends: Instant,
    ) -> Result<Option<u32>, Sending> {
        self.transmissions_max((user, bytes), flow).map_err(|not_now| match not_now {
            NotNow::GivesUp => {
                self.give_up_hop(user);
                Sending::Sent
            }
            NotNow::Waits => {
                self.await_answer(user, flow, ends);
                Sending::Waits
            }
        })
    }

    /// A request waits until somebody answers at the address that it goes to, and fails if that does not happen in time.
    fn await_answer(&mut self, user: User, flow: Flow, ends: Instant) {
        let rest = self.rests.remove(&user).unwrap_or_else(|| Rest::of(Vec::new(), None, ends));
        let asked = Question::Answer(flow);
        self.waits.add(user, Wait { asked, rest, is_sips: false, large: None, ends });
    }

    /// A request was answered from where it was sent.
    pub(super) fn answered(&mut self, flow: Flow, now: Instant) {
        self.validation.answered(flow, now);
        for (user, Wait { asked, rest, .. }) in self.waits.take_answered(flow.remote) {
            if let Question::Answer(flow) = asked {
                self.keep(user, rest, flow);
            }
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
            self.answered(flow, now);
        }
    }

    /// This hop is not used: tries the next one, if there is one.
    fn give_up_hop(&mut self, user: User) {
        match self.rests.remove(&user) {
            Some(rest) if !rest.hops.is_empty() => self.try_hops(user, rest.after_failure(0), Fault::Timeout),
            Some(_) | None => self.fail(user, Fault::Timeout),
        }
    }

    /// True if a request may not be sent to that address: it would come back to us, or it is not for the sender to reach.
    /// Every way to an address is asked here, however it was found.
    pub(super) fn is_shut_out(&self, rest: &Rest, address: SocketAddr) -> bool {
        self.sockets.is_own(address) || rest.is_shut_out(address.ip(), self.sockets.nearness(address.ip()))
    }

    /// Tries a stream instead of a datagram: at the hop that DNS names for it, else at the same address in the hope
    /// that it takes TCP too.
    pub(super) fn seek_stream(&mut self, user: User, large: Large, ends: Instant, now: Instant) {
        let mut rest = self.rests.remove(&user).unwrap_or_else(|| Rest::of(Vec::new(), None, ends));
        let guess = || Hop { transport: Transport::Tcp, remote: large.flow.remote };
        let hop = rest.take_stream().unwrap_or_else(guess);
        self.connect(user, (hop, rest), Some(large), ends.min(now + CONNECT_WAIT));
    }

    /// Has connections opened for requests that waited for their turn.
    pub(super) fn take_turns(&mut self) {
        while let Some((user, hop, Wait { rest, large, .. })) = self.waits.take_turn() {
            let ends = if large.is_some() { rest.ends.min(self.now + CONNECT_WAIT) } else { rest.ends };
            self.connect(user, (hop, rest), large, ends);
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
        if self.is_shut_out(&rest, hop.remote)
            || self.validation.allow(rest.consent, trial, hop.remote, self.now) == Allowance::Nothing
        {
            match large {
                Some(Large { flow, fits: true }) => {
                    self.refused.add(flow.remote, self.now);
                    self.keep(user, rest, flow);
                }
                Some(_) | None => self.try_hops(user, rest.after_failure(0), Fault::Timeout),
            }
            return;
        }
        if self.waits.has_all_dials(rest.payer) {
            let ends = rest.ends;
            self.waits.add(user, Wait { asked: Question::Turn(hop), rest, is_sips: false, large, ends });
            return;
        }
        let id = ConnectId(self.number());
        self.needs.push_back(SenderNeed::Connect { id, hop, domain: rest.domain.clone() });
        self.waits.add(user, Wait { asked: Question::Connect(id), rest, is_sips: false, large, ends });
    }
}
