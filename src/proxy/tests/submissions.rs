//! Submission and acceptance: W1 to W3, W5, W7, W9, W11, W12.

use super::*;

#[test]
fn w17_w20_the_patents_example_ann_silent_bob_there() {
    let mut bench = Bench::at_home();
    bench.advance_ms(1000);
    let begin = Duration::from_millis(1000);
    let accepted = bench.ask(JAMES, SUBMISSION);
    assert!(accepted.starts_with("SIP/2.0 202 Accepted\r\n"), "{accepted}");
    assert_eq!(field(&accepted, "Supported"), Some("secondary-to"));
    let leg = bench.take_one(BOB);
    check_leg(&leg);
    bench.answer(BOB, &leg, "200 OK");
    bench.advance_ms(31_999);
    assert!(bench.take(JAMES).is_empty());
    bench.advance_ms(1);
    let at: Vec<_> = bench.take_sent(ANN).iter().map(|sent| (sent.after - begin).as_millis()).collect();
    assert_eq!(at, [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert!(bench.take(BOB).is_empty());

    let notify = bench.take_one(JAMES);
    check_notify(&notify, field(&accepted, "To").unwrap().split_once(";tag=").unwrap().1);
    bench.answer(JAMES, &notify, "200 OK");
    bench.advance_ms(3_600_000);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

/// Checks a leg against protocol.md section 3.
fn check_leg(leg: &str) {
    assert!(
        leg.starts_with(
            "MESSAGE sip:bob@192.0.2.7:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.100:5060;rport;branch=z9hG4bK"
        ),
        "{leg}"
    );
    assert!(leg.contains("\r\nTo: <sip:bob@domain.com>\r\n"), "{leg}");
    assert!(leg.contains("\r\nFrom: <sip:james@domain.com>;tag="), "{leg}");
    assert_eq!(field(leg, "Also-To"), Some("<sip:ann@domain.com>"));
    assert_eq!(field(leg, "Max-Forwards"), Some("69"));
    assert_eq!(field(leg, "CSeq"), Some("1 MESSAGE"));
    for gone in ["Secondary-To", "Contact:", "Proxy-Require", "asd88asd77a", "49583"] {
        assert!(!leg.contains(gone), "{gone} in {leg}");
    }
    assert!(leg.ends_with("\r\nContent-Length: 10\r\n\r\nCome here."), "{leg}");
}

/// Checks a NOTIFY against protocol.md section 4.
fn check_notify(notify: &str, to_tag: &str) {
    let branch = field(notify, "Via").unwrap().split_once("branch=").unwrap().1;
    let expected = format!(
        "NOTIFY sip:james@jamesmob.domain.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.100:5060;rport;branch={branch}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:domain.com>;tag={to_tag}\r\n\
         To: <sip:james@domain.com>;tag=49583\r\n\
         Call-ID: asd88asd77a@jamesmob.domain.com\r\n\
         CSeq: 1 NOTIFY\r\n\
         Contact: <sip:192.0.2.100:5060>\r\n\
         Event: delivery-report\r\n\
         Subscription-State: terminated;reason=noresource\r\n\
         Content-Type: application/delivery-report\r\n\
         Content-Length: 72\r\n\
         \r\n\
         im:ann@domain.com delivery failure\r\n\
         im:bob@domain.com delivery success\r\n"
    );
    assert_eq!(notify, expected);
}

/// The addresses and states in a report, in its order.
fn lines(notify: &str) -> Vec<&str> {
    body(notify).split("\r\n").filter(|line| !line.is_empty()).collect()
}

fn addresses(notify: &str) -> Vec<&str> {
    lines(notify).iter().map(|line| line.split(' ').next().unwrap()).collect()
}

#[test]
fn w5_the_patents_minimal_request_works_and_is_answered_where_it_came_from() {
    let mut bench = Bench::at_home();
    let minimal = "MESSAGE sip:ann@domain.com SIP/2.0
Via: SIP/2.0/UDP jamesmob.domain.com
From: im:james@domain.com
To: im:ann@domain.com
Secondary-To: im:bob@domain.com
Call-ID: asd88asd77a@jamesmob.domain.com
CSeq: 1 MESSAGE
Content-Type: text/plain

Come here.";
    let accepted = bench.ask("192.0.2.1:49152", minimal);
    assert_eq!(status(&accepted), 202);
    for who in [ANN, BOB] {
        let leg = bench.take_one(who);
        assert!(leg.ends_with("\r\n\r\nCome here."), "{leg}");
        assert_eq!(field(&leg, "Max-Forwards"), Some("70"));
        bench.answer(who, &leg, "200 OK");
    }
    let notify = bench.take_one("192.0.2.1:49152");
    assert!(notify.starts_with("NOTIFY sip:james@domain.com SIP/2.0\r\n"), "{notify}");
    assert_eq!(field(&notify, "To"), Some("<sip:james@domain.com>"));
    assert_eq!(lines(&notify), ["im:ann@domain.com delivery success", "im:bob@domain.com delivery success"]);
}

#[test]
fn w2_recipients_are_the_union_of_all_forms_in_order() {
    let cases = [
        ("<im:bob@domain.com>", vec!["im:ann@domain.com", "im:bob@domain.com"]),
        (
            "im:bob@domain.com, sip:cy@domain.com",
            vec!["im:ann@domain.com", "im:bob@domain.com", "sip:cy@domain.com"],
        ),
        (
            "im:bob@domain.com;pres:cy@domain.com",
            vec!["im:ann@domain.com", "im:bob@domain.com", "pres:cy@domain.com"],
        ),
        (
            "\"Bob, B.\" <sip:bob@domain.com;x=1>;y=2, im:cy@domain.com;z=3; <im:dana@domain.com>\nSecondary-To: sips:eli@domain.com",
            vec![
                "im:ann@domain.com",
                "sip:bob@domain.com;x=1",
                "im:cy@domain.com",
                "im:dana@domain.com",
                "sips:eli@domain.com",
            ],
        ),
    ];
    for (secondary, expected) in cases {
        let mut bench = Bench::new();
        bench.receive(udp(JAMES), &other_submission("<im:bob@domain.com>", secondary));
        let sent = bench.take(JAMES);
        assert_eq!(status(&sent[0]), 202, "{secondary}");
        assert_eq!(addresses(&sent[1]), expected, "{secondary}");
    }
}

#[test]
fn w3_one_person_is_one_recipient_and_keeps_the_first_spelling() {
    let cases = [
        ("sip:ann@domain.com", 1),
        ("im:ann@DOMAIN.com", 1),
        ("sip:ann@domain.com:5060;transport=tcp", 1),
        ("pres:%61nn@domain.com", 1),
        ("sip:Ann@domain.com", 2),
        ("sip:ann@domain.com:7070", 1),
        ("sip:ann@192.0.2.100:7070", 2),
        ("<sip:ann@domain.com;maddr=192.0.2.9>", 2),
        ("sip:ann@192.0.2.100:5060", 1),
        ("sip:ann@other.com, im:ann@other.com", 2),
        ("sip:ann@other.com, sip:ann@other.com:5060", 3),
        ("sip:ann@other.com;user=phone, sip:ann@OTHER.com;user=phone", 2),
    ];
    for (secondary, people) in cases {
        let mut bench = Bench::new();
        bench.receive(udp(JAMES), &other_submission("<im:bob@domain.com>", secondary));
        assert_eq!(
            bench.events[0],
            ProxyEvent::Accepted { dispatch: DispatchId(1), recipients: people, after: Duration::ZERO },
            "{secondary}"
        );
    }
    let mut bench = Bench::new();
    let home = Flow { transport: Transport::Tls, ..tcp(ANN, 1) };
    bench.receive(home, &register("ann", "<sip:ann@10.0.0.1;transport=tls>", 1, 600));
    assert_eq!(status(&bench.take_one(ANN)), 200);
    bench.ask(
        JAMES,
        &other_submission("<im:bob@domain.com>", "<sip:ann@domain.com>, \"Ann\" <sips:ann@domain.com>"),
    );
    assert_eq!(bench.take(ANN).len(), 1);
}

#[test]
fn w7_a_bcc_recipient_is_named_to_nobody_and_its_leg_names_nobody() {
    let mut bench = Bench::at_home();
    bench.register("cy", "192.0.2.8:5060");
    bench.ask(
        JAMES,
        &other_submission("<im:bob@domain.com>", "<im:bob@domain.com>;copy=bcc, im:cy@domain.com"),
    );
    assert_eq!(fields(&bench.take_one(ANN), "Also-To"), ["<sip:cy@domain.com>"]);
    assert!(fields(&bench.take_one(BOB), "Also-To").is_empty());
    assert_eq!(fields(&bench.take_one("192.0.2.8:5060"), "Also-To"), ["<sip:ann@domain.com>"]);

    let mut bench = Bench::at_home();
    let hidden = SUBMISSION.replace("To: <im:ann@domain.com>\n", "To: <im:ann@domain.com>;copy=bcc\n");
    bench.ask(JAMES, &hidden.replace("<im:bob@domain.com>", "<im:bob@domain.com>;copy=bcc"));
    for who in [ANN, BOB] {
        let leg = bench.take_one(who);
        assert!(!leg.contains("Also-To") && !leg.contains("copy=bcc"), "{leg}");
    }
}

#[test]
fn w8_a_leg_carries_what_remains_of_expires_and_ends_with_it() {
    let mut bench = Bench::at_home();
    bench.disk = Disk::Waits;
    bench.receive(udp(JAMES), &other_submission("Max-Forwards", "Expires: 20\nMax-Forwards"));
    bench.advance_ms(3000);
    bench.disk_goes_on(Disk::Works);
    assert_eq!(field(&bench.take(BOB)[0], "Expires"), Some("17"));
    bench.take(JAMES);
    bench.advance_ms(16_999);
    assert!(bench.take(JAMES).is_empty());
    bench.advance_ms(1);
    assert_eq!(
        lines(&bench.take_one(JAMES)),
        ["im:ann@domain.com delivery failure", "im:bob@domain.com delivery failure"]
    );
}

#[test]
fn w9_each_reports_within_100_ms_and_detail_tells_more() {
    let mut bench = Bench::at_home();
    let wish = "Delivery-Report: each;detail;id=m1\nContact";
    bench.ask(JAMES, &other_submission("Contact", wish));
    let (ann, bob) = (bench.take_one(ANN), bench.take_one(BOB));
    assert!(!ann.contains("Delivery-Report"));
    bench.advance_ms(700);
    bench.answer(BOB, &bob, "200 Fine");
    bench.advance_ms(99);
    assert!(bench.take(JAMES).is_empty());
    bench.advance_ms(1);
    let interim = bench.take_one(JAMES);
    assert_eq!(field(&interim, "Subscription-State"), Some("active"));
    assert_eq!(field(&interim, "CSeq"), Some("1 NOTIFY"));
    assert_eq!(
        lines(&interim),
        [
            "im:ann@domain.com delivery pending",
            "im:bob@domain.com delivery success;status=200;reason=\"Fine\";tries=2;after=700"
        ]
    );
    bench.answer(JAMES, &interim, "200 OK");
    bench.take(ANN);
    bench.answer(ANN, &ann, "486 Busy Here");
    let last = bench.take_one(JAMES);
    assert_eq!(field(&last, "Subscription-State"), Some("terminated;reason=noresource"));
    assert_eq!(field(&last, "CSeq"), Some("2 NOTIFY"));
    assert_eq!(
        lines(&last)[0],
        "im:ann@domain.com delivery failure;status=486;reason=\"Busy Here\";tries=2;after=800"
    );
}

#[test]
fn w9_none_reports_nothing_and_keeps_what_became_of_it() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, &other_submission("Contact", "Delivery-Report: none\nContact"));
    for who in [ANN, BOB] {
        let leg = bench.take_one(who);
        bench.answer(who, &leg, "200 OK");
    }
    bench.advance_ms(60_000);
    assert!(bench.take(JAMES).is_empty());
    assert_eq!(bench.rows.dispatches[0].outcomes.len(), 2);
    assert!(bench.rows.dispatches[0].report.unwrap().closed);
    bench.crash();
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty());
}

