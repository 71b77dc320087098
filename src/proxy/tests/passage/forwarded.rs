//! Under whose name the callee of a forwarded call speaks, and to whom.

use super::parties::{CEO_AT, TO_CEO, all_at_home, bob_blocks, prove};
use super::*;

/// Ann's name, under which the ceo answers a call that was made to Ann.
pub(super) const AS_ANN: &str = "<sip:ann@domain.com>;tag=b1";
const TO_ANN: &str = "<sip:ann@domain.com>";

/// Somebody calls Ann, and reaches the ceo. Returns the Route of ours that the ceo has.
pub(super) fn reaches_the_ceo(bench: &mut Bench, from: &str, more: &str) -> String {
    bench.receive(udp(from), &request("INVITE", "sip:ceo@domain.com", (EVE, TO_ANN), "fw", more));
    let invite = bench.take_one(CEO_AT);
    let ours = field(&invite, "Record-Route").unwrap();
    assert!(ours.starts_with(&format!("<sip:{PROXY};lr;d=")), "{ours}");
    ours.to_owned()
}

#[test]
fn w29_who_answers_for_another_speaks_to_no_device_of_ours_that_the_caller_names() {
    let contact = |at: &str| format!("Contact: <sip:bob@{at}>\n");
    let others = |at: &str| format!("Contact: <sip:x@{at}>\n");
    let behind = |at: &str| format!("Record-Route: <sip:{at};lr>\nContact: <sip:eve@{STRANGER}>\n");
    for (more, uri, next) in [
        (contact(BOB), format!("sip:bob@{BOB}"), String::new()),
        (others(BOB), format!("sip:x@{BOB}"), String::new()),
        (behind(BOB), format!("sip:eve@{STRANGER}"), format!(", <sip:{BOB};lr>")),
        (others(GATEWAY), format!("sip:x@{GATEWAY}"), String::new()),
        (behind(GATEWAY), format!("sip:eve@{STRANGER}"), format!(", <sip:{GATEWAY};lr>")),
    ] {
        let mut bench = all_at_home();
        let route = format!("Route: {}{next}\n", reaches_the_ceo(&mut bench, STRANGER, &more));
        for method in ["INVITE", "INFO", "BYE", "MESSAGE"] {
            let text = request(method, &uri, (AS_ANN, EVE), &format!("fa{method}"), &route);
            assert_eq!(prove(&mut bench, "ceo", CEO_AT, &text), [403], "{method} {uri} {more}");
            assert!(is_silent(&bench), "{method} {uri} {more}: {:?}", bench.sent);
        }
    }
}

#[test]
fn w29_a_device_that_registers_after_it_was_named_is_not_spoken_to_either() {
    let mut bench = all_at_home();
    let route = reaches_the_ceo(&mut bench, STRANGER, "Contact: <sip:bob@192.0.2.7:5070>\n");
    let route = format!("Route: {route}\n");
    let text = |branch: &str| request("INFO", "sip:bob@192.0.2.7:5070", (AS_ANN, EVE), branch, &route);
    assert_eq!(prove(&mut bench, "ceo", CEO_AT, &text("fl1")), [] as [u16; 0]);
    bench.take_one("192.0.2.7:5070");
    sign_in(&mut bench, "bob", "192.0.2.7:5070", 2);
    assert_eq!(prove(&mut bench, "ceo", CEO_AT, &text("fl2")), [403]);
    assert!(is_silent(&bench), "{:?}", bench.sent);
}

#[test]
fn w29_who_answers_for_another_reaches_the_caller_and_is_asserted_under_his_own_name() {
    for (at, asserted) in [(STRANGER, None), (GATEWAY, Some("<sip:ceo@domain.com>"))] {
        let mut bench = all_at_home();
        let uri = format!("sip:x@{at}");
        let route = reaches_the_ceo(&mut bench, at, &format!("Contact: <{uri}>\n"));
        let route = format!("Route: {route}\n");
        for method in ["INVITE", "INFO", "BYE"] {
            let text = request(method, &uri, (AS_ANN, EVE), &format!("fr{method}"), &route);
            assert_eq!(prove(&mut bench, "ceo", CEO_AT, &text), [] as [u16; 0], "{method} {at}");
            let passed = bench.take_one(at);
            assert!(passed.starts_with(&format!("{method} {uri} SIP/2.0\r\n")), "{passed}");
            assert_eq!(field(&passed, "P-Asserted-Identity"), asserted, "{method} {at}");
        }
        // Whoever was not called does not speak under that name.
        let text = request("INFO", &uri, (AS_ANN, EVE), "fo", &route);
        assert_eq!(prove(&mut bench, "bob", BOB, &text), [403], "{at}");
        assert!(is_silent(&bench), "{:?}", bench.sent);
    }
}

