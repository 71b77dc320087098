//! Listening sockets, and why one cannot be opened.

use std::io;
use std::net::{SocketAddr, SocketAddrV6};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};
use tokio::net::{TcpListener, UdpSocket};

use super::identity::TlsFileError;
use crate::sip::Transport;

/// Attempts to find a port free for both UDP and TCP when port 0 is asked for.
const PAIR_TRIES: usize = 20;

/// Length of the queue of connections not accepted yet; the same as tokio's.
const TCP_WAITING: i32 = 1024;

/// Why sockets cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// One of them cannot be bound.
    #[error("cannot listen on {transport} {address}: {cause}")]
    Socket {
        /// The transport, in lower case.
        transport: String,
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        cause: BindCause,
    },
    /// A file that TLS needs.
    #[error(transparent)]
    Tls(#[from] Box<TlsFileError>),
}

impl BindError {
    pub(super) fn new(transport: Transport, address: SocketAddr, cause: BindCause) -> Self {
        Self::Socket { transport: transport.as_str().to_ascii_lowercase(), address, cause }
    }
}

/// Why a socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindCause {
    /// Another program listens there.
    #[error("port {0} is in use by another program")]
    InUse(u16),
    /// Not an address of this host.
    #[error("this address is not one of this computer's")]
    NotOurs,
    /// Not permitted, for example a port below 1024.
    #[error("permission denied")]
    Denied,
    /// A file that TLS needs.
    #[error(transparent)]
    Tls(#[from] Box<TlsFileError>),
    /// Any other error of the system.
    #[error("{0}")]
    Other(#[source] io::Error),
}

/// A UDP and a TCP socket on the same free port.
pub(super) async fn bind_pair(address: SocketAddr) -> Result<(UdpSocket, TcpListener), BindError> {
    let mut last = None;
    for _ in 0..PAIR_TRIES {
        let tcp = bind_tcp(Transport::Tcp, address).await?;
        let port = tcp.local_addr().map_err(|error| bind_error(Transport::Tcp, address, error))?.port();
        match bind_udp(SocketAddr::new(address.ip(), port)).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| bind_error(Transport::Udp, address, io::ErrorKind::AddrInUse.into())))
}

pub(super) async fn bind_udp(address: SocketAddr) -> Result<UdpSocket, BindError> {
    let bind = async {
        let socket = match address {
            SocketAddr::V4(_) => UdpSocket::bind(address).await?,
            SocketAddr::V6(v6) => UdpSocket::from_std(bind_v6(SocketType::DGRAM, v6)?.into())?,
        };
        // Until the reactor has seen the socket once, `try_send_to` refuses, and the first datagram would be lost.
        socket.writable().await?;
        Ok(socket)
    };
    bind.await.map_err(|error| bind_error(Transport::Udp, address, error))
}

pub(super) async fn bind_tcp(transport: Transport, address: SocketAddr) -> Result<TcpListener, BindError> {
    let listener = match address {
        SocketAddr::V4(_) => TcpListener::bind(address).await,
        SocketAddr::V6(v6) => listen_v6(v6),
    };
    listener.map_err(|error| bind_error(transport, address, error))
}

fn listen_v6(address: SocketAddrV6) -> io::Result<TcpListener> {
    let socket = bind_v6(SocketType::STREAM, address)?;
    listen(&socket, TCP_WAITING)?;
    TcpListener::from_std(socket.into())
}

/// For IPv6 only, whatever the system's default: IPv4 traffic then has IPv4 addresses, and `0.0.0.0` can listen on the
/// same port.
fn bind_v6(kind: SocketType, address: SocketAddrV6) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::INET6, kind, flags, None)?;
    sockopt::set_ipv6_v6only(&socket, true)?;
    // As in the standard library: a restarted proxy can listen while its last connections are still closing.
    if kind == SocketType::STREAM {
        sockopt::set_socket_reuseaddr(&socket, true)?;
    }
    bind(&socket, &address)?;
    Ok(socket)
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the system has many more kinds, and names them")]
pub(super) fn bind_error(transport: Transport, address: SocketAddr, error: io::Error) -> BindError {
    let cause = match error.kind() {
        io::ErrorKind::AddrInUse => BindCause::InUse(address.port()),
        io::ErrorKind::AddrNotAvailable => BindCause::NotOurs,
        io::ErrorKind::PermissionDenied => BindCause::Denied,
        _ => BindCause::Other(error),
    };
    BindError::new(transport, address, cause)
}

/// Takes the first socket left to listen on.
pub(super) trait PopFirst {
    fn pop_first_listen(&mut self) -> Option<(Transport, SocketAddr)>;
}

impl PopFirst for Vec<(Transport, SocketAddr)> {
    fn pop_first_listen(&mut self) -> Option<(Transport, SocketAddr)> {
        (!self.is_empty()).then(|| self.remove(0))
    }
}

/// The transport that must share a port with this one.
pub(super) const fn partner(transport: Transport) -> Option<Transport> {
    match transport {
        Transport::Udp => Some(Transport::Tcp),
        Transport::Tcp => Some(Transport::Udp),
        Transport::Tls | Transport::Ws | Transport::Wss => None,
    }
}

/// Whether a bound socket is the one asked for.
pub(super) fn fits(listen: &(Transport, SocketAddr), local: &(Transport, SocketAddr)) -> bool {
    listen.0 == local.0
        && listen.1.ip() == local.1.ip()
        && (listen.1.port() == local.1.port() || listen.1.port() == 0)
}
