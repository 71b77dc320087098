//! Non-INVITE transactions (RFC 3261 §17.1.2, §17.2.2): matching, creation, retransmission, time-outs.
//!
//! [`TransactionLayer`] stands between the network and a machine: it answers retransmissions of requests, so that the
//! machine never sees them, and it retransmits the machine's own requests until they are answered. It is sans-IO:
//! polled like any machine. To an INVITE we only ever send plain refusals through it, so INVITE is served like a
//! non-INVITE request, and ACK is absorbed.
//!
//! **Invariant:** this module knows no user agent and no proxy; its owner names each client transaction by a
//! value `U` of its own, and gets that back.
//!
//! ```
//! # use std::time::{Duration, Instant};
//! # use fanfare::machine::Flow;
//! # use fanfare::sip::Method;
//! use fanfare::transaction::{Failure, Outgoing, Timers, TransactionLayer};
//! let (start, mut layer) = (Instant::now(), TransactionLayer::new(Timers::default(), [0; 16]));
//! let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 2], 5060).into());
//! let (branch, method, bytes) = ("z9hG4bK776", Method::Message, "MESSAGE ...".into());
//! let (deadline, transmissions_max) = (None, None);
//! layer.send(Outgoing { user: "mine", branch, method, flow, bytes, deadline, transmissions_max }, start);
//! // Nobody answers: Timer E sends it 11 times, until Timer F.
//! let (mut sent, mut end) = (0, start);
//! while let Some((at, _reason)) = layer.poll_timeout() {
//!     sent += std::iter::from_fn(|| layer.poll_transmit()).count();
//!     layer.handle_timeout(at);
//!     end = at;
//! }
//! assert_eq!((sent, end - start), (11, Duration::from_secs(32)));
//! assert_eq!(layer.poll_failed().map(|failed| failed.failure), Some(Failure::Timeout));
//! ```

mod client;
mod key;
mod server;
mod timers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::time::Instant;

use bytes::Bytes;

use crate::limits::{ANSWER_BYTES_MAX, SERVER_TRANSACTIONS_MAX};
use crate::machine::{ConnectionId, DropReason, Flow, RequestId, SendFault, TimerReason, Transmit};
use crate::sip::{Method, Request, Response};

pub use self::client::Failure;
use self::client::{ClientTransaction, TimerStep};
pub use self::key::ServerKey;
use self::key::{ClientKey, KeyMaker};
use self::server::ServerTransaction;
pub use self::timers::Timers;
use self::timers::{Due, TimerQueue};

/// What the layer does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// A new transaction: answer it with [`TransactionLayer::respond`].
    New(ServerKey),
    /// A retransmission, answered again if there is an answer, or an ACK: nothing to do.
    Absorbed,
    /// The table is full: refuse it without a transaction.
    Full,
}

/// A request to send as a client transaction.
#[derive(Clone, Debug)]
pub struct Outgoing<'a, U> {
    /// The owner's name for it.
    pub user: U,
    /// The branch of its topmost Via.
    pub branch: &'a str,
    /// Its method.
    pub method: Method,
    /// Where it goes.
    pub flow: Flow,
    /// The request, printed.
    pub bytes: Bytes,
    /// Ends it at this time, if that is before Timer F.
    pub deadline: Option<Instant>,
    /// Sends it at most so often, if Timer E would allow more; it ends at the same time.
    pub transmissions_max: Option<u32>,
}

/// A client transaction that ended without a final response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed<U> {
    /// The owner's name for it.
    pub user: U,
    /// Why.
    pub failure: Failure,
    /// How often the request was sent.
    pub transmissions: u32,
}

/// A response that is news to a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard<U> {
    /// The owner's name for it.
    pub user: U,
    /// How often the request was sent.
    pub transmissions: u32,
    /// The flow on which it was sent.
    pub flow: Flow,
}

/// The side of a transaction that a timer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Client(ClientKey),
    Server(ServerKey),
}

/// All transactions of one machine.
#[derive(Debug)]
pub struct TransactionLayer<U> {
    timers: Timers,
    keys: KeyMaker,
    clients: BTreeMap<ClientKey, ClientTransaction<U>>,
    names: BTreeMap<U, ClientKey>,
    /// Client transactions over streams, by connection: when one breaks, they are found without scanning all others. An
    /// error of a datagram names its own transaction.
    streams: BTreeSet<(ConnectionId, ClientKey)>,
    servers: BTreeMap<ServerKey, ServerTransaction>,
    servers_max: usize,
    /// Bytes of the server transactions' answers, and the answered ones in the order in which they were answered.
    answer_bytes: usize,
    answered: VecDeque<ServerKey>,
    queue: TimerQueue<Side>,
    transmits: VecDeque<Transmit>,
    failures: VecDeque<Failed<U>>,
}

