//! What every part of the client machine works with: transactions, promises, outputs, chance, and the line.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::own_contact::OwnContact;
use super::redirect::Target;
use super::server_connection::{Opening, ServerConnection};
use super::sign_in::Challenges;
use crate::machine::{Batch, BatchId, ConnectId, Flow, Hop, Output, PendingCommits, ResolveId, Transmit};
use crate::model::account::Profile;
use crate::model::command::{Draft, Event};
use crate::model::journal::{ConversationId, IncomingRow, MessageId, Write};
use crate::random::Random;
use crate::sip::{Compose, Method, NameAddr, Params, Request, Transport, Uri};
use crate::time::Now;
use crate::transaction::{Outgoing, ServerKey, Timers, TransactionLayer};

/// Look-ups and connections of redirected messages are numbered from here on; the line never comes so far.
const DETOURS_FROM: u64 = 1 << 32;

/// Our name for a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// REGISTER, or OPTIONS for an account that does not register.
    Account,
    /// OPTIONS to our domain, whose registrar did not say what it can do (W6, W27).
    Offers,
    /// An attempt at a message.
    Submission(MessageId, u32),
    /// The same to one of its recipients (W6).
    Single(Single),
    /// A notification of ours of what became of a message that came (RFC 5438), by number.
    Receipt(u64),
}

/// One recipient of an attempt that goes one by one (W6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Single {
    /// Of which message.
    pub(crate) message: MessageId,
    /// In which attempt.
    pub(crate) attempt: u32,
    /// Who, by index.
    pub(crate) recipient: u32,
}

/// What is done once a batch is committed, or has failed.
#[derive(Debug)]
pub(crate) enum Action {
    /// Nothing.
    Nothing,
    /// Tell the owner.
    Tell(Event),
    /// Answer a request.
    Answer(PendingResponse),
    /// A draft has become a message: tell, and send it.
    DraftKept(MessageId),
    /// A draft could not be kept.
    DraftLost(MessageId, Box<Draft>),
    /// The disk knows that an attempt may have left: it leaves.
    MayLeave(MessageId, u32),
    /// A further attempt is kept: send it.
    AttemptKept(MessageId, u32),
    /// A further attempt could not be kept.
    AttemptLost(MessageId, u32),
    /// What is known of a message could not be kept: write it again later.
    Unsaved(MessageId),
    /// All that was known of a message when it was written again is kept.
    Saved(MessageId),
    /// That could not be kept either.
    SavedNot(MessageId),
    /// The same, and the owner was to be told this by it.
    Untold(MessageId, Box<Event>),
    /// A report on a message is taken: answer by whether all that is known of it is kept.
    ReportTaken {
        /// On which message.
        message: MessageId,
        /// Where everything is.
        kept: PendingResponse,
        /// Where something is not.
        lost: PendingResponse,
    },
    /// That everything up to this message was seen is kept: tell, and let those who asked for it know.
    Seen(ConversationId, MessageId),
    /// A received message is kept: tell, then answer.
    IncomingKept(Box<IncomingRow>, PendingResponse),
    /// A received message could not be kept: forget that it came, and answer.
    IncomingLost(Box<IncomingRow>, PendingResponse),
    /// The same message again: answer by whether the first one was kept.
    Repeated {
        /// What tells doubles.
        key: String,
        /// Where it was kept.
        kept: PendingResponse,
        /// Where it was not.
        lost: PendingResponse,
    },
}

/// An answer that is ready to leave.
#[derive(Clone, Debug)]
pub(crate) struct PendingResponse {
    /// To which request.
    pub(crate) key: ServerKey,
    /// SIP status.
    pub(crate) status: u16,
    /// The response, printed.
    pub(crate) bytes: Bytes,
}

/// A request that waits for its answer, and whence it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IncomingRequest<'a> {
    /// The request.
    pub(crate) request: &'a Request,
    /// Its transaction.
    pub(crate) key: ServerKey,
    /// The flow that it came in on.
    pub(crate) flow: Flow,
}