#[test]
fn w29_a_block_and_a_ban_hold_for_who_speaks_and_for_the_name_he_speaks_under() {
    let mut bench = all_at_home();
    let contact = format!("Contact: <sip:bob@{BOB}>\n");
    let bob = "<sip:bob@domain.com>;tag=e1";
    let call = request("INVITE", "sip:ceo@domain.com", (bob, TO_ANN), "fb", &contact);
    assert_eq!(prove(&mut bench, "bob", BOB, &call), [] as [u16; 0]);
    let invite = bench.take_one(CEO_AT);
    let route = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    let text = |branch: &str| request("INFO", &format!("sip:bob@{BOB}"), (AS_ANN, bob), branch, &route);
    assert_eq!(prove(&mut bench, "ceo", CEO_AT, &text("fb1")), [] as [u16; 0]);
    bench.take_one(BOB);
    for (number, blocked) in ["ceo@domain.com", "ann@domain.com"].into_iter().enumerate() {
        bob_blocks(&mut bench, &[blocked]);
        assert_eq!(prove(&mut bench, "ceo", CEO_AT, &text(&format!("fbb{number}"))), [403], "{blocked}");
        assert!(is_silent(&bench), "{blocked}: {:?}", bench.sent);
    }
    bob_blocks(&mut bench, &[]);
    let asked = bench.ask(CEO_AT, &text("fb5"));
    let inbound = InboundConfig { bans: vec!["ceo@domain.com".parse().unwrap()], ..InboundConfig::default() };
    let settings = ProxyConfig { auth: Auth::On, inbound, ..config() };
    bench.input(Input::Command(ProxyCommand::Settings(Box::new(settings))));
    let refused = bench.ask(CEO_AT, &proved("ceo", &asked, &text("fb6"), "Proxy-Authorization"));
    assert!(refused.starts_with("SIP/2.0 403 Banned\r\n"), "{refused}");
    assert!(is_silent(&bench), "{:?}", bench.sent);
}

#[test]
fn who_is_blocked_reaches_no_device_by_registering_it() {
    let neighbour = "192.0.2.7:40000";
    let mut bench = asking();
    let text = register("ceo", &format!("<sip:bob@{BOB}>"), 1, 3600);
    let asked = bench.ask(neighbour, &text);
    assert_eq!(status(&bench.ask(neighbour, &proved("ceo", &asked, &text, "Authorization"))), 200);
    let to_self = |method: &str, branch: &str| {
        request(method, "sip:ceo@domain.com", ("<sip:ceo@domain.com>;tag=c1", TO_CEO), branch, "")
    };
    let many = |branch: &str| {
        to_self("MESSAGE", branch).replace("Call-ID", "Secondary-To: <sip:ceo@domain.com>\nCall-ID")
    };
    assert_eq!(prove(&mut bench, "ceo", neighbour, &to_self("MESSAGE", "rg0")), [] as [u16; 0]);
    bench.take_one(BOB);
    bob_blocks(&mut bench, &["ceo@domain.com"]);
    for (method, told) in [("MESSAGE", 500), ("OPTIONS", 500), ("INVITE", 403)] {
        let text = to_self(method, &format!("rg{method}"));
        assert_eq!(prove(&mut bench, "ceo", neighbour, &text), [told], "{method}");
        assert!(is_silent(&bench), "{method}: {:?}", bench.sent);
    }
    assert_eq!(prove(&mut bench, "ceo", neighbour, &many("rg9")), [202]);
    assert_eq!(bench.take(BOB), [""; 0]);
}
