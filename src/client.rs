//! The client machine: a user agent (RFC 3261 §6) that sends one MESSAGE to several people, learns the outcome for
//! each of them, and receives messages.
//!
//! [`UserAgent`] is the entry point: it passes each input to the part responsible for it. It never blocks and has no
//! socket, no clock and no disk. [`core`](self) keeps the promise rule: what depends on a batch waits for its commit.
//!
//! **Invariant:** this room knows neither the proxy's code nor the window's, and keeps no earlier messages.
//!
//! Its parts; each uses only those listed after it:

mod on_commit;

mod deletion;

mod arrivals;

mod inbox;

mod outbox;

mod drafts;

mod later;

mod typing;

mod conversation;

mod agent;

use std::sync::Arc;
use std::time::Instant;

use self::agent::core::{Action, Core};
use self::agent::registration::Registration;
use self::agent::server_connection::{LostFlow, ServerConnection};
use self::agent::strangers::Strangers;
use self::conversation::Conversations;
use self::drafts::Drafts;
use self::inbox::Inbox;
use self::inbox::receipts::Receipts;
use self::later::LaterMessages;
use self::outbox::Outbox;
use self::typing::Typing;
use crate::machine::{
    ConnectId, Durability, Flow, Hop, Input, Machine, Output, RequestId, ResolveId, SendFault, TimerReason,
};
pub use crate::model::account::AgentConfig;
use crate::model::account::{Password, RegistrationState};
use crate::model::command::{AgentCommand, Event};
use crate::model::journal;
use crate::model::journal::{ConversationId, Rows, Write};
use crate::model::later::Later;
use crate::model::names::Names;
use crate::model::outage::Outage;
use crate::model::snapshot::{ConversationHead, Person};
use crate::model::text;
use crate::random::Random;
use crate::time::Now;

/// The client machine.
#[derive(Debug)]
pub struct UserAgent {
    core: Core,
    registration: Registration,
    outbox: Outbox,
    inbox: Inbox,
    receipts: Receipts,
    drafts: Drafts,
    later: LaterMessages,
    typing: Typing,
    conversations: Conversations,
    strangers: Strangers,
}

impl UserAgent {
    /// A user agent that starts from what the store holds; it does nothing until asked to.
    #[must_use]
    pub fn new(config: AgentConfig, rows: Rows, random: Random, now: Now) -> Self {
        let server = ServerConnection::new(config.profile.server.clone(), &config.locals);
        let mut core = Core::new(config.profile, server, random, (rows.last_message, rows.instance));
        let mut conversations = Conversations::recover(rows.conversations, rows.last_conversation);
        let outbox = Outbox::recover(rows.open, &mut conversations, &core, now);
        let inbox = Inbox::recover(rows.keys, now);
        let receipts = Receipts::recover(rows.unseen, &core.profile);
        let registration = Registration::new(&mut core.random);
        let (strangers, typing) = (Strangers::default(), Typing::default());
        let later = LaterMessages::recover(&rows.drafts, now);
        let drafts = Drafts::recover(rows.drafts);
        Self { core, registration, outbox, inbox, receipts, drafts, later, typing, conversations, strangers }
    }

    /// The entries of the conversation list: those with an unseen failure first, then by time.
    #[must_use]
    pub fn heads(&self) -> Vec<ConversationHead> {
        self.conversations.heads()
    }

    /// The account's state at its server.
    #[must_use]
    pub const fn registration(&self) -> &RegistrationState {
        self.registration.state()
    }

    /// The proxy's address, once it is known.
    #[must_use]
    pub fn proxy(&self) -> Option<Hop> {
        self.core.server.hop()
    }

    /// The server to which a redirect of the account's server has led us, if any.
    #[must_use]
    pub fn redirected_to(&self) -> Option<String> {
        self.core.server.redirected_to().map(|uri| text::visible(uri.as_str()))
    }

    /// What is being written, as far as it is kept.
    #[must_use]
    pub fn drafts(&self) -> Vec<journal::DraftRow> {
        self.drafts.all()
    }

    /// The messages that wait for the time at which they are to be sent.
    #[must_use]
    pub fn later(&self) -> Vec<Later> {
        self.later.all()
    }

