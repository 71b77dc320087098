//! The line to the proxy: where the proxy is (RFC 3263), and which flow a request leaves on (RFC 3261 §18.1.1, RFC 5626 §3).
//!
//! An account over UDP has its datagram flow at once, and a connection for large requests when one is wanted (W4).
//! An account over TCP or TLS has the connection alone.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::redirect::Target;
use crate::limits::SERVER_ADDRESSES_MAX;
use crate::machine::{ConnectId, Flow, Hop, ResolveId};
use crate::model::server::Server;
use crate::sip::{Transport, Uri};

/// The flows to the proxy.
#[derive(Debug)]
pub(crate) struct ServerConnection {
    server: Server,
    /// The server that the account names, while a redirect has us at another one; and the Request-URI there.
    away: Option<(Server, Option<Uri>)>,
    /// Where the proxy is: the hop in use, then those to try when it fails. Empty until a name is looked up.
    hops: VecDeque<Hop>,
    /// Every address that the latest look-up gave, those given up since then too: requests may come from any of them (W25).
    known: Vec<Hop>,
    /// When the proxy was heard last.
    heard_at: Option<Instant>,
    /// The question where the proxy is.
    asked: Option<ResolveId>,
    locals: Vec<(Transport, SocketAddr)>,
    stream: Stream,
    /// Where the connection was asked for last.
    stream_to: Option<SocketAddr>,
    last_connect: u64,
    last_resolve: u64,
}

/// The connection to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Not wanted yet, or gone.
    Closed,
    /// Asked for.
    Opening {
        /// The wish.
        id: ConnectId,
        /// It counts as refused then.
        until: Instant,
    },
    /// There.
    Open(Flow),
    /// Could not be had: large requests go over UDP (W4), until the account connects anew.
    Refused,
}

/// A wish for a connection to the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) id: ConnectId,
    pub(crate) hop: Hop,
    /// Whom its certificate has to name.
    pub(crate) domain: Arc<str>,
}

/// What a flow that is gone meant to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LostFlow {
    /// The flow on which we are registered.
    Main,
    /// The connection for large requests, or a flow of somebody else.
    Other,
}

impl ServerConnection {
    /// To this proxy, from these sockets of ours.
    pub(crate) fn new(server: Server, locals: &[(Transport, SocketAddr)]) -> Self {
        Self {
            hops: server.hop().into_iter().collect(),
            known: server.hop().into_iter().collect(),
            heard_at: None,
            away: None,
            server,
            asked: None,
            locals: locals.to_vec(),
            stream: Stream::Closed,
            stream_to: None,
            last_connect: 0,
            last_resolve: 0,
        }
    }

    /// Where the proxy is, as far as that is known.
    pub(crate) fn hop(&self) -> Option<Hop> {
        self.hops.front().copied()
    }

    /// The name that is looked up.
    pub(crate) fn name(&self) -> &str {
        self.server.uri.host()
    }

    /// Asks where the proxy is, unless that is asked already.
    pub(crate) fn find(&mut self) -> Option<(ResolveId, Uri)> {
        if self.asked.is_some() {
            return None;
        }
        self.last_resolve += 1;
        let id = ResolveId(self.last_resolve);
        self.asked = Some(id);
        Some((id, self.server.uri.clone()))
    }

    /// Whether that is what we wait for.
    pub(crate) fn asks(&self, id: ResolveId) -> bool {
        self.asked == Some(id)
    }

    /// It is known where the proxy is, or that it is nowhere. An answer that nobody waits for changes nothing.
    pub(crate) fn found(&mut self, id: ResolveId, hops: Vec<Hop>) {
        let is_ours = self.asked == Some(id);
        if is_ours {
            self.asked = None;
            // A look-up that failed says nothing about the server that we are still registered with.
            if !hops.is_empty() {
                let before = std::mem::replace(&mut self.known, hops.clone());
                // Away from home, what is on its way to us may still come from there.
                let kept = before.into_iter().filter(|_| self.away.is_some());
                self.known.extend(kept);
                self.known.truncate(SERVER_ADDRESSES_MAX);
            }
            self.hops = hops.into();
        }
    }

    /// The server has sent us on: it is there now, until that one fails.
    pub(crate) fn redirect(&mut self, target: &Target, own_domain: &str) {
        let uri = target.uri.without_user();
        let named = if uri.ip().is_some() { own_domain } else { uri.host() };
        let server = Server { domain: named.trim_end_matches('.').into(), uri: uri.clone() };
        let before = std::mem::replace(&mut self.server, server);
        let home = self.away.take().map_or(before, |(home, _)| home);
        self.away = Some((home, (!target.is_proxy).then_some(uri)));
        self.start_over();
        self.known.extend(self.server.hop());
        self.known.truncate(SERVER_ADDRESSES_MAX);
    }

