//! The line to the proxy: which flow a request leaves on (RFC 3261 §18.1.1, RFC 5626 §3).
//!
//! An account over UDP has its datagram flow at once, and a connection for large requests when one is wanted (W4).
//! An account over TCP has the connection alone.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::machine::{ConnectId, Flow, Hop};
use crate::sip::Transport;

/// The flows to the proxy.
#[derive(Debug)]
pub(super) struct Line {
    proxy: Hop,
    datagrams: Option<SocketAddr>,
    listener: Option<SocketAddr>,
    stream: Stream,
    last_connect: u64,
}

/// The connection to the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
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

/// What a flow that is gone meant to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The flow on which we are registered.
    Main,
    /// The connection for large requests, or a flow of somebody else.
    Other,
}

impl Line {
    /// To this proxy, from these sockets of ours.
    pub(super) fn new(proxy: Hop, locals: &[(Transport, SocketAddr)]) -> Self {
        let local = |wanted: Transport| {
            let of_transport = || locals.iter().filter(move |(transport, _)| *transport == wanted);
            let same_family = of_transport().find(|(_, local)| local.is_ipv4() == proxy.remote.is_ipv4());
            same_family.map(|(_, local)| *local)
        };
        Self {
            proxy,
            datagrams: local(Transport::Udp),
            listener: local(Transport::Tcp),
            stream: Stream::Closed,
            last_connect: 0,
        }
    }

    /// The flow for what goes over the account's own transport; none while there is no connection.
    pub(super) fn main(&self) -> Option<Flow> {
        match self.proxy.transport {
            Transport::Udp => self.datagrams.map(|local| Flow::udp(local, self.proxy.remote)),
            Transport::Tcp | Transport::Tls => self.stream_flow(),
        }
    }

    /// The connection, if it is there.
    pub(super) const fn stream_flow(&self) -> Option<Flow> {
        match self.stream {
            Stream::Open(flow) => Some(flow),
            Stream::Closed | Stream::Opening { .. } | Stream::Refused => None,
        }
    }

    /// How the connection stands.
    pub(super) const fn stream(&self) -> Stream {
        self.stream
    }

    /// True when the account itself uses a connection.
    pub(super) fn is_stream(&self) -> bool {
        self.proxy.transport != Transport::Udp
    }

    /// Where we can be reached, for Via and Contact of what leaves on this flow.
    pub(super) fn own_address(&self, flow: Flow) -> SocketAddr {
        match flow.transport {
            Transport::Udp => flow.local,
            Transport::Tcp | Transport::Tls => self.listener.unwrap_or(flow.local),
        }
    }

    /// Asks for the connection, unless it is there or asked for.
    pub(super) fn open(&mut self, now: Instant, wait: Duration) -> Option<(ConnectId, Hop)> {
        match self.stream {
            Stream::Open(_) | Stream::Opening { .. } => None,
            Stream::Closed | Stream::Refused => {
                self.last_connect += 1;
                let id = ConnectId(self.last_connect);
                self.stream = Stream::Opening { id, until: now + wait };
                let transport = if self.is_stream() { self.proxy.transport } else { Transport::Tcp };
                Some((id, Hop { transport, remote: self.proxy.remote }))
            }
        }
    }

    /// The connection is there. A late one counts too; false for one that nobody asked for.
    pub(super) fn connected(&mut self, id: ConnectId, flow: Flow) -> bool {
        let is_ours = id == ConnectId(self.last_connect) && self.stream_flow().is_none();
        if is_ours {
            self.stream = Stream::Open(flow);
        }
        is_ours
    }

    /// The connection cannot be had. False when it is not the one that we wait for.
    pub(super) fn connect_failed(&mut self, id: ConnectId) -> bool {
        let is_ours = matches!(self.stream, Stream::Opening { id: wanted, .. } if wanted == id);
        if is_ours {
            self.stream = Stream::Refused;
        }
        is_ours
    }

    /// True when the connection was waited for too long just now.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let over = matches!(self.stream, Stream::Opening { until, .. } if until <= now);
        if over {
            self.stream = Stream::Refused;
        }
        over
    }

    /// When the wait for the connection ends.
    pub(super) const fn poll_timeout(&self) -> Option<Instant> {
        match self.stream {
            Stream::Opening { until, .. } => Some(until),
            Stream::Closed | Stream::Open(_) | Stream::Refused => None,
        }
    }

    /// A flow is gone.
    pub(super) fn disconnected(&mut self, flow: Flow) -> Lost {
        let is_main = self.main() == Some(flow);
        if self.stream == Stream::Open(flow) {
            self.stream = Stream::Closed;
        }
        if is_main { Lost::Main } else { Lost::Other }
    }

    /// Tries the connection again where it was refused: the account connects anew.
    pub(super) fn forget_refusal(&mut self) {
        if self.stream == Stream::Refused {
            self.stream = Stream::Closed;
        }
    }

    /// Whether a flow leads to the proxy that we submit to (W25).
    ///
    /// A datagram has to come from the very address that we send to. A connection has to be the one that we
    /// opened, or to come from that host: the proxy opens one of its own, from any port, for a large report.
    pub(super) fn leads_to_proxy(&self, flow: Flow) -> bool {
        match flow.transport {
            Transport::Udp => flow.remote == self.proxy.remote,
            Transport::Tcp | Transport::Tls => {
                self.stream_flow() == Some(flow) || flow.remote.ip() == self.proxy.remote.ip()
            }
        }
    }
}
