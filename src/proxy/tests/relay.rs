//! Ordinary requests: proxied, with one response back (W14; RFC 3261 section 16).

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
fn w4_an_ordinary_message_that_no_datagram_holds_is_answered_513() {
    let mut bench = Bench::at_home();
    let text = "MESSAGE sip:bob@domain.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKbig
Max-Forwards: 70
From: <sip:james@domain.com>;tag=1
To: <sip:bob@domain.com>
Call-ID: big
CSeq: 1 MESSAGE
Content-Type: text/plain
Content-Length: 70000

";
    bench.receive(udp(JAMES), &format!("{text}{}", "x".repeat(70_000)));
    let (id, _) = bench.connects.remove(0);
    bench.input(Input::ConnectFailed { id, fault: crate::machine::ConnectFault::Unreachable });
    assert!(bench.take(BOB).is_empty());
    let answer = bench.take_one(JAMES);
    assert!(answer.starts_with("SIP/2.0 513 Too Large For UDP, And No Connection\r\n"), "{answer}");
}

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
    assert_eq!(
        fields(&sent, "Via")[1],
        "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKord;rport=5060;received=192.0.2.1"
    );
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

/// What James gets when Bob answers 200.
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

/// Sends the ordinary message to Bob's two devices, home and phone, which answer with these status lines.
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

/// RFC 3261 18.2.1, RFC 3581 4: whatever the sender says of its own address.
#[test]
fn w14_the_senders_via_says_where_the_request_came_from() {
    let came_from = "192.0.2.1:61000";
    let table = [
        (
            "UDP nat.invalid:5060;branch=z9hG4bKord;rport",
            "UDP nat.invalid:5060;branch=z9hG4bKord;rport=61000;received=192.0.2.1",
        ),
        ("UDP nat.invalid;branch=z9hG4bKord", "UDP nat.invalid;branch=z9hG4bKord;received=192.0.2.1"),
        ("UDP 10.0.0.1:5060;branch=z9hG4bKord", "UDP 10.0.0.1:5060;branch=z9hG4bKord;received=192.0.2.1"),
        ("UDP 192.0.2.1:61000;branch=z9hG4bKord", "UDP 192.0.2.1:61000;branch=z9hG4bKord"),
        (
            "UDP nat.invalid;received=203.0.113.9;branch=z9hG4bKord;rport=9",
            "UDP nat.invalid;branch=z9hG4bKord;rport=61000;received=192.0.2.1",
        ),
        (
            "UDP nat.invalid;branch=z9hG4bKord;rport, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKup;received=10.0.0.3",
            "UDP nat.invalid;branch=z9hG4bKord;rport=61000;received=192.0.2.1, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKup;received=10.0.0.3",
        ),
        (
            "UDP [fe80::1%25eth0]:5060;branch=z9hG4bKord",
            "UDP [fe80::1%25eth0]:5060;branch=z9hG4bKord;received=192.0.2.1",
        ),
    ];
    for method in ["MESSAGE", "OPTIONS"] {
        for (said, completed) in table {
            let mut bench = Bench::at_home();
            let request = ORDINARY
                .replace("UDP 192.0.2.1:5060;branch=z9hG4bKord;rport", said)
                .replace("MESSAGE", method);
            bench.receive(udp(came_from), &request);
            let sent = bench.take_one(BOB);
            let vias = fields(&sent, "Via");
            assert_eq!(vias[1..], [format!("SIP/2.0/{completed}")], "{method} {said}");
            let vias: String = vias.iter().map(|via| format!("Via: {via}\n")).collect();
            let answer = Bench::answer_text(&sent, "200 OK", "");
            let (line, rest) = answer.split_once('\n').unwrap();
            let rest = rest.split_once('\n').unwrap().1;
            bench.receive(udp(BOB), &format!("{line}\n{vias}{rest}"));
            let back = bench.take_one(came_from);
            assert_eq!(fields(&back, "Via"), [format!("SIP/2.0/{completed}")], "{method} {said}");
        }
    }
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

/// RFC 3261 16.4: the name is of no interest if `maddr` is our address.
#[test]
fn a_route_with_our_maddr_and_empty_ones_are_ours() {
    for route in [
        "<sip:edge.invalid:5060;maddr=192.0.2.100;lr>",
        "<sip:edge.invalid;maddr=domain.com;lr>",
        "",
        ",",
        ", <sip:domain.com;lr>,",
        "\nRoute: ,<sip:edge.invalid;maddr=192.0.2.100;lr>,, <sip:192.0.2.100;lr>",
    ] {
        let mut bench = Bench::at_home();
        bench.receive(udp(JAMES), &ORDINARY.replace("<sip:domain.com;lr>", route));
        let sent = bench.take_one(BOB);
        let left = fields(&sent, "Route");
        assert!(left.iter().all(|left| left.trim_matches([',', ' ']).is_empty()), "{route}: {sent}");
    }
    // Another port or address is somebody else's.
    for (maddr, at) in [
        ("edge.invalid:5070;maddr=192.0.2.100", "192.0.2.100:5070"),
        ("domain.com;maddr=192.0.2.90", "192.0.2.90:5060"),
    ] {
        let mut bench = Bench::at_home();
        bench.receive(udp(JAMES), &ORDINARY.replace("<sip:domain.com;lr>", &format!(", <sip:{maddr};lr>")));
        let sent = bench.take_one(at);
        assert_eq!(field(&sent, "Route"), Some(format!(", <sip:{maddr};lr>").as_str()));
    }
    // For a strict router, empty elements do not take the place of its URI.
    let mut bench = Bench::at_home();
    let strict = ", <sip:domain.com;lr>, , <sip:192.0.2.90>, <sip:192.0.2.91;lr>,";
    bench.receive(udp(JAMES), &ORDINARY.replace("<sip:domain.com;lr>", strict));
    let sent = bench.take_one("192.0.2.90:5060");
    assert!(sent.starts_with("MESSAGE sip:192.0.2.90 SIP/2.0\r\n"), "{sent}");
    let left = fields(&sent, "Route").join(", ").replace(",,", ",").replace(", ,", ",");
    assert_eq!(left, "<sip:192.0.2.91;lr>, <sip:bob@domain.com>");
}

#[test]
fn a_max_breadth_that_cannot_be_read_counts_as_none() {
    for breadth in ["x", "", "-1", "4294967296"] {
        let mut bench = Bench::at_home();
        let odd = format!("Max-Breadth: {breadth}\nCall-ID: ");
        bench.receive(udp(JAMES), &ORDINARY.replace("Call-ID: ", &odd));
        assert_eq!(field(&bench.take_one(BOB), "Max-Breadth"), Some("60"), "{breadth}");
        let answer = bench.ask(JAMES, &other_submission("Call-ID: ", &odd));
        assert_eq!(status(&answer), 202, "{breadth}: {answer}");
    }
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
        assert_eq!(field(&answer, "Supported"), Some("secondary-to, recipient-list-message"));
        assert_eq!(field(&answer, "Allow"), Some("MESSAGE, REGISTER, OPTIONS"));
        assert_eq!(field(&answer, "Accept"), Some("*/*"));
    }
    let mut bench = Bench::at_home();
    bench.receive(udp(JAMES), &options);
    assert!(bench.take_one(BOB).starts_with("OPTIONS sip:bob@192.0.2.7:5060 SIP/2.0\r\n"));
}