#[test]
fn w11_nothing_leaves_before_the_commit() {
    let mut bench = Bench::at_home();
    bench.disk = Disk::Waits;
    bench.receive(udp(JAMES), SUBMISSION);
    bench.advance_ms(2000);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    bench.receive(udp(JAMES), SUBMISSION);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    bench.disk_goes_on(Disk::Works);
    assert_eq!(status(&bench.take_one(JAMES)), 202);
    assert_eq!((bench.take(ANN).len(), bench.take(BOB).len()), (1, 1));
}

#[test]
fn w11_a_full_disk_is_503_and_nobody_gets_anything() {
    let mut bench = Bench::at_home();
    bench.disk = Disk::Fails;
    let refused = bench.ask(JAMES, SUBMISSION);
    assert_eq!((status(&refused), field(&refused, "Retry-After").is_some()), (503, true));
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty());
    assert!(bench.events.contains(&ProxyEvent::StoreFailed));
    bench.disk = Disk::Works;
    let accepted = bench.ask(JAMES, &other_submission("z9hG4bK776", "z9hG4bK777"));
    assert_eq!(status(&accepted), 202);
    assert_eq!(bench.take(BOB).len(), 1);
}

#[test]
fn w11_two_writes_a_message_and_one_when_the_report_was_answered() {
    let mut bench = Bench::at_home();
    let before = bench.commits;
    bench.ask(JAMES, SUBMISSION);
    for who in [ANN, BOB] {
        let leg = bench.take_one(who);
        bench.advance_ms(20);
        bench.answer(who, &leg, "200 OK");
    }
    assert_eq!(bench.commits - before, 2);
    let notify = bench.take_one(JAMES);
    bench.answer(JAMES, &notify, "200 OK");
    assert!(!bench.rows.dispatches[0].report.unwrap().closed);
    bench.advance_ms(100);
    assert!(bench.rows.dispatches[0].report.unwrap().closed);
    assert_eq!(bench.commits - before, 3);
}

