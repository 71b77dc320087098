//! Bare sockets with literal bytes: SIP from any program, built by string formatting alone.

mod tap;
mod wire;

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) use self::tap::{Tap, Way};
pub(crate) use self::wire::Wire;
use crate::program::WAIT;

/// One received message, as text.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) at: Instant,
    pub(crate) from: SocketAddr,
    pub(crate) text: String,
}

impl Message {
    /// The start line.
    pub(crate) fn start(&self) -> &str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The method of a request; `SIP/2.0` for a response.
    pub(crate) fn method(&self) -> &str {
        self.start().split(' ').next().unwrap_or_default()
    }

    fn head(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or(self.text.as_str(), |(head, _)| head)
    }

    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// Every value of a header field, in order.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let fields = self.head().split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields
            .filter(|(field, _)| field.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// The only value of a header field.
    pub(crate) fn value(&self, name: &str) -> &str {
        let values = self.values(name);
        assert_eq!(values.len(), 1, "one {name} is wanted in\n{}", self.text);
        values[0]
    }

    /// Identifies a leg or a report, whichever transmission of it.
    pub(crate) fn identity(&self) -> (String, String, String) {
        let tag = self.value("From").split("tag=").nth(1).unwrap_or_default().to_owned();
        (self.value("Call-ID").to_owned(), self.value("CSeq").to_owned(), tag)
    }
}

/// The response to a request: its Via, From, To, Call-ID and CSeq, plus the given fields.
pub(crate) fn answer_to(request: &Message, status: &str, fields: &str) -> String {
    let via: String = request.values("Via").iter().map(|value| format!("Via: {value}\r\n")).collect();
    let to = request.value("To");
    let tag = if to.contains("tag=") { "" } else { ";tag=bare" };
    format!(
        "SIP/2.0 {status}\r\n{via}From: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n{fields}Content-Length: 0\r\n\r\n",
        request.value("From"),
        request.value("Call-ID"),
        request.value("CSeq"),
    )
}

/// A number unique in this process: for branches, tags and Call-IDs.
pub(crate) fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    u64::from(std::process::id()) * 1_000_000 + NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A UDP socket that sends what it is told.
#[derive(Debug)]
pub(crate) struct Phone {
    pub(crate) socket: UdpSocket,
    pub(crate) address: SocketAddr,
}

impl Phone {
    pub(crate) fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(WAIT)).unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address }
    }

    /// A second handle to the same socket.
    fn again(&self) -> Self {
        Self { socket: self.socket.try_clone().unwrap(), address: self.address }
    }

    pub(crate) fn uri(&self, user: &str) -> String {
        format!("sip:{user}@{}", self.address)
    }

    pub(crate) fn send(&self, to: SocketAddr, text: &str) {
        self.socket.send_to(text.as_bytes(), to).unwrap();
    }

    /// The next message, whatever it is.
    pub(crate) fn receive(&self) -> Message {
        self.receive_within(WAIT).expect("a message")
    }

    /// The next message, or none within this time.
    pub(crate) fn receive_within(&self, wait: Duration) -> Option<Message> {
        self.socket.set_read_timeout(Some(wait.max(Duration::from_millis(1)))).unwrap();
        let mut buffer = vec![0; 65_536];
        let (length, from) = self.socket.recv_from(&mut buffer).ok()?;
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        Some(Message { at: Instant::now(), from, text })
    }

    /// The next message with a method (`SIP/2.0` for a response); others are skipped.
    pub(crate) fn receive_the(&self, method: &str) -> Message {
        let until = Instant::now() + WAIT;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let message = self.receive_within(left).unwrap_or_else(|| panic!("no {method} came"));
            if message.method() == method {
                return message;
            }
        }
    }

    pub(crate) fn answer(&self, request: &Message, status: &str) {
        self.send(request.from, &answer_to(request, status, ""));
    }

    /// Registers this socket for a user of domain.com.
    pub(crate) fn register(&self, user: &str, proxy: SocketAddr) {
        self.send(proxy, &register(user, &format!("<{}>", self.uri(user)), self.address));
        let response = self.receive_the("SIP/2.0");
        assert_eq!(response.start(), "SIP/2.0 200 OK", "{}", response.text);
    }

    /// Sends a request and retransmits it, as RFC 3261 requires, until its final response comes.
    pub(crate) fn ask(&self, proxy: SocketAddr, request: &str) -> Message {
        let until = Instant::now() + WAIT;
        while Instant::now() < until {
            self.send(proxy, request);
            let again = Instant::now() + Duration::from_millis(200);
            while let Some(left) = again.checked_duration_since(Instant::now()) {
                match self.receive_within(left) {
                    Some(message)
                        if message.method() == "SIP/2.0" && !message.start().starts_with("SIP/2.0 1") =>
                    {
                        return message;
                    }
                    Some(_) | None => {}
                }
            }
        }
        panic!("no answer to\n{request}");
    }
}

