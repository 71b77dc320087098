//! The contract of every machine: inputs and `now` go in; outputs and the next deadline come out.
//!
//! **Invariant:** a machine has no socket, no clock, no disk and no random source but its own seeded one.
//! It never blocks and never fails: bad input becomes a response, a counter or an event.
//!
//! **The promise rule.** What promises something (a 202, the 200 to a received MESSAGE, a report) waits in
//! [`PendingCommits`] and leaves only after the [`Batch`] that it rests on is [`Input::Committed`].
//!
//! A machine that answers once its disk has the message:
//!
//! ```
//! use std::time::Instant;
//! use fanfare::machine::{Flow, Input, Machine, Output, PendingCommits, TimerReason, Transmit};
//! use fanfare::time::{Clock, Now};
//! #[derive(Default)]
//! struct Echo {
//!     held: PendingCommits<String, Transmit>,
//!     released: Vec<Transmit>,
//! }
//!
//! impl Machine for Echo {
//!     type Command = ();
//!     type Event = ();
//!     type Write = String;
//!
//!     fn handle(&mut self, input: Input<()>, _now: Now) {
//!         match input {
//!             Input::Received { flow, bytes } => {
//!                 self.held.write(String::from_utf8_lossy(&bytes).into_owned());
//!                 self.held.promise(Transmit::new(flow, bytes));
//!             }
//!             Input::Committed(batch) => self.released.extend(self.held.release(batch)),
//!             _ => {}
//!         }
//!     }
//!
//!     fn handle_timeout(&mut self, _now: Now) {}
//!
//!     fn poll_output(&mut self) -> Option<Output<(), String>> {
//!         self.held.take_batch().map(Output::Commit).or_else(|| self.released.pop().map(Output::Transmit))
//!     }
//!
//!     fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
//!         None
//!     }
//! }
//!
//! let (mut echo, now) = (Echo::default(), Clock::start().now());
//! let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 2], 5060).into());
//! echo.handle(Input::Received { flow, bytes: "hello".into() }, now);
//! let Some(Output::Commit(batch)) = echo.poll_output() else { panic!("the disk first") };
//! assert!(echo.poll_output().is_none(), "no promise before that");
//! echo.handle(Input::Committed(batch.id), now);
//! assert!(matches!(echo.poll_output(), Some(Output::Transmit(sent)) if sent.bytes == "hello"));
//! ```

mod drop_reason;
mod timer_reason;
mod untrusted;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

pub use self::drop_reason::DropReason;
#[cfg(test)]
pub(crate) use self::drop_reason::logged;
pub use self::timer_reason::TimerReason;
pub use self::untrusted::{CertificateFault, TlsFault, Untrusted};
use crate::sip::{Transport, Uri};
use crate::time::Now;

/// A synchronous state machine, driven by the runtime or by the simulation.
pub trait Machine {
    /// What the owner may ask for.
    type Command;
    /// What the owner is told.
    type Event;
    /// What is made durable, as plain data.
    type Write;

    /// Handles one input.
    fn handle(&mut self, input: Input<Self::Command>, now: Now);
    /// Does what is due at `now`; afterwards [`Self::poll_timeout`] is later than `now`.
    fn handle_timeout(&mut self, now: Now);
    /// The next output; call until `None` after every input.
    fn poll_output(&mut self) -> Option<Output<Self::Event, Self::Write>>;
    /// When [`Self::handle_timeout`] must be called, and why.
    fn poll_timeout(&self) -> Option<(Instant, TimerReason)>;
}

