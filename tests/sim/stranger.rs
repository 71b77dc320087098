//! A stranger on the network: datagrams with spoofed senders (RFC 3261 §26.1.1; over UDP anybody can forge any source).
//!
//! The stranger sends self-made bytes from any address, and replays overheard datagrams, possibly much later, but
//! unchanged: over UDP without authentication an eavesdropper can forge an answer, and no proxy can tell. The checks of
//! all runs show that this neither breaks a promise nor prevents one from being kept.

use std::net::SocketAddr;

use bytes::Bytes;
use fanfare::machine::Flow;
use fanfare::random::Random;

use crate::network::pick;

/// Datagrams that the stranger keeps; beyond that, a new one replaces a random other, so that some are old.
const KEPT_MAX: usize = 200;

/// A datagram with a spoofed sender.
#[derive(Debug)]
pub(crate) struct Spoofed {
    pub(crate) from: SocketAddr,
    pub(crate) to: SocketAddr,
    pub(crate) bytes: Bytes,
    /// For the tally.
    pub(crate) kind: &'static str,
}

/// See the top of this file.
#[derive(Debug)]
pub(crate) struct Stranger {
    random: Random,
    kept: Vec<(SocketAddr, SocketAddr, Bytes)>,
}

impl Stranger {
    pub(crate) const fn new(random: Random) -> Self {
        Self { random, kept: Vec::new() }
    }

    /// Takes in an overheard datagram.
    pub(crate) fn overhears(&mut self, flow: Flow, bytes: &Bytes) {
        let datagram = (flow.local, flow.remote, bytes.clone());
        if self.kept.len() < KEPT_MAX {
            self.kept.push(datagram);
        } else {
            self.kept[pick(&mut self.random, KEPT_MAX)] = datagram;
        }
    }

    /// The next datagram, to one of these hosts; the flag says whether a host is a proxy.
    pub(crate) fn sends(&mut self, hosts: &[(SocketAddr, bool)]) -> Option<Spoofed> {
        if self.random.below(2) == 0 && !self.kept.is_empty() {
            let (from, to, bytes) = self.kept[pick(&mut self.random, self.kept.len())].clone();
            return Some(Spoofed { from, to, bytes, kind: "datagrams replayed by a stranger" });
        }
        let (to, is_proxy) = *hosts.get(pick(&mut self.random, hosts.len().max(1)))?;
        let (victim, _) = hosts[pick(&mut self.random, hosts.len())];
        let from = if self.random.below(4) == 0 { "192.0.2.66:5060".parse().unwrap() } else { victim };
        let bytes = match self.random.below(7) {
            0 => self.noise(),
            1 => self.torn(),
            2 => self.answer(to),
            3 => self.question(from),
            4 if !is_proxy => self.leg(from, to),
            _ if is_proxy => self.submission(from),
            _ => self.report(from),
        };
        Some(Spoofed { from, to, bytes, kind: "datagrams of a stranger" })
    }

    fn noise(&mut self) -> Bytes {
        let length = pick(&mut self.random, 1500);
        (0..length).map(|_| self.random.bits().to_le_bytes()[0]).collect::<Vec<_>>().into()
    }

    /// The beginning of an overheard datagram, followed by noise.
    fn torn(&mut self) -> Bytes {
        let noise = self.noise();
        let Some((_, _, whole)) = self.kept.get(pick(&mut self.random, self.kept.len().max(1))) else {
            return noise;
        };
        let line = whole.split(|byte| *byte == b'\n').next().unwrap_or_default();
        [line, b"\n", &noise[..]].concat().into()
    }

    /// An answer that matches nothing: the stranger does not know others' branches.
    fn answer(&mut self, to: SocketAddr) -> Bytes {
        let status = [100, 200, 202, 302, 401, 407, 482, 503, 603][pick(&mut self.random, 9)];
        let method = ["MESSAGE", "NOTIFY", "REGISTER", "OPTIONS"][pick(&mut self.random, 4)];
        let [branch, tag, call] = self.tokens();
        sip(&format!(
            "SIP/2.0 {status} Said\nVia: SIP/2.0/UDP {to};branch=z9hG4bK{branch}\n\
             From: <sip:ann@domain.com>;tag={tag}\nTo: <sip:bob@domain.com>;tag=1\nCall-ID: {call}\n\
             CSeq: 1 {method}\nContact: <sip:x@192.0.2.66>\nContent-Length: 0\n\n"
        ))
    }