/// What the parts share.
#[derive(Debug)]
pub(crate) struct Core {
    /// Who we are.
    pub(crate) profile: Profile,
    /// The flows to the proxy.
    pub(crate) line: ServerConnection,
    /// What proves that a datagram is from our server.
    pub(crate) own_contact: OwnContact,
    /// What our server asked us for.
    pub(crate) challenges: Challenges,
    /// Our server takes a list of recipients (RFC 5365, W27), as far as is known.
    pub(crate) takes_lists: bool,
    /// Requests and responses under way.
    pub(crate) transactions: TransactionLayer<Task>,
    /// The maker of tags and tokens.
    pub(crate) random: Random,
    held: PendingCommits<Write, Action>,
    outputs: VecDeque<Output<Event, Write>>,
    last_message: u64,
    last_detour: u64,
    /// What tells this device from others of ours, a `urn:uuid:` (RFC 5626 §4.1).
    instance: Option<String>,
}

/// What a registration says of the device that it is for (RFC 5626 §4.2).
#[derive(Debug, Default)]
pub(crate) struct Device {
    /// Parameters of its Contact.
    pub(crate) params: String,
    /// It wants to be reached over the flow that it registers on.
    pub(crate) is_outbound: bool,
}

impl Core {
    /// Of an account; `last_message` is the largest number in use.
    pub(crate) fn new(
        profile: Profile,
        line: ServerConnection,
        mut random: Random,
        (last_message, instance): (u64, Option<String>),
    ) -> Self {
        let mut key = [0; 16];
        for half in key.chunks_exact_mut(8) {
            half.copy_from_slice(&random.bits().to_be_bytes());
        }
        let own_contact = OwnContact::new(&profile.address, &mut random);
        let transactions = TransactionLayer::new(Timers::new(profile.t1), key);
        let challenges = Challenges::new(profile.sign_in.clone(), profile.address.aor().domain().to_owned());
        Self {
            profile,
            line,
            own_contact,
            challenges,
            takes_lists: false,
            transactions,
            random,
            held: PendingCommits::default(),
            outputs: VecDeque::new(),
            last_message,
            last_detour: 0,
            instance,
        }
    }

    /// A number for a message that is new.
    pub(crate) const fn next_message(&mut self) -> MessageId {
        self.last_message += 1;
        MessageId(self.last_message)
    }

    /// Tells the owner now.
    pub(crate) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Adds a write to the batch of this turn.
    pub(crate) fn write(&mut self, write: Write) {
        self.held.write(write);
    }

    /// What to do when the batch of this turn is committed, or has failed.
    pub(crate) fn promise(&mut self, on_commit: Action, on_fail: Action) {
        self.held.promise(on_commit, on_fail);
    }

    /// Tells the owner something about a message once the batch of this turn is committed.
    pub(crate) fn promise_told(&mut self, message: MessageId, event: Event) {
        self.promise(Action::Tell(event.clone()), Action::Untold(message, Box::new(event)));
    }

    /// What a batch lets go.
    pub(crate) fn committed(&mut self, id: BatchId) -> Vec<Action> {
        self.held.committed(id)
    }

    /// What is to be done about a batch that failed.
    pub(crate) fn commit_failed(&mut self, id: BatchId) -> Vec<Action> {
        self.held.failed(id)
    }

    /// Batches that the disk has not answered.
    pub(crate) fn batches_waiting(&self) -> usize {
        self.held.waiting()
    }

    /// Ends a turn: asks for the commit of what was written in it.
    pub(crate) fn end_turn(&mut self) {
        if let Some(batch) = self.held.take_batch() {
            let Batch { id, writes } = batch;
            self.outputs.push_back(Output::Commit(Batch { id, writes }));
        }
    }

