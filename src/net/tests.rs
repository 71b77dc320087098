//! Tests with real sockets on loopback and literal bytes on the other side.

mod bounds;
mod dns;
mod halves;
mod pinned;
mod tls;
mod websocket;

use std::io::{Read, Write};
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::limits::DATAGRAM_PAYLOAD_BYTES_MAX;
use crate::machine::{Flow, RequestId};

const MESSAGE: &[u8] =
    b"OPTIONS sip:a@x SIP/2.0\r\nVia: SIP/2.0/TCP x;branch=z9hG4bK1\r\nFrom: <sip:b@x>;tag=1\r\n\
    To: <sip:a@x>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), test).await.unwrap() });
}

fn any(transport: Transport) -> (Transport, SocketAddr) {
    (transport, "127.0.0.1:0".parse().unwrap())
}

#[test]
fn udp_and_tcp_asked_for_together_share_a_free_port() {
    run(async {
        let net = Net::bind(&[any(Transport::Udp), any(Transport::Tcp)]).await.unwrap();
        let [(Transport::Udp, udp), (Transport::Tcp, tcp)] = net.locals() else {
            panic!("{:?}", net.locals())
        };
        assert_eq!(udp, tcp);
        assert_ne!(udp.port(), 0);
    });
}

#[test]
fn a_port_in_use_is_said() {
    run(async {
        let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let said = Net::bind(&[(Transport::Udp, address)]).await.unwrap_err().to_string();
        let port = address.port();
        assert_eq!(said, format!("cannot listen on udp {address}: port {port} is in use by another program"));
    });
}

#[test]
fn datagrams_come_whole_and_keep_alives_do_not_come() {
    run(async {
        let mut net = Net::bind(&[any(Transport::Udp)]).await.unwrap();
        let local = net.locals()[0].1;
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        for datagram in [&b"\r\n\r\n"[..], b"\0", b"first message", b"second message"] {
            peer.send_to(datagram, local).unwrap();
        }
        for expected in ["first message", "second message"] {
            let Some(NetEvent::Received { flow, bytes }) = net.receive().await else { panic!("a datagram") };
            assert_eq!(
                (flow, &bytes[..]),
                (Flow::udp(local, peer.local_addr().unwrap()), expected.as_bytes())
            );
        }
        let flow = Flow::udp(local, peer.local_addr().unwrap());
        assert!(net.transmit(&Transmit::new(flow, Bytes::from_static(b"back"))).is_none());
        let mut buffer = [0; 9];
        assert_eq!(peer.recv(&mut buffer).unwrap(), 4);
    });
}

