//! The way of what we send: from a target over a hop to a flow, and there into a client transaction
//! (RFC 3261 §16.6 steps 7 to 10, §18.1.1; RFC 3263 §4).
//!
//! Whoever sends calls [`Carrier::begin`]; once a flow is there, [`Step::Ready`] asks for the bytes, since Via depends on the flow,
//! and [`Carrier::send`] takes them. What begins ends in a final response or in [`Step::Failed`], at its deadline at the latest.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;

use super::config::ProxyConfig;
use super::journal::DispatchId;
use super::pace::Pacer;
use super::sockets::Sockets;
use crate::limits::{CONNECT_WAIT, STREAM_REFUSED_MAX, STREAM_REFUSED_REMEMBERED, UDP_REQUEST_BYTES_MAX};
use crate::machine::{ConnectId, ConnectionId, Flow, Hop, ResolveId, Transmit};
use crate::sip::{Method, Request, Response, Transport, Uri};
use crate::transaction::{Arrival, Failure, Heard, Outgoing, ServerKey, TransactionLayer};

/// Whose request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum User {
    /// A leg of a message, at one of its recipient's targets.
    Leg { dispatch: DispatchId, recipient: u32, branch: u32 },
    /// The NOTIFY with that CSeq.
    Report { dispatch: DispatchId, cseq: u32 },
    /// An ordinary request at one of its targets.
    Relay { relay: u64, branch: u32 },
}

/// How a target is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Over a flow that is there.
    Flow(Flow),
    /// At an address.
    Hop(Hop),
    /// By RFC 3263; where that leads nowhere, over the flow that the target was last heard on.
    Lookup { uri: Uri, otherwise: Option<Flow> },
}

/// Why a request came to nothing without a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nobody answered in time.
    Timeout,
    /// It could not be sent, or the connection broke.
    Transport,
    /// There is nowhere to send it.
    NoRoute,
}

/// What the sender of a request has to do next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Print the request for this flow, and send it.
    Ready { user: User, flow: Flow },
    /// Give this target up.
    Failed { user: User, fault: Fault, transmissions: u32 },
}

/// What became of printed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sending {
    /// They are with the transactions, or too late.
    Sent,
    /// They are to be printed for another flow.
    Waits,
}

/// What the carrier wants of the world.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    Connect { id: ConnectId, hop: Hop },
    Resolve { id: ResolveId, uri: Uri },
}

/// A printed request.
#[derive(Debug)]
pub(super) struct Printed<'a> {
    pub(super) branch: &'a str,
    pub(super) method: Method,
    pub(super) flow: Flow,
    pub(super) bytes: Bytes,
}

#[derive(Debug)]
struct Wait {
    asked: Asked,
    /// Further hops, best last.
    hops: Vec<Hop>,
    otherwise: Option<Flow>,
    /// The datagram address whose stream is tried because the request is large (W4).
    large: Option<SocketAddr>,
    ends: Instant,
}

#[derive(Clone, Copy, Debug)]
enum Asked {
    Connect(ConnectId),
    Resolve(ResolveId),
}

/// All requests of ours that look for a flow, and the transactions of those that have one.
#[derive(Debug)]
pub(super) struct Carrier {
    layer: TransactionLayer<User>,
    pacer: Pacer<User>,
    sockets: Sockets,
    /// Streams on which something was heard and that did not break.
    live: BTreeSet<ConnectionId>,
    waits: BTreeMap<User, Wait>,
    connects: BTreeMap<ConnectId, User>,
    resolves: BTreeMap<ResolveId, User>,
    deadlines: BTreeSet<(Instant, User)>,
    refused: BTreeMap<SocketAddr, Instant>,
    next: u64,
    wishes: VecDeque<Wish>,
    steps: VecDeque<Step>,
}

impl Carrier {
    pub(super) fn new(config: &ProxyConfig, key: [u8; 16]) -> Self {
        Self {
            layer: TransactionLayer::new(config.timers, key),
            pacer: Pacer::default(),
            sockets: Sockets::new(&config.listens),
            live: BTreeSet::new(),
            waits: BTreeMap::new(),
            connects: BTreeMap::new(),
            resolves: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            refused: BTreeMap::new(),
            next: 0,
            wishes: VecDeque::new(),
            steps: VecDeque::new(),
        }
    }

    /// Looks for a flow to a target until `ends`.
    pub(super) fn begin(&mut self, user: User, way: Way, ends: Instant) {
        match way {
            Way::Flow(flow) if self.is_usable(flow) => self.ready(user, flow),
            Way::Flow(_) => self.fail(user, Fault::Transport),
            Way::Hop(hop) => self.try_hops(user, vec![hop], (None, Fault::NoRoute), ends),
            Way::Lookup { uri, otherwise } => {
                let id = ResolveId(self.number());
                self.resolves.insert(id, user);
                self.wishes.push_back(Wish::Resolve { id, uri });
                let asked = Asked::Resolve(id);
                self.wait(user, Wait { asked, hops: Vec::new(), otherwise, large: None, ends });
            }
        }
    }

