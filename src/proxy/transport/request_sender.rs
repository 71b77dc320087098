//! How our requests leave: from a target through a next hop to a flow, and from there into a client transaction
//! (RFC 3261 §16.6 steps 7 to 10, §18.1.1; RFC 3263 §4).
//!
//! A request starts with [`RequestSender::begin`]. Once it has a flow, [`SenderStep::Ready`] asks for its bytes (Via
//! names the flow), which [`RequestSender::send`] takes. It ends in a final response or in [`SenderStep::Failed`].

mod hops;

mod consent;

mod tcp_refused_cache;

mod waits;

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use bytes::Bytes;

use self::tcp_refused_cache::TcpRefusedCache;
use self::waits::{Large, OpenQuestions, Question, Wait};
use super::inner::Inner;
pub(crate) use super::next_hop::{
    Consent, FailedRequest, Fault, FinalResponse, NextHop, Printed, SenderNeed, SenderStep, Sending, User,
};
use super::next_hop::{Rest, paced};
use super::pacer::Pacer;
use super::sockets::Sockets;
use super::streams::Streams;
use super::validation::Validation;
use crate::limits::{DATAGRAM_PAYLOAD_BYTES_MAX, UDP_REQUEST_BYTES_MAX};
use crate::machine::{
    ConnectId, ConnectionId, Flow, Hop, LookupTerms, RequestId, ResolveId, SendFault, TimerReason, Transmit,
};
use crate::proxy::config::ProxyConfig;
use crate::sip::{Request, Response, Transport};
use crate::transaction::{Arrival, Failed, Failure, Heard, Outgoing, ServerKey, TransactionLayer};

/// All our requests: those that look for a flow, and the transactions of those that have one.
#[derive(Debug)]
pub(crate) struct RequestSender {
    layer: TransactionLayer<User>,
    pacer: Pacer<User>,
    sockets: Sockets,
    streams: Streams,
    waits: OpenQuestions,
    /// For requests that were sent: where else they may go.
    rests: BTreeMap<User, Rest>,
    refused: TcpRefusedCache,
    validation: Validation,
    next: u64,
    /// When the last request or response came, or the last timer fired.
    now: Instant,
    needs: VecDeque<SenderNeed>,
    steps: VecDeque<SenderStep>,
}

impl RequestSender {
    pub(crate) fn new(config: &ProxyConfig, key: [u8; 16], now: Instant) -> Self {
        Self {
            layer: TransactionLayer::new(config.timers, key),
            pacer: Pacer::default(),
            sockets: Sockets::new(config),
            streams: Streams::default(),
            waits: OpenQuestions::default(),
            rests: BTreeMap::new(),
            refused: TcpRefusedCache::default(),
            validation: Validation::default(),
            next: 0,
            now,
            needs: VecDeque::new(),
            steps: VecDeque::new(),
        }
    }

    /// Looks for a flow to a target, until `ends`.
    pub(crate) fn begin(
        &mut self,
        user: User,
        target: (NextHop, Consent, Inner),
        payer: u128,
        ends: Instant,
    ) {
        self.rests.remove(&user);
        let (way, consent, inner) = target;
        let new = |hops, otherwise| Rest { consent, inner, payer, ..Rest::of(hops, otherwise, ends) };
        match way {
            NextHop::Flow(flow) | NextHop::FlowAlone(flow) if self.is_usable(flow) => {
                let is_alone = matches!(way, NextHop::FlowAlone(_));
                self.keep(user, Rest { is_alone, ..new(Vec::new(), None) }, flow);
            }
            NextHop::Flow(_) | NextHop::FlowAlone(_) => self.fail(user, Fault::Transport),
            NextHop::Hop(hop) => self.try_hops(user, new(vec![hop], None), Fault::NoRoute),
            NextHop::Route(hop, domain) => {
                let rest = Rest { domain: Some(domain), ..new(vec![hop], None) };
                self.try_hops(user, rest, Fault::NoRoute);
            }
            NextHop::Lookup { uri, otherwise, payer } => {
                let id = ResolveId(self.number());
                let is_sips = uri.is_sips();
                let otherwise = otherwise.filter(|flow| !is_sips || flow.transport.is_secure());
                let domain = Some(uri.host().trim_end_matches('.').into());
                let rest = Rest { domain, ..new(Vec::new(), otherwise) };
                let terms = LookupTerms { payer: payer.unwrap_or_default(), until: Some(ends) };
                self.needs.push_back(SenderNeed::Resolve { id, uri, terms });
                self.waits.add(user, Wait { asked: Question::Resolve(id), rest, is_sips, large: None, ends });
            }
        }
    }

