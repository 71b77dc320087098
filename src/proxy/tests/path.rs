//! Bindings behind a proxy that put itself into the Path: RFC 3327.

use super::*;

const EDGE: &str = "192.0.2.33:5060";
const PATH: &str = "<sip:192.0.2.33;lr>, <sip:10.0.0.2;lr;ob>";

/// Bob registers through an edge proxy, which the client says to know about, or not.
fn by_edge(path: &str, supported: &str, cseq: u32) -> String {
    register("bob", "<sip:bob@10.0.0.7:5062>", cseq, 600)
        .replacen("Via:", &format!("Via: SIP/2.0/UDP 192.0.2.33;branch=z9hG4bKedge{cseq}\nVia:"), 1)
        .replace("Expires: 600\n", &format!("Expires: 600\nPath: {path}\n{supported}"))
}

fn to_bob(method: &str, number: u32) -> String {
    format!(
        "{method} sip:bob@domain.com SIP/2.0\nVia: SIP/2.0/UDP {JAMES};branch=z9hG4bKp{number}\nMax-Forwards: 70\n\
         From: <sip:james@domain.com>;tag=t\nTo: <sip:bob@domain.com>\nCall-ID: p{number}\nCSeq: 1 {method}\n\
         Contact: <sip:james@{JAMES}>\nContent-Length: 0\n\n"
    )
}

fn submission_to_bob(number: u32) -> String {
    to_bob("MESSAGE", number).replace("Contact:", "Proxy-Require: secondary-to\nContact:")
}

fn is_along_the_path(request: &str) -> bool {
    let line = request.lines().next().unwrap_or_default();
    line.ends_with(" sip:bob@10.0.0.7:5062 SIP/2.0") && fields(request, "Route").join(", ") == PATH
}

#[test]
fn rfc_3327_a_200_names_the_path_to_a_client_that_knows_about_paths() {
    let mut bench = Bench::new();
    let answer = bench.ask(EDGE, &by_edge(PATH, "Supported: path\n", 1));
    assert_eq!((status(&answer), fields(&answer, "Path")), (200, vec![PATH]), "{answer}");
    assert!(field(&answer, "Supported").unwrap().ends_with("path"), "{answer}");
    let answer = bench.ask(EDGE, &by_edge(PATH, "", 2));
    assert_eq!((status(&answer), field(&answer, "Path")), (200, None), "accepted all the same: {answer}");
    assert_eq!(bench.rows.bindings[0].path, ["<sip:192.0.2.33;lr>", "<sip:10.0.0.2;lr;ob>"]);
}

#[test]
fn rfc_3327_every_request_to_a_binding_takes_its_path_after_a_restart_too() {
    let mut bench = Bench::new();
    bench.ask(EDGE, &by_edge(PATH, "", 1));
    for number in [0, 10] {
        for (place, method) in (1..).zip(["MESSAGE", "OPTIONS", "INVITE"]) {
            bench.receive(udp(JAMES), &to_bob(method, number + place));
            let request = bench.take_one(EDGE);
            assert!(request.starts_with(method) && is_along_the_path(&request), "{request}");
        }
        bench.receive(udp(JAMES), &submission_to_bob(number + 7));
        let leg = bench.take_one(EDGE);
        assert!(leg.starts_with("MESSAGE") && is_along_the_path(&leg), "{leg}");
        bench.answer(EDGE, &leg, "200 OK");
        bench.crash();
    }
    // A REGISTER without one ends it.
    bench.ask(BOB, &register("bob", "<sip:bob@10.0.0.7:5062>", 2, 600));
    bench.receive(udp(JAMES), &to_bob("MESSAGE", 30));
    assert_eq!(bench.take("10.0.0.7:5062").len(), 1);
    assert!(bench.take(EDGE).is_empty());
}

#[test]
fn rfc_3327_the_cancel_of_an_invite_takes_the_same_path() {
    let mut bench = Bench::new();
    bench.ask(EDGE, &by_edge(PATH, "", 1));
    let invite = to_bob("INVITE", 1);
    bench.receive(udp(JAMES), &invite);
    bench.take(EDGE);
    bench.receive(udp(JAMES), &invite.replace("INVITE", "CANCEL"));
    let cancel = bench.take_one(EDGE);
    assert!(cancel.starts_with("CANCEL") && is_along_the_path(&cancel), "{cancel}");
}

