//! The tables of RFC 3261 §17, in literal bytes and virtual time.

mod repeated;
mod server;

use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::sip::{self, Message, Transport};

#[expect(clippy::disallowed_methods, reason = "any base instant will do: the tests add to it")]
fn base() -> Instant {
    Instant::now()
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn udp() -> Flow {
    Flow::udp(at("127.0.0.1:5060"), at("127.0.0.2:5070"))
}

fn tcp() -> Flow {
    Flow { transport: Transport::Tcp, connection: Some(ConnectionId(1)), ..udp() }
}

fn layer() -> TransactionLayer<u8> {
    TransactionLayer::new(Timers::default(), [7; 16])
}

fn outgoing(user: u8, flow: Flow) -> Outgoing<'static, u8> {
    Outgoing {
        user,
        branch: "z9hG4bKone",
        method: Method::Message,
        flow,
        bytes: Bytes::from_static(b"the request"),
        deadline: None,
        transmissions_max: None,
    }
}

fn response(status: u16, branch: &str) -> Response {
    let text = format!(
        "SIP/2.0 {status} Phrase\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch={branch}\r\nFrom: <sip:a@x>;tag=1\r\n\
         To: <sip:b@x>;tag=2\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
    );
    match sip::parse(Bytes::from(text)).unwrap() {
        Message::Response(response) => response,
        Message::Request(_) => panic!("a response was printed"),
    }
}

