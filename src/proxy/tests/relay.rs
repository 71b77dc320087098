//! Ordinary requests: proxied, with one answer back (W14; RFC 3261 section 16).

use super::*;

const ORDINARY: &str = "MESSAGE sip:bob@domain.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKord;rport
Route: <sip:domain.com;lr>
Max-Forwards: 10
From: James <im:james@domain.com>;tag=1
To: <im:bob@domain.com>
Call-ID: ordinary@192.0.2.1
CSeq: 7 MESSAGE
X-Odd: kept
Content-Type: text/plain
Content-Length: 2

Hi";

#[test]
fn w14_an_ordinary_message_is_proxied() {
    let mut bench = Bench::at_home();
    bench.receive(udp(JAMES), ORDINARY);
    assert!(bench.take(JAMES).is_empty(), "nothing is promised");
    let sent = bench.take_one(BOB);
    assert!(
        sent.starts_with(
            "MESSAGE sip:bob@192.0.2.7:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.100:5060;rport;branch=z9hG4bK"
        ),
        "{sent}"
    );
    assert_eq!(fields(&sent, "Via").len(), 2);
    assert_eq!(fields(&sent, "Via")[1], "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKord;rport");
    assert_eq!(field(&sent, "Max-Forwards"), Some("9"));
    assert_eq!(field(&sent, "Route"), None);
    assert!(field(&sent, "From").unwrap().ends_with("<sip:james@domain.com>;tag=1"), "{sent}");
    assert_eq!(field(&sent, "To"), Some("<sip:bob@domain.com>"));
    assert_eq!((field(&sent, "Call-ID"), field(&sent, "X-Odd")), (Some("ordinary@192.0.2.1"), Some("kept")));
    assert!(sent.ends_with("\r\n\r\nHi"));
}

#[test]
fn w14_its_answer_comes_back_as_the_sender_wrote_the_addresses() {
    let mut bench = Bench::at_home();
    bench.receive(udp(JAMES), ORDINARY);
    let sent = bench.take_one(BOB);
    let back = bobs_answer(&mut bench, &sent);
    assert!(back.starts_with("SIP/2.0 200 OK\r\n"), "{back}");
    assert_eq!(fields(&back, "Via").len(), 1);
    assert!(field(&back, "Via").unwrap().contains("z9hG4bKord"));
    assert_eq!(field(&back, "From"), Some("James <im:james@domain.com>;tag=1"));
    assert_eq!(field(&back, "To"), Some("<im:bob@domain.com>;tag=bobs"));
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty() && bench.rows.dispatches.is_empty(), "no report, no row");
}

/// What James gets of Bob's 200.
fn bobs_answer(bench: &mut Bench, sent: &str) -> String {
    let vias: String = fields(sent, "Via").iter().map(|via| format!("Via: {via}\n")).collect();
    let answer = format!(
        "SIP/2.0 200 OK\n{vias}From: {}\nTo: {};tag=bobs\nCall-ID: ordinary@192.0.2.1\nCSeq: 7 MESSAGE\nContent-Length: 0\n\n",
        field(sent, "From").unwrap(),
        field(sent, "To").unwrap()
    );
    bench.receive(udp(BOB), &answer);
    bench.take_one(JAMES)
}

/// Sends the ordinary message to Bob at home and on his phone; each answers so.
fn answers(home: &str, phone: &str) -> Vec<String> {
    let mut bench = Bench::at_home();
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.8:5060>", 2, 600));
    bench.receive(udp(JAMES), ORDINARY);
    for (who, line) in [(BOB, home), ("192.0.2.8:5060", phone)] {
        let sent = bench.take_one(who);
        if !line.is_empty() {
            bench.answer(who, &sent, line);
        }
    }
    bench.advance_ms(40_000);
    bench.take(JAMES)
}

#[test]
fn w14_the_best_of_all_responses_goes_back_and_never_408() {
    let cases = [
        ("200 OK", "404 Not Found", 200),
        ("486 Busy Here", "603 Decline", 603),
        ("486 Busy Here", "302 Moved", 302),
        ("503 Down", "503 Down", 500),
        ("486 Busy Here", "", 486),
        ("486 Busy Here", "408 Request Timeout", 486),
    ];
    for (home, phone, expected) in cases {
        let back = answers(home, phone);
        assert_eq!(back.len(), 1, "{home} {phone}: {back:#?}");
        assert_eq!(status(&back[0]), expected, "{home} {phone}");
    }
    assert!(answers("", "").is_empty());
    assert!(answers("408 Request Timeout", "408 Request Timeout").is_empty());
}

#[test]
fn w14_nobody_home_is_480_no_route_500_and_strangers_may_not_relay() {
    let mut bench = Bench::new();
    assert_eq!(status(&bench.ask(JAMES, ORDINARY)), 480);

    let abroad = ORDINARY.replace("sip:bob@domain.com", "sip:bob@example.org");
    let mut bench = Bench::new();
    bench.receive(udp(JAMES), &abroad);
    let (id, _) = bench.resolves.remove(0);
    bench.input(Input::Resolved { id, hops: vec![] });
    assert_eq!(status(&bench.take_one(JAMES)), 500);

    let stranger = ORDINARY.replace("im:james@domain.com", "sip:eve@elsewhere.com");
    let mut bench = Bench::at_home();
    bench.receive(udp(JAMES), &stranger);
    assert_eq!(bench.take(BOB).len(), 1, "to us, anybody may write");
    let answer = bench
        .ask(JAMES, &stranger.replace("sip:bob@domain.com", "sip:bob@example.org").replace("Kord", "K2"));
    assert_eq!(status(&answer), 403);
    assert!(bench.resolves.is_empty());
}

#[test]
fn a_route_that_is_left_is_followed() {
    let mut bench = Bench::at_home();
    let routed = ORDINARY.replace("<sip:domain.com;lr>", "<sip:192.0.2.100;lr>, <sip:192.0.2.90:5070;lr>");
    bench.receive(udp(JAMES), &routed);
    let sent = bench.take_one("192.0.2.90:5070");
    assert!(sent.starts_with("MESSAGE sip:bob@domain.com SIP/2.0\r\n"), "{sent}");
    assert_eq!(field(&sent, "Route"), Some("<sip:192.0.2.90:5070;lr>"));
}

#[test]
fn w6_options_for_us_is_answered_with_the_proof_and_for_a_user_relayed() {
    let options = ORDINARY
        .replace("MESSAGE", "OPTIONS")
        .replace("Hi", "")
        .replace("Content-Length: 2", "Content-Length: 0");
    for uri in ["sip:domain.com", "sip:192.0.2.100:5060"] {
        let mut bench = Bench::at_home();
        let answer =
            bench.ask(JAMES, &options.replace("OPTIONS sip:bob@domain.com", &format!("OPTIONS {uri}")));
        assert_eq!(status(&answer), 200);
        assert_eq!(field(&answer, "Supported"), Some("secondary-to"));
        assert_eq!(field(&answer, "Allow"), Some("MESSAGE, REGISTER, OPTIONS"));
        assert_eq!(field(&answer, "Accept"), Some("*/*"));
    }
    let mut bench = Bench::at_home();
    bench.receive(udp(JAMES), &options);
    assert!(bench.take_one(BOB).starts_with("OPTIONS sip:bob@192.0.2.7:5060 SIP/2.0\r\n"));
}
