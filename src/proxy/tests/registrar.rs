//! The registrar: RFC 3261 section 10.3, and W6's proof.

use super::*;

fn contacts(answer: &str) -> Vec<&str> {
    fields(answer, "Contact")
}

#[test]
fn w6_a_200_lists_all_bindings_best_first_and_proves_what_we_can() {
    let mut bench = Bench::new();
    let first = bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.7>;q=0.5", 1, 600));
    assert_eq!(contacts(&first), ["<sip:bob@192.0.2.7>;q=0.500;expires=600"]);
    assert_eq!(field(&first, "Supported"), Some("secondary-to, outbound, path"));
    assert_eq!(field(&first, "Date"), Some("Fri, 15 Jan 2027 08:00:00 GMT"));
    bench.advance_ms(100_500);
    let second = bench.ask(
        BOB,
        &register("bob", "<sip:bob@192.0.2.9;transport=tcp>;expires=60, <sip:bob@192.0.2.8>;q=0.7", 2, 300),
    );
    assert_eq!(
        contacts(&second),
        [
            "<sip:bob@192.0.2.9;transport=tcp>;expires=60",
            "<sip:bob@192.0.2.8>;q=0.700;expires=300",
            "<sip:bob@192.0.2.7>;q=0.500;expires=500",
        ]
    );
    assert_eq!(bench.rows.bindings.len(), 3);
}

#[test]
fn a_query_without_contact_lists_and_changes_nothing() {
    let mut bench = Bench::at_home();
    let query = register("bob", "", 9, 600).replace("Contact: \nExpires: 600\n", "");
    assert_eq!(contacts(&bench.ask(BOB, &query)), ["<sip:bob@192.0.2.7:5060>;expires=600"]);
}

#[test]
fn bindings_end_by_expiry_by_zero_and_by_star() {
    let mut bench = Bench::at_home();
    bench.advance_ms(599_999);
    assert_eq!(bench.rows.bindings.len(), 2);
    bench.advance_ms(1);
    assert!(bench.rows.bindings.is_empty());

    bench.register("ann", ANN);
    let answer = bench.ask(ANN, &register("ann", "<sip:ann@192.0.2.6:5060>", 2, 0));
    assert!(contacts(&answer).is_empty() && status(&answer) == 200);
    assert!(bench.rows.bindings.is_empty());

    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.7>, <sip:bob@192.0.2.8>", 3, 600));
    for (contact, expires, expected) in [("*", 600, 400), ("*, <sip:b@192.0.2.7>", 0, 400), ("*", 0, 200)] {
        let answer = bench.ask(BOB, &register("bob", contact, 4, expires));
        assert_eq!(status(&answer), expected, "{contact} {expires}: {answer}");
    }
    assert!(bench.rows.bindings.is_empty());
}

