//! The way of a leg: it does not leave TLS (W32), and tries the next hop if one fails (RFC 3263 §4.3; W17, W19).

use super::*;
use crate::machine::{ConnectFault, TlsFault, Untrusted};

const FIRST: &str = "192.0.2.71:5060";
const SECOND: &str = "192.0.2.72:5060";

fn tls(from: &str, connection: u64) -> Flow {
    Flow { transport: Transport::Tls, ..tcp(from, connection) }
}

fn to(person: &str) -> String {
    SUBMISSION
        .replace("MESSAGE sip:ann@domain.com", &format!("MESSAGE {person}"))
        .replace("<im:ann@domain.com>", &format!("<{person}>"))
        .replace("Secondary-To: <im:bob@domain.com>\n", "Delivery-Report: final;detail\n")
}

/// What the report says of the only recipient.
fn told(bench: &mut Bench) -> String {
    let notify = bench.take(JAMES).into_iter().find(|text| text.starts_with("NOTIFY")).expect("no report");
    body(&notify).trim_end().split_once(" delivery ").unwrap().1.to_owned()
}

fn hops(list: &[(Transport, &str)]) -> Vec<Hop> {
    list.iter().map(|(transport, remote)| Hop { transport: *transport, remote: address(remote) }).collect()
}

/// A message to somebody in another domain, which has these servers.
fn abroad(servers: &[(Transport, &str)]) -> Bench {
    let mut bench = Bench::new();
    bench.ask(JAMES, &to("sip:ann@other.com"));
    let (id, uri) = bench.resolves.remove(0);
    assert_eq!(uri, "sip:ann@other.com");
    bench.input(Input::Resolved { id, hops: hops(servers) });
    bench
}

#[test]
fn w32_what_is_for_a_sips_address_goes_over_the_tls_binding_alone() {
    let mut bench = Bench::new();
    bench.register("ann", ANN);
    let contact = "<sip:ann@10.1.1.1:40000;transport=tls>";
    bench.receive(tls("192.0.2.9:40000", 4), &register("ann", contact, 2, 600));
    assert_eq!(status(&bench.take_one("192.0.2.9:40000")), 200);
    bench.ask(JAMES, &to("sips:ann@domain.com"));
    assert!(bench.take(ANN).is_empty(), "her other device is reached by UDP");
    let leg = bench.take_sent("192.0.2.9:40000").remove(0);
    assert_eq!(leg.flow, tls("192.0.2.9:40000", 4));
    bench.answer_with(leg.flow, &leg.text, "200 OK", "");
    assert!(told(&mut bench).starts_with("success;"));
}

#[test]
fn w32_without_a_way_under_tls_a_sips_address_is_not_there() {
    let mut bench = Bench::new();
    bench.register("ann", ANN);
    bench.receive(udp(JAMES), &to("sips:ann@domain.com"));
    assert!(bench.take(ANN).is_empty());
    assert!(bench.connects.is_empty());
    assert!(told(&mut bench).starts_with("failure;status=480;"));
}

#[test]
fn w32_a_name_or_a_redirect_does_not_lead_a_sips_address_out_of_tls() {
    let mut bench = Bench::new();
    bench.receive(udp(JAMES), &to("sips:ann@other.com"));
    let (id, uri) = bench.resolves.remove(0);
    assert_eq!(uri, "sips:ann@other.com");
    let (clear, secure) = ((Transport::Udp, FIRST), (Transport::Tls, SECOND));
    bench.input(Input::Resolved { id, hops: hops(&[clear, secure]) });
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tls, remote: address(SECOND) });
    bench.input(Input::Connected { id, flow: tls(SECOND, 7) });
    let leg = bench.take_one(SECOND);
    let elsewhere = "Contact: <sip:ann@192.0.2.99>\n";
    bench.answer_with(tls(SECOND, 7), &leg, "302 Moved Temporarily", elsewhere);
    assert!(bench.take("192.0.2.99:5060").is_empty());
    assert!(told(&mut bench).starts_with("failure;status=302;"));
    assert!(bench.take(FIRST).is_empty());
}

