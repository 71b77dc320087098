//! The answers that the proxy gives itself.

use bytes::Bytes;

use super::{ALLOW, Core, Rejection};
use crate::limits::{ANSWER_AGAIN_BYTES_MAX, RETRY_AFTER_SECS, RETRY_AFTER_SPREAD_SECS};
use crate::machine::Flow;
use crate::proxy::event::ProxyEvent;
use crate::sip::{Compose, RECIPIENT_LIST, Request, SECONDARY_TO};
use crate::time::Now;
use crate::transaction::ServerKey;

impl Core {
    /// Prints the refusal of a request.
    pub(crate) fn print_refusal(&mut self, request: &Request, flow: Flow, rejection: &Rejection) -> Bytes {
        self.tell(ProxyEvent::Refused { status: rejection.status });
        let tag = self.random.token(12);
        let mut message =
            Compose::response(request, rejection.status, rejection.reason.as_deref(), &tag, flow.remote);
        if rejection.status == 503 {
            let more = self.random.below(u64::from(RETRY_AFTER_SPREAD_SECS) + 1);
            message = message.field("Retry-After", u64::from(RETRY_AFTER_SECS) + more);
        }
        rejection.fields.iter().fold(message, |message, (name, value)| message.field(name, value)).finish()
    }

    /// Answers 503 without a transaction (RFC 3261 §8.2.7): a transaction per 503 would dominate its cost.
    pub(crate) fn turn_away(&mut self, key: ServerKey, request: &Request, flow: Flow, now: Now) {
        if self.load.remember(key, now.mono + self.config.timers.j(), now.mono) && self.load.count(now.mono) {
            self.tell(ProxyEvent::Busy);
        }
        let bytes = self.print_refusal(request, flow, &Rejection::busy());
        self.transmit(flow, bytes);
    }

    pub(crate) fn refuse(
        &mut self,
        key: ServerKey,
        request: &Request,
        flow: Flow,
        rejection: &Rejection,
        now: Now,
    ) {
        self.tell_offence(rejection, flow, now);
        if rejection.status == 503 {
            self.sender.abandon(key);
            self.load.remember(key, now.mono + self.config.timers.j(), now.mono);
            let bytes = self.print_refusal(request, flow, rejection);
            return self.transmit(flow, bytes);
        }
        let bytes = self.print_refusal(request, flow, rejection);
        self.answer_alike(key, rejection.status, (flow, bytes), now);
    }

    /// Answers where a repetition would get the same answer: a large one keeps no transaction (RFC 3261 §8.2.7).
    pub(crate) fn answer_alike(
        &mut self,
        key: ServerKey,
        status: u16,
        (flow, bytes): (Flow, Bytes),
        now: Now,
    ) {
        if bytes.len() > ANSWER_AGAIN_BYTES_MAX {
            self.sender.abandon(key);
            return self.transmit(flow, bytes);
        }
        self.sender.respond(key, status, bytes, now.mono);
    }

    /// Answers OPTIONS with the capabilities of this proxy (RFC 3261 §11; W6).
    pub(crate) fn tell_what_we_do(&mut self, key: ServerKey, request: &Request, flow: Flow, now: Now) {
        let tag = self.random.token(12);
        let bytes = Compose::response(request, 200, None, &tag, flow.remote)
            .field("Allow", ALLOW)
            .field("Accept", "*/*")
            .field("Supported", format_args!("{SECONDARY_TO}, {RECIPIENT_LIST}"))
            .finish();
        self.answer_alike(key, 200, (flow, bytes), now);
    }
}
