//! Flows to sockets: one place that sends, one queue of what came.
//!
//! **Invariant:** no message is understood here; a stream is cut into messages by `sip::Framer`, and that is all.

// In this order a part uses those after it only.
mod tcp;

mod websocket;

mod stream;

mod connections;

mod backlog;

mod greetings;

mod inbound_limits;

mod descriptors;

mod bind;

mod tls_errors;

mod tls;

mod websocket_origins;

mod pinned;

mod certificate;

mod udp;

mod lookups;

mod resolve;

mod dns;

mod event;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::limits::{GREETINGS_MAX, GREETINGS_PER_ADDRESS_MAX, INPUTS_WAITING_MAX};
use crate::machine::{ConnectFault, ConnectId, Hop, ResolveId, SendFault, Transmit};
use crate::random::Random;
use crate::sip::{Transport, Uri};

pub use self::bind::{BindCause, BindError};
use self::bind::{PopFirst, bind_error, bind_pair, bind_tcp, bind_udp, fits, partner};
pub use self::certificate::Fingerprint;
use self::connections::{Attempt, Connections, Peer};
pub use self::event::NetEvent;
use self::greetings::Greetings;
use self::inbound_limits::StreamLimits;
use self::lookups::{Lookup, Lookups};
pub use self::pinned::{Pin, RefusedCertificate};
use self::resolve::{Resolver, Route};
use self::tcp::Greeting;
use self::tls::Tls;
pub use self::tls::{Identity, TlsFileError, TlsFiles, check_authorities};
use self::udp::UdpPort;
pub use self::websocket_origins::Origins;

/// What the sockets of a machine are opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetSettings {
    /// Certificates.
    pub tls: TlsFiles,
    /// A certificate that a person trusts.
    pub pin: Option<Pin>,
    /// The name server to ask, in place of those of this system.
    pub dns: Option<SocketAddr>,
    /// Whose pages may open WebSockets.
    pub origins: Origins,
}

/// The sockets of one machine. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Net {
    udp: Vec<UdpPort>,
    locals: Vec<(Transport, SocketAddr)>,
    connections: Arc<Connections>,
    tls: Arc<Tls>,
    origins: Arc<Origins>,
    /// Handshakes under way of those who connect to us.
    greetings: Arc<Greetings>,
    lookups: Arc<Lookups>,
    sender: mpsc::Sender<NetEvent>,
    events: mpsc::Receiver<NetEvent>,
    tasks: JoinSet<()>,
    /// A task has ended by a panic.
    is_broken: bool,
}

impl Net {
    /// Opens sockets; port 0 is any free port, the same one for the UDP and TCP of one address.
    ///
    /// # Errors
    /// The first address that cannot be had, and why.
    pub async fn bind(listens: &[(Transport, SocketAddr)]) -> Result<Self, BindError> {
        Self::open(listens, &NetSettings::default()).await
    }

    /// The same with certificates.
    ///
    /// # Errors
    /// The first file or address that cannot be had, and why.
    pub async fn open(
        listens: &[(Transport, SocketAddr)],
        settings: &NetSettings,
    ) -> Result<Self, BindError> {
        let limits = StreamLimits { connections_max: descriptors::connections_max(), ..StreamLimits::USUAL };
        Self::bind_with(listens, settings, limits).await
    }

