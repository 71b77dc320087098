//! INVITE and later requests of its dialog pass statelessly: W29.

use super::*;

const ANN_CALLS_BOB: &str = "INVITE sip:bob@domain.com SIP/2.0\n\
    Via: SIP/2.0/UDP 192.0.2.6:5060;branch=z9hG4bKinv1\n\
    Max-Forwards: 70\n\
    From: <sip:ann@domain.com>;tag=a1\n\
    To: <sip:bob@domain.com>\n\
    Contact: <sip:ann@192.0.2.6:5060>\n\
    Call-ID: call1@ann\n\
    CSeq: 1 INVITE\n\
    Content-Type: application/sdp\n\
    Content-Length: 3\n\nv=0";

/// A later request of the same call.
fn further(method: &str, uri: &str, to_tag: &str, branch: &str, more: &str) -> String {
    let cseq = if matches!(method, "ACK" | "CANCEL") { 1 } else { 2 };
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.6:5060;branch={branch}\nMax-Forwards: 70\n\
         From: <sip:ann@domain.com>;tag=a1\nTo: <sip:bob@domain.com>{to_tag}\nCall-ID: call1@ann\n\
         CSeq: {cseq} {method}\n{more}Content-Length: 0\n\n"
    )
}

fn top_branch(text: &str) -> &str {
    fields(text, "Via")[0].split("branch=").nth(1).unwrap()
}