#[test]
fn rfc_3327_a_report_for_one_behind_a_proxy_takes_the_path_of_the_binding() {
    let mut bench = Bench::at_home();
    bench.ask(EDGE, &by_edge(PATH, "", 9).replace("bob", "james").replace("Call-ID: ", "Call-ID: x"));
    bench.receive(tcp(JAMES, 1), &submission_to_bob(1).replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    bench.input(Input::Disconnected { flow: tcp(JAMES, 1) });
    let leg = bench.take_one(BOB);
    bench.answer(BOB, &leg, "200 OK");
    bench.advance_ms(40_000);
    let sent = bench.take(EDGE);
    let report = sent.iter().find(|text| text.starts_with("NOTIFY")).unwrap_or_else(|| panic!("{sent:?}"));
    assert!(report.starts_with("NOTIFY sip:james@10.0.0.7:5062 SIP/2.0"), "{report}");
    assert_eq!(fields(report, "Route").join(", "), PATH, "{report}");
}

#[test]
fn a_connection_from_the_proxy_is_used_while_it_lives_and_its_end_unregisters_nobody() {
    let mut bench = Bench::new();
    let edge = tcp("192.0.2.33:40000", 1);
    let path = "<sip:192.0.2.33;transport=tcp;lr>";
    bench.receive(edge, &by_edge(path, "", 1).replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    bench.take("192.0.2.33:40000");
    bench.receive(udp(JAMES), &to_bob("MESSAGE", 1));
    let relayed = bench.take_one("192.0.2.33:40000");
    assert_eq!(field(&relayed, "Route"), Some(path));
    bench.answer_with(edge, &relayed, "200 OK", "");
    bench.input(Input::Disconnected { flow: edge });
    assert_eq!(bench.rows.bindings.len(), 1);
    bench.receive(udp(JAMES), &to_bob("MESSAGE", 2));
    assert!(bench.connects.iter().any(|(_, hop)| hop.remote == address(EDGE)), "{:?}", bench.connects);
}

#[test]
fn outbound_through_a_proxy_that_keeps_the_flow_is_required() {
    let mut bench = Bench::new();
    let contact = "<sip:bob@10.0.0.7:5062>;+sip.instance=\"<urn:uuid:1>\";reg-id=1";
    let asks = |path: &str, cseq| {
        by_edge(path, "Supported: path, outbound\n", cseq).replace("<sip:bob@10.0.0.7:5062>", contact)
    };
    let answer = bench.ask(EDGE, &asks(PATH, 1));
    assert_eq!((status(&answer), field(&answer, "Require")), (200, Some("outbound")), "{answer}");
    assert_eq!(field(&answer, "Flow-Timer"), None, "the client keeps alive its flow to the proxy");
    assert_eq!(status(&bench.ask(EDGE, &asks("<sip:192.0.2.33;lr;ob>, <sip:10.0.0.2;lr>", 2))), 439);
}

#[test]
fn a_path_that_is_too_long_is_no_loose_router_or_leads_back_is_refused() {
    let long = format!("<sip:{}@192.0.2.33;lr>", "u".repeat(1024));
    let many = ["<sip:192.0.2.33;lr>"; 6].join(", ");
    let cases = [
        (long.as_str(), "Path Too Long"),
        (&many, "Path Too Long"),
        ("<sip:192.0.2.33>", "Path Is No Loose Router"),
        ("<sip:192.0.2.33;lr>, <sip:10.0.0.2>", "Path Is No Loose Router"),
        ("<tel:+123;lr>", "Path Is No SIP URI"),
        ("<sip:domain.com;lr>", "Path Leads Back Here"),
        ("<sip:192.0.2.33;lr>, <sip:192.0.2.100;lr>", "Path Leads Back Here"),
        ("<sip:192.0.2.33;lr>, <sip:other.com;maddr=192.0.2.100;lr>", "Path Leads Back Here"),
        ("<sip:192.0.2.33;lr", ""),
    ];
    for (path, says) in cases {
        let mut bench = Bench::new();
        let answer = bench.ask(EDGE, &by_edge(path, "Supported: path\n", 1));
        assert!(answer.starts_with(&format!("SIP/2.0 400 {says}")), "{path}: {answer}");
        assert!(bench.rows.bindings.is_empty(), "{path}");
    }
}