    async fn bind_with(
        listens: &[(Transport, SocketAddr)],
        settings: &NetSettings,
        limits: StreamLimits,
    ) -> Result<Self, BindError> {
        let (sender, events) = mpsc::channel(INPUTS_WAITING_MAX);
        // Two of 2^62 numbers: a run will not meet the numbers of an earlier one.
        let before_first = Random::from_os().map_or(0, |mut random| random.bits() >> 2);
        let connections = Arc::new(Connections::new(sender.clone(), before_first, limits));
        let tls = Arc::new(Tls::new(&settings.tls, settings.pin.clone()).map_err(Box::new)?);
        let origins = Arc::new(settings.origins.clone());
        let greetings = Arc::new(Greetings::new(GREETINGS_MAX, GREETINGS_PER_ADDRESS_MAX));
        let lookups = Arc::new(Lookups::new(settings.dns));
        let (udp, locals, tasks) = (Vec::new(), Vec::new(), JoinSet::new());
        let mut net = Self {
            udp,
            locals,
            connections,
            tls,
            origins,
            greetings,
            lookups,
            sender,
            events,
            tasks,
            is_broken: false,
        };
        let mut rest = listens.to_vec();
        while let Some((transport, address)) = rest.pop_first_listen() {
            let twin = partner(transport).map(|twin| (twin, address));
            match twin.filter(|twin| address.port() == 0 && rest.contains(twin)) {
                Some(twin) => {
                    rest.retain(|listen| *listen != twin);
                    let (udp, tcp) = bind_pair(address).await?;
                    net.add_udp(udp, address)?;
                    net.add_stream(Transport::Tcp, tcp, address)?;
                }
                None if transport == Transport::Udp => net.add_udp(bind_udp(address).await?, address)?,
                None => net.add_stream(transport, bind_tcp(transport, address).await?, address)?,
            }
        }
        // In the order asked for, as `listening` lines and machines expect them.
        let place = |local: &(Transport, SocketAddr)| listens.iter().position(|listen| fits(listen, local));
        net.locals.sort_by_key(place);
        Ok(net)
    }

    /// Reads the files of TLS again; connections that there are stay as they are.
    ///
    /// # Errors
    /// One of them cannot be used: what was read before stays in use.
    pub fn reload_tls(&self) -> Result<(), TlsFileError> {
        self.tls.reload()
    }

    /// Where the sockets are, with their true ports, in the order asked for.
    #[must_use]
    pub fn locals(&self) -> &[(Transport, SocketAddr)] {
        &self.locals
    }

    /// What came, in order. None when a task that serves the sockets has ended by a panic: nothing more can be relied on.
    pub async fn receive(&mut self) -> Option<NetEvent> {
        while !self.is_broken {
            tokio::select! {
                event = self.events.recv() => {
                    let event = event?;
                    self.connections.taken(&event);
                    return Some(event);
                }
                Some(ended) = self.tasks.join_next() => self.is_broken |= has_panicked(&ended),
            }
        }
        None
    }

    /// What came already, without waiting.
    pub fn try_receive(&mut self) -> Option<NetEvent> {
        let event = self.events.try_recv().ok()?;
        self.connections.taken(&event);
        Some(event)
    }

