//! Datagrams: one socket, read until it is empty at every wake, written to without waiting.
//!
//! What the network says of datagrams by ICMP is not asked for (no `IP_RECVERR`) and changes nothing: all peers share the socket, and
//! anybody can forge such a word about a flow whose ports he knows. Who is not there is found out by the timers of the
//! transactions (RFC 3261 §17.1.2.2). Only the system's own refusal to send a datagram counts, and only for the request in it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::NetEvent;
use crate::limits::{DATAGRAM_BYTES_MAX, DATAGRAM_BYTES_WAITING_MAX, DATAGRAMS_WAITING_MAX};
use crate::machine::{Flow, SendFault, Transmit};

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
    late: mpsc::Sender<Transmit>,
    /// Bytes of that.
    late_bytes: Arc<AtomicUsize>,
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
        let late_bytes = Arc::new(AtomicUsize::new(0));
        tasks.spawn(send_late(Arc::clone(&socket), waiting, Arc::clone(&late_bytes), events.clone()));
        Self { local, socket, late, late_bytes }
    }

    /// Sends a datagram, now or as soon as the socket takes it.
    ///
    /// # Errors
    /// The system does not send this one at all; it says nothing about any other.
    pub(super) fn send(&self, transmit: &Transmit) -> Result<(), SendFault> {
        // What waits goes first.
        if self.late.capacity() == self.late.max_capacity() {
            let once = || self.socket.try_send_to(&transmit.bytes, transmit.flow.remote);
            match once().or_else(|error| again(error, once)) {
                Ok(_) => return Ok(()),
                Err(error) => {
                    if let SendRefusal::Never(fault) = SendRefusal::by(&error) {
                        tracing::debug!(flow = %transmit.flow, %error, "a datagram cannot be sent");
                        return Err(fault);
                    }
                }
            }
        }
        let length = transmit.bytes.len();
        let waiting = self.late_bytes.fetch_add(length, Ordering::Relaxed) + length;
        if waiting > DATAGRAM_BYTES_WAITING_MAX || self.late.try_send(transmit.clone()).is_err() {
            self.late_bytes.fetch_sub(length, Ordering::Relaxed);
            // As lost as if the network had lost it: Timer E sends it again.
            tracing::debug!("a socket is full: a datagram is lost");
        }
        Ok(())
    }
}

/// Tries once more where an error may be about an earlier datagram: the system tells what it has learned of one at the next call,
/// whatever that call is for, and forgets it by that. A second error is this one's own.
fn again(error: io::Error, send: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
    match SendRefusal::by(&error) {
        SendRefusal::Never(SendFault::Refused) => send(),
        SendRefusal::UntilWritable | SendRefusal::ForAWhile | SendRefusal::Never(SendFault::TooLarge) => {
            Err(error)
        }
    }
}

/// What the system's refusal of a datagram means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendRefusal {
    /// The socket's buffer is full; the system says when it is not.
    UntilWritable,
    /// A queue behind the socket is full, or memory is short (ENOBUFS, ENOMEM); the system does not say when that ends.
    ForAWhile,
    /// There is no way to this remote, or not for this datagram.
    Never(SendFault),
}

