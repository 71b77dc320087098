//! The connection to the proxy: where the proxy is (RFC 3263), and the flow a request leaves on (RFC 3261 §18.1.1,
//! RFC 5626 §3).
//!
//! An account over UDP has its datagram flow at once, and opens a connection for large requests when needed (W4). An
//! account over TCP or TLS has only the connection.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::reach::Reach;
use super::redirect::Target;
use crate::limits::{Nearness, SERVER_ADDRESSES_MAX, UNPROVEN_TRANSMISSIONS_MAX};
use crate::machine::{ConnectId, Flow, Hop, ResolveId};
use crate::model::server::Server;
use crate::sip::{Transport, Uri};

/// The account's server: its addresses, and our flows to it.
#[derive(Debug)]
pub(crate) struct ServerConnection {
    server: Server,
    /// While a redirect has us at another server: the server that the account names, and the Request-URI to use here.
    away: Option<(Server, Option<Uri>)>,
    /// How near it may be.
    pub(crate) reach: Reach,
    /// Where the proxy is: the hop in use, then those to try if it fails. Empty until the name is looked up.
    hops: VecDeque<Hop>,
    /// Every address from the latest look-up, including those given up since: requests may come from any of them (W25).
    known: Vec<Hop>,
    /// When the proxy was last heard from.
    heard_at: Option<Instant>,
    /// The pending look-up of the proxy.
    asked: Option<ResolveId>,
    locals: Vec<(Transport, SocketAddr)>,
    stream: Stream,
    /// The address to which a connection was last requested.
    stream_to: Option<SocketAddr>,
    last_connect: u64,
    last_resolve: u64,
}

/// The connection to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Not needed yet, or lost.
    Closed,
    /// Requested.
    Opening {
        /// The request's number.
        id: ConnectId,
        /// Counts as refused after this.
        until: Instant,
    },
    /// Open.
    Open(Flow),
    /// Could not be opened: large requests go over UDP (W4) until the account connects anew.
    Refused,
}

/// A request for a connection to the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) id: ConnectId,
    pub(crate) hop: Hop,
    /// The name that its certificate must prove.
    pub(crate) domain: Arc<str>,
}

/// What a lost flow was used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LostFlow {
    /// The flow on which we are registered.
    Main,
    /// The connection for large requests, or somebody else's flow.
    Other,
}

impl ServerConnection {
    /// To this server, from these local sockets.
    pub(crate) fn new(server: Server, locals: &[(Transport, SocketAddr)]) -> Self {
        Self {
            hops: server.hop().into_iter().collect(),
            known: server.hop().into_iter().collect(),
            heard_at: None,
            away: None,
            reach: Reach::default(),
            server,
            asked: None,
            locals: locals.to_vec(),
            stream: Stream::Closed,
            stream_to: None,
            last_connect: 0,
            last_resolve: 0,
        }
    }

    /// The address of the proxy, once it is known.
    pub(crate) fn hop(&self) -> Option<Hop> {
        self.hops.front().copied()
    }

    /// How near our server is.
    pub(crate) fn nearness(&self) -> Nearness {
        self.hop().map_or(Nearness::Elsewhere, |hop| self.reach.nearness(hop))
    }

    /// The name that is looked up.
    pub(crate) fn name(&self) -> &str {
        self.server.uri.host()
    }

    /// Starts a look-up of the proxy, unless one is pending.
    pub(crate) fn find(&mut self) -> Option<(ResolveId, Uri)> {
        if self.asked.is_some() {
            return None;
        }
        self.last_resolve += 1;
        let id = ResolveId(self.last_resolve);
        self.asked = Some(id);
        Some((id, self.server.uri.clone()))
    }

    /// Whether this is the look-up that we wait for.
    pub(crate) fn asks(&self, id: ResolveId) -> bool {
        self.asked == Some(id)
    }

