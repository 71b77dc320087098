//! A place that somebody names: by number, and by a name of which it is known only later where it leads. It may be the
//! device of another user, or a trusted peer.

use super::forwarded::{AS_ANN, reaches_the_ceo};
use super::parties::{ANN_AT, CEO_AT, TO_CEO, all_at_home, bob_blocks, prove};
use super::*;

const NAMED: &str = "sip:x@evil.org";

#[test]
fn w29_who_answers_for_another_reaches_by_a_name_the_caller_alone() {
    let contact = format!("Contact: <{NAMED}>\n");
    let behind = format!("Record-Route: <sip:evil.org;lr>\nContact: <sip:eve@{STRANGER}>\n");
    let eves = format!("sip:eve@{STRANGER}");
    for (more, uri, next) in [(&contact, NAMED, ""), (&behind, eves.as_str(), ", <sip:evil.org;lr>")] {
        let mut bench = all_at_home();
        let route = format!("Route: {}{next}\n", reaches_the_ceo(&mut bench, STRANGER, more));
        for (number, method) in ["INVITE", "INFO", "BYE"].into_iter().enumerate() {
            for (place, told) in [(BOB, &[403][..]), (GATEWAY, &[403]), (STRANGER, &[])] {
                let branch = format!("ln{number}{}", place.replace(['.', ':'], "-"));
                let text = request(method, uri, (AS_ANN, EVE), &branch, &route);
                assert_eq!(prove(&mut bench, "ceo", CEO_AT, &text), [] as [u16; 0]);
                leads_to(&mut bench, place);
                let answers: Vec<_> = bench.take(CEO_AT).iter().map(|answer| status(answer)).collect();
                assert_eq!(answers, told, "{method} {more} {place}");
                assert_eq!(bench.take(place).len(), usize::from(told.is_empty()), "{method} {more} {place}");
                assert!(is_silent(&bench), "{method} {more} {place}: {:?}", bench.sent);
            }
        }
        // Nor does the CANCEL of a refused INVITE.
        let text = request("INVITE", uri, (AS_ANN, EVE), "lc", &route);
        let invite = proved("ceo", &bench.ask(CEO_AT, &text), &text, "Proxy-Authorization");
        bench.receive(udp(CEO_AT), &invite);
        leads_to(&mut bench, BOB);
        assert_eq!(status(&bench.take_one(CEO_AT)), 403);
        bench.receive(udp(CEO_AT), &invite.replace("INVITE", "CANCEL"));
        assert_eq!(bench.take(CEO_AT), [""; 0]);
        leads_to(&mut bench, BOB);
        assert!(bench.take(BOB).is_empty(), "{more}");
    }
}

/// Eve calls Ann, who answers from there. Returns Eve's Route of ours.
fn calls_ann(bench: &mut Bench, contact: &str, more: &str) -> String {
    let eves = format!("Contact: <sip:eve@{STRANGER}>\n");
    bench.receive(
        udp(STRANGER),
        &request("INVITE", "sip:ann@domain.com", (EVE, "<sip:ann@domain.com>"), "ca", &eves),
    );
    let invite = bench.take_one(ANN_AT);
    let ok = answered(&invite, "200 OK", contact);
    bench.receive(udp(ANN_AT), &ok.replace("\nContact", &format!("\n{more}Contact")));
    assert_eq!(status(&bench.take_one(STRANGER)), 200);
    format!("Route: {}", field(&invite, "Record-Route").unwrap())
}

const ANN_ANSWERS: &str = "<sip:ann@domain.com>;tag=b1";

#[test]
fn w29_a_stranger_reaches_by_a_name_no_device_but_that_of_whom_he_calls_and_no_trusted_peer() {
    let mut bench = all_at_home();
    let route = format!("{}\n", calls_ann(&mut bench, "sip:ann@evil.org", ""));
    for method in ["ACK", "INFO", "INVITE", "BYE", "MESSAGE", "OPTIONS"] {
        for place in [CEO_AT, GATEWAY, ANN_AT] {
            let branch = format!("sn{method}{}", place.replace(['.', ':'], "-"));
            let text = request(method, "sip:ann@evil.org", (EVE, ANN_ANSWERS), &branch, &route);
            bench.receive(udp(STRANGER), &text);
            leads_to(&mut bench, place);
            let reached = bench.take(place).len();
            assert_eq!(reached, usize::from(place == ANN_AT), "{method} {place}");
            let told: Vec<_> = bench.take(STRANGER).iter().map(|answer| status(answer)).collect();
            let refused = match method {
                _ if place == ANN_AT => vec![],
                "ACK" => vec![],
                "MESSAGE" | "OPTIONS" => vec![500],
                _ => vec![403],
            };
            assert_eq!(told, refused, "{method} {place}");
            bench.sent.clear();
        }
    }
}

