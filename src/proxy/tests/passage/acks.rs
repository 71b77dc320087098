//! Where an ACK and a CANCEL go (RFC 3261 §13.2.2.4, §9.1; W14).

use super::*;

#[test]
fn rfc_3261_an_ack_and_a_cancel_without_an_invite_go_nowhere() {
    let mut bench = asking();
    let us = format!("<sip:{PROXY};lr>");
    let routes = [
        String::new(),
        format!("Route: <sip:{VICTIM};lr>\n"),
        format!("Route: {us}, <sip:{VICTIM};lr>\n"),
        format!("Route: {us}\nRoute: <sip:victim.org;transport=tcp;lr>\n"),
        format!("Route: <sip:{PROXY};lr;d=ffffff.0123456789abcdef>, <sip:{VICTIM}>\n"),
        format!("Route: {us}\n"),
    ];
    let uris = [
        format!("sip:x@{VICTIM}"),
        format!("sip:x@{VICTIM};transport=tcp"),
        "sip:x@victim.org".to_owned(),
        "sip:bob@domain.com".to_owned(),
        format!("sip:bob@{BOB}"),
        format!("sip:x@192.0.2.100:9999;maddr={VICTIM}"),
    ];
    let mut number = 0;
    for (method, from, to) in [
        ("ACK", CEO, TO_BOB),
        ("ACK", EVE, BOB_AT),
        ("ACK", "<sip:bob@domain.com>;tag=e1", BOB_AT),
        ("CANCEL", CEO, TO_BOB),
        ("CANCEL", EVE, BOB_AT),
    ] {
        for (uri, route) in uris.iter().flat_map(|uri| routes.iter().map(move |route| (uri, route))) {
            number += 1;
            for flow in [udp(STRANGER), tcp(STRANGER, 9)] {
                bench.receive(flow, &request(method, uri, (from, to), &format!("a{number}"), route));
            }
            let answers = bench.take(STRANGER);
            assert!(
                answers.iter().all(|answer| status(answer) == 481),
                "{method} {uri} {route}: {answers:?}"
            );
            assert_eq!(answers.len(), if method == "ACK" { 0 } else { 2 }, "{method} {uri} {route}");
            assert!(is_silent(&bench), "{method} {uri} {route}: {:?}", bench.sent);
        }
    }
}

#[test]
fn rfc_3261_a_cancel_and_the_ack_of_a_failure_go_where_their_invite_went_and_nowhere_else() {
    let mut bench = asking();
    bench.receive(udp(STRANGER), &call());
    let invite = bench.take_one(BOB);
    let branch = |text: &str| fields(text, "Via")[0].to_owned();
    for method in ["CANCEL", "ACK"] {
        // Whatever the Request-URI says.
        for uri in ["sip:bob@domain.com".to_owned(), format!("sip:x@{VICTIM}")] {
            bench.receive(udp(STRANGER), &request(method, &uri, (EVE, TO_BOB), "inv", ""));
            let passed = bench.take_one(BOB);
            assert!(passed.starts_with(&format!("{method} sip:bob@{BOB} SIP/2.0\r\n")), "{passed}");
            assert_eq!(branch(&passed), branch(&invite));
        }
    }
    // Of another transaction, caller or call, or from another computer.
    let cancel = request("CANCEL", "sip:bob@domain.com", (EVE, TO_BOB), "inv", "");
    for other in [
        cancel.replace("Kinv", "Kinw"),
        cancel.replace("tag=e1", "tag=e2"),
        cancel.replace("call-1", "call-2"),
        cancel.replace("CSeq: 1", "CSeq: 2"),
    ] {
        assert_eq!(status(&bench.ask(STRANGER, &other)), 481, "{other}");
    }
    assert_eq!(status(&bench.ask(VICTIM, &cancel)), 481);
    // It is remembered while the phone rings.
    bench.advance(SESSION_INVITE_KEPT - Duration::from_secs(1));
    bench.receive(udp(BOB), &answered(&invite, "180 Ringing", "sip:bob@192.0.2.7"));
    bench.take_one(STRANGER);
    bench.advance_ms(2000);
    bench.receive(udp(STRANGER), &cancel);
    bench.take_one(BOB);
    bench.advance(SESSION_INVITE_KEPT);
    assert_eq!(status(&bench.ask(STRANGER, &cancel)), 481);
    bench.receive(udp(STRANGER), &call());
    bench.take_one(BOB);
    bench.crash();
    bench.input(Input::Command(users()));
    assert_eq!(status(&bench.ask(STRANGER, &cancel)), 481, "what is not stored is gone");
}

