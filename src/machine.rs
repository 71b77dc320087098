//! The contract that every core obeys: inputs and `now` go in, outputs and the next deadline come out.
//!
//! **Invariant:** a machine has no socket, no clock, no disk and no random source but its own seeded one.
//! It never blocks and never fails: bad input becomes a response, a counter or an event.
//!
//! **The promise rule.** What promises something (a 202, the 200 to a received MESSAGE, a report) waits in
//! [`PendingCommits`] and leaves only after the [`Batch`] that it rests on is [`Input::Committed`].

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use crate::sip::{Transport, Uri};
use crate::time::Now;

/// A synchronous state machine around which the runtime, or the simulation, stands.
pub trait Machine {
    /// What the owner asks.
    type Command;
    /// What the owner is told.
    type Event;
    /// What is to be made durable, as plain data.
    type Write;

    /// Takes one input.
    fn handle(&mut self, input: Input<Self::Command>, now: Now);
    /// Does what is due at `now`; afterwards [`Self::poll_timeout`] is later than `now`.
    fn handle_timeout(&mut self, now: Now);
    /// The next output; call until `None` after every input.
    fn poll_output(&mut self) -> Option<Output<Self::Event, Self::Write>>;
    /// When [`Self::handle_timeout`] wants to be called, and why.
    fn poll_timeout(&self) -> Option<(Instant, &'static str)>;
}

/// What comes into a machine.
#[derive(Clone, Debug)]
pub enum Input<C> {
    /// One whole message: a datagram, or one framed message of a stream.
    Received {
        /// Where it came from and on what.
        flow: Flow,
        /// The message, or what was meant as one.
        bytes: Bytes,
    },
    /// A connection that was asked for by [`Output::Connect`] is there.
    Connected {
        /// The wish.
        id: ConnectId,
        /// The connection.
        flow: Flow,
    },
    /// A connection that was asked for cannot be had.
    ConnectFailed {
        /// The wish.
        id: ConnectId,
        /// Why.
        fault: ConnectFault,
    },
    /// A datagram did not leave. That concerns the request in it alone: what else goes to the same address may well fit,
    /// or be let through.
    NotSent {
        /// Where it was to go.
        flow: Flow,
        /// Whose it is; none for what no transaction stands behind.
        request: Option<RequestId>,
        /// Why.
        fault: SendFault,
    },
    /// A connection is gone: what is under way on this flow fails.
    Disconnected {
        /// The flow that is of no use any more.
        flow: Flow,
    },
    /// The answer to [`Output::Resolve`], best first; empty when there is no route.
    Resolved {
        /// The question.
        id: ResolveId,
        /// Where to send, in order of preference.
        hops: Vec<Hop>,
    },
    /// The answer to [`Output::Resolve`] where DNS has none: there may be a route, and none is known.
    ResolveFailed {
        /// The question.
        id: ResolveId,
        /// What was not answered, for people, without full stop.
        why: Arc<str>,
    },
    /// A batch is on stable storage.
    Committed(BatchId),
    /// A batch is not, and will not be, on stable storage (disk full, say).
    CommitFailed(BatchId),
    /// The owner asks for something.
    Command(C),
}

/// What a machine wants.
#[derive(Clone, Debug)]
pub enum Output<E, W> {
    /// Send bytes.
    Transmit(Transmit),
    /// Open a connection, or find one that is open, to a hop.
    Connect {
        /// Comes back in [`Input::Connected`] or [`Input::ConnectFailed`].
        id: ConnectId,
        /// Where to.
        hop: Hop,
        /// Whom a certificate has to name: the domain of the URI that led to the hop (RFC 5922 §4); none for the
        /// address itself.
        domain: Option<Arc<str>>,
    },
    /// Find where a URI leads (RFC 3263).
    Resolve {
        /// Comes back in [`Input::Resolved`].
        id: ResolveId,
        /// What to look up.
        uri: Uri,
    },
    /// Make a batch durable, whole or not at all.
    Commit(Batch<W>),
    /// Tell the owner.
    Event(E),
}

/// Bytes to send on a flow.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to and on what.
    pub flow: Flow,
    /// One whole message.
    pub bytes: Bytes,
    /// The client transaction to tell when these bytes cannot leave; none where nothing waits for an answer.
    pub request: Option<RequestId>,
}

impl Transmit {
    /// Bytes that no client transaction stands behind: a response, a keep-alive, what passes statelessly.
    #[must_use]
    pub const fn new(flow: Flow, bytes: Bytes) -> Self {
        Self { flow, bytes, request: None }
    }
}

/// A client transaction of a machine, as the world names it back in [`Input::NotSent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u128);

/// Why a datagram did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFault {
    /// It is larger than the protocol, or the interface, takes.
    TooLarge,
    /// There is no way to that address, or the system does not let it through.
    Refused,
}

impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Bodies and credentials do not belong in a log.
        write!(f, "Transmit({}, {} bytes)", self.flow, self.bytes.len())
    }
}

