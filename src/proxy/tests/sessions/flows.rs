//! Calls over connections: which route each side gets, and over which flow it is reached.

use super::*;

/// Ann calls over a connection of hers.
fn by_tcp(text: &str) -> String {
    text.replace("Via: SIP/2.0/UDP", "Via: SIP/2.0/TCP")
}

#[test]
fn w29_an_answer_goes_back_over_the_connection_of_its_request_and_else_to_where_that_client_listens() {
    let mut bench = Bench::at_home();
    let end = tcp(ANNS_END, 5);
    bench.receive(end, &by_tcp(ANN_CALLS_BOB));
    let invite = bench.take_one(BOB);
    bench.receive(udp(BOB), &answered(&invite, "180 Ringing"));
    let ringing = bench.take_sent(ANNS_END);
    assert_eq!((ringing.len(), ringing[0].flow), (1, end));
    assert!(bench.connects.is_empty(), "no other connection: {:?}", bench.connects);
    bench.input(Input::Disconnected { flow: end });
    bench.receive(udp(BOB), &answered(&invite, "200 OK"));
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop, Hop { transport: Transport::Tcp, remote: address(ANN) }, "RFC 3261 section 18.2.2");
    bench.input(Input::Connected { id, flow: tcp(ANN, 6) });
    assert_eq!(status(&bench.take_one(ANN)), 200);
}

#[test]
fn w29_two_transports_get_two_routes_and_each_side_is_reached_over_its_flow() {
    let mut bench = Bench::new();
    let (anns, bobs) = (tcp(ANNS_END, 5), tcp(BOBS_END, 6));
    bench.receive(bobs, &register("bob", &format!("<sip:bob@{BOBS_END};transport=tcp>"), 1, 600));
    assert_eq!(status(&bench.take_one(BOBS_END)), 200);
    // On both sides, nobody listens at the Contact.
    bench.receive(anns, &by_tcp(ANN_CALLS_BOB));
    let invite = bench.take_one(BOBS_END);
    let routes: Vec<String> = fields(&invite, "Record-Route").into_iter().map(str::to_owned).collect();
    assert_eq!(routes.len(), 2, "{invite}");
    assert!(routes[0].starts_with("<sip:c6@192.0.2.100:5060;transport=tcp;lr;d="), "{routes:?}");
    assert!(routes[1].starts_with("<sip:c5@192.0.2.100:5060;transport=tcp;lr;d="), "{routes:?}");
    // Ann's route set is in reverse order, Bob's is not.
    let (for_ann, for_bob) = (
        format!("Route: {}, {}\n", routes[1], routes[0]),
        format!("Route: {}\nRoute: {}\n", routes[0], routes[1]),
    );
    for (from, to, routes, uri) in [
        (anns, BOBS_END, &for_ann, "sip:bob@10.0.0.7:5060"),
        (bobs, ANNS_END, &for_bob, "sip:ann@10.0.0.6:5060"),
    ] {
        for method in ["ACK", "INFO", "BYE", "MESSAGE"] {
            let branch = format!("z9hG4bK{method}{to}");
            bench.receive(from, &by_tcp(&further(method, uri, ";tag=b1", &branch, routes)));
            let passed = bench.take_one(to);
            assert!(passed.starts_with(&format!("{method} {uri} SIP/2.0\r\n")), "{passed}");
            assert!(field(&passed, "Route").is_none(), "{passed}");
        }
    }
    assert!(bench.connects.is_empty() && bench.resolves.is_empty());
    // A Route with a changed flow does not let anybody pass.
    let forged = for_ann.replace("c6@", "c5@").replace("ann@domain.com", "ann@elsewhere.org");
    let forged = forged.split(", ").nth(1).map(|route| format!("Route: {route}")).unwrap();
    let text = further("BYE", "sip:bob@10.0.0.7", ";tag=b1", "z9hG4bKf", &forged);
    assert_eq!(status(&bench.ask(JAMES, &text.replace("ann@domain.com", "ann@elsewhere.org"))), 403);
    // Without the connection, there is no way to the binding either.
    bench.input(Input::Disconnected { flow: bobs });
    assert_eq!(status(&bench.take_one(ANNS_END)), 500, "the MESSAGE that was under way");
    bench.receive(
        anns,
        &by_tcp(&further("BYE", "sip:bob@192.0.2.7:40001;transport=tcp", ";tag=b1", "z9hG4bKg", &for_ann)),
    );
    assert_eq!(status(&bench.take_one(ANNS_END)), 480);
}

