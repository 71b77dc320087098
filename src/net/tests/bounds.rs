//! Bounds on connections: who is closed or refused, and when.

use super::*;

#[test]
fn a_peer_that_dribbles_is_closed_and_one_that_is_whole_is_not() {
    run(async {
        let limits = StreamLimits { message_wait: Duration::from_millis(60), ..StreamLimits::USUAL };
        let mut net = Net::bind_with(&[any(Transport::Tcp)], &NetSettings::default(), limits).await.unwrap();
        let address = net.locals()[0].1;
        let mut whole = std::net::TcpStream::connect(address).unwrap();
        whole.write_all(MESSAGE).unwrap();
        let Some(NetEvent::Received { flow: whole_flow, .. }) = net.receive().await else {
            panic!("a message")
        };
        let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
        let slow_address = slow.local_addr().unwrap();
        // An occasional byte keeps a connection from being idle, not from being slow.
        let dribble = async {
            for byte in MESSAGE.chunks(1) {
                if tokio::io::AsyncWriteExt::write_all(&mut slow, byte).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let ((), ended) = tokio::join!(dribble, net.receive());
        let Some(NetEvent::Disconnected { flow }) = ended else { panic!("{ended:?}") };
        assert_eq!(flow.remote, slow_address);
        whole.write_all(MESSAGE).unwrap();
        let Some(NetEvent::Received { flow, .. }) = net.receive().await else { panic!("a message") };
        assert_eq!(flow, whole_flow);
    });
}

#[test]
fn an_idle_connection_is_closed_and_the_next_one_has_another_number() {
    run(async {
        let limits = StreamLimits { idle: Duration::from_millis(30), ..StreamLimits::USUAL };
        let mut numbers = Vec::new();
        for _run in 0..2 {
            let mut net =
                Net::bind_with(&[any(Transport::Tcp)], &NetSettings::default(), limits).await.unwrap();
            let mut peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
            let Some(NetEvent::Disconnected { flow }) = net.receive().await else { panic!("disconnected") };
            assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0);
            numbers.push(flow.connection.unwrap());
        }
        assert_ne!(numbers[0], numbers[1], "a stored flow must not come to mean another peer");
    });
}

#[test]
fn a_peer_that_does_not_read_is_closed_when_too_much_waits_for_it() {
    run(async {
        let mut net = Net::bind(&[any(Transport::Tcp)]).await.unwrap();
        let mut peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        peer.write_all(MESSAGE).unwrap();
        let Some(NetEvent::Received { flow, .. }) = net.receive().await else { panic!("a message") };
        let bytes = Bytes::from(vec![b'x'; 1024 * 1024]);
        // The system's buffers also hold some megabytes.
        let mut sent = 0;
        while net.transmit(&Transmit::new(flow, bytes.clone())).is_none() {
            sent += 1;
            assert!(sent < 200, "a queue without end");
            tokio::task::yield_now().await;
        }
        assert!(matches!(net.transmit(&Transmit::new(flow, bytes)), Some(NetEvent::Disconnected { .. })));
    });
}

#[test]
fn w18_a_request_without_room_stays_behind_alone() {
    run(async {
        let mut net = Net::bind(&[any(Transport::Tcp)]).await.unwrap();
        let mut peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        peer.write_all(MESSAGE).unwrap();
        let Some(NetEvent::Received { flow, .. }) = net.receive().await else { panic!("a message") };
        let request = |number: u128| Transmit {
            request: Some(RequestId(number)),
            ..Transmit::new(flow, Bytes::from(vec![b'x'; 1024 * 1024]))
        };
        let mut sent = 0;
        let refused = loop {
            match net.transmit(&request(sent)) {
                None => sent += 1,
                Some(event) => break event,
            }
            assert!(sent < 200, "a queue without end");
            tokio::task::yield_now().await;
        };
        let NetEvent::NotSent { request, fault, .. } = refused else { panic!("{refused:?}") };
        assert_eq!((request, fault), (Some(RequestId(sent)), SendFault::NoRoom));
        // The connection stays: what the peer asks is answered, and it has every request before.
        assert!(net.transmit(&Transmit::new(flow, Bytes::from_static(b"\r\n"))).is_none());
        let bytes = usize::try_from(sent).unwrap() * 1024 * 1024 + 2;
        let read = tokio::task::spawn_blocking(move || {
            let mut all = vec![0; bytes];
            peer.read_exact(&mut all).map(|()| all.ends_with(b"x\r\n"))
        });
        assert!(read.await.unwrap().unwrap());
    });
}

#[test]
fn w31_a_peer_that_takes_a_message_too_slowly_is_closed() {
    run(async {
        let limits = StreamLimits { write_wait: Duration::from_millis(100), ..StreamLimits::USUAL };
        let mut net = Net::bind_with(&[any(Transport::Tcp)], &NetSettings::default(), limits).await.unwrap();
        let mut peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        peer.write_all(MESSAGE).unwrap();
        let Some(NetEvent::Received { flow, .. }) = net.receive().await else { panic!("a message") };
        // More than the system's buffers hold, less than the queue may.
        for _ in 0..3 {
            assert!(net.transmit(&Transmit::new(flow, vec![b'x'; 1024 * 1024].into())).is_none());
            tokio::task::yield_now().await;
        }
        let told = loop {
            match tokio::time::timeout(Duration::from_secs(1), net.receive()).await {
                Ok(event) => break event,
                // The system's buffers differ in size: send more until they are full.
                Err(_) => {
                    assert!(net.transmit(&Transmit::new(flow, vec![b'x'; 1024 * 1024].into())).is_none());
                }
            }
        };
        assert!(matches!(told, Some(NetEvent::Disconnected { flow: gone }) if gone == flow), "{told:?}");
    });
}

#[test]
fn w31_many_keep_alives_of_one_read_are_answered_together() {
    run(async {
        let mut net = Net::bind(&[any(Transport::Tcp)]).await.unwrap();
        let mut peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        peer.write_all(&b"\r\n\r\n".repeat(5000)).unwrap();
        peer.write_all(MESSAGE).unwrap();
        assert!(matches!(net.receive().await, Some(NetEvent::Received { .. })));
        let mut pongs = vec![0; 10_000];
        let read = tokio::task::spawn_blocking(move || peer.read_exact(&mut pongs).map(|()| pongs));
        assert_eq!(read.await.unwrap().unwrap(), b"\r\n".repeat(5000), "one for each");
    });
}

#[test]
fn w31_in_a_full_pool_the_largest_neighbourhood_makes_room_and_the_machine_is_told() {
    run(async {
        let limits = StreamLimits { connections_max: 3, ..StreamLimits::USUAL };
        let listen = (Transport::Tcp, "[::]:0".parse().unwrap());
        let mut net =
            Net::bind_with(&[any(Transport::Tcp), listen], &NetSettings::default(), limits).await.unwrap();
        let mut peers = Vec::new();
        for _ in 0..3 {
            let mut peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
            peer.write_all(MESSAGE).unwrap();
            let Some(NetEvent::Received { flow, .. }) = net.receive().await else { panic!("a message") };
            peers.push((peer, flow));
        }
        let port = net.locals()[1].1.port();
        let mut other = std::net::TcpStream::connect(format!("[::1]:{port}")).unwrap();
        other.write_all(MESSAGE).unwrap();
        let (mut closed, mut heard) = (None, None);
        while closed.is_none() || heard.is_none() {
            match net.receive().await {
                Some(NetEvent::Disconnected { flow }) => closed = Some(flow),
                Some(NetEvent::Received { flow, .. }) => heard = Some(flow),
                event => panic!("{event:?}"),
            }
        }
        assert_eq!(closed, Some(peers[2].1), "the newest of those who have most");
        assert_eq!(heard.unwrap().remote.ip().to_string(), "::1");
    });
}

#[test]
fn over_the_limit_connections_are_refused() {
    run(async {
        let limits = StreamLimits { connections_max: 1, ..StreamLimits::USUAL };
        let mut net = Net::bind_with(&[any(Transport::Tcp)], &NetSettings::default(), limits).await.unwrap();
        let mut first = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        first.write_all(MESSAGE).unwrap();
        let Some(NetEvent::Received { .. }) = net.receive().await else { panic!("a message") };
        let second = tokio::net::TcpStream::connect(net.locals()[0].1).await.unwrap();
        second.readable().await.unwrap();
        assert_eq!(second.try_read(&mut [0; 1]).unwrap_or(0), 0);
        let hop = Hop { transport: Transport::Tcp, remote: "127.0.0.1:9".parse().unwrap() };
        assert!(matches!(net.connect(ConnectId(1), hop, None), Some(NetEvent::ConnectFailed { .. })));
    });
}

#[test]
fn w31_of_an_address_with_all_its_connections_the_oldest_silent_one_gives_way_and_none_that_spoke() {
    run(async {
        let limits = StreamLimits { per_address_max: 2, ..StreamLimits::USUAL };
        let mut net = Net::bind_with(&[any(Transport::Tcp)], &NetSettings::default(), limits).await.unwrap();
        let connect = || std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        let mut peers = [connect(), connect(), connect()];
        let Some(NetEvent::Disconnected { flow }) = net.receive().await else { panic!("the first") };
        assert_eq!(flow.remote, peers[0].local_addr().unwrap());
        for peer in &mut peers[1..] {
            peer.write_all(MESSAGE).unwrap();
            assert!(matches!(net.receive().await, Some(NetEvent::Received { .. })));
        }
        let newest = tokio::net::TcpStream::connect(net.locals()[0].1).await.unwrap();
        newest.readable().await.unwrap();
        assert_eq!(newest.try_read(&mut [0; 1]).unwrap_or(0), 0, "all have spoken, so the newest goes");
        for peer in &mut peers[1..] {
            peer.write_all(MESSAGE).unwrap();
            assert!(matches!(net.receive().await, Some(NetEvent::Received { .. })));
        }
    });
}
