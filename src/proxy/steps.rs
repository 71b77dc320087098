//! Routes the results of our own requests (a response, a flow, a failure) to the part that each request belongs to.

use super::Proxy;
use super::dispatch::legs::LegId;
use super::transport::request_sender::{SenderStep, User};
use crate::machine::Flow;
use crate::sip::Response;
use crate::time::Now;

impl Proxy {
    /// Passes a response to the leg, report or relay that it answers, or back to where its request came from.
    pub(super) fn response(&mut self, response: &Response, flow: Flow, now: Now) {
        let Some(heard) = self.core.carrier.receive_response(response, now.mono) else {
            return self.sessions.response(&mut self.core, response, flow, now);
        };
        if response.status() < 200 {
            return;
        }
        let core = &mut self.core;
        match heard.user {
            User::Leg { dispatch, recipient, branch } => {
                let place = LegId { recipient, branch };
                self.dispatches.leg_heard(core, dispatch, place, (response, heard.transmissions), now);
            }
            User::Report { dispatch, cseq } => {
                self.dispatches.report_ended(core, dispatch, (cseq, Some(response.status())), now);
            }
            User::Relay { relay, branch } => self.relays.heard(core, (relay, branch), response, now),
            User::Session(_) => {}
        }
    }

    /// A request of ours has a flow, or has failed.
    pub(super) fn step(&mut self, step: SenderStep, now: Now) {
        let core = &mut self.core;
        match step {
            SenderStep::Ready { user: User::Leg { dispatch, recipient, branch }, flow } => {
                self.dispatches.leg_ready(core, dispatch, LegId { recipient, branch }, flow, now);
            }
            SenderStep::Ready { user: User::Report { dispatch, .. }, flow } => {
                self.dispatches.report_ready(core, dispatch, flow, now);
            }
            SenderStep::Ready { user: User::Relay { relay, branch }, flow } => {
                self.relays.ready(core, (relay, branch), flow, now);
            }
            SenderStep::Failed { user: User::Leg { dispatch, recipient, branch }, fault, transmissions } => {
                let place = LegId { recipient, branch };
                self.dispatches.leg_failed(core, dispatch, place, (fault, transmissions), now);
            }
            SenderStep::Failed { user: User::Report { dispatch, cseq }, .. } => {
                self.dispatches.report_ended(core, dispatch, (cseq, None), now);
            }
            SenderStep::Ready { user: User::Session(number), flow } => {
                self.sessions.ready(core, number, flow, now);
            }
            SenderStep::Failed { user: User::Session(number), .. } => self.sessions.failed(core, number),
            SenderStep::Failed { user: User::Relay { relay, branch }, fault, .. } => {
                self.relays.failed(core, (relay, branch), fault, now);
            }
        }
    }
}
