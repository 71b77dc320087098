//! Incomplete messages of many addresses (W31).

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::*;
use crate::limits::STREAM_BYTES_FREE;

/// The bytes of each message.
const WHOLE: usize = 31_000;

/// A connection from that address, with the first part of a message.
async fn half(from: [u8; 4], to: SocketAddr, bytes: usize) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    stream.write_all(&message()[..bytes]).await.unwrap();
    stream
}

fn message() -> Vec<u8> {
    let head = String::from_utf8(MESSAGE.to_vec()).unwrap();
    let head = head.replace("Content-Length: 0", "Content-Length: 30700");
    let mut message = format!("{head}{}", "x".repeat(30_700)).into_bytes();
    message.truncate(WHOLE);
    message
}

#[test]
fn w31_addresses_that_hold_all_room_for_half_messages_shut_nobody_out() {
    run(async {
        let limits = StreamLimits { bytes_max: 8 * STREAM_BYTES_FREE, ..StreamLimits::USUAL };
        let mut net = Net::bind_with(&[any(Transport::Tcp)], &NetSettings::default(), limits).await.unwrap();
        let to = net.locals()[0].1;
        let mut theirs = Vec::new();
        for last in 1..=5 {
            theirs.push(half([127, 0, 5, last], to, 30_000).await);
        }
        // Four of them fit.
        for end in [30_000, 20_000] {
            let own = if end == 20_000 { Some(half([127, 0, 6, 1], to, end).await) } else { None };
            let event = net.receive().await;
            let Some(NetEvent::Disconnected { flow }) = event else { panic!("{event:?}") };
            assert!(flow.remote.to_string().starts_with("127.0.5."), "{flow}");
            if let Some(mut own) = own {
                own.write_all(&message()[end..]).await.unwrap();
                let event = net.receive().await;
                let Some(NetEvent::Received { flow, bytes }) = event else { panic!("{event:?}") };
                assert_eq!((flow.remote, bytes.len()), (own.local_addr().unwrap(), message().len()));
            }
        }
    });
}
