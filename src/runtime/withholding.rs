//! A network in front of which an owner may fail to show what came: nobody is told that he got, or saw, what he did not.
//! It stands between a machine that keeps nothing and its sockets.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::network::Network;
use crate::limits::RETRY_AFTER_SECS;
use crate::machine::{ConnectId, Flow, Hop, LookupTerms, ResolveId, Transmit};
use crate::net::NetEvent;
use crate::sip::{self, Message, Method, Uri};

/// See the module documentation.
#[derive(Debug)]
pub struct Withholding<N> {
    net: N,
    has_failed: fn() -> bool,
}

impl<N: Network> Withholding<N> {
    /// Once `has_failed`, a MESSAGE that would be accepted is answered 503, and no MESSAGE leaves: it would be a
    /// notification (RFC 5438). What was shown before has been answered before.
    #[must_use]
    pub const fn new(net: N, has_failed: fn() -> bool) -> Self {
        Self { net, has_failed }
    }
}

/// What leaves instead once nothing can be shown; nothing for a notification.
fn corrected(bytes: &Bytes) -> Option<Bytes> {
    if bytes.starts_with(b"MESSAGE ") {
        return None;
    }
    Some(refusal(bytes).unwrap_or_else(|| bytes.clone()))
}

/// The refusal in place of a 2xx to a MESSAGE; none for anything else.
fn refusal(bytes: &Bytes) -> Option<Bytes> {
    if !bytes.starts_with(b"SIP/2.0 2") {
        return None;
    }
    let Ok(Message::Response(response)) = sip::parse(bytes.clone()) else { return None };
    if *response.fields().cseq_method() != Method::Message {
        return None;
    }
    let rest = bytes.split(|byte| *byte == b'\n').next().map_or(0, |line| line.len() + 1);
    let start = format!("SIP/2.0 503 Service Unavailable\r\nRetry-After: {RETRY_AFTER_SECS}\r\n");
    Some([start.as_bytes(), bytes.get(rest..)?].concat().into())
}

impl<N: Network + Send> Network for Withholding<N> {
    fn receive(&mut self) -> impl Future<Output = Option<NetEvent>> + Send {
        self.net.receive()
    }

    fn try_receive(&mut self) -> Option<NetEvent> {
        self.net.try_receive()
    }

    fn waiting(&self) -> usize {
        self.net.waiting()
    }

    fn transmit(&mut self, transmit: &Transmit) -> Option<NetEvent> {
        if !(self.has_failed)() {
            return self.net.transmit(transmit);
        }
        let bytes = corrected(&transmit.bytes)?;
        self.net.transmit(&Transmit { bytes, ..transmit.clone() })
    }

    fn connect(&mut self, id: ConnectId, hop: Hop, domain: Option<Arc<str>>) -> Option<NetEvent> {
        self.net.connect(id, hop, domain)
    }

    fn resolve(&mut self, id: ResolveId, uri: &Uri, terms: LookupTerms) -> Option<NetEvent> {
        self.net.resolve(id, uri, terms)
    }

    fn changed_interfaces(&mut self, now: Instant) -> Option<Arc<[IpAddr]>> {
        self.net.changed_interfaces(now)
    }

    fn close(&mut self, flow: Flow) {
        self.net.close(flow);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: &str, method: &str) -> Bytes {
        format!(
            "SIP/2.0 {status}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nFrom: <sip:a@b.c>;tag=1\r\n\
             To: <sip:d@b.c>;tag=2\r\nCall-ID: x\r\nCSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n"
        )
        .into()
    }

    #[test]
    fn w28_what_was_not_shown_is_neither_accepted_nor_told_as_seen() {
        let refused = corrected(&answer("200 OK", "MESSAGE")).unwrap();
        let Ok(Message::Response(response)) = sip::parse(refused.clone()) else { panic!("{refused:?}") };
        assert_eq!((response.status(), response.fields().call_id()), (503, "x"));
        assert_eq!(response.fields().first("Retry-After"), Some("5"));
        assert_eq!(corrected(&answer("202 Accepted", "MESSAGE")).unwrap(), refused);
        assert_eq!(corrected(&Bytes::from_static(b"MESSAGE sip:a@b.c SIP/2.0\r\n\r\n")), None);
        for (status, method) in [("486 Busy Here", "MESSAGE"), ("200 OK", "OPTIONS"), ("200 OK", "NOTIFY")] {
            let answer = answer(status, method);
            assert_eq!(corrected(&answer), Some(answer), "{status} to {method}");
        }
        let register = Bytes::from_static(b"REGISTER sip:b.c SIP/2.0\r\n\r\n");
        assert_eq!(corrected(&register), Some(register));
    }
}