    /// The look-up has ended, possibly without any address. A result that nobody waits for changes nothing.
    pub(crate) fn found(&mut self, id: ResolveId, mut hops: Vec<Hop>) {
        hops.retain(|hop| self.reach.has(*hop));
        let is_ours = self.asked == Some(id);
        if is_ours {
            self.asked = None;
            // A failed look-up says nothing about the server that we are still registered with.
            if !hops.is_empty() {
                let before = std::mem::replace(&mut self.known, hops.clone());
                // While redirected, messages may still arrive from the server that the account names.
                let kept = before.into_iter().filter(|_| self.away.is_some());
                self.known.extend(kept);
                self.known.truncate(SERVER_ADDRESSES_MAX);
            }
            self.hops = hops.into();
        }
    }

    /// A server has redirected us: the target is our server now, until it fails. How near it may be is measured at the
    /// server that named it, not at the target before it, which may have been anywhere, or nowhere.
    pub(crate) fn redirect(&mut self, target: &Target, own_domain: &str) {
        self.reach.led_from(target.named_from);
        let uri = target.uri.without_user();
        let named = if uri.ip().is_some() { own_domain } else { uri.host() };
        let server = Server { domain: named.trim_end_matches('.').into(), uri: uri.clone() };
        let before = std::mem::replace(&mut self.server, server);
        let home = self.away.take().map_or(before, |(home, _)| home);
        self.away = Some((home, (!target.is_proxy).then_some(uri)));
        self.start_over();
        self.known.extend(self.hops.front());
        self.known.truncate(SERVER_ADDRESSES_MAX);
    }

    /// Returns to the server that the account names.
    pub(crate) fn go_home(&mut self) {
        if let Some((home, _)) = self.away.take() {
            self.server = home;
            self.reach.at_home();
            self.start_over();
        }
    }

    /// The Request-URI for requests to the server itself, if a redirect named one (RFC 3261 §8.1.3.4).
    pub(crate) fn redirected(&self) -> Option<Uri> {
        self.away.as_ref().and_then(|(_, uri)| uri.clone())
    }

    /// The server to which a redirect has led us.
    pub(crate) fn redirected_to(&self) -> Option<&Uri> {
        self.away.as_ref().map(|_| &self.server.uri)
    }

    fn start_over(&mut self) {
        self.hops = self.server.hop().into_iter().filter(|hop| self.reach.has(*hop)).collect();
        self.asked = None;
        self.stream = Stream::Closed;
        self.stream_to = None;
    }

    /// True if there is another hop to try (RFC 3263 §4.3).
    pub(crate) fn has_next_hop(&self) -> bool {
        self.hops.len() > 1
    }

    /// Gives up the hop in use for the next one; false if there is none, in which case the name is looked up again.
    pub(crate) fn next_hop(&mut self) -> bool {
        let is_left = self.has_next_hop();
        if is_left || self.server.hop().is_none() {
            self.stream = Stream::Closed;
            self.stream_to = None;
            self.hops.pop_front();
        }
        is_left
    }

    /// The flow for requests over the account's own transport; none while there is no connection.
    pub(crate) fn main(&self) -> Option<Flow> {
        let hop = self.hop()?;
        if hop.transport.is_reliable() {
            return self.stream_flow();
        }
        self.datagram_flow(hop.remote)
    }

    /// The connection's flow, if it is open.
    pub(crate) const fn stream_flow(&self) -> Option<Flow> {
        match self.stream {
            Stream::Open(flow) => Some(flow),
            Stream::Closed | Stream::Opening { .. } | Stream::Refused => None,
        }
    }

    /// The state of the connection.
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

    /// Our address for the Via and Contact of what leaves on this flow.
    pub(crate) fn own_address(&self, flow: Flow) -> SocketAddr {
        match flow.transport {
            Transport::Tcp => self.local(Transport::Tcp, flow.remote).unwrap_or(flow.local),
            // Nobody can reach us except over this flow (RFC 5626).
            Transport::Udp | Transport::Tls | Transport::Ws | Transport::Wss => flow.local,
        }
    }

    /// Requests the connection, unless it is open or requested already, or its address is unknown.
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

