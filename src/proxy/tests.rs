//! The proxy seen from outside: literal bytes in and out, a disk that can fail or forget, virtual time.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use self::disk::apply;
use self::text::*;
use super::journal::{DispatchId, Rows, Write};
use super::{Proxy, ProxyCommand, ProxyConfig, ProxyEvent, StaticRoute};
use crate::machine::{
    Batch, ConnectId, ConnectionId, Flow, Hop, Input, Machine, Output, RequestId, ResolveId, SendFault,
};
use crate::random::Random;
use crate::sip::Transport;
use crate::time::{Now, Timestamp};

mod absence;
mod admission;
mod auth;
mod disk;
mod doubles;
mod flows;
mod held;
mod identity;
mod legs;
mod list_body;
mod lists;
mod mailbox;
mod overload;
mod pacing;
mod passage;
mod path;
mod recovery;
mod reflection;
mod registrar;
mod relay;
mod remembered;
mod routes;
mod reports;
mod sessions;
mod storm;
mod submissions;
mod text;
mod watched;

/// Where the proxy listens.
pub(super) const PROXY: &str = "192.0.2.100:5060";
pub(super) const JAMES: &str = "192.0.2.1:5060";
pub(super) const ANN: &str = "192.0.2.6:5060";
pub(super) const BOB: &str = "192.0.2.7:5060";

/// Something the proxy sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) after: Duration,
    pub(super) flow: Flow,
    pub(super) text: String,
}

/// What the disk does with batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disk {
    Works,
    /// Batches wait in `waiting`.
    Waits,
    Fails,
}

pub(super) struct Bench {
    proxy: Proxy,
    config: ProxyConfig,
    start: Now,
    pub(super) now: Now,
    pub(super) disk: Disk,
    pub(super) rows: Rows,
    pub(super) waiting: Vec<Batch<Write>>,
    pub(super) commits: usize,
    pub(super) sent: Vec<Sent>,
    /// Requests sent with a transaction, in order.
    pub(super) requests: Vec<(Flow, RequestId)>,
    pub(super) events: Vec<ProxyEvent>,
    pub(super) connects: Vec<(ConnectId, Hop)>,
    /// The name that the certificate must contain on the connection asked for last.
    pub(super) named: Option<String>,
    pub(super) resolves: Vec<(ResolveId, String)>,
    /// Who pays for each name that was asked for.
    pub(super) payers: Vec<(String, String)>,
    /// When nobody waits for it any more.
    pub(super) untils: Vec<Option<Instant>>,
    /// Messages that the proxy has asked the store for.
    pub(super) wanted: Vec<DispatchId>,
}

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(super) fn udp(from: &str) -> Flow {
    Flow::udp(address(PROXY), address(from))
}

pub(super) fn tcp(from: &str, connection: u64) -> Flow {
    Flow {
        transport: Transport::Tcp,
        local: address(PROXY),
        remote: address(from),
        connection: Some(ConnectionId(connection)),
    }
}

pub(super) fn config() -> ProxyConfig {
    let listens = [Transport::Udp, Transport::Tcp].map(|transport| (transport, address(PROXY)));
    ProxyConfig::new(vec!["domain.com".to_owned()], listens.to_vec())
}

