//! INVITE and later requests of its dialog pass statelessly: W29.

mod flows;

use super::*;

const ANN_CALLS_BOB: &str = "INVITE sip:bob@domain.com SIP/2.0\n\
    Via: SIP/2.0/UDP 192.0.2.6:5060;branch=z9hG4bKinv1\n\
    Max-Forwards: 70\n\
    From: <sip:ann@domain.com>;tag=a1\n\
    To: <sip:bob@domain.com>\n\
    Contact: <sip:ann@192.0.2.6:5060>\n\
    Call-ID: call1@ann\n\
    CSeq: 1 INVITE\n\
    Content-Type: application/sdp\n\
    Content-Length: 3\n\nv=0";

/// A later request of the same call.
fn further(method: &str, uri: &str, to_tag: &str, branch: &str, more: &str) -> String {
    let cseq = if matches!(method, "ACK" | "CANCEL") { 1 } else { 2 };
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.6:5060;branch={branch}\nMax-Forwards: 70\n\
         From: <sip:ann@domain.com>;tag=a1\nTo: <sip:bob@domain.com>{to_tag}\nCall-ID: call1@ann\n\
         CSeq: {cseq} {method}\n{more}Content-Length: 0\n\n"
    )
}

fn top_branch(text: &str) -> &str {
    fields(text, "Via")[0].split("branch=").nth(1).unwrap()
}