    /// How many messages wait to be sent or to be answered by the proxy.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.outbox.unsent()
    }

    /// The stage that the latest attempt at a message has reached.
    #[must_use]
    pub fn stage(&self, message: journal::MessageId) -> Option<&journal::AttemptStage> {
        self.outbox.stage(message)
    }

    /// From now on, shows people under their names in the contacts.
    pub fn set_names(&mut self, names: Arc<Names>) {
        self.conversations.set_names(names);
    }

    /// Sets the account's password, used for all challenges from now on.
    pub fn set_password(&mut self, password: Password) {
        self.core.challenges.set_password(password);
    }

    /// The names in use, for [`crate::model::view`].
    #[must_use]
    pub fn names(&self) -> &Names {
        self.conversations.names()
    }

    /// The people of a conversation, and whether they are hidden from each other.
    #[must_use]
    pub fn people(&self, conversation: ConversationId) -> Option<(Arc<[Person]>, bool)> {
        self.conversations.people(conversation)
    }

    fn command(&mut self, command: AgentCommand, now: Now) {
        match command {
            AgentCommand::Send(draft) => {
                let written = draft.clone();
                if let Some(place) = self.outbox.keep(&mut self.core, &mut self.conversations, draft, now) {
                    self.typing.wrote(place);
                    self.drafts.sent(&mut self.core, place, &written);
                }
            }
            AgentCommand::SendLater { draft, due } => {
                self.drafts.sent_later(&mut self.core, &draft);
                self.later.keep(&mut self.core, draft, due, now);
            }
            AgentCommand::PutOff { number, due } => self.later.put_off(&mut self.core, number, due, now),
            AgentCommand::TakeLaterBack { number } => self.later.take_back(&mut self.core, number, now),
            AgentCommand::KeepDraft(row) => self.drafts.keep(&mut self.core, row, now),
            AgentCommand::Resend { message, only } => {
                self.outbox.resend(&mut self.core, message, only, now);
            }
            AgentCommand::ResendTo { message, recipient, address } => {
                let place = (message, recipient);
                self.outbox.resend_to(&mut self.core, &mut self.conversations, place, &address, now);
            }
            AgentCommand::Withdraw { message } => {
                self.outbox.withdraw(&mut self.core, message, now);
            }
            AgentCommand::Seen { conversation } => {
                self.conversations.seen(&mut self.core, conversation);
            }
            AgentCommand::SeenUpTo { conversation, message, unread } => {
                self.conversations.seen_so_far(&mut self.core, conversation, (message, unread));
            }
            AgentCommand::Typing { conversation, has_text: true } => {
                self.typing.typed(&mut self.core, &self.conversations, conversation, now);
            }
            AgentCommand::Typing { conversation, has_text: false } => {
                self.typing.stopped(&mut self.core, &self.conversations, conversation);
            }
            AgentCommand::Delete(deletion) => self.delete(deletion),
            AgentCommand::Connect => self.registration.connect(&mut self.core, now),
            AgentCommand::Disconnect => self.registration.leave(&mut self.core, now),
        }
    }

    /// Sends the messages whose time has come.
    fn send_later(&mut self, now: Now) {
        while let Some((number, draft)) = self.later.take_due(&mut self.core, now) {
            match self.outbox.keep(&mut self.core, &mut self.conversations, draft, now) {
                Some(_) => self.core.promise(Action::LaterSent(number)),
                // The owner has it back.
                None => self.later.sent(&mut self.core, number),
            }
        }
    }

    fn connected(&mut self, id: ConnectId, flow: Flow, now: Now) {
        if self.core.server.connected(id, flow) {
            self.registration.connection_open(&mut self.core, now);
            if self.core.server.is_stream() && !self.core.profile.register {
                self.outbox.call_reports();
            }
        } else {
            self.outbox.detour_connected(&mut self.core, id, Some(flow), now);
        }
    }

    fn disconnected(&mut self, flow: Flow, now: Now) {
        let lost = self.core.server.disconnected(flow);
        self.core.transactions.disconnected(flow);
        match lost {
            LostFlow::Main => self.registration.connection_lost(&mut self.core, now),
            LostFlow::Other => {}
        }
    }

    /// A datagram could not be sent: only the request in it fails. If nothing gets through to the proxy, we are
    /// offline.
    fn not_sent(&mut self, (flow, request): (Flow, Option<RequestId>), fault: SendFault, now: Now) {
        if let Some(request) = request {
            self.core.transactions.not_sent(request, fault);
        }
        if fault == SendFault::Refused && self.core.server.main() == Some(flow) {
            self.registration.connection_lost(&mut self.core, now);
        }
    }

    /// A look-up has ended: of our server's name, or of a name to which a message was redirected.
    fn resolved(&mut self, id: ResolveId, hops: Vec<Hop>, fault: Option<&str>, now: Now) {
        if self.core.server.asks(id) {
            self.core.server.found(id, hops);
            self.registration.proxy_found(&mut self.core, fault, now);
        } else {
            self.outbox.detour_found(&mut self.core, id, hops, now);
        }
    }

    /// The connection to the proxy could not be opened.
    fn connection_refused(&mut self, why: Outage, now: Now) {
        if self.core.server.is_stream() {
            self.registration.connection_refused(&mut self.core, why, now);
        }
    }

    /// Ends a turn: sends what can leave, and hands what was written to the disk.
    fn end_turn(&mut self, now: Now) {
        self.take_failures(now);
        let asks_first = self.registration.is_idle() && !self.core.profile.register;
        if asks_first && self.outbox.has_waiting() {
            // W6: an account that does not register asks what the server can do before its first submission.
            self.registration.connect(&mut self.core, now);
        }
        match self.registration.state() {
            RegistrationState::Connected => {
                self.outbox.send_waiting(&mut self.core, now);
                self.receipts.send_waiting(&mut self.core, now);
                self.typing.send_waiting(&mut self.core, now);
            }
            // W6: without proof of fan-out, the first recipient would get it and the others silently would not.
            RegistrationState::ByList | RegistrationState::NoFanOut => {
                self.outbox.send_without_proof(&mut self.core, now);
                self.receipts.send_waiting(&mut self.core, now);
                self.typing.send_waiting(&mut self.core, now);
            }
            RegistrationState::Idle
            | RegistrationState::Connecting(_)
            | RegistrationState::Offline { .. }
            | RegistrationState::Refused { .. } => self.typing.forget_waiting(),
        }
        self.core.end_turn();
    }
}