#[test]
fn a_peer_that_has_answered_a_ping_and_does_not_the_next_time_is_gone() {
    for (answers, is_gone) in [(1, true), (0, false)] {
        run(async {
            let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let hop = Hop { transport: Transport::Tcp, remote: server.local_addr().unwrap() };
            let mut net = Net::bind(&[]).await.unwrap();
            assert!(net.connect(ConnectId(1), hop, None).is_none());
            let Some(NetEvent::Connected { flow, .. }) = net.receive().await else { panic!("a connection") };
            let (mut peer, _) = server.accept().unwrap();
            let ping = Transmit::new(flow, Bytes::from_static(b"\r\n\r\n"));
            for number in 0..2 {
                assert!(net.transmit(&ping).is_none());
                tokio::time::sleep(Duration::from_millis(100)).await;
                let mut buffer = [0; 4];
                peer.read_exact(&mut buffer).unwrap();
                if number < answers {
                    peer.write_all(b"\r\n").unwrap();
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
            let wait = crate::limits::PONG_WAIT + Duration::from_secs(2);
            let ended = tokio::time::timeout(wait, net.receive()).await.ok();
            assert_eq!(matches!(ended, Some(Some(NetEvent::Disconnected { .. }))), is_gone, "{ended:?}");
        });
    }
}

#[test]
fn the_first_datagram_leaves_at_once() {
    run(async {
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        peer.set_nonblocking(true).unwrap();
        let net = Net::bind(&[any(Transport::Udp)]).await.unwrap();
        let flow = Flow::udp(net.locals()[0].1, peer.local_addr().unwrap());
        assert!(net.transmit(&Transmit::new(flow, Bytes::from_static(b"first"))).is_none());
        // On loopback it has arrived when the call returns.
        assert_eq!(peer.recv(&mut [0; 9]).unwrap(), 5);
    });
}

#[test]
fn a_connection_comes_from_the_only_address_that_we_listen_on() {
    run(async {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let hop = Hop { transport: Transport::Tcp, remote: server.local_addr().unwrap() };
        let own = (Transport::Tcp, "127.0.0.2:0".parse().unwrap());
        for (listens, from) in [(&[own][..], "127.0.0.2"), (&[own, any(Transport::Udp)], "127.0.0.1")] {
            let mut net = Net::bind(listens).await.unwrap();
            assert!(net.connect(ConnectId(1), hop, None).is_none());
            let Some(NetEvent::Connected { .. }) = net.receive().await else { panic!("a connection") };
            assert_eq!(server.accept().unwrap().1.ip().to_string(), from);
        }
    });
}

#[test]
fn a_stream_is_cut_into_messages_wherever_it_was_split() {
    run(async {
        let mut net = Net::bind(&[any(Transport::Tcp)]).await.unwrap();
        let mut peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        let twice = [MESSAGE, b"\r\n\r\n", MESSAGE].concat();
        let writer = std::thread::Builder::new().name("peer".to_owned()).spawn(move || {
            for piece in twice.chunks(37) {
                peer.write_all(piece).unwrap();
            }
            peer
        });
        for _ in 0..2 {
            let Some(NetEvent::Received { flow, bytes }) = net.receive().await else { panic!("a message") };
            assert_eq!(bytes, MESSAGE);
            assert!(net.transmit(&Transmit::new(flow, bytes)).is_none());
        }
        let mut peer = writer.unwrap().join().unwrap();
        let answer = tokio::task::spawn_blocking(move || {
            let mut buffer = vec![0; MESSAGE.len() * 2 + 2];
            peer.read_exact(&mut buffer).unwrap();
            buffer
        });
        let answer = String::from_utf8(answer.await.unwrap()).unwrap();
        assert_eq!(answer.matches("OPTIONS sip:a@x").count(), 2);
        assert_eq!(answer.len(), MESSAGE.len() * 2 + 2, "the double CRLF was answered with one");
    });
}

#[test]
fn a_connection_is_opened_once_used_again_and_missed_when_it_goes() {
    run(async {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let hop = Hop { transport: Transport::Tcp, remote: listener.local_addr().unwrap() };
        let mut net = Net::bind(&[]).await.unwrap();
        assert!(net.connect(ConnectId(1), hop, None).is_none());
        assert!(net.connect(ConnectId(2), hop, None).is_none());
        let mut flows = Vec::new();
        for id in [1, 2] {
            let Some(NetEvent::Connected { id: told, flow }) = net.receive().await else {
                panic!("connected")
            };
            assert_eq!(told, ConnectId(id));
            flows.push(flow);
        }
        assert_eq!(flows[0], flows[1]);
        assert!(
            matches!(net.connect(ConnectId(3), hop, None), Some(NetEvent::Connected { flow, .. }) if flow == flows[0])
        );
        drop(listener.accept().unwrap());
        let Some(NetEvent::Disconnected { flow }) = net.receive().await else { panic!("disconnected") };
        assert_eq!(flow, flows[0]);
        let told = net.transmit(&Transmit::new(flow, Bytes::from_static(MESSAGE)));
        assert!(matches!(told, Some(NetEvent::Disconnected { flow: gone }) if gone == flow), "{told:?}");
    });
}

#[test]
fn nobody_there_is_an_answer_that_says_the_connection_was_refused() {
    run(async {
        let remote = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut net = Net::bind(&[]).await.unwrap();
        net.connect(ConnectId(1), Hop { transport: Transport::Tcp, remote }, None);
        assert!(matches!(
            net.receive().await,
            Some(NetEvent::ConnectFailed { id: ConnectId(1), fault: ConnectFault::Refused })
        ));
    });
}

#[test]
fn an_unreadable_stream_is_closed() {
    run(async {
        let mut net = Net::bind(&[any(Transport::Tcp)]).await.unwrap();
        let mut peer = std::net::TcpStream::connect(net.locals()[0].1).unwrap();
        peer.write_all(b"MESSAGE sip:a@x SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n").unwrap();
        assert!(matches!(net.receive().await, Some(NetEvent::Disconnected { .. })));
        let ended = tokio::task::spawn_blocking(move || peer.read(&mut [0; 10]));
        assert!(matches!(ended.await.unwrap(), Ok(0) | Err(_)));
    });
}

#[test]
fn names_and_literals_are_resolved() {
    run(async {
        let mut net = Net::bind(&[]).await.unwrap();
        for (uri, expected) in [
            ("sip:a@127.0.0.9", vec!["UDP 127.0.0.9:5060"]),
            ("sip:a@[::1]:5070;transport=tcp", vec!["TCP [::1]:5070"]),
            ("sips:a@192.0.2.7", vec!["TLS 192.0.2.7:5061"]),
            ("tel:+123", vec![]),
        ] {
            let known = net.resolve(ResolveId(1), &Uri::parse(uri).unwrap(), LookupTerms::default());
            let Some(NetEvent::Resolved { hops, .. }) = known else { panic!("{uri}: {known:?}") };
            let hops: Vec<String> =
                hops.iter().map(|hop| format!("{} {}", hop.transport, hop.remote)).collect();
            assert_eq!(hops, expected, "{uri}");
        }
        // RFC 6761: .invalid never exists.
        for (host, is_there) in [("nowhere.invalid", false), ("localhost", true)] {
            let uri = Uri::parse(&format!("sip:a@{host}:5080")).unwrap();
            assert!(net.resolve(ResolveId(2), &uri, LookupTerms::default()).is_none());
            let Some(NetEvent::Resolved { hops, .. }) = net.receive().await else { panic!("resolved") };
            assert_eq!(!hops.is_empty(), is_there, "{host}");
            assert!(hops.iter().all(|hop| hop.remote.ip().is_loopback() && hop.remote.port() == 5080));
        }
    });
}

#[test]
fn a_datagram_too_large_for_any_network_is_told() {
    run(async {
        let net = Net::bind(&[any(Transport::Udp)]).await.unwrap();
        let flow = Flow::udp(net.locals()[0].1, "127.0.0.1:9".parse().unwrap());
        let request = Some(RequestId(7));
        let of_size = |bytes: usize| Transmit { flow, bytes: vec![b'x'; bytes].into(), request };
        assert!(net.transmit(&of_size(DATAGRAM_PAYLOAD_BYTES_MAX)).is_none(), "the largest that fits");
        for bytes in [DATAGRAM_PAYLOAD_BYTES_MAX + 1, 70_000] {
            let told = net.transmit(&of_size(bytes));
            let Some(NetEvent::NotSent { flow: to, request: whose, fault }) = told else {
                panic!("{told:?}")
            };
            assert_eq!((to, whose, fault), (flow, request, SendFault::TooLarge));
        }
        assert!(net.transmit(&of_size(9)).is_none(), "what fits goes on");
    });
}

#[test]
fn a_datagram_to_where_there_is_no_way_is_told_of_that_request_alone() {
    run(async {
        let net = Net::bind(&[any(Transport::Udp)]).await.unwrap();
        let flow = |to: &str| Flow::udp(net.locals()[0].1, to.parse().unwrap());
        let send = |to: &str, number: u128| {
            let (bytes, request) = (Bytes::from_static(MESSAGE), Some(RequestId(number)));
            net.transmit(&Transmit { flow: flow(to), bytes, request })
        };
        // Broadcasts are not permitted (EACCES); loopback has no route to the outside (EINVAL).
        for (to, number) in [("255.255.255.255:9", 1), ("192.0.2.1:9", 2)] {
            let told = send(to, number);
            let Some(NetEvent::NotSent { request, fault, .. }) = told else { panic!("{to}: {told:?}") };
            assert_eq!((request, fault), (Some(RequestId(number)), SendFault::Refused), "{to}");
        }
        // A port where nobody listens: the returned ICMP must not cause an error on this flow or any other.
        let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        for _ in 0..5 {
            assert!(send(&closed, 3).is_none());
            tokio::task::yield_now().await;
            assert!(send("127.0.0.1:9", 4).is_none());
        }
    });
}

#[test]
fn a_stored_flow_of_an_earlier_port_still_leads_out() {
    run(async {
        let net = Net::bind(&[any(Transport::Udp)]).await.unwrap();
        let peer = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let old = Flow::udp("127.0.0.1:1".parse().unwrap(), peer.local_addr().unwrap());
        assert!(net.transmit(&Transmit::new(old, Bytes::from_static(b"report"))).is_none());
        assert_eq!(peer.recv_from(&mut [0; 9]).unwrap(), (6, net.locals()[0].1));
    });
}

#[test]
fn our_own_address_towards_loopback_is_loopback() {
    assert!(local_ip_towards("127.0.0.1:5060".parse().unwrap()).unwrap().is_loopback());
}