#[test]
fn w29_an_invite_passes_with_its_body_and_its_answers_find_back() {
    let mut bench = Bench::at_home();
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    assert!(invite.starts_with("INVITE sip:bob@192.0.2.7:5060 SIP/2.0\r\n"), "{invite}");
    assert_eq!((field(&invite, "Max-Forwards"), body(&invite)), (Some("69"), "v=0"));
    assert_eq!(field(&invite, "Contact"), Some("<sip:ann@192.0.2.6:5060>"), "a session needs it");
    let route = field(&invite, "Record-Route").unwrap();
    assert!(route.starts_with("<sip:192.0.2.100:5060;lr;d="), "{route}");
    let vias = fields(&invite, "Via");
    assert!(vias[0].starts_with("SIP/2.0/UDP 192.0.2.100:5060;rport;branch=z9hG4bK"), "{vias:?}");
    assert_eq!(vias[1], "SIP/2.0/UDP 192.0.2.6:5060;branch=z9hG4bKinv1;received=192.0.2.6;rport=5060");
    // Every response passes; the INVITE, retransmitted, passes again with the same branch.
    for line in ["100 Trying", "180 Ringing", "200 OK", "200 OK"] {
        let via: String = vias.iter().map(|via| format!("Via: {via}\n")).collect();
        let (from, call_id) = (field(&invite, "From").unwrap(), field(&invite, "Call-ID").unwrap());
        bench.receive(
            udp(BOB),
            &format!("SIP/2.0 {line}\n{via}Record-Route: {route}\nFrom: {from}\nTo: <sip:bob@domain.com>;tag=b1\nCall-ID: {call_id}\nCSeq: 1 INVITE\nContent-Length: 0\n\n"),
        );
        let answer = bench.take_one(ANN);
        assert!(answer.starts_with(&format!("SIP/2.0 {line}\r\n")), "{answer}");
        assert_eq!(fields(&answer, "Via").len(), 1, "{answer}");
        assert_eq!(field(&answer, "Record-Route"), Some(route));
    }
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    assert_eq!(top_branch(&bench.take_one(BOB)), top_branch(&invite));
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

#[test]
fn w29_cancel_and_the_ack_of_a_failure_have_the_branch_of_their_invite() {
    let mut bench = Bench::at_home();
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    for method in ["CANCEL", "ACK"] {
        bench.receive(udp(ANN), &further(method, "sip:bob@domain.com", "", "z9hG4bKinv1", ""));
        let passed = bench.take_one(BOB);
        assert!(passed.starts_with(&format!("{method} sip:bob@192.0.2.7:5060 SIP/2.0\r\n")), "{passed}");
        assert_eq!(top_branch(&passed), top_branch(&invite));
    }
}

#[test]
fn w29_what_follows_in_the_dialog_goes_by_its_route_and_a_message_too() {
    let mut bench = Bench::at_home();
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    let route = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    let ok = answered(&invite, "200 OK").replace("CSeq", "Contact: <sip:bob@198.51.100.9:5070>\nCSeq");
    bench.receive(udp(BOB), &ok);
    bench.take_one(ANN);
    for method in ["ACK", "BYE", "UPDATE", "INFO", "PRACK", "NOTIFY", "REFER"] {
        let text = further(method, "sip:bob@198.51.100.9:5070", ";tag=b1", "z9hG4bKnext", &route);
        bench.receive(udp(ANN), &text);
        let passed = bench.take_one("198.51.100.9:5070");
        assert!(passed.starts_with(&format!("{method} sip:bob@198.51.100.9:5070 SIP/2.0\r\n")), "{passed}");
        assert!(field(&passed, "Route").is_none() && field(&passed, "Record-Route").is_none(), "{passed}");
    }
    // From a stranger, who may pass only because of the Route.
    let text = further("MESSAGE", "sip:bob@198.51.100.9:5070", ";tag=b1", "z9hG4bKmsg", &route);
    let from_elsewhere =
        |text: &str| text.replace("ann@domain.com", "ann@elsewhere.org").replace("call1@ann", "call2@ann");
    bench.receive(udp(JAMES), &from_elsewhere(ANN_CALLS_BOB));
    let invite = bench.take_one(BOB);
    let theirs = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    assert_eq!(status(&bench.ask(JAMES, &from_elsewhere(&text))), 403, "another call's");
    let text = from_elsewhere(&text.replace(&route, &theirs).replace("Kmsg", "Kmsg2"));
    assert_eq!(status(&bench.ask(JAMES, &text)), 403, "Bob never said that he is there");
    bench.receive(
        udp(BOB),
        &answered(&invite, "200 OK").replace("CSeq", "Contact: <sip:bob@198.51.100.9:5070>\nCSeq"),
    );
    assert_eq!(status(&bench.take_one(JAMES)), 200);
    bench.receive(udp(JAMES), &text.replace("Kmsg", "Kmsg3"));
    let message = bench.take_one("198.51.100.9:5070");
    assert_eq!(field(&message, "To"), Some("<sip:bob@domain.com>;tag=b1"));
    assert_eq!(field(&message, "Call-ID"), Some("call2@ann"), "it keeps the dialog's identifiers");
    bench.answer("198.51.100.9:5070", &message, "200 OK");
    assert_eq!(status(&bench.take_one(JAMES)), 200);
}

#[test]
fn w29_nobody_passes_by_a_route_that_is_not_of_this_dialog() {
    let mut bench = Bench::at_home();
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    let route = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    let foreign = |text: String| text.replace("ann@domain.com", "ann@elsewhere.org");
    let other_call = foreign(further("BYE", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo1", &route));
    let made_up = "Route: <sip:192.0.2.100:5060;lr;d=00>\n";
    let table = [
        (other_call.replace("call1@ann", "call2@ann"), 403),
        (foreign(further("BYE", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo2", made_up)), 403),
        (foreign(further("UPDATE", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo3", made_up)), 501),
        (foreign(further("BYE", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo4", "")), 403),
        (ANN_CALLS_BOB.replace("sip:bob@domain.com SIP", "sip:nobody@domain.com SIP"), 480),
        (ANN_CALLS_BOB.replace("Max-Forwards: 70", "Max-Forwards: 0"), 483),
        (ANN_CALLS_BOB.replace("Contact", "Proxy-Require: x-new\nContact"), 420),
    ];
    for (text, expected) in table {
        assert_eq!(status(&bench.ask(JAMES, &text)), expected, "{text}");
        assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    }
    // An ACK is never answered, and a response to a request that did not pass here is dropped.
    bench.receive(udp(JAMES), &foreign(further("ACK", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo5", "")));
    bench.receive(
        udp(BOB),
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKmade.up\n\
         Via: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKx;received=203.0.113.1;rport=5060\nFrom: <sip:a@b>;tag=1\n\
         To: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 INVITE\nContent-Length: 0\n\n",
    );
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

/// Ann writes within her call to Bob, and also to James and a stranger.
fn ann_writes_in_the_call(bench: &mut Bench) -> String {
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    format!(
        "MESSAGE sip:bob@198.51.100.9:5070 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.6:5060;branch=z9hG4bKmany\n\
         Max-Forwards: 70\nFrom: <sip:ann@domain.com>;tag=a1\nTo: <sip:bob@domain.com>;tag=b1\n\
         Secondary-To: <sip:cy@198.51.100.10>\nCall-ID: call1@ann\nCSeq: 7 MESSAGE\n\
         Route: {}, <sip:198.51.100.8;lr>\nProxy-Require: secondary-to\nContent-Length: 2\n\nHi",
        field(&invite, "Record-Route").unwrap()
    )
}

#[test]
fn w29_in_a_session_the_leg_of_to_stays_in_the_dialog_and_the_others_are_out_of_it() {
    let mut bench = Bench::at_home();
    let text = ann_writes_in_the_call(&mut bench);
    let accepted = bench.ask(ANN, &text);
    assert_eq!((status(&accepted), field(&accepted, "To")), (202, Some("<sip:bob@domain.com>;tag=b1")));
    let within = bench.take_one("198.51.100.8:5060");
    assert!(within.starts_with("MESSAGE sip:bob@198.51.100.9:5070 SIP/2.0\r\n"), "{within}");
    for (name, value) in [
        ("Route", "<sip:198.51.100.8;lr>"),
        ("From", "<sip:ann@domain.com>;tag=a1"),
        ("To", "<sip:bob@domain.com>;tag=b1"),
        ("Also-To", "<sip:cy@198.51.100.10>"),
        ("Call-ID", "call1@ann"),
        ("CSeq", "7 MESSAGE"),
    ] {
        assert_eq!(field(&within, name), Some(value), "{within}");
    }
    let beside = bench.take_one("198.51.100.10:5060");
    assert_eq!(field(&beside, "To"), Some("<sip:cy@198.51.100.10>"));
    assert_ne!(field(&beside, "Call-ID"), Some("call1@ann"));
    assert!(field(&beside, "Route").is_none(), "{beside}");
    bench.answer("198.51.100.8:5060", &within, "200 OK");
    bench.answer("198.51.100.10:5060", &beside, "486 Busy Here");
    let report = bench.take_one(ANN);
    assert_eq!(
        body(&report),
        "sip:bob@domain.com delivery success\r\nsip:cy@198.51.100.10 delivery failure\r\n"
    );
    // A dialog of its own, since its CSeq does not continue Bob's.
    assert_eq!(field(&report, "Call-ID"), Some("call1@ann"));
    assert!(!field(&report, "From").unwrap().ends_with("tag=b1"), "{report}");
}

#[test]
fn w29_a_leg_in_a_dialog_is_the_same_transaction_after_a_crash_and_leaves_the_dialog_when_it_waits() {
    let mut bench = Bench::at_home();
    let text = ann_writes_in_the_call(&mut bench).replace("Proxy-Require", "Expires: 3600\nProxy-Require");
    bench.ask(ANN, &text);
    let first = bench.take_one("198.51.100.8:5060");
    bench.take_one("198.51.100.10:5060");
    bench.crash();
    let again = bench.take_one("198.51.100.8:5060");
    assert_eq!((top_branch(&again), field(&again, "To")), (top_branch(&first), field(&first, "To")));
    bench.answer("198.51.100.8:5060", &again, "480 Temporarily Unavailable");
    // He registers again, so the session is over, but a program that had the message recognises it (W15).
    bench.receive(udp(BOB), &register("bob", &format!("<sip:bob@{BOB}>"), 2, 600));
    let later = bench.take(BOB).pop().unwrap();
    assert!(later.starts_with("MESSAGE sip:bob@192.0.2.7:5060 SIP/2.0\r\n"), "{later}");
    assert_eq!(field(&later, "To"), Some("<sip:bob@domain.com>"));
    for same in ["From", "Call-ID", "CSeq"] {
        assert_eq!(field(&later, same), field(&first, same));
    }
}

#[test]
fn w14_nobody_from_elsewhere_writes_to_many_by_way_of_a_dialog() {
    let mut bench = Bench::at_home();
    let text =
        ann_writes_in_the_call(&mut bench).replace("sip:ann@domain.com>;tag", "sip:ann@elsewhere.org>;tag");
    assert_eq!(status(&bench.ask(JAMES, &text)), 403);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

const ANNS_END: &str = "192.0.2.6:40000";
const BOBS_END: &str = "192.0.2.7:40001";

/// Ann calls over a connection of hers.
fn by_tcp(text: &str) -> String {
    text.replace("Via: SIP/2.0/UDP", "Via: SIP/2.0/TCP")
}

/// The called phone's response, with its own tag.
fn answered(invite: &str, line: &str) -> String {
    let copied: String = ["Via", "Record-Route"]
        .into_iter()
        .flat_map(|name| fields(invite, name).into_iter().map(move |value| format!("{name}: {value}\n")))
        .collect();
    let (from, call_id) = (field(invite, "From").unwrap(), field(invite, "Call-ID").unwrap());
    format!(
        "SIP/2.0 {line}\n{copied}From: {from}\nTo: <sip:bob@domain.com>;tag=b1\nCall-ID: {call_id}\n\
         CSeq: 1 INVITE\nContent-Length: 0\n\n"
    )
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
