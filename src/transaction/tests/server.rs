//! Server transactions (RFC 3261 §17.2.2): what a repeated request gets, and how much is kept for it.

use super::*;

#[test]
fn j_absorbs_retransmissions_and_answers_them_alike() {
    let (mut layer, start) = (layer(), base());
    let message = request("MESSAGE", "127.0.0.2:5070;branch=z9hG4bKa");
    let Arrival::New(key) = layer.receive_request(&message, udp(), start) else { panic!("it is new") };
    assert_eq!(layer.receive_request(&message, udp(), start), Arrival::Absorbed);
    assert_eq!(layer.poll_transmit(), None, "no answer in state Trying");
    layer.respond(key, 202, Bytes::from_static(b"202"), start);
    layer.respond(key, 503, Bytes::from_static(b"503"), start);
    assert_eq!(layer.receive_request(&message, udp(), start + Duration::from_secs(31)), Arrival::Absorbed);
    let answers: Vec<_> = std::iter::from_fn(|| layer.poll_transmit()).map(|sent| sent.bytes).collect();
    assert_eq!(answers, ["202", "202"]);
    assert_eq!(layer.poll_timeout(), Some((start + Duration::from_secs(32), TimerReason::TimerJ)));
    layer.handle_timeout(start + Duration::from_secs(32));
    assert_eq!(layer.server_count(), 0);
}

#[test]
fn a_provisional_answer_is_repeated_too() {
    let (mut layer, start) = (layer(), base());
    let message = request("MESSAGE", "127.0.0.2:5070;branch=z9hG4bKa");
    let Arrival::New(key) = layer.receive_request(&message, udp(), start) else { panic!("it is new") };
    layer.respond(key, 100, Bytes::from_static(b"100"), start);
    layer.receive_request(&message, udp(), start);
    assert_eq!(std::iter::from_fn(|| layer.poll_transmit()).count(), 2);
}

#[test]
fn over_a_stream_j_is_zero() {
    let (mut layer, start) = (layer(), base());
    let message = request("MESSAGE", "127.0.0.2:5070;branch=z9hG4bKa");
    let Arrival::New(key) = layer.receive_request(&message, tcp(), start) else { panic!("it is new") };
    layer.respond(key, 200, Bytes::from_static(b"200"), start);
    assert_eq!((layer.server_count(), layer.poll_timeout()), (0, None));
}

#[test]
fn requests_are_told_apart_as_17_2_3_says() {
    let mut layer = layer();
    let now = base();
    let mut is_new = |method: &str, via: &str| {
        matches!(layer.receive_request(&request(method, via), udp(), now), Arrival::New(_))
    };
    assert!(is_new("MESSAGE", "127.0.0.2:5070;branch=z9hG4bKa"));
    assert!(!is_new("MESSAGE", "127.0.0.2:5070;branch=z9hG4bKa;rport"));
    assert!(is_new("MESSAGE", "127.0.0.2:5071;branch=z9hG4bKa"));
    assert!(is_new("OPTIONS", "127.0.0.2:5070;branch=z9hG4bKa"));
    // W5 and RFC 4475 §3.2.1: without a branch, or with the cookie alone, the RFC 2543 rules apply.
    assert!(is_new("MESSAGE", "127.0.0.2:5070"));
    assert!(!is_new("MESSAGE", "127.0.0.2:5070"));
    assert!(is_new("MESSAGE", "127.0.0.2:5070;branch=z9hG4bK"));
}

#[test]
fn ack_is_absorbed_and_a_request_that_nobody_answers_is_dropped() {
    let (mut layer, start) = (layer(), base());
    let ack = request("ACK", "127.0.0.2:5070;branch=z9hG4bKa");
    assert_eq!(layer.receive_request(&ack, udp(), start), Arrival::Absorbed);
    let message = request("MESSAGE", "127.0.0.2:5070;branch=z9hG4bKa");
    let Arrival::New(key) = layer.receive_request(&message, udp(), start) else { panic!("it is new") };
    layer.handle_timeout(start + Duration::from_secs(64));
    assert_eq!(layer.server_count(), 0);
    layer.respond(key, 200, Bytes::from_static(b"200"), start);
    assert_eq!(layer.poll_transmit(), None);
    assert!(matches!(layer.receive_request(&message, udp(), start), Arrival::New(_)));
    layer.abandon(key);
    assert_eq!((layer.server_count(), layer.poll_timeout()), (0, None));
}

#[test]
fn answers_have_a_maximum_of_bytes_and_the_oldest_go_first() {
    let (mut layer, now) = (layer(), base());
    let request = |number: usize| request("OPTIONS", &format!("192.0.2.1;branch=z9hG4bKn{number}"));
    let large = Bytes::from(vec![b'x'; ANSWER_BYTES_MAX / 10]);
    for number in 0..25 {
        let Arrival::New(key) = layer.receive_request(&request(number), udp(), now) else {
            panic!("{number}")
        };
        layer.respond(key, 200, large.clone(), now);
        assert!(layer.answer_bytes() <= ANSWER_BYTES_MAX);
    }
    assert_eq!(layer.answer_bytes(), 10 * large.len());
    while layer.poll_transmit().is_some() {}
    for number in 0..25 {
        assert_eq!(layer.receive_request(&request(number), udp(), now), Arrival::Absorbed);
        let key = layer.key_of(&request(number), udp());
        assert_eq!(layer.servers[&key].held() > 0, number >= 15, "{number}");
    }
    // Over a stream nothing is kept.
    let Arrival::New(key) = layer.receive_request(&request(99), tcp(), now) else { panic!("known") };
    layer.respond(key, 200, large.clone(), now);
    assert_eq!(layer.answer_bytes(), 10 * large.len());
    layer.handle_timeout(now + layer.timers.j());
    assert_eq!((layer.answer_bytes(), layer.answered.len(), layer.server_count()), (0, 0, 0));
}

#[test]
fn a_flood_of_requests_that_are_answered_at_once_shuts_nobody_out() {
    let (mut layer, now) = (layer(), base());
    layer.servers_max = 3;
    let request = |number: usize| request("OPTIONS", &format!("192.0.2.1;branch=z9hG4bKn{number}"));
    let arrive =
        |layer: &mut TransactionLayer<u8>, number| layer.receive_request(&request(number), udp(), now);
    let Arrival::New(waiting) = arrive(&mut layer, 0) else { panic!("known") };
    for number in 1..20 {
        let Arrival::New(key) = arrive(&mut layer, number) else { panic!("{number}") };
        layer.respond(key, 200, Bytes::from_static(b"200"), now);
        assert!(layer.server_count() <= 3, "{number}");
    }
    // The oldest answered ones are gone; the one that waits for its answer is not.
    assert!(layer.knows(waiting));
    assert_eq!(arrive(&mut layer, 19), Arrival::Absorbed);
    layer.handle_timeout(now + layer.timers.j());
    assert_eq!((layer.answer_bytes(), layer.server_count()), (0, 1));
    // If none was answered, there is no room.
    for number in [20, 21] {
        assert!(matches!(arrive(&mut layer, number), Arrival::New(_)));
    }
    assert_eq!(arrive(&mut layer, 22), Arrival::Full);
}
