//! Legs: where they go, how they end, and what is reported of that: W4, W15 to W19.

mod merged;
mod size;
mod streams;

use super::*;

const CY: &str = "192.0.2.8:5060";

/// A submission to Bob only.
fn to_bob() -> String {
    SUBMISSION
        .replace("ann@domain.com", "bob@domain.com")
        .replace("Secondary-To: <im:bob@domain.com>\n", "Delivery-Report: final;detail\n")
}

/// What the report says of the only recipient.
fn told(bench: &mut Bench) -> String {
    let notify = bench.take(JAMES).into_iter().find(|text| text.starts_with("NOTIFY")).expect("no report");
    body(&notify).trim_end().trim_start_matches("im:bob@domain.com delivery ").to_owned()
}

#[test]
fn w18_each_final_response_is_told_as_it_is() {
    let cases = [
        ("200 OK", "success;status=200;reason=\"OK\""),
        ("202 Accepted", "success;status=202;reason=\"Accepted\""),
        ("302 Moved Temporarily", "failure;status=302;reason=\"Moved Temporarily\""),
        ("404 Gone Fishing", "failure;status=404;reason=\"Gone Fishing\""),
        ("480 Temporarily Unavailable", "failure;status=480;reason=\"Temporarily Unavailable\""),
        ("482 Loop Detected", "failure;status=482;reason=\"Loop Detected\""),
        ("486 Busy Here", "failure;status=486;reason=\"Busy Here\""),
        ("503 Service Unavailable", "failure;status=503;reason=\"Service Unavailable\""),
        ("603 Decline", "failure;status=603;reason=\"Decline\""),
    ];
    for (line, expected) in cases {
        let mut bench = Bench::at_home();
        bench.ask(JAMES, &to_bob());
        let leg = bench.take_one(BOB);
        bench.answer(BOB, &leg, "100 Trying");
        assert!(bench.take(JAMES).is_empty());
        bench.answer(BOB, &leg, line);
        assert_eq!(told(&mut bench), format!("{expected};tries=1;after=0"));
        bench.answer(BOB, &leg, "200 OK");
        assert!(bench.sent.is_empty(), "a second final response says nothing");
    }
}

#[test]
fn w18_silence_is_408_nobody_home_480_and_a_broken_way_503() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &to_bob());
    bench.advance_ms(32_000);
    assert_eq!(told(&mut bench), "failure;status=408;reason=\"Request Timeout\";tries=11;after=32000");

    let mut bench = Bench::new();
    bench.receive(udp(JAMES), &to_bob());
    assert_eq!(told(&mut bench), "failure;status=480;reason=\"Temporarily Unavailable\";tries=0;after=0");

    let mut bench = Bench::at_home();
    bench.ask(JAMES, &to_bob());
    bench.advance_ms(700);
    bench.not_sent(BOB, SendFault::Refused);
    assert_eq!(told(&mut bench), "failure;status=503;reason=\"Service Unavailable\";tries=2;after=700");
}

#[test]
fn w16_all_bindings_get_it_and_the_first_2xx_decides() {
    let mut bench = Bench::at_home();
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.8:5060>;q=0.1", 2, 600));
    bench.ask(JAMES, &to_bob());
    let (home, phone) = (bench.take_one(BOB), bench.take_one(CY));
    assert_eq!(field(&home, "Call-ID"), field(&phone, "Call-ID"));
    assert_eq!(field(&home, "From"), field(&phone, "From"));
    assert_ne!(field(&home, "Via"), field(&phone, "Via"));
    assert!(phone.starts_with("MESSAGE sip:bob@192.0.2.8:5060 SIP/2.0\r\n"));
    bench.answer(BOB, &home, "603 Decline");
    assert!(bench.take(JAMES).is_empty(), "another binding may take it");
    bench.answer(CY, &phone, "200 OK");
    assert_eq!(told(&mut bench), "success;status=200;reason=\"OK\";tries=2;after=0");
}