#[expect(clippy::disallowed_methods, reason = "a base for virtual time")]
fn base() -> Now {
    Now { mono: Instant::now(), wall: Timestamp::from_millis(1_800_000_000_000) }
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with(config())
    }

    pub(super) fn trusting(prefix: &str) -> Self {
        let trust = vec![format!("udp:{prefix}").parse().unwrap()];
        Self::with(ProxyConfig { trust, ..config() })
    }

    pub(super) fn with(config: ProxyConfig) -> Self {
        Self::starting_with(Disk::Works, config)
    }

    pub(super) fn starting_with(disk: Disk, config: ProxyConfig) -> Self {
        let now = base();
        let mut bench = Self {
            proxy: Proxy::new(config.clone(), Rows::default(), Random::from_seed(1), now),
            config,
            start: now,
            now,
            disk,
            rows: Rows::default(),
            waiting: Vec::new(),
            commits: 0,
            sent: Vec::new(),
            requests: Vec::new(),
            events: Vec::new(),
            connects: Vec::new(),
            named: None,
            resolves: Vec::new(),
            payers: Vec::new(),
            untils: Vec::new(),
            wanted: Vec::new(),
        };
        bench.drain();
        bench
    }

    /// The process dies and restarts with what the disk holds.
    pub(super) fn crash(&mut self) {
        self.waiting.clear();
        self.sent.clear();
        self.connects.clear();
        self.resolves.clear();
        self.wanted.clear();
        let mut rows = self.rows.clone();
        let is_whole = |id| !self.rows.remembered.iter().any(|row| row.id == id);
        rows.dispatches.retain(|rows| is_whole(rows.accepted.id));
        self.proxy = Proxy::new(self.config.clone(), rows, Random::from_seed(2), self.now);
        self.drain();
    }

    pub(super) fn input(&mut self, input: Input<ProxyCommand>) {
        self.proxy.handle(input, self.now);
        self.drain();
    }

    pub(super) fn receive(&mut self, flow: Flow, text: &str) {
        self.receive_bytes(flow, wire(text));
    }

    pub(super) fn receive_bytes(&mut self, flow: Flow, bytes: Vec<u8>) {
        self.input(Input::Received { flow, bytes: bytes.into() });
    }

    /// Sends a request over UDP and takes the answer.
    pub(super) fn ask(&mut self, from: &str, text: &str) -> String {
        self.receive(udp(from), text);
        self.take_one(from)
    }

    /// Registers `sip:NAME@domain.com` at its own address over UDP.
    pub(super) fn register(&mut self, name: &str, at: &str) {
        let answer = self.ask(at, &register(name, &format!("<sip:{name}@{at}>"), 1, 600));
        assert_eq!(status(&answer), 200, "{answer}");
    }

    /// A bench where Ann and Bob are registered.
    pub(super) fn at_home() -> Self {
        let mut bench = Self::new();
        bench.register("ann", ANN);
        bench.register("bob", BOB);
        bench
    }

    /// Answers a request that the proxy sent.
    pub(super) fn answer(&mut self, from: &str, request: &str, line: &str) {
        self.answer_with(udp(from), request, line, "");
    }

    pub(super) fn answer_with(&mut self, flow: Flow, request: &str, line: &str, more: &str) {
        self.receive(flow, &Self::answer_text(request, line, more));
    }

    pub(super) fn answer_text(request: &str, line: &str, more: &str) -> String {
        let copied = ["Via", "From", "To", "Call-ID", "CSeq"]
            .map(|name| format!("{name}: {}\n", field(request, name).unwrap()));
        let tag = if field(request, "To").unwrap().contains(";tag=") { "" } else { ";tag=uas" };
        let [via, from, to, call_id, cseq] = copied;
        let to = to.trim_end();
        format!("SIP/2.0 {line}\n{via}{from}{to}{tag}\n{call_id}{cseq}{more}Content-Length: 0\n\n")
    }

    /// Advances the time, running what comes due.
    pub(super) fn advance(&mut self, by: Duration) {
        let end = self.now.plus(by);
        let mut turns = 0;
        while let Some((at, why)) = self.proxy.poll_timeout().filter(|(at, _)| *at <= end.mono) {
            let wait = at.saturating_duration_since(self.now.mono);
            self.now = self.now.plus(wait);
            self.proxy.handle_timeout(self.now);
            self.drain();
            let next = self.proxy.poll_timeout();
            assert!(next.is_none_or(|(next, _)| next > at), "busy: {why}, then {next:?}");
            turns += 1;
            assert!(turns < 100_000, "no end: {why}");
        }
        self.now = self.now.plus(end.mono.saturating_duration_since(self.now.mono));
    }

    pub(super) fn advance_ms(&mut self, millis: u64) {
        self.advance(Duration::from_millis(millis));
    }

    /// Takes what was sent to an address since the last call.
    pub(super) fn take(&mut self, to: &str) -> Vec<String> {
        self.take_sent(to).into_iter().map(|sent| sent.text).collect()
    }

    pub(super) fn take_sent(&mut self, to: &str) -> Vec<Sent> {
        self.sent.extract_if(.., |sent| sent.flow.remote == address(to)).collect()
    }

    pub(super) fn take_one(&mut self, to: &str) -> String {
        let mut all = self.take(to);
        assert_eq!(all.len(), 1, "to {to}: {all:#?}");
        all.remove(0)
    }

    /// Commits the waiting batches, or fails them.
    pub(super) fn disk_goes_on(&mut self, disk: Disk) {
        self.disk = disk;
        for batch in std::mem::take(&mut self.waiting) {
            self.store(batch);
        }
        self.drain();
    }

    fn drain(&mut self) {
        self.poll();
        while let Some(id) = self.wanted.pop() {
            let rows = self.rows.dispatches.iter().find(|rows| rows.accepted.id == id);
            let rows = rows.filter(|_| self.disk == Disk::Works).cloned();
            self.proxy.handle(Input::Command(ProxyCommand::Read(id, rows.map(Box::new))), self.now);
            self.poll();
        }
    }

    fn poll(&mut self) {
        while let Some(output) = self.proxy.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    readable(&transmit.bytes);
                    let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                    let after = self.now.mono.saturating_duration_since(self.start.mono);
                    self.requests.extend(transmit.request.map(|request| (transmit.flow, request)));
                    self.sent.push(Sent { after, flow: transmit.flow, text });
                }
                Output::Connect { id, hop, domain } => {
                    self.connects.push((id, hop));
                    self.named = domain.map(|domain| domain.to_string());
                }
                Output::Resolve { id, uri, terms } => {
                    self.resolves.push((id, uri.to_string()));
                    self.untils.push(terms.until);
                    self.payers.push((uri.to_string(), terms.payer.0.to_string()));
                }
                Output::Commit(batch) => self.store(batch),
                Output::Event(ProxyEvent::Wanted { dispatch }) => self.wanted.push(dispatch),
                Output::Event(event) => self.events.push(event),
            }
        }
    }

    /// The system fails to send the last datagram to `remote`.
    pub(super) fn not_sent(&mut self, remote: &str, fault: SendFault) {
        let mut to_it = self.requests.iter().rev().filter(|(flow, _)| flow.remote == address(remote));
        let (flow, request) = *to_it.next().expect("something was sent");
        self.input(Input::NotSent { flow, request: Some(request), fault });
    }

    fn store(&mut self, batch: Batch<Write>) {
        match self.disk {
            Disk::Waits => self.waiting.push(batch),
            Disk::Fails => self.proxy.handle(Input::CommitFailed(batch.id), self.now),
            Disk::Works => {
                self.commits += 1;
                for write in batch.writes {
                    apply(&mut self.rows, write);
                }
                self.proxy.handle(Input::Committed(batch.id), self.now);
            }
        }
    }
}