    /// A request that anybody may send, and one that belongs to no call.
    fn question(&mut self, from: SocketAddr) -> Bytes {
        let method = ["OPTIONS", "BYE", "CANCEL", "ACK", "SUBSCRIBE", "NOSUCH"][pick(&mut self.random, 6)];
        let [branch, tag, call] = self.tokens();
        sip(&format!(
            "{method} sip:domain.com SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{branch};rport\nMax-Forwards: 70\n\
             From: <sip:eve@evil.example>;tag={tag}\nTo: <sip:domain.com>\nCall-ID: {call}\nCSeq: 1 {method}\n\
             Content-Length: 0\n\n"
        ))
    }

    /// Submissions to be refused, some from a user at home; or a REGISTER for a person whom nobody writes to.
    fn submission(&mut self, from: SocketAddr) -> Bytes {
        let [branch, tag, call] = self.tokens();
        let via = format!("Via: SIP/2.0/UDP {from};branch=z9hG4bK{branch};rport");
        let rest = format!("Call-ID: {call}\nCSeq: 1 MESSAGE\nContent-Length: 2\n\nhi");
        sip(&match self.random.below(3) {
            0 => format!(
                "MESSAGE sip:bob@domain.com SIP/2.0\n{via}\nMax-Forwards: 0\nFrom: <sip:eve@evil.example>;tag={tag}\n\
                 To: <sip:bob@domain.com>\n{rest}"
            ),
            1 => format!(
                "MESSAGE sip:bob@domain.com SIP/2.0\n{via}\nMax-Forwards: 70\nFrom: <sip:ann@domain.com>;tag={tag}\n\
                 To: <sip:bob@domain.com>\nSecondary-To: <<<\n{rest}"
            ),
            _ => format!(
                "REGISTER sip:domain.com SIP/2.0\n{via}\nMax-Forwards: 70\nFrom: <sip:zed@domain.com>;tag={tag}\n\
                 To: <sip:zed@domain.com>\nContact: <sip:zed@{from}>\nCall-ID: {call}\nCSeq: 1 REGISTER\n\
                 Expires: 60\nContent-Length: 0\n\n"
            ),
        })
    }

    /// A message as the proxy would send it, to a guessed Contact: it is shown to nobody (W25).
    fn leg(&mut self, from: SocketAddr, to: SocketAddr) -> Bytes {
        let [branch, tag, call] = self.tokens();
        let user = ["ann", "bob", "cy", "gil", "james"][pick(&mut self.random, 5)];
        let guessed = self.random.token(16);
        sip(&format!(
            "MESSAGE sip:{user}-{guessed}@{to} SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{branch}\nMax-Forwards: 70\n\
             From: <sip:ceo@domain.com>;tag={tag}\nTo: <sip:{user}@domain.com>\nCall-ID: {call}\nCSeq: 1 MESSAGE\n\
             Content-Type: text/plain\nContent-Length: 14\n\nWire the money"
        ))
    }

    /// A report on a message with a guessed Call-ID (W25).
    fn report(&mut self, from: SocketAddr) -> Bytes {
        let [branch, tag, call] = self.tokens();
        let body = "im:bob@domain.com delivery success\n";
        sip(&format!(
            "NOTIFY sip:ann@domain.com SIP/2.0\nVia: SIP/2.0/UDP {from};branch=z9hG4bK{branch}\nMax-Forwards: 70\n\
             From: <sip:domain.com>;tag={tag}\nTo: <sip:ann@domain.com>;tag=1\nCall-ID: {call}\nCSeq: 1 NOTIFY\n\
             Event: delivery-report\nSubscription-State: terminated;reason=noresource\n\
             Content-Type: application/delivery-report\nContent-Length: {}\n\n{body}",
            body.len()
        ))
    }

    fn tokens(&mut self) -> [String; 3] {
        [12, 8, 16].map(|length| self.random.token(length))
    }
}

/// Turns the head's line ends into CRLF; the body stays as it is.
fn sip(text: &str) -> Bytes {
    let (head, body) = text.split_once("\n\n").unwrap();
    format!("{}\r\n\r\n{body}", head.replace('\n', "\r\n")).into()
}
