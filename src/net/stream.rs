//! The task that serves one stream, in clear or under TLS: messages cut out of it, queued bytes written to it.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use super::NetEvent;
use super::connections::{Connections, Outbound};
use crate::machine::Flow;
use crate::sip::{Framed, Framer};

/// Read at a time.
const READ_BYTES: usize = 16 * 1024;

/// Starts the task of one connection.
pub(super) fn serve(
    connections: &Arc<Connections>,
    (reader, writer): (impl AsyncRead + Unpin + Send + 'static, impl AsyncWrite + Unpin + Send + 'static),
    outbound: Outbound,
) {
    let flow = outbound.flow;
    let pool = Arc::clone(connections);
    Connections::serve(connections, flow, async move {
        tokio::select! {
            ended = read(&pool, reader, flow) => ended,
            ended = write(writer, outbound) => ended,
        }
    });
}

/// Reads messages until the stream ends, breaks, idles, or stands still in mid-message. Says which.
async fn read(connections: &Connections, mut reader: impl AsyncRead + Unpin, flow: Flow) -> &'static str {
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

async fn write(mut writer: impl AsyncWrite + Unpin, mut outbound: Outbound) -> &'static str {
    while let Some(bytes) = outbound.queue.recv().await {
        // TLS may keep a record back until it is flushed.
        if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
            return "cannot be written";
        }
        outbound.written(bytes.len());
    }
    "not wanted any more"
}
