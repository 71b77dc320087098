//! Sockets and their flows: one place that sends, one queue of what was received.
//!
//! **Invariant:** no message is parsed here; `sip::Framer` cuts a stream into messages, and that is all.

// In this order each part uses only those after it.
mod tcp;

mod websocket;

mod stream;

mod half_message;

mod unanswered;

mod connections;

mod write_queue;

mod backlog;

mod greetings;

mod inbound_limits;

mod outbound_peers;

mod descriptors;

mod bind;

mod tls_faults;

mod tls;

mod identity;

mod websocket_origins;

mod pinned;

mod certificate;

mod udp;

mod lookups;

mod name_cache;

mod interfaces;

mod lookup_queue;

mod resolve;

mod dns;

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::limits::{
    DNS_QUESTIONS_PER_PAYER_MAX, GREETINGS_MAX, GREETINGS_PER_ADDRESS_MAX, INPUTS_WAITING_MAX,
};
use crate::machine::{
    ConnectFault, ConnectId, Flow, Hop, Input, LookupTerms, ResolveId, SendFault, Transmit,
};
use crate::random::Random;
use crate::sip::{Transport, Uri};

use self::backlog::Burden;
pub use self::bind::{BindCause, BindError};
use self::bind::{PopFirst, bind_error, bind_pair, bind_tcp, bind_udp, fits, partner};
pub use self::certificate::Fingerprint;
use self::connections::{Attempt, Connections, NotQueued, Peer};
use self::greetings::Greetings;
pub use self::identity::{Identity, TlsFileError, fingerprint_of, names_of_others};
use self::inbound_limits::StreamLimits;
use self::interfaces::InterfaceReader;
pub use self::interfaces::interface_ips;
use self::lookups::{Lookup, Lookups};
pub use self::pinned::{Pin, RefusedCertificate};
use self::resolve::{Resolver, Route};
use self::tcp::Greeting;
use self::tls::Tls;
pub use self::tls::{TlsFiles, TypedServer, check_authorities};
use self::udp::UdpPort;
pub use self::websocket_origins::Origins;

/// What happened in the network: an input of any machine, whatever its commands.
pub type NetEvent = Input<Infallible>;

/// What a machine's sockets are opened with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetSettings {
    /// Certificates.
    pub tls: TlsFiles,
    /// A certificate that the user trusts.
    pub pin: Option<Pin>,
    /// The server, if the user gave it by its IP address.
    pub typed: Option<TypedServer>,
    /// The name server to ask, instead of this system's.
    pub dns: Option<SocketAddr>,
    /// The web pages that may open WebSockets.
    pub origins: Origins,
}

/// The sockets of one machine. Dropping it ends everything.
#[derive(Debug)]
pub struct Net {
    udp: Vec<UdpPort>,
    locals: Vec<(Transport, SocketAddr)>,
    connections: Arc<Connections>,
    tls: Arc<Tls>,
    origins: Arc<Origins>,
    /// Handshakes in progress on connections that peers opened.
    greetings: Arc<Greetings>,
    lookups: Arc<Lookups>,
    interfaces: InterfaceReader,
    sender: mpsc::Sender<NetEvent>,
    events: mpsc::Receiver<NetEvent>,
    tasks: JoinSet<()>,
    /// A task has panicked.
    is_broken: bool,
}

impl Net {
    /// Opens sockets; port 0 means any free port, the same one for UDP and TCP at one address.
    ///
    /// # Errors
    /// The first address that cannot be bound, and why.
    pub async fn bind(listens: &[(Transport, SocketAddr)]) -> Result<Self, BindError> {
        Self::open(listens, &NetSettings::default()).await
    }