    /// Back to the server that the account names.
    pub(crate) fn go_home(&mut self) {
        if let Some((home, _)) = self.away.take() {
            self.server = home;
            self.start_over();
        }
    }

    /// The Request-URI of what is for the server itself, where a redirect says one (RFC 3261 §8.1.3.4).
    pub(crate) fn redirected(&self) -> Option<Uri> {
        self.away.as_ref().and_then(|(_, uri)| uri.clone())
    }

    /// Where a redirect has led us.
    pub(crate) fn redirected_to(&self) -> Option<&Uri> {
        self.away.as_ref().map(|_| &self.server.uri)
    }

    fn start_over(&mut self) {
        self.hops = self.server.hop().into_iter().collect();
        self.asked = None;
        self.stream = Stream::Closed;
        self.stream_to = None;
    }

    /// True when there is another place to try (RFC 3263 §4.3).
    pub(crate) fn has_next_hop(&self) -> bool {
        self.hops.len() > 1
    }

    /// Gives the place in use up for the next one; false where there is none, and then a name is looked up anew.
    pub(crate) fn next_hop(&mut self) -> bool {
        let is_left = self.has_next_hop();
        if is_left || self.server.hop().is_none() {
            self.stream = Stream::Closed;
            self.stream_to = None;
            self.hops.pop_front();
        }
        is_left
    }

    /// The flow for what goes over the account's own transport; none while there is no connection.
    pub(crate) fn main(&self) -> Option<Flow> {
        let hop = self.hop()?;
        if hop.transport.is_reliable() {
            return self.stream_flow();
        }
        self.datagram_flow(hop.remote)
    }

    /// The connection, if it is there.
    pub(crate) const fn stream_flow(&self) -> Option<Flow> {
        match self.stream {
            Stream::Open(flow) => Some(flow),
            Stream::Closed | Stream::Opening { .. } | Stream::Refused => None,
        }
    }

    /// How the connection stands.
    pub(crate) const fn stream(&self) -> Stream {
        self.stream
    }

    /// True when the account itself uses a connection.
    pub(crate) fn is_stream(&self) -> bool {
        self.hop().is_some_and(|hop| hop.transport.is_reliable())
    }

    /// True when what is sent leaves under TLS (W32).
    pub(crate) fn is_secure(&self) -> bool {
        self.hop().is_some_and(|hop| hop.transport.is_secure())
    }

    /// Where we can be reached, for Via and Contact of what leaves on this flow.
    pub(crate) fn own_address(&self, flow: Flow) -> SocketAddr {
        match flow.transport {
            Transport::Tcp => self.local(Transport::Tcp, flow.remote).unwrap_or(flow.local),
            // Nobody connects to us but over this flow (RFC 5626).
            Transport::Udp | Transport::Tls | Transport::Ws | Transport::Wss => flow.local,
        }
    }

    /// Asks for the connection, unless it is there or asked for, or it is not known where to.
    pub(crate) fn open(&mut self, now: Instant, wait: Duration) -> Option<Opening> {
        match self.stream {
            Stream::Open(_) | Stream::Opening { .. } => None,
            Stream::Closed | Stream::Refused => {
                let hop = self.stream_hop()?;
                self.stream_to = Some(hop.remote);
                self.last_connect += 1;
                let id = ConnectId(self.last_connect);
                self.stream = Stream::Opening { id, until: now + wait };
                let domain = Arc::clone(&self.server.domain);
                Some(Opening { id, hop, domain })
            }
        }
    }

    /// Where a connection is to be had: at the place in use, or where the server's name says that there is one (RFC 3263), else
    /// it is guessed to be at the address that datagrams go to (W4).
    fn stream_hop(&self) -> Option<Hop> {
        let main = self.hop()?;
        let named = self.hops.iter().find(|hop| hop.transport.is_reliable()).copied();
        let named = if main.transport.is_reliable() { Some(main) } else { named };
        Some(named.unwrap_or(Hop { transport: Transport::Tcp, ..main }))
    }

    /// The connection is there. A late one counts too; false for one that nobody asked for.
    pub(crate) fn connected(&mut self, id: ConnectId, flow: Flow) -> bool {
        let is_late = self.stream_to != Some(flow.remote);
        let is_ours = id == ConnectId(self.last_connect) && self.stream_flow().is_none() && !is_late;
        if is_ours {
            self.stream = Stream::Open(flow);
        }
        is_ours
    }

