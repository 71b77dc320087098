//! The server machine: a registrar that also sends one MESSAGE on to many people and reports the results to its sender.
//!
//! Bytes come in through [`Proxy::handle`]. Each request goes to the part that serves it, each response to the leg,
//! report or relay that it answers. A submission is *accepted* (202) and sent anew to each recipient: strictly, that is
//! a URI-list service (RFC 3428 §7, RFC 5365), not a proxy of RFC 3261 §16. An ordinary MESSAGE is proxied.
//!
//! **Invariant:** no socket, no clock, no SQL. What promises something leaves only after [`Input::Committed`].
//!
//! The parts, top to bottom; each uses only those listed after it:

mod recover;

mod departures;

mod steps;

mod relay;

mod ingress;

mod registrar;

mod dispatch;

mod in_dialog;

mod own_route;

mod identity;

mod core;

mod mailbox;

mod routing;

mod guard;

mod transport;

mod location;

mod secret;

mod event;

mod config;

pub mod journal;

use std::time::Instant;

use bytes::Bytes;

pub use self::config::{
    Auth, Inbound, InboundConfig, MailboxConfig, Party, PartyError, Prefix, PrefixError, ProxyConfig,
    StaticRoute, Trusted,
};
pub use self::event::{Gauges, ProxyCommand, ProxyEvent, Refusal, RefusalKind};
use self::ingress::{admission, auth, inbound};

use self::core::{Action, Core, Registration, Rejection};
use self::dispatch::{Dispatches, Pending};
use self::ingress::admission::Purpose;
use self::ingress::auth::Role;
use self::journal::Write;
use self::own_route::OwnRoutes;
pub use self::recover::Recovery;
use self::relay::Relays;
use self::relay::session::{Sessions, is_of_session};
use self::routing::aliases::Aliases;
use self::transport::request_sender::SenderNeed;
use crate::machine::{BatchId, DropReason, Durability, Flow, Input, Machine, Output, TimerReason, Transmit};
use crate::sip::{Message, Request, Transport, parse, refusal};
use crate::time::Now;
use crate::transaction::{Arrival, ServerKey};

/// The outcome for a request: it is served, or refused.
type Refusable = Result<(), Rejection>;

/// The server machine. See the module documentation.
#[derive(Debug)]
pub struct Proxy {
    core: Core,
    dispatches: Dispatches,
    relays: Relays,
    sessions: Sessions,
}

impl Proxy {
    fn received(&mut self, flow: Flow, bytes: &Bytes, now: Now) {
        self.core.sender.heard_on(flow);
        if flow.transport == Transport::Udp {
            if !is_response(bytes) {
                self.core.reflection.received(flow.remote, bytes.len());
            }
            self.core.note_near_peer(flow);
        }
        match parse(bytes.clone()) {
            Ok(Message::Request(request)) => {
                let request = own_route::restored(&self.core, &request).unwrap_or(request);
                self.request(&request, flow, now);
            }
            Ok(Message::Response(response)) => {
                let response = identity::without_claims(&self.core, &response, flow).unwrap_or(response);
                self.response(&response, flow, now);
            }
            Err(error) => {
                let tag = self.core.random.token(12);
                if let Some(refusal) = refusal(bytes, &error, flow.remote, &tag) {
                    self.core.tell(ProxyEvent::Refused { status: error.status() });
                    self.core.transmit(flow, refusal);
                } else {
                    DropReason::Unreadable.tell(flow);
                }
            }
        }
    }

    fn request(&mut self, request: &Request, flow: Flow, now: Now) {
        if let Some(rejection) = inbound::banned(&self.core, request, flow) {
            return self.core.refuse_at_once(request, flow, &rejection, now);
        }
        if let Some(key) = admission::turned_away(&self.core, &self.dispatches, (request, flow), now) {
            self.core.turn_away(key, request, flow, now);
            return;
        }
        let own = own_route::own_routes(&self.core, request);
        if is_of_session(request, &own, now) {
            return self.sessions.request(&mut self.core, (request, &own), flow, now);
        }
        match self.core.sender.receive_request(request, flow, now.mono) {
            Arrival::New(key) => {
                if let Err(rejection) = self.serve(key, (request, &own), flow, now) {
                    self.core.refuse(key, request, flow, &rejection, now);
                }
            }
            Arrival::Absorbed => {}
            Arrival::Full => {
                let bytes = self.core.print_refusal(request, flow, &Rejection::busy());
                self.core.transmit(flow, bytes);
            }
        }
    }

