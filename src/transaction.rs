//! Non-INVITE transactions (RFC 3261 §17.1.2, §17.2.2): match, create, repeat, time out.
//!
//! [`TransactionLayer`] stands between the bytes of the network and a machine: a retransmission is answered
//! here and never seen above, a request is repeated here until it is answered. It is sans-IO: polled like any
//! machine. INVITE is answered by plain refusals alone here, so it is served as if it were non-INVITE, and
//! ACK is absorbed.
//!
//! **Invariant:** this room knows no user agent and no proxy; its owner names each client transaction by a
//! value `U` of its own and gets that back.

mod client;
mod key;
mod server;
mod timers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Debug;
use std::time::Instant;

use bytes::Bytes;

use crate::limits::{ANSWER_BYTES_MAX, SERVER_TRANSACTIONS_MAX};
use crate::machine::{ConnectionId, Flow, RequestId, SendFault, Transmit};
use crate::sip::{Method, Request, Response};

pub use self::client::Failure;
use self::client::{ClientTransaction, TimerStep};
pub use self::key::ServerKey;
use self::key::{ClientKey, KeyMaker};
use self::server::ServerTransaction;
pub use self::timers::Timers;
use self::timers::{Due, TimerQueue};

/// What the layer makes of a request.
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
    /// It ends at the latest then, if that is before Timer F.
    pub deadline: Option<Instant>,
    /// It is sent so often at most, if that is less than Timer E allows; the end is the same.
    pub transmissions_max: Option<u32>,
}

/// A client transaction that failed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed<U> {
    /// The owner's name for it.
    pub user: U,
    /// How.
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
    /// Where it was sent.
    pub flow: Flow,
}

/// One end of a transaction, as the timers name it.
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
    /// Those over a stream, by their connection: when it breaks they are found without a look at all others. An error of a
    /// datagram names its own transaction.
    streams: BTreeSet<(ConnectionId, ClientKey)>,
    servers: BTreeMap<ServerKey, ServerTransaction>,
    servers_max: usize,
    /// Bytes of their answers, and those that have one, in the order in which they were answered.
    answer_bytes: usize,
    answered: VecDeque<ServerKey>,
    queue: TimerQueue<Side>,
    transmits: VecDeque<Transmit>,
    failures: VecDeque<Failed<U>>,
}

impl<U: Copy + Ord + Debug> TransactionLayer<U> {
    /// An empty layer; `key` seeds the keyed hash by which requests and branches are found.
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

    /// Matches a request (RFC 3261 §17.2.3) to a transaction, or makes one.
    pub fn receive_request(&mut self, request: &Request, flow: Flow, now: Instant) -> Arrival {
        if *request.method() == Method::Ack {
            return Arrival::Absorbed;
        }
        let key = self.keys.of_request(request);
        if let Some(server) = self.servers.get_mut(&key) {
            self.transmits.extend(server.retransmission(flow));
            return Arrival::Absorbed;
        }
        if self.servers.len() >= self.servers_max && !self.end_oldest_answered() {
            return Arrival::Full;
        }
        let server = ServerTransaction::new(flow, now, &self.timers);
        self.queue.set(None, Some(server.due()), Side::Server(key));
        self.servers.insert(key, server);
        Arrival::New(key)
    }

    /// The key under which [`Self::receive_request`] finds or makes a transaction.
    #[must_use]
    pub fn key_of(&self, request: &Request) -> ServerKey {
        self.keys.of_request(request)
    }

    /// True when there is a server transaction of that key.
    #[must_use]
    pub fn knows(&self, key: ServerKey) -> bool {
        self.servers.contains_key(&key)
    }

