//! Requests from anybody but the server of the account.
//!
//! Our server has looked at who a sender is; of a request that comes straight to our port nobody knows who wrote it. So it is
//! refused, without a transaction, a row or a look at its body, and only so often within a second: whoever spoofs a source
//! address gets no more out of us than he puts in.

use std::time::{Duration, Instant};

use crate::client::core::Core;
use crate::limits::STRANGERS_ANSWERED_MAX;
use crate::machine::Flow;
use crate::sip::{Compose, Method, Request};
use crate::time::Now;

/// How many strangers were answered within the second that is running.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    since: Option<Instant>,
    answered: u32,
}

impl Strangers {
    /// Refuses a request: 403, or 480 while it is not known yet where our server is, which is then taken for no final refusal;
    /// 481 for a report on a message that is none of ours (W25).
    pub(super) fn refuse(&mut self, core: &mut Core, request: &Request, flow: Flow, now: Now) {
        let status = match request.method() {
            Method::Ack => return,
            Method::Notify => 481,
            Method::Message
            | Method::Register
            | Method::Options
            | Method::Invite
            | Method::Bye
            | Method::Cancel
            | Method::Subscribe
            | Method::Other(_) => {
                if core.line.is_unknown() {
                    480
                } else {
                    403
                }
            }
        };
        if self.is_room(now.mono) {
            // The same for each repetition of the request (RFC 3261 §8.2.7).
            let tag = core.transactions.key_of(request).tag();
            core.transmit(flow, Compose::response(request, status, None, &tag, flow.remote).finish());
        }
    }

    fn is_room(&mut self, now: Instant) -> bool {
        let is_over = |since: Instant| now.saturating_duration_since(since) >= Duration::from_secs(1);
        if self.since.is_none_or(is_over) {
            *self = Self { since: Some(now), answered: 0 };
        }
        self.answered = self.answered.saturating_add(1);
        self.answered <= STRANGERS_ANSWERED_MAX
    }
}
