//! Requests that a person sends by itself: REGISTER and its replies, repeated until they are answered.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::machine::{Flow, Transmit};
use crate::random::Random;
use crate::sip::{Compose, Method, SECONDARY_TO, Uri};
use crate::time::Now;

/// First retransmission interval.
const INTERVAL: Duration = Duration::from_millis(500);
/// The most transmissions of one request.
const TRANSMISSIONS_MAX: u32 = 7;

/// A request without a final response yet.
#[derive(Debug)]
pub(super) struct Pending {
    method: Method,
    branch: String,
    bytes: Bytes,
    due: Option<Instant>,
    transmissions: u32,
}

impl Pending {
    pub(super) fn register(bytes: Bytes) -> Self {
        Self::new(Method::Register, bytes)
    }

    pub(super) fn message(bytes: Bytes) -> Self {
        Self::new(Method::Message, bytes)
    }

    fn new(method: Method, bytes: Bytes) -> Self {
        let branch = branch_of(&bytes);
        Self { method, branch, bytes, due: None, transmissions: 0 }
    }

    fn transmit(&mut self, flow: Flow, now: Now) -> Transmit {
        let interval = INTERVAL * 2u32.pow(self.transmissions.min(3));
        self.transmissions += 1;
        self.due = Some(now.mono + interval);
        Transmit::new(flow, self.bytes.clone())
    }
}

/// The result of handling the timers.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    pub(super) transmits: Vec<Transmit>,
    /// Nobody answered the REGISTER.
    pub(super) is_register_lost: bool,
}

/// Prints and repeats requests of one person.
#[derive(Debug)]
pub(super) struct Sender {
    own: Uri,
    flow: Flow,
    tag: String,
    sequence: u32,
    pending: Vec<Pending>,
}

impl Sender {
    pub(super) const fn new(own: Uri, flow: Flow, tag: String) -> Self {
        Self { own, flow, tag, sequence: 0, pending: Vec::new() }
    }

    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// A REGISTER that binds our address to our socket (RFC 3261 §10.2).
    pub(super) fn register(&mut self, secs: u32, random: &mut Random) -> Bytes {
        let domain = Uri::parse(&format!("sip:{}", self.own.host())).unwrap_or_else(|_| self.own.clone());
        let contact = format!("<sip:{}@{}>", self.own.user().unwrap_or("person"), self.flow.local);
        let call_id = format!("register-{}", self.tag);
        self.head(&Method::Register, &domain, &call_id, random)
            .field("From", format_args!("<{}>;tag={}", self.own, self.tag))
            .field("To", format_args!("<{}>", self.own))
            .field("Contact", contact)
            .field("Expires", secs)
            .finish()
    }

    /// A submission to a message's sender and everybody else who got it (W1, W2); asks for no report.
    pub(super) fn reply(
        &mut self,
        to: &Uri,
        others: &[Uri],
        name: &str,
        text: &str,
        random: &mut Random,
    ) -> Bytes {
        let call_id = random.token(20);
        let compose = self
            .head(&Method::Message, to, &call_id, random)
            .field("From", format_args!("\"{name}\" <{}>;tag={}", self.own, self.tag))
            .field("To", format_args!("<{to}>"));
        others
            .iter()
            .fold(compose, |compose, other| compose.field("Secondary-To", format_args!("<{other}>")))
            .field("Delivery-Report", "none")
            .field("Proxy-Require", SECONDARY_TO)
            .body("text/plain;charset=utf-8", text.as_bytes())
    }

    fn head(&mut self, method: &Method, uri: &Uri, call_id: &str, random: &mut Random) -> Compose {
        self.sequence += 1;
        let via = format!("SIP/2.0/UDP {};branch=z9hG4bK{};rport", self.flow.local, random.token(16));
        Compose::request(method, uri)
            .field("Via", via)
            .field("Max-Forwards", 70)
            .field("Call-ID", call_id)
            .field("CSeq", format_args!("{} {}", self.sequence, method.as_str()))
    }

    /// Sends a request for the first time.
    pub(super) fn begin(&mut self, mut pending: Pending, now: Now) -> Transmit {
        let transmit = pending.transmit(self.flow, now);
        self.pending.push(pending);
        transmit
    }

    /// Repeats no REGISTER any more.
    pub(super) fn forget_registers(&mut self) {
        self.pending.retain(|pending| pending.method != Method::Register);
    }

    /// Handles a response; returns the method of the request that it ends, if any.
    pub(super) fn heard(&mut self, branch: Option<&str>, status: u16) -> Option<Method> {
        let place = self.pending.iter().position(|pending| Some(pending.branch.as_str()) == branch)?;
        (status >= 200).then(|| self.pending.swap_remove(place).method)
    }

    /// Repeats what is due, and gives up what was repeated often enough.
    pub(super) fn handle_timeout(&mut self, now: Now) -> Repeated {
        let mut repeated = Repeated::default();
        let flow = self.flow;
        self.pending.retain_mut(|pending| {
            if pending.due.is_none_or(|due| due > now.mono) {
                return true;
            }
            if pending.transmissions >= TRANSMISSIONS_MAX {
                repeated.is_register_lost |= pending.method == Method::Register;
                return false;
            }
            repeated.transmits.push(pending.transmit(flow, now));
            true
        });
        repeated
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.pending.iter().filter_map(|pending| pending.due).min()
    }
}

/// The branch of the request just printed.
fn branch_of(bytes: &Bytes) -> String {
    match crate::sip::parse(bytes.clone()) {
        Ok(crate::sip::Message::Request(request)) => {
            request.fields().top_via().branch().unwrap_or_default().to_owned()
        }
        Ok(crate::sip::Message::Response(_)) | Err(_) => String::new(),
    }
}
