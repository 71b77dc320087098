//! A separate proxy for every test, and helpers that many tests use.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Program, WAIT, fanfare};
use crate::socket::{Message, Phone, answer_to, unique};

/// A proxy for domain.com on loopback, UDP and TCP on one port, with a temporary folder.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    pub(crate) folder: TempDir,
    t1: &'static str,
}

impl Proxy {
    /// Starts it with a T1 of 20 ms: 11 transmissions within 1.3 s.
    pub(crate) fn start() -> Self {
        Self::with_t1("20ms")
    }

    pub(crate) fn with_t1(t1: &'static str) -> Self {
        let folder = TempDir::new().unwrap();
        let address = free_address();
        let program = run(address, folder.path(), t1);
        Self { program, address, folder, t1 }
    }

    /// Starts it with further arguments.
    pub(crate) fn start_with(extra: &[&str]) -> Self {
        let (folder, address) = (TempDir::new().unwrap(), free_address());
        let program = wait_for_sockets(begin_with(address, folder.path(), "200ms", extra), address);
        Self { program, address, folder, t1: "200ms" }
    }

    /// Starts it on the port and data of an earlier one.
    pub(crate) fn start_again(address: SocketAddr, folder: TempDir) -> Self {
        let t1 = "20ms";
        let program = run(address, folder.path(), t1);
        Self { program, address, folder, t1 }
    }

    /// Kills it, and starts it again on the same port and data.
    pub(crate) fn kill_and_start_again(self) -> Self {
        self.program.kill();
        let program = run(self.address, self.folder.path(), self.t1);
        Self { program, ..self }
    }

    /// The same; with `again`, it is killed and started once more after that time.
    pub(crate) fn kill_and_start_again_after(self, again: Option<Duration>) -> Self {
        self.program.kill();
        if let Some(wait) = again {
            let program = begin(self.address, self.folder.path(), self.t1);
            std::thread::sleep(wait);
            program.kill();
        }
        let program = run(self.address, self.folder.path(), self.t1);
        Self { program, ..self }
    }

    /// `udp:127.0.0.1:5060`.
    pub(crate) fn udp(&self) -> String {
        format!("udp:{}", self.address)
    }
}

fn run(address: SocketAddr, data: &Path, t1: &str) -> Program {
    wait_for_sockets(begin(address, data, t1), address)
}

fn wait_for_sockets(program: Program, address: SocketAddr) -> Program {
    assert_eq!(program.line_with("listening udp"), format!("listening udp {address}"));
    assert_eq!(program.line_with("listening tcp"), format!("listening tcp {address}"));
    program
}

fn begin(address: SocketAddr, data: &Path, t1: &str) -> Program {
    begin_with(address, data, t1, &[])
}

fn begin_with(address: SocketAddr, data: &Path, t1: &str, extra: &[&str]) -> Program {
    let (udp, tcp) = (format!("udp:{address}"), format!("tcp:{address}"));
    let data = data.to_str().unwrap();
    let args =
        ["proxy", "--domain", "domain.com", "--listen", &udp, "--listen", &tcp, "--data", data, "--t1", t1];
    fanfare(&[&args[..], extra].concat())
}

/// A port that is free for UDP and TCP, below Linux's range for sockets bound to port 0, so that a killed proxy finds
/// it free again.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() % 1000 * 12;
    for _ in 0..12_000 {
        let place = (first + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % 12_000;
        let address = SocketAddr::from(([127, 0, 0, 1], u16::try_from(20_000 + place).unwrap()));
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return address;
        }
    }
    panic!("no free port between 20000 and 32000");
}

/// Starts `fanfare listen` for a user and returns once the proxy has its binding.
pub(crate) fn listener(user: &str, proxy: &Proxy, extra: &[&str]) -> Program {
    let (address, over) = (format!("im:{user}@domain.com"), proxy.udp());
    let mut args = vec!["listen", "--as", &address, "--proxy", &over];
    args.extend(extra);
    let program = fanfare(&args);
    wait_for_binding(user, proxy.address);
    program
}