#[test]
fn w31_what_comes_round_again_is_482_and_what_is_split_too_often_440() {
    let mut bench = Bench::at_home();
    let ordinary = other_submission("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "");
    bench.receive(udp(JAMES), &ordinary);
    let sent = bench.take_one(ANN);
    assert_eq!(field(&sent, "Max-Breadth"), Some("60"));
    // Somebody sends it back unchanged, with an own Via on top.
    let round = sent
        .replacen("MESSAGE sip:ann@192.0.2.6:5060", "MESSAGE sip:ann@domain.com", 1)
        .replacen("\r\nVia: ", "\r\nVia: SIP/2.0/UDP 192.0.2.6;branch=z9hG4bKround\r\nVia: ", 1)
        .replace("\r\n", "\n");
    bench.receive(udp(ANN), &round);
    assert_eq!(status(&bench.take_one(ANN)), 482);

    bench.receive(udp(ANN), &register("ann", "<sip:ann@192.0.2.60:5060>", 2, 600));
    bench.sent.clear();
    for (number, breadth, shares) in [(1, "5", vec!["2", "2"]), (2, "2", vec!["1", "1"]), (3, "1", vec![])] {
        let text = ordinary
            .replace("K776", &format!("Kb{number}"))
            .replace("Call-ID: ", &format!("Max-Breadth: {breadth}\nCall-ID: {number}"));
        bench.receive(udp(JAMES), &text);
        let mut got = Vec::new();
        for at in [ANN, "192.0.2.60:5060"] {
            got.extend(bench.take(at).iter().map(|text| field(text, "Max-Breadth").unwrap().to_owned()));
        }
        assert_eq!(got, shares, "Max-Breadth: {breadth}");
        if shares.is_empty() {
            assert_eq!(status(&bench.take_one(JAMES)), 440);
        }
    }
}

#[test]
fn w31_a_submission_and_its_legs_keep_within_their_breadth() {
    let mut bench = Bench::at_home();
    bench.receive(udp(ANN), &register("ann", "<sip:ann@192.0.2.60:5060>", 2, 600));
    bench.sent.clear();
    for (number, breadth, ann, bob) in [(1, None, Some("30"), None), (2, Some(9), Some("2"), Some("4"))] {
        let field_of_it =
            breadth.map_or_else(String::new, |breadth: u32| format!("Max-Breadth: {breadth}\n"));
        let text = other_submission("Call-ID: ", &format!("{field_of_it}Call-ID: {number}"))
            .replace("K776", &format!("Kc{number}"));
        assert_eq!(status(&bench.ask(JAMES, &text)), 202);
        assert_eq!(field(&bench.take_one(ANN), "Max-Breadth"), ann);
        assert_eq!(field(&bench.take_one("192.0.2.60:5060"), "Max-Breadth"), ann);
        assert_eq!(field(&bench.take_one(BOB), "Max-Breadth"), bob);
    }
    let narrow = other_submission("Call-ID: ", "Max-Breadth: 1\nCall-ID: 3").replace("K776", "Kc3");
    assert_eq!(status(&bench.ask(JAMES, &narrow)), 440);
    assert!(bench.take(BOB).is_empty());
}

/// Sends the ordinary message to Bob's two devices, which answer with these lines and fields; returns what James gets.
fn challenged(answers: [(&str, &str); 2]) -> String {
    let mut bench = Bench::at_home();
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.8:5060>", 2, 600));
    bench.receive(udp(JAMES), ORDINARY);
    for (who, (line, more)) in [BOB, "192.0.2.8:5060"].into_iter().zip(answers) {
        let sent = bench.take_one(who);
        // In Latin-1.
        let answer = String::from_utf8(wire(&Bench::answer_text(&sent, line, more))).unwrap();
        bench.receive_bytes(udp(who), answer.chars().map(|letter| u8::try_from(letter).unwrap()).collect());
    }
    assert!(bench.proxy.relays.holds_nothing(), "all is counted back");
    bench.take_one(JAMES)
}

#[test]
fn the_challenges_of_every_401_and_407_of_a_fork_go_back_with_the_best_one() {
    let (one, two) = ("Digest realm=\"one\", nonce=\"n1\"", "Digest realm=\"two\", nonce=\"n2\"");
    let www = format!("WWW-Authenticate: {one}\n");
    let proxy = format!("Proxy-Authenticate: {two}\n");
    let (unauthorized, required) = ("401 Unauthorized", "407 Proxy Authentication Required");

    let back = challenged([(unauthorized, &www), (required, &proxy)]);
    assert_eq!(status(&back), 401);
    assert_eq!(
        (fields(&back, "WWW-Authenticate"), fields(&back, "Proxy-Authenticate")),
        (vec![one], vec![two])
    );

    let back = challenged([(required, &proxy), (unauthorized, &www)]);
    assert_eq!(status(&back), 407);
    assert_eq!(
        (fields(&back, "WWW-Authenticate"), fields(&back, "Proxy-Authenticate")),
        (vec![one], vec![two])
    );

    // Two of a kind, one with two challenges: all of them go back, in the order in which they came.
    let other = format!("{www}WWW-Authenticate: {two}\n");
    let three = "Digest realm=\"three\", nonce=\"n3\"";
    let back = challenged([(unauthorized, &other), (unauthorized, &format!("WWW-Authenticate: {three}\n"))]);
    assert_eq!(fields(&back, "WWW-Authenticate"), [one, two, three]);

    // A better response than a challenge goes back alone, whichever came first.
    for order in
        [[(unauthorized, www.as_str()), ("603 Decline", "")], [("603 Decline", ""), (unauthorized, &www)]]
    {
        let back = challenged(order);
        assert_eq!((status(&back), fields(&back, "WWW-Authenticate")), (603, vec![]));
    }
    let back =
        challenged([(unauthorized, &www), ("404 Not Found", "Proxy-Authenticate: Basic realm=\"x\"\n")]);
    assert_eq!((fields(&back, "WWW-Authenticate"), fields(&back, "Proxy-Authenticate")), (vec![one], vec![]));

    // Each goes back byte for byte.
    let latin = "WWW-Authenticate: Digest realm=\"R\u{e9}seau\", nonce=\"n\"\n";
    let back = challenged([(required, &proxy), (unauthorized, latin)]);
    // The byte alone is no UTF-8, which is what the bench shows.
    assert_eq!(fields(&back, "WWW-Authenticate"), ["Digest realm=\"R\u{fffd}seau\", nonce=\"n\""]);

    // A challenge that is too large to keep beside the best response does not go back.
    let large = format!("WWW-Authenticate: Digest realm=\"{}\"\n", "x".repeat(33_000));
    let back = challenged([(unauthorized, &www), (unauthorized, &large)]);
    assert_eq!(fields(&back, "WWW-Authenticate"), [one]);
}
