//! The task that serves one stream, with or without TLS: cuts it into messages and writes queued bytes to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::backlog::Burden;
use super::connections::{Connections, Opened, Outbound};
use super::half_message::Half;
use super::unanswered::Unanswered;
use crate::limits::PONG_WAIT;
use crate::machine::Flow;
use crate::sip::{Framed, Framer};

/// Bytes read at a time.
const READ_BYTES: usize = 16 * 1024;
/// A keep-alive that expects a reply (RFC 5626 §4.4.1).
const PING: &[u8] = b"\r\n\r\n";

/// Starts the task of one connection.
pub(super) fn serve(
    connections: &Arc<Connections>,
    (reader, writer): (impl AsyncRead + Unpin + Send + 'static, impl AsyncWrite + Unpin + Send + 'static),
    outbound: Outbound,
) {
    let (flow, opened) = (outbound.flow, outbound.opened);
    let pool = Arc::clone(connections);
    Connections::serve(connections, flow, async move {
        let (pulse, unanswered) = (Pulse::default(), Unanswered::default());
        tokio::select! {
            ended = read(&pool, reader, (flow, opened), (&pulse, &unanswered)) => ended,
            ended = write(writer, outbound, (&pulse, &unanswered), pool.limits().write_wait) => ended,
            ended = pulse.stops() => ended,
        }
    });
}

/// What our pings tell about the peer.
#[derive(Debug, Default)]
struct Pulse {
    /// How many reads there were.
    reads: AtomicU64,
    /// How many there were when the last ping was sent.
    reads_at_ping: AtomicU64,
    /// The peer has answered a ping. One that never does may not support them.
    is_known: AtomicBool,
    pinged: Notify,
}

impl Pulse {
    /// Returns once a peer that has answered pings before fails to answer one (RFC 5626 §4.4.1).
    async fn stops(&self) -> &'static str {
        loop {
            self.pinged.notified().await;
            sleep(PONG_WAIT).await;
            let is_silent = self.reads.load(Ordering::Relaxed) == self.reads_at_ping.load(Ordering::Relaxed);
            if is_silent && self.is_known.load(Ordering::Relaxed) {
                return "a ping was not answered";
            }
        }
    }

    fn before_write(&self, bytes: &[u8]) {
        if bytes == PING {
            self.reads_at_ping.store(self.reads.load(Ordering::Relaxed), Ordering::Relaxed);
            self.pinged.notify_one();
        }
    }
}

/// Reads messages until the stream ends, breaks, idles, or stalls in the middle of a message. Returns which.
async fn read(
    connections: &Arc<Connections>,
    mut reader: impl AsyncRead + Unpin,
    (flow, opened): (Flow, Opened),
    (pulse, unanswered): (&Pulse, &Unanswered),
) -> &'static str {
    let mut framer = Framer::default();
    let mut buffer = BytesMut::with_capacity(READ_BYTES);
    let mut half = Half::of(connections, flow);
    // The deadline: of the incomplete message if there is one, else of the connection; a peer that opened a connection
    // must use it.
    let limits = connections.limits();
    let mut is_mid_message = false;
    let mut is_silent = opened == Opened::ByPeer;
    let mut patience =
        Instant::now() + if is_silent { limits.idle.min(limits.message_wait) } else { limits.idle };
    loop {
        match timeout_at(patience, reader.read_buf(&mut buffer)).await {
            Err(_) if is_mid_message => return "a message stood still",
            Err(_) if is_silent => return "not a word",
            Err(_) => return "idle",
            Ok(Ok(0)) => {
                unanswered.ends().await;
                return "closed by the peer";
            }
            Ok(Err(_)) => return "broken",
            Ok(Ok(_)) => {}
        }
        pulse.reads.fetch_add(1, Ordering::Relaxed);
        framer.push(&buffer);
        buffer.clear();
        if !half.holds(framer.held()) {
            return "too much is half said";
        }
        match deliver(connections, &mut framer, flow, (pulse, unanswered)).await {
            Delivered::Stop(why) => return why,
            Delivered::None if is_mid_message => continue,
            // Keep-alives alone do not justify a connection.
            Delivered::KeepAlive if is_silent => continue,
            Delivered::None | Delivered::KeepAlive => {}
            Delivered::Message => is_silent = false,
        }
        half.holds(framer.held());
        is_mid_message = framer.is_mid_message();
        patience = Instant::now() + if is_mid_message { limits.message_wait } else { limits.idle };
    }
}

enum Delivered {
    /// At least one complete message.
    Message,
    /// A keep-alive, but no message.
    KeepAlive,
    /// Nothing complete yet.
    None,
    /// The stream cannot be read any further.
    Stop(&'static str),
}

impl Delivered {
    fn or_keep_alive(self) -> Self {
        match self {
            Self::None | Self::KeepAlive => Self::KeepAlive,
            Self::Message => Self::Message,
            Self::Stop(why) => Self::Stop(why),
        }
    }
}

async fn deliver(
    connections: &Connections,
    framer: &mut Framer,
    flow: Flow,
    (pulse, unanswered): (&Pulse, &Unanswered),
) -> Delivered {
    let (mut delivered, mut pings) = (Delivered::None, 0);
    loop {
        match framer.next() {
            Ok(Some(Framed::Message(bytes))) => {
                connections.spoke(flow);
                unanswered.received(&bytes);
                if connections.deliver(flow, bytes).await.is_err() {
                    return Delivered::Stop("nobody listens");
                }
                delivered = Delivered::Message;
            }
            Ok(Some(Framed::Ping)) => {
                pings += 1;
                delivered = delivered.or_keep_alive();
            }
            Ok(Some(Framed::Pong)) => {
                pulse.is_known.store(true, Ordering::Relaxed);
                delivered = delivered.or_keep_alive();
            }
            Ok(None) if pings == 0 => return delivered,
            // RFC 5626 §4.4.1: each double CRLF is answered by a single one; the answers to those read together are
            // joined.
            Ok(None) => {
                let pongs = Bytes::from(b"\r\n".repeat(pings));
                let sent = connections.send(flow, pongs, Burden::Answer);
                return if sent.is_ok() { delivered } else { Delivered::Stop("not drained") };
            }
            Err(_) => return Delivered::Stop("unreadable"),
        }
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut outbound: Outbound,
    (pulse, unanswered): (&Pulse, &Unanswered),
    wait: Duration,
) -> &'static str {
    while let Some((bytes, burden)) = outbound.queue.next().await {
        pulse.before_write(&bytes);
        let written = timeout(wait, async {
            writer.write_all(&bytes).await?;
            // TLS may hold a record back until it is flushed.
            writer.flush().await
        });
        match written.await {
            Ok(Ok(())) => {
                unanswered.written(&bytes);
                outbound.queue.written(bytes.len(), burden);
            }
            Ok(Err(_)) => return "cannot be written",
            Err(_) => return "the peer does not read",
        }
    }
    "not wanted any more"
}