    /// Where to connect to: the hop in use, or the stream hop that the server's name gave (RFC 3263), else the address
    /// that datagrams go to, as a guess (W4).
    fn stream_hop(&self) -> Option<Hop> {
        let main = self.hop()?;
        let named = self.hops.iter().find(|hop| hop.transport.is_reliable()).copied();
        let named = if main.transport.is_reliable() { Some(main) } else { named };
        Some(named.unwrap_or(Hop { transport: Transport::Tcp, ..main }))
    }

    /// The connection is open. A late one counts too; false for one that nobody asked for.
    pub(crate) fn connected(&mut self, id: ConnectId, flow: Flow) -> bool {
        let is_late = self.stream_to != Some(flow.remote);
        let is_ours = id == ConnectId(self.last_connect) && self.stream_flow().is_none() && !is_late;
        if is_ours {
            self.stream = Stream::Open(flow);
        }
        is_ours
    }

    /// The connection could not be opened. False if it is not the one that we wait for.
    pub(crate) fn connect_failed(&mut self, id: ConnectId) -> bool {
        let is_ours = matches!(self.stream, Stream::Opening { id: wanted, .. } if wanted == id);
        if is_ours {
            self.stream = Stream::Refused;
        }
        is_ours
    }

    /// True if the wait for the connection has just timed out.
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

    /// A flow is lost.
    pub(crate) fn disconnected(&mut self, flow: Flow) -> LostFlow {
        let is_main = self.main() == Some(flow);
        if self.stream == Stream::Open(flow) {
            self.stream = Stream::Closed;
        }
        if is_main { LostFlow::Main } else { LostFlow::Other }
    }

    /// Allows a refused connection to be tried again, as the account connects anew.
    pub(crate) fn forget_refusal(&mut self) {
        if self.stream == Stream::Refused {
            self.stream = Stream::Closed;
        }
    }

    /// Whether a flow leads to this account's server, so that it may carry a request for us (W25).
    ///
    /// The server is every address found for its name, not only the one in use: a message may come from the one used
    /// before. Under TLS only the connection that we opened counts. Otherwise a datagram must come from exactly such an
    /// address and port, and a connection opened to us must come from such a host: the proxy opens one from any port
    /// for large requests.
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

    /// How often a request is sent there: where a 3xx leads, nobody may have asked for it (RFC 9000 §8).
    pub(crate) fn transmissions_max(&self, flow: Flow) -> Option<u32> {
        let is_led = self.hop().is_some() && !self.leads_to_proxy(flow);
        is_led.then_some(UNPROVEN_TRANSMISSIONS_MAX)
    }

    /// Whether a response on `flow` may answer a request sent on `sent`: it comes from the same place or from the
    /// server. A server with several sockets may answer datagrams from another port (RFC 3261 §18.2.2).
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

    /// Notes that the server was heard from.
    pub(crate) const fn heard(&mut self, now: Instant) {
        self.heard_at = Some(now);
    }

    /// Whether the server has been silent since then.
    pub(crate) fn is_silent_since(&self, then: Instant) -> bool {
        self.heard_at.is_none_or(|heard| heard < then)
    }

    /// The datagram flow to an address.
    pub(crate) fn datagram_flow(&self, remote: SocketAddr) -> Option<Flow> {
        self.local(Transport::Udp, remote).map(|local| Flow::udp(local, remote))
    }

    /// The address of our socket of the same IP family as `remote`.
    fn local(&self, wanted: Transport, remote: SocketAddr) -> Option<SocketAddr> {
        let mut fitting = self.locals.iter().filter(|(transport, _)| *transport == wanted);
        fitting.find(|(_, local)| local.is_ipv4() == remote.is_ipv4()).map(|(_, local)| *local)
    }
}

/// An IPv4 address written as IPv6 is the same address (RFC 4291 §2.5.5.2).
fn ip_of(address: SocketAddr) -> IpAddr {
    address.ip().to_canonical()
}

fn is_same(one: SocketAddr, other: SocketAddr) -> bool {
    ip_of(one) == ip_of(other) && one.port() == other.port()
}