#[test]
fn w12_the_same_submission_again_starts_nothing() {
    let mut bench = Bench::at_home();
    let first = bench.ask(JAMES, SUBMISSION);
    let (ann, bob) = (bench.take_one(ANN), bench.take_one(BOB));
    let again = bench.ask(JAMES, &other_submission("z9hG4bK776", "z9hG4bK999"));
    assert_eq!(field(&first, "To"), field(&again, "To"));
    assert_eq!(status(&again), 202);
    assert_eq!(field(&again, "Supported"), Some("secondary-to"));
    assert!(bench.sent.is_empty());
    bench.answer(ANN, &ann, "200 OK");
    bench.answer(BOB, &bob, "200 OK");
    let notify = bench.take_one(JAMES);
    bench.answer(JAMES, &notify, "200 OK");
    // From another address, long after: the last report goes there.
    bench.advance_ms(3_600_000);
    bench.receive(udp("192.0.2.1:7777"), &other_submission("z9hG4bK776", "z9hG4bK888"));
    let sent = bench.take("192.0.2.1:7777");
    assert_eq!(status(&sent[0]), 202);
    assert_eq!(field(&sent[1], "CSeq"), Some("2 NOTIFY"));
    assert_eq!(body(&sent[1]), body(&notify));
    bench.answer("192.0.2.1:7777", &sent[1], "200 OK");
    assert_eq!(bench.rows.dispatches[0].accepted.flow, udp("192.0.2.1:7777"));
    assert!(bench.take(BOB).is_empty() && bench.take(ANN).is_empty());
}

