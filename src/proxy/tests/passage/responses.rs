//! How many responses pass back to where a request says to come from: the source of a datagram can be forged, and whoever
//! answers may be an accomplice (W31).

use super::*;
use crate::limits::{
    SESSION_COUNTED_WITHIN, SESSION_INVITE_KEPT, SESSION_RESPONSES_MAX, SESSION_RESPONSES_UNPROVEN_BYTES_MAX,
};

const MOST: usize = SESSION_RESPONSES_MAX as usize;

/// Bob answers so many times with so much in each answer; how much of it comes to the place, in responses and in bytes.
fn answers(
    bench: &mut Bench,
    passed: &str,
    (line, count, pad): (&str, usize, usize),
    at: &str,
) -> (usize, usize) {
    let padded = format!("X-Pad: {}\nContent-Length: 0\n\n", "a".repeat(pad));
    let text = answered(passed, line, &format!("sip:bob@{BOB}")).replace("Content-Length: 0\n\n", &padded);
    for _ in 0..count {
        bench.receive(udp(BOB), &text);
    }
    let all = bench.take(at);
    (all.len(), all.iter().map(String::len).sum())
}

#[test]
fn w31_a_strangers_datagram_brings_few_responses_to_where_it_says_to_come_from() {
    for method in ["INVITE", "BYE"] {
        let mut bench = asking();
        let forged = |branch: &str| {
            let contact = format!("Contact: <sip:eve@{STRANGER}>\n");
            request(method, "sip:bob@domain.com", (EVE, TO_BOB), branch, &contact)
        };
        let pass = |bench: &mut Bench, branch: &str| {
            bench.receive(udp(STRANGER), &forged(branch));
            bench.take_one(BOB)
        };
        // A call rings, is answered, and the answer is repeated until its ACK: all of that fits.
        let call = pass(&mut bench, "one");
        assert_eq!(answers(&mut bench, &call, ("183 Session Progress", 10, 1000), STRANGER).0, 10);
        assert_eq!(answers(&mut bench, &call, ("200 OK", 11, 2000), STRANGER).0, 11);
        // Small ones are counted, large ones are measured, and neither begins anew after the final one.
        assert_eq!(answers(&mut bench, &call, ("183 Session Progress", 300, 0), STRANGER).0, MOST - 21);
        assert_eq!(answers(&mut bench, &call, ("486 Busy Here", 50, 0), STRANGER), (0, 0));
        let call = pass(&mut bench, "two");
        let (count, bytes) = answers(&mut bench, &call, ("183 Session Progress", 300, 50_000), STRANGER);
        assert!(count == 1 && bytes <= SESSION_RESPONSES_UNPROVEN_BYTES_MAX, "{method}: {count}, {bytes}");
        // The request again does not begin anew either.
        bench.receive(udp(STRANGER), &forged("two"));
        bench.take(BOB);
        assert_eq!(answers(&mut bench, &call, ("183 Session Progress", 300, 50_000), STRANGER), (0, 0));
        // Nor does time. After a restart a call that was under way goes on, and that has an end too.
        bench.advance(SESSION_INVITE_KEPT + SESSION_COUNTED_WITHIN);
        assert_eq!(answers(&mut bench, &call, ("200 OK", 50, 0), STRANGER), (0, 0));
        let call = pass(&mut bench, "three");
        bench.crash();
        bench.input(Input::Command(users()));
        assert_eq!(answers(&mut bench, &call, ("200 OK", 100, 0), STRANGER).0, MOST, "{method}");
        assert_eq!(answers(&mut bench, &call, ("200 OK", 100, 0), STRANGER), (0, 0), "{method}");
        bench.crash();
        bench.advance(SESSION_INVITE_KEPT);
        assert_eq!(answers(&mut bench, &call, ("200 OK", 100, 0), STRANGER), (0, 0), "{method}");
    }
}

#[test]
fn w31_who_proved_himself_or_is_connected_gets_his_responses_after_a_restart_too() {
    let mut bench = asking();
    let ann = "192.0.2.77:5060";
    let text = request("INVITE", "sip:bob@domain.com", ("<sip:ann@domain.com>;tag=a1", TO_BOB), "own", "");
    let asked = bench.ask(ann, &text);
    bench.receive(udp(ann), &proved("ann", &asked, &text, "Proxy-Authorization"));
    let call = bench.take_one(BOB);
    assert_eq!(
        answers(&mut bench, &call, ("183 Session Progress", 300, 5000), ann).0,
        MOST,
        "in five minutes"
    );
    bench.advance(SESSION_COUNTED_WITHIN);
    assert_eq!(answers(&mut bench, &call, ("180 Ringing", 20, 0), ann).0, 20);
    bench.crash();
    bench.input(Input::Command(users()));
    assert_eq!(answers(&mut bench, &call, ("200 OK", 11, 2000), ann).0, 11);

    let stream = tcp("203.0.113.66:40000", 5);
    bench.receive(stream, &call_over_tcp());
    let call = bench.take_one(BOB);
    assert_eq!(answers(&mut bench, &call, ("183 Session Progress", 300, 0), "203.0.113.66:40000").0, 300);

    bench.receive(udp(GATEWAY), &request("INVITE", "sip:bob@domain.com", (EVE, TO_BOB), "gate", ""));
    let call = bench.take_one(BOB);
    assert_eq!(
        answers(&mut bench, &call, ("183 Session Progress", 300, 0), GATEWAY).0,
        300,
        "a trusted peer"
    );
}

fn call_over_tcp() -> String {
    call().replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace("Kinv", "Kconnected")
}
