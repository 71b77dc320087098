//! To whom a kept answer is repeated, and how much of it: the source of a datagram can be forged.

use super::*;
use crate::limits::ANSWER_REPEATED_BYTES_MAX;

fn from(remote: &str) -> Flow {
    Flow::udp(at("127.0.0.1:5060"), at(remote))
}

/// A layer that has answered a request from 127.0.0.2:5070 with so many bytes, and that request.
fn answered(via: &str, bytes: usize) -> (TransactionLayer<u8>, Request) {
    let (mut layer, message) = (layer(), request("MESSAGE", via));
    let Arrival::New(key) = layer.receive_request(&message, udp(), base()) else { panic!("it is new") };
    layer.respond(key, 200, Bytes::from(vec![b'a'; bytes]), base());
    assert_eq!(std::iter::from_fn(|| layer.poll_transmit()).count(), 1);
    (layer, message)
}

fn sent(layer: &mut TransactionLayer<u8>) -> Vec<Flow> {
    std::iter::from_fn(|| layer.poll_transmit()).map(|sent| sent.flow).collect()
}

#[test]
fn a_kept_answer_goes_to_nobody_else_who_repeats_the_branch() {
    for via in ["127.0.0.2:5070;branch=z9hG4bKa", "127.0.0.2:5070;branch=old"] {
        let (mut layer, message) = answered(via, 100);
        for other in ["127.0.0.66:5070", "127.0.0.2:5071", "[::1]:5070"] {
            let arrival = layer.receive_request(&message, from(other), base());
            assert!(matches!(arrival, Arrival::New(_)), "{other}: {arrival:?}");
            assert_eq!(sent(&mut layer), [], "{other}");
        }
        let stream = Flow { remote: at("127.0.0.66:5070"), ..tcp() };
        assert!(matches!(layer.receive_request(&message, stream, base()), Arrival::New(_)));
        for same in ["127.0.0.2:5070", "[::ffff:127.0.0.2]:5070"] {
            assert_eq!(layer.receive_request(&message, from(same), base()), Arrival::Absorbed, "{same}");
            assert_eq!(sent(&mut layer), [from(same)]);
        }
    }
}

#[test]
fn over_another_connection_of_the_same_address_a_request_is_the_same() {
    let (mut layer, start) = (layer(), base());
    let message = request("MESSAGE", "127.0.0.2:5070;branch=z9hG4bKa");
    let Arrival::New(key) = layer.receive_request(&message, tcp(), start) else { panic!("it is new") };
    let again = Flow { remote: at("127.0.0.2:40000"), connection: Some(ConnectionId(2)), ..tcp() };
    assert_eq!(layer.receive_request(&message, again, start), Arrival::Absorbed);
    layer.respond(key, 200, Bytes::from_static(b"200"), start);
    assert_eq!(sent(&mut layer), [again], "it goes over the connection that lives");
}

#[test]
fn a_datagram_that_is_shorter_than_its_request_gets_no_answer_again() {
    let (mut layer, message) = answered("127.0.0.2:5070;branch=z9hG4bKa", 1000);
    let text = String::from_utf8(message.bytes().to_vec()).unwrap().replace("Max-Forwards: 70\r\n", "");
    let Message::Request(short) = sip::parse(Bytes::from(text)).unwrap() else { panic!("a request") };
    assert_eq!(layer.receive_request(&short, udp(), base()), Arrival::Absorbed);
    assert_eq!(sent(&mut layer), []);
    assert_eq!(layer.receive_request(&message, udp(), base()), Arrival::Absorbed);
    assert_eq!(sent(&mut layer), [udp()]);
}

#[test]
fn what_is_sent_again_to_datagrams_has_an_end_in_bytes() {
    // A small answer goes as often as Timer E may ask for it, a large one less often.
    for (bytes, times) in [(3000, 10), (ANSWER_REPEATED_BYTES_MAX, 1), (ANSWER_REPEATED_BYTES_MAX + 1, 0)] {
        let (mut layer, message) = answered("127.0.0.2:5070;branch=z9hG4bKa", bytes);
        for _ in 0..20 {
            assert_eq!(layer.receive_request(&message, udp(), base()), Arrival::Absorbed);
        }
        assert_eq!(sent(&mut layer).len(), times, "{bytes}");
    }
}