#[test]
fn w19_a_server_that_answers_503_is_followed_by_the_next_one() {
    let mut bench = abroad(&[(Transport::Udp, FIRST), (Transport::Udp, SECOND)]);
    let leg = bench.take_one(FIRST);
    bench.answer(FIRST, &leg, "503 Service Unavailable");
    let again = bench.take_one(SECOND);
    assert_eq!(field(&again, "Call-ID"), field(&leg, "Call-ID"));
    assert_eq!(field(&again, "From"), field(&leg, "From"));
    assert_ne!(field(&again, "Via"), field(&leg, "Via"), "RFC 3263 §4.3: a branch of its own");
    bench.answer(SECOND, &again, "200 OK");
    assert_eq!(told(&mut bench), "success;status=200;reason=\"OK\";tries=2;after=0");
}

#[test]
fn w19_the_last_server_s_503_is_told() {
    let mut bench = abroad(&[(Transport::Udp, FIRST), (Transport::Udp, SECOND)]);
    for server in [FIRST, SECOND] {
        let leg = bench.take_one(server);
        bench.answer(server, &leg, "503 Service Unavailable");
    }
    assert!(told(&mut bench).starts_with("failure;status=503;"));
}

#[test]
fn w19_any_other_answer_is_final() {
    let mut bench = abroad(&[(Transport::Udp, FIRST), (Transport::Udp, SECOND)]);
    let leg = bench.take_one(FIRST);
    bench.answer(FIRST, &leg, "500 Server Internal Error");
    assert!(bench.take(SECOND).is_empty());
    assert!(told(&mut bench).starts_with("failure;status=500;"));
}

#[test]
fn w17_servers_that_are_silent_share_one_timer_f() {
    let mut bench = abroad(&[(Transport::Udp, FIRST), (Transport::Udp, SECOND)]);
    bench.advance_ms(15_999);
    assert!(bench.take(SECOND).is_empty());
    bench.advance_ms(1);
    let first = bench.take(FIRST).len();
    assert_eq!(first, 7, "0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5 s");
    bench.advance_ms(15_999);
    assert!(bench.take(JAMES).is_empty());
    bench.advance_ms(1);
    assert_eq!(bench.take(SECOND).len(), 7);
    assert!(told(&mut bench).starts_with("failure;status=408;"));
}

#[test]
fn w19_a_connection_that_cannot_be_had_or_breaks_is_followed_by_the_next_server() {
    let mut bench = abroad(&[(Transport::Tls, FIRST), (Transport::Tcp, SECOND), (Transport::Udp, BOB)]);
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tls, remote: address(FIRST) });
    let untrusted = Untrusted { server: "other.example".into(), fault: TlsFault::Failed };
    let fault = ConnectFault::Untrusted(untrusted.into());
    bench.input(Input::ConnectFailed { id, fault });
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address(SECOND) });
    bench.input(Input::Connected { id, flow: tcp(SECOND, 3) });
    assert_eq!(bench.take(SECOND).len(), 1);
    bench.input(Input::Disconnected { flow: tcp(SECOND, 3) });
    let leg = bench.take_one(BOB);
    bench.answer(BOB, &leg, "200 OK");
    assert!(told(&mut bench).starts_with("success;status=200;reason=\"OK\";tries=2;"));
}

#[test]
fn w32_a_device_that_was_away_gets_what_is_for_a_sips_address_under_tls_alone() {
    let mut bench = Bench::new();
    let device = |contact: &str, id: &str| format!("<sip:ann@{contact}>;+sip.instance=\"{id}\"");
    bench.ask(BOB, &register("ann", &device("192.0.2.7:5060", "old"), 1, 10));
    bench.advance_ms(10_000);
    let home = tls("192.0.2.9:40000", 4);
    bench.receive(home, &register("ann", &device("192.0.2.9:40000;transport=tls", "new"), 2, 600));
    bench.take("192.0.2.9:40000");
    bench.ask(JAMES, &to("sips:ann@domain.com").replace("Content-Type", "Expires: 3600\nContent-Type"));
    let leg = bench.take_one("192.0.2.9:40000");
    bench.answer_with(home, &leg, "200 OK", "");
    bench.ask(BOB, &register("ann", &device("192.0.2.7:5060", "old"), 3, 600));
    assert!(bench.take(BOB).is_empty(), "it is owed the message, and has no TLS");
}

