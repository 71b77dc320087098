//! Requests from anybody but the account's server, and from whoever only fakes its address on a datagram.
//!
//! Our server has checked who a sender is; of a request sent straight to our port, nobody knows who wrote it. So it is
//! refused without a transaction, a row or a look at its body, and only a limited number of times a second: whoever
//! spoofs a source address gets no more out of us than he puts in.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::core::Core;
use super::own_contact::Named;
use crate::limits::STRANGERS_ANSWERED_MAX;
use crate::machine::{DropReason, Flow};
use crate::sip::{Compose, Method, Request, Transport};
use crate::time::Now;

/// How many strangers were answered within the current second.
#[derive(Debug, Default)]
pub(crate) struct Strangers(BTreeMap<Kind, Rate>);

/// Requests counted together, so that a flood of one kind does not use up the answers to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    /// Over UDP, where anybody can fake the source address.
    is_datagram: bool,
    is_message: bool,
}

#[derive(Debug, Default)]
struct Rate {
    since: Option<Instant>,
    answered: u32,
}

impl Strangers {
    /// Refuses a request: with 403; with 480, which is not final, while our server's address is unknown, and for our
    /// server's address if it names the Contact of an earlier run; with 481 for a report on a message that is not ours
    /// (W25).
    pub(crate) fn refuse(&mut self, core: &mut Core, request: &Request, flow: Flow, now: Now) {
        let is_near = core.server.leads_to_proxy(flow);
        let is_late = is_near && core.own_contact.named(request.uri()) == Named::EarlierRun;
        let status = match request.method() {
            Method::Ack => return DropReason::Ack.tell(flow),
            Method::Notify => 481,
            Method::Message
            | Method::Register
            | Method::Options
            | Method::Invite
            | Method::Bye
            | Method::Cancel
            | Method::Subscribe
            | Method::Other(_) => {
                if core.server.is_unknown() || is_late {
                    480
                } else {
                    403
                }
            }
        };
        let is_message = *request.method() == Method::Message;
        let kind = Kind { is_datagram: flow.transport == Transport::Udp, is_message };
        if self.0.entry(kind).or_default().is_room(now.mono) {
            if is_near {
                let method = request.method().as_str();
                tracing::debug!(%flow, method, "from the server's address, but does not name our Contact");
            }
            // The same tag for each repetition of the request (RFC 3261 §8.2.7).
            let tag = core.transactions.key_of(request, flow).tag();
            core.transmit(flow, Compose::response(request, status, None, &tag, flow.remote).finish());
        } else {
            DropReason::TooManyStrangers.tell(flow);
        }
    }
}

impl Rate {
    fn is_room(&mut self, now: Instant) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= Duration::from_secs(1);
        if self.since.is_none_or(is_over) {
            *self = Self { since: Some(now), answered: 0 };
        }
        self.answered = self.answered.saturating_add(1);
        self.answered <= STRANGERS_ANSWERED_MAX
    }
}