#[test]
fn w29_a_message_to_many_in_a_call_reaches_its_callee_over_his_connection() {
    let mut bench = Bench::new();
    bench.register("ann", ANN);
    let (anns, bobs) = (tcp(ANNS_END, 5), tcp(BOBS_END, 6));
    bench.receive(bobs, &register("bob", &format!("<sip:bob@{BOBS_END};transport=tcp>"), 1, 600));
    assert_eq!(status(&bench.take_one(BOBS_END)), 200);
    bench.receive(anns, &by_tcp(ANN_CALLS_BOB));
    let invite = bench.take_one(BOBS_END);
    let routes = fields(&invite, "Record-Route");
    let more = format!("Route: {}, {}\nSecondary-To: <sip:ann@domain.com>\n", routes[1], routes[0]);
    let uri = "sip:bob@10.0.0.7:5060";
    bench.receive(anns, &by_tcp(&further("MESSAGE", uri, ";tag=b1", "z9hG4bKmany", &more)));
    assert_eq!(status(&bench.take_one(ANNS_END)), 202);
    let within = bench.take_one(BOBS_END);
    assert!(within.starts_with(&format!("MESSAGE {uri} SIP/2.0\r\n")), "{within}");
    assert_eq!((field(&within, "Call-ID"), field(&within, "Route")), (Some("call1@ann"), None));
    assert_eq!(field(&bench.take_one(ANN), "To"), Some("<sip:ann@domain.com>"));
    assert!(bench.connects.is_empty());
}

#[test]
fn w29_between_datagrams_and_a_stream_each_route_has_the_transport_of_its_side() {
    let mut bench = Bench::at_home();
    bench.receive(tcp(ANNS_END, 5), &by_tcp(ANN_CALLS_BOB));
    let invite = bench.take_one(BOB);
    let routes = fields(&invite, "Record-Route");
    assert!(routes[0].starts_with("<sip:192.0.2.100:5060;lr;d="), "{routes:?}");
    assert!(routes[1].starts_with("<sip:c5@192.0.2.100:5060;transport=tcp;lr;d="), "{routes:?}");
    assert_eq!(routes.len(), 2);
    // Ann's next request goes to Bob's Contact, since his side has no flow.
    let more = format!("Route: {}\nRoute: {}\n", routes[1], routes[0]);
    let text = further("BYE", "sip:bob@198.51.100.9:5070", ";tag=b1", "z9hG4bKn", &more);
    bench.receive(tcp(ANNS_END, 5), &by_tcp(&text));
    assert!(bench.take_one("198.51.100.9:5070").starts_with("BYE sip:bob@198.51.100.9:5070 SIP/2.0\r\n"));
}

#[test]
fn w29_a_route_by_which_a_client_finds_us_comes_off_and_one_of_others_is_for_our_users() {
    let mut bench = Bench::at_home();
    let preloaded = |route: &str| ANN_CALLS_BOB.replace("Contact", &format!("Route: {route}\nContact"));
    bench.receive(udp(ANN), &preloaded("<sip:192.0.2.100:5060;lr>"));
    let invite = bench.take_one(BOB);
    assert!(field(&invite, "Route").is_none(), "{invite}");
    let further_on = preloaded("<sip:domain.com;lr>, <sip:203.0.113.5:5080;lr>");
    bench.receive(udp(ANN), &further_on);
    let invite = bench.take_one("203.0.113.5:5080");
    assert!(invite.starts_with("INVITE sip:bob@domain.com SIP/2.0\r\n"), "{invite}");
    assert_eq!(field(&invite, "Route"), Some("<sip:203.0.113.5:5080;lr>"));
    let stranger = further_on.replace("ann@domain.com", "ann@elsewhere.org");
    assert_eq!(status(&bench.ask(JAMES, &stranger)), 403);
}

