//! Legs that are too large for a datagram: W4.

use super::*;

fn large() -> String {
    to_bob().replace("Come here.", &"x".repeat(1400)).replace("Content-Length: 10", "Content-Length: 1400")
}

#[test]
fn w4_a_large_leg_goes_over_tcp() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &large());
    assert!(bench.take(BOB).is_empty());
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address(BOB) });
    bench.advance_ms(1500);
    bench.input(Input::Connected { id, flow: tcp(BOB, 7) });
    let leg = bench.take_one(BOB);
    assert!(leg.contains("\r\nVia: SIP/2.0/TCP "), "{leg}");
    bench.answer_with(tcp(BOB, 7), &leg, "200 OK", "");
    assert!(told(&mut bench).starts_with("success;"));
}

#[test]
fn w4_a_large_leg_whose_connection_breaks_goes_once_more_over_another_one() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &large());
    // Bob's program has restarted: the connection that we are given leads to the previous process.
    for (connection, others) in [(7, 1), (8, 0)] {
        let (id, hop) = bench.connects.remove(0);
        assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address(BOB) });
        bench.input(Input::Connected { id, flow: tcp(BOB, connection) });
        assert!(bench.take_one(BOB).starts_with("MESSAGE "));
        bench.input(Input::Disconnected { flow: tcp(BOB, connection) });
        assert_eq!(bench.connects.len(), others, "once");
    }
    assert!(told(&mut bench).starts_with("failure;status=503;"));
}

#[test]
fn w4_where_tcp_cannot_be_had_a_large_leg_goes_over_udp_and_that_is_remembered() {
    for waits in [true, false] {
        let mut bench = Bench::at_home();
        bench.ask(JAMES, &large());
        let (id, _) = bench.connects.remove(0);
        if waits {
            bench.advance_ms(1999);
            assert!(bench.take(BOB).is_empty());
            bench.advance_ms(1);
        } else {
            bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
        }
        let leg = bench.take_one(BOB);
        assert!(leg.contains("\r\nVia: SIP/2.0/UDP "), "{leg}");
        bench.answer(BOB, &leg, "200 OK");
        bench.take(JAMES);
        bench.receive(udp(JAMES), &large().replace("asd88asd77a", "second").replace("K776", "K8"));
        assert_eq!(bench.take(BOB).len(), 1, "at once");
        assert!(bench.connects.is_empty());
    }
}

/// A submission of so many bytes; its leg is larger.
fn of_size(bytes: usize) -> String {
    let length = format!("Content-Length: {bytes}");
    to_bob().replace("Come here.", &"x".repeat(bytes)).replace("Content-Length: 10", &length)
}

const TOO_LARGE: &str = "failure;status=503;reason=\"Too Large For UDP, And No Connection\";tries=0;after=0";

#[test]
fn w4_what_no_datagram_holds_fails_at_once_where_no_connection_is_to_be_had() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &to_bob().replace("asd88asd77a", "small"));
    let small = bench.take_one(BOB);
    for (number, bytes) in [(1, 65_507), (2, 70_000), (3, 900_000)] {
        let text = of_size(bytes).replace("asd88asd77a", &format!("large{number}"));
        bench.ask(JAMES, &text.replace("K776", &format!("K8{number}")));
        // TCP is tried each time although it is remembered to be refused, since nothing else is left.
        let (id, hop) = bench.connects.remove(0);
        assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address(BOB) });
        bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
        assert!(bench.take(BOB).is_empty(), "no datagram of {bytes} bytes");
        assert_eq!(told(&mut bench), TOO_LARGE);
    }
    // Meanwhile, a leg that fits goes its way.
    bench.advance_ms(500);
    assert_eq!(bench.take_one(BOB), small);
    bench.take(JAMES);
    bench.answer(BOB, &small, "200 OK");
    let notify = bench.take_one(JAMES);
    assert!(notify.contains("\r\nCall-ID: small@") && body(&notify).contains(" success;"), "{notify}");
}

#[test]
fn w4_the_largest_that_a_datagram_holds_goes_over_udp() {
    // Measures a leg without its body: From, To, Via and the rest.
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &of_size(60_000));
    let (id, _) = bench.connects.remove(0);
    bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    let head = bench.take_one(BOB).len() - 60_000;
    for (bytes, fits) in [(65_507 - head, true), (65_508 - head, false)] {
        let mut bench = Bench::at_home();
        bench.ask(JAMES, &of_size(bytes));
        let (id, _) = bench.connects.remove(0);
        bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
        assert_eq!(bench.take(BOB).len(), usize::from(fits), "{bytes}");
    }
}

#[test]
fn w4_what_the_interface_refuses_as_too_large_concerns_that_leg_alone() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &to_bob().replace("asd88asd77a", "small"));
    let small = bench.take_one(BOB);
    bench.ask(JAMES, &large().replace("K776", "K8"));
    let (id, _) = bench.connects.remove(0);
    bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    assert_eq!(bench.take(BOB).len(), 1, "it would fit a datagram");
    bench.not_sent(BOB, SendFault::TooLarge);
    assert_eq!(told(&mut bench), TOO_LARGE.replace("tries=0", "tries=1"));
    bench.advance_ms(500);
    assert_eq!(bench.take(BOB), [small], "the other leg on that flow");
    let reports = bench.take(JAMES);
    assert!(reports.iter().all(|notify| !notify.contains("\r\nCall-ID: small@")), "{reports:?}");
}

#[test]
fn w18_who_does_not_answer_a_connection_in_time_may_be_away_and_gets_a_large_message_later() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &of_size(70_000));
    bench.advance_ms(2_000);
    assert!(bench.take(BOB).is_empty());
    assert!(told(&mut bench).starts_with("failure;status=408;"), "temporary: it waits where it may");
}
