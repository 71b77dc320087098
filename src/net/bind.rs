//! Sockets that listen, and why one cannot be had.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, UdpSocket};

use super::tls::TlsFileError;
use crate::sip::Transport;

/// Times that a free pair of ports is looked for when port 0 is asked for over UDP and TCP together.
const PAIR_TRIES: usize = 20;

/// Sockets that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// One of them.
    #[error("cannot listen on {transport} {address}: {cause}")]
    Socket {
        /// Which transport, in small letters.
        transport: String,
        /// Which address.
        address: SocketAddr,
        /// Why.
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
    /// A file that TLS needs.
    #[error(transparent)]
    Tls(#[from] Box<TlsFileError>),
    /// What the system says.
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
        let socket = UdpSocket::bind(address).await?;
        // Until the reactor has seen it once, `try_send_to` refuses, and the first datagram would be lost.
        socket.writable().await?;
        Ok(socket)
    };
    bind.await.map_err(|error| bind_error(Transport::Udp, address, error))
}

pub(super) async fn bind_tcp(transport: Transport, address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|error| bind_error(transport, address, error))
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