#[test]
fn a_register_that_comes_too_late_changes_nothing() {
    let mut bench = Bench::new();
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.7>", 5, 600));
    assert_eq!(status(&bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.7>", 4, 0))), 400);
    assert_eq!(bench.rows.bindings.len(), 1);
    // The same REGISTER with another branch: accepted before a crash, answered now.
    let same = register("bob", "<sip:bob@192.0.2.7>", 5, 600).replace("z9hG4bK", "z9hG4bKx");
    assert_eq!(status(&bench.ask(BOB, &same)), 200);
    // Another device has its own Call-ID and CSeq.
    let other = register("bob", "<sip:bob@192.0.2.7>", 1, 0).replace("reg-bob", "reg-other");
    assert!(contacts(&bench.ask(BOB, &other)).is_empty());
}

#[test]
fn refusals_of_the_registrar() {
    let cases = [
        (register("bob", "<sip:bob@192.0.2.7>", 1, 5), 423, "Min-Expires: 10"),
        (register("bob", "<sip:bob@192.0.2.7>;expires=1", 1, 600), 423, "Min-Expires: 10"),
        (register("bob", "<tel:+123>", 1, 600), 400, "Contact"),
        (register("bob", "<sip:bob@", 1, 600), 400, "Contact"),
        (
            register("bob", "<sip:bob@192.0.2.7>", 1, 600)
                .replace("REGISTER sip:domain.com", "REGISTER sip:other.com"),
            403,
            "",
        ),
        (
            register("bob", "<sip:bob@192.0.2.7>", 1, 600)
                .replace("bob@domain.com>\nCall", "bob@other.com>\nCall"),
            404,
            "",
        ),
        (
            register("bob", "<sip:bob@192.0.2.7>", 1, 600).replace("Call-ID", "Require: other\nCall-ID"),
            420,
            "Unsupported: other",
        ),
        (
            register(
                "bob",
                &(0..21).map(|n| format!("<sip:bob@192.0.2.7:{}>", 6000 + n)).collect::<Vec<_>>().join(", "),
                1,
                600,
            ),
            403,
            "",
        ),
    ];
    for (text, expected, says) in cases {
        let mut bench = Bench::new();
        let answer = bench.ask(BOB, &text);
        assert_eq!(status(&answer), expected, "{text}: {answer}");
        assert!(answer.contains(says), "{answer}");
        assert!(bench.rows.bindings.is_empty());
    }
}

#[test]
fn expiry_has_a_default_and_a_maximum() {
    let mut bench = Bench::new();
    let without = register("bob", "<sip:bob@192.0.2.7>", 1, 600).replace("Expires: 600\n", "");
    assert_eq!(contacts(&bench.ask(BOB, &without)), ["<sip:bob@192.0.2.7>;expires=3600"]);
    let answer = bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.7>", 2, 9_999_999));
    assert_eq!(contacts(&answer), ["<sip:bob@192.0.2.7>;expires=86400"]);
    let answer = bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.7>;expires=abc", 3, 60));
    assert_eq!(contacts(&answer), ["<sip:bob@192.0.2.7>;expires=3600"]);
}

/// RFC 3261 10.2.1.1: 3600 stands for what cannot be read, in the parameter and in the field.
#[test]
fn an_expiry_that_cannot_be_read_is_the_default() {
    let table = [
        ("soon", 3600),
        ("-1", 3600),
        ("+60", 3600),
        ("3600.5", 3600),
        ("", 3600),
        ("60 ;x=y", 60),
        ("00060", 60),
        ("4294967295", 86_400),
        ("4294967296", 86_400),
        ("99999999999999999999999999", 86_400),
    ];
    for (expires, wanted) in table {
        let field = register("bob", "<sip:bob@192.0.2.7>", 1, 600)
            .replace("Expires: 600\n", &format!("Expires: {expires}\n"));
        let parameter = register("bob", &format!("<sip:bob@192.0.2.7>;expires=\"{expires}\""), 1, 600);
        for text in [field, parameter] {
            let answer = Bench::new().ask(BOB, &text);
            assert_eq!(status(&answer), 200, "{text}: {answer}");
            assert_eq!(contacts(&answer), [format!("<sip:bob@192.0.2.7>;expires={wanted}")], "{text}");
        }
    }
    // Nothing is removed by mistake.
    let mut bench = Bench::at_home();
    let all = register("bob", "*", 2, 0).replace("Expires: 0\n", "Expires: now\n");
    assert_eq!((status(&bench.ask(BOB, &all)), bench.rows.bindings.len()), (400, 2));
}

#[test]
fn bindings_are_committed_before_the_200() {
    let mut bench = Bench::new();
    bench.disk = Disk::Waits;
    bench.receive(udp(BOB), &register("bob", "<sip:bob@192.0.2.7>", 1, 600));
    assert!(bench.sent.is_empty());
    bench.disk_goes_on(Disk::Works);
    assert_eq!(status(&bench.take_one(BOB)), 200);

    bench.disk = Disk::Fails;
    let answer = bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.8>", 2, 600));
    assert_eq!((status(&answer), field(&answer, "Retry-After").is_some()), (503, true));
    bench.disk = Disk::Works;
    let query = register("bob", "", 9, 600).replace("Contact: \nExpires: 600\n", "");
    assert_eq!(contacts(&bench.ask(BOB, &query)), ["<sip:bob@192.0.2.7>;expires=600"]);
}

#[test]
fn a_device_that_registers_another_contact_has_moved() {
    let mut bench = Bench::new();
    let instance = "+sip.instance=\"<urn:uuid:1>\"";
    bench.ask(BOB, &register("bob", &format!("<sip:bob@192.0.2.7>;{instance}"), 1, 600));
    bench.ask(BOB, &register("bob", "<sip:bob@192.0.2.50>", 2, 600));
    let moved =
        register("bob", &format!("<sip:bob@192.0.2.9>;{instance}"), 1, 600).replace("reg-bob", "reg-new");
    assert_eq!(
        contacts(&bench.ask(BOB, &moved)),
        ["<sip:bob@192.0.2.50>;expires=600", "<sip:bob@192.0.2.9>;expires=600"]
    );
}

#[test]
fn bindings_hold_after_a_restart() {
    let mut bench = Bench::at_home();
    bench.advance_ms(100_000);
    bench.crash();
    let query = register("bob", "", 9, 600).replace("Contact: \nExpires: 600\n", "");
    assert_eq!(contacts(&bench.ask(BOB, &query)), ["<sip:bob@192.0.2.7:5060>;expires=500"]);
    bench.advance_ms(500_000);
    assert!(bench.rows.bindings.is_empty());
}

#[test]
fn rfc_5626_6_a_first_hop_without_outbound_gets_439_and_nothing_is_bound() {
    let contact = "<sip:bob@192.0.2.7;transport=tcp>;+sip.instance=\"<urn:uuid:1>\";reg-id=1";
    let asks = |through: &str, path: &str| {
        let request = register("bob", contact, 1, 600);
        let request =
            request.replacen("Max-Forwards", &format!("{path}Supported: path, outbound\nMax-Forwards"), 1);
        let own = request.lines().find(|line| line.starts_with("Via: ")).unwrap().to_owned();
        request.replacen(&own, &format!("{through}{own}"), 1)
    };
    let edge = "Via: SIP/2.0/TCP 192.0.2.40;branch=z9hG4bKedge\n";
    for (through, path, expected) in [
        ("", "", 200),
        (edge, "", 439),
        (edge, "Path: <sip:192.0.2.40;lr>\n", 439),
        (edge, "Path: <sip:192.0.2.40;lr;ob>\n", 200),
        // Each proxy puts its own on top: the last one is the first hop's.
        (edge, "Path: <sip:192.0.2.41;lr;ob>, <sip:192.0.2.40;lr>\n", 439),
        (edge, "Path: <sip:192.0.2.41;lr>\nPath: <sip:192.0.2.40;lr;ob>\n", 200),
    ] {
        let mut bench = Bench::new();
        let answer = bench.ask(BOB, &asks(through, path));
        assert_eq!(status(&answer), expected, "{through}{path}{answer}");
        assert_eq!(bench.rows.bindings.len(), usize::from(expected == 200));
    }
    // A client that does not ask for it is bound as usual.
    let mut bench = Bench::new();
    let plain = asks(edge, "").replace("path, outbound", "path");
    assert_eq!(status(&bench.ask(BOB, &plain)), 200);
}

#[test]
fn twenty_devices_stay_twenty_whatever_one_of_them_registers() {
    let mut bench = Bench::new();
    let contact = |device: usize, port: usize| {
        format!("<sip:ann@192.0.2.6:{port}>;+sip.instance=\"<urn:uuid:{device}>\"")
    };
    let all = |devices: &[(usize, usize)]| {
        devices.iter().map(|(device, port)| contact(*device, *port)).collect::<Vec<_>>().join(", ")
    };
    let twenty: Vec<_> = (0..20).map(|device| (device, 6000 + device)).collect();
    assert_eq!(status(&bench.ask(ANN, &register("ann", &all(&twenty), 1, 600))), 200);
    assert_eq!(bench.rows.bindings.len(), 20);
    // Forty addresses of one device take the place of its one.
    let forty: Vec<_> = (0..40).map(|number| (0, 7000 + number)).collect();
    let answer = bench.ask(ANN, &register("ann", &all(&forty), 2, 600));
    assert!(answer.starts_with("SIP/2.0 403 Too Many Bindings"), "{answer}");
    assert_eq!(bench.rows.bindings.len(), 20, "nothing is changed");
    assert_eq!(status(&bench.ask(ANN, &register("ann", &contact(0, 7000), 3, 600))), 200);
    assert_eq!(bench.rows.bindings.len(), 20, "it has moved");
    let params: String = (0..40).map(|number| format!(";p{number}")).collect();
    let answer = bench.ask(ANN, &register("ann", &format!("<sip:ann@192.0.2.6{params}>"), 4, 600));
    assert!(answer.starts_with("SIP/2.0 403 Contact Has Too Many Parameters"), "{answer}");
}

/// RFC 3261 §8.2.2.3: what we say that we support may be required.
#[test]
fn what_the_registrar_supports_may_be_required() {
    let mut bench = Bench::new();
    let required = register("bob", "<sip:bob@192.0.2.7>;expires=60;", 1, 600)
        .replace("Call-ID", "Require: outbound, path\nCall-ID");
    let answer = bench.ask(BOB, &required);
    assert_eq!(status(&answer), 200, "{answer}");
    assert_eq!(contacts(&answer), ["<sip:bob@192.0.2.7>;expires=60"]);
    let commented =
        register("bob", "<sip:bob@192.0.2.7>", 2, 600).replace("Expires: 600", "Expires: 700 (s)");
    assert_eq!(contacts(&bench.ask(BOB, &commented)), ["<sip:bob@192.0.2.7>;expires=700"]);
    let many = vec!["<sip:bob@192.0.2.7>"; 2000].join(",");
    assert_eq!(status(&bench.ask(BOB, &register("bob", &many, 3, 600))), 403);
}
