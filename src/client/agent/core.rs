//! State shared by all parts of the client machine: transactions, promises, outputs, randomness, the connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::own_contact::OwnContact;
use super::redirect::Target;
use super::server_connection::{Opening, ServerConnection};
use super::service_route::ServiceRoute;
use super::sign_in::{Answerer, Challenges};
use crate::machine::{
    Batch, BatchId, ConnectId, Flow, Hop, LookupTerms, Output, PendingCommits, ResolveId, Transmit,
};
use crate::model::account::Profile;
use crate::model::command::{Draft, Event};
use crate::model::journal::{ConversationId, DraftPlace, IncomingRow, MessageId, Write};
use crate::random::Random;
use crate::sip::{Compose, Method, NameAddr, Params, Request, Transport, Uri};
use crate::time::Now;
use crate::transaction::{Outgoing, ServerKey, Timers, TransactionLayer};

/// Look-ups and connections for redirected messages are numbered from here; those for our server stay far below.
const DETOURS_FROM: u64 = 1 << 32;

/// What a client transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// REGISTER, or OPTIONS for an account that does not register.
    Account,
    /// OPTIONS to our domain, when its registrar did not say what it supports (W6, W27).
    Offers,
    /// REGISTER that changes no binding, to learn the realm of an account that does not register.
    Realm,
    /// An attempt at a message.
    Submission(MessageId, u32),
    /// A MESSAGE to one recipient of an attempt (W6).
    Single(Single),
    /// A notification from us about a received message (RFC 5438), by number.
    Receipt(u64),
    /// A message that says whether the user is typing (RFC 3994), by number.
    Typing(u64),
}

/// One recipient of an attempt sent one by one (W6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Single {
    /// The message.
    pub(crate) message: MessageId,
    /// The attempt.
    pub(crate) attempt: u32,
    /// The recipient's index.
    pub(crate) recipient: u32,
}

/// What to do once the fate of a batch is known.
#[derive(Debug)]
pub(crate) enum Action {
    /// What is being written is stored; if not, the owner is told.
    DraftKept(DraftPlace),
    /// A message that is sent later is stored; if not, the owner gets it back.
    LaterKept(u32),
    /// It has become a message; if that is not stored, it waits a little longer.
    LaterSent(u32),
    /// If it is stored, tell the owner.
    Tell(Event),
    /// Tell the owner, whatever became of the batch.
    TellAnyway(Event),
    /// Tell the owner something about a message; if that is not stored, write it again later and tell then.
    TellOf(MessageId, Event),
    /// The state of a message is stored, or is written again later.
    StateKept(MessageId),
    /// The state of a message was written once more; if that failed too, again later.
    StateRewritten(MessageId),
    /// A draft is stored as a message: tell the owner, and send it. If not, the owner gets the draft back.
    Submitted(MessageId, Box<Draft>),
    /// The disk has recorded that an attempt may have left: send it.
    MayLeave(MessageId, u32),
    /// A further attempt is stored: send it. If not, it is dropped.
    AttemptKept(MessageId, u32),
    /// A report on a message was processed: the answer depends on whether all that is known of it is stored.
    ReportTaken {
        /// The message.
        message: MessageId,
        /// The answer if everything is stored.
        kept: PendingResponse,
        /// The answer if something is not.
        lost: PendingResponse,
    },
    /// It is stored that everything up to this message was seen: tell the owner, and any senders who asked to know.
    Seen(ConversationId, MessageId),
    /// A received message is stored: tell the owner, then answer. If not, forget its key and its conversation's new row, and answer.
    Incoming {
        /// The message.
        row: Box<IncomingRow>,
        /// The answer if it is stored.
        kept: PendingResponse,
        /// The answer if it is not.
        lost: PendingResponse,
    },
    /// Messages of this conversation are deleted: tell the owner; if they are not, too.
    Deleted(ConversationId),
    /// A duplicate: the answer depends on whether the first copy was stored.
    Repeated {
        /// The key that identifies duplicates.
        key: String,
        /// The answer if it was stored.
        kept: PendingResponse,
        /// The answer if it was not.
        lost: PendingResponse,
    },
}

/// A response ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct PendingResponse {
    /// The transaction of the request it answers.
    pub(crate) key: ServerKey,
    /// SIP status.
    pub(crate) status: u16,
    /// The response, printed.
    pub(crate) bytes: Bytes,
}

/// A request awaiting its answer, and the flow it came on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IncomingRequest<'a> {
    /// The request.
    pub(crate) request: &'a Request,
    /// Its transaction.
    pub(crate) key: ServerKey,
    /// The flow that it came in on.
    pub(crate) flow: Flow,
}