impl<U: Copy + Ord + Debug> TransactionLayer<U> {
    /// An empty layer; `key` seeds the keyed hash that finds requests and branches.
    #[must_use]
    pub fn new(timers: Timers, key: [u8; 16]) -> Self {
        Self {
            timers,
            keys: KeyMaker::new(key),
            clients: BTreeMap::new(),
            names: BTreeMap::new(),
            streams: BTreeSet::new(),
            servers: BTreeMap::new(),
            servers_max: SERVER_TRANSACTIONS_MAX,
            answer_bytes: 0,
            answered: VecDeque::new(),
            queue: TimerQueue::default(),
            transmits: VecDeque::new(),
            failures: VecDeque::new(),
        }
    }

    /// Matches a request to a transaction (RFC 3261 §17.2.3) of the same source, or creates one.
    pub fn receive_request(&mut self, request: &Request, flow: Flow, now: Instant) -> Arrival {
        if *request.method() == Method::Ack {
            DropReason::Ack.tell(flow);
            return Arrival::Absorbed;
        }
        let (key, bytes) = (self.keys.of_request(request, flow), request.bytes().len());
        if let Some(server) = self.servers.get_mut(&key) {
            self.transmits.extend(server.retransmission(flow, bytes));
            DropReason::RepeatedRequest.tell(flow);
            return Arrival::Absorbed;
        }
        if self.servers.len() >= self.servers_max && !self.end_oldest_answered() {
            return Arrival::Full;
        }
        let server = ServerTransaction::new((flow, bytes), now, &self.timers);
        self.queue.set(None, Some(server.due()), Side::Server(key));
        self.servers.insert(key, server);
        Arrival::New(key)
    }

    /// The key by which [`Self::receive_request`] finds or creates a transaction.
    #[must_use]
    pub fn key_of(&self, request: &Request, flow: Flow) -> ServerKey {
        self.keys.of_request(request, flow)
    }

    /// True if there is a server transaction with that key.
    #[must_use]
    pub fn knows(&self, key: ServerKey) -> bool {
        self.servers.contains_key(&key)
    }

    /// Answers a request, provisionally or finally depending on `status`, and repeats a final answer to
    /// retransmissions until Timer J. Does nothing if the transaction is over.
    pub fn respond(&mut self, key: ServerKey, status: u16, bytes: Bytes, now: Instant) {
        let Some(server) = self.servers.get_mut(&key) else { return };
        let (before, held) = (server.due(), server.held());
        let Some(transmit) = server.respond(status, bytes, now, &self.timers) else { return };
        self.transmits.push_back(transmit);
        self.answer_bytes = (self.answer_bytes + server.held()).saturating_sub(held);
        // Over a stream Timer J is zero (RFC 3261 §17.2.2): the transaction is over at once, without a timer.
        let is_over = status >= 200 && server.due().0 <= now;
        let after = (!is_over).then(|| server.due());
        self.queue.set(Some(before), after, Side::Server(key));
        if is_over {
            self.end_server(key);
        } else if status >= 200 {
            self.answered.push_back(key);
            self.let_answers_go();
        }
    }

    /// Drops the oldest answers while all together take too much: these are the least likely to be asked for again.
    fn let_answers_go(&mut self) {
        while self.answer_bytes > ANSWER_BYTES_MAX
            && let Some(oldest) = self.answered.pop_front()
        {
            if let Some(server) = self.servers.get_mut(&oldest) {
                self.answer_bytes = self.answer_bytes.saturating_sub(server.held());
                server.let_go();
                DropReason::AnswerForgotten.tell(None);
            }
        }
    }

    /// Makes room for a new request by ending the oldest answered transaction before Timer J, so that a flood of
    /// requests that are answered at once shuts nobody out. False if none was answered.
    fn end_oldest_answered(&mut self) -> bool {
        while let Some(oldest) = self.answered.pop_front() {
            if self.servers.get(&oldest).is_some_and(ServerTransaction::is_answered) {
                self.abandon(oldest);
                return true;
            }
        }
        false
    }

    fn end_server(&mut self, key: ServerKey) -> Option<ServerTransaction> {
        let server = self.servers.remove(&key)?;
        self.answer_bytes = self.answer_bytes.saturating_sub(server.held());
        while self.answered.front().is_some_and(|first| !self.servers.contains_key(first)) {
            self.answered.pop_front();
        }
        Some(server)
    }

    /// Drops a server transaction that will not be answered (RFC 4320 §4.2: no 408 to a non-INVITE request).
    pub fn abandon(&mut self, key: ServerKey) {
        if let Some(server) = self.end_server(key) {
            self.queue.set(Some(server.due()), None, Side::Server(key));
        }
    }

    /// Starts a client transaction with its first transmission. Reusing a branch restarts it.
    pub fn send(&mut self, outgoing: Outgoing<'_, U>, now: Instant) {
        self.forget(outgoing.user);
        let key = self.keys.of_branch(outgoing.branch, &outgoing.method);
        self.end(key);
        let mut client = ClientTransaction::new(key.request_id(), outgoing, now, &self.timers);
        self.transmits.push_back(client.transmit());
        self.queue.set(None, client.due(), Side::Client(key));
        self.names.insert(client.user(), key);
        self.streams.extend(client.flow().connection.map(|connection| (connection, key)));
        self.clients.insert(key, client);
    }

