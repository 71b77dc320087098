//! The one place that knows which part of the proxy each request of ours belongs to, and tells that part what became of
//! it: a flow, a response, or a failure.

use super::Proxy;
use super::dispatch::legs::LegId;
use super::transport::request_sender::{Fault, SenderStep, User};
use crate::machine::Flow;
use crate::sip::Response;
use crate::time::Now;

/// What became of a request of ours.
#[derive(Clone, Copy)]
enum Progress<'a> {
    /// It has a flow: it is printed for it and sent.
    Ready(Flow),
    /// Its final response, the flow on which it was sent, and how often until then.
    Answered(&'a Response, Flow, u32),
    /// It failed, after so many transmissions.
    Failed(Fault, u32),
}

impl Proxy {
    /// A response came: to a request of ours, or to one that passed without a transaction.
    pub(super) fn response(&mut self, response: &Response, flow: Flow, now: Now) {
        let Some(heard) = self.core.sender.receive_response(response, now.mono) else {
            return self.sessions.response(&mut self.core, response, flow, now);
        };
        if response.status() >= 200 {
            let answered = Progress::Answered(response, heard.flow, heard.transmissions);
            self.progress(heard.user, answered, now);
        }
    }

    /// A request of ours has a flow, or has failed.
    pub(super) fn step(&mut self, step: SenderStep, now: Now) {
        match step {
            SenderStep::Ready { user, flow } => self.progress(user, Progress::Ready(flow), now),
            SenderStep::Failed { user, fault, transmissions } => {
                self.progress(user, Progress::Failed(fault, transmissions), now);
            }
        }
    }

    fn progress(&mut self, user: User, progress: Progress<'_>, now: Now) {
        let core = &mut self.core;
        match user {
            User::Leg { dispatch, recipient, branch } => {
                let place = LegId { recipient, branch };
                match progress {
                    Progress::Ready(flow) => self.dispatches.leg_ready(core, dispatch, place, flow, now),
                    Progress::Answered(response, flow, transmissions) => {
                        let heard = (response, flow, transmissions);
                        self.dispatches.leg_heard(core, dispatch, place, heard, now);
                    }
                    Progress::Failed(fault, transmissions) => {
                        self.dispatches.leg_failed(core, dispatch, place, (fault, transmissions), now);
                    }
                }
            }
            User::Report { dispatch, cseq } => {
                let status = match progress {
                    Progress::Ready(flow) => return self.dispatches.report_ready(core, dispatch, flow, now),
                    Progress::Answered(response, ..) => Some(response.status()),
                    Progress::Failed(..) => None,
                };
                self.dispatches.report_ended(core, dispatch, (cseq, status), now);
            }
            User::Relay { relay, branch } => match progress {
                Progress::Ready(flow) => self.relays.ready(core, (relay, branch), flow, now),
                Progress::Answered(response, ..) => self.relays.heard(core, (relay, branch), response, now),
                Progress::Failed(fault, _) => self.relays.failed(core, (relay, branch), fault, now),
            },
            User::Session(number) => match progress {
                Progress::Ready(flow) => self.sessions.ready(core, number, flow, now),
                Progress::Answered(..) => {}
                Progress::Failed(..) => self.sessions.failed(core, number),
            },
        }
    }
}
