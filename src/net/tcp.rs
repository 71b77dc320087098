//! Connections: accepting, dialing, and the TLS and WebSocket handshakes on top of TCP.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::connections::{Connections, Opened, Outbound, Peer};
use super::descriptors::Spare;
use super::greetings::Greetings;
use super::tls::Tls;
use super::tls_faults;
use super::websocket::Socket;
use super::{NetEvent, Origins, stream, websocket};
use crate::limits::STREAM_UNACKNOWLEDGED;
use crate::machine::{ConnectFault, Flow, TlsFault, Untrusted};
use crate::sip::Transport;

/// A peer that does not answer a SYN or a handshake within this time counts as unreachable.
const DIAL_WAIT: Duration = Duration::from_secs(10);
/// A server that has accepted a connection must finish the TLS handshake within this time: one at a port without TLS
/// waits for more of a message that it cannot read, and answers nothing.
const SECURE_WAIT: Duration = Duration::from_secs(4);
/// A peer that connects must finish its handshake within this time.
const GREET_WAIT: Duration = Duration::from_secs(10);
/// Pause after an error of `accept` (for example, no file descriptors left) before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How the connections of one listener begin.
#[derive(Clone)]
pub(super) enum Greeting {
    /// Without a handshake.
    Plain,
    /// With a TLS handshake.
    Tls(TlsAcceptor),
    /// With a WebSocket handshake, under TLS or not, allowed for these origins.
    WebSocket(Option<TlsAcceptor>, Arc<Origins>),
}