    /// Sends a printed request as a client transaction that ends at `ends` at the latest. One that is too large for UDP
    /// waits for a stream first, and [`SenderStep::Ready`] comes again (RFC 3261 §18.1.1; W4).
    pub(crate) fn send(&mut self, user: User, printed: Printed<'_>, ends: Instant, now: Instant) -> Sending {
        let Printed { branch, method, flow, bytes } = printed;
        self.now = now;
        if ends <= now {
            self.rests.remove(&user);
            self.fail(user, Fault::Timeout);
            return Sending::Sent;
        }
        if flow.transport == Transport::Udp && bytes.len() > UDP_REQUEST_BYTES_MAX {
            let fits = bytes.len() <= DATAGRAM_PAYLOAD_BYTES_MAX;
            let is_alone = self.rests.get(&user).is_some_and(|rest| rest.is_alone);
            let no_stream = is_alone || (fits && self.refused.has(flow.remote, now));
            if !no_stream {
                self.seek_stream(user, Large { flow, fits }, ends, now);
                return Sending::Waits;
            }
            if !fits {
                self.rests.remove(&user);
                self.fail(user, Fault::TooLarge);
                return Sending::Sent;
            }
        }
        let transmissions_max = match self.agreed((user, bytes.len()), flow, ends) {
            Ok(max) => max,
            Err(sending) => return sending,
        };
        if paced(user).is_some() {
            self.pacer.sent(user, flow, bytes.len(), now);
        }
        // Where there is another hop, leave half of the time for it (RFC 3263 §4.3 within W17).
        let has_more = self.rests.get(&user).is_some_and(|rest| !rest.hops.is_empty());
        let ends = if has_more { now + ends.saturating_duration_since(now) / 2 } else { ends };
        let deadline = Some(ends);
        let outgoing = Outgoing { user, branch, method, flow, bytes, deadline, transmissions_max };
        self.layer.send(outgoing, now);
        Sending::Sent
    }

    /// Passes a received request to the transaction layer, which may absorb it.
    pub(crate) fn receive_request(&mut self, request: &Request, flow: Flow, now: Instant) -> Arrival {
        self.now = now;
        self.layer.receive_request(request, flow, now)
    }

    /// The key of a request, and whether it is being served or was answered a moment ago.
    pub(crate) fn key_of(&self, request: &Request, flow: Flow) -> (ServerKey, bool) {
        let key = self.layer.key_of(request, flow);
        (key, self.layer.knows(key))
    }

    /// The request that a response answers, if that is news. A 503 is not while there is another hop (RFC 3263 §4.3).
    pub(crate) fn receive_response(&mut self, response: &Response, now: Instant) -> Option<Heard<User>> {
        self.now = now;
        let mut heard = self.layer.receive_response(response, now)?;
        if paced(heard.user).is_some() {
            self.pacer.heard(heard.user, heard.flow, now);
        }
        if self.rests.get(&heard.user).is_some_and(|rest| rest.consent != Consent::NotNeeded) {
            self.answered(heard.flow, now);
        }
        if response.status() < 200 {
            return Some(heard);
        }
        let Some(rest) = self.rests.remove(&heard.user) else { return Some(heard) };
        if response.status() == 503 && !rest.hops.is_empty() {
            self.try_hops(heard.user, rest.after_failure(heard.transmissions), Fault::Transport);
            return None;
        }
        heard.transmissions += rest.transmissions;
        Some(heard)
    }

    /// Bytes of the answers that are kept, and how many requests are being answered or were a moment ago.
    #[cfg(test)]
    pub(crate) fn held(&self) -> (usize, usize) {
        (self.layer.answer_bytes(), self.layer.server_count())
    }

    /// Our own sockets.
    pub(crate) const fn sockets(&self) -> &Sockets {
        &self.sockets
    }

    pub(crate) fn respond(&mut self, key: ServerKey, status: u16, bytes: Bytes, now: Instant) {
        self.layer.respond(key, status, bytes, now);
    }

    /// Drops a request without an answer (RFC 4320 §4.2).
    pub(crate) fn abandon(&mut self, key: ServerKey) {
        self.layer.abandon(key);
    }

    /// Something was received on this flow, so it can be used.
    pub(crate) fn heard_on(&mut self, flow: Flow) {
        self.streams.heard_on(flow);
    }

    /// The live stream with that number.
    pub(crate) fn stream(&self, connection: ConnectionId) -> Option<Flow> {
        self.streams.of(connection)
    }

    /// A live stream to a peer, whoever opened it.
    pub(crate) fn stream_to(&self, hop: Hop) -> Option<Flow> {
        self.streams.to(hop)
    }

