//! Datagrams: one socket, read until it is empty at each wake-up, written to without waiting.
//!
//! ICMP errors are not requested (no `IP_RECVERR`) and change nothing: all peers share the socket, and anybody can
//! forge one about a flow whose ports he knows. The transaction timers find out who is not there (RFC 3261 §17.1.2.2).
//! Only the system's own refusal to send a datagram counts, and only for the request in it.

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

/// RFC 5626 §4.4.2 and older habits: CRLF, a NUL, a ping without STUN. No SIP message is as short as four bytes.
const KEEP_ALIVE_BYTES_MAX: usize = 4;
/// A message to 500 people brings 500 responses at once; the system's default holds about half of them.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// How long to pause on a socket that only fails.
const FAILED_WAIT: Duration = Duration::from_millis(50);

/// How long a datagram waits when a queue behind the socket is full.
const FULL_WAIT: Duration = Duration::from_millis(2);

/// The sending end of a socket.
#[derive(Debug)]
pub(super) struct UdpPort {
    pub(super) local: SocketAddr,
    socket: Arc<UdpSocket>,
    /// Datagrams that did not fit into the socket's buffer.
    late: mpsc::Sender<Transmit>,
    /// Their total size in bytes.
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

    /// Sends a datagram, now or as soon as the socket accepts it.
    ///
    /// # Errors
    /// The system refuses to send this one; that says nothing about any other.
    pub(super) fn send(&self, transmit: &Transmit) -> Result<(), SendFault> {
        // Datagrams already waiting go first.
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
            // The same as lost in the network: Timer E sends it again.
            tracing::debug!("a socket is full: a datagram is lost");
        }
        Ok(())
    }
}

/// Tries once more if the error may be about an earlier datagram: the system reports a pending error at the next call,
/// whatever that is for, and clears it. A second error is this datagram's own.
fn again(error: io::Error, send: impl FnOnce() -> io::Result<usize>) -> io::Result<usize> {
    match SendRefusal::by(&error) {
        SendRefusal::Never(SendFault::Refused) => send(),
        SendRefusal::UntilWritable
        | SendRefusal::ForAWhile
        | SendRefusal::Never(SendFault::TooLarge | SendFault::NoRoom) => Err(error),
    }
}

/// What the system's refusal to send a datagram means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SendRefusal {
    /// The socket's buffer is full; the system tells when that changes.
    UntilWritable,
    /// A queue behind the socket is full, or memory is short (ENOBUFS, ENOMEM); the system does not tell when that
    /// ends.
    ForAWhile,
    /// There is no route to this remote, or not for this datagram.
    Never(SendFault),
}

impl SendRefusal {
    fn by(error: &io::Error) -> Self {
        use rustix::io::Errno;
        match error.raw_os_error().map(Errno::from_raw_os_error) {
            // From tokio itself, without an error number.
            None if error.kind() == io::ErrorKind::WouldBlock => Self::UntilWritable,
            Some(Errno::AGAIN) => Self::UntilWritable,
            Some(Errno::NOBUFS | Errno::NOMEM | Errno::INTR) => Self::ForAWhile,
            Some(Errno::MSGSIZE) => Self::Never(SendFault::TooLarge),
            Some(_) | None => Self::Never(SendFault::Refused),
        }
    }
}

fn enlarge_receive_buffer(socket: &UdpSocket) {
    // The system caps this at net.core.rmem_max; less is not an error.
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

/// Sends a datagram as soon as the system accepts it.
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

/// Reads until the receiving end of the queue is gone.
async fn receive(socket: Arc<UdpSocket>, local: SocketAddr, events: mpsc::Sender<NetEvent>) {
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        // Room is reserved first: while the queue is full, the system holds datagrams and in the end drops them.
        let Ok(room) = events.reserve().await else { return };
        match socket.try_recv_from(&mut buffer) {
            Ok((length, remote)) => {
                let datagram = buffer.get(..length).unwrap_or_default();
                if length > KEEP_ALIVE_BYTES_MAX {
                    // Copied, not sliced from a shared buffer: one message that is kept would keep the whole buffer.
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
            // An ICMP error about an earlier datagram: ignored, see the top of this file.
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
            // While one datagram waits, all later ones do.
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