/// Accepts connections until the `Net` is gone.
pub(super) async fn accept(
    listener: TcpListener,
    greeting: Greeting,
    greetings: Arc<Greetings>,
    connections: Arc<Connections>,
) {
    let mut spare = Spare::new();
    loop {
        let (stream, remote) = match listener.accept().await {
            Ok(accepted) => accepted,
            // The waiting peer gets the spare descriptor, and is then served or closed.
            Err(error) if connections.shortage.is_behind(&error) => {
                if !spare.give() {
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
                continue;
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if !spare.refill() {
            let has_room = connections.make_room(remote.ip()).is_some() || greetings.hang_up_on_the_first();
            // A closed connection releases its descriptor when its task ends.
            tokio::task::yield_now().await;
            if !has_room {
                drop(stream);
                spare.refill();
                continue;
            }
            spare.refill();
        }
        // Over a limit the stream is dropped, which closes it.
        match greeting.clone() {
            Greeting::Plain => take_plain(&connections, stream, remote),
            greeting @ (Greeting::Tls(_) | Greeting::WebSocket(..)) => {
                greet_apart(&greetings, greeting, (stream, remote), &connections);
            }
        }
    }
}

fn take_plain(connections: &Arc<Connections>, stream: TcpStream, remote: SocketAddr) {
    let Some(flow) = flow_of(Transport::Tcp, &stream, remote) else { return };
    // RFC 3261 §18: what we send to that very address uses this connection too.
    if let Some(outbound) = connections.add(flow, Some(Peer::at(flow)), Opened::ByPeer) {
        stream::serve(connections, stream.into_split(), outbound);
    }
}

/// Computes the handshakes of a connection on the thread for that, and serves it on ours once they succeed.
fn greet_apart(
    greetings: &Greetings,
    greeting: Greeting,
    (stream, remote): (TcpStream, SocketAddr),
    connections: &Arc<Connections>,
) {
    if !greetings.may_begin(remote.ip(), Instant::now().into_std()) {
        tracing::debug!(%remote, "too many handshakes a second");
        return;
    }
    let slot = greetings.enter(remote.ip());
    let number = slot.number();
    let (home, connections) = (Handle::current(), Arc::clone(connections));
    greetings.serve(number, async move {
        match timeout(GREET_WAIT, greet(greeting, stream, remote)).await {
            Ok(Some((flow, greeted))) => {
                home.spawn(async move {
                    take_greeted(&connections, flow, greeted);
                    drop(slot);
                });
            }
            Ok(None) => {}
            Err(_) => tracing::debug!(%remote, "the handshake takes too long"),
        }
    });
}

/// A connection after its handshakes.
enum Greeted {
    Tls(Box<TlsStream<TcpStream>>),
    Ws(Box<Socket<TcpStream>>),
    Wss(Box<Socket<TlsStream<TcpStream>>>),
}

/// The handshakes of a connection; none if one fails.
async fn greet(greeting: Greeting, stream: TcpStream, remote: SocketAddr) -> Option<(Flow, Greeted)> {
    match greeting {
        Greeting::Plain => None,
        Greeting::Tls(acceptor) => {
            let flow = flow_of(Transport::Tls, &stream, remote)?;
            let stream = shake_hands(&acceptor, flow, stream).await?;
            Some((flow, Greeted::Tls(stream.into())))
        }
        Greeting::WebSocket(None, origins) => {
            let flow = flow_of(Transport::Ws, &stream, remote)?;
            let socket = greet_web(flow, &origins, stream).await?;
            Some((flow, Greeted::Ws(socket.into())))
        }
        Greeting::WebSocket(Some(acceptor), origins) => {
            let flow = flow_of(Transport::Wss, &stream, remote)?;
            let stream = shake_hands(&acceptor, flow, stream).await?;
            let socket = greet_web(flow, &origins, stream).await?;
            Some((flow, Greeted::Wss(socket.into())))
        }
    }
}

async fn shake_hands(acceptor: &TlsAcceptor, flow: Flow, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    let shaken = acceptor.accept(stream).await;
    shaken.inspect_err(|error| tracing::debug!(%flow, %error, "no TLS handshake")).ok()
}

async fn greet_web<S>(flow: Flow, origins: &Origins, stream: S) -> Option<Socket<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let greeted = websocket::greet(stream, origins).await;
    greeted.inspect_err(|error| tracing::debug!(%flow, %error, "no WebSocket")).ok()
}

/// Serves a connection after its handshakes.
fn take_greeted(connections: &Arc<Connections>, flow: Flow, greeted: Greeted) {
    // Whoever connected has shown no certificate, so it is not reused to reach any domain; and a browser can be reached
    // only over its own connection, which is not reused for anybody else.
    let Some(outbound) = connections.add(flow, None, Opened::ByPeer) else { return };
    match greeted {
        Greeted::Tls(stream) => stream::serve(connections, tokio::io::split(*stream), outbound),
        Greeted::Ws(socket) => websocket::serve(connections, *socket, outbound),
        Greeted::Wss(socket) => websocket::serve(connections, *socket, outbound),
    }
}

/// Opens a connection, from our address `from` if given, and tells everybody who waits for it.
pub(super) async fn dial(connections: Arc<Connections>, peer: Peer, tls: Arc<Tls>, from: Option<IpAddr>) {
    let opened = timeout(DIAL_WAIT, open(&connections, &peer, &tls, from)).await;
    let opened = opened.unwrap_or(Err(ConnectFault::Unreachable));
    for id in connections.dialed(&peer) {
        let event = match &opened {
            Ok(flow) => NetEvent::Connected { id, flow: *flow },
            Err(fault) => NetEvent::ConnectFailed { id, fault: fault.clone() },
        };
        connections.events().send(event).await.ok();
    }
}

async fn open(
    connections: &Arc<Connections>,
    peer: &Peer,
    tls: &Tls,
    from: Option<IpAddr>,
) -> Result<Flow, ConnectFault> {
    let (transport, remote) = (peer.hop.transport, peer.hop.remote);
    let stream = connect(remote, from).await.map_err(|error| {
        tracing::debug!(%remote, %error, "no connection");
        if connections.shortage.is_behind(&error) {
            ConnectFault::NoDescriptor
        } else if error.kind() == io::ErrorKind::ConnectionRefused {
            ConnectFault::Refused
        } else {
            ConnectFault::Unreachable
        }
    })?;
    let flow = flow_of(transport, &stream, remote).ok_or(ConnectFault::Unreachable)?;
    let add = || connections.add(flow, Some(peer.clone()), Opened::ByUs).ok_or(ConnectFault::Unreachable);
    let served: Outbound;
    match transport {
        Transport::Tcp => {
            served = add()?;
            let flow = served.flow;
            stream::serve(connections, stream.into_split(), served);
            Ok(flow)
        }
        Transport::Tls => {
            let domain = peer.domain.as_deref();
            let stream = secure(stream, (domain, remote), tls, SECURE_WAIT).await?;
            served = add()?;
            let flow = served.flow;
            stream::serve(connections, tokio::io::split(stream), served);
            Ok(flow)
        }
        // Browsers connect to us; nobody connects to them.
        Transport::Udp | Transport::Ws | Transport::Wss => Err(ConnectFault::Unreachable),
    }
}

async fn connect(remote: SocketAddr, from: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(from) = from {
        socket.bind(SocketAddr::new(from, 0))?;
    }
    socket.connect(remote).await
}

/// Detects a peer that is cut off; without this the system would retransmit to it for a quarter of an hour.
fn notice_when_gone(stream: &TcpStream) {
    let wait_ms = u32::try_from(STREAM_UNACKNOWLEDGED.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, wait_ms) {
        tracing::debug!(%error, "a connection that is cut will be noticed late");
    }
}

/// The TLS handshake with a server that must prove to be `domain`, or the address itself (RFC 5922).
pub(super) async fn secure(
    stream: TcpStream,
    (domain, remote): (Option<&str>, SocketAddr),
    tls: &Tls,
    wait: Duration,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, ConnectFault> {
    let address = remote.ip().to_string();
    let server = domain.unwrap_or(&address);
    let untrusted = |fault: TlsFault| {
        let untrusted = Untrusted { server: server.into(), fault };
        tracing::debug!(%remote, %untrusted, "no TLS connection");
        ConnectFault::Untrusted(untrusted.into())
    };
    let literal = server.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let name = ServerName::try_from(literal.to_owned()).map_err(|_unfit| untrusted(TlsFault::NoSuchName))?;
    let connector =
        tls.connector().map_err(|error| untrusted(TlsFault::Settings(error.to_string().into())))?;
    let shaken = timeout(wait, connector.connect(name, stream)).await;
    shaken.map_err(|_elapsed| untrusted(TlsFault::NoTls))?.map_err(|error| {
        // The TLS library's own words are for the log only.
        tracing::debug!(%remote, %error, "the TLS handshake failed");
        untrusted(tls_faults::fault(&error))
    })
}

/// The flow of a new stream; also sets the usual socket options.
fn flow_of(transport: Transport, stream: &TcpStream, remote: SocketAddr) -> Option<Flow> {
    stream.set_nodelay(true).ok();
    notice_when_gone(stream);
    let local = stream.local_addr().ok()?;
    Some(Flow { transport, local, remote, connection: None })
}
