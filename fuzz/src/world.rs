//! A machine with a scripted world around it: an input is a script, so that one of them can be a whole conversation.
//!
//! Its pieces are separated by lines of `%%`. A piece is a datagram, or by its first byte something else:
//!
//! | first byte | what happens |
//! |---|---|
//! | `0` to `3` | the rest comes in on that flow |
//! | `=` | the answer to the latest request that left: the rest of the status line, then further fields |
//! | `+` | so many milliseconds go by |
//! | `!` | the disk fails from now on; or works again |
//!
//! `{call-id}` and `{from-tag}` stand for those of the latest MESSAGE that left, `{route}` for the Record-Route of the latest request
//! that had one.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use fanfare::client::UserAgent;
use fanfare::machine::{ConnectFault, ConnectionId, Flow, Input, Machine, Output};
use fanfare::model::account::{Account, AgentConfig};
use fanfare::model::command::{AgentCommand, Draft};
use fanfare::model::journal::PersonRow;
use fanfare::proxy::journal::UserRow;
use fanfare::proxy::{Auth, Proxy, ProxyCommand, ProxyConfig};
use fanfare::random::Random;
use fanfare::sip::digest::{Algorithm, Ha1};
use fanfare::sip::{Aor, Message, ReportMode, ReportOptions, Request, Transport, parse};
use fanfare::time::{Clock, Now, Timestamp};

const PROXY: &str = "192.0.2.100:5060";
const JAMES: &str = "192.0.2.1:5060";
const SEPARATOR: &[u8] = b"\n%%\n";
/// Timers that fire when all is said.
const TIMERS_MAX: usize = 80;

/// Datagrams and messages of streams into the proxy, with Ann and Bob at home.
pub(crate) fn proxy(data: &[u8]) {
    let local = address(PROXY);
    let listens = vec![(Transport::Udp, local), (Transport::Tcp, local)];
    let mut config = ProxyConfig::new(vec!["domain.com".to_owned()], listens);
    config.trust = vec!["192.0.2.9/32".parse().expect("a prefix")];
    let now = start();
    let flows = [
        Flow::udp(local, address(JAMES)),
        Flow::udp(local, address("192.0.2.6:5060")),
        stream(local, "192.0.2.7:40000", 1),
        Flow::udp(local, address("192.0.2.9:5060")),
    ];
    let mut world = World::new(Proxy::new(config, Default::default(), Random::from_seed(1), now), flows, now);
    for (name, flow) in [("ann", 1), ("bob", 2)] {
        world.take(format!("{flow}{}", registration(name)).as_bytes());
    }
    world.play(data);
}

/// What people send who prove nothing, on flows `0` and `1`, to a proxy that asks; Bob, a user, is at home on flow `2`, and answers. No
/// request of theirs leaves to any place but one where somebody of ours is registered, a flow that is theirs, or one that Bob
/// named in an answer; none leaves in a name of ours, and no response goes to anybody else.
pub(crate) fn stranger(data: &[u8]) {
    let local = address(PROXY);
    let listens = vec![(Transport::Udp, local), (Transport::Tcp, local)];
    let mut config = ProxyConfig::new(vec!["domain.com".to_owned()], listens);
    config.auth = Auth::On;
    config.trust = vec!["192.0.2.9/32".parse().expect("a prefix")];
    let (now, bob) = (start(), address("192.0.2.7:5060"));
    let theirs = Flow::udp(local, address("203.0.113.66:5060"));
    let stream = stream(local, "203.0.113.66:40000", 1);
    let proxy = Proxy::new(config, Default::default(), Random::from_seed(1), now);
    let trusted = Flow::udp(local, address("192.0.2.9:5060"));
    let mut world = World::new(proxy, [theirs, stream, Flow::udp(local, bob), trusted], now);
    let users = ["bob", "ceo"].map(|name| UserRow {
        aor: Aor::parse(&format!("{name}@domain.com")).expect("an address"),
        sha256: Ha1::new(Algorithm::Sha256, name, "domain.com", "secret"),
        md5: Ha1::new(Algorithm::Md5, name, "domain.com", "secret"),
        blocked: Vec::new(),
    });
    world.input(Input::Command(ProxyCommand::Users(users.into())));
    let home = registration("bob").replace("bob@192.0.2.6:5060", "bob@192.0.2.7:5060");
    world.take(format!("3{home}").as_bytes());
    // From here on nobody is trusted who writes.
    world.flows[3] = theirs;
    world.watch = Some(Watch { homes: vec![bob], said: Vec::new() });
    world.play(data);
}

/// Where what strangers send may lead.
struct Watch {
    homes: Vec<SocketAddr>,
    /// What was answered from there.
    said: Vec<u8>,
}

impl Watch {
    fn was_named(&self, place: &str) -> bool {
        !place.is_empty()
            && self.said.windows(place.len()).any(|window| window.eq_ignore_ascii_case(place.as_bytes()))
    }

