//! Refusals that are told to the operator.

use super::{Core, Rejection};
use crate::machine::{DropReason, Flow};
use crate::proxy::event::{ProxyEvent, Refusal, RefusalKind};
use crate::proxy::guard::refusals::Tell;
use crate::sip::{Method, Request};
use crate::time::Now;

impl Core {
    /// Refuses a request without a transaction; an ACK is never answered.
    pub(crate) fn refuse_at_once(&mut self, request: &Request, flow: Flow, rejection: &Rejection, now: Now) {
        self.tell_offence(rejection, flow, now);
        if *request.method() == Method::Ack {
            DropReason::Ack.tell(flow);
        } else {
            let bytes = self.print_refusal(request, flow, rejection);
            self.transmit(flow, bytes);
        }
    }

    /// Tells the operator of a refusal, unless one like it was told a moment ago.
    pub(crate) fn tell_offence(&mut self, rejection: &Rejection, flow: Flow, now: Now) {
        let Some((kind, who)) = &rejection.offence else { return };
        let is_password = matches!(kind, RefusalKind::WrongPassword | RefusalKind::LockedOut);
        let refusal = Refusal {
            kind: *kind,
            source: flow.remote.ip(),
            transport: flow.transport,
            is_verified: is_password || flow.transport.is_reliable(),
            count: 0,
            who: who.clone(),
        };
        match self.refusals.note(refusal, now.mono) {
            Tell::Nothing => {}
            Tell::This(refusal) => self.tell(ProxyEvent::Offence(refusal)),
            Tell::TooMany(count) => self.tell(ProxyEvent::OffencesUntold { count }),
        }
    }
}
