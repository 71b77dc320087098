//! What a peer may do with WebSocket frames, byte by byte (RFC 6455 §5).

use super::*;

/// What asks for a WebSocket, but for its end.
const HEAD: &str = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: sip\r\n";

/// A peer after its handshake.
async fn greeted(net: &Net) -> std::net::TcpStream {
    let peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
    answered(peer, format!("{HEAD}\r\n")).await.unwrap()
}

/// Asks for a WebSocket; none if the connection is closed instead.
async fn answered(mut peer: std::net::TcpStream, head: String) -> Option<std::net::TcpStream> {
    let read = tokio::task::spawn_blocking(move || {
        peer.write_all(head.as_bytes()).ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            peer.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
        Some(peer)
    });
    read.await.unwrap()
}

#[test]
fn w31_the_head_that_asks_for_a_websocket_has_an_end_and_what_follows_has_another() {
    run(async {
        let mut net = Net::bind(&[any(Transport::Ws)]).await.unwrap();
        let connect = || std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        let cookies = |bytes: usize| format!("{HEAD}Cookie: {}\r\n", "x".repeat(bytes));
        assert!(answered(connect(), format!("{}\r\n", cookies(9000))).await.is_none());
        assert!(answered(connect(), cookies(9000)).await.is_none(), "its end is not waited for");
        let mut peer = answered(connect(), format!("{}\r\n", cookies(7000))).await.unwrap();
        let message = [MESSAGE, &b"\r\n".repeat(8000)].concat();
        peer.write_all(&frame(TEXT, &message)).unwrap();
        let Some(NetEvent::Received { bytes, .. }) = net.receive().await else { panic!("a message") };
        assert_eq!(bytes, message);
    });
}

#[test]
fn w31_who_begins_too_many_handshakes_a_second_gets_none_and_others_do() {
    run(async {
        let net = Net::bind(&[any(Transport::Ws)]).await.unwrap();
        let begun = tokio::time::Instant::now();
        let mut served = 0;
        for _ in 0..200 {
            let peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
            served += u32::from(answered(peer, format!("{HEAD}\r\n")).await.is_some());
        }
        let seconds = u32::try_from(begun.elapsed().as_secs()).unwrap() + 1;
        let most = crate::limits::GREETINGS_AT_ONCE + seconds * crate::limits::GREETINGS_PER_SECOND;
        assert!((crate::limits::GREETINGS_AT_ONCE..=most).contains(&served), "{served}");
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 7, 1], 0).into()).unwrap();
        let other = socket.connect(net.locals()[0].1).await.unwrap().into_std().unwrap();
        other.set_nonblocking(false).unwrap();
        assert!(answered(other, format!("{HEAD}\r\n")).await.is_some());
    });
}

/// A masked frame; the mask is zero.
fn frame(first: u8, said: &[u8]) -> Vec<u8> {
    let length = match u8::try_from(said.len()) {
        Ok(short) if short < 126 => vec![0x80 | short],
        _ => [&[0x80 | 126][..], &u16::try_from(said.len()).unwrap().to_be_bytes()].concat(),
    };
    [&[first][..], &length, &[0; 4], said].concat()
}

const TEXT: u8 = 0x81;
const BEGUN: u8 = 0x01;
const PING: u8 = 0x89;

/// Sends pings until the connection is closed, but at most this many.
async fn pings(net: &mut Net, peer: &mut std::net::TcpStream, times: u32) -> bool {
    for _ in 0..times {
        if peer.write_all(&frame(PING, b"still here")).is_err() {
            return true;
        }
        let wait = Duration::from_millis(20);
        if let Ok(event) = tokio::time::timeout(wait, net.receive()).await {
            assert!(matches!(event, Some(NetEvent::Disconnected { .. })), "{event:?}");
            return true;
        }
    }
    false
}