    fn serve(
        &mut self,
        key: ServerKey,
        (request, own): (&Request, &OwnRoutes),
        flow: Flow,
        now: Now,
    ) -> Refusable {
        match admission::admit(&self.core, (request, own), flow, now)? {
            Purpose::Register => {
                auth::check(&mut self.core, request, flow, Role::Registrar, now)?;
                registrar::register(&mut self.core, key, request, flow, now)
            }
            Purpose::Options => {
                self.core.tell_what_we_do(key, request, flow, now);
                Ok(())
            }
            Purpose::Submission => self.submission(key, request, flow, now),
            Purpose::Relay => {
                auth::check(&mut self.core, request, flow, Role::Proxy, now)?;
                admission::check_rate(&mut self.core, request, flow, now)?;
                inbound::admit(&mut self.core, (request, own), flow, now)?;
                self.relays.forward(&mut self.core, (key, flow), (request, own), now)
            }
        }
    }

    fn submission(&mut self, key: ServerKey, request: &Request, flow: Flow, now: Now) -> Refusable {
        let double = self.dispatches.double_of(&self.core, request);
        let proved = auth::check(&mut self.core, request, flow, Role::Proxy, now);
        if let Some(double) = double {
            // W12: anybody gets an answer to a repetition, but its flow is adopted only if its sender authenticates.
            let content = admission::read_submission(&self.core, request)?.content;
            let pending = Pending { key, request: request.clone(), flow };
            self.dispatches.repeat(&mut self.core, double, pending, content, now)?;
            if proved.is_ok() {
                self.dispatches.follow(&mut self.core, double, flow, now);
            }
            return Ok(());
        }
        proved?;
        let submission = admission::read_submission(&self.core, request)?;
        admission::check_rate(&mut self.core, &submission.request, flow, now)?;
        self.dispatches.submit(&mut self.core, (key, flow), submission, now)
    }

    fn committed(&mut self, batch: BatchId, now: Now) {
        self.core.load.answered(batch);
        for action in self.core.held().release(batch) {
            self.act(action, Durability::Durable, now);
        }
    }

    fn commit_failed(&mut self, batch: BatchId, now: Now) {
        self.core.tell(ProxyEvent::StoreFailed);
        self.core.load.answered(batch);
        for action in self.core.held().release(batch) {
            self.act(action, Durability::Lost, now);
        }
    }

    /// Does what waited for a batch, now that its fate is known.
    fn act(&mut self, action: Action, fate: Durability, now: Now) {
        let core = &mut self.core;
        match (action, fate) {
            (Action::WriteAgain(_), Durability::Durable) | (Action::Shortened, Durability::Lost) => {}
            (Action::WriteAgain(write), Durability::Lost) => core.write_again(*write),
            (Action::Purged { gone, signed_out, write }, fate) => {
                departures::forget(core, &gone, &signed_out);
                if fate == Durability::Lost {
                    core.write_again(*write);
                }
            }
            (Action::Registered(registration), fate) => self.registered(&registration, fate, now),
            (Action::Accepted(id), Durability::Durable) => self.dispatches.accepted(core, id, now),
            (Action::Accepted(id), Durability::Lost) => self.dispatches.not_accepted(core, id, now),
            (Action::Saved(id, round), fate) => self.dispatches.saved(core, (id, round), fate, now),
            (Action::Reportable(id, round), fate) => self.dispatches.reportable(core, (id, round), fate, now),
            (Action::Shortened, Durability::Durable) => self.dispatches.shorten(core),
        }
    }

    fn registered(&mut self, registration: &Registration, fate: Durability, now: Now) {
        let core = &mut self.core;
        let Registration { key, request, flow, aor, writes } = registration;
        core.registering = core.registering.saturating_sub(request.bytes().len());
        match fate {
            Durability::Durable => {
                registrar::committed(core, registration, now);
                self.dispatches.registered(core, aor, now);
                self.dispatches.call(core, aor, writes);
            }
            Durability::Lost => core.refuse(*key, request, *flow, &Rejection::busy(), now),
        }
    }

    /// Handles the follow-up steps of an input, then asks for the commit of what they wrote.
    fn settle(&mut self, now: Now) {
        loop {
            if let Some(step) = self.core.sender.poll_step() {
                self.step(step, now);
            } else if let Some(turn) = self.core.mailbox.poll_turn() {
                self.dispatches.turn(&mut self.core, &turn, now);
            } else {
                break;
            }
        }
        self.core.commit(now);
    }

    fn time_passed(&mut self, now: Now) {
        self.core.sender.handle_timeout(now.mono);
        if let Some(refused) = self.core.load.handle_timeout(now.mono) {
            self.core.tell(ProxyEvent::Calm { refused });
        }
        for write in self.core.location.expire(now.mono) {
            self.core.write(write);
        }
        while let Some(due) = self.core.agenda.pop(now.mono) {
            self.dispatches.due(&mut self.core, due, now);
        }
        self.settle(now);
    }
}

