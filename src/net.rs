//! Flows to sockets: one place that sends, one queue of what came.
//!
//! **Invariant:** no message is understood here; a stream is cut into messages by `sip::Framer`, and that is all.

// In this order a part uses those after it only.
mod tcp;

mod connections;

mod udp;

mod resolve;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use crate::limits::{INPUTS_WAITING_MAX, LOOKUPS_MAX};
use crate::machine::{ConnectId, Flow, Hop, Input, ResolveId, Transmit};
use crate::random::Random;
use crate::sip::{Transport, Uri};

use self::connections::{Connections, StreamLimits, Wish};
use self::resolve::Route;
use self::udp::UdpPort;

/// Times that a free pair of ports is looked for when port 0 is asked for over UDP and TCP together.
const PAIR_TRIES: usize = 20;

/// A socket that cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {transport} {address}: {cause}")]
pub struct BindError {
    /// Which transport, in small letters.
    pub transport: String,
    /// Which address.
    pub address: SocketAddr,
    /// Why.
    #[source]
    pub cause: BindCause,
}

/// Why a socket cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BindCause {
    /// Somebody listens there.
    #[error("port {0} is in use by another program")]
    InUse(u16),
    /// Not ours to use.
    #[error("this address is not one of this computer's")]
    NotOurs,
    /// A port below 1024, say.
    #[error("permission denied")]
    Denied,
    /// Not built.
    #[error("TLS is not spoken by this version")]
    Tls,
    /// What the system says.
    #[error("{0}")]
    Other(#[source] io::Error),
}

/// What came from the network.
#[derive(Clone, Debug)]
pub enum NetEvent {
    /// One whole message.
    Received {
        /// Where it came from.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// A connection is there.
    Connected {
        /// The wish.
        id: ConnectId,
        /// The connection.
        flow: Flow,
    },
    /// A connection cannot be had.
    ConnectFailed {
        /// The wish.
        id: ConnectId,
    },
    /// A flow is of no use any more.
    Disconnected {
        /// Which.
        flow: Flow,
    },
    /// A route, or none.
    Resolved {
        /// The question.
        id: ResolveId,
        /// Best first.
        hops: Vec<Hop>,
    },
}

impl NetEvent {
    /// As a machine takes it.
    #[must_use]
    pub fn into_input<C>(self) -> Input<C> {
        match self {
            Self::Received { flow, bytes } => Input::Received { flow, bytes },
            Self::Connected { id, flow } => Input::Connected { id, flow },
            Self::ConnectFailed { id } => Input::ConnectFailed { id },
            Self::Disconnected { flow } => Input::Disconnected { flow },
            Self::Resolved { id, hops } => Input::Resolved { id, hops },
        }
    }
}

/// The sockets of one machine. Everything ends when it is dropped.
#[derive(Debug)]
pub struct Net {
    udp: Vec<UdpPort>,
    locals: Vec<(Transport, SocketAddr)>,
    connections: Arc<Connections>,
    lookups: Arc<Semaphore>,
    sender: mpsc::Sender<NetEvent>,
    events: mpsc::Receiver<NetEvent>,
    tasks: JoinSet<()>,
}

impl Net {
    /// Opens sockets; port 0 is any free port, the same one for the UDP and TCP of one address.
    ///
    /// # Errors
    /// The first address that cannot be had, and why.
    pub async fn bind(listens: &[(Transport, SocketAddr)]) -> Result<Self, BindError> {
        Self::bind_with(listens, StreamLimits::default()).await
    }

    async fn bind_with(listens: &[(Transport, SocketAddr)], limits: StreamLimits) -> Result<Self, BindError> {
        let (sender, events) = mpsc::channel(INPUTS_WAITING_MAX);
        // Two of 2^62 numbers: a run will not meet the numbers of an earlier one.
        let before_first = Random::from_os().map_or(0, |mut random| random.bits() >> 2);
        let connections = Arc::new(Connections::new(sender.clone(), before_first, limits));
        let (udp, locals, tasks) = (Vec::new(), Vec::new(), JoinSet::new());
        let lookups = Arc::new(Semaphore::new(LOOKUPS_MAX));
        let mut net = Self { udp, locals, connections, lookups, sender, events, tasks };
        let mut rest = listens.to_vec();
        while let Some((transport, address)) = rest.pop_first_listen() {
            let twin = partner(transport);
            let paired = address.port() == 0 && rest.contains(&(twin, address));
            if paired {
                rest.retain(|listen| *listen != (twin, address));
                let (udp, tcp) = bind_pair(address).await?;
                net.add_udp(udp, address)?;
                net.add_tcp(tcp, address)?;
            } else if transport == Transport::Udp {
                net.add_udp(bind_udp(address).await?, address)?;
            } else if transport == Transport::Tcp {
                net.add_tcp(bind_tcp(address).await?, address)?;
            } else {
                return Err(BindError { transport: "tls".to_owned(), address, cause: BindCause::Tls });
            }
        }
        // In the order asked for, as `listening` lines and machines expect them.
        let place = |local: &(Transport, SocketAddr)| listens.iter().position(|listen| fits(listen, local));
        net.locals.sort_by_key(place);
        Ok(net)
    }

    /// Where the sockets are, with their true ports, in the order asked for.
    #[must_use]
    pub fn locals(&self) -> &[(Transport, SocketAddr)] {
        &self.locals
    }

    /// What came, in order. Never ends while the `Net` lives.
    pub async fn receive(&mut self) -> Option<NetEvent> {
        self.events.recv().await
    }

    /// What came already, without waiting.
    pub fn try_receive(&mut self) -> Option<NetEvent> {
        self.events.try_recv().ok()
    }

    /// How much came already.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.events.len()
    }

