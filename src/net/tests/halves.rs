//! Incomplete messages of many addresses (W31), and streams that the peer has ended in one direction.

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

/// The request with this status in place of its start line.
fn answer(status: &str, request: &[u8]) -> Bytes {
    let request = std::str::from_utf8(request).unwrap();
    let (_, fields) = request.split_once("\r\n").unwrap();
    format!("SIP/2.0 {status}\r\n{fields}").into()
}

#[test]
fn a_peer_that_has_ended_its_half_of_a_stream_gets_the_answer_to_what_it_asked() {
    run(async {
        let mut net = Net::bind(&[any(Transport::Tcp)]).await.unwrap();
        let mut peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        peer.write_all(MESSAGE).unwrap();
        peer.shutdown(std::net::Shutdown::Write).unwrap();
        let Some(NetEvent::Received { flow, .. }) = net.receive().await else { panic!("a message") };
        // The answer takes a while, and a provisional one is none.
        tokio::time::sleep(Duration::from_millis(50)).await;
        let other =
            String::from_utf8(MESSAGE.to_vec()).unwrap().replace("branch=z9hG4bK1", "branch=z9hG4bK0");
        let answers = [
            answer("100 Trying", MESSAGE),
            answer("200 OK", other.as_bytes()),
            answer("200 OK", other.as_bytes()),
            answer("202 Accepted", MESSAGE),
        ];
        for answer in answers {
            assert!(net.transmit(&Transmit::new(flow, answer)).is_none());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(matches!(net.receive().await, Some(NetEvent::Disconnected { flow: ended }) if ended == flow));
        let mut heard = String::new();
        peer.read_to_string(&mut heard).unwrap();
        assert_eq!(heard.matches("SIP/2.0 ").count(), 4, "{heard}");
        assert!(heard.contains("SIP/2.0 202 Accepted\r\n"), "{heard}");
        // One that has asked nothing is gone at once.
        let peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        peer.shutdown(std::net::Shutdown::Write).unwrap();
        let ended = tokio::time::timeout(crate::limits::HALF_CLOSED_WAIT, net.receive()).await;
        assert!(matches!(ended, Ok(Some(NetEvent::Disconnected { .. }))), "{ended:?}");
    });
}