/// What goes into a machine.
#[derive(Clone, Debug)]
pub enum Input<C> {
    /// One whole message: a datagram, or one framed message of a stream.
    Received {
        /// The flow that it came in on.
        flow: Flow,
        /// The message, well-formed or not.
        bytes: Bytes,
    },
    /// A connection that [`Output::Connect`] asked for is open.
    Connected {
        /// The request that this answers.
        id: ConnectId,
        /// The connection.
        flow: Flow,
    },
    /// A connection that was asked for could not be opened.
    ConnectFailed {
        /// The request that this answers.
        id: ConnectId,
        /// Why.
        fault: ConnectFault,
    },
    /// A datagram did not leave. Only the request in it is affected: others to the same address may well fit, or be
    /// let through.
    NotSent {
        /// The flow that it was for.
        flow: Flow,
        /// Whose it is; `None` if no transaction is behind it.
        request: Option<RequestId>,
        /// Why.
        fault: SendFault,
    },
    /// A connection is gone: what is under way on this flow fails.
    Disconnected {
        /// The flow that can no longer be used.
        flow: Flow,
    },
    /// The answer to [`Output::Resolve`]; empty if there is no route.
    Resolved {
        /// The lookup that this answers.
        id: ResolveId,
        /// Where to send, in order of preference.
        hops: Vec<Hop>,
    },
    /// The failure of [`Output::Resolve`]: DNS did not answer, so there may be a route, but none is known.
    ResolveFailed {
        /// The lookup that this answers.
        id: ResolveId,
        /// What was not answered, as text for people without a full stop.
        why: Arc<str>,
    },
    /// The addresses of this computer's interfaces, when they are first read and whenever they have changed.
    Interfaces(Arc<[IpAddr]>),
    /// A batch is on stable storage.
    Committed(BatchId),
    /// A batch is not, and will not be, on stable storage (for example, because the disk is full).
    CommitFailed(BatchId),
    /// A command of the owner.
    Command(C),
}

impl Input<Infallible> {
    /// What a network or a disk has for a machine, as that machine takes it.
    #[must_use]
    pub fn for_machine<C>(self) -> Input<C> {
        match self {
            Self::Received { flow, bytes } => Input::Received { flow, bytes },
            Self::Connected { id, flow } => Input::Connected { id, flow },
            Self::ConnectFailed { id, fault } => Input::ConnectFailed { id, fault },
            Self::NotSent { flow, request, fault } => Input::NotSent { flow, request, fault },
            Self::Disconnected { flow } => Input::Disconnected { flow },
            Self::Resolved { id, hops } => Input::Resolved { id, hops },
            Self::ResolveFailed { id, why } => Input::ResolveFailed { id, why },
            Self::Interfaces(addresses) => Input::Interfaces(addresses),
            Self::Committed(batch) => Input::Committed(batch),
            Self::CommitFailed(batch) => Input::CommitFailed(batch),
            Self::Command(none) => match none {},
        }
    }
}

/// What comes out of a machine.
#[derive(Clone, Debug)]
pub enum Output<E, W> {
    /// Send bytes.
    Transmit(Transmit),
    /// Open a connection to a hop, or reuse an open one.
    Connect {
        /// Comes back in [`Input::Connected`] or [`Input::ConnectFailed`].
        id: ConnectId,
        /// The hop to connect to.
        hop: Hop,
        /// The name that a certificate must contain: the domain of the URI that led to the hop (RFC 5922 §4); `None`
        /// for the address itself.
        domain: Option<Arc<str>>,
    },
    /// Resolve a URI (RFC 3263).
    Resolve {
        /// Comes back in [`Input::Resolved`].
        id: ResolveId,
        /// What to look up.
        uri: Uri,
        /// Who is charged for it, and how long it is of use.
        terms: LookupTerms,
    },
    /// Make a batch durable, whole or not at all.
    Commit(Batch<W>),
    /// Tell the owner.
    Event(E),
}

/// Bytes to send on a flow.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The flow to send on.
    pub flow: Flow,
    /// One whole message.
    pub bytes: Bytes,
    /// The client transaction to tell if these bytes cannot leave; `None` if nothing waits for an answer.
    pub request: Option<RequestId>,
}

impl Transmit {
    /// Bytes without a client transaction: a response, a keep-alive, or what passes statelessly.
    #[must_use]
    pub const fn new(flow: Flow, bytes: Bytes) -> Self {
        Self { flow, bytes, request: None }
    }
}

