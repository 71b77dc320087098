//! A trusted peer, such as a telephone gateway, to which a recipient leads what others send him: it would act in the name
//! of the sender, whose identity is asserted there (RFC 3325).

use super::parties::{ANN_AT, CEO_AT, prove};
use super::*;

const ANN_SAYS: &str = "<sip:ann@domain.com>;tag=a1";
const TELEPHONE: &str = "sip:+1900@192.0.2.9:5060";

/// Ann and the ceo are there; a telephone number and a partner's domain lead to the gateway.
fn with_gateway() -> Bench {
    let hop = Hop { transport: Transport::Udp, remote: address(GATEWAY) };
    let routes = ["tel", "partner.example"].map(|domain| StaticRoute { domain: domain.to_owned(), hop });
    let trust = vec!["udp:192.0.2.9/32".parse().unwrap()];
    let mut bench = Bench::with(ProxyConfig { auth: Auth::On, trust, routes: routes.into(), ..config() });
    bench.input(Input::Command(users()));
    sign_in(&mut bench, "ann", ANN_AT, 1);
    sign_in(&mut bench, "ceo", CEO_AT, 1);
    bench
}

/// Ann writes to somebody elsewhere; returns the leg that comes there.
fn ann_writes_to(bench: &mut Bench, place: &str) -> String {
    let uri = format!("sip:x@{place}");
    let more = "Proxy-Require: secondary-to\nDelivery-Report: final\n";
    let text = request("MESSAGE", &uri, (ANN_SAYS, &format!("<{uri}>")), "gw", more);
    assert_eq!(prove(bench, "ann", ANN_AT, &text), [202]);
    bench.take_one(place)
}

#[test]
fn w18_a_redirect_to_a_gateway_is_not_followed_by_number_by_name_or_by_route() {
    for contact in [TELEPHONE, "tel:+1900", "sip:+1900@partner.example", "sip:+1900@gw.example:5060"] {
        let mut bench = with_gateway();
        let leg = ann_writes_to(&mut bench, STRANGER);
        bench.answer_with(udp(STRANGER), &leg, "302 Moved", &format!("Contact: <{contact}>\n"));
        if contact.contains("gw.example") {
            leads_to(&mut bench, GATEWAY);
        }
        bench.advance_ms(40_000);
        assert!(bench.take(GATEWAY).is_empty(), "{contact}");
        let told = bench.take(ANN_AT).join("\n");
        assert!(told.contains("delivery failure"), "{contact}: {told}");
        // Followed elsewhere, as it always was.
        let mut bench = with_gateway();
        let leg = ann_writes_to(&mut bench, STRANGER);
        bench.answer_with(
            udp(STRANGER),
            &leg,
            "302 Moved",
            &format!("Contact: <sip:x@{VICTIM}>, <{contact}>\n"),
        );
        assert_eq!(field(&bench.take_one(VICTIM), "P-Asserted-Identity"), None);
    }
}

#[test]
fn a_stranger_is_not_at_the_address_of_a_gateway() {
    for (from, at, expected) in [
        ("sip:+1900@192.0.2.9", STRANGER, 403),
        ("sips:+1900@[::ffff:192.0.2.9]:5061", STRANGER, 403),
        ("sip:+1900@192.0.2.99", STRANGER, 200),
        ("sip:+1900@192.0.2.9", GATEWAY, 200),
    ] {
        for method in ["MESSAGE", "INVITE", "OPTIONS"] {
            let mut bench = with_gateway();
            let from = format!("<{from}>;tag=s1");
            let text = request(method, "sip:ann@domain.com", (&from, "<sip:ann@domain.com>"), "st", "");
            bench.receive(udp(at), &text);
            let came = bench.take(ANN_AT);
            assert_eq!(came.len(), usize::from(expected == 200), "{method} {from} {came:?}");
            if expected == 403 {
                assert!(bench.take(at).iter().any(|text| status(text) == 403), "{method} {from}");
            }
        }
    }
}

#[test]
fn w18_a_redirect_of_a_trusted_peer_is_followed_and_the_sender_asserted() {
    let mut bench = with_gateway();
    let leg = ann_writes_to(&mut bench, GATEWAY);
    assert_eq!(field(&leg, "P-Asserted-Identity"), Some("<sip:ann@domain.com>"), "Ann has chosen it herself");
    bench.answer_with(udp(GATEWAY), &leg, "302 Moved", "Contact: <tel:+1900>, <sip:+1901@192.0.2.9:5060>\n");
    let legs = bench.take(GATEWAY);
    assert_eq!(legs.len(), 2);
    for leg in legs {
        assert_eq!(field(&leg, "P-Asserted-Identity"), Some("<sip:ann@domain.com>"));
    }
}