    /// Answers a request, provisionally or finally by `status`, and repeats a final answer to
    /// retransmissions until Timer J. An answer to a transaction that is over goes nowhere.
    pub fn respond(&mut self, key: ServerKey, status: u16, bytes: Bytes, now: Instant) {
        let Some(server) = self.servers.get_mut(&key) else { return };
        let (before, held) = (server.due(), server.held());
        let Some(transmit) = server.respond(status, bytes, now, &self.timers) else { return };
        self.transmits.push_back(transmit);
        self.answer_bytes = (self.answer_bytes + server.held()).saturating_sub(held);
        // Timer J is zero over a stream (RFC 3261 §17.2.2): it is over, and no timer is due at once.
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

    /// The oldest answers go while all together are too large; what was answered the longest ago is the least asked for again.
    fn let_answers_go(&mut self) {
        while self.answer_bytes > ANSWER_BYTES_MAX
            && let Some(oldest) = self.answered.pop_front()
        {
            if let Some(server) = self.servers.get_mut(&oldest) {
                self.answer_bytes = self.answer_bytes.saturating_sub(server.held());
                server.let_go();
            }
        }
    }

    /// Makes room for a new request: of those that were answered the oldest one ends before Timer J. So a flood of requests that are
    /// answered at once shuts nobody out. False when none was answered.
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

    /// Starts a client transaction with its first transmission. The same branch again starts it anew.
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

    /// Matches a response (RFC 3261 §17.1.3). `None`: a stray, or a final response heard before.
    /// `Some`: a provisional one, which slows the retransmission to T2, or the final one.
    pub fn receive_response(&mut self, response: &Response, now: Instant) -> Option<Heard<U>> {
        let via = response.fields().top_via();
        let key = self.keys.of_branch(via.branch()?, response.fields().cseq_method());
        let client = self.clients.get_mut(&key)?;
        let before = client.due();
        let heard = client.hear(response.status(), now, &self.timers);
        let after = client.due();
        let news = Heard { user: client.user(), transmissions: client.transmissions(), flow: client.flow() };
        self.settle(key, before, after);
        heard.then_some(news)
    }

    /// Where the request was sent that a response answers; none for a stray.
    #[must_use]
    pub fn flow_of(&self, response: &Response) -> Option<Flow> {
        let via = response.fields().top_via();
        let key = self.keys.of_branch(via.branch()?, response.fields().cseq_method());
        self.clients.get(&key).map(ClientTransaction::flow)
    }

    /// Ends a client transaction without a word. True when it was under way.
    pub fn forget(&mut self, user: U) -> bool {
        let Some(key) = self.names.get(&user).copied() else { return false };
        self.end(key).is_some_and(|client| client.is_waiting())
    }

    /// A connection is gone: the client transactions that wait on it fail now (RFC 3261 §17.1.4).
    pub fn disconnected(&mut self, flow: Flow) {
        let Some(connection) = flow.connection else { return };
        let (first, last) = ClientKey::ENDS;
        let on_it = self.streams.range((connection, first)..=(connection, last));
        let keys: Vec<_> = on_it.map(|(_, key)| *key).collect();
        for key in keys {
            self.fail(key, Failure::Transport);
        }
    }

    /// The datagram of a request did not leave: its transaction fails now if it waits (RFC 3261 §17.1.4), and no other.
    /// One whose first datagram was not too large waits for the answer to that.
    pub fn not_sent(&mut self, request: RequestId, fault: SendFault) {
        let key = ClientKey::of(request);
        let is_first = || self.clients.get(&key).is_some_and(|client| client.transmissions() == 1);
        match fault {
            SendFault::TooLarge if is_first() => self.fail(key, Failure::TooLarge),
            SendFault::TooLarge => {}
            SendFault::Refused => self.fail(key, Failure::Transport),
        }
    }

    /// Does what is due: retransmissions, time-outs, ends.
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

    /// The next client transaction that failed.
    pub fn poll_failed(&mut self) -> Option<Failed<U>> {
        self.failures.pop_front()
    }

    /// When [`Self::handle_timeout`] wants to be called, and for which timer of RFC 3261.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.queue.first()
    }

    /// Client transactions under way or absorbing.
    #[must_use]
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// Server transactions under way or absorbing.
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

    /// Takes a client transaction out of every table.
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
