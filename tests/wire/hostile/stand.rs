//! Machines that take hostile inputs: their disk always works, and their network says nothing by itself.

use super::*;

/// A machine whose disk always works and whose network says nothing by itself.
pub(crate) struct Stand<M: Machine> {
    machine: M,
    now: Now,
    flow: Flow,
    /// A connection that it asks for is there at once.
    is_connected: bool,
    /// What left last.
    pub(crate) sent: Vec<Bytes>,
}

impl<M: Machine> Stand<M> {
    /// Takes what a peer sent, with all that follows from it at once; how long that took.
    pub(crate) fn take(&mut self, bytes: Bytes) -> Duration {
        let flow = self.flow;
        self.input(Input::Received { flow, bytes })
    }

    /// The request that left last.
    fn last_request(&self) -> String {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        self.sent.iter().rev().map(text).find(|text| !text.starts_with("SIP/2.0")).unwrap_or_default()
    }

    /// Answers it.
    fn answer(&mut self, line: &str, more: &str) {
        let request = self.last_request();
        let [via, from, to, call_id, cseq] =
            ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| field(&request, name));
        let answer = format!(
            "SIP/2.0 {line}\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to};tag=p1\r\nCall-ID: {call_id}\r\nCSeq: {cseq}\r\n\
             {more}Content-Length: 0\r\n\r\n"
        );
        self.take(answer.into());
    }

    fn input(&mut self, input: Input<M::Command>) -> Duration {
        self.sent.clear();
        let clock = Clock::start();
        let start = clock.now().mono;
        self.machine.handle(input, self.now);
        while let Some(output) = self.machine.poll_output() {
            match output {
                Output::Transmit(transmit) => self.sent.push(transmit.bytes),
                Output::Commit(batch) => self.machine.handle(Input::Committed(batch.id), self.now),
                Output::Connect { id, hop, .. } if self.is_connected => {
                    let flow = flow("192.0.2.1:40000", &hop.remote.to_string());
                    self.machine.handle(Input::Connected { id, flow }, self.now);
                }
                Output::Connect { .. } | Output::Resolve { .. } | Output::Event(_) => {}
            }
        }
        clock.now().mono.saturating_duration_since(start)
    }
}

fn flow(local: &str, remote: &str) -> Flow {
    let address = |text: &str| text.parse().expect("an address");
    let connection = Some(ConnectionId(1));
    Flow { transport: Transport::Tcp, local: address(local), remote: address(remote), connection }
}

/// A proxy to which a stranger has connected; Bob is at home.
pub(crate) fn proxy(auth: Auth) -> Stand<Proxy> {
    let flow = flow("192.0.2.100:5060", "192.0.2.66:40000");
    let listens = vec![(Transport::Udp, flow.local), (Transport::Tcp, flow.local)];
    let config = ProxyConfig { auth: Auth::Off, ..ProxyConfig::new(vec!["domain.com".to_owned()], listens) };
    let now = Clock::start().now();
    let config = ProxyConfig { auth, ..config };
    let machine = Proxy::new(config, Default::default(), Random::from_seed(1), now);
    let mut stand = Stand { machine, now, flow, is_connected: false, sent: Vec::new() };
    let hash = |algorithm| Ha1::new(algorithm, "james", "domain.com", "secret");
    let user = |name: &str| UserRow {
        aor: Aor::parse(&format!("{name}@domain.com")).expect("an address"),
        sha256: hash(Algorithm::Sha256),
        md5: hash(Algorithm::Md5),
        blocked: Vec::new(),
    };
    stand.input(Input::Command(ProxyCommand::Users(vec![user("james"), user("bob")].into())));
    let register = "Contact: <sip:bob@192.0.2.7>\r\nExpires: 3600\r\n";
    stand.take(request("REGISTER", "<sip:bob@domain.com>;tag=1", register, "text/plain", b""));
    stand
}

/// A client that is signed in at the server that now sends to it.
pub(crate) fn client() -> Stand<UserAgent> {
    let flow = Flow::udp(
        "192.0.2.1:5060".parse().expect("an address"),
        "192.0.2.100:5060".parse().expect("an address"),
    );
    let account = Account {
        address: "im:bob@domain.com".to_owned(),
        proxy: "udp:192.0.2.100:5060".to_owned(),
        expires_secs: Some(3600),
        ..Account::default()
    };
    let locals = vec![(Transport::Udp, flow.local), (Transport::Tcp, flow.local)];
    let config = AgentConfig { profile: account.check().expect("an account"), locals };
    let now = Clock::start().now();
    let machine = UserAgent::new(config, Default::default(), Random::from_seed(1), now);
    let mut stand = Stand { machine, now, flow, is_connected: true, sent: Vec::new() };
    stand.input(Input::Command(AgentCommand::Connect));
    stand.answer("200 OK", "Supported: secondary-to\r\nExpires: 3600\r\n");
    stand
}

/// A client that has written to as many people as it may, and what names its message in a report: header fields.
pub(crate) fn reported() -> (Stand<UserAgent>, String) {
    let mut stand = client();
    let person =
        |number: usize| PersonRow { address: format!("im:{number}@domain.com"), name: String::new() };
    stand.input(Input::Command(AgentCommand::Send(Draft {
        to: (0..RECIPIENTS_MAX).map(person).collect(),
        text: "Come here.".to_owned(),
        files: Vec::new(),
        hidden: false,
        report: ReportOptions { mode: ReportMode::Each, detail: true, id: None },
    })));
    let message = stand.last_request();
    stand.answer("202 Accepted", "Supported: secondary-to\r\n");
    let (call_id, from) = (field(&message, "Call-ID"), field(&message, "From"));
    assert!(!call_id.is_empty(), "a message left: {message}");
    (stand, format!("To: {from}\r\nFrom: <sip:domain.com>;tag=p1\r\nCall-ID: {call_id}\r\n"))
}

fn field(message: &str, name: &str) -> String {
    let values = message.split("\r\n").filter_map(|line| line.split_once(": "));
    values.filter(|(this, _)| *this == name).map(|(_, value)| value.to_owned()).next().unwrap_or_default()
}

/// A report of the message that these fields name.
pub(crate) fn report(named: &str, body: &[u8]) -> Bytes {
    let head = format!(
        "NOTIFY sip:bob@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.100;branch=z9hG4bKr\r\n{named}CSeq: 1 NOTIFY\r\n\
         Event: delivery-report\r\nSubscription-State: active\r\nContent-Type: application/delivery-report\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat().into()
}