    /// How much came already.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.events.len()
    }

    /// Sends now, or puts it into a connection's queue. What is returned says that it cannot leave: the datagram
    /// ([`NetEvent::NotSent`]), or anything on its connection ([`NetEvent::Disconnected`]).
    #[must_use]
    pub fn transmit(&self, transmit: &Transmit) -> Option<NetEvent> {
        let Transmit { flow, request, .. } = *transmit;
        match flow.transport {
            Transport::Udp => {
                let fault = self.send_datagram(transmit).err()?;
                Some(NetEvent::NotSent { flow, request, fault })
            }
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                self.connections.send(flow, transmit.bytes.clone()).err()?;
                Some(NetEvent::Disconnected { flow })
            }
        }
    }

    /// Finds a live connection to the hop, or opens one; under TLS its certificate has to name `domain`, or the
    /// address where there is none. An answer that is known now is returned.
    pub fn connect(&mut self, id: ConnectId, hop: Hop, domain: Option<Arc<str>>) -> Option<NetEvent> {
        let peer = Peer::wished(hop, domain);
        match self.connections.wish(id, &peer) {
            Attempt::Open(flow) => Some(NetEvent::Connected { id, flow }),
            Attempt::Full => Some(NetEvent::ConnectFailed { id, fault: ConnectFault::Unreachable }),
            Attempt::Joined => None,
            Attempt::Dial => {
                let from = self.source_to(hop.remote);
                self.tasks.spawn(tcp::dial(Arc::clone(&self.connections), peer, Arc::clone(&self.tls), from));
                None
            }
        }
    }

    /// The address that a connection to a peer is to come from: ours, where we listen on one alone, so that a peer who knows us by it
    /// knows our connections too. None is the system's choice.
    fn source_to(&self, remote: SocketAddr) -> Option<IpAddr> {
        let mut addresses = self.locals.iter().map(|(_, local)| local.ip());
        let own = addresses.next().filter(|own| !own.is_unspecified())?;
        let leads_there = own.is_ipv4() == remote.is_ipv4() && own.is_loopback() == remote.ip().is_loopback();
        (leads_there && addresses.all(|other| other == own)).then_some(own)
    }

    /// Looks up where a URI leads. An answer that is known now is returned.
    pub fn resolve(&mut self, id: ResolveId, uri: &Uri) -> Option<NetEvent> {
        // Tasks that are over are let go here, so that their number stays that of what is under way.
        while let Some(ended) = self.tasks.try_join_next() {
            self.is_broken |= has_panicked(&ended);
        }
        let name = match resolve::route(uri) {
            Route::Known(hops) => return Some(NetEvent::Resolved { id, hops }),
            Route::Name(name) => name,
        };
        match self.lookups.join(&name, id) {
            Lookup::Joined => {}
            Lookup::Full => {
                let why = "too many names are being looked up".into();
                return Some(NetEvent::ResolveFailed { id, why });
            }
            Lookup::First => {
                let (lookups, sender) = (Arc::clone(&self.lookups), self.sender.clone());
                self.tasks.spawn(async move { lookups.look_up(name, sender).await });
            }
        }
        None
    }

    /// A task of ours falls.
    #[cfg(test)]
    pub(crate) fn fall(&mut self) {
        self.tasks.spawn(async { panic!("a fault of ours, made for this test") });
    }

    fn send_datagram(&self, transmit: &Transmit) -> Result<(), SendFault> {
        let flow = transmit.flow;
        // A stored flow may name a port of an earlier run.
        let same_family = || self.udp.iter().find(|port| port.local.is_ipv4() == flow.remote.is_ipv4());
        let port = self.udp.iter().find(|port| port.local == flow.local).or_else(same_family);
        port.ok_or(SendFault::Refused)?.send(transmit)
    }

    fn add_udp(&mut self, socket: UdpSocket, asked: SocketAddr) -> Result<(), BindError> {
        let local = socket.local_addr().map_err(|error| bind_error(Transport::Udp, asked, error))?;
        self.locals.push((Transport::Udp, local));
        self.udp.push(UdpPort::start(socket, local, &self.sender, &mut self.tasks));
        Ok(())
    }

    fn add_stream(
        &mut self,
        transport: Transport,
        listener: TcpListener,
        asked: SocketAddr,
    ) -> Result<(), BindError> {
        let local = listener.local_addr().map_err(|error| bind_error(transport, asked, error))?;
        let greeting = match transport {
            Transport::Udp | Transport::Tcp => Ok(Greeting::Plain),
            Transport::Tls => {
                self.tls.acceptor().map(Greeting::Tls).map_err(|error| BindCause::Tls(Box::new(error)))
            }
            Transport::Ws => Ok(Greeting::WebSocket(None, Arc::clone(&self.origins))),
            Transport::Wss => match self.tls.acceptor() {
                Ok(acceptor) => Ok(Greeting::WebSocket(Some(acceptor), Arc::clone(&self.origins))),
                Err(error) => Err(BindCause::Tls(Box::new(error))),
            },
        };
        let greeting = greeting.map_err(|cause| BindError::new(transport, asked, cause))?;
        self.locals.push((transport, local));
        let (greetings, connections) = (Arc::clone(&self.greetings), Arc::clone(&self.connections));
        self.tasks.spawn(tcp::accept(listener, greeting, greetings, connections));
        Ok(())
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.connections.close_all();
    }
}

fn has_panicked(ended: &Result<(), tokio::task::JoinError>) -> bool {
    ended.as_ref().is_err_and(tokio::task::JoinError::is_panic)
}

/// Where a URI leads (RFC 3263), best first; none when there is no route.
pub async fn resolve(uri: &Uri, settings: &NetSettings) -> Vec<Hop> {
    match resolve::route(uri) {
        Route::Known(hops) => hops,
        Route::Name(name) => Resolver::new(settings.dns).look_up(&name).await.unwrap_or_default(),
    }
}

/// The address of ours from which `remote` is reached, for Contact and Via. No packet is sent.
///
/// # Errors
/// There is no route.
pub fn local_ip_towards(remote: SocketAddr) -> io::Result<IpAddr> {
    let any: SocketAddr = if remote.is_ipv4() { ([0; 4], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = std::net::UdpSocket::bind(any)?;
    socket.connect(remote)?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests;