#[test]
fn w12_the_same_key_with_other_recipients_or_another_body_is_400() {
    let mut bench = Bench::at_home();
    bench.ask(JAMES, SUBMISSION);
    bench.sent.clear();
    let other_body = other_submission("Come here.", "Come herf.").replace("K776", "K1");
    let fewer = other_submission("Secondary-To: <im:bob@domain.com>\n", "").replace("K776", "K2");
    let others = other_submission("<im:bob@domain.com>", "<im:cy@domain.com>").replace("K776", "K3");
    for text in [other_body, fewer, others] {
        assert_eq!(status(&bench.ask(JAMES, &text)), 400);
    }
    let respelled = other_submission("<im:bob@domain.com>", "sip:bob@domain.com").replace("K776", "K4");
    assert_eq!(status(&bench.ask(JAMES, &respelled)), 202, "the same people");
    assert!(bench.sent.is_empty());
}

#[test]
fn w12_the_id_alone_tells_a_double_also_after_a_restart_for_a_day() {
    let mut bench = Bench::at_home();
    let with_id = other_submission("Contact", "Delivery-Report: final;id=abc\nContact");
    let first = bench.ask(JAMES, &with_id);
    bench.crash();
    let again =
        with_id.replace("asd88asd77a", "other-call").replace("K776", "K1").replace("tag=49583", "tag=1");
    let answer = bench.ask(JAMES, &again);
    assert_eq!(status(&answer), 202);
    assert_eq!(field(&first, "To"), field(&answer, "To"));
    for who in [ANN, BOB] {
        let leg = bench.take(who).remove(0);
        bench.answer(who, &leg, "200 OK");
    }
    let notify = bench.take_one(JAMES);
    bench.answer(JAMES, &notify, "200 OK");
    bench.advance(Duration::from_secs(24 * 3600 - 60));
    assert_eq!(bench.rows.dispatches.len(), 1);
    bench.advance(Duration::from_secs(120));
    assert!(bench.rows.dispatches.is_empty());
    bench.receive(udp(JAMES), &again.replace("K1", "K2"));
    assert_eq!(bench.rows.dispatches.len(), 1, "a new message after a day");
}