    /// True if a flow can be used: a datagram flow while its socket is ours, a stream while it lives.
    pub(crate) fn is_usable(&self, flow: Flow) -> bool {
        match flow.transport {
            Transport::Udp => self.sockets.has(Transport::Udp, flow.local),
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                flow.connection.is_some_and(|connection| self.streams.of(connection).is_some())
            }
        }
    }

    pub(crate) fn connected(&mut self, id: ConnectId, flow: Flow) {
        self.heard_on(flow);
        if let Some((user, Wait { mut rest, large, .. })) = self.waits.take_connect(id) {
            match large {
                // The UDP address was replaced by another one; keep it in case the stream fails.
                Some(Large { flow: udp, fits: true }) if udp.remote != flow.remote => {
                    rest.hops.push(Hop { transport: Transport::Udp, remote: udp.remote });
                }
                // An existing connection may lead to a process that has ended: then try once more, over a new one.
                Some(udp) if rest.failed == 0 => rest.otherwise = rest.otherwise.or(Some(udp.flow)),
                Some(_) | None => {}
            }
            self.keep(user, rest, flow);
        }
    }

    pub(crate) fn connect_failed(&mut self, id: ConnectId, now: Instant) {
        if let Some((user, wait)) = self.waits.take_connect(id) {
            self.fall_back(user, wait, Fault::Transport, now);
        }
    }

    pub(crate) fn resolved(&mut self, id: ResolveId, mut hops: Vec<Hop>) {
        if let Some((user, wait)) = self.waits.take_resolve(id) {
            // W32: whatever a name resolves to, a `sips:` request does not leave TLS.
            hops.retain(|hop| !wait.is_sips || hop.transport.is_secure());
            hops.reverse();
            self.try_hops(user, Rest { hops, ..wait.rest }, Fault::NoRoute);
        }
    }

    /// A request did not leave: only that one fails, or goes elsewhere.
    pub(crate) fn not_sent(&mut self, request: Option<RequestId>, fault: SendFault) {
        if let Some(request) = request {
            self.layer.not_sent(request, fault);
        }
    }

    /// A connection is gone: what waits on it fails, and it is not used again.
    pub(crate) fn disconnected(&mut self, flow: Flow) {
        self.streams.gone(flow);
        self.layer.disconnected(flow);
        for user in self.pacer.gone(flow) {
            self.gave_up(user, Fault::Transport, 0);
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.now = now;
        while let Some((user, mut wait)) = self.waits.take_due(now) {
            if wait.large.is_none() {
                wait.rest.hops.clear();
            }
            self.fall_back(user, wait, Fault::Timeout, now);
        }
        self.pacer.handle_timeout(now);
        self.layer.handle_timeout(now);
    }

    pub(crate) fn poll_step(&mut self) -> Option<SenderStep> {
        self.take_turns();
        let next = self.steps.pop_front().or_else(|| self.poll_failed());
        next.or_else(|| self.pacer.pop().map(|(user, flow)| SenderStep::Ready { user, flow }))
    }

    pub(crate) fn poll_wish(&mut self) -> Option<SenderNeed> {
        self.needs.pop_front()
    }

    pub(crate) fn poll_transmit(&mut self) -> Option<Transmit> {
        self.layer.poll_transmit()
    }

    pub(crate) fn poll_timeout(&self) -> Option<(Instant, TimerReason)> {
        let wait = self.waits.first_end().map(|ends| (ends, TimerReason::WayNotFound));
        let pace = self.pacer.poll_timeout().map(|at| (at, TimerReason::PeerSilent));
        [wait, pace, self.layer.poll_timeout()].into_iter().flatten().min()
    }

    /// A leg waits for its turn at the pacer; everything else comes one by one, and goes at once.
    fn ready(&mut self, user: User, flow: Flow) {
        match paced(user) {
            Some(message) => self.pacer.wait(user, message.0, flow),
            None => self.steps.push_back(SenderStep::Ready { user, flow }),
        }
    }

    fn poll_failed(&mut self) -> Option<SenderStep> {
        while self.steps.is_empty() {
            let Failed { user, failure, transmissions } = self.layer.poll_failed()?;
            let fault = match failure {
                Failure::Timeout => Fault::Timeout,
                Failure::Transport => Fault::Transport,
                Failure::TooLarge => Fault::TooLarge,
            };
            self.gave_up(user, fault, transmissions);
        }
        self.steps.pop_front()
    }

    /// A request got no answer on its flow: it goes elsewhere, or fails.
    fn gave_up(&mut self, user: User, fault: Fault, transmissions: u32) {
        match self.rests.remove(&user) {
            Some(rest) if rest.has_another(fault) => {
                self.try_hops(user, rest.after_failure(transmissions), fault);
            }
            rest => {
                let transmissions = transmissions + rest.map_or(0, |rest| rest.transmissions);
                self.steps.push_back(SenderStep::Failed { user, fault, transmissions });
            }
        }
    }

    fn fail(&mut self, user: User, fault: Fault) {
        self.steps.push_back(SenderStep::Failed { user, fault, transmissions: 0 });
    }

    const fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}