/// State that the parts share.
#[derive(Debug)]
pub(crate) struct Core {
    /// The account.
    pub(crate) profile: Profile,
    /// The connection and flows to the proxy.
    pub(crate) server: ServerConnection,
    /// Our Contact, with the token that proves a datagram is from our server.
    pub(crate) own_contact: OwnContact,
    /// Digest challenges, and the credentials for them.
    pub(crate) challenges: Challenges,
    /// The way that our registrar wants our messages to take.
    pub(crate) service_route: ServiceRoute,
    /// Our server accepts recipient lists (RFC 5365, W27), as far as is known.
    pub(crate) takes_lists: bool,
    /// Requests and responses under way.
    pub(crate) transactions: TransactionLayer<Task>,
    /// Source of tags and tokens.
    pub(crate) random: Random,
    held: PendingCommits<Write, Action>,
    outputs: VecDeque<Output<Event, Write>>,
    last_message: u64,
    last_detour: u64,
    /// Distinguishes this device from our others: a `urn:uuid:` (RFC 5626 §4.1); none where what is stored does not last.
    pub(crate) instance: Option<String>,
}

impl Core {
    /// State for an account; `last_message` is the largest message number in use.
    pub(crate) fn new(
        profile: Profile,
        server: ServerConnection,
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
            server,
            own_contact,
            challenges,
            service_route: ServiceRoute::default(),
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

    /// A number for a new message.
    pub(crate) const fn next_message(&mut self) -> MessageId {
        self.last_message += 1;
        MessageId(self.last_message)
    }

    /// Tells the owner at once.
    pub(crate) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Adds a write to the batch of this turn.
    pub(crate) fn write(&mut self, write: Write) {
        self.held.write(write);
    }

    /// What to do once the fate of this turn's batch is known.
    pub(crate) fn promise(&mut self, action: Action) {
        self.held.promise(action);
    }

    /// The actions that waited for a batch.
    pub(crate) fn release(&mut self, id: BatchId) -> Vec<Action> {
        self.held.release(id)
    }

    /// How many batches the disk has not answered yet.
    pub(crate) fn batches_waiting(&self) -> usize {
        self.held.waiting()
    }

    /// Ends a turn: requests a commit of what was written in it.
    pub(crate) fn end_turn(&mut self) {
        if let Some(batch) = self.held.take_batch() {
            let Batch { id, writes } = batch;
            self.outputs.push_back(Output::Commit(Batch { id, writes }));
        }
    }

    /// The next output: events and requests before bytes, so that the owner hears of a message before its 200 leaves.
    pub(crate) fn poll_output(&mut self) -> Option<Output<Event, Write>> {
        let transmit = |core: &mut Self| core.transactions.poll_transmit().map(Output::Transmit);
        self.outputs.pop_front().or_else(|| transmit(self))
    }

    /// Sends bytes outside of any transaction.
    pub(crate) fn transmit(&mut self, flow: Flow, bytes: Bytes) {
        self.outputs.push_back(Output::Transmit(Transmit::new(flow, bytes)));
    }

    /// Looks up the proxy's address, unless a look-up is already pending.
    pub(crate) fn find_proxy(&mut self) {
        if let Some((id, uri)) = self.server.find() {
            self.outputs.push_back(Output::Resolve { id, uri, terms: LookupTerms::default() });
        }
    }

    /// Looks up a URI that is not our server's; numbered apart from the look-ups for our own server.
    pub(crate) fn resolve(&mut self, uri: Uri) -> ResolveId {
        self.last_detour += 1;
        let id = ResolveId(DETOURS_FROM + self.last_detour);
        self.outputs.push_back(Output::Resolve { id, uri, terms: LookupTerms::default() });
        id
    }

    /// Opens a connection to somebody other than our server.
    pub(crate) fn connect(&mut self, hop: Hop, domain: Option<Arc<str>>) -> ConnectId {
        self.last_detour += 1;
        let id = ConnectId(DETOURS_FROM + self.last_detour);
        self.outputs.push_back(Output::Connect { id, hop, domain });
        id
    }

    /// Follows our server's redirect to another one, whose realms are trusted only if it is in our own domain.
    pub(crate) fn redirect(&mut self, target: &Target) {
        let domain = self.profile.address.aor().domain().to_owned();
        self.server.redirect(target, &domain);
        let host = target.uri.host().trim_end_matches('.').to_ascii_lowercase();
        let is_of_domain = host == domain || host.ends_with(&format!(".{domain}"));
        self.challenges.set_at_home(is_of_domain);
    }

    /// Returns to the server that the account names.
    pub(crate) fn go_home(&mut self) {
        self.server.go_home();
        self.challenges.set_at_home(true);
    }

    /// Opens the connection to the proxy, unless it is open or being opened.
    pub(crate) fn open_stream(&mut self, now: Instant, wait: Duration) {
        if let Some(Opening { id, hop, domain }) = self.server.open(now, wait) {
            self.outputs.push_back(Output::Connect { id, hop, domain: Some(domain) });
        }
    }

    /// The start of a request that leaves on `flow` and that our server answers itself, and the branch in its Via.
    pub(crate) fn request(&mut self, method: &Method, uri: &Uri, flow: Flow) -> (Compose, String) {
        let (begun, branch) = self.request_to_anybody(method, uri, flow);
        let begun = if *method == Method::Message { self.service_route.put(begun) } else { begun };
        (self.challenges.authorize(begun, (method, uri), Answerer::Server, &mut self.random), branch)
    }

    /// The same for a MESSAGE that our server passes on to the person with this address.
    pub(crate) fn request_to_person(&mut self, uri: &Uri, flow: Flow) -> (Compose, String) {
        let (begun, branch) = self.request_to_anybody(&Method::Message, uri, flow);
        let begun = self.service_route.put(begun);
        let answerer = Answerer::Recipient(uri);
        (self.challenges.authorize(begun, (&Method::Message, uri), answerer, &mut self.random), branch)
    }

    /// The same without credentials, for receivers that must not see them.
    pub(crate) fn request_to_anybody(&mut self, method: &Method, uri: &Uri, flow: Flow) -> (Compose, String) {
        let branch = format!("z9hG4bK{}", self.random.token(16));
        let own = self.server.own_address(flow);
        // RFC 3581: the response then comes back through a NAT to the port that we sent from.
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
        self.send_until(task, method, (flow, branch, None), bytes, now);
    }

    /// The same, given up at `deadline` if that is before Timer F.
    pub(crate) fn send_until(
        &mut self,
        task: Task,
        method: Method,
        (flow, branch, deadline): (Flow, &str, Option<Instant>),
        bytes: Bytes,
        now: Now,
    ) {
        let (user, transmissions_max) = (task, self.server.transmissions_max(flow));
        let outgoing = Outgoing { user, branch, method, flow, bytes, deadline, transmissions_max };
        self.transactions.send(outgoing, now.mono);
    }

    /// The start of a response with a To tag of ours.
    pub(crate) fn answer(&mut self, asked: IncomingRequest<'_>, status: u16) -> Compose {
        let tag = self.random.token(10);
        Compose::response(asked.request, status, None, &tag, asked.flow.remote)
    }

    /// Answers at once: this response promises nothing.
    pub(crate) fn answer_now(&mut self, asked: IncomingRequest<'_>, status: u16, bytes: Bytes, now: Now) {
        self.transactions.respond(asked.key, status, bytes, now.mono);
    }

    /// Sends a response that was held back.
    pub(crate) fn respond(&mut self, answer: PendingResponse, now: Now) {
        self.transactions.respond(answer.key, answer.status, answer.bytes, now.mono);
    }

    /// A response without a body, to send now or later.
    pub(crate) fn plain_answer(&mut self, asked: IncomingRequest<'_>, status: u16) -> PendingResponse {
        let bytes = self.answer(asked, status).finish();
        PendingResponse { key: asked.key, status, bytes }
    }

    /// A 503 because the disk does not accept what came; the sender will retry.
    pub(crate) fn busy_answer(&mut self, asked: IncomingRequest<'_>) -> PendingResponse {
        let begun = self.answer(asked, 503).field("Retry-After", crate::limits::RETRY_AFTER_SECS);
        PendingResponse { key: asked.key, status: 503, bytes: begun.finish() }
    }

    /// Whether a Contact belongs to this device (RFC 5626 §4.1).
    pub(crate) fn is_own_instance(&self, contact: &NameAddr) -> bool {
        let said = contact.params.get("+sip.instance").map(|said| said.trim_matches(['<', '>']));
        said.is_some_and(|said| self.instance.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(said)))
    }

