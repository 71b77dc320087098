//! How much passes without a transaction: to a place that never agreed, and within one call (RFC 9000 §8; W29, W31).

use super::parties::prove;
use super::*;
use crate::limits::{
    SESSION_ACKS_MAX, SESSION_BYES_MAX, SESSION_CANCELS_MAX, SESSION_COUNTED_WITHIN,
    STRANGER_REQUESTS_PER_DIALOG, STRANGER_REQUESTS_PER_RECIPIENT, UNPROVEN_REQUESTS_MAX,
    UNPROVEN_REQUESTS_WITHIN, UNPROVEN_TRANSMISSIONS_MAX, USER_CALLS_ELSEWHERE,
    USER_INVITE_TRANSMISSIONS_MAX,
};

/// A third party who never asked for anything.
const THIRD: &str = "198.51.100.50:5060";
const ANN_AT: &str = "192.0.2.77:5060";
const FEW: usize = UNPROVEN_TRANSMISSIONS_MAX as usize;

/// Ann has registered that place from her own.
fn ann_registers(at: &str) -> Bench {
    let mut bench = asking();
    let text = register("ann", &format!("<sip:ann@{at}>"), 1, 3600);
    let asked = bench.ask(ANN_AT, &text);
    assert_eq!(status(&bench.ask(ANN_AT, &proved("ann", &asked, &text, "Authorization"))), 200);
    bench.sent.clear();
    bench
}

/// A request of Eve's call to Ann with that branch.
fn to_ann(method: &str, branch: &str) -> String {
    let contact = format!("Contact: <sip:eve@{STRANGER}>\n");
    request(method, "sip:ann@domain.com", (EVE, "<sip:ann@domain.com>"), branch, &contact)
}

/// How many of so many copies of a request reach a place.
fn reach(bench: &mut Bench, from: Flow, text: &str, copies: usize, at: &str) -> usize {
    for _ in 0..copies {
        bench.receive(from, text);
    }
    bench.take(at).len()
}

#[test]
fn w29_a_third_party_that_somebody_registers_gets_little_of_a_call_until_it_answers() {
    let mut bench = ann_registers(THIRD);
    let eve = udp(STRANGER);
    for method in ["INVITE", "CANCEL", "ACK"] {
        assert_eq!(reach(&mut bench, eve, &to_ann(method, "inv"), 5, THIRD), FEW, "{method}");
        assert!(is_silent(&bench), "{method}, too often, is dropped: {:?}", bench.sent);
    }
    for number in 1..UNPROVEN_REQUESTS_MAX {
        assert_eq!(reach(&mut bench, eve, &to_ann("INVITE", &format!("n{number}")), 1, THIRD), 1);
    }
    assert_eq!(status(&bench.ask(STRANGER, &to_ann("INVITE", "more"))), 480);
    assert_eq!(reach(&mut bench, eve, &to_ann("INVITE", "n1"), 5, THIRD), FEW - 1);
    assert!(is_silent(&bench), "{:?}", bench.sent);
    bench.advance(UNPROVEN_REQUESTS_WITHIN);
    bench.receive(eve, &to_ann("INVITE", "later"));
    let invite = bench.take_one(THIRD);
    // Whoever answers from elsewhere, though he knows the branch, does not speak for that place.
    let rings = answered(&invite, "180 Ringing", &format!("sip:ann@{THIRD}"));
    bench.receive(udp(ANN_AT), &rings);
    assert_eq!(status(&bench.take_one(STRANGER)), 180);
    assert_eq!(reach(&mut bench, eve, &to_ann("INVITE", "later"), 5, THIRD), FEW - 1);
    bench.receive(udp(THIRD), &rings);
    assert_eq!(status(&bench.take_one(STRANGER)), 180);
    assert_eq!(reach(&mut bench, eve, &to_ann("INVITE", "later"), 5, THIRD), 5, "it has answered");
}