/// The next hop of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop {
    /// How.
    pub transport: Transport,
    /// Where.
    pub remote: SocketAddr,
}

/// Why a connection cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectFault {
    /// Nobody answers there.
    Unreachable,
    /// Our own system lets us open no further connection (EMFILE, ENFILE).
    NoDescriptor,
    /// Somebody does, and is not whom we look for or cannot prove it: a sentence for people, without full stop (RFC 5922).
    Untrusted(Arc<str>),
}

impl ConnectFault {
    /// What is known beyond that nobody answers.
    #[must_use]
    pub fn into_why(self) -> Option<Arc<str>> {
        match self {
            Self::Unreachable => None,
            Self::NoDescriptor => {
                Some("this computer lets the program open no further connection (too many open files)".into())
            }
            Self::Untrusted(why) => Some(why),
        }
    }
}

/// A pair of addresses, and the connection for a stream (RFC 5626 §3).
///
/// A datagram flow has no connection. A stream flow is used only while its connection lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// UDP, a stream, or a WebSocket.
    pub transport: Transport,
    /// Our end. For UDP the address of the socket that received, or that is to send.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Which connection, for streams.
    pub connection: Option<ConnectionId>,
}

impl Flow {
    /// A datagram flow.
    #[must_use]
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Self { transport: Transport::Udp, local, remote, connection: None }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.transport, self.local, self.remote)
    }
}

/// One connection among all that this process ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// A machine's wish for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectId(pub u64);

/// A machine's question for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolveId(pub u64);

/// One batch among all that a machine ever asked for; they grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Writes that become durable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<W> {
    /// Comes back in [`Input::Committed`] or [`Input::CommitFailed`].
    pub id: BatchId,
    /// In the order in which they apply.
    pub writes: Vec<W>,
}

/// Gathers the writes of one turn into a batch, and holds what rests on each batch until it is committed.
///
/// `A` is what the machine does then; it is kept twice, for the good end and for the bad one.
#[derive(Debug)]
pub struct PendingCommits<W, A> {
    next: u64,
    writes: Vec<W>,
    actions: Vec<Promise<A>>,
    waiting: VecDeque<(BatchId, Vec<Promise<A>>)>,
}

/// What follows a commit.
#[derive(Debug)]
struct Promise<A> {
    on_commit: A,
    on_fail: A,
}

impl<W, A> Default for PendingCommits<W, A> {
    fn default() -> Self {
        Self { next: 1, writes: Vec::new(), actions: Vec::new(), waiting: VecDeque::new() }
    }
}

impl<W, A> PendingCommits<W, A> {
    /// Adds a write to the batch of this turn.
    pub fn write(&mut self, write: W) {
        self.writes.push(write);
    }

    /// Adds what is to be done when the batch of this turn is committed, or has failed.
    /// A promise without a write rests on nothing but the batches before it, and still waits its turn.
    pub fn promise(&mut self, on_commit: A, on_fail: A) {
        self.actions.push(Promise { on_commit, on_fail });
    }

    /// The batch of this turn, if anything was written or promised in it.
    pub fn take_batch(&mut self) -> Option<Batch<W>> {
        if self.writes.is_empty() && self.actions.is_empty() {
            return None;
        }
        let id = BatchId(self.next);
        self.next += 1;
        self.waiting.push_back((id, std::mem::take(&mut self.actions)));
        Some(Batch { id, writes: std::mem::take(&mut self.writes) })
    }

    /// What a committed batch lets go, in the order promised. A batch that is not known lets nothing go.
    pub fn committed(&mut self, id: BatchId) -> Vec<A> {
        self.release(id).into_iter().map(|promise| promise.on_commit).collect()
    }

    /// What is to be done about a batch that failed, in the order promised.
    pub fn failed(&mut self, id: BatchId) -> Vec<A> {
        self.release(id).into_iter().map(|promise| promise.on_fail).collect()
    }

    /// Batches asked for and not answered.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn release(&mut self, id: BatchId) -> Vec<Promise<A>> {
        let place = self.waiting.iter().position(|(batch, _)| *batch == id);
        place.and_then(|place| self.waiting.remove(place)).map_or_else(Vec::new, |(_, promises)| promises)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_leaves_only_after_its_own_batch() {
        let mut held: PendingCommits<&str, &str> = PendingCommits::default();
        assert_eq!(held.take_batch(), None);
        held.write("row 1");
        held.promise("202", "503");
        let first = held.take_batch().unwrap();
        held.write("row 2");
        held.promise("200", "500");
        let second = held.take_batch().unwrap();
        assert_eq!(first.writes, ["row 1"]);
        assert_eq!(held.waiting(), 2);
        assert_eq!(held.committed(first.id), ["202"]);
        assert_eq!(held.failed(second.id), ["500"]);
        assert!(held.committed(second.id).is_empty());
    }
}
