//! Datagrams: one socket, one task that reads it.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

use super::NetEvent;
use crate::limits::DATAGRAM_BYTES_MAX;
use crate::machine::Flow;

/// Room for many datagrams at once, so that not each costs an allocation.
const BUFFER_BYTES: usize = 4 * DATAGRAM_BYTES_MAX;
/// RFC 5626 §4.4.2 and older habits: CRLF, a NUL, a STUN-less ping. Nothing of four bytes is a SIP message.
const KEEP_ALIVE_BYTES_MAX: usize = 4;

/// Reads until the other end of the queue is gone. A full queue stops the reading, so the kernel drops then.
pub(super) async fn receive(socket: Arc<UdpSocket>, local: SocketAddr, sender: mpsc::Sender<NetEvent>) {
    let mut buffer = BytesMut::with_capacity(BUFFER_BYTES);
    loop {
        if buffer.capacity() < DATAGRAM_BYTES_MAX {
            buffer.reserve(BUFFER_BYTES);
        }
        match socket.recv_buf_from(&mut buffer).await {
            Ok((length, remote)) => {
                let bytes = buffer.split_to(length).freeze();
                buffer.clear();
                let flow = Flow::udp(local, remote);
                if length > KEEP_ALIVE_BYTES_MAX
                    && sender.send(NetEvent::Received { flow, bytes }).await.is_err()
                {
                    return;
                }
            }
            // What the network says of an earlier datagram (ICMP); the transaction's timer finds it out too.
            Err(error) => tracing::trace!(%error, "udp"),
        }
    }
}