#[test]
fn w16_the_other_binding_still_gets_it_after_the_first_2xx() {
    let mut bench = Bench::at_home();
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.8:5060>", 2, 600));
    bench.ask(JAMES, &to_bob());
    let home = bench.take_one(BOB);
    bench.take(CY);
    bench.answer(BOB, &home, "200 OK");
    let notify = bench.take_one(JAMES);
    bench.answer(JAMES, &notify, "200 OK");
    bench.advance_ms(40_000);
    assert_eq!(bench.take(CY).len(), 10, "retransmitted to the end");
    assert!(bench.take(JAMES).is_empty(), "and not counted twice");
}

#[test]
fn w18_of_several_bindings_the_best_response_is_told() {
    for (home, phone, best) in [
        ("486 Busy Here", "603 Decline", 603),
        ("500 Oops", "404 Not Found", 404),
        ("486 Busy Here", "415 No", 415),
    ] {
        let mut bench = Bench::at_home();
        bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.8:5060>", 2, 600));
        bench.ask(JAMES, &to_bob());
        let (first, second) = (bench.take_one(BOB), bench.take_one(CY));
        bench.answer(BOB, &first, home);
        bench.answer(CY, &second, phone);
        assert!(told(&mut bench).starts_with(&format!("failure;status={best};")));
    }
    let mut bench = Bench::at_home();
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.8:5060>", 2, 600));
    bench.ask(JAMES, &to_bob());
    let leg = bench.take_one(BOB);
    bench.answer(BOB, &leg, "486 Busy Here");
    bench.advance_ms(32_000);
    assert!(told(&mut bench).starts_with("failure;status=486;"), "silence says least");
}

#[test]
fn w18_a_redirect_is_followed_by_preference_with_the_same_call_id() {
    let mut bench = Bench::at_home();
    bench.register("cy", CY);
    bench.ask(JAMES, &to_bob());
    let leg = bench.take_one(BOB);
    let moved = "Contact: <sip:bob@192.0.2.33:5060>;q=0.2, <sip:cy@domain.com>\n";
    bench.answer_with(udp(BOB), &leg, "302 Moved Temporarily", moved);
    let away = bench.take_one("192.0.2.33:5060");
    assert!(away.starts_with("MESSAGE sip:bob@192.0.2.33:5060 SIP/2.0\r\n"), "{away}");
    assert_eq!(field(&away, "Call-ID"), field(&leg, "Call-ID"));
    assert_eq!(field(&away, "To"), Some("<sip:bob@domain.com>"));
    let cy = bench.take_one(CY);
    bench.answer("192.0.2.33:5060", &away, "404 Not Found");
    bench.answer(CY, &cy, "200 OK");
    assert!(told(&mut bench).starts_with("success;status=200;"));
}

#[test]
fn w18_redirects_end_after_five_steps_and_ten_targets_each_once() {
    // A redirect loop: each target is tried once, then the redirect itself is reported.
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &to_bob());
    let leg = bench.take_one(BOB);
    bench.answer_with(udp(BOB), &leg, "301 Moved", "Contact: <sip:bob@192.0.2.7:5060>\n");
    assert!(bench.take(BOB).is_empty());
    assert!(told(&mut bench).starts_with("failure;status=301;"));

    // A redirect chain.
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &to_bob());
    let mut leg = bench.take_one(BOB);
    let mut from = BOB.to_owned();
    for step in 1..=5 {
        let next = format!("192.0.2.7:{}", 6000 + step);
        bench.answer_with(udp(&from), &leg, "302 Moved", &format!("Contact: <sip:bob@{next}>\n"));
        leg = bench.take_one(&next);
        from = next;
    }
    bench.answer_with(udp(&from), &leg, "302 Moved", "Contact: <sip:bob@192.0.2.7:7000>\n");
    assert!(told(&mut bench).starts_with("failure;status=302;"));
    assert!(bench.sent.is_empty());

    // Many targets at once.
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &to_bob());
    let leg = bench.take_one(BOB);
    let many: Vec<_> = (1..=30).map(|number| format!("<sip:bob@192.0.2.9:{}>", 6000 + number)).collect();
    bench.answer_with(udp(BOB), &leg, "300 Many", &format!("Contact: {}\n", many.join(", ")));
    assert_eq!(
        bench.sent.iter().filter(|sent| sent.text.starts_with("MESSAGE")).count(),
        9,
        "ten with the first"
    );
}

