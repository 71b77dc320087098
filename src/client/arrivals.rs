//! Input from the network: who sent it, and which part handles it.

use bytes::Bytes;

use super::agent::capabilities;
use super::agent::core::{IncomingRequest, Task};
use super::{UserAgent, inbox};
use crate::machine::{DropReason, Flow};
use crate::sip::{self, Message, Method, Request, Response};
use crate::time::Now;
use crate::transaction::Arrival;

impl UserAgent {
    /// Handles bytes that arrived: a message, or something meant as one.
    pub(super) fn received(&mut self, flow: Flow, bytes: Bytes, now: Now) {
        match sip::parse(bytes.clone()) {
            Ok(Message::Request(request)) => self.requested(&request, flow, now),
            Ok(Message::Response(response)) => self.heard(&response, flow, now),
            Err(error) if self.may_be_answered(&bytes, flow) => {
                let tag = self.core.random.token(10);
                if let Some(refusal) = sip::refusal(&bytes, &error, flow.remote, &tag) {
                    self.core.transmit(flow, refusal);
                }
            }
            // An unreadable request from a stranger gets no answer.
            Err(_unreadable) => DropReason::Unreadable.tell(flow),
        }
    }

    /// Handles a request from our server, or from anybody if the account allows that.
    fn requested(&mut self, request: &Request, flow: Flow, now: Now) {
        let is_server = self.core.is_from_server(request, flow)
            || self.outbox.is_report_of_ours(&self.core, request, flow);
        if is_server {
            self.core.own_contact.hear(request.uri());
            self.core.server.heard(now.mono);
        }
        if is_server || self.core.profile.peer_to_peer {
            self.asked(request, flow, now);
        } else {
            self.strangers.refuse(&mut self.core, request, flow, now);
        }
    }

    /// Whether an unreadable request is answered all the same: our server should learn at once that it reached
    /// nobody.
    fn may_be_answered(&self, bytes: &[u8], flow: Flow) -> bool {
        let is_proven =
            self.core.server.stream_flow() == Some(flow) || self.core.own_contact.may_name_us(bytes);
        self.core.profile.peer_to_peer || is_proven && self.core.server.leads_to_proxy(flow)
    }

    fn asked(&mut self, request: &Request, flow: Flow, now: Now) {
        let key = match self.core.transactions.receive_request(request, flow, now.mono) {
            Arrival::New(key) => key,
            Arrival::Absorbed => return,
            Arrival::Full => return capabilities::overloaded(&mut self.core, request, flow),
        };
        let asked = IncomingRequest { request, key, flow };
        match request.method() {
            Method::Message if inbox::is_notification(request, &self.core) => {
                self.outbox.receipt(&mut self.core, asked, now);
            }
            Method::Message => {
                self.inbox.message(&mut self.core, &mut self.conversations, asked, now);
            }
            Method::Notify => self.outbox.notified(&mut self.core, asked, now),
            Method::Options => capabilities::tell(&mut self.core, asked, now),
            Method::Bye | Method::Cancel => capabilities::refuse(&mut self.core, asked, 481, now),
            Method::Register | Method::Invite | Method::Ack | Method::Subscribe => {
                capabilities::refuse(&mut self.core, asked, 405, now);
            }
            Method::Other(_) => capabilities::refuse(&mut self.core, asked, 501, now),
        }
    }

    fn heard(&mut self, response: &Response, flow: Flow, now: Now) {
        // Others may know our branch: whoever got an ordinary MESSAGE from us has read its Via.
        let sent = self.core.transactions.flow_of(response);
        match sent {
            None => return DropReason::StrayResponse.tell(flow),
            Some(sent) if !self.core.server.may_answer(flow, sent) => {
                return DropReason::ResponseFromElsewhere.tell(flow);
            }
            Some(_) => {}
        }
        self.core.server.heard(now.mono);
        let Some(heard) = self.core.transactions.receive_response(response, now.mono) else {
            return;
        };
        match heard.user {
            Task::Account => self.registration.hear(&mut self.core, response, now),
            Task::Realm => self.registration.hear_realm(&mut self.core, response),
            Task::Offers => self.registration.hear_offers(&mut self.core, response, now),
            Task::Submission(message, attempt) => {
                let verdict = self.outbox.heard(&mut self.core, (message, attempt), response, now);
                self.apply_verdict(verdict, now);
            }
            Task::Single(single) => self.outbox.heard_single(&mut self.core, single, response, now),
            Task::Typing(number) => self.typing.heard(&mut self.core, number, response),
            Task::Receipt(number) => self.receipts.heard(&mut self.core, number, response),
        }
    }
}