    /// The next output: what was told and asked for first, then the bytes, so that the owner hears of a
    /// message before its 200 leaves.
    pub(crate) fn poll_output(&mut self) -> Option<Output<Event, Write>> {
        let transmit = |core: &mut Self| core.transactions.poll_transmit().map(Output::Transmit);
        self.outputs.pop_front().or_else(|| transmit(self))
    }

    /// Sends bytes outside of any transaction.
    pub(crate) fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        self.outputs.push_back(Output::Transmit(Transmit::new(flow, bytes)));
    }

    /// Asks where the proxy is, unless that is asked already.
    pub(crate) fn find_proxy(&mut self) {
        if let Some((id, uri)) = self.line.find() {
            self.outputs.push_back(Output::Resolve { id, uri });
        }
    }

    /// Looks up where a URI leads that is not our server's. Numbers of such questions and wishes are apart from those of the line.
    pub(crate) fn resolve(&mut self, uri: Uri) -> ResolveId {
        self.last_detour += 1;
        let id = ResolveId(DETOURS_FROM + self.last_detour);
        self.outputs.push_back(Output::Resolve { id, uri });
        id
    }

    /// Opens a connection to a place that is not our server's.
    pub(crate) fn connect(&mut self, hop: Hop, domain: Option<Arc<str>>) -> ConnectId {
        self.last_detour += 1;
        let id = ConnectId(DETOURS_FROM + self.last_detour);
        self.outputs.push_back(Output::Connect { id, hop, domain });
        id
    }

    /// The server has sent us to another one. A realm is believed there because it asks only where it is of our domain.
    pub(crate) fn redirect(&mut self, target: &Target) {
        let domain = self.profile.address.aor().domain().to_owned();
        self.line.redirect(target, &domain);
        let host = target.uri.host().trim_end_matches('.').to_ascii_lowercase();
        let is_of_domain = host == domain || host.ends_with(&format!(".{domain}"));
        self.challenges.set_at_home(is_of_domain);
    }

    /// Back to the server that the account names.
    pub(crate) fn go_home(&mut self) {
        self.line.go_home();
        self.challenges.set_at_home(true);
    }

    /// Asks for the connection to the proxy, unless it is there or asked for.
    pub(crate) fn open_stream(&mut self, now: Instant, wait: Duration) {
        if let Some(Opening { id, hop, domain }) = self.line.open(now, wait) {
            self.outputs.push_back(Output::Connect { id, hop, domain: Some(domain) });
        }
    }

    /// The beginning of a request that leaves on `flow`, and the branch in its Via.
    pub(crate) fn request(&mut self, method: &Method, uri: &Uri, flow: Flow) -> (Compose, String) {
        let (begun, branch) = self.request_to_anybody(method, uri, flow);
        (self.challenges.authorize(begun, (method, uri), &mut self.random), branch)
    }

    /// The same without credentials, for whom they are none of his business.
    pub(crate) fn request_to_anybody(&mut self, method: &Method, uri: &Uri, flow: Flow) -> (Compose, String) {
        let branch = format!("z9hG4bK{}", self.random.token(16));
        let own = self.line.own_address(flow);
        // RFC 3581: the answer comes back through a NAT to the port that we sent from.
        let rport = if flow.transport == Transport::Udp { ";rport" } else { "" };
        let via = format!("SIP/2.0/{} {own};branch={branch}{rport}", flow.transport);
        (Compose::request(method, uri).field("Via", via).field("Max-Forwards", 70), branch)
    }

    /// Starts a client transaction.
    pub(crate) fn send(
        &mut self,
        task: Task,
        method: Method,
        (flow, branch): (Flow, &str),
        bytes: Bytes,
        now: Now,
    ) {
        let (deadline, transmissions_max) = (None, None);
        let outgoing = Outgoing { user: task, branch, method, flow, bytes, deadline, transmissions_max };
        self.transactions.send(outgoing, now.mono);
    }

    /// The beginning of an answer with a To tag of ours.
    pub(crate) fn answer(&mut self, asked: IncomingRequest<'_>, status: u16) -> Compose {
        let tag = self.random.token(10);
        Compose::response(asked.request, status, None, &tag, asked.flow.remote)
    }

    /// Answers now: nothing is promised by it.
    pub(crate) fn answer_now(&mut self, asked: IncomingRequest<'_>, status: u16, bytes: Bytes, now: Now) {
        self.transactions.respond(asked.key, status, bytes, now.mono);
    }

    /// Sends an answer that waited.
    pub(crate) fn respond(&mut self, answer: PendingResponse, now: Now) {
        self.transactions.respond(answer.key, answer.status, answer.bytes, now.mono);
    }

    /// An answer without a body, for now or for later.
    pub(crate) fn plain_answer(&mut self, asked: IncomingRequest<'_>, status: u16) -> PendingResponse {
        let bytes = self.answer(asked, status).finish();
        PendingResponse { key: asked.key, status, bytes }
    }

    /// The 503 of a disk that does not take what came (its sender tries again).
    pub(crate) fn busy_answer(&mut self, asked: IncomingRequest<'_>) -> PendingResponse {
        let begun = self.answer(asked, 503).field("Retry-After", crate::limits::RETRY_AFTER_SECS);
        PendingResponse { key: asked.key, status: 503, bytes: begun.finish() }
    }

    /// Whether a Contact is of this device (RFC 5626 §4.1).
    pub(crate) fn is_own_instance(&self, contact: &NameAddr) -> bool {
        let said = contact.params.get("+sip.instance").map(|said| said.trim_matches(['<', '>']));
        said.is_some_and(|said| self.instance.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(said)))
    }

    /// What our registration on a flow says of this device; `lacks_outbound` where RFC 5626 is not supported on the way.
    pub(crate) fn device(&self, flow: Flow, lacks_outbound: bool) -> Device {
        let Some(instance) = &self.instance else { return Device::default() };
        // Behind a NAT a datagram flow would need STUN for it.
        let is_outbound = flow.transport.is_reliable() && !lacks_outbound;
        let reg_id = if is_outbound { ";reg-id=1" } else { "" };
        Device { params: format!(";+sip.instance=\"<{instance}>\"{reg_id}"), is_outbound }
    }

    /// Whether a request is from our server (W25): it comes from there, and by datagram it names our Contact, which nobody else knows,
    /// unless the server has never done so.
    pub(crate) fn is_from_server(&self, request: &Request, flow: Flow) -> bool {
        let is_proven =
            flow.transport != Transport::Udp || self.own_contact.is_as_the_server_writes(request.uri());
        is_proven && self.line.leads_to_proxy(flow)
    }

    /// Our own URI in `sip:` form where others can reach us directly: what stands in Contact.
    pub(crate) fn contact(&self, flow: Flow) -> String {
        // Large requests leave on a connection, but we stay reachable where we registered.
        let reached = self.line.main().unwrap_or(flow);
        let own = self.line.own_address(reached);
        let user = self.own_contact.user(reached.transport == Transport::Udp);
        let scheme = if self.profile.address.is_sips() { "sips" } else { "sip" };
        format!("<{scheme}:{user}@{own}{}>", reached.transport.uri_param())
    }
}

/// `"Name" <uri>;tag=tag`, without the name when it is empty.
pub(crate) fn name_addr(name: &str, uri: &Uri, tag: &str) -> NameAddr {
    let display = (!name.is_empty()).then(|| name.to_owned());
    NameAddr { display, uri: uri.clone(), params: Params(vec![("tag".to_owned(), Some(tag.to_owned()))]) }
}

/// The registrar's own URI (RFC 3261 §10.2): our domain, without the user.
pub(crate) fn domain_of(own: &Uri) -> Uri {
    let port = own.port().map(|port| format!(":{port}")).unwrap_or_default();
    Uri::parse(&format!("sip:{}{port}", own.host())).unwrap_or_else(|_| own.clone())
}