/// A client transaction of a machine, as [`Input::NotSent`] names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u128);

/// Why a datagram, or a request on a connection, did not leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFault {
    /// It is larger than the protocol or the interface allows.
    TooLarge,
    /// There is no route to that address, or the system blocks it.
    Refused,
    /// Too much waits to be written to that connection, which stays open.
    NoRoom,
}

// Bodies and credentials do not belong in a log.
impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transmit({}, {} bytes)", self.flow, self.bytes.len())
    }
}

/// The next hop of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hop {
    /// The transport.
    pub transport: Transport,
    /// The address.
    pub remote: SocketAddr,
}

/// Why a connection could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectFault {
    /// Nobody answers there.
    Unreachable,
    /// That computer answers, but nothing accepts connections at that port (ECONNREFUSED).
    Refused,
    /// Our own system lets us open no further connection (EMFILE, ENFILE).
    NoDescriptor,
    /// The peer is not the one we look for, or cannot prove it (RFC 5922).
    Untrusted(Arc<Untrusted>),
}

/// A pair of addresses, and the connection for a stream (RFC 5626 §3).
///
/// A datagram flow has no connection. A stream flow can be used only while its connection lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// UDP, a stream, or a WebSocket.
    pub transport: Transport,
    /// Our end; for UDP, the address of the socket that received or will send.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// The connection, for streams.
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

/// A connection, unique among all that this process ever had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// A machine's request for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectId(pub u64);

/// A machine's request to resolve a URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResolveId(pub u64);

/// Who is charged for a look-up: a user by its address, strangers by their source, and by default the machine itself.
/// Those who pay take turns, so that nobody's names keep those of others waiting.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LookupPayer(pub Arc<str>);

/// Who is charged for a look-up, and how long it is of use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookupTerms {
    /// See there.
    pub payer: LookupPayer,
    /// From then on nobody waits for the answer; `None` if somebody always does.
    pub until: Option<Instant>,
}

/// A batch, unique among all that a machine ever asked for; numbers grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u64);

/// Writes that become durable together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<W> {
    /// Comes back in [`Input::Committed`] or [`Input::CommitFailed`].
    pub id: BatchId,
    /// The writes, in the order in which they apply.
    pub writes: Vec<W>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It is on stable storage.
    Durable,
    /// It is not, and will not be.
    Lost,
}

/// Collects the writes of one turn into a batch, and holds what depends on each batch until its fate is known.
///
/// `A` is the follow-up action of the machine, which it takes either way; [`Durability`] says which way it went.
#[derive(Debug)]
pub struct PendingCommits<W, A> {
    next: u64,
    writes: Vec<W>,
    actions: Vec<A>,
    waiting: VecDeque<(BatchId, Vec<A>)>,
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

    /// Adds what to do once the fate of this turn's batch is known.
    /// A promise without a write depends only on the batches before it, and still waits its turn.
    pub fn promise(&mut self, action: A) {
        self.actions.push(action);
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

    /// The actions of a batch whose fate is known, in the order promised; none if the batch is unknown.
    pub fn release(&mut self, id: BatchId) -> Vec<A> {
        let place = self.waiting.iter().position(|(batch, _)| *batch == id);
        place.and_then(|place| self.waiting.remove(place)).map_or_else(Vec::new, |(_, actions)| actions)
    }

    /// How many batches are not answered yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
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
        held.promise("202");
        let first = held.take_batch().unwrap();
        held.write("row 2");
        held.promise("200");
        let second = held.take_batch().unwrap();
        assert_eq!(first.writes, ["row 1"]);
        assert_eq!(held.waiting(), 2);
        assert_eq!(held.release(first.id), ["202"]);
        assert_eq!(held.release(second.id), ["200"]);
        assert!(held.release(second.id).is_empty());
    }
}