fn request(method: &str, via: &str) -> Request {
    let text = format!(
        "{method} sip:b@x SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nMax-Forwards: 70\r\nFrom: <sip:a@x>;tag=1\r\n\
         To: <sip:b@x>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    );
    match sip::parse(Bytes::from(text)).unwrap() {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a request was printed"),
    }
}

/// Runs the timers until none is left, or for two minutes; returns when something was sent, and what failed.
fn run(layer: &mut TransactionLayer<u8>, start: Instant) -> (Vec<u64>, Vec<(u64, Failed<u8>)>) {
    let (mut sent, mut failed) = (Vec::new(), Vec::new());
    let mut now = start;
    loop {
        let millis = u64::try_from((now - start).as_millis()).unwrap();
        sent.extend(std::iter::from_fn(|| layer.poll_transmit()).map(|_| millis));
        failed.extend(std::iter::from_fn(|| layer.poll_failed()).map(|failure| (millis, failure)));
        let Some((next, _)) = layer.poll_timeout() else { break };
        assert!(next > now || millis == 0, "a timer that does not move");
        if next > start + Duration::from_secs(120) {
            break;
        }
        now = next;
        layer.handle_timeout(now);
    }
    (sent, failed)
}

#[test]
fn w17_timer_e_doubles_up_to_t2_and_f_ends_it_after_eleven_transmissions() {
    let (mut layer, start) = (layer(), base());
    layer.send(outgoing(1, udp()), start);
    let (sent, failed) = run(&mut layer, start);
    assert_eq!(sent, [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(failed, [(32_000, Failed { user: 1, failure: Failure::Timeout, transmissions: 11 })]);
    assert_eq!(layer.client_count(), 0);
}

#[test]
fn w17_a_shorter_t1_keeps_the_count() {
    for t1 in [1, 20, 100, 333] {
        let mut layer = TransactionLayer::new(Timers::new(Duration::from_millis(t1)), [0; 16]);
        let start = base();
        layer.send(outgoing(1, udp()), start);
        let (sent, failed) = run(&mut layer, start);
        assert_eq!((sent.len(), failed[0].0), (11, 64 * t1));
    }
}

#[test]
fn the_owner_may_bound_the_transmissions_and_the_end_stays_the_same() {
    for (max, sent) in
        [(1, vec![0]), (2, vec![0, 500]), (3, vec![0, 500, 1500]), (11, vec![0; 11]), (99, vec![0; 11])]
    {
        let (mut layer, start) = (layer(), base());
        layer.send(Outgoing { transmissions_max: Some(max), ..outgoing(1, udp()) }, start);
        let (times, failures) = run(&mut layer, start);
        assert_eq!(times.len(), sent.len(), "{max}");
        if max < 11 {
            assert_eq!(times, sent, "{max}");
        }
        let transmissions = u32::try_from(sent.len()).unwrap();
        let failed = Failed { user: 1, failure: Failure::Timeout, transmissions };
        assert_eq!(failures, [(32_000, failed)], "{max}");
    }
    // A late answer is still heard, and over a stream the request is sent once.
    let (mut layer, start) = (layer(), base());
    layer.send(Outgoing { transmissions_max: Some(1), ..outgoing(1, udp()) }, start);
    layer.handle_timeout(start + Duration::from_secs(20));
    let heard = layer.receive_response(&response(200, "z9hG4bKone"), start + Duration::from_secs(20));
    assert_eq!(heard.map(|heard| (heard.user, heard.transmissions)), Some((1, 1)));
}

#[test]
fn a_provisional_response_slows_e_to_t2() {
    let (mut layer, start) = (layer(), base());
    layer.send(outgoing(1, udp()), start);
    let heard = layer.receive_response(&response(100, "z9hG4bKone"), start + Duration::from_millis(100));
    assert_eq!(heard, Some(Heard { user: 1, transmissions: 1, flow: udp() }));
    let (sent, failed) = run(&mut layer, start);
    // The running E fires at 0.5 s (§17.1.2.2), then every T2.
    assert_eq!(sent, [0, 500, 4500, 8500, 12_500, 16_500, 20_500, 24_500, 28_500]);
    assert_eq!(failed[0].0, 32_000);
}

#[test]
fn k_absorbs_repeated_finals_for_t4() {
    let (mut layer, start) = (layer(), base());
    layer.send(outgoing(1, udp()), start);
    let ok = response(200, "z9hG4bKone");
    assert!(layer.receive_response(&ok, start).is_some());
    assert_eq!(layer.receive_response(&ok, start), None);
    assert_eq!(layer.poll_timeout(), Some((start + Duration::from_secs(5), TimerReason::TimerK)));
    assert_eq!(run(&mut layer, start), (vec![0], vec![]));
    assert_eq!(layer.client_count(), 0);
    assert_eq!(layer.receive_response(&ok, start), None);
}

#[test]
fn over_a_stream_it_is_sent_once_and_ends_with_the_response() {
    let (mut layer, start) = (layer(), base());
    layer.send(outgoing(1, tcp()), start);
    let (sent, failed) = run(&mut layer, start);
    assert_eq!((sent.len(), failed[0].0), (1, 32_000));
    layer.send(outgoing(2, tcp()), start);
    assert!(layer.receive_response(&response(404, "z9hG4bKone"), start).is_some());
    assert_eq!((layer.client_count(), layer.poll_timeout()), (0, None));
}

#[test]
fn a_transport_error_is_told_at_once() {
    let (mut layer, start) = (layer(), base());
    layer.send(outgoing(1, tcp()), start);
    layer.disconnected(udp());
    assert_eq!(layer.poll_failed(), None);
    layer.disconnected(tcp());
    let failed = Failed { user: 1, failure: Failure::Transport, transmissions: 1 };
    assert_eq!((layer.poll_failed(), layer.poll_timeout()), (Some(failed), None));
}

#[test]
fn a_datagram_that_did_not_leave_is_its_own_requests_matter() {
    let (mut layer, start) = (layer(), base());
    layer.send(outgoing(1, udp()), start);
    let id = layer.poll_transmit().unwrap().request.unwrap();
    for (user, branch) in [(2, "z9hG4bKtwo"), (3, "z9hG4bKthree")] {
        layer.send(Outgoing { branch, ..outgoing(user, udp()) }, start);
    }
    let third = std::iter::from_fn(|| layer.poll_transmit()).last().unwrap().request.unwrap();
    layer.not_sent(id, SendFault::TooLarge);
    assert_eq!(layer.poll_failed(), Some(Failed { user: 1, failure: Failure::TooLarge, transmissions: 1 }),);
    layer.not_sent(id, SendFault::Refused);
    assert_eq!(layer.poll_failed(), None, "it is over");
    layer.handle_timeout(start + Duration::from_millis(500));
    let again: Vec<_> = std::iter::from_fn(|| layer.poll_transmit()).map(|sent| sent.request).collect();
    assert_eq!(again.len(), 2, "the others on that flow go on");
    assert!(again.contains(&Some(third)), "a retransmission is of the same request");
    assert!(layer.receive_response(&response(200, "z9hG4bKthree"), start).is_some());
    layer.not_sent(third, SendFault::Refused);
    assert_eq!(layer.poll_failed(), None, "it was answered");
}

/// Each error used to scan every transaction: 100 million steps here, which took seconds.
#[test]
fn many_errors_beside_many_requests_that_wait_cost_what_they_concern() {
    let start = base();
    let mut layer: TransactionLayer<u32> = TransactionLayer::new(Timers::default(), [7; 16]);
    for user in 0..25_000 {
        let flow =
            if user % 2 == 0 { udp() } else { Flow { connection: Some(ConnectionId(user.into())), ..tcp() } };
        let (branch, method) = (format!("z9hG4bK{user}"), Method::Message);
        let bytes = Bytes::from_static(b"the request");
        let (deadline, transmissions_max) = (None, None);
        let outgoing = Outgoing { user, branch: &branch, method, flow, bytes, deadline, transmissions_max };
        layer.send(outgoing, start);
    }
    let sent: Vec<_> = std::iter::from_fn(|| layer.poll_transmit()).take(5_000).collect();
    let began = base();
    for transmit in sent {
        match transmit.flow.connection {
            Some(_) => layer.disconnected(transmit.flow),
            None => layer.not_sent(transmit.request.unwrap(), SendFault::Refused),
        }
    }
    let took = base().saturating_duration_since(began);
    assert_eq!((layer.client_count(), std::iter::from_fn(|| layer.poll_failed()).count()), (20_000, 5_000));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[test]
fn a_retransmission_that_is_too_large_all_at_once_is_as_good_as_lost() {
    let (mut layer, start) = (layer(), base());
    layer.send(outgoing(1, udp()), start);
    layer.handle_timeout(start + Duration::from_millis(500));
    let id = std::iter::from_fn(|| layer.poll_transmit()).last().unwrap().request.unwrap();
    layer.not_sent(id, SendFault::TooLarge);
    assert_eq!(layer.poll_failed(), None, "the first one may have arrived");
    assert!(layer.receive_response(&response(200, "z9hG4bKone"), start).is_some());
}

#[test]
fn a_connection_that_breaks_takes_its_own_requests_along() {
    let (mut layer, start) = (layer(), base());
    let other = Flow { connection: Some(ConnectionId(2)), ..tcp() };
    for (user, branch, flow) in
        [(1, "z9hG4bKa", tcp()), (2, "z9hG4bKb", other), (3, "z9hG4bKc", tcp()), (4, "z9hG4bKd", tcp())]
    {
        layer.send(Outgoing { branch, ..outgoing(user, flow) }, start);
    }
    assert!(layer.receive_response(&response(100, "z9hG4bKc"), start).is_some());
    assert!(layer.receive_response(&response(200, "z9hG4bKd"), start).is_some());
    layer.disconnected(tcp());
    let mut failed: Vec<_> = std::iter::from_fn(|| layer.poll_failed()).map(|failed| failed.user).collect();
    failed.sort_unstable();
    assert_eq!(failed, [1, 3]);
    layer.forget(2);
    assert!(layer.streams.is_empty(), "nothing stays behind");
}

#[test]
fn the_owner_may_give_up_earlier_and_may_forget() {
    let (mut layer, start) = (layer(), base());
    let deadline = Some(start + Duration::from_secs(2));
    layer.send(Outgoing { deadline, ..outgoing(1, udp()) }, start);
    let (sent, failed) = run(&mut layer, start);
    assert_eq!((sent, failed[0].0), (vec![0, 500, 1500], 2000));
    layer.send(outgoing(2, udp()), start);
    assert!(layer.forget(2));
    assert!(!layer.forget(2));
    assert_eq!((layer.client_count(), layer.poll_timeout()), (0, None));
}

#[test]
fn responses_match_by_branch_and_method_alone() {
    let (mut layer, start) = (layer(), base());
    layer.send(outgoing(1, udp()), start);
    assert_eq!(layer.receive_response(&response(200, "z9hG4bKother"), start), None);
    assert!(layer.receive_response(&response(200, "z9hG4bKone"), start).is_some());
}

#[test]
fn a_long_sleep_is_no_burst() {
    let (mut layer, start) = (layer(), base());
    layer.send(outgoing(1, udp()), start);
    layer.poll_transmit();
    layer.handle_timeout(start + Duration::from_secs(20));
    assert_eq!(std::iter::from_fn(|| layer.poll_transmit()).count(), 1);
}