#[test]
fn rfc_3261_the_ack_of_a_success_goes_to_a_party_of_that_dialog() {
    let mut bench = asking();
    let bobs = "sip:bob@198.51.100.7:5072";
    bench.receive(udp(STRANGER), &call());
    let invite = bench.take_one(BOB);
    let route = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    let ack = |uri: &str, branch: &str, to: &str| request("ACK", uri, (EVE, to), branch, &route);
    bench.receive(udp(STRANGER), &ack(bobs, "k1", BOB_AT));
    assert!(is_silent(&bench), "before he has answered: {:?}", bench.sent);
    let ok = answered(&invite, "200 OK", bobs);
    bench.receive(udp(BOB), &ok);
    bench.take_one(STRANGER);
    bench.receive(udp(STRANGER), &ack(bobs, "k2", BOB_AT));
    let passed = bench.take_one("198.51.100.7:5072");
    assert!(
        passed.starts_with(&format!("ACK {bobs} SIP/2.0\r\n")) && field(&passed, "Route").is_none(),
        "{passed}"
    );
    for (number, uri) in
        [format!("sip:x@{VICTIM}"), "sip:bob@198.51.100.7:5073".to_owned()].iter().enumerate()
    {
        bench.receive(udp(STRANGER), &ack(uri, &format!("k3{number}"), BOB_AT));
    }
    bench.receive(udp(STRANGER), &ack(bobs, "k4", "<sip:bob@domain.com>;tag=b2"));
    assert!(is_silent(&bench), "{:?}", bench.sent);
    // Lost in a restart, and learned again from the retransmitted 200.
    bench.crash();
    bench.input(Input::Command(users()));
    bench.receive(udp(STRANGER), &ack(bobs, "k5", BOB_AT));
    assert!(is_silent(&bench), "{:?}", bench.sent);
    bench.receive(udp(BOB), &ok);
    bench.take_one(STRANGER);
    bench.receive(udp(STRANGER), &ack(bobs, "k6", BOB_AT));
    bench.take_one("198.51.100.7:5072");
}

#[test]
fn rfc_3261_an_ack_passes_from_where_the_call_was_made_or_by_our_route_and_is_small() {
    let mut bench = asking();
    let route = stands(&mut bench);
    let bobs = format!("sip:bob@{BOB}");
    let mut number = 0;
    let mut acks = |bench: &mut Bench, from: &str, more: &str, body: usize| {
        number += 1;
        let text = request("ACK", &bobs, (EVE, BOB_AT), &format!("w{number}"), more);
        let text = text
            .replace("Content-Length: 3\n\nabc", &format!("Content-Length: {body}\n\n{}", "a".repeat(body)));
        bench.receive(udp(from), &text);
        bench.receive(tcp(from, 7), &text.replace("z9hG4bKw", "z9hG4bKt"));
        let passed = bench.take(BOB).len();
        assert!(is_silent(bench), "{:?}", bench.sent);
        passed
    };
    assert_eq!(acks(&mut bench, STRANGER, "", 3), 2);
    assert_eq!(acks(&mut bench, "203.0.113.66:40000", "", 3), 2, "another port of it");
    assert_eq!(acks(&mut bench, VICTIM, "", 3), 0, "from elsewhere");
    assert_eq!(acks(&mut bench, BOB, "", 3), 0, "from whom it is for");
    assert_eq!(acks(&mut bench, VICTIM, &route, 3), 2, "the caller has moved");
    let forged = route.replace("d=", "d=f");
    assert_eq!(acks(&mut bench, VICTIM, &forged, 3), 0);
    for more in ["", route.as_str()] {
        assert_eq!(acks(&mut bench, STRANGER, more, 15_000), 2);
        assert_eq!(acks(&mut bench, STRANGER, more, UNCHALLENGED_BYTES_MAX), 0);
    }
    assert_eq!(acks(&mut bench, GATEWAY, "", UNCHALLENGED_BYTES_MAX), 0);
    // The same for the ACK of a failure, and for a CANCEL.
    let large = "a".repeat(UNCHALLENGED_BYTES_MAX);
    for (method, told) in [("ACK", &[][..]), ("CANCEL", &[413])] {
        let text = request(method, "sip:bob@domain.com", (EVE, TO_BOB), "inv", "").replace("abc", &large);
        bench.receive(
            udp(STRANGER),
            &text.replace("Content-Length: 3", &format!("Content-Length: {}", large.len())),
        );
        let answers: Vec<_> = bench.take(STRANGER).iter().map(|answer| status(answer)).collect();
        assert_eq!(answers, told);
        assert!(is_silent(&bench));
    }
}

#[test]
fn one_who_calls_without_end_makes_nobody_elses_cancel_fail() {
    let mut bench = asking();
    bench.receive(udp(STRANGER), &call());
    bench.take_one(BOB);
    // A trusted peer is not counted.
    for number in 0..9000 {
        let text = request("INVITE", "sip:bob@domain.com", (EVE, TO_BOB), &format!("g{number}"), "");
        bench.receive(udp(GATEWAY), &text);
        bench.sent.clear();
        if number == 0 {
            bench.advance_ms(1);
        }
    }
    let cancel = |branch: &str| request("CANCEL", "sip:bob@domain.com", (EVE, TO_BOB), branch, "");
    bench.receive(udp(STRANGER), &cancel("inv"));
    assert!(bench.take_one(BOB).starts_with("CANCEL "));
    assert_eq!(status(&bench.ask(GATEWAY, &cancel("g0"))), 481, "his own made room");
    bench.receive(udp(GATEWAY), &cancel("g8999"));
    bench.take_one(BOB);
}
