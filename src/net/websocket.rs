//! WebSockets, as browsers open them (RFC 7118): the handshake, then one SIP message per WebSocket message.
//!
//! The rules for all streams apply: limits on incomplete messages, on silence, and on handshakes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::ORIGIN;
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Utf8Bytes};

use super::Origins;
use super::backlog::Burden;
use super::connections::{Connections, Outbound};
use super::half_message::Half;
use crate::limits::{MESSAGE_BYTES_MAX, PONGS_UNREAD_BYTES_MAX, UPGRADE_HEAD_BYTES_MAX};
use crate::machine::Flow;

/// Bytes read at a time; most messages are smaller.
const READ_BYTES: usize = 4 * 1024;
/// Most bytes of a frame of ours besides its payload (RFC 6455 §5.2).
const OWN_FRAME_BYTES: usize = 10;
/// Bytes of a masked control frame besides its payload (RFC 6455 §5.2, §5.5).
const CONTROL_FRAME_BYTES: usize = 6;
/// RFC 7118 §4.1: offered by the client, confirmed by the server.
const SUBPROTOCOL: &str = "sip";
const SUBPROTOCOLS: &str = "Sec-WebSocket-Protocol";

/// A WebSocket after its handshake.
pub(super) type Socket<S> = WebSocketStream<Counted<S>>;

/// The server's side of the handshake (RFC 6455 §4.2, RFC 7118 §4).
///
/// # Errors
/// The peer is not a WebSocket client, or does not speak SIP over it; it has been told.
pub(super) async fn greet<S>(stream: S, origins: &Origins) -> Result<Socket<S>, Box<tungstenite::Error>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MESSAGE_BYTES_MAX + 2 * PONGS_UNREAD_BYTES_MAX)
        .max_message_size(Some(MESSAGE_BYTES_MAX))
        .max_frame_size(Some(MESSAGE_BYTES_MAX));
    let counted = Counted {
        stream,
        read: Arc::default(),
        bytes_max: UPGRADE_HEAD_BYTES_MAX,
        half: None,
        unsent: Arc::default(),
        is_blocked: false,
    };
    #[expect(clippy::result_large_err, reason = "the library's own types")]
    let agree = |request: &Request, response: Response| agree(request, response, origins);
    let greeted = tokio_tungstenite::accept_hdr_async_with_config(counted, agree, Some(config)).await;
    let mut socket = greeted.map_err(Box::new)?;
    // From here on `Half` and the library say how much.
    let counted = socket.get_mut();
    counted.bytes_max = usize::MAX;
    counted.read.store(0, Ordering::Relaxed);
    Ok(socket)
}

/// Rejects pages from other origins (RFC 6455 §4.2.2), and confirms the subprotocol (RFC 7118 §4.1).
#[expect(clippy::result_large_err, reason = "the library's own types")]
fn agree(request: &Request, mut response: Response, origins: &Origins) -> Result<Response, ErrorResponse> {
    let origin = request.headers().get(ORIGIN).map(|value| value.to_str().unwrap_or_default());
    if !origins.let_in(origin) {
        return Err(refusal(StatusCode::FORBIDDEN, "Pages of this origin are not let in here.\n"));
    }
    let offered = request.headers().get_all(SUBPROTOCOLS).iter().filter_map(|value| value.to_str().ok());
    let mut offered = offered.flat_map(|value| value.split(','));
    if !offered.any(|name| name.trim().eq_ignore_ascii_case(SUBPROTOCOL)) {
        return Err(refusal(StatusCode::BAD_REQUEST, "The subprotocol sip is spoken here.\n"));
    }
    response.headers_mut().insert(SUBPROTOCOLS, HeaderValue::from_static(SUBPROTOCOL));
    Ok(response)
}

fn refusal(status: StatusCode, words: &str) -> ErrorResponse {
    let mut refusal = ErrorResponse::new(Some(words.to_owned()));
    *refusal.status_mut() = status;
    refusal
}

/// Starts the task of one socket.
pub(super) fn serve<S>(connections: &Arc<Connections>, mut socket: Socket<S>, outbound: Outbound)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let flow = outbound.flow;
    let pool = Arc::clone(connections);
    let counted = socket.get_mut();
    counted.half = Some(Half::of(connections, flow));
    let (half_said, unsent) = (Arc::clone(&counted.read), Arc::clone(&counted.unsent));
    Connections::serve(connections, flow, async move {
        let (sink, stream) = socket.split();
        tokio::select! {
            ended = read((&pool, flow), stream, (&half_said, &unsent)) => ended,
            ended = write(sink, (outbound, &unsent), pool.limits().write_wait) => ended,
        }
    });
}