#[test]
fn w32_a_call_to_a_sips_address_does_not_leave_tls_on_either_way() {
    let secure = |end: &str, connection| Flow { transport: Transport::Tls, ..tcp(end, connection) };
    let listens = [(Transport::Udp, address(PROXY)), (Transport::Tls, address("192.0.2.100:5061"))];
    let mut bench = Bench::with(ProxyConfig::new(vec!["domain.com".to_owned()], listens.to_vec()));
    bench.register("bob", BOB);
    let (anns, bobs) = (secure(ANNS_END, 5), secure(BOBS_END, 6));
    let call =
        ANN_CALLS_BOB.replace("INVITE sip:", "INVITE sips:").replace("Via: SIP/2.0/UDP", "Via: SIP/2.0/TLS");
    bench.receive(anns, &call);
    assert_eq!(status(&bench.take_one(ANNS_END)), 480, "Bob is not there under TLS");
    bench.receive(
        bobs,
        &register("bob", &format!("<sips:bob@{BOBS_END}>"), 2, 600).replace("reg-bob", "reg-tls"),
    );
    assert_eq!(status(&bench.take_one(BOBS_END)), 200);
    bench.receive(anns, &call);
    let invite = bench.take_one(BOBS_END);
    let routes = fields(&invite, "Record-Route");
    assert!(routes.iter().all(|route| route.starts_with("<sips:")), "{routes:?}");
    bench.receive(bobs, &answered(&invite, "200 OK"));
    assert_eq!(status(&bench.take_one(ANNS_END)), 200);
    let more = format!("Route: {}\nRoute: {}\n", routes[1], routes[0]);
    let bye = further("BYE", &format!("sips:bob@{BOBS_END}"), ";tag=b1", "z9hG4bKn", &more);
    bench.receive(anns, &bye.replace("Via: SIP/2.0/UDP", "Via: SIP/2.0/TLS"));
    assert_eq!(bench.take(BOBS_END).len(), 1);
    bench.input(Input::Disconnected { flow: bobs });
    bench.receive(anns, &bye.replace("z9hG4bKn", "z9hG4bKo").replace("Via: SIP/2.0/UDP", "Via: SIP/2.0/TLS"));
    assert_eq!(status(&bench.take_one(ANNS_END)), 480);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

#[test]
fn w29_who_calls_from_behind_a_nat_is_reached_where_he_is_seen() {
    for (proxy, bob, seen, thought) in [
        (PROXY, BOB, "203.0.113.9:61000", "10.0.0.7:5060"),
        ("[2001:db8::100]:5060", "[2001:db8::7]:5060", "[2001:db8:9::9]:61000", "[fd00::7]:5060"),
    ] {
        let listens = vec![(Transport::Udp, address(proxy))];
        let mut bench = Bench::with(ProxyConfig::new(vec!["domain.com".to_owned()], listens));
        let flow = |from: &str| Flow::udp(address(proxy), address(from));
        bench.receive(flow(bob), &register("bob", &format!("<sip:bob@{bob}>"), 1, 600));
        assert_eq!(status(&bench.take_one(bob)), 200);
        let call = ANN_CALLS_BOB
            .replace("192.0.2.6:5060;branch", &format!("{thought};rport;branch"))
            .replace("ann@192.0.2.6:5060", &format!("ann@{thought}"));
        bench.receive(flow(seen), &call);
        let invite = bench.take_one(bob);
        bench.receive(flow(bob), &answered(&invite, "200 OK"));
        let answer = bench.take_one(seen);
        let routes = fields(&answer, "Record-Route");
        assert_eq!(routes.len(), 2, "{answer}");
        // Bob hangs up.
        let more = format!("Route: {}\nRoute: {}\n", routes[0], routes[1]);
        let bye = further("BYE", &format!("sip:ann@{thought}"), ";tag=a1", "z9hG4bKbye", &more);
        bench.receive(flow(bob), &bye);
        assert!(bench.take_one(seen).starts_with(&format!("BYE sip:ann@{thought} SIP/2.0\r\n")));
    }
}
