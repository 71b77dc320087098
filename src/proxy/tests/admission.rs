//! Refused requests, of which nobody gets anything: W13, W14, W31.

use super::*;

#[test]
fn w13_each_refusal_has_its_status_and_reaches_nobody() {
    let many = (0..500).map(|number| format!("sip:u{number}@domain.com")).collect::<Vec<_>>().join(", ");
    let cases: Vec<(&str, &str, &str, u16, &str)> = vec![
        ("<im:bob@domain.com>", "<im:bob@domain.com", "a bracket that stays open", 400, "Secondary-To"),
        (
            "<im:bob@domain.com>",
            "im:bob@domain.com, im:, im:cy@domain.com",
            "an address of nobody",
            400,
            "Secondary-To",
        ),
        ("Max-Forwards: 70", "Max-Forwards: 0", "no hop left", 483, "Too Many Hops"),
        ("Max-Forwards: 70", "Max-Forwards: many", "no number", 400, "Max-Forwards"),
        (
            "Proxy-Require: secondary-to",
            "Proxy-Require: secondary-to, gold, silver",
            "420",
            420,
            "Unsupported: gold, silver",
        ),
        (
            "MESSAGE sip:ann@domain.com",
            "MESSAGE mailto:ann@domain.com",
            "a scheme that is not ours",
            416,
            "Unsupported URI Scheme",
        ),
        ("im:james@domain.com", "im:james@elsewhere.com", "a stranger", 403, "Not A User"),
        ("<im:bob@domain.com>", &many, "too many", 403, "Warning: 399 domain.com \"at most 500 recipients\""),
        ("Contact", "Delivery-Report: each;=\nContact", "a broken wish", 400, "Delivery-Report"),
    ];
    for (old, new, why, expected, says) in cases {
        let mut bench = Bench::at_home();
        let answer = bench.ask(JAMES, &other_submission(old, new));
        assert_eq!(status(&answer), expected, "{why}: {answer}");
        assert!(answer.contains(says), "{why}: {answer}");
        bench.advance_ms(60_000);
        assert!(bench.sent.is_empty(), "{why}: {:?}", bench.sent);
        assert!(bench.rows.dispatches.is_empty(), "{why}");
    }
}

#[test]
fn w13_a_message_over_the_size_limit_is_413() {
    let mut bench = Bench::with(ProxyConfig { message_bytes_max: 1000, ..config() });
    bench.register("bob", BOB);
    let text =
        other_submission("Content-Length: 10", "Content-Length: 900").replace("Come here.", &"x".repeat(900));
    assert_eq!(status(&bench.ask(JAMES, &text)), 413);
    assert!(bench.take(BOB).is_empty());
}

#[test]
fn w13_over_the_rate_is_503_with_retry_after_and_trusted_peers_are_spared() {
    let limited = ProxyConfig { submissions_per_sec_max: Some(2), ..config() };
    let trusting = ProxyConfig { trust: vec!["udp:192.0.2.0/24".parse().unwrap()], ..limited.clone() };
    for (config, third) in [(limited, 503), (trusting, 202)] {
        let mut bench = Bench::with(config);
        let send = |bench: &mut Bench, number: u32| {
            let text = SUBMISSION
                .replace("K776", &format!("K{number}"))
                .replace("asd88asd77a", &format!("call{number}"));
            bench.receive(udp(JAMES), &text);
            bench.take(JAMES).into_iter().find(|text| text.starts_with("SIP/2.0")).unwrap()
        };
        assert_eq!([1, 2].map(|number| status(&send(&mut bench, number))), [202, 202]);
        let answer = send(&mut bench, 3);
        assert_eq!(status(&answer), third);
        assert_eq!(field(&answer, "Retry-After").is_some(), third == 503);
        bench.advance_ms(1000);
        assert_eq!(status(&send(&mut bench, 4)), 202);
    }
}

#[test]
fn what_is_not_done_here_gets_a_plain_answer() {
    for (method, expected) in [("SUBSCRIBE", 405), ("NOTIFY", 405), ("PUBLISH", 501), ("Message", 501)] {
        let mut bench = Bench::at_home();
        let text = SUBMISSION
            .replace("MESSAGE sip", &format!("{method} sip"))
            .replace("1 MESSAGE", &format!("1 {method}"));
        let answer = bench.ask(JAMES, &text);
        assert_eq!(status(&answer), expected, "{method}");
        assert_eq!(field(&answer, "Allow"), Some("MESSAGE, REGISTER, OPTIONS"));
        assert!(bench.sent.is_empty());
    }
    let mut bench = Bench::at_home();
    let answer = bench.ask(JAMES, &SUBMISSION.replace("CSeq: 1 MESSAGE", "CSeq: 1 INVITE"));
    assert_eq!(status(&answer), 400);
}