#[test]
fn w29_a_branch_that_was_seen_at_one_place_proves_no_other() {
    let mut bench = ann_registers(ANN_AT);
    let eve = udp(STRANGER);
    bench.receive(eve, &to_ann("INVITE", "inv"));
    let seen = bench.take_one(ANN_AT);
    let text = register("ann", &format!("<sip:ann@{ANN_AT}>;expires=0, <sip:ann@{THIRD}>"), 3, 3600);
    let asked = bench.ask(ANN_AT, &text);
    assert_eq!(status(&bench.ask(ANN_AT, &proved("ann", &asked, &text, "Authorization"))), 200);
    assert_eq!(reach(&mut bench, eve, &to_ann("INVITE", "inv"), 2, THIRD), 2);
    // Ann forges the source of an answer to what she saw.
    bench.receive(udp(THIRD), &answered(&seen, "180 Ringing", &format!("sip:ann@{THIRD}")));
    assert_eq!(status(&bench.take_one(STRANGER)), 180);
    assert_eq!(reach(&mut bench, eve, &to_ann("INVITE", "inv"), 5, THIRD), FEW - 2);
}

#[test]
fn w29_where_somebody_registered_from_gets_every_retransmission_of_a_call() {
    let mut bench = ann_registers(ANN_AT);
    for (method, copies) in [("INVITE", 11), ("CANCEL", 11), ("ACK", 11)] {
        let text = to_ann(method, "inv");
        assert_eq!(reach(&mut bench, udp(STRANGER), &text, copies, ANN_AT), copies, "{method}");
    }
}

#[test]
fn w29_a_strangers_request_in_a_dialog_goes_little_to_whom_his_accomplice_names() {
    let mut bench = asking();
    bench.receive(udp(STRANGER), &call());
    let invite = bench.take_one(BOB);
    let ok = answered(&invite, "200 OK", &format!("sip:bob@{BOB}"));
    let ours = field(&invite, "Record-Route").unwrap().to_owned();
    // Bob names a third party as a proxy before him.
    bench.receive(udp(BOB), &ok.replace("\nContact", &format!("\nRecord-Route: <sip:{THIRD};lr>\nContact")));
    assert_eq!(status(&bench.take_one(STRANGER)), 200);
    let routes = format!("Route: {ours}, <sip:{THIRD};lr>\n");
    for method in ["ACK", "INFO", "BYE"] {
        let text = request(method, &format!("sip:bob@{BOB}"), (EVE, BOB_AT), &format!("in{method}"), &routes);
        assert_eq!(reach(&mut bench, udp(STRANGER), &text, 5, THIRD), FEW, "{method}");
        assert!(is_silent(&bench), "{method}: {:?}", bench.sent);
    }
}

#[test]
fn w31_a_call_has_few_byes_acks_and_cancels_in_five_minutes_and_they_are_small() {
    let mut bench = asking();
    let route = stands(&mut bench);
    let bobs = format!("sip:bob@{BOB}");
    let most = [
        ("BYE", SESSION_BYES_MAX, Some(503)),
        ("ACK", SESSION_ACKS_MAX, None),
        ("CANCEL", SESSION_CANCELS_MAX, Some(503)),
    ];
    let text = |method: &str, number: usize| match method {
        "CANCEL" => request(method, "sip:bob@domain.com", (EVE, TO_BOB), "inv", ""),
        // Another To tag is no other call.
        _ => {
            let to = format!("<sip:bob@domain.com>;tag=b{}", if method == "BYE" { number } else { 1 });
            request(method, &bobs, (EVE, &to), &format!("{method}{number}"), &route)
        }
    };
    for again in [0, 1000] {
        for (method, most, told) in most {
            let most = usize::try_from(most).unwrap();
            for number in 0..most + 3 {
                bench.receive(udp(STRANGER), &text(method, again + number));
            }
            assert_eq!(bench.take(BOB).len(), most, "{method}");
            let answers: Vec<_> = bench.take(STRANGER).iter().map(|it| status(it)).collect();
            assert_eq!(answers, told.map_or_else(Vec::new, |told| vec![told; 3]), "{method}");
        }
        bench.advance(SESSION_COUNTED_WITHIN / 2);
        // The INVITE is remembered while the phone rings.
        bench.receive(udp(STRANGER), &call());
        bench.take_one(BOB);
        bench.advance(SESSION_COUNTED_WITHIN / 2);
    }
    let large = "a".repeat(UNCHALLENGED_BYTES_MAX);
    let bye =
        text("BYE", 5000).replace("Content-Length: 3\n\nabc", &format!("Content-Length: 16384\n\n{large}"));
    assert_eq!(status(&bench.ask(STRANGER, &bye)), 413);
    assert!(is_silent(&bench));
    // A trusted peer is not counted.
    bench.receive(udp(GATEWAY), &call());
    bench.take_one(BOB);
    assert_eq!(reach(&mut bench, udp(GATEWAY), &text("CANCEL", 0), 30, BOB), 30);
}