#[test]
fn w32_a_server_that_the_settings_name_for_a_domain_has_to_prove_that_domain() {
    let hop = Hop { transport: Transport::Tls, remote: address("192.0.2.99:5061") };
    let gateway = Hop { transport: Transport::Tls, remote: address("192.0.2.98:5061") };
    let routes = vec![
        StaticRoute { domain: "example.org".to_owned(), hop },
        StaticRoute { domain: "tel".to_owned(), hop: gateway },
    ];
    let mut bench = Bench::with(ProxyConfig { routes, ..config() });
    for (person, hop, domain) in [
        ("sip:eve@example.org", hop, Some("example.org")),
        ("sips:eve@Example.Org.", hop, Some("example.org")),
        ("tel:+49-30-123", gateway, None),
    ] {
        bench.receive(
            udp(JAMES),
            &to(person)
                .replace("asd88asd77a", person)
                .replace("z9hG4bK776", &format!("z9hG4bK{}", person.len())),
        );
        let (_, asked) = bench.connects.pop().expect("a connection is wanted");
        assert_eq!((asked, bench.named.as_deref()), (hop, domain), "{person}");
    }
}

#[test]
fn a_telephone_number_goes_as_it_stands_to_the_gateway_or_is_told_for_itself() {
    let hop = Hop { transport: Transport::Udp, remote: address("192.0.2.99:5060") };
    let gateway = vec![StaticRoute { domain: "tel".to_owned(), hop }];
    for (routes, leaves) in [(gateway, true), (Vec::new(), false)] {
        let mut bench = Bench::with(ProxyConfig { routes, ..config() });
        bench.register("bob", BOB);
        let people = "<tel:+49-30-123;ext=4>";
        let submission = SUBMISSION
            .replace("MESSAGE sip:ann@domain.com", "MESSAGE tel:+49-30-123;ext=4")
            .replace("<im:ann@domain.com>", people)
            .replace(
                "Secondary-To: <im:bob@domain.com>\n",
                "Secondary-To: <im:bob@domain.com>\nDelivery-Report: final;detail\n",
            );
        assert_eq!(status(&bench.ask(JAMES, &submission)), 202);
        let leg = bench.take_one(BOB);
        assert!(leg.contains("\r\nAlso-To: <tel:+49-30-123;ext=4>\r\n"), "{leg}");
        bench.answer(BOB, &leg, "200 OK");
        if leaves {
            let leg = bench.take_one("192.0.2.99:5060");
            assert!(leg.starts_with("MESSAGE tel:+49-30-123;ext=4 SIP/2.0\r\n"), "{leg}");
            assert!(leg.contains("\r\nTo: <tel:+49-30-123;ext=4>\r\n"), "{leg}");
            bench.answer("192.0.2.99:5060", &leg, "200 OK");
        }
        let report = bench.take(JAMES).into_iter().find(|text| text.starts_with("NOTIFY")).unwrap();
        let told = if leaves { "success;status=200" } else { "failure;status=416" };
        assert!(body(&report).contains(&format!("tel:+49-30-123;ext=4 delivery {told}")), "{report}");
        assert!(body(&report).contains("im:bob@domain.com delivery success"), "{report}");
    }
}

fn large_to(person: &str) -> String {
    to(person).replace("Come here.", &"x".repeat(1400)).replace("Content-Length: 10", "Content-Length: 1400")
}