    fn check(&self, remote: SocketAddr, flows: &[Flow]) {
        let is_theirs = flows.iter().any(|flow| flow.remote.ip() == remote.ip());
        let is_right = is_theirs || self.homes.contains(&remote) || self.was_named(&remote.ip().to_string());
        assert!(is_right, "a stranger's request leaves to {remote}");
    }

    fn check_sender(request: &Request) {
        let from = request.fields().from().uri;
        let is_ours = from.has_host("domain.com") || from.has_host("192.0.2.100");
        assert!(!is_ours, "{} leaves in the name of {from}", request.method());
    }
}

/// Datagrams and messages of streams into the client, which is registered and has sent a message to Ann and Bob.
pub(crate) fn client(data: &[u8]) {
    let local = address(JAMES);
    let account = Account {
        address: "im:james@domain.com".to_owned(),
        proxy: format!("udp:{PROXY}"),
        expires_secs: Some(3600),
        ..Account::default()
    };
    let locals = vec![(Transport::Udp, local), (Transport::Tcp, local)];
    let config = AgentConfig { profile: account.check().expect("an account"), locals };
    let now = start();
    let flows = [
        Flow::udp(local, address(PROXY)),
        Flow::udp(local, address("192.0.2.66:5060")),
        stream(local, PROXY, 1),
        stream(local, "192.0.2.66:40000", 2),
    ];
    let agent = UserAgent::new(config, Default::default(), Random::from_seed(1), now);
    let mut world = World::new(agent, flows, now);
    world.input(Input::Command(AgentCommand::Connect));
    world.take(b"=200 OK\r\nSupported: secondary-to\r\nExpires: 600");
    let person = |address: &str| PersonRow { address: address.to_owned(), name: String::new() };
    world.input(Input::Command(AgentCommand::Send(Draft {
        to: vec![person("im:ann@domain.com"), person("im:bob@domain.com")],
        text: "Come here.".to_owned(),
        files: Vec::new(),
        hidden: false,
        report: ReportOptions { mode: ReportMode::Each, detail: true, id: None },
    })));
    world.play(data);
}

struct World<M: Machine> {
    machine: M,
    now: Now,
    flows: [Flow; 4],
    is_disk_full: bool,
    /// The latest request that left, and on which flow.
    asked: Option<(Flow, Bytes)>,
    /// The latest MESSAGE that left.
    message: Bytes,
    /// The Record-Route of the latest request that had one.
    route: String,
    connections: u64,
    watch: Option<Watch>,
}

impl<M: Machine> World<M> {
    fn new(machine: M, flows: [Flow; 4], now: Now) -> Self {
        Self {
            machine,
            now,
            flows,
            is_disk_full: false,
            asked: None,
            message: Bytes::new(),
            route: String::new(),
            connections: 100,
            watch: None,
        }
    }