    /// Sends now, or puts it into a connection's queue.
    ///
    /// # Errors
    /// The flow cannot be used: the machine is to be told [`Input::Disconnected`].
    pub fn transmit(&self, transmit: &Transmit) -> Result<(), Flow> {
        let flow = transmit.flow;
        match flow.transport {
            Transport::Udp => self.send_datagram(transmit),
            Transport::Tcp | Transport::Tls => self.connections.send(flow, transmit.bytes.clone()),
        }
        .map_err(|()| flow)
    }

    /// Finds a live connection to the hop, or opens one. An answer that is known now is returned.
    pub fn connect(&mut self, id: ConnectId, hop: Hop) -> Option<NetEvent> {
        if hop.transport != Transport::Tcp {
            return Some(NetEvent::ConnectFailed { id });
        }
        match self.connections.wish(id, hop) {
            Wish::Open(flow) => Some(NetEvent::Connected { id, flow }),
            Wish::Full => Some(NetEvent::ConnectFailed { id }),
            Wish::Joined => None,
            Wish::Dial => {
                self.tasks.spawn(tcp::dial(Arc::clone(&self.connections), hop));
                None
            }
        }
    }

    /// Looks up where a URI leads. An answer that is known now is returned.
    pub fn resolve(&mut self, id: ResolveId, uri: &Uri) -> Option<NetEvent> {
        // Tasks that are over are let go here, so that their number stays that of what is under way.
        while self.tasks.try_join_next().is_some() {}
        let name = match resolve::route(uri) {
            Route::Known(hops) => return Some(NetEvent::Resolved { id, hops }),
            Route::Name(name) => name,
        };
        let Ok(free) = Arc::clone(&self.lookups).try_acquire_owned() else {
            tracing::debug!("too many names are being looked up");
            return Some(NetEvent::Resolved { id, hops: Vec::new() });
        };
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            let hops = resolve::look_up(name).await;
            drop(free);
            sender.send(NetEvent::Resolved { id, hops }).await.ok();
        });
        None
    }

    fn send_datagram(&self, transmit: &Transmit) -> Result<(), ()> {
        let flow = transmit.flow;
        // A stored flow may name a port of an earlier run.
        let same_family = || self.udp.iter().find(|port| port.local.is_ipv4() == flow.remote.is_ipv4());
        let port = self.udp.iter().find(|port| port.local == flow.local).or_else(same_family).ok_or(())?;
        port.send(flow.remote, &transmit.bytes)
    }

    fn add_udp(&mut self, socket: UdpSocket, asked: SocketAddr) -> Result<(), BindError> {
        let local = socket.local_addr().map_err(|error| bind_error(Transport::Udp, asked, error))?;
        self.locals.push((Transport::Udp, local));
        self.udp.push(UdpPort::start(socket, local, &self.sender, &mut self.tasks));
        Ok(())
    }

    fn add_tcp(&mut self, listener: TcpListener, asked: SocketAddr) -> Result<(), BindError> {
        let local = listener.local_addr().map_err(|error| bind_error(Transport::Tcp, asked, error))?;
        self.locals.push((Transport::Tcp, local));
        self.tasks.spawn(tcp::accept(listener, Arc::clone(&self.connections)));
        Ok(())
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.connections.close_all();
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

/// Takes the first of what is left to listen on.
trait PopFirst {
    fn pop_first_listen(&mut self) -> Option<(Transport, SocketAddr)>;
}

impl PopFirst for Vec<(Transport, SocketAddr)> {
    fn pop_first_listen(&mut self) -> Option<(Transport, SocketAddr)> {
        (!self.is_empty()).then(|| self.remove(0))
    }
}

const fn partner(transport: Transport) -> Transport {
    match transport {
        Transport::Udp => Transport::Tcp,
        Transport::Tcp | Transport::Tls => Transport::Udp,
    }
}

fn fits(listen: &(Transport, SocketAddr), local: &(Transport, SocketAddr)) -> bool {
    listen.0 == local.0
        && listen.1.ip() == local.1.ip()
        && (listen.1.port() == local.1.port() || listen.1.port() == 0)
}

/// A UDP and a TCP socket on the same free port.
async fn bind_pair(address: SocketAddr) -> Result<(UdpSocket, TcpListener), BindError> {
    let mut last = None;
    for _ in 0..PAIR_TRIES {
        let tcp = bind_tcp(address).await?;
        let port = tcp.local_addr().map_err(|error| bind_error(Transport::Tcp, address, error))?.port();
        match bind_udp(SocketAddr::new(address.ip(), port)).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| bind_error(Transport::Udp, address, io::ErrorKind::AddrInUse.into())))
}

async fn bind_udp(address: SocketAddr) -> Result<UdpSocket, BindError> {
    let bind = async {
        let socket = UdpSocket::bind(address).await?;
        // Until the reactor has seen it once, `try_send_to` refuses, and the first datagram would be lost.
        socket.writable().await?;
        Ok(socket)
    };
    bind.await.map_err(|error| bind_error(Transport::Udp, address, error))
}

async fn bind_tcp(address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|error| bind_error(Transport::Tcp, address, error))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the system has many more kinds, and names them")]
fn bind_error(transport: Transport, address: SocketAddr, error: io::Error) -> BindError {
    let cause = match error.kind() {
        io::ErrorKind::AddrInUse => BindCause::InUse(address.port()),
        io::ErrorKind::AddrNotAvailable => BindCause::NotOurs,
        io::ErrorKind::PermissionDenied => BindCause::Denied,
        _ => BindCause::Other(error),
    };
    BindError { transport: transport.as_str().to_ascii_lowercase(), address, cause }
}

#[cfg(test)]
mod tests;