/// Reads messages until the socket ends, breaks, idles, or stalls in the middle of a message. Returns which.
async fn read(
    (connections, flow): (&Connections, Flow),
    mut stream: impl Stream<Item = Result<Message, tungstenite::Error>> + Unpin,
    (half_said, unsent): (&AtomicUsize, &Unsent),
) -> &'static str {
    let limits = connections.limits();
    let (mut is_silent, mut was_mid_message) = (true, false);
    let opened = Instant::now();
    // When anything was last received, and since when a message is incomplete.
    let (mut heard, mut said_since) = (opened, None);
    loop {
        // Incomplete messages are checked once per `message_wait`, because the library does not report them.
        match timeout_at(Instant::now() + limits.message_wait.min(limits.idle), stream.next()).await {
            Err(_) if is_silent => return "not a word",
            Err(_) if heard.elapsed() >= limits.idle => return "idle",
            Err(_) => {
                let is_mid_message = half_said.load(Ordering::Relaxed) > 0;
                if is_mid_message && was_mid_message {
                    return "a message stood still";
                }
                was_mid_message = is_mid_message;
                continue;
            }
            Ok(None) => return "closed by the peer",
            Ok(Some(Err(tungstenite::Error::Capacity(_)))) => return "a message over the size limit",
            Ok(Some(Err(_))) => return "broken",
            Ok(Some(Ok(message))) => {
                heard = Instant::now();
                let bytes = match message {
                    Message::Text(text) => text.into(),
                    Message::Binary(bytes) => bytes,
                    // The library answers these. They may come in the middle of a message (RFC 6455 §5.4), which stays
                    // as incomplete as before; and they alone do not justify a connection.
                    control @ (Message::Ping(_) | Message::Pong(_)) => {
                        take_off(half_said, CONTROL_FRAME_BYTES + control.len());
                        if control.is_ping() {
                            unsent.bytes.fetch_add(OWN_FRAME_BYTES + control.len(), Ordering::Relaxed);
                        }
                        if is_silent && opened.elapsed() >= limits.message_wait {
                            return "not a word";
                        }
                        let is_mid_message = half_said.load(Ordering::Relaxed) > 0;
                        said_since = said_since.or(Some(heard)).filter(|_| is_mid_message);
                        if said_since.is_some_and(|since| since.elapsed() >= limits.message_wait) {
                            return "a message stood still";
                        }
                        continue;
                    }
                    Message::Close(_) | Message::Frame(_) => Bytes::new(),
                };
                if let Some(ended) = deliver(connections, flow, bytes, &mut is_silent).await {
                    return ended;
                }
            }
        }
        (was_mid_message, said_since) = (false, None);
        half_said.store(0, Ordering::Relaxed);
    }
}

/// So many bytes less.
fn take_off(counted: &AtomicUsize, bytes: usize) {
    let less = |count: usize| Some(count.saturating_sub(bytes));
    counted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).ok();
}

async fn deliver(
    connections: &Connections,
    flow: Flow,
    bytes: Bytes,
    is_silent: &mut bool,
) -> Option<&'static str> {
    match bytes.as_ref() {
        b"" | b"\r\n" => None,
        // RFC 7118 §6: RFC 5626 keep-alives are answered here too.
        b"\r\n\r\n" => {
            let sent = connections.send(flow, Bytes::from_static(b"\r\n"), Burden::Answer);
            sent.err().map(|_| "not drained")
        }
        _ => {
            *is_silent = false;
            connections.spoke(flow);
            connections.deliver(flow, bytes).await.err().map(|()| "nobody listens")
        }
    }
}

async fn write(
    mut sink: impl Sink<Message, Error = tungstenite::Error> + Unpin,
    (mut outbound, unsent): (Outbound, &Unsent),
    wait: Duration,
) -> &'static str {
    while let Some((bytes, burden)) = outbound.queue.next().await {
        let length = bytes.len();
        unsent.bytes.fetch_add(OWN_FRAME_BYTES + length, Ordering::Relaxed);
        unsent.own.store(OWN_FRAME_BYTES + length, Ordering::Relaxed);
        // RFC 7118 §4.2: UTF-8 goes as a text message, since a browser's program gets that as a string.
        let message = match Utf8Bytes::try_from(bytes.clone()) {
            Ok(text) => Message::Text(text),
            Err(_binary) => Message::Binary(bytes),
        };
        match timeout(wait, sink.send(message)).await {
            Ok(Ok(())) => {
                // All is sent, the pongs before it too.
                unsent.own.store(0, Ordering::Relaxed);
                unsent.bytes.store(0, Ordering::Relaxed);
                outbound.queue.written(length, burden);
            }
            Ok(Err(_)) => return "cannot be written",
            Err(_) => return "the peer does not read",
        }
    }
    "not wanted any more"
}

/// What the peer has not taken yet. The library keeps every pong until it is sent, so whoever pings and does not read would fill
/// the memory: he is not read from either while his pongs wait.
#[derive(Debug, Default)]
struct Unsent {
    /// At most so many bytes in all.
    bytes: AtomicUsize,
    /// Those of the message of ours that is being sent.
    own: AtomicUsize,
}

impl Unsent {
    fn too_many_pongs(&self) -> bool {
        let own = self.own.load(Ordering::Relaxed);
        self.bytes.load(Ordering::Relaxed) > own + PONGS_UNREAD_BYTES_MAX
    }
}

/// A stream that counts the bytes read since the last complete message (at first, those of the head that asks for a WebSocket), and
/// those that wait to be sent.
#[derive(Debug)]
pub(super) struct Counted<S> {
    stream: S,
    read: Arc<AtomicUsize>,
    /// More than so many end the stream.
    bytes_max: usize,
    half: Option<Half>,
    unsent: Arc<Unsent>,
    /// The last write has to wait until the peer takes something; that wakes the task, which then reads on.
    is_blocked: bool,
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.is_blocked && this.unsent.too_many_pongs() {
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        let more = buffer.filled().len() - before;
        let bytes = this.read.fetch_add(more, Ordering::Relaxed) + more;
        if bytes > this.bytes_max {
            return Poll::Ready(Err(io::Error::other("the head that asks for a WebSocket is too long")));
        }
        if this.half.as_mut().is_some_and(|half| !half.holds(bytes)) {
            return Poll::Ready(Err(io::Error::other("too much is half said")));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.is_blocked = polled.is_pending();
        if let Poll::Ready(Ok(sent)) = polled {
            take_off(&self.unsent.bytes, sent);
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