    /// The same with certificates.
    ///
    /// # Errors
    /// The first file or address that cannot be used, and why.
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
        // A random start out of 2^62: a run will not reuse the numbers of an earlier one.
        let before_first = Random::from_os().map_or(0, |mut random| random.bits() >> 2);
        let connections = Arc::new(Connections::new(sender.clone(), before_first, limits));
        let tls = Arc::new(
            Tls::new(&settings.tls, settings.pin.clone(), settings.typed.clone()).map_err(Box::new)?,
        );
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
            interfaces: InterfaceReader::default(),
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
        // In the order asked for, as `listening` lines and machines expect.
        let place = |local: &(Transport, SocketAddr)| listens.iter().position(|listen| fits(listen, local));
        net.locals.sort_by_key(place);
        Ok(net)
    }

    /// Reads the TLS files again; existing connections are unaffected.
    ///
    /// # Errors
    /// One of them cannot be used: what was read before stays in use.
    pub fn reload_tls(&self) -> Result<(), TlsFileError> {
        self.tls.reload()
    }

    /// The addresses of the sockets with their real ports, in the order asked for.
    #[must_use]
    pub fn locals(&self) -> &[(Transport, SocketAddr)] {
        &self.locals
    }

    /// The next event, in order. None if a task that serves the sockets has panicked: they can no longer be relied on.
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

    /// An event that is already queued, without waiting.
    pub fn try_receive(&mut self) -> Option<NetEvent> {
        let event = self.events.try_recv().ok()?;
        self.connections.taken(&event);
        Some(event)
    }

    /// How many events are queued.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.events.len()
    }

    /// Sends now, or queues on a connection. A returned event: this, or all on its connection, could not be sent.
    #[must_use]
    pub fn transmit(&self, transmit: &Transmit) -> Option<NetEvent> {
        let Transmit { flow, request, .. } = *transmit;
        let not_sent = |fault| NetEvent::NotSent { flow, request, fault };
        match flow.transport {
            Transport::Udp => self.send_datagram(transmit).err().map(not_sent),
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                let burden = if request.is_some() { Burden::Request } else { Burden::Answer };
                Some(match self.connections.send(flow, transmit.bytes.clone(), burden).err()? {
                    NotQueued::NoRoom => not_sent(SendFault::NoRoom),
                    NotQueued::Closed => NetEvent::Disconnected { flow },
                })
            }
        }
    }

    /// Finds a live connection to the hop, or opens one; under TLS its certificate must name `domain`, or the address
    /// if there is none. A result known at once is returned.
    pub fn connect(&mut self, id: ConnectId, hop: Hop, domain: Option<Arc<str>>) -> Option<NetEvent> {
        let peer = Peer::wanted(hop, domain);
        match self.connections.find_or_dial(id, &peer) {
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

    /// The local address for a connection to a peer: ours if we listen on just one, so that a peer who knows us by it
    /// recognizes our connections too. None leaves the choice to the system.
    fn source_to(&self, remote: SocketAddr) -> Option<IpAddr> {
        let mut addresses = self.locals.iter().map(|(_, local)| local.ip());
        let own = addresses.next().filter(|own| !own.is_unspecified())?;
        let leads_there = own.is_ipv4() == remote.is_ipv4() && own.is_loopback() == remote.ip().is_loopback();
        (leads_there && addresses.all(|other| other == own)).then_some(own)
    }

    /// Looks up where a URI leads, when it is the turn of whoever pays for it. A result known at once is returned.
    pub fn resolve(&mut self, id: ResolveId, uri: &Uri, terms: LookupTerms) -> Option<NetEvent> {
        // Finished tasks are removed here, so that only those in progress are kept.
        while let Some(ended) = self.tasks.try_join_next() {
            self.is_broken |= has_panicked(&ended);
        }
        let name = match resolve::route(uri) {
            Route::Known(hops) => return Some(NetEvent::Resolved { id, hops }),
            Route::Name(name) => name,
        };
        match self.lookups.join(name, id, terms) {
            Lookup::Known(hops) => return Some(NetEvent::Resolved { id, hops }),
            Lookup::Joined => {}
            Lookup::Full => {
                let why = "too many names are being looked up".into();
                return Some(NetEvent::ResolveFailed { id, why });
            }
            Lookup::First(turn) => {
                let (lookups, sender) = (Arc::clone(&self.lookups), self.sender.clone());
                self.tasks.spawn(async move { lookups.look_up(turn, sender).await });
            }
        }
        None
    }

    /// The addresses of this computer's interfaces, if they have changed since they were last asked for.
    pub fn changed_interfaces(&mut self, now: Instant) -> Option<Arc<[IpAddr]>> {
        self.interfaces.changed(now)
    }

    /// Closes a connection; no event tells of it.
    pub fn close(&self, flow: Flow) {
        self.connections.remove(flow);
    }

    /// Makes a task of ours panic.
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

/// The hops that a URI leads to (RFC 3263), best first; none if there is no route.
pub async fn resolve(uri: &Uri, settings: &NetSettings) -> Vec<Hop> {
    match resolve::route(uri) {
        Route::Known(hops) => hops,
        Route::Name(name) => {
            let questions = Arc::new(Semaphore::new(DNS_QUESTIONS_PER_PAYER_MAX));
            Resolver::new(settings.dns)
                .look_up(&name, questions)
                .await
                .map(|found| found.hops)
                .unwrap_or_default()
        }
    }
}

/// Our address from which `remote` is reached, for Contact and Via. No packet is sent.
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