#[test]
fn w17_a_leg_ends_one_timer_f_after_its_first_transmission_redirects_included() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &to_bob());
    let leg = bench.take_one(BOB);
    bench.advance_ms(20_000);
    bench.answer_with(udp(BOB), &leg, "302 Moved", "Contact: <sip:bob@192.0.2.33>\n");
    bench.advance_ms(11_999);
    assert!(bench.take(JAMES).is_empty());
    bench.advance_ms(1);
    assert!(told(&mut bench).starts_with("failure;status=408;"));
}

#[test]
fn w18_a_datagram_that_is_refused_fails_one_leg_and_no_other_on_its_flow() {
    let mut bench = Bench::at_home();
    for call in ["one", "two"] {
        bench.ask(JAMES, &to_bob().replace("asd88asd77a", call).replace("K776", call));
    }
    assert_eq!(bench.take(BOB).len(), 2);
    bench.not_sent(BOB, SendFault::Refused);
    assert!(told(&mut bench).starts_with("failure;status=503;"));
    bench.advance_ms(500);
    assert_eq!(bench.take(BOB).len(), 1);
}

#[test]
fn w19_a_literal_address_is_reached_directly_and_a_name_is_looked_up() {
    let mut bench = Bench::new();
    bench.ask(JAMES, &to_bob().replace("im:bob@domain.com", "sip:bob@192.0.2.77:5090"));
    let leg = bench.take_one("192.0.2.77:5090");
    assert!(leg.starts_with("MESSAGE sip:bob@192.0.2.77:5090 SIP/2.0\r\n"), "{leg}");

    let mut bench = Bench::new();
    bench.ask(JAMES, &to_bob().replace("im:bob@domain.com", "im:bob@example.org"));
    let (id, uri) = bench.resolves.remove(0);
    assert_eq!(uri, "sip:bob@example.org");
    let hops = [(Transport::Tcp, "192.0.2.80:5060"), (Transport::Udp, "192.0.2.81:5060")];
    let hops = hops.map(|(transport, remote)| Hop { transport, remote: address(remote) }).to_vec();
    bench.input(Input::Resolved { id, hops });
    let (id, hop) = bench.connects.remove(0);
    assert_eq!(hop.remote, address("192.0.2.80:5060"));
    bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    let leg = bench.take_one("192.0.2.81:5060");
    assert!(leg.starts_with("MESSAGE sip:bob@example.org SIP/2.0\r\n"), "{leg}");
}

#[test]
fn w19_the_settings_may_name_the_server_of_a_domain_of_others() {
    let hop = Hop { transport: Transport::Udp, remote: address("192.0.2.90:5070") };
    let routes = vec![StaticRoute { domain: "example.org".to_owned(), hop }];
    let mut bench = Bench::with(ProxyConfig { routes, ..config() });
    bench.ask(JAMES, &to_bob().replace("im:bob@domain.com", "im:bob@Example.org"));
    let leg = bench.take_one("192.0.2.90:5070");
    assert!(leg.starts_with("MESSAGE sip:bob@Example.org SIP/2.0\r\n"), "{leg}");
    assert!(bench.resolves.is_empty());
    // Another port or transport means another server; requested TLS is not dropped (W32).
    for (number, other) in
        ["sip:bob@example.org:5071", "sips:bob@example.org", "sip:bob@example.org;transport=tcp"]
            .into_iter()
            .enumerate()
    {
        let message =
            to_bob().replace("im:bob@domain.com", other).replace("asd88asd77a", &format!("c{number}"));
        bench.ask(JAMES, &message.replace("z9hG4bK776", &format!("z9hG4bK{number}")));
        assert_eq!(bench.resolves.len(), number + 1, "{other}");
        assert!(bench.take("192.0.2.90:5070").is_empty(), "{other}");
    }
}

