//! How much passes without a transaction: to a place that never agreed, and within one call (RFC 9000 §8; W29, W31).

use super::*;
use crate::limits::{
    SESSION_ACKS_MAX, SESSION_BYES_MAX, SESSION_CANCELS_MAX, SESSION_COUNTED_WITHIN, UNPROVEN_REQUESTS_MAX,
    UNPROVEN_REQUESTS_WITHIN, UNPROVEN_TRANSMISSIONS_MAX,
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
