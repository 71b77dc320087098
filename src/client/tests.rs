//! Tests the client machine through its public interface: literal bytes on the other side, a disk under the test's control,
//! and time that passes only when a test says so.

mod acquainted;
mod corrected;
mod deletion;
mod disk;
mod doubles;
mod drafts;
mod forged;
mod inbox;
mod keep_alive;
mod later;
mod list;
mod list_out;
mod one_by_one;
mod outbox;
mod passed_on;
mod receipts;
mod redirect;
mod registration;
mod report;
mod robust;
mod server;
mod sign_in;
mod silence;
mod strangers;
mod typing;

use std::time::Duration;

use bytes::Bytes;

use super::{AgentConfig, UserAgent};
use crate::machine::{
    BatchId, ConnectId, ConnectionId, Flow, Hop, Input, Machine, Output, RequestId, ResolveId, SendFault,
};
use crate::model::account::{Account, RegistrationState, SignIn};
use crate::model::command::{AgentCommand, Draft, Event, WindowEvent};
use crate::model::contacts::{AddressBook, Contact};
use crate::model::journal::{DeliveryState, KeyRow, MessageId, OpenRows, PersonRow, Rows, UnseenRow, Write};
use crate::model::names::Names;
use crate::random::Random;
use crate::sip::{ReportMode, ReportOptions, Transport};
use crate::time::{Clock, Now, Timestamp};

const OWN: &str = "127.0.0.1:5070";
const PROXY: &str = "127.0.0.1:5060";
/// What one of our proxies puts into its 200 to a REGISTER: proof that it fans out (W6), and the binding's lifetime.
const PROOF: &str = "Supported: secondary-to\nExpires: 600\n";

/// How the disk treats a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disk {
    Takes,
    Waits,
    Fails,
}

/// A user agent under test, with a disk and a network around it.
struct Stage {
    agent: UserAgent,
    now: Now,
    disk: Disk,
    waiting: Vec<BatchId>,
    /// The writes of each batch that is still pending.
    held: std::collections::BTreeMap<BatchId, Vec<Write>>,
    /// What was committed.
    rows: Vec<Write>,
    sent: Vec<(Flow, String)>,
    /// Requests sent in a transaction.
    requests: Vec<(Flow, RequestId)>,
    events: Vec<Event>,
    connects: Vec<(ConnectId, Hop)>,
    /// The names that the certificates of the connections asked for must prove.
    domains: Vec<String>,
    resolves: Vec<(ResolveId, String)>,
    /// `event`, `sent` and `commit`, in the order in which they came out.
    order: Vec<&'static str>,
}

impl Stage {
    fn new(account: &Account) -> Self {
        Self::with_rows(account, Rows::default(), start())
    }

    fn with_rows(account: &Account, rows: Rows, now: Now) -> Self {
        let locals = vec![
            (Transport::Udp, "[::1]:5079".parse().unwrap()),
            (Transport::Udp, OWN.parse().unwrap()),
            (Transport::Tcp, OWN.parse().unwrap()),
        ];
        let config = AgentConfig { profile: account.check().unwrap(), locals };
        Self {
            agent: UserAgent::new(config, rows, Random::from_seed(1), now),
            now,
            disk: Disk::Takes,
            waiting: Vec::new(),
            held: std::collections::BTreeMap::new(),
            rows: Vec::new(),
            sent: Vec::new(),
            requests: Vec::new(),
            events: Vec::new(),
            connects: Vec::new(),
            domains: Vec::new(),
            resolves: Vec::new(),
            order: Vec::new(),
        }
    }

    /// Registered with a proxy that fans out.
    fn connected() -> Self {
        let mut stage = Self::new(&account());
        stage.connect();
        stage
    }

    /// Asks to connect, and answers the REGISTER with this.
    fn register(&mut self, status: &str, fields: &str) {
        self.command(AgentCommand::Connect);
        let request = self.take_sent("REGISTER");
        self.answer(&request, status, fields);
    }

    fn connect(&mut self) {
        self.register("200 OK", PROOF);
        assert_eq!(*self.agent.registration(), RegistrationState::Connected);
        self.events.clear();
    }

    fn command(&mut self, command: AgentCommand) {
        self.input(Input::Command(command));
    }