#[test]
fn w29_a_stranger_reaches_no_trusted_peer_and_nobodys_device_that_his_accomplice_names_by_number() {
    let anns = format!("sip:ann@{ANN_AT}");
    let at_gateway = format!("sip:x@{GATEWAY}");
    for (contact, more, uri, next) in [
        (&at_gateway, String::new(), &at_gateway, String::new()),
        (&anns, format!("Record-Route: <sip:{GATEWAY};lr>\n"), &anns, format!(", <sip:{GATEWAY};lr>")),
        (&anns, format!("Record-Route: <sip:{CEO_AT};lr>\n"), &anns, format!(", <sip:{CEO_AT};lr>")),
    ] {
        let mut bench = all_at_home();
        let ours = calls_ann(&mut bench, contact, &more);
        let route = format!("{ours}{next}\n");
        for method in ["ACK", "INFO", "INVITE", "BYE", "MESSAGE"] {
            let text = request(method, uri, (EVE, ANN_ANSWERS), &format!("sa{method}"), &route);
            bench.receive(udp(STRANGER), &text);
            let told: Vec<_> = bench.take(STRANGER).iter().map(|answer| status(answer)).collect();
            assert_eq!(told, if method == "ACK" { vec![] } else { vec![403] }, "{method} {more}");
            assert!(is_silent(&bench), "{method} {more}: {:?}", bench.sent);
        }
    }
}

#[test]
fn w29_a_trusted_peer_that_had_a_part_in_the_call_is_reached_by_name_and_by_number() {
    for next in [format!("<sip:{GATEWAY};lr>"), "<sip:edge.example;lr>".to_owned()] {
        let mut bench = asking();
        // The gateway registers Ann behind it.
        let text = register("ann", &format!("<sip:ann@{GATEWAY}>"), 7, 3600);
        assert_eq!(status(&bench.ask(GATEWAY, &text)), 200);
        bench.receive(
            udp(STRANGER),
            &request("INVITE", "sip:ann@domain.com", (EVE, "<sip:ann@domain.com>"), "pp", ""),
        );
        let invite = bench.take_one(GATEWAY);
        let ok = answered(&invite, "200 OK", "sip:ann@10.0.0.7");
        let ok = ok.replace("\nContact", &format!("\nRecord-Route: {next}\nContact"));
        bench.receive(udp(GATEWAY), &ok);
        assert_eq!(status(&bench.take_one(STRANGER)), 200);
        let route = format!("Route: {}, {next}\n", field(&invite, "Record-Route").unwrap());
        for method in ["ACK", "INFO", "BYE"] {
            let text =
                request(method, "sip:ann@10.0.0.7", (EVE, ANN_ANSWERS), &format!("pp{method}"), &route);
            bench.receive(udp(STRANGER), &text);
            if next.contains("edge") {
                leads_to(&mut bench, GATEWAY);
            }
            let passed = bench.take_one(GATEWAY);
            assert!(passed.starts_with(&format!("{method} sip:ann@10.0.0.7 SIP/2.0\r\n")), "{passed}");
        }
    }
}

#[test]
fn who_is_blocked_reaches_no_device_by_a_name_as_one_of_many_or_by_a_redirect() {
    let mut bench = all_at_home();
    bob_blocks(&mut bench, &["ann@domain.com"]);
    let many = request("MESSAGE", "sip:ceo@domain.com", ("<sip:ann@domain.com>;tag=a1", TO_CEO), "lm", "")
        .replace("Call-ID", &format!("Secondary-To: <{NAMED}>\nCall-ID"));
    assert_eq!(prove(&mut bench, "ann", ANN_AT, &many), [202]);
    leads_to(&mut bench, BOB);
    assert!(bench.take(BOB).is_empty());
    let leg = bench.take_one(CEO_AT);
    bench.answer_with(udp(CEO_AT), &leg, "302 Moved", "Contact: <sip:bob@elsewhere.example>\n");
    leads_to(&mut bench, BOB);
    bench.advance_ms(32_000);
    assert!(bench.take(BOB).is_empty());
}