#[test]
fn w31_pings_do_not_keep_half_a_message_nor_a_silent_peer() {
    run(async {
        let limits = StreamLimits { message_wait: Duration::from_millis(200), ..StreamLimits::USUAL };
        let mut net = Net::bind_with(&[any(Transport::Ws)], &NetSettings::default(), limits).await.unwrap();

        let mut silent = greeted(&net).await;
        assert!(pings(&mut net, &mut silent, 500).await, "nothing was ever said");

        let mut half = greeted(&net).await;
        half.write_all(&frame(TEXT, MESSAGE)).unwrap();
        assert!(matches!(net.receive().await, Some(NetEvent::Received { .. })));
        half.write_all(&frame(BEGUN, b"OPTIONS sip:a@x SIP/2.0\r\n")).unwrap();
        assert!(pings(&mut net, &mut half, 500).await, "the rest never came");

        let mut calm = greeted(&net).await;
        calm.write_all(&frame(TEXT, MESSAGE)).unwrap();
        assert!(matches!(net.receive().await, Some(NetEvent::Received { .. })));
        assert!(!pings(&mut net, &mut calm, 30).await, "who has said something may be quiet");
        calm.write_all(&frame(TEXT, MESSAGE)).unwrap();
        assert!(matches!(net.receive().await, Some(NetEvent::Received { .. })));
    });
}

#[test]
fn w31_pings_in_the_midst_of_a_message_do_not_hide_what_is_half_said() {
    run(async {
        let limits = StreamLimits { bytes_max: 8 * crate::limits::STREAM_BYTES_FREE, ..StreamLimits::USUAL };
        let mut net = Net::bind_with(&[any(Transport::Ws)], &NetSettings::default(), limits).await.unwrap();
        let mut peer = greeted(&net).await;
        peer.write_all(&frame(TEXT, MESSAGE)).unwrap();
        assert!(matches!(net.receive().await, Some(NetEvent::Received { .. })));
        // One address may use a quarter of the total.
        let mut sent = 0;
        peer.write_all(&frame(BEGUN, b"OPTIONS sip:a@x SIP/2.0\r\nSubject: ")).unwrap();
        while sent < 16 * crate::limits::STREAM_BYTES_FREE {
            if peer.write_all(&frame(0x00, &[b'x'; 8000])).is_err() || pings(&mut net, &mut peer, 1).await {
                return;
            }
            sent += 8000;
        }
        panic!("{sent} bytes of half a message were taken");
    });
}

#[test]
fn w31_whoever_pings_and_does_not_read_is_not_read_from_and_gets_all_once_he_does() {
    run(async {
        let mut net = Net::bind_with(&[any(Transport::Ws)], &NetSettings::default(), StreamLimits::USUAL)
            .await
            .unwrap();
        let mut peer = greeted(&net).await;
        peer.write_all(&frame(TEXT, MESSAGE)).unwrap();
        assert!(matches!(net.receive().await, Some(NetEvent::Received { .. })));
        peer.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut reader = peer.try_clone().unwrap();
        let (pings, ping_bytes) = (frame(PING, &[b'p'; 125]).repeat(1000), 131);
        // More than the buffers of the system hold; without an end it would all be taken.
        let sending = tokio::task::spawn_blocking(move || {
            let mut sent = 0;
            while sent < 64 * 1024 * 1024 {
                match peer.write(&pings[sent % ping_bytes..]) {
                    Ok(bytes) => sent += bytes,
                    Err(_timeout) => return (peer, sent),
                }
            }
            panic!("{sent} bytes of pings were taken, and no pong was read");
        });
        let (mut peer, sent) = sending.await.unwrap();
        // Now he reads: every ping is answered, and he is heard again.
        let rest = frame(PING, &[b'p'; 125])[sent % ping_bytes..].to_vec();
        let rest = if sent % ping_bytes == 0 { Vec::new() } else { rest };
        let writing = tokio::task::spawn_blocking(move || {
            peer.set_write_timeout(None).unwrap();
            peer.write_all(&rest).unwrap();
            peer.write_all(&frame(TEXT, MESSAGE)).unwrap();
            peer
        });
        let reading = tokio::task::spawn_blocking(move || {
            let mut pongs = vec![0; sent.div_ceil(ping_bytes) * 127];
            reader.read_exact(&mut pongs).unwrap();
            pongs.chunks(127).all(|pong| pong.starts_with(&[0x8a, 125, b'p']))
        });
        assert!(matches!(net.receive().await, Some(NetEvent::Received { .. })));
        assert!(reading.await.unwrap());
        drop(writing.await.unwrap());
    });
}