    /// Sends a printed request as a client transaction that ends at `ends` at the latest; one that is large for a datagram waits
    /// for a stream first, and [`Step::Ready`] comes again (RFC 3261 §18.1.1; W4).
    pub(super) fn send(&mut self, user: User, printed: Printed<'_>, ends: Instant, now: Instant) -> Sending {
        let Printed { branch, method, flow, bytes } = printed;
        if ends <= now {
            self.fail(user, Fault::Timeout);
            return Sending::Sent;
        }
        if flow.transport == Transport::Udp
            && bytes.len() > UDP_REQUEST_BYTES_MAX
            && !self.is_refused(flow.remote, now)
        {
            let hop = Hop { transport: Transport::Tcp, remote: flow.remote };
            let wait = (vec![hop], Some(flow), Some(flow.remote));
            self.connect(user, wait, ends.min(now + CONNECT_WAIT));
            return Sending::Waits;
        }
        if paced(user, flow).is_some() {
            self.pacer.sent(user, flow.remote, bytes.len(), now);
        }
        self.layer.send(Outgoing { user, branch, method, flow, bytes, deadline: Some(ends) }, now);
        Sending::Sent
    }

    /// What the layer makes of a request that came in.
    pub(super) fn receive_request(&mut self, request: &Request, flow: Flow, now: Instant) -> Arrival {
        self.layer.receive_request(request, flow, now)
    }

    /// The key of a request, and whether it is being served or was answered a moment ago.
    pub(super) fn key_of(&self, request: &Request) -> (ServerKey, bool) {
        let key = self.layer.key_of(request);
        (key, self.layer.knows(key))
    }

    /// Whose request a response answers, if that is news.
    pub(super) fn receive_response(&mut self, response: &Response, now: Instant) -> Option<Heard<User>> {
        let heard = self.layer.receive_response(response, now)?;
        if paced(heard.user, heard.flow).is_some() {
            self.pacer.heard(heard.user, heard.flow.remote, now);
        }
        Some(heard)
    }

    /// Our own sockets.
    pub(super) const fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    pub(super) fn respond(&mut self, key: ServerKey, status: u16, bytes: Bytes, now: Instant) {
        self.layer.respond(key, status, bytes, now);
    }

    /// Leaves a request without an answer (RFC 4320 §4.2).
    pub(super) fn abandon(&mut self, key: ServerKey) {
        self.layer.abandon(key);
    }

    /// Something came in on this flow, so it can be used.
    pub(super) fn heard_on(&mut self, flow: Flow) {
        if let Some(connection) = flow.connection {
            self.live.insert(connection);
        }
    }

    /// A datagram flow can always be used, a stream while it lives.
    pub(super) fn is_usable(&self, flow: Flow) -> bool {
        match flow.transport {
            Transport::Udp => self.sockets.has(Transport::Udp, flow.local),
            Transport::Tcp | Transport::Tls => {
                flow.connection.is_some_and(|connection| self.live.contains(&connection))
            }
        }
    }

    pub(super) fn connected(&mut self, id: ConnectId, flow: Flow) {
        self.heard_on(flow);
        let Some(user) = self.connects.get(&id).copied() else { return };
        if self.stop_waiting(user).is_some() {
            self.ready(user, flow);
        }
    }

    pub(super) fn connect_failed(&mut self, id: ConnectId, now: Instant) {
        let Some(user) = self.connects.get(&id).copied() else { return };
        if let Some(wait) = self.stop_waiting(user) {
            self.fall_back(user, wait, Fault::Transport, now);
        }
    }

    pub(super) fn resolved(&mut self, id: ResolveId, mut hops: Vec<Hop>) {
        let Some(user) = self.resolves.get(&id).copied() else { return };
        if let Some(wait) = self.stop_waiting(user) {
            hops.reverse();
            self.try_hops(user, hops, (wait.otherwise, Fault::NoRoute), wait.ends);
        }
    }

    /// A flow is gone: what waits on it fails, and it is not used again.
    pub(super) fn disconnected(&mut self, flow: Flow) {
        if let Some(connection) = flow.connection {
            self.live.remove(&connection);
        }
        self.layer.disconnected(flow);
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        while let Some((ends, user)) = self.deadlines.first().copied().filter(|(ends, _)| *ends <= now) {
            self.deadlines.remove(&(ends, user));
            if let Some(wait) = self.stop_waiting(user) {
                self.fall_back(user, Wait { hops: Vec::new(), ..wait }, Fault::Timeout, now);
            }
        }
        self.pacer.handle_timeout(now);
        self.layer.handle_timeout(now);
    }