#[test]
fn w29_an_invite_passes_with_its_body_and_its_answers_find_back() {
    let mut bench = Bench::at_home();
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    assert!(invite.starts_with("INVITE sip:bob@192.0.2.7:5060 SIP/2.0\r\n"), "{invite}");
    assert_eq!((field(&invite, "Max-Forwards"), body(&invite)), (Some("69"), "v=0"));
    assert_eq!(field(&invite, "Contact"), Some("<sip:ann@192.0.2.6:5060>"), "a session needs it");
    let route = field(&invite, "Record-Route").unwrap();
    assert!(route.starts_with("<sip:192.0.2.100:5060;lr;d="), "{route}");
    let vias = fields(&invite, "Via");
    assert!(vias[0].starts_with("SIP/2.0/UDP 192.0.2.100:5060;rport;branch=z9hG4bK"), "{vias:?}");
    assert_eq!(vias[1], "SIP/2.0/UDP 192.0.2.6:5060;branch=z9hG4bKinv1;received=192.0.2.6;rport=5060");
    // Every response passes; the INVITE, retransmitted, passes again with the same branch.
    for line in ["100 Trying", "180 Ringing", "200 OK", "200 OK"] {
        let via: String = vias.iter().map(|via| format!("Via: {via}\n")).collect();
        let (from, call_id) = (field(&invite, "From").unwrap(), field(&invite, "Call-ID").unwrap());
        bench.receive(
            udp(BOB),
            &format!("SIP/2.0 {line}\n{via}Record-Route: {route}\nFrom: {from}\nTo: <sip:bob@domain.com>;tag=b1\nCall-ID: {call_id}\nCSeq: 1 INVITE\nContent-Length: 0\n\n"),
        );
        let answer = bench.take_one(ANN);
        assert!(answer.starts_with(&format!("SIP/2.0 {line}\r\n")), "{answer}");
        assert_eq!(fields(&answer, "Via").len(), 1, "{answer}");
        assert_eq!(field(&answer, "Record-Route"), Some(route));
    }
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    assert_eq!(top_branch(&bench.take_one(BOB)), top_branch(&invite));
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

#[test]
fn w31_a_call_is_answered_while_the_callers_network_is_flooded_with_small_requests() {
    let mut bench = Bench::at_home();
    let flood = |bench: &mut Bench| {
        for number in 0..5000_u16 {
            let text = format!(
                "BYE sip:a SIP/2.0\nv:SIP/2.0/UDP a;branch=z9hG4bK{number}\nf:<sip:domain.com>;tag=1\nt:<sip:a>;tag=2\n\
                 i:{number}\nCSeq:1 BYE\n\n"
            );
            bench.receive(udp(&format!("192.0.2.66:{}", 10_000 + number)), &text);
        }
        bench.sent.len()
    };
    assert!(flood(&mut bench) < 5000, "their answers have an end");
    bench.sent.clear();
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    bench.receive(udp(BOB), &answered(&invite, "180 Ringing"));
    assert_eq!(status(&bench.take_one(ANN)), 180);
    flood(&mut bench);
    bench.sent.clear();
    for _ in 0..8 {
        bench.receive(udp(BOB), &answered(&invite, "200 OK"));
        assert_eq!(status(&bench.take_one(ANN)), 200);
    }
}

#[test]
fn w29_cancel_and_the_ack_of_a_failure_have_the_branch_of_their_invite() {
    let mut bench = Bench::at_home();
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    for method in ["CANCEL", "ACK"] {
        bench.receive(udp(ANN), &further(method, "sip:bob@domain.com", "", "z9hG4bKinv1", ""));
        let passed = bench.take_one(BOB);
        assert!(passed.starts_with(&format!("{method} sip:bob@192.0.2.7:5060 SIP/2.0\r\n")), "{passed}");
        assert_eq!(top_branch(&passed), top_branch(&invite));
    }
}

#[test]
fn w29_what_follows_in_the_dialog_goes_by_its_route_and_a_message_too() {
    let mut bench = Bench::at_home();
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    let route = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    let ok = answered(&invite, "200 OK").replace("CSeq", "Contact: <sip:bob@198.51.100.9:5070>\nCSeq");
    bench.receive(udp(BOB), &ok);
    bench.take_one(ANN);
    for method in ["ACK", "BYE", "UPDATE", "INFO", "PRACK", "NOTIFY", "REFER"] {
        let text = further(method, "sip:bob@198.51.100.9:5070", ";tag=b1", "z9hG4bKnext", &route);
        bench.receive(udp(ANN), &text);
        let passed = bench.take_one("198.51.100.9:5070");
        assert!(passed.starts_with(&format!("{method} sip:bob@198.51.100.9:5070 SIP/2.0\r\n")), "{passed}");
        assert!(field(&passed, "Route").is_none() && field(&passed, "Record-Route").is_none(), "{passed}");
    }
    // From a stranger, who may pass only because of the Route.
    let text = further("MESSAGE", "sip:bob@198.51.100.9:5070", ";tag=b1", "z9hG4bKmsg", &route);
    let from_elsewhere =
        |text: &str| text.replace("ann@domain.com", "ann@elsewhere.org").replace("call1@ann", "call2@ann");
    bench.receive(udp(JAMES), &from_elsewhere(ANN_CALLS_BOB));
    let invite = bench.take_one(BOB);
    let theirs = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    assert_eq!(status(&bench.ask(JAMES, &from_elsewhere(&text))), 403, "another call's");
    let text = from_elsewhere(&text.replace(&route, &theirs).replace("Kmsg", "Kmsg2"));
    assert_eq!(status(&bench.ask(JAMES, &text)), 403, "Bob never said that he is there");
    bench.receive(
        udp(BOB),
        &answered(&invite, "200 OK").replace("CSeq", "Contact: <sip:bob@198.51.100.9:5070>\nCSeq"),
    );
    assert_eq!(status(&bench.take_one(JAMES)), 200);
    bench.receive(udp(JAMES), &text.replace("Kmsg", "Kmsg3"));
    let message = bench.take_one("198.51.100.9:5070");
    assert_eq!(field(&message, "To"), Some("<sip:bob@domain.com>;tag=b1"));
    assert_eq!(field(&message, "Call-ID"), Some("call2@ann"), "it keeps the dialog's identifiers");
    bench.answer("198.51.100.9:5070", &message, "200 OK");
    assert_eq!(status(&bench.take_one(JAMES)), 200);
}

#[test]
fn w29_nobody_passes_by_a_route_that_is_not_of_this_dialog() {
    let mut bench = Bench::at_home();
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    let route = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    let foreign = |text: String| text.replace("ann@domain.com", "ann@elsewhere.org");
    let other_call = foreign(further("BYE", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo1", &route));
    let made_up = "Route: <sip:192.0.2.100:5060;lr;d=00>\n";
    let table = [
        (other_call.replace("call1@ann", "call2@ann"), 403),
        (foreign(further("BYE", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo2", made_up)), 403),
        (foreign(further("UPDATE", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo3", made_up)), 501),
        (foreign(further("BYE", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo4", "")), 403),
        (ANN_CALLS_BOB.replace("sip:bob@domain.com SIP", "sip:nobody@domain.com SIP"), 480),
        (ANN_CALLS_BOB.replace("Max-Forwards: 70", "Max-Forwards: 0"), 483),
        (ANN_CALLS_BOB.replace("Contact", "Proxy-Require: x-new\nContact"), 420),
    ];
    for (text, expected) in table {
        assert_eq!(status(&bench.ask(JAMES, &text)), expected, "{text}");
        assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    }
    // An ACK is never answered, and a response to a request that did not pass here is dropped.
    bench.receive(udp(JAMES), &foreign(further("ACK", "sip:bob@198.51.100.9", ";tag=b1", "z9hG4bKo5", "")));
    bench.receive(
        udp(BOB),
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.100:5060;branch=z9hG4bKmade.up\n\
         Via: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bKx;received=203.0.113.1;rport=5060\nFrom: <sip:a@b>;tag=1\n\
         To: <sip:c@d>;tag=2\nCall-ID: x\nCSeq: 1 INVITE\nContent-Length: 0\n\n",
    );
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

/// Ann writes within her call to Bob, and also to James and a stranger.
fn ann_writes_in_the_call(bench: &mut Bench) -> String {
    bench.receive(udp(ANN), ANN_CALLS_BOB);
    let invite = bench.take_one(BOB);
    format!(
        "MESSAGE sip:bob@198.51.100.9:5070 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.6:5060;branch=z9hG4bKmany\n\
         Max-Forwards: 70\nFrom: <sip:ann@domain.com>;tag=a1\nTo: <sip:bob@domain.com>;tag=b1\n\
         Secondary-To: <sip:cy@198.51.100.10>\nCall-ID: call1@ann\nCSeq: 7 MESSAGE\n\
         Route: {}, <sip:198.51.100.8;lr>\nProxy-Require: secondary-to\nContent-Length: 2\n\nHi",
        field(&invite, "Record-Route").unwrap()
    )
}

#[test]
fn w29_in_a_session_the_leg_of_to_stays_in_the_dialog_and_the_others_are_out_of_it() {
    let mut bench = Bench::at_home();
    let text = ann_writes_in_the_call(&mut bench);
    let accepted = bench.ask(ANN, &text);
    assert_eq!((status(&accepted), field(&accepted, "To")), (202, Some("<sip:bob@domain.com>;tag=b1")));
    let within = bench.take_one("198.51.100.8:5060");
    assert!(within.starts_with("MESSAGE sip:bob@198.51.100.9:5070 SIP/2.0\r\n"), "{within}");
    for (name, value) in [
        ("Route", "<sip:198.51.100.8;lr>"),
        ("From", "<sip:ann@domain.com>;tag=a1"),
        ("To", "<sip:bob@domain.com>;tag=b1"),
        ("Also-To", "<sip:cy@198.51.100.10>"),
        ("Call-ID", "call1@ann"),
        ("CSeq", "7 MESSAGE"),
    ] {
        assert_eq!(field(&within, name), Some(value), "{within}");
    }
    let beside = bench.take_one("198.51.100.10:5060");
    assert_eq!(field(&beside, "To"), Some("<sip:cy@198.51.100.10>"));
    assert_ne!(field(&beside, "Call-ID"), Some("call1@ann"));
    assert!(field(&beside, "Route").is_none(), "{beside}");
    bench.answer("198.51.100.8:5060", &within, "200 OK");
    bench.answer("198.51.100.10:5060", &beside, "486 Busy Here");
    let report = bench.take_one(ANN);
    assert_eq!(
        body(&report),
        "sip:bob@domain.com delivery success\r\nsip:cy@198.51.100.10 delivery failure\r\n"
    );
    // A dialog of its own, since its CSeq does not continue Bob's.
    assert_eq!(field(&report, "Call-ID"), Some("call1@ann"));
    assert!(!field(&report, "From").unwrap().ends_with("tag=b1"), "{report}");
}

#[test]
fn w29_a_leg_in_a_dialog_is_the_same_transaction_after_a_crash_and_leaves_the_dialog_when_it_waits() {
    let mut bench = Bench::at_home();
    let text = ann_writes_in_the_call(&mut bench).replace("Proxy-Require", "Expires: 3600\nProxy-Require");
    bench.ask(ANN, &text);
    let first = bench.take_one("198.51.100.8:5060");
    bench.take_one("198.51.100.10:5060");
    bench.crash();
    let again = bench.take_one("198.51.100.8:5060");
    assert_eq!((top_branch(&again), field(&again, "To")), (top_branch(&first), field(&first, "To")));
    bench.answer("198.51.100.8:5060", &again, "480 Temporarily Unavailable");
    // He registers again, so the session is over, but a program that had the message recognises it (W15).
    bench.receive(udp(BOB), &register("bob", &format!("<sip:bob@{BOB}>"), 2, 600));
    let later = bench.take(BOB).pop().unwrap();
    assert!(later.starts_with("MESSAGE sip:bob@192.0.2.7:5060 SIP/2.0\r\n"), "{later}");
    assert_eq!(field(&later, "To"), Some("<sip:bob@domain.com>"));
    for same in ["From", "Call-ID", "CSeq"] {
        assert_eq!(field(&later, same), field(&first, same));
    }
}

#[test]
fn w14_nobody_from_elsewhere_writes_to_many_by_way_of_a_dialog() {
    let mut bench = Bench::at_home();
    let text =
        ann_writes_in_the_call(&mut bench).replace("sip:ann@domain.com>;tag", "sip:ann@elsewhere.org>;tag");
    assert_eq!(status(&bench.ask(JAMES, &text)), 403);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

const ANNS_END: &str = "192.0.2.6:40000";
const BOBS_END: &str = "192.0.2.7:40001";

/// The called phone's response, with its own tag.
fn answered(invite: &str, line: &str) -> String {
    let copied: String = ["Via", "Record-Route"]
        .into_iter()
        .flat_map(|name| fields(invite, name).into_iter().map(move |value| format!("{name}: {value}\n")))
        .collect();
    let (from, call_id) = (field(invite, "From").unwrap(), field(invite, "Call-ID").unwrap());
    format!(
        "SIP/2.0 {line}\n{copied}From: {from}\nTo: <sip:bob@domain.com>;tag=b1\nCall-ID: {call_id}\n\
         CSeq: 1 INVITE\nContent-Length: 0\n\n"
    )
}
