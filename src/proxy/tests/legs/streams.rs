//! Legs over a connection: W17, W18.

use super::*;

#[test]
fn w17_a_tcp_binding_is_reached_over_its_connection_once() {
    let mut bench = Bench::new();
    let home = tcp("192.0.2.7:40000", 1);
    bench.receive(home, &register("bob", "<sip:bob@192.0.2.7:5060;transport=tcp>", 1, 600));
    bench.take("192.0.2.7:40000");
    bench.ask(JAMES, &to_bob());
    let legs = bench.take_sent("192.0.2.7:40000");
    assert_eq!(legs[0].flow, home);
    assert!(legs[0].text.contains("\r\nVia: SIP/2.0/TCP 192.0.2.100:5060;rport;branch="), "{}", legs[0].text);
    bench.advance_ms(10_000);
    assert!(bench.take("192.0.2.7:40000").is_empty(), "a stream repeats nothing");
    bench.input(Input::Disconnected { flow: home });
    assert_eq!(told(&mut bench), "failure;status=503;reason=\"Service Unavailable\";tries=1;after=10000");

    // The connection is gone: the next leg connects to the Contact.
    bench.receive(udp(JAMES), &to_bob().replace("asd88asd77a", "second").replace("K776", "K8"));
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address("192.0.2.7:5060") });
    bench.input(Input::Connected { id, flow: tcp("192.0.2.7:5060", 2) });
    assert_eq!(bench.take("192.0.2.7:5060").len(), 1);
}

#[test]
fn w18_a_connection_that_cannot_be_had_is_503() {
    let mut bench = Bench::new();
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.7:5060;transport=tcp>", 1, 600));
    bench.receive(udp(JAMES), &to_bob());
    let (id, _) = bench.connects.remove(0);
    bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    assert!(told(&mut bench).starts_with("failure;status=503;"));
}

#[test]
fn without_a_datagram_socket_a_leg_goes_over_a_stream() {
    let mut bench = Bench::with(ProxyConfig { listens: vec![(Transport::Tcp, address(PROXY))], ..config() });
    bench.receive(tcp(JAMES, 1), &to_bob().replace("im:bob@domain.com", "sip:bob@192.0.2.77"));
    let (_, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address("192.0.2.77:5060") });
}