#[test]
fn w18_no_route_is_503_and_no_leg_comes_back_to_us() {
    for hops in [vec![], vec![Hop { transport: Transport::Udp, remote: address(PROXY) }]] {
        let mut bench = Bench::new();
        bench.ask(JAMES, &to_bob().replace("im:bob@domain.com", "im:bob@example.org"));
        let (id, _) = bench.resolves.remove(0);
        bench.input(Input::Resolved { id, hops });
        let notify = bench.take_one(JAMES);
        assert!(
            body(&notify)
                .starts_with("im:bob@example.org delivery failure;status=503;reason=\"No Route\";tries=0"),
            "{notify}"
        );
    }
    let mut bench = Bench::new();
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.100:5060>", 1, 600));
    bench.receive(udp(JAMES), &to_bob());
    assert!(bench.take(PROXY).is_empty());
    assert!(told(&mut bench).starts_with("failure;status=503;"));
}

#[test]
fn a_contact_by_name_is_looked_up_and_else_reached_where_it_registered_from() {
    let mut bench = Bench::new();
    bench.ask(BOB, &register("bob", "<sip:bob@bobs-laptop>", 1, 600));
    bench.ask(JAMES, &to_bob());
    let (id, uri) = bench.resolves.remove(0);
    assert_eq!(uri, "sip:bob@bobs-laptop");
    bench.input(Input::Resolved { id, hops: vec![] });
    assert!(bench.take_one(BOB).starts_with("MESSAGE sip:bob@bobs-laptop SIP/2.0\r\n"));
}

#[test]
fn w15_what_is_not_ours_goes_through_untouched() {
    let mut bench = Bench::at_home();
    let text = to_bob().replace(
        "Content-Type: text/plain",
        "Date: Sat, 13 Nov 2010 23:29:00 GMT\nX-Odd:   some  thing\nSubject: Hi\nAuthorization: Digest x\nContent-Encoding: identity\nContent-Type: application/x-any;a=\"b\"",
    );
    bench.ask(JAMES, &text);
    let leg = bench.take_one(BOB);
    for kept in [
        "\r\nDate: Sat, 13 Nov 2010 23:29:00 GMT\r\n",
        "\r\nX-Odd:   some  thing\r\n",
        "\r\nSubject: Hi\r\n",
        "\r\nContent-Encoding: identity\r\n",
        "\r\nContent-Type: application/x-any;a=\"b\"\r\n",
    ] {
        assert!(leg.contains(kept), "{kept} in {leg}");
    }
    assert!(!leg.contains("Authorization"));
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &to_bob());
    assert_eq!(field(&bench.take_one(BOB), "Date"), Some("Fri, 15 Jan 2027 08:00:00 GMT"));
}

#[test]
fn w15_482_to_a_leg_taken_up_again_is_sent_once_more_after_timer_j_and_then_success() {
    for (second, expected) in [
        ("482 Merged", "success;status=200"),
        ("200 OK", "success;status=200"),
        ("486 Busy", "failure;status=486"),
    ] {
        let mut bench = Bench::at_home();
        bench.ask(JAMES, &to_bob());
        let before = bench.take_one(BOB);
        bench.crash();
        let leg = bench.take_one(BOB);
        assert_eq!(leg, before);
        bench.answer(BOB, &leg, "482 Merged Request");
        bench.advance_ms(31_999);
        assert!(bench.sent.is_empty());
        bench.advance_ms(1);
        let again = bench.take_one(BOB);
        assert_eq!(field(&again, "Call-ID"), field(&leg, "Call-ID"));
        assert_eq!(field(&again, "From"), field(&leg, "From"));
        assert_ne!(field(&again, "Via"), field(&leg, "Via"));
        bench.advance_ms(5000);
        bench.answer(BOB, &again, second);
        assert!(told(&mut bench).starts_with(expected), "{second}");
    }
}

#[test]
fn w16_a_binding_that_is_still_connecting_gets_it_though_another_one_has_decided() {
    let mut bench = Bench::at_home();
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.8:5060;transport=tcp>", 2, 600));
    bench.ask(JAMES, &to_bob());
    let home = bench.take_one(BOB);
    bench.answer(BOB, &home, "200 OK");
    let notify = bench.take_one(JAMES);
    bench.answer(JAMES, &notify, "200 OK");
    bench.advance_ms(1000);
    let (id, _) = bench.connects.remove(0);
    bench.input(Input::Connected { id, flow: tcp(CY, 9) });
    assert_eq!(field(&bench.take_one(CY), "Call-ID"), field(&home, "Call-ID"));
}