    /// The connection cannot be had. False when it is not the one that we wait for.
    pub(crate) fn connect_failed(&mut self, id: ConnectId) -> bool {
        let is_ours = matches!(self.stream, Stream::Opening { id: wanted, .. } if wanted == id);
        if is_ours {
            self.stream = Stream::Refused;
        }
        is_ours
    }

    /// True when the connection was waited for too long just now.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> bool {
        let over = matches!(self.stream, Stream::Opening { until, .. } if until <= now);
        if over {
            self.stream = Stream::Refused;
        }
        over
    }

    /// When the wait for the connection ends.
    pub(crate) const fn poll_timeout(&self) -> Option<Instant> {
        match self.stream {
            Stream::Opening { until, .. } => Some(until),
            Stream::Closed | Stream::Open(_) | Stream::Refused => None,
        }
    }

    /// A flow is gone.
    pub(crate) fn disconnected(&mut self, flow: Flow) -> LostFlow {
        let is_main = self.main() == Some(flow);
        if self.stream == Stream::Open(flow) {
            self.stream = Stream::Closed;
        }
        if is_main { LostFlow::Main } else { LostFlow::Other }
    }

    /// Tries the connection again where it was refused: the account connects anew.
    pub(crate) fn forget_refusal(&mut self) {
        if self.stream == Stream::Refused {
            self.stream = Stream::Closed;
        }
    }

    /// Whether a flow leads to the server of this account: what it carries may be a request for us (W25).
    ///
    /// The server is every address that its name was found to have, not only the one in use: a message may come from the
    /// one that was in use before. Under TLS nothing but the connection that we opened counts. Otherwise a datagram has
    /// to come from exactly such an address and port, and a connection that was opened to us from such a host: the proxy
    /// opens one of its own, from any port, for what is large.
    pub(crate) fn leads_to_proxy(&self, flow: Flow) -> bool {
        if self.stream_flow() == Some(flow) {
            return true;
        }
        if self.hop().is_some_and(|hop| hop.transport.is_secure()) {
            return false;
        }
        let mut clear = self.known.iter().filter(|hop| !hop.transport.is_secure());
        match flow.transport {
            Transport::Udp => {
                clear.any(|hop| hop.transport == Transport::Udp && is_same(hop.remote, flow.remote))
            }
            Transport::Tcp => clear.any(|hop| ip_of(hop.remote) == ip_of(flow.remote)),
            Transport::Tls | Transport::Ws | Transport::Wss => false,
        }
    }

    /// Whether a response that came on `flow` may be one to a request that was sent on `sent`: it comes from there, or
    /// from the server. A server with several sockets may answer datagrams from another port (RFC 3261 §18.2.2).
    pub(crate) fn may_answer(&self, flow: Flow, sent: Flow) -> bool {
        if sent.transport.is_reliable() {
            return flow == sent || !sent.transport.is_secure() && self.leads_to_proxy(flow);
        }
        let is_known = || self.known.iter().any(|hop| ip_of(hop.remote) == ip_of(flow.remote));
        !flow.transport.is_secure() && (ip_of(flow.remote) == ip_of(sent.remote) || is_known())
    }

    /// True until any address of the server is known.
    pub(crate) const fn is_unknown(&self) -> bool {
        self.known.is_empty()
    }

    /// The server has said something.
    pub(crate) const fn heard(&mut self, now: Instant) {
        self.heard_at = Some(now);
    }

    /// Whether the server has said nothing at all since then.
    pub(crate) fn is_silent_since(&self, then: Instant) -> bool {
        self.heard_at.is_none_or(|heard| heard < then)
    }

    /// The flow of datagrams to any address.
    pub(crate) fn datagram_flow(&self, remote: SocketAddr) -> Option<Flow> {
        self.local(Transport::Udp, remote).map(|local| Flow::udp(local, remote))
    }

    /// A socket of ours of the family of `remote`.
    fn local(&self, wanted: Transport, remote: SocketAddr) -> Option<SocketAddr> {
        let mut fitting = self.locals.iter().filter(|(transport, _)| *transport == wanted);
        fitting.find(|(_, local)| local.is_ipv4() == remote.is_ipv4()).map(|(_, local)| *local)
    }
}

/// The same address written in IPv6 is the same (RFC 4291 §2.5.5.2).
fn ip_of(address: SocketAddr) -> IpAddr {
    address.ip().to_canonical()
}

fn is_same(one: SocketAddr, other: SocketAddr) -> bool {
    ip_of(one) == ip_of(other) && one.port() == other.port()
}