    /// Matches a response (RFC 3261 §17.1.3). `None`: a stray, or a repeated final response.
    /// `Some`: a provisional one, which slows retransmissions down to T2, or the final one.
    pub fn receive_response(&mut self, response: &Response, now: Instant) -> Option<Heard<U>> {
        let via = response.fields().top_via();
        let key = self.keys.of_branch(via.branch()?, response.fields().cseq_method());
        let client = self.clients.get_mut(&key)?;
        let before = client.due();
        let heard = client.hear(response.status(), now, &self.timers);
        let after = client.due();
        let news = Heard { user: client.user(), transmissions: client.transmissions(), flow: client.flow() };
        self.settle(key, before, after);
        if !heard {
            DropReason::RepeatedResponse.tell(news.flow);
        }
        heard.then_some(news)
    }

    /// The flow of the request that a response answers; `None` for a stray.
    #[must_use]
    pub fn flow_of(&self, response: &Response) -> Option<Flow> {
        let via = response.fields().top_via();
        let key = self.keys.of_branch(via.branch()?, response.fields().cseq_method());
        self.clients.get(&key).map(ClientTransaction::flow)
    }

    /// Ends a client transaction silently; true if it was under way.
    pub fn forget(&mut self, user: U) -> bool {
        let Some(key) = self.names.get(&user).copied() else { return false };
        self.end(key).is_some_and(|client| client.is_waiting())
    }

    /// A connection is gone: client transactions that wait on it fail now (RFC 3261 §17.1.4).
    pub fn disconnected(&mut self, flow: Flow) {
        let Some(connection) = flow.connection else { return };
        let (first, last) = ClientKey::ENDS;
        let on_it = self.streams.range((connection, first)..=(connection, last));
        let keys: Vec<_> = on_it.map(|(_, key)| *key).collect();
        for key in keys {
            self.fail(key, Failure::Transport);
        }
    }

    /// A request did not leave: its transaction, and no other, fails now if it still waits (RFC 3261
    /// §17.1.4). If an earlier datagram was not too large, it waits for the answer to that.
    pub fn not_sent(&mut self, request: RequestId, fault: SendFault) {
        let key = ClientKey::of(request);
        let is_first = || self.clients.get(&key).is_some_and(|client| client.transmissions() == 1);
        match fault {
            SendFault::TooLarge if is_first() => self.fail(key, Failure::TooLarge),
            SendFault::TooLarge => {}
            SendFault::Refused | SendFault::NoRoom => self.fail(key, Failure::Transport),
        }
    }

    /// Does what is due: retransmissions, time-outs, ends of transactions.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(side) = self.queue.pop_due(now) {
            match side {
                Side::Client(key) => self.client_due(key, now),
                Side::Server(key) => drop(self.end_server(key)),
            }
        }
    }

    /// The next bytes to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next client transaction that ended without a final response.
    pub fn poll_failed(&mut self) -> Option<Failed<U>> {
        self.failures.pop_front()
    }

    /// When [`Self::handle_timeout`] must be called, and for which timer of RFC 3261.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        self.queue.first()
    }

    /// How many client transactions are under way or absorbing.
    #[must_use]
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// How many server transactions are under way or absorbing.
    #[must_use]
    pub fn server_count(&self) -> usize {
        self.servers.len()
    }

    /// Bytes of the answers that are kept for retransmissions.
    #[must_use]
    pub const fn answer_bytes(&self) -> usize {
        self.answer_bytes
    }

    fn client_due(&mut self, key: ClientKey, now: Instant) {
        let Some(client) = self.clients.get_mut(&key) else { return };
        match client.handle_timeout(now, &self.timers) {
            TimerStep::Retransmit => {
                self.transmits.push_back(client.transmit());
                self.queue.set(None, client.due(), Side::Client(key));
            }
            TimerStep::TimedOut => self.fail(key, Failure::Timeout),
            TimerStep::Over => drop(self.end(key)),
        }
    }

    fn settle(&mut self, key: ClientKey, before: Option<Due>, after: Option<Due>) {
        self.queue.set(before, after, Side::Client(key));
        if after.is_none() {
            self.end(key);
        }
    }

    fn fail(&mut self, key: ClientKey, failure: Failure) {
        let Some(client) = self.clients.get(&key).filter(|client| client.is_waiting()) else { return };
        self.failures.push_back(Failed {
            user: client.user(),
            failure,
            transmissions: client.transmissions(),
        });
        self.end(key);
    }

    /// Removes a client transaction from every table.
    fn end(&mut self, key: ClientKey) -> Option<ClientTransaction<U>> {
        let client = self.clients.remove(&key)?;
        self.queue.set(client.due(), None, Side::Client(key));
        self.names.remove(&client.user());
        if let Some(connection) = client.flow().connection {
            self.streams.remove(&(connection, key));
        }
        Some(client)
    }
}

#[cfg(test)]
mod tests;