/// Polls with a REGISTER without Contact, which asks for the bindings (RFC 3261 10.3): nothing tells us when they
/// change.
pub(crate) fn wait_for_binding(user: &str, proxy: SocketAddr) {
    let until = Instant::now() + WAIT;
    while Instant::now() < until {
        if !bindings_of(user, proxy).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{user} did not register");
}

/// A user's contacts at a proxy, without their expiry.
pub(crate) fn bindings_of(user: &str, proxy: SocketAddr) -> Vec<String> {
    let phone = Phone::new();
    let number = unique();
    let query = format!(
        "REGISTER sip:domain.com SIP/2.0\r\n\
             Via: SIP/2.0/UDP {};branch=z9hG4bKq{number};rport\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:{user}@domain.com>;tag=q{number}\r\n\
             To: <sip:{user}@domain.com>\r\n\
             Call-ID: q{number}@bare\r\n\
             CSeq: 1 REGISTER\r\n\
             Content-Length: 0\r\n\r\n",
        phone.address
    );
    let answer = phone.ask(proxy, &query);
    let contacts = answer.values("Contact").into_iter().flat_map(|value| value.split(','));
    contacts.map(|contact| contact.split('>').next().unwrap_or_default().trim().to_owned()).collect()
}

/// The lines of a report, as `(address, outcome)`.
pub(crate) fn outcomes(report: &Message) -> Vec<(String, String)> {
    let lines = report.body().lines().filter(|line| !line.is_empty());
    let halves =
        lines.map(|line| line.split_once(" delivery ").unwrap_or_else(|| panic!("{line:?} is no outcome")));
    halves.map(|(address, state)| (address.to_owned(), state.to_owned())).collect()
}

/// The JSON objects that a process printed, one per line.
pub(crate) fn objects(lines: &[String]) -> Vec<Value> {
    lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")))
        .collect()
}

/// The refusal when the proxy's disk fails or is full (W13).
pub(crate) fn assert_busy(answer: &Message) {
    assert!(answer.start().starts_with("SIP/2.0 503 "), "{}", answer.text);
    assert!(answer.value("Retry-After").parse::<u32>().is_ok(), "{}", answer.text);
}

/// Arguments of `fanfare listen` for Bob, whose messages are stored.
pub(crate) fn listen_arguments<'a>(proxy: &'a str, data: &'a str) -> [&'a str; 7] {
    ["listen", "--as", "im:bob@domain.com", "--proxy", proxy, "--data", data]
}

/// Takes the REGISTER of `fanfare listen` at a socket that plays the proxy; returns its Contact.
pub(crate) fn register_listener(phone: &Phone) -> String {
    let register = phone.receive_the("REGISTER");
    let contact = register.value("Contact").to_owned();
    let fields = format!("Contact: {contact};expires=600\r\n");
    phone.send(register.from, &answer_to(&register, "200 OK", &fields));
    contact.trim_start_matches('<').split('>').next().unwrap().to_owned()
}

/// The socket address in `sip:bob@127.0.0.1:40000`.
pub(crate) fn address_of(uri: &str) -> SocketAddr {
    uri.split('@').nth(1).unwrap().split(';').next().unwrap().parse().unwrap()
}

/// A leg as a proxy sends it to Bob; the same number gives the same leg.
pub(crate) fn message_to(bob: &str, via: &Phone, number: u64, text: &str) -> String {
    format!(
        "MESSAGE {bob} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKleg{}\r\nMax-Forwards: 70\r\n\
         From: <sip:james@domain.com>;tag=l{number}\r\nTo: <sip:bob@domain.com>\r\nCall-ID: leg{number}@bare\r\n\
         CSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{text}",
        via.address,
        unique(),
        text.len()
    )
}