#[test]
fn w14_a_trusted_peer_may_submit_for_anybody() {
    let mut bench = Bench::trusting("192.0.2.0/28");
    bench.register("bob", BOB);
    let stranger = other_submission("im:james@domain.com", "im:james@elsewhere.com");
    assert_eq!(status(&bench.ask(JAMES, &stranger)), 202);
    assert_eq!(bench.take(BOB).len(), 1);
    assert_eq!(status(&bench.ask("192.0.2.99:5060", &stranger.replace("K776", "K7"))), 403);
}

#[test]
fn w14_a_served_name_is_ours_at_any_port_and_a_number_at_our_ports() {
    let cases = [
        ("sip:bob@domain.com", true),
        ("sip:bob@domain.com:5060", true),
        ("sip:bob@domain.com.", true),
        ("sip:bob@domain.com:5070", true),
        ("sip:bob@domain.com.:9999", true),
        ("sip:bob@192.0.2.100", true),
        ("sip:bob@192.0.2.100:5060", true),
        ("sip:bob@[::ffff:192.0.2.100]:5060", true),
        ("sip:bob@domain.com;maddr=192.0.2.100", true),
        ("sip:bob@domain.com;maddr=domain.com", true),
        // Another program on this computer, and another computer.
        ("sip:bob@192.0.2.100:5070", false),
        ("sip:bob@domain.com;maddr=192.0.2.9", false),
    ];
    for (uri, ours) in cases {
        let mut bench = Bench::at_home();
        bench.ask(JAMES, &other_submission("im:bob@domain.com", uri));
        assert_eq!(bench.take(BOB).len(), usize::from(ours), "{uri}");
        bench.take(ANN);
        assert_eq!(bench.sent.len(), usize::from(!ours), "{uri}: {:?}", bench.sent);
        assert!(bench.resolves.is_empty(), "{uri}");
    }
    // A domain that has a port in the settings has its users under its name alone, too.
    let mut bench = Bench::with(ProxyConfig { domains: vec!["domain.com:7000".to_owned()], ..config() });
    for (branch, from) in [("K776", "james@domain.com:7000"), ("K7", "james@domain.com")] {
        let request = other_submission("james@domain.com", from).replace("K776", branch);
        bench.receive(udp(JAMES), &request);
        assert_eq!(status(&bench.take(JAMES)[0]), 202, "{from}");
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let mut bench = Bench::at_home();
    let bytes = wire(SUBMISSION);
    for end in 0..bytes.len() {
        bench.receive_bytes(udp(JAMES), bytes[..end].to_vec());
    }
    for at in 0..bytes.len() {
        for byte in [0, b'\r', b'<', b';', 0xff] {
            let mut broken = bytes.clone();
            broken[at] = byte;
            bench.receive_bytes(udp(JAMES), broken);
        }
    }
    bench.advance_ms(100_000);
}

#[test]
fn w13_w31_addresses_beyond_the_limit_are_refused_before_they_are_compared() {
    let mut bench = Bench::at_home();
    // No two are equal by RFC 3261 §19.1.4, but all are one user at one host.
    let alike: String = (0..5000).map(|number| format!("<sip:x@elsewhere.com;maddr={number}>, ")).collect();
    let answer = bench.ask(JAMES, &other_submission("<im:bob@domain.com>", alike.trim_end_matches(", ")));
    assert_eq!(status(&answer), 403, "{answer}");
    assert!(answer.contains("at most 500 recipients"), "{answer}");

    let contacts: String = (0..8000).map(|number| format!("<sip:c@192.0.2.8:{number}>, ")).collect();
    let answer = bench.ask("192.0.2.8:5060", &register("cy", contacts.trim_end_matches(", "), 1, 600));
    assert!(answer.starts_with("SIP/2.0 403 Too Many Bindings"), "{answer}");
}

#[test]
fn w3_a_ninth_spelling_of_a_foreign_address_is_one_more_person() {
    let mut bench = Bench::at_home();
    let spellings: String = (0..9).map(|number| format!("<sip:x@192.0.2.50;ttl={number}>, ")).collect();
    let list = format!("{spellings}<sip:x@192.0.2.50;ttl=0>, <sip:x@192.0.2.50;ttl=8>");
    assert_eq!(status(&bench.ask(JAMES, &other_submission("<im:bob@domain.com>", &list))), 202);
    assert_eq!(bench.take("192.0.2.50:5060").len(), 10, "the first is known again, the ninth is not");
}