    fn input(&mut self, input: Input<AgentCommand>) {
        if let Input::Committed(id) = input {
            self.rows.extend(self.held.remove(&id).unwrap_or_default());
        }
        self.agent.handle(input, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.agent.poll_output() {
            match output {
                Output::Transmit(transmit) => {
                    self.order.push("sent");
                    let text = String::from_utf8_lossy(&transmit.bytes).into_owned();
                    self.requests.extend(transmit.request.map(|request| (transmit.flow, request)));
                    self.sent.push((transmit.flow, text));
                }
                Output::Connect { id, hop, domain } => {
                    self.connects.push((id, hop));
                    self.domains.extend(domain.map(|domain| domain.to_string()));
                }
                Output::Resolve { id, uri, .. } => self.resolves.push((id, uri.to_string())),
                Output::Commit(batch) => {
                    self.order.push("commit");
                    match self.disk {
                        Disk::Takes => {
                            self.rows.extend(batch.writes);
                            self.agent.handle(Input::Committed(batch.id), self.now);
                        }
                        Disk::Waits => {
                            self.waiting.push(batch.id);
                            self.held.insert(batch.id, batch.writes);
                        }
                        Disk::Fails => self.agent.handle(Input::CommitFailed(batch.id), self.now),
                    }
                }
                Output::Event(event) => {
                    self.order.push("event");
                    self.events.push(event);
                }
            }
        }
    }

    /// The disk commits, or loses, the pending batches.
    fn settle(&mut self, input: fn(BatchId) -> Input<AgentCommand>) {
        for id in std::mem::take(&mut self.waiting) {
            self.input(input(id));
        }
    }

    /// Lets this much time pass, handling everything that falls due on the way.
    fn advance(&mut self, duration: Duration) {
        let end = self.now.plus(duration);
        while let Some((due, why)) = self.agent.poll_timeout().filter(|(due, _)| *due <= end.mono) {
            self.now = self.now.plus(due.saturating_duration_since(self.now.mono));
            self.agent.handle_timeout(self.now);
            let next = self.agent.poll_timeout();
            assert!(next.is_none_or(|(next, _)| next > self.now.mono), "busy loop: {why}, then {next:?}");
            self.drain();
        }
        self.now = self.now.plus(end.mono.saturating_duration_since(self.now.mono));
    }

    fn receive(&mut self, flow: Flow, text: &str) {
        self.input(Input::Received { flow, bytes: wire(text) });
    }

    /// A datagram from the proxy's UDP socket to the Contact that we registered.
    fn proxy_sends(&mut self, text: &str) {
        self.receive(proxy_flow(), &self.to_contact(text));
    }

    /// Our Contact.
    fn contact(&self) -> String {
        format!("sip:{}@{OWN}", self.agent.core.own_contact.user(false))
    }

    /// The same text with our Contact in place of our local address.
    fn to_contact(&self, text: &str) -> String {
        text.replace(&format!("sip:james@{OWN}"), &self.contact())
    }

    /// The system cannot send any datagram of the requests under way.
    fn no_way(&mut self) {
        for (flow, request) in std::mem::take(&mut self.requests) {
            self.input(Input::NotSent { flow, request: Some(request), fault: SendFault::Refused });
        }
    }

    /// The first request of this method that was sent, and its flow; drops everything else that was sent.
    fn take_sent_on(&mut self, method: &str) -> (Flow, String) {
        let place = self.sent.iter().position(|(_, text)| text.starts_with(method));
        let found = self.sent.swap_remove(place.unwrap_or_else(|| panic!("no {method} in {:?}", self.sent)));
        self.sent.clear();
        found
    }

    fn take_sent(&mut self, method: &str) -> String {
        self.take_sent_on(method).1
    }

    fn sent_nothing(&self) -> bool {
        self.sent.is_empty()
    }

    /// Answers a request of ours with these extra fields, each ended by a line end.
    fn answer(&mut self, request: &str, status: &str, fields: &str) {
        self.proxy_sends(&response(request, status, fields));
    }

    /// Accepts the registration as a proxy that fans out.
    fn accept_registration(&mut self, request: &str, fields: &str) {
        let answer = response(request, "200 OK", &format!("Supported: secondary-to\nExpires: 600\n{fields}"));
        let is_stream = request.contains("Via: SIP/2.0/TCP ");
        self.receive(if is_stream { stream_flow(1) } else { proxy_flow() }, &answer);
        assert_eq!(*self.agent.registration(), RegistrationState::Connected);
    }

    fn accept(&mut self, request: &str) {
        self.accept_on(proxy_flow(), request);
    }

    fn accept_on(&mut self, flow: Flow, request: &str) {
        self.receive(flow, &response(request, "202 Accepted", "Supported: secondary-to\n"));
    }

    fn send(&mut self, to: &[&str], text: &str) {
        self.command(AgentCommand::Send(draft(to, text)));
    }

    /// Sends to these people and has it accepted; returns the submission.
    fn send_accepted(&mut self, to: &[&str]) -> String {
        self.send(to, "Come here.");
        let request = self.take_sent("MESSAGE");
        self.accept(&request);
        request
    }

    fn notify(&mut self, request: &str, cseq: u32, state: &str, lines: &str) {
        self.proxy_sends(&notify(request, cseq, state, lines));
    }

    /// These people are in the contacts.
    fn knows(&mut self, addresses: &[&str]) {
        let mut book = AddressBook::default();
        for address in addresses {
            book.put(Contact { address: (*address).to_owned(), name: String::new(), simulated: false });
        }
        self.agent.set_names(Names::of(&book).into());
    }

    fn states(&self) -> Vec<(u32, DeliveryState)> {
        let state = |event: &Event| {
            let Event::Delivery { recipient, state, .. } = event else {
                return None;
            };
            Some((*recipient, *state))
        };
        self.events.iter().filter_map(state).collect()
    }

    fn message(&self) -> MessageId {
        let id = |event: &Event| {
            let Event::Queued { message, .. } = event else {
                return None;
            };
            Some(*message)
        };
        self.events.iter().find_map(id).expect("a draft was kept")
    }
}

fn start() -> Now {
    Now { mono: Clock::start().now().mono, wall: Timestamp::from_millis(1_289_690_940_000) }
}

fn account() -> Account {
    Account { address: "im:james@domain.com".to_owned(), proxy: format!("udp:{PROXY}"), ..Account::default() }
}

fn draft(to: &[&str], text: &str) -> Draft {
    let person = |address: &&str| PersonRow { address: (*address).to_owned(), name: String::new() };
    let report = ReportOptions { mode: ReportMode::Each, detail: true, id: None };
    Draft {
        to: to.iter().map(person).collect(),
        text: text.to_owned(),
        files: Vec::new(),
        hidden: false,
        report,
    }
}

fn proxy_flow() -> Flow {
    Flow::udp(OWN.parse().unwrap(), PROXY.parse().unwrap())
}

fn stream_flow(connection: u64) -> Flow {
    Flow {
        transport: Transport::Tcp,
        local: "127.0.0.1:40000".parse().unwrap(),
        remote: PROXY.parse().unwrap(),
        connection: Some(ConnectionId(connection)),
    }
}

fn wire(text: &str) -> Bytes {
    Bytes::from(text.replace("\r\n", "\n").replace('\n', "\r\n"))
}

/// The value of a header field, found by plain text search.
fn field<'a>(message: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    let line = message.lines().find(|line| line.starts_with(&start));
    line.unwrap_or_else(|| panic!("no {name} in {message}")).split_at(start.len()).1
}

