//! The one place that knows which part of the proxy each request of ours belongs to, and tells that part what became of
//! it: a flow, a response, or a failure.

use super::Proxy;
use super::dispatch::legs::LegId;
use super::relay::RelayBranch;
use super::transport::request_sender::{FailedRequest, FinalResponse, SenderStep, User};
use crate::machine::Flow;
use crate::sip::Response;
use crate::time::Now;

/// What became of a request of ours.
#[derive(Clone, Copy)]
enum Progress<'a> {
    /// It has a flow: it is printed for it and sent.
    Ready(Flow),
    Answered(FinalResponse<'a>),
    Failed(FailedRequest),
}

impl Proxy {
    /// A response came: to a request of ours, or to one that passed without a transaction.
    pub(super) fn response(&mut self, response: &Response, flow: Flow, now: Now) {
        let Some(heard) = self.core.sender.receive_response(response, now.mono) else {
            return self.sessions.response(&mut self.core, response, flow, now);
        };
        if response.status() >= 200 {
            let (flow, transmissions) = (heard.flow, heard.transmissions);
            let answered = FinalResponse { response, flow, transmissions };
            self.progress(heard.user, Progress::Answered(answered), now);
        }
    }

    /// A request of ours has a flow, or has failed.
    pub(super) fn step(&mut self, step: SenderStep, now: Now) {
        match step {
            SenderStep::Ready { user, flow } => self.progress(user, Progress::Ready(flow), now),
            SenderStep::Failed { user, fault, transmissions } => {
                let failed = FailedRequest { fault, transmissions };
                self.progress(user, Progress::Failed(failed), now);
            }
        }
    }

    fn progress(&mut self, user: User, progress: Progress<'_>, now: Now) {
        let core = &mut self.core;
        match user {
            User::Leg { dispatch, recipient, branch } => {
                let leg = LegId { recipient, branch };
                match progress {
                    Progress::Ready(flow) => self.dispatches.leg_ready(core, dispatch, leg, flow, now),
                    Progress::Answered(heard) => self.dispatches.leg_heard(core, dispatch, leg, heard, now),
                    Progress::Failed(failed) => self.dispatches.leg_failed(core, dispatch, leg, failed, now),
                }
            }
            User::Report { dispatch, cseq } => {
                let status = match progress {
                    Progress::Ready(flow) => return self.dispatches.report_ready(core, dispatch, flow, now),
                    Progress::Answered(heard) => Some(heard.response.status()),
                    Progress::Failed(_) => None,
                };
                self.dispatches.report_ended(core, dispatch, cseq, status, now);
            }
            User::Relay { relay, branch } => {
                let this = RelayBranch { relay, branch };
                match progress {
                    Progress::Ready(flow) => self.relays.ready(core, this, flow, now),
                    Progress::Answered(heard) => self.relays.heard(core, this, heard.response, now),
                    Progress::Failed(failed) => self.relays.failed(core, this, failed.fault, now),
                }
            }
            User::Session(number) => match progress {
                Progress::Ready(flow) => self.sessions.ready(core, number, flow, now),
                Progress::Answered(_) => {}
                Progress::Failed(_) => self.sessions.failed(core, number),
            },
        }
    }
}