#[test]
fn what_follows_a_question_mark_in_a_contact_is_in_no_request_uri() {
    let mut bench = Bench::new();
    for (name, contact) in
        [("ann", "<sip:ann@192.0.2.6:5060?Subject=x>"), ("bob", "<sip:bob@192.0.2.7:5060;x=y?a=b>")]
    {
        bench.ask(JAMES, &register(name, contact, 1, 600));
    }
    let text = other_submission("sip:james@jamesmob.domain.com", "sip:james@jamesmob.domain.com?Route=z");
    assert_eq!(status(&bench.ask(JAMES, &text)), 202);
    let (ann, bob) = (bench.take_one(ANN), bench.take_one(BOB));
    assert!(ann.starts_with("MESSAGE sip:ann@192.0.2.6:5060 SIP/2.0\r\n"), "{ann}");
    assert!(bob.starts_with("MESSAGE sip:bob@192.0.2.7:5060;x=y SIP/2.0\r\n"), "{bob}");
    bench.answer(ANN, &ann, "200 OK");
    bench.answer_with(udp(BOB), &bob, "302 Moved", "Contact: <sip:bob@192.0.2.77:5060?Subject=x>\n");
    let moved = bench.take_one("192.0.2.77:5060");
    assert!(moved.starts_with("MESSAGE sip:bob@192.0.2.77:5060 SIP/2.0\r\n"), "{moved}");
    bench.answer("192.0.2.77:5060", &moved, "200 OK");
    let report = bench.take_one(JAMES);
    assert!(report.starts_with("NOTIFY sip:james@jamesmob.domain.com SIP/2.0\r\n"), "{report}");
}

/// RFC 3261 §17.1.3: an answer is known by the branch of its topmost Via and the method of its CSeq.
#[test]
fn w17_an_answer_counts_whatever_its_from_and_to_and_via_look_like() {
    for (old, new) in [
        ("From: <sip:james@domain.com>", "From: <sip:769@>"),
        ("To: <sip:bob@domain.com>", "To: \"\"unknown\"\" <sip:bob@domain.com>"),
        ("To: <sip:bob@domain.com>", "To: Bob, the One <sip:bob@domain.com>"),
        ("\nFrom: ", " (Acme Packet)\nFrom: "),
        ("\nFrom: ", ";rport=;received=;\nFrom: "),
        ("Content-Length: 0", "Content-Length:"),
        (";tag=uas", ";tag=uas;"),
        (";tag=uas", ";tag="),
    ] {
        let mut bench = Bench::at_home();
        bench.ask(JAMES, &to_bob());
        let leg = bench.take_one(BOB);
        let answer = Bench::answer_text(&leg, "200 OK", "");
        assert!(answer.contains(old), "{old}: {answer}");
        bench.receive(udp(BOB), &answer.replacen(old, new, 1));
        assert!(told(&mut bench).starts_with("success;status=200;"), "{new}");
    }
}

/// RFC 3261 §21.3.4, §21.3.5: the Contact of a 305 is a proxy, and that of a 380 in another service.
#[test]
fn w18_what_names_no_target_is_not_followed() {
    for line in ["305 Use Proxy", "380 Alternative Service"] {
        let mut bench = Bench::at_home();
        bench.ask(JAMES, &to_bob());
        let leg = bench.take_one(BOB);
        bench.answer_with(udp(BOB), &leg, line, "Contact: <sip:bob@192.0.2.33:5060>\n");
        assert!(bench.take("192.0.2.33:5060").is_empty(), "{line}");
        assert!(
            told(&mut bench).starts_with(&format!("failure;status={};", line.get(..3).unwrap())),
            "{line}"
        );
    }
    for line in ["300 Multiple Choices", "301 Moved Permanently", "302 Moved;", "399 Unknown"] {
        let mut bench = Bench::at_home();
        bench.ask(JAMES, &to_bob());
        let leg = bench.take_one(BOB);
        bench.answer_with(udp(BOB), &leg, line, "Contact: <sip:bob@192.0.2.33:5060>;q=1;\n");
        assert_eq!(bench.take("192.0.2.33:5060").len(), 1, "{line}");
    }
}
