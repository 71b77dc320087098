//! Strict routers and `maddr` (RFC 3261 §16.4, §16.6 step 6, §19.1.1).

use super::*;

#[test]
fn rfc_3261_16_6_a_strict_router_ahead_finds_itself_in_the_request_uri_and_that_at_the_end_of_the_route() {
    let mut bench = asking();
    let us = format!("<sip:{PROXY};lr>");
    for (number, method) in ["MESSAGE", "INVITE"].into_iter().enumerate() {
        let route = format!("Route: {us}, <sip:gw@{VICTIM};x=1>, <sip:203.0.113.8;lr>\n");
        let text = request(
            method,
            "sip:carol@example.net;user=phone",
            (EVE, TO_BOB),
            &format!("st{number}"),
            &route,
        );
        bench.receive(udp(GATEWAY), &text);
        let passed = bench.take_one(VICTIM);
        assert!(passed.starts_with(&format!("{method} sip:gw@{VICTIM};x=1 SIP/2.0\r\n")), "{passed}");
        assert_eq!(
            fields(&passed, "Route").join(", "),
            "<sip:203.0.113.8;lr>, <sip:carol@example.net;user=phone>",
            "{passed}"
        );
    }
    // A loose router leaves both as they are; a submission in a dialog goes the same way.
    let text = request(
        "MESSAGE",
        "sip:carol@example.net",
        (EVE, TO_BOB),
        "lo",
        &format!("Route: <sip:{VICTIM};lr>\n"),
    );
    bench.receive(udp(GATEWAY), &text);
    let passed = bench.take_one(VICTIM);
    assert!(passed.starts_with("MESSAGE sip:carol@example.net SIP/2.0\r\n"), "{passed}");
    assert_eq!(fields(&passed, "Route"), [format!("<sip:{VICTIM};lr>")]);
}

#[test]
fn rfc_3261_16_4_a_strict_router_behind_has_put_our_route_into_the_request_uri() {
    let mut bench = asking();
    let route = stands(&mut bench);
    let ours = route.trim_start_matches("Route: <").trim_end_matches(">\n").to_owned();
    let bobs = format!("sip:bob@{BOB}");
    for (number, method) in ["BYE", "MESSAGE", "INFO"].into_iter().enumerate() {
        let more = format!("Route: <{bobs}>\n");
        let text = request(method, &ours, (EVE, BOB_AT), &format!("be{number}"), &more);
        bench.receive(udp(STRANGER), &text);
        let passed = bench.take_one(BOB);
        assert!(passed.starts_with(&format!("{method} {bobs} SIP/2.0\r\n")), "{passed}");
        assert!(field(&passed, "Route").is_none(), "{passed}");
        // It leads nobody further than a Route would in its place.
        let elsewhere = text.replace(&more, &format!("Route: <sip:x@{VICTIM}>\n")).replace("Kbe", "Kbf");
        assert_eq!(status(&bench.ask(STRANGER, &elsewhere)), 403);
    }
    // A client that takes us for a strict router.
    let text =
        request("MESSAGE", &format!("sip:{PROXY};lr"), (EVE, TO_BOB), "bg", "Route: <sip:bob@domain.com>\n");
    bench.receive(udp(STRANGER), &text);
    assert!(bench.take_one(BOB).starts_with(&format!("MESSAGE {bobs} SIP/2.0\r\n")));
    let relayed = text
        .replace("sip:bob@domain.com>\nFrom", "x")
        .replace("Route: <sip:bob@domain.com>", &format!("Route: <sip:x@{VICTIM}>"));
    assert_eq!(status(&bench.ask(STRANGER, &relayed.replace("Kbg", "Kbh"))), 403);
    assert!(is_silent(&bench));
}

#[test]
fn rfc_3261_19_1_1_maddr_says_where_a_uri_leads() {
    let mut bench = Bench::new();
    let contact = "<sip:bob@192.0.2.77:5062;maddr=192.0.2.7>";
    assert_eq!(status(&bench.ask(BOB, &register("bob", contact, 1, 600))), 200);
    let text = request("MESSAGE", "sip:bob@domain.com", ("<sip:ann@domain.com>;tag=1", TO_BOB), "ma", "");
    bench.receive(udp(ANN), &text);
    let sent = bench.take_one("192.0.2.7:5062");
    assert!(sent.starts_with("MESSAGE sip:bob@192.0.2.77:5062;maddr=192.0.2.7 SIP/2.0\r\n"), "{sent}");
    // In a Route, and in a Request-URI.
    let route = "Route: <sip:gw.example.net;lr;maddr=198.51.100.5>\n";
    bench.receive(
        udp(ANN),
        &request("MESSAGE", "sip:x@y.org", ("<sip:ann@domain.com>;tag=1", TO_BOB), "mb", route),
    );
    bench.take_one(VICTIM);
    let uri = "sip:x@y.org:5060;maddr=198.51.100.5";
    bench.receive(udp(ANN), &request("MESSAGE", uri, ("<sip:ann@domain.com>;tag=1", TO_BOB), "mc", ""));
    assert!(bench.take_one(VICTIM).starts_with(&format!("MESSAGE {uri} SIP/2.0\r\n")));
    // §16.4: for a stranger, a served name leads to us only.
    let uri = "sip:bob@domain.com;maddr=198.51.100.5";
    assert_eq!(status(&bench.ask(STRANGER, &request("MESSAGE", uri, (EVE, TO_BOB), "md", ""))), 403);
    let uri = "sip:bob@domain.com;maddr=192.0.2.100";
    bench.receive(udp(STRANGER), &request("MESSAGE", uri, (EVE, TO_BOB), "me", ""));
    bench.take_one("192.0.2.7:5062");
    assert!(is_silent(&bench), "{:?}", bench.sent);
}