#[test]
fn w31_strangers_in_dialogs_are_counted_by_dialog_and_by_recipient_whatever_their_sources() {
    let mut bench = asking();
    let route = stands(&mut bench);
    let other = call().replace("call-1", "call-2").replace("Kinv", "Kinv2");
    bench.receive(udp(STRANGER), &other);
    let invite = bench.take_one(BOB);
    let other = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    bench.receive(udp(BOB), &answered(&invite, "200 OK", &format!("sip:bob@{BOB}")));
    bench.take_one(STRANGER);
    let mut number = 0;
    let mut passes = |bench: &mut Bench, method: &str, call: &str, route: &str| {
        let mut count = 0;
        for _ in 0..50 {
            number += 1;
            let from = format!("198.51.{}.{}:5060", number / 250, number % 250);
            let text =
                request(method, &format!("sip:bob@{BOB}"), (EVE, BOB_AT), &format!("di{number}"), route);
            bench.receive(udp(&from), &text.replace("call-1", call));
            count += bench.take(BOB).len();
            let told = bench.take(&from);
            assert!(told.iter().all(|answer| status(answer) == 503), "{told:?}");
        }
        count
    };
    let of_dialog = usize::try_from(STRANGER_REQUESTS_PER_DIALOG / 3).unwrap();
    let of_recipient = usize::try_from(STRANGER_REQUESTS_PER_RECIPIENT / 3).unwrap();
    assert_eq!(passes(&mut bench, "INFO", "call-1", &route), of_dialog);
    assert_eq!(passes(&mut bench, "MESSAGE", "call-1", &route), 0, "by whatever method");
    assert_eq!(passes(&mut bench, "INFO", "call-2", &other), of_recipient - of_dialog);
    // What is in no dialog is counted apart, and a call ends in any case.
    bench.receive(udp(STRANGER), &request("MESSAGE", "sip:bob@domain.com", (EVE, TO_BOB), "dm", ""));
    bench.take_one(BOB);
    bench.receive(udp(STRANGER), &request("BYE", &format!("sip:bob@{BOB}"), (EVE, BOB_AT), "db", &route));
    bench.take_one(BOB);
}