#[test]
fn w12_a_double_of_one_that_waits_for_its_commit_waits_too() {
    let mut bench = Bench::at_home();
    bench.disk = Disk::Waits;
    bench.receive(udp(JAMES), SUBMISSION);
    bench.receive(udp("192.0.2.1:7777"), &other_submission("z9hG4bK776", "z9hG4bK888"));
    assert!(bench.sent.is_empty());
    bench.disk_goes_on(Disk::Works);
    assert_eq!(status(&bench.take_one(JAMES)), 202);
    assert_eq!(status(&bench.take_one("192.0.2.1:7777")), 202);
    assert_eq!(bench.take(BOB).len(), 1);
}

/// RFC 3261 §20.19: what cannot be read says nothing of how long the message may wait, and costs nobody the message.
#[test]
fn w8_an_expires_that_cannot_be_read_is_none() {
    for (written, told) in [
        ("soon", None),
        ("-1", None),
        ("99999999999", None),
        ("3600 (an hour)", Some("3600")),
        ("3600;a=b", Some("3600")),
    ] {
        let mut bench = Bench::at_home();
        bench.receive(
            udp(JAMES),
            &other_submission("Max-Forwards", &format!("Expires: {written}\nMax-Forwards")),
        );
        assert_eq!(status(&bench.take_one(JAMES)), 202, "{written}");
        assert_eq!(field(&bench.take(BOB)[0], "Expires"), told, "{written}");
    }
}