    /// Whether a request is from our server (W25): over the connection that we opened to it, or from its address and to
    /// our Contact, which nobody else knows. The latter is waived until the server has done so once.
    pub(crate) fn is_from_server(&self, request: &Request, flow: Flow) -> bool {
        let is_proven = self.server.stream_flow() == Some(flow)
            || self.own_contact.is_as_the_server_writes(request.uri());
        is_proven && self.server.leads_to_proxy(flow)
    }

    /// Our URI in `sip:` form at an address where others can reach us directly, for Contact.
    pub(crate) fn contact(&self, flow: Flow) -> String {
        // Large requests leave on a connection, but we stay reachable on the flow that we registered on.
        let reached = self.server.main().unwrap_or(flow);
        let own = self.server.own_address(reached);
        let user = self.own_contact.user(reached.transport.is_secure());
        let scheme = if self.profile.address.is_sips() { "sips" } else { "sip" };
        format!("<{scheme}:{user}@{own}{}>", reached.transport.uri_param())
    }
}

/// `"Name" <uri>;tag=tag`; no name if it is empty.
pub(crate) fn name_addr(name: &str, uri: &Uri, tag: &str) -> NameAddr {
    let display = (!name.is_empty()).then(|| name.to_owned());
    NameAddr { display, uri: uri.clone(), params: Params(vec![("tag".to_owned(), Some(tag.to_owned()))]) }
}