    fn play(&mut self, script: &[u8]) {
        let mut rest = script;
        while let Some(end) = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR) {
            let (piece, more) = rest.split_at(end);
            self.take(piece);
            rest = more.get(SEPARATOR.len()..).unwrap_or_default();
        }
        self.take(rest);
        self.is_disk_full = false;
        self.fire(Duration::MAX);
    }

    fn take(&mut self, piece: &[u8]) {
        let Some((first, rest)) = piece.split_first() else { return };
        match first {
            b'+' => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).take(9);
                let millis = digits.fold(0, |sum, digit| sum * 10 + u64::from(*digit - b'0'));
                self.fire(Duration::from_millis(millis));
                self.now = self.now.plus(Duration::from_millis(millis));
            }
            b'=' => self.answer(rest),
            b'!' => self.is_disk_full = !self.is_disk_full,
            b'0'..=b'3' => self.receive(usize::from(*first - b'0'), rest),
            _ => self.receive(0, piece),
        }
    }

    fn receive(&mut self, flow: usize, bytes: &[u8]) {
        let Some(flow) = self.flows.get(flow).copied() else { return };
        let bytes = self.filled(bytes);
        self.input(Input::Received { flow, bytes });
    }

    /// The words in braces, from the latest MESSAGE.
    fn filled(&self, bytes: &[u8]) -> Bytes {
        let message = String::from_utf8_lossy(&self.message);
        let tag = field(&message, "From").split(";tag=").nth(1).unwrap_or_default();
        let bytes = replaced(bytes, b"{route}", self.route.as_bytes());
        let bytes = replaced(&bytes, b"{call-id}", field(&message, "Call-ID").as_bytes());
        replaced(&bytes, b"{from-tag}", tag.as_bytes()).into()
    }

    fn answer(&mut self, rest: &[u8]) {
        let Some((flow, request)) = self.asked.clone() else { return };
        if let Some(watch) = &mut self.watch {
            watch.said.extend_from_slice(rest);
        }
        let request = String::from_utf8_lossy(&request);
        let [from, to, call_id, cseq] = ["From", "To", "Call-ID", "CSeq"].map(|name| field(&request, name));
        let tag = if to.contains(";tag=") { "" } else { ";tag=p1" };
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let (status, fields) = rest.split_at(end);
        // All of them: a proxy takes its own off.
        let vias = request.split("\r\n").skip(1).take_while(|line| !line.is_empty());
        let via: String =
            vias.filter(|line| line.starts_with("Via: ")).map(|line| format!("{line}\r\n")).collect();
        let head = format!("{via}From: {from}\r\nTo: {to}{tag}\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n");
        let bytes =
            [b"SIP/2.0 ", status.trim_ascii_end(), b"\r\n", head.as_bytes(), fields, b"\r\n\r\n"].concat();
        self.input(Input::Received { flow, bytes: bytes.into() });
    }

    fn input(&mut self, input: Input<M::Command>) {
        self.machine.handle(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.machine.poll_output() {
            let answer = match output {
                Output::Transmit(transmit) => {
                    self.sent(transmit.flow, transmit.bytes);
                    continue;
                }
                Output::Connect { id, hop, .. } => {
                    if let Some(watch) = &self.watch {
                        watch.check(hop.remote, &self.flows);
                    }
                    if self.connections.is_multiple_of(3) {
                        Input::ConnectFailed { id, fault: ConnectFault::Unreachable }
                    } else {
                        let remote = hop.remote.to_string();
                        let flow = stream(address(PROXY), &remote, self.connections);
                        Input::Connected { id, flow }
                    }
                }
                Output::Resolve { id, uri, .. } => {
                    if let Some(watch) = &self.watch {
                        assert!(watch.was_named(uri.target_host()), "a stranger's request asks for {uri}");
                    }
                    Input::Resolved { id, hops: Vec::new() }
                }
                Output::Commit(batch) if self.is_disk_full => Input::CommitFailed(batch.id),
                Output::Commit(batch) => Input::Committed(batch.id),
                Output::Event(_) => continue,
            };
            self.connections += 1;
            self.machine.handle(answer, self.now);
        }
    }

    /// What leaves is a message; a response to what was none may repeat what was wrong with it.
    fn sent(&mut self, flow: Flow, bytes: Bytes) {
        if let Some(watch) = &self.watch {
            watch.check(flow.remote, &self.flows);
        }
        if bytes.starts_with(b"SIP/2.0 ") {
            assert!(bytes.windows(4).any(|window| window == b"\r\n\r\n"), "a response without an end");
            return;
        }
        let parsed = parse(bytes.clone());
        let Ok(Message::Request(request)) = parsed else {
            panic!("no request: {parsed:?}\n{}", String::from_utf8_lossy(&bytes));
        };
        if self.watch.is_some() {
            Watch::check_sender(&request);
        }
        let route: Vec<_> = request.fields().every("Record-Route").collect();
        if !route.is_empty() {
            self.route = route.join(", ");
        }
        if request.method().as_str() == "MESSAGE" {
            self.message = bytes.clone();
        }
        self.asked = Some((flow, bytes));
    }

    /// Fires what comes due in this time, but no more than [`TIMERS_MAX`].
    fn fire(&mut self, within: Duration) {
        let end = self.now.mono.checked_add(within);
        for _ in 0..TIMERS_MAX {
            let Some((due, why)) = self.machine.poll_timeout() else { return };
            if end.is_some_and(|end| due > end) {
                return;
            }
            self.now = self.now.plus(due.saturating_duration_since(self.now.mono));
            self.machine.handle_timeout(self.now);
            let next = self.machine.poll_timeout();
            assert!(next.is_none_or(|(next, _)| next > self.now.mono), "busy loop: {why}, then {next:?}");
            self.drain();
        }
    }
}

fn replaced(bytes: &[u8], word: &[u8], by: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(place) = rest.windows(word.len()).position(|window| window == word) {
        let (before, after) = rest.split_at(place);
        out.extend_from_slice(before);
        out.extend_from_slice(by);
        rest = after.get(word.len()..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

fn field<'a>(message: &'a str, name: &str) -> &'a str {
    let values = message.split("\r\n").filter_map(|line| line.split_once(": "));
    values.filter(|(this, _)| *this == name).map(|(_, value)| value).next().unwrap_or_default()
}

fn registration(name: &str) -> String {
    format!(
        "REGISTER sip:domain.com SIP/2.0\r\nVia: SIP/2.0/UDP {name};branch=z9hG4bK{name}\r\n\
         From: <sip:{name}@domain.com>;tag=1\r\nTo: <sip:{name}@domain.com>\r\nCall-ID: {name}\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:{name}@192.0.2.6:5060>;+sip.instance=\"<urn:{name}>\"\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
    )
}

fn start() -> Now {
    Now { mono: Clock::start().now().mono, wall: Timestamp::from_millis(1_289_690_940_000) }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn stream(local: SocketAddr, remote: &str, connection: u64) -> Flow {
    let connection = Some(ConnectionId(connection));
    Flow { transport: Transport::Tcp, local, remote: address(remote), connection }
}