fn large_abroad(servers: &[(Transport, &str)]) -> Bench {
    let mut bench = Bench::new();
    bench.ask(JAMES, &large_to("sip:ann@other.com"));
    let (id, _) = bench.resolves.remove(0);
    bench.input(Input::Resolved { id, hops: hops(servers) });
    bench
}

const THIRD: &str = "192.0.2.73:5061";

#[test]
fn w4_what_is_large_goes_to_the_connection_that_a_domain_names_and_not_to_a_guess() {
    let mut bench =
        large_abroad(&[(Transport::Udp, FIRST), (Transport::Udp, SECOND), (Transport::Tls, THIRD)]);
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tls, remote: address(THIRD) });
    bench.input(Input::Connected { id, flow: tls(THIRD, 7) });
    let leg = bench.take_one(THIRD);
    assert!(leg.contains("\r\nVia: SIP/2.0/TLS "), "{leg}");
    bench.answer_with(tls(THIRD, 7), &leg, "200 OK", "");
    assert!(told(&mut bench).starts_with("success;status=200;"));
    assert!(bench.connects.is_empty() && bench.take(FIRST).is_empty() && bench.take(SECOND).is_empty());
}

#[test]
fn w4_where_no_named_connection_can_be_had_it_goes_by_datagram_and_that_is_remembered() {
    let servers = [(Transport::Udp, FIRST), (Transport::Tcp, SECOND), (Transport::Tls, THIRD)];
    let mut bench = large_abroad(&servers);
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address(SECOND) });
    bench.input(Input::ConnectFailed { id, fault: ConnectFault::Unreachable });
    let (_, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tls, remote: address(THIRD) });
    bench.advance_ms(1999);
    assert!(bench.take(FIRST).is_empty());
    bench.advance_ms(1);
    let leg = bench.take_one(FIRST);
    assert!(leg.contains("\r\nVia: SIP/2.0/UDP "), "{leg}");
    bench.answer(FIRST, &leg, "200 OK");
    assert!(told(&mut bench).starts_with("success;"));
    let again = large_to("sip:ann@other.com").replace("asd88asd77a", "second").replace("K776", "K8");
    bench.receive(udp(JAMES), &again);
    let (id, _) = bench.resolves.remove(0);
    bench.input(Input::Resolved { id, hops: hops(&servers) });
    assert_eq!(bench.take(FIRST).len(), 1, "at once");
    assert!(bench.connects.is_empty());
}

#[test]
fn w4_a_named_connection_that_breaks_is_followed_by_the_server_for_datagrams_once() {
    let mut bench = large_abroad(&[(Transport::Udp, FIRST), (Transport::Tcp, SECOND)]);
    for (connection, remote) in [(7, SECOND), (8, FIRST)] {
        let (id, hop) = bench.connects.remove(0);
        assert_eq!(hop.remote, address(remote));
        bench.input(Input::Connected { id, flow: tcp(remote, connection) });
        assert!(bench.take_one(remote).starts_with("MESSAGE "));
        bench.input(Input::Disconnected { flow: tcp(remote, connection) });
    }
    assert!(bench.connects.is_empty() && bench.take(FIRST).is_empty(), "it was tried already");
    assert!(told(&mut bench).starts_with("failure;status=503;"));
}

#[test]
fn w4_a_named_connection_that_says_503_is_followed_by_the_server_for_datagrams() {
    let mut bench = large_abroad(&[(Transport::Udp, FIRST), (Transport::Tcp, SECOND)]);
    let (id, _) = bench.connects.remove(0);
    bench.input(Input::Connected { id, flow: tcp(SECOND, 7) });
    let leg = bench.take_one(SECOND);
    bench.answer_with(tcp(SECOND, 7), &leg, "503 Service Unavailable", "");
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address(FIRST) }, "nothing else is named");
    bench.input(Input::ConnectFailed { id, fault: ConnectFault::Unreachable });
    let leg = bench.take_one(FIRST);
    bench.answer(FIRST, &leg, "200 OK");
    assert!(told(&mut bench).starts_with("success;"));
}