#[test]
fn w31_the_calls_of_a_user_to_addresses_that_he_names_himself_are_counted() {
    let mut bench = asking();
    sign_in(&mut bench, "ann", ANN_AT, 1);
    let ann = "<sip:ann@domain.com>;tag=a1";
    let uri = format!("sip:x@{VICTIM}");
    let first = request("INVITE", &uri, (ann, "<sip:x@y.org>"), "uc0", "");
    let asked = bench.ask(ANN_AT, &first);
    let calls = |bench: &mut Bench, text: &str, at: &str| {
        bench.receive(udp(ANN_AT), &proved("ann", &asked, text, "Proxy-Authorization"));
        let refused = bench.take(ANN_AT);
        assert!(refused.iter().all(|answer| status(answer) == 503), "{refused:?}");
        bench.take(at).len()
    };
    // Retransmissions of one INVITE are counted with it.
    let copies: usize = (0..30).map(|_| calls(&mut bench, &first, VICTIM)).sum();
    assert_eq!(copies, usize::try_from(USER_INVITE_TRANSMISSIONS_MAX).unwrap());
    let most = usize::try_from(USER_CALLS_ELSEWHERE / 3).unwrap();
    let text = |number: usize| request("INVITE", &uri, (ann, "<sip:x@y.org>"), &format!("uc{number}"), "");
    let more: usize = (1..100).map(|number| calls(&mut bench, &text(number), VICTIM)).sum();
    assert_eq!(1 + more, most);
    // Along a Route of his choice as well; not to one of ours, and others are not concerned.
    let route = format!("Route: <sip:{VICTIM};lr>\n");
    let routed = request("INVITE", "sip:bob@domain.com", (ann, TO_BOB), "uc900", &route);
    assert_eq!(prove(&mut bench, "ann", ANN_AT, &routed), [503]);
    let to_bob = request("INVITE", "sip:bob@domain.com", (ann, TO_BOB), "uc901", "");
    assert_eq!(prove(&mut bench, "ann", ANN_AT, &to_bob), [] as [u16; 0]);
    bench.take_one(BOB);
    let bobs = request("INVITE", &uri, ("<sip:bob@domain.com>;tag=q1", "<sip:x@y.org>"), "uc902", "");
    assert_eq!(prove(&mut bench, "bob", BOB, &bobs), [] as [u16; 0]);
    bench.take_one(VICTIM);
    bench.advance_ms(60_000);
    let later = request("INVITE", &uri, (ann, "<sip:x@y.org>"), "uc903", "");
    assert_eq!(prove(&mut bench, "ann", ANN_AT, &later), [] as [u16; 0]);
    bench.take_one(VICTIM);
}

#[test]
fn w31_what_a_user_sends_in_a_call_to_where_its_callee_says_to_be_is_counted_too() {
    let most = usize::try_from(USER_CALLS_ELSEWHERE / 3).unwrap();
    let eves = format!("sip:x@{STRANGER}");
    let (ann, to) = ("<sip:ann@domain.com>;tag=a1", "<sip:x@y.org>");
    // By its Contact, and by a proxy that it names before itself.
    for (more, uri, next) in [
        (String::new(), format!("sip:x@{THIRD}"), String::new()),
        (format!("Record-Route: <sip:{THIRD};lr>\n"), eves.clone(), format!(", <sip:{THIRD};lr>")),
    ] {
        for method in ["INVITE", "INFO", "UPDATE"] {
            let mut bench = asking();
            sign_in(&mut bench, "ann", ANN_AT, 1);
            assert_eq!(
                prove(&mut bench, "ann", ANN_AT, &request("INVITE", &eves, (ann, to), "ic", "")),
                [0; 0]
            );
            let invite = bench.take_one(STRANGER);
            let ok = answered(&invite, "200 OK", &uri);
            bench.receive(udp(STRANGER), &ok.replace("\nContact", &format!("\n{more}Contact")));
            let ours = field(&bench.take_one(ANN_AT), "Record-Route").unwrap().to_owned();
            let ours = ours.split(", ").last().unwrap();
            let route = format!("Route: {ours}{next}\n");
            let text = |number: usize| {
                let (text, at) = (format!("ic{number}"), "<sip:x@y.org>;tag=b1");
                request(method, &uri, (ann, at), &text, &route).replace("CSeq: 1", &format!("CSeq: {number}"))
            };
            let asked = bench.ask(ANN_AT, &text(1));
            for number in 2..100 {
                bench.receive(udp(ANN_AT), &proved("ann", &asked, &text(number), "Proxy-Authorization"));
            }
            assert_eq!(1 + bench.take(THIRD).len(), most, "{method} {more}");
            assert!(bench.take(ANN_AT).iter().all(|answer| status(answer) == 503));
        }
    }
}
