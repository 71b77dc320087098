//! Keys that match messages to transactions (RFC 3261 §17.1.3, §17.2.3): keyed hashes, so that nobody outside
//! can craft two requests that collide.

use std::hash::Hasher;

use siphasher::sip128::{Hasher128, SipHasher13};

use crate::machine::{Flow, RequestId};
use crate::sip::{Method, Request, Transport, Via};

/// Every RFC 3261 branch begins with this (§8.1.1.7).
const MAGIC_COOKIE: &str = "z9hG4bK";

/// The key of a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey(u128);

impl ServerKey {
    /// A tag computed from the request alone, for a stateless answer (RFC 3261 §8.2.7). Only half of the hash: the
    /// other half stays secret.
    #[must_use]
    pub fn tag(self) -> String {
        format!("{:016x}", self.0 >> 64)
    }
}

/// The key of a client transaction: its branch and method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ClientKey(u128);

impl ClientKey {
    /// The form that goes along with the request's bytes, and comes back if they could not be sent.
    pub(super) const fn request_id(self) -> RequestId {
        RequestId(self.0)
    }

    pub(super) const fn of(request: RequestId) -> Self {
        Self(request.0)
    }

    /// The lowest and the highest key.
    pub(super) const ENDS: (Self, Self) = (Self(0), Self(u128::MAX));
}

/// Computes keys with one secret.
#[derive(Clone, Debug)]
pub(super) struct KeyMaker(SipHasher13);

impl KeyMaker {
    pub(super) fn new(secret: [u8; 16]) -> Self {
        Self(SipHasher13::new_with_key(&secret))
    }

    /// §17.1.3: by the branch of the top Via and the method in CSeq.
    pub(super) fn of_branch(&self, branch: &str, method: &Method) -> ClientKey {
        ClientKey(self.hash([branch, method.as_str()]))
    }

    /// §17.2.3: by branch, sent-by and method; for an RFC 2543 branch (or the cookie alone, RFC 4475 §3.2.1), by
    /// Request-URI, tags, Call-ID, CSeq and the top Via. And by where it came from: whoever repeats the branch of
    /// somebody else's request gets no answer that was meant for that one.
    pub(super) fn of_request(&self, request: &Request, flow: Flow) -> ServerKey {
        let via = request.fields().top_via();
        let (method, source) = (request.method().as_str(), source(flow));
        let branch = via.branch().filter(|branch| is_rfc3261(branch));
        ServerKey(branch.map_or_else(
            || self.of_old_request(request, &via, &source),
            |branch| self.hash([branch, &sent_by(&via), method, &source]),
        ))
    }

    fn of_old_request(&self, request: &Request, via: &Via, source: &str) -> u128 {
        let fields = request.fields();
        self.hash([
            source,
            request.uri().as_str(),
            fields.to().tag().unwrap_or_default(),
            fields.from().tag().unwrap_or_default(),
            fields.call_id(),
            &fields.cseq().to_string(),
            request.method().as_str(),
            &sent_by(via),
            via.branch().unwrap_or_default(),
        ])
    }

    fn hash<'a>(&self, parts: impl IntoIterator<Item = &'a str>) -> u128 {
        let mut hasher = self.0;
        for part in parts {
            hasher.write(part.as_bytes());
            // Each part ends with a byte that no header field contains.
            hasher.write_u8(0);
        }
        hasher.finish128().as_u128()
    }
}

fn is_rfc3261(branch: &str) -> bool {
    branch.get(..MAGIC_COOKIE.len()).is_some_and(|start| start.eq_ignore_ascii_case(MAGIC_COOKIE))
        && branch.len() > MAGIC_COOKIE.len()
}

/// Where a request came from, as far as its repetitions come from there too: a datagram is sent again from the same port,
/// while what came over a connection may come again over another one.
fn source(flow: Flow) -> String {
    let address = flow.remote.ip().to_canonical();
    match flow.transport {
        Transport::Udp => format!("{address} {}", flow.remote.port()),
        Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => address.to_string(),
    }
}

fn sent_by(via: &Via) -> String {
    let host = via.host.to_ascii_lowercase();
    via.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
}