    pub(super) fn poll_step(&mut self) -> Option<Step> {
        let next = self.steps.pop_front().or_else(|| self.poll_failed());
        next.or_else(|| self.pacer.pop().map(|(user, flow)| Step::Ready { user, flow }))
    }

    pub(super) fn poll_wish(&mut self) -> Option<Wish> {
        self.wishes.pop_front()
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.layer.poll_transmit()
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let wait = self.deadlines.first().map(|(ends, _)| (*ends, "a connection or a route is waited for"));
        let pace = self.pacer.poll_timeout().map(|at| (at, "a peer has said nothing for a while"));
        [wait, pace, self.layer.poll_timeout()].into_iter().flatten().min()
    }

    /// A leg over datagrams waits for its turn; what else there is comes one by one, and goes at once.
    fn ready(&mut self, user: User, flow: Flow) {
        match paced(user, flow) {
            Some(message) => self.pacer.wait(user, message.0, flow),
            None => self.steps.push_back(Step::Ready { user, flow }),
        }
    }

    fn poll_failed(&mut self) -> Option<Step> {
        let failed = self.layer.poll_failed()?;
        let fault = match failed.failure {
            Failure::Timeout => Fault::Timeout,
            Failure::Transport => Fault::Transport,
        };
        Some(Step::Failed { user: failed.user, fault, transmissions: failed.transmissions })
    }

    fn try_hops(&mut self, user: User, mut hops: Vec<Hop>, end: (Option<Flow>, Fault), ends: Instant) {
        let (otherwise, fault) = end;
        while let Some(Hop { transport, remote }) = hops.pop() {
            if self.sockets.is_own(remote) {
                continue;
            }
            let socket = match transport {
                Transport::Udp => self.sockets.local(Transport::Udp, remote),
                Transport::Tcp | Transport::Tls => None,
            };
            let Some(local) = socket else {
                // Without a datagram socket of that family, a stream is what is left (RFC 3261 §18.1.1).
                let transport = if transport == Transport::Udp { Transport::Tcp } else { transport };
                hops.push(Hop { transport, remote });
                return self.connect(user, (hops, otherwise, None), ends);
            };
            return self.ready(user, Flow::udp(local, remote));
        }
        match otherwise.filter(|flow| self.is_usable(*flow)) {
            Some(flow) => self.ready(user, flow),
            None => self.fail(user, fault),
        }
    }

    /// Asks for a connection to the last of the hops.
    fn connect(&mut self, user: User, wait: (Vec<Hop>, Option<Flow>, Option<SocketAddr>), ends: Instant) {
        let (mut hops, otherwise, large) = wait;
        let Some(hop) = hops.pop() else { return };
        let id = ConnectId(self.number());
        self.connects.insert(id, user);
        self.wishes.push_back(Wish::Connect { id, hop });
        self.wait(user, Wait { asked: Asked::Connect(id), hops, otherwise, large, ends });
    }

    fn fall_back(&mut self, user: User, wait: Wait, fault: Fault, now: Instant) {
        if let Some(remote) = wait.large {
            self.remember_refused(remote, now);
        }
        let fault = if wait.large.is_some() { Fault::Transport } else { fault };
        self.try_hops(user, wait.hops, (wait.otherwise, fault), wait.ends);
    }

    fn is_refused(&mut self, remote: SocketAddr, now: Instant) -> bool {
        let refused = self.refused.get(&remote).is_some_and(|until| *until > now);
        if !refused {
            self.refused.remove(&remote);
        }
        refused
    }

    fn remember_refused(&mut self, remote: SocketAddr, now: Instant) {
        if self.refused.len() >= STREAM_REFUSED_MAX {
            self.refused.pop_first();
        }
        self.refused.insert(remote, now + STREAM_REFUSED_REMEMBERED);
    }

    fn fail(&mut self, user: User, fault: Fault) {
        self.steps.push_back(Step::Failed { user, fault, transmissions: 0 });
    }

    fn wait(&mut self, user: User, wait: Wait) {
        self.deadlines.insert((wait.ends, user));
        self.waits.insert(user, wait);
    }

    fn stop_waiting(&mut self, user: User) -> Option<Wait> {
        let wait = self.waits.remove(&user)?;
        self.deadlines.remove(&(wait.ends, user));
        match wait.asked {
            Asked::Connect(id) => self.connects.remove(&id),
            Asked::Resolve(id) => self.resolves.remove(&id),
        };
        Some(wait)
    }

    const fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

/// The message of what may come in bursts, and that no stream paces by itself.
const fn paced(user: User, flow: Flow) -> Option<DispatchId> {
    match (user, flow.transport) {
        (User::Leg { dispatch, .. }, Transport::Udp) => Some(dispatch),
        (User::Leg { .. } | User::Report { .. } | User::Relay { .. }, _) => None,
    }
}
