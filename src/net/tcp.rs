//! Streams: accept, dial, and the task that serves one connection.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};

use super::NetEvent;
use super::connections::{Connections, Outbound};
use crate::machine::{Flow, Hop};
use crate::sip::{Framed, Framer, Transport};

/// A peer that does not answer a SYN for so long is not there.
const DIAL_WAIT: Duration = Duration::from_secs(10);
/// After an error of `accept` (no file descriptors left, say), before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Read at a time.
const READ_BYTES: usize = 16 * 1024;

/// Takes connections in until the `Net` is gone.
pub(super) async fn accept(listener: TcpListener, connections: Arc<Connections>) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                // Over the limit the stream is dropped, which closes it.
                if let Some(outbound) = enter(&connections, &stream, remote) {
                    serve(&connections, stream, outbound);
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Opens a connection and tells everybody who waits for it.
pub(super) async fn dial(connections: Arc<Connections>, hop: Hop) {
    let stream = timeout(DIAL_WAIT, TcpStream::connect(hop.remote)).await.map_err(io::Error::from).flatten();
    let entered = stream.ok().and_then(|stream| {
        let outbound = enter(&connections, &stream, hop.remote)?;
        Some((stream, outbound))
    });
    let flow = entered.map(|(stream, outbound)| {
        let flow = outbound.flow;
        serve(&connections, stream, outbound);
        flow
    });
    for id in connections.dialed(hop) {
        let event = flow.map_or(NetEvent::ConnectFailed { id }, |flow| NetEvent::Connected { id, flow });
        connections.events().send(event).await.ok();
    }
}

fn enter(connections: &Connections, stream: &TcpStream, remote: SocketAddr) -> Option<Outbound> {
    stream.set_nodelay(true).ok();
    let local = stream.local_addr().ok()?;
    connections.add(Flow { transport: Transport::Tcp, local, remote, connection: None })
}

/// Starts the task of one connection.
fn serve(connections: &Arc<Connections>, stream: TcpStream, outbound: Outbound) {
    let flow = outbound.flow;
    let pool = Arc::clone(connections);
    let task = tokio::spawn(async move {
        let (reader, writer) = stream.into_split();
        let ended = tokio::select! {
            ended = read(&pool, reader, flow) => ended,
            ended = write(writer, outbound) => ended,
        };
        tracing::debug!(%flow, ended, "connection closed");
        // Told by a task of its own: the removal ends this one.
        tokio::spawn(async move {
            if pool.remove(flow) {
                pool.events().send(NetEvent::Disconnected { flow }).await.ok();
            }
        });
    });
    connections.served_by(flow, task.abort_handle());
}

/// Reads messages until the stream ends, breaks, idles, or stands still in mid-message. Says which.
async fn read(connections: &Connections, mut reader: OwnedReadHalf, flow: Flow) -> &'static str {
    let mut framer = Framer::default();
    let mut buffer = BytesMut::with_capacity(READ_BYTES);
    // The end of patience: of the message that is under way, else of the connection.
    let limits = connections.limits();
    let mut patience = Instant::now() + limits.idle;
    let mut is_mid_message = false;
    loop {
        match timeout_at(patience, reader.read_buf(&mut buffer)).await {
            Err(_) if is_mid_message => return "a message stood still",
            Err(_) => return "idle",
            Ok(Ok(0)) => return "closed by the peer",
            Ok(Err(_)) => return "broken",
            Ok(Ok(_)) => {}
        }
        framer.push(&buffer);
        buffer.clear();
        match deliver(connections, &mut framer, flow).await {
            Delivered::Stop(why) => return why,
            Delivered::None if is_mid_message => continue,
            Delivered::None | Delivered::Some => {}
        }
        is_mid_message = framer.is_mid_message();
        patience = Instant::now() + if is_mid_message { limits.message_wait } else { limits.idle };
    }
}

enum Delivered {
    /// At least one message or keep-alive was whole.
    Some,
    /// Nothing was whole yet.
    None,
    /// The stream cannot be read any further.
    Stop(&'static str),
}

async fn deliver(connections: &Connections, framer: &mut Framer, flow: Flow) -> Delivered {
    let mut delivered = Delivered::None;
    loop {
        match framer.next() {
            Ok(Some(Framed::Message(bytes))) => {
                if connections.events().send(NetEvent::Received { flow, bytes }).await.is_err() {
                    return Delivered::Stop("nobody listens");
                }
            }
            // RFC 5626 §4.4.1: a double CRLF is answered with a single one.
            Ok(Some(Framed::Ping)) => {
                if connections.send(flow, Bytes::from_static(b"\r\n")).is_err() {
                    return Delivered::Stop("not drained");
                }
            }
            Ok(Some(Framed::Pong)) => {}
            Ok(None) => return delivered,
            Err(_) => return Delivered::Stop("unreadable"),
        }
        delivered = Delivered::Some;
    }
}

async fn write(mut writer: OwnedWriteHalf, mut outbound: Outbound) -> &'static str {
    while let Some(bytes) = outbound.queue.recv().await {
        if writer.write_all(&bytes).await.is_err() {
            return "cannot be written";
        }
        outbound.written(bytes.len());
    }
    "not wanted any more"
}