fn has_field(message: &str, name: &str) -> bool {
    message.lines().any(|line| line.starts_with(&format!("{name}: ")))
}

fn from_tag(request: &str) -> &str {
    field(request, "From").split(";tag=").nth(1).expect("a From tag")
}

fn response(request: &str, status: &str, fields: &str) -> String {
    format!(
        "SIP/2.0 {status}\nVia: {}\nFrom: {}\nTo: {};tag=p1\nCall-ID: {}\nCSeq: {}\n{fields}Content-Length: 0\n\n",
        field(request, "Via"),
        field(request, "From"),
        field(request, "To"),
        field(request, "Call-ID"),
        field(request, "CSeq"),
    )
}

/// The proxy's report on a submission of ours.
fn notify(request: &str, cseq: u32, state: &str, lines: &str) -> String {
    format!(
        "NOTIFY sip:james@{OWN} SIP/2.0\n\
         Via: SIP/2.0/UDP {PROXY};branch=z9hG4bKn{cseq}{}\n\
         Max-Forwards: 70\n\
         From: <sip:domain.com>;tag=p1\n\
         To: <sip:james@domain.com>;tag={}\n\
         Call-ID: {}\n\
         CSeq: {cseq} NOTIFY\n\
         Contact: <sip:{PROXY}>\n\
         Event: delivery-report\n\
         Subscription-State: {state}\n\
         Content-Type: application/delivery-report\n\
         Content-Length: {}\n\n{lines}",
        lines.len(),
        from_tag(request),
        field(request, "Call-ID"),
        lines.replace('\n', "\r\n").len(),
    )
}

const ANN_AND_BOB: [&str; 2] = ["im:ann@domain.com", "im:bob@domain.com"];
