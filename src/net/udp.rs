//! Datagrams: one socket, read until it is empty at every wake, written to without waiting.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::NetEvent;
use crate::limits::{DATAGRAM_BYTES_MAX, DATAGRAMS_WAITING_MAX};
use crate::machine::Flow;

/// RFC 5626 §4.4.2 and older habits: CRLF, a NUL, a STUN-less ping. Nothing of four bytes is a SIP message.
const KEEP_ALIVE_BYTES_MAX: usize = 4;
/// A message to 500 people brings 500 answers at once; the system's default holds about half of them.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// How long a socket that only fails is left alone.
const FAILED_WAIT: Duration = Duration::from_millis(50);

/// How long a datagram waits when a queue behind the socket is full.
const FULL_WAIT: Duration = Duration::from_millis(2);

/// The sending end of a socket.
#[derive(Debug)]
pub(super) struct UdpPort {
    pub(super) local: SocketAddr,
    socket: Arc<UdpSocket>,
    /// What did not fit into the socket's buffer.
    late: mpsc::Sender<(SocketAddr, Bytes)>,
}

impl UdpPort {
    /// Starts the tasks of a socket.
    pub(super) fn start(
        socket: UdpSocket,
        local: SocketAddr,
        events: &mpsc::Sender<NetEvent>,
        tasks: &mut JoinSet<()>,
    ) -> Self {
        enlarge_receive_buffer(&socket);
        let socket = Arc::new(socket);
        let (late, waiting) = mpsc::channel(DATAGRAMS_WAITING_MAX);
        tasks.spawn(receive(Arc::clone(&socket), local, events.clone()));
        tasks.spawn(send_late(Arc::clone(&socket), local, waiting, events.clone()));
        Self { local, socket, late }
    }

    /// Sends a datagram, now or as soon as the socket takes it.
    ///
    /// # Errors
    /// It cannot be sent to this remote at all.
    pub(super) fn send(&self, remote: SocketAddr, bytes: &Bytes) -> Result<(), ()> {
        // What waits goes first.
        if self.late.capacity() == self.late.max_capacity() {
            match self.socket.try_send_to(bytes, remote) {
                Ok(_) => return Ok(()),
                Err(error) if Refused::by(&error) == Refused::Never => {
                    tracing::debug!(%error, "a datagram cannot be sent");
                    return Err(());
                }
                Err(_) => {}
            }
        }
        if self.late.try_send((remote, bytes.clone())).is_err() {
            // As lost as if the network had lost it: Timer E sends it again.
            tracing::debug!("a socket is full: a datagram is lost");
        }
        Ok(())
    }
}

/// What the system's refusal of a datagram means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refused {
    /// The socket's buffer is full; the system says when it is not.
    UntilWritable,
    /// A queue behind the socket is full, or memory is short (ENOBUFS, ENOMEM); the system does not say when that ends.
    ForAWhile,
    /// There is no way to this remote, or not for this datagram.
    Never,
}

impl Refused {
    fn by(error: &io::Error) -> Self {
        use rustix::io::Errno;
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            // tokio's own, without a number.
            None if error.kind() == io::ErrorKind::WouldBlock => Self::UntilWritable,
            Some(Errno::AGAIN) => Self::UntilWritable,
            Some(Errno::NOBUFS | Errno::NOMEM | Errno::INTR) => Self::ForAWhile,
            Some(_) | None => Self::Never,
        }
    }
}

fn enlarge_receive_buffer(socket: &UdpSocket) {
    // Cut by the system to net.core.rmem_max; less is no failure.
    if let Err(error) = rustix::net::sockopt::set_socket_recv_buffer_size(socket, RECEIVE_BUFFER_BYTES) {
        tracing::debug!(%error, "the receive buffer stays as it is");
    }
}

async fn send_late(
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    mut waiting: mpsc::Receiver<(SocketAddr, Bytes)>,
    events: mpsc::Sender<NetEvent>,
) {
    while let Some((remote, bytes)) = waiting.recv().await {
        let Err(error) = insist(&socket, remote, &bytes).await else { continue };
        tracing::debug!(%error, "a datagram cannot be sent");
        let flow = Flow::udp(local, remote);
        if events.send(NetEvent::Disconnected { flow }).await.is_err() {
            return;
        }
    }
}

/// Sends a datagram as soon as the system takes it.
async fn insist(socket: &UdpSocket, remote: SocketAddr, bytes: &Bytes) -> io::Result<()> {
    loop {
        match socket.send_to(bytes, remote).await {
            Ok(_) => return Ok(()),
            Err(error) if Refused::by(&error) == Refused::Never => return Err(error),
            Err(_) => tokio::time::sleep(FULL_WAIT).await,
        }
    }
}

/// Reads until the other end of the queue is gone.
async fn receive(socket: Arc<UdpSocket>, local: SocketAddr, events: mpsc::Sender<NetEvent>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        // The room is taken first: while the queue is full the system keeps, and in the end drops, datagrams.
        let Ok(room) = events.reserve().await else { return };
        match socket.try_recv_from(&mut buffer) {
            Ok((length, remote)) => {
                let datagram = buffer.get(..length).unwrap_or_default();
                if length > KEEP_ALIVE_BYTES_MAX {
                    // Copied, not sliced out of a shared buffer: one message that is kept would keep all of that.
                    let bytes = Bytes::copy_from_slice(datagram);
                    room.send(NetEvent::Received { flow: Flow::udp(local, remote), bytes });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                drop(room);
                if socket.readable().await.is_err() {
                    return;
                }
            }
            // What the network says of an earlier datagram (ICMP); the transaction's timer finds it out too.
            Err(error) => {
                tracing::debug!(%error, "a socket cannot be read");
                tokio::time::sleep(FAILED_WAIT).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_is_waited_for_and_a_dead_way_is_not() {
        use rustix::io::Errno;
        let cases = [
            (Errno::AGAIN, Refused::UntilWritable),
            (Errno::NOBUFS, Refused::ForAWhile),
            (Errno::NOMEM, Refused::ForAWhile),
            (Errno::INTR, Refused::ForAWhile),
            (Errno::NETUNREACH, Refused::Never),
            (Errno::MSGSIZE, Refused::Never),
            (Errno::PERM, Refused::Never),
        ];
        for (errno, refused) in cases {
            assert_eq!(Refused::by(&errno.into()), refused, "{errno}");
        }
    }
}