impl Machine for UserAgent {
    type Command = AgentCommand;
    type Event = Event;
    type Write = Write;

    fn handle(&mut self, input: Input<AgentCommand>, now: Now) {
        match input {
            Input::Received { flow, bytes } => self.received(flow, bytes, now),
            Input::Connected { id, flow } => self.connected(id, flow, now),
            Input::ConnectFailed { id, fault } => {
                if self.core.server.connect_failed(id) {
                    self.connection_refused(Outage::of(fault, self.core.server.hop()), now);
                } else {
                    self.outbox.detour_connected(&mut self.core, id, None, now);
                }
            }
            Input::NotSent { flow, request, fault } => self.not_sent((flow, request), fault, now),
            Input::Disconnected { flow } => self.disconnected(flow, now),
            Input::Resolved { id, hops } => self.resolved(id, hops, None, now),
            Input::ResolveFailed { id, why } => self.resolved(id, Vec::new(), Some(&why), now),
            Input::Interfaces(addresses) => self.core.server.reach.set_interfaces(&addresses),
            Input::Committed(id) => self.release(id, Durability::Durable, now),
            Input::CommitFailed(id) => self.release(id, Durability::Lost, now),
            Input::Command(command) => self.command(command, now),
        }
        self.end_turn(now);
    }

    fn handle_timeout(&mut self, now: Now) {
        self.core.transactions.handle_timeout(now.mono);
        self.take_failures(now);
        if self.core.server.handle_timeout(now.mono) {
            self.connection_refused(Outage::NoAnswer, now);
        }
        self.registration.handle_timeout(&mut self.core, now);
        self.outbox.handle_timeout(&mut self.core, now);
        self.typing.handle_timeout(&mut self.core, &self.conversations, now);
        self.send_later(now);
        self.end_turn(now);
    }

    fn poll_output(&mut self) -> Option<Output<Event, Write>> {
        self.core.poll_output()
    }

    fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let connection = self.core.server.poll_timeout().map(|due| (due, TimerReason::ConnectionAwaited));
        let parts = [
            self.core.transactions.poll_timeout(),
            connection,
            self.registration.poll_timeout(),
            self.outbox.poll_timeout(),
            self.typing.poll_timeout(),
            self.later.poll_timeout(),
        ];
        parts.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests;