/// A REGISTER of one contact for an hour.
pub(crate) fn register(user: &str, contact: &str, via: SocketAddr) -> String {
    let number = unique();
    format!(
        "REGISTER sip:domain.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP {via};branch=z9hG4bKreg{number};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:{user}@domain.com>;tag=r{number}\r\n\
         To: <sip:{user}@domain.com>\r\n\
         Call-ID: reg{number}@bare\r\n\
         CSeq: 1 REGISTER\r\n\
         Contact: {contact}\r\n\
         Expires: 3600\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

/// A submission from James: the first recipient in `To`, each other one in a separate `Secondary-To`.
pub(crate) fn submission(via: SocketAddr, recipients: &[&str], extra: &str, text: &str) -> String {
    let number = unique();
    let secondary: String = recipients[1..].iter().map(|to| format!("Secondary-To: <{to}>\r\n")).collect();
    let target = recipients[0].replacen("im:", "sip:", 1);
    format!(
        "MESSAGE {target} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {via};branch=z9hG4bKsub{number};rport\r\n\
         Max-Forwards: 70\r\n\
         From: <im:james@domain.com>;tag=s{number}\r\n\
         To: <{first}>\r\n\
         {secondary}\
         Contact: <sip:james@{via}>\r\n\
         Call-ID: sub{number}@bare\r\n\
         CSeq: 1 MESSAGE\r\n\
         Proxy-Require: secondary-to\r\n\
         {extra}\
         Content-Type: text/plain\r\n\
         Content-Length: {length}\r\n\r\n{text}",
        first = recipients[0],
        length = text.len(),
    )
}

/// The Call-ID of one of our requests.
pub(crate) fn call_id(request: &str) -> &str {
    request.split("Call-ID: ").nth(1).and_then(|rest| rest.split("\r\n").next()).expect("a Call-ID")
}

/// A phone with its own thread that answers each request by a rule, and records what it received.
#[derive(Debug)]
pub(crate) struct Answering {
    pub(crate) address: SocketAddr,
    log: Arc<(Mutex<Vec<Message>>, Condvar)>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Answering {
    /// The rule gets a request and the number of earlier ones of that leg; it returns a status, or nothing to stay
    /// silent.
    pub(crate) fn new(
        phone: Phone,
        rule: impl FnMut(&Message, usize) -> Option<&'static str> + Send + 'static,
    ) -> Self {
        let log = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let address = phone.address;
        let (log_inside, stop_inside) = (Arc::clone(&log), Arc::clone(&stop));
        let thread = Some(thread::spawn(move || Self::run(&phone, rule, &log_inside, &stop_inside)));
        Self { address, log, stop, thread }
    }

    fn run(
        phone: &Phone,
        mut rule: impl FnMut(&Message, usize) -> Option<&'static str>,
        log: &(Mutex<Vec<Message>>, Condvar),
        stop: &AtomicBool,
    ) {
        // Counted here: searching the log would become slower the longer the phone runs.
        let mut counts: BTreeMap<(String, String, String), usize> = BTreeMap::new();
        while !stop.load(Ordering::Relaxed) {
            let Some(message) = phone.receive_within(Duration::from_millis(100)) else { continue };
            if message.method() == "SIP/2.0" {
                continue;
            }
            let count = counts.entry(message.identity()).or_default();
            let before = *count;
            *count += 1;
            log.0.lock().unwrap().push(message.clone());
            if let Some(status) = rule(&message, before) {
                phone.answer(&message, status);
            }
            log.1.notify_all();
        }
    }

    /// Everything received so far.
    pub(crate) fn seen(&self) -> Vec<Message> {
        self.log.0.lock().unwrap().clone()
    }

    /// Waits until `look` finds what it looks for in the messages received so far.
    pub(crate) fn wait<T>(&self, what: &str, mut look: impl FnMut(&[Message]) -> Option<T>) -> T {
        let until = Instant::now() + WAIT;
        let mut seen = self.log.0.lock().unwrap();
        loop {
            if let Some(found) = look(&seen) {
                return found;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} did not come; seen: {seen:#?}");
            seen = self.log.1.wait_timeout(seen, left).unwrap().0;
        }
    }
}

/// A server that fans out, and refuses each message with this status line.
pub(crate) fn refusing(status: &'static str) -> Answering {
    let rule = move |request: &Message| {
        // The header field stands on the line after the status line.
        if request.method() == "OPTIONS" { "200 OK\r\nSupported: secondary-to" } else { status }
    };
    Answering::new(Phone::new(), move |request, _| Some(rule(request)))
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