#[test]
fn w29_a_binding_leads_nobody_to_a_gateway_unless_that_has_made_it() {
    for contact in [TELEPHONE, "sip:+1900@gw.example:5060"] {
        let mut bench = with_gateway();
        let text = register("ceo", &format!("<{contact}>, <sip:ceo@{CEO_AT}>;expires=0"), 5, 3600);
        let asked = bench.ask(CEO_AT, &text);
        assert_eq!(status(&bench.ask(CEO_AT, &proved("ceo", &asked, &text, "Authorization"))), 200);
        let many = "Proxy-Require: secondary-to\nDelivery-Report: final\n";
        for (number, (method, more, told)) in
            [("INVITE", "", 480), ("MESSAGE", "", 480), ("MESSAGE", many, 202)].into_iter().enumerate()
        {
            let people = (ANN_SAYS, "<sip:ceo@domain.com>");
            let text = request(method, "sip:ceo@domain.com", people, &format!("bi{number}"), more);
            let mut answers = prove(&mut bench, "ann", ANN_AT, &text);
            if contact.contains("gw.example") {
                leads_to(&mut bench, GATEWAY);
                let later = bench.take(ANN_AT);
                answers.extend(later.iter().filter(|it| it.starts_with("SIP/2.0 ")).map(|it| status(it)));
            }
            bench.advance_ms(40_000);
            assert!(bench.take(GATEWAY).is_empty(), "{method} {contact}");
            let told =
                if told == 480 && contact.contains("gw.example") && method == "MESSAGE" { 500 } else { told };
            assert_eq!(answers, [told], "{method} {contact}");
        }
        // The gateway says it itself.
        let gone = if contact == TELEPHONE { String::new() } else { format!("<{contact}>;expires=0, ") };
        let text = register("ceo", &format!("{gone}<{TELEPHONE}>"), 9, 3600);
        assert_eq!(status(&bench.ask(GATEWAY, &text)), 200);
        bench.sent.clear();
        let people = (ANN_SAYS, "<sip:ceo@domain.com>");
        let text = request("INVITE", "sip:ceo@domain.com", people, "bi9", "");
        assert_eq!(prove(&mut bench, "ann", ANN_AT, &text), [0; 0]);
        let invite = bench.take_one(GATEWAY);
        assert_eq!(field(&invite, "P-Asserted-Identity"), Some("<sip:ann@domain.com>"));
    }
}

#[test]
fn w29_in_a_call_nothing_is_asserted_at_a_gateway_that_the_callee_merely_names() {
    // Called there, and answered from there; or called elsewhere, and answered with the gateway as its Contact.
    for (called, is_told) in [(GATEWAY, true), (STRANGER, false)] {
        let mut bench = with_gateway();
        let uri = format!("sip:x@{called}");
        let invite = request("INVITE", &uri, (ANN_SAYS, "<sip:x@y.org>"), "ia", "");
        assert_eq!(prove(&mut bench, "ann", ANN_AT, &invite), [0; 0]);
        let invite = bench.take_one(called);
        bench.receive(udp(called), &answered(&invite, "200 OK", TELEPHONE));
        let ours = field(&bench.take_one(ANN_AT), "Record-Route").unwrap().to_owned();
        let route = format!("Route: {ours}\n");
        let at = "<sip:x@y.org>;tag=b1";
        let many = format!("{route}Proxy-Require: secondary-to\nSecondary-To: <sip:ceo@domain.com>\n");
        for (number, (method, more)) in
            [("INVITE", &route), ("INFO", &route), ("MESSAGE", &route), ("BYE", &route), ("MESSAGE", &many)]
                .into_iter()
                .enumerate()
        {
            let text = request(method, TELEPHONE, (ANN_SAYS, at), &format!("ia{number}"), more)
                .replace("CSeq: 1", &format!("CSeq: {}", number + 2));
            prove(&mut bench, "ann", ANN_AT, &text);
            let passed = bench.take_one(GATEWAY);
            let told = is_told.then_some("<sip:ann@domain.com>");
            assert_eq!(field(&passed, "P-Asserted-Identity"), told, "{passed}");
        }
    }
}