impl Proxy {
    fn next_output(&mut self) -> Option<Output<ProxyEvent, Write>> {
        let core = &mut self.core;
        core.poll_output().or_else(|| core.sender.poll_transmit().map(Output::Transmit)).or_else(|| {
            Some(match core.sender.poll_wish()? {
                SenderNeed::Connect { id, hop, domain } => Output::Connect { id, hop, domain },
                SenderNeed::Resolve { id, uri, terms } => Output::Resolve { id, uri, terms },
            })
        })
    }

    /// False for a response in a datagram to where somebody may have it sent by forging the source of requests.
    fn may_leave(&mut self, sent: &Transmit) -> bool {
        let is_answer = sent.flow.transport == Transport::Udp && is_response(&sent.bytes);
        !is_answer || self.core.reflection.allows(sent.flow.remote, sent.bytes.len())
    }

    /// How much it has to do. Nothing is counted for this: whoever never asks pays nothing.
    #[must_use]
    pub fn gauges(&self) -> Gauges {
        let (mailbox, owed_to_devices) = self.core.mailbox.lengths();
        Gauges {
            open_submissions: self.dispatches.open(),
            legs_under_way: self.dispatches.legs_under_way(),
            requests_waiting: self.core.sender.waiting_count(),
            mailbox,
            owed_to_devices,
            bindings: self.core.location.count(),
        }
    }
}

/// By its first bytes.
fn is_response(bytes: &[u8]) -> bool {
    bytes.starts_with(b"SIP/2.0 ")
}

impl Machine for Proxy {
    type Command = ProxyCommand;
    type Event = ProxyEvent;
    type Write = Write;

    fn handle(&mut self, input: Input<ProxyCommand>, now: Now) {
        match input {
            Input::Received { flow, bytes } => self.received(flow, &bytes, now),
            Input::Connected { id, flow } => self.core.sender.connected(id, flow),
            Input::ConnectFailed { id, .. } => self.core.sender.connect_failed(id, now.mono),
            Input::NotSent { request, fault, .. } => self.core.sender.not_sent(request, fault),
            Input::Disconnected { flow } => self.core.sender.disconnected(flow),
            Input::Resolved { id, hops } => self.core.sender.resolved(id, hops),
            Input::ResolveFailed { id, .. } => self.core.sender.resolved(id, Vec::new()),
            Input::Interfaces(addresses) => self.core.sender.set_interfaces(&addresses),
            Input::Committed(batch) => self.committed(batch, now),
            Input::CommitFailed(batch) => self.commit_failed(batch, now),
            Input::Command(ProxyCommand::Flush) => self.dispatches.save_all(&mut self.core),
            Input::Command(ProxyCommand::InputsWaiting(count)) => self.core.load.set_inputs(count),
            Input::Command(ProxyCommand::Aliases(aliases)) => self.core.aliases = Aliases::new(&aliases),
            Input::Command(ProxyCommand::Users(users)) => self.core.users.replace(&users),
            Input::Command(ProxyCommand::Read(id, rows)) => {
                self.dispatches.read(&mut self.core, id, rows.map(|rows| *rows), now);
            }
            Input::Command(ProxyCommand::Settings(newer)) => self.core.config.adopt(*newer),
            Input::Command(ProxyCommand::Removed(rows)) => {
                departures::purge(&mut self.core, &mut self.dispatches, &rows, now);
            }
        }
        self.settle(now);
    }

    fn handle_timeout(&mut self, now: Now) {
        self.time_passed(now);
        // A timeout may have started another attempt whose time is already over: continue until nothing is due.
        while self.core.sender.poll_timeout().is_some_and(|(at, _)| at <= now.mono) {
            self.time_passed(now);
        }
    }

    fn poll_output(&mut self) -> Option<Output<ProxyEvent, Write>> {
        if let Some(passed) = self.core.poll_passed_back() {
            return Some(Output::Transmit(passed));
        }
        while let Some(output) = self.next_output() {
            let Output::Transmit(sent) = &output else { return Some(output) };
            if self.may_leave(sent) {
                return Some(output);
            }
            DropReason::Reflected.tell(sent.flow);
        }
        None
    }

    fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let core = &self.core;
        let binding = core.location.next_end().map(|ends| (ends, TimerReason::BindingEnds));
        let load = core.load.poll_timeout().map(|at| (at, TimerReason::TurnedAwayForgotten));
        [core.sender.poll_timeout(), core.agenda.next(), binding, load].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