impl SendRefusal {
    fn by(error: &io::Error) -> Self {
        use rustix::io::Errno;
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            // tokio's own, without a number.
            None if error.kind() == io::ErrorKind::WouldBlock => Self::UntilWritable,
            Some(Errno::AGAIN) => Self::UntilWritable,
            Some(Errno::NOBUFS | Errno::NOMEM | Errno::INTR) => Self::ForAWhile,
            Some(Errno::MSGSIZE) => Self::Never(SendFault::TooLarge),
            Some(_) | None => Self::Never(SendFault::Refused),
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
    mut waiting: mpsc::Receiver<Transmit>,
    waiting_bytes: Arc<AtomicUsize>,
    events: mpsc::Sender<NetEvent>,
) {
    while let Some(transmit) = waiting.recv().await {
        let sent = insist(&socket, &transmit).await;
        waiting_bytes.fetch_sub(transmit.bytes.len(), Ordering::Relaxed);
        let Err(fault) = sent else { continue };
        let Transmit { flow, request, .. } = transmit;
        if events.send(NetEvent::NotSent { flow, request, fault }).await.is_err() {
            return;
        }
    }
}

/// Sends a datagram as soon as the system takes it.
async fn insist(socket: &UdpSocket, Transmit { flow, bytes, .. }: &Transmit) -> Result<(), SendFault> {
    let mut is_repeated = false;
    loop {
        let Err(error) = socket.send_to(bytes, flow.remote).await else { return Ok(()) };
        match SendRefusal::by(&error) {
            // See `again`.
            SendRefusal::Never(SendFault::Refused) if !is_repeated => is_repeated = true,
            SendRefusal::Never(fault) => {
                tracing::debug!(%flow, %error, "a datagram cannot be sent");
                return Err(fault);
            }
            SendRefusal::UntilWritable | SendRefusal::ForAWhile => tokio::time::sleep(FULL_WAIT).await,
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
                    let bytes = bytes::Bytes::copy_from_slice(datagram);
                    room.send(NetEvent::Received { flow: Flow::udp(local, remote), bytes });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                drop(room);
                if socket.readable().await.is_err() {
                    return;
                }
            }
            // What the network says of an earlier datagram: nobody's, see the head of this file.
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
            (Errno::AGAIN, SendRefusal::UntilWritable),
            (Errno::NOBUFS, SendRefusal::ForAWhile),
            (Errno::NOMEM, SendRefusal::ForAWhile),
            (Errno::INTR, SendRefusal::ForAWhile),
            (Errno::NETUNREACH, SendRefusal::Never(SendFault::Refused)),
            (Errno::CONNREFUSED, SendRefusal::Never(SendFault::Refused)),
            (Errno::ACCESS, SendRefusal::Never(SendFault::Refused)),
            (Errno::MSGSIZE, SendRefusal::Never(SendFault::TooLarge)),
            (Errno::PERM, SendRefusal::Never(SendFault::Refused)),
        ];
        for (errno, refused) in cases {
            assert_eq!(SendRefusal::by(&errno.into()), refused, "{errno}");
        }
    }

    #[test]
    fn w31_datagrams_that_wait_for_their_socket_have_an_end_in_bytes() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let local = socket.local_addr().unwrap();
            let (late, mut waiting) = mpsc::channel(DATAGRAMS_WAITING_MAX);
            let port = UdpPort { local, socket: Arc::new(socket), late, late_bytes: Arc::default() };
            let datagram = |bytes: usize| Transmit::new(Flow::udp(local, local), vec![0; bytes].into());
            // While one waits, all that follow do.
            port.late.try_send(datagram(1)).unwrap();
            let large = datagram(60_000);
            let fitting = DATAGRAM_BYTES_WAITING_MAX / 60_000;
            for _ in 0..fitting + 10 {
                port.send(&large).unwrap();
            }
            assert_eq!(waiting.len(), 1 + fitting, "those over it are lost");
            let rest = DATAGRAM_BYTES_WAITING_MAX - fitting * 60_000;
            port.send(&datagram(rest + 1)).unwrap();
            port.send(&datagram(rest)).unwrap();
            port.send(&datagram(1)).unwrap();
            assert_eq!(waiting.len(), 2 + fitting);
            let bytes: usize =
                std::iter::from_fn(|| waiting.try_recv().ok()).map(|late| late.bytes.len()).sum();
            assert_eq!(bytes, 1 + DATAGRAM_BYTES_WAITING_MAX);
        });
    }

    #[test]
    fn an_error_left_by_an_earlier_datagram_is_not_this_ones() {
        use rustix::io::Errno;
        let pending = || Err(Errno::CONNREFUSED.into());
        assert_eq!(again(Errno::CONNREFUSED.into(), || Ok(9)).unwrap(), 9);
        assert!(again(Errno::NETUNREACH.into(), pending).is_err());
        let not_again = || panic!("its size does not change");
        assert!(again(Errno::MSGSIZE.into(), not_again).is_err());
    }
}
