//! Whose a place is: of several who registered it, of those behind one NAT, and where a trusted peer registers others.

use super::parties::{ANN_AT, all_at_home, bob_blocks, prove};
use super::*;
use crate::limits::UNPROVEN_TRANSMISSIONS_MAX;

/// Another port of the NAT behind which Bob is.
const NEIGHBOUR: &str = "192.0.2.7:40000";
const FEW: usize = UNPROVEN_TRANSMISSIONS_MAX as usize;
const ANN_WRITES: &str = "<sip:ann@domain.com>;tag=a1";

/// That user registers a place from another one.
fn registers(bench: &mut Bench, name: &str, from: &str, at: &str, cseq: u32) {
    let text = register(name, &format!("<sip:{name}@{at}>"), cseq, 3600);
    let asked = bench.ask(from, &text);
    assert_eq!(status(&bench.ask(from, &proved(name, &asked, &text, "Authorization"))), 200);
}

/// How many of eleven copies of a stranger's INVITE reach a place.
fn reached(bench: &mut Bench, name: &str, at: &str) -> usize {
    let text = request(
        "INVITE",
        &format!("sip:{name}@domain.com"),
        (EVE, &format!("<sip:{name}@domain.com>")),
        &format!("sh{name}"),
        "",
    );
    for _ in 0..11 {
        bench.receive(udp(STRANGER), &text);
    }
    bench.take(at).len()
}

#[test]
fn a_neighbour_behind_the_same_nat_who_registers_somebodys_device_does_not_own_it() {
    for bob_comes_last in [false, true] {
        let mut bench = all_at_home();
        if bob_comes_last {
            let text = register("bob", &format!("<sip:bob@{BOB}>"), 9, 0);
            let asked = bench.ask(BOB, &text);
            assert_eq!(status(&bench.ask(BOB, &proved("bob", &asked, &text, "Authorization"))), 200);
        }
        registers(&mut bench, "ceo", NEIGHBOUR, BOB, 5);
        if bob_comes_last {
            sign_in(&mut bench, "bob", BOB, 10);
        }
        bob_blocks(&mut bench, &["ann@domain.com"]);
        // Under the neighbour's name, by number and by the address that he registered.
        for (number, method) in ["MESSAGE", "INVITE", "OPTIONS", "BYE"].into_iter().enumerate() {
            let uri = format!("sip:ceo@{BOB}");
            let text = request(method, &uri, (ANN_WRITES, TO_BOB), &format!("nb{number}"), "");
            assert_eq!(prove(&mut bench, "ann", ANN_AT, &text), [403], "{method}");
            assert!(is_silent(&bench), "{method}: {:?}", bench.sent);
        }
        let text = request("MESSAGE", "sip:ceo@domain.com", (ANN_WRITES, TO_BOB), "nbm", "");
        prove(&mut bench, "ann", ANN_AT, &text);
        assert!(bench.take(BOB).is_empty());
        bench.sent.clear();
        assert_eq!(reached(&mut bench, "bob", BOB), 11, "he registered from there");
    }
}

#[test]
fn a_place_from_which_somebody_else_registered_gets_three_datagrams_until_it_answers() {
    let mut bench = asking();
    registers(&mut bench, "ceo", NEIGHBOUR, BOB, 5);
    assert_eq!(reached(&mut bench, "ceo", BOB), FEW);
    bench.advance_ms(60_000);
    // Another port of his own address is his as long as nobody else has registered from there.
    registers(&mut bench, "ann", "192.0.2.8:40000", "192.0.2.8:5070", 5);
    assert_eq!(reached(&mut bench, "ann", "192.0.2.8:5070"), 11);
    sign_in(&mut bench, "bob", "192.0.2.8:5070", 5);
    bench.advance_ms(60_000);
    assert_eq!(reached(&mut bench, "ann", "192.0.2.8:5070"), FEW);
}

#[test]
fn another_address_of_somebody_is_his_once_he_has_registered_from_it() {
    let (other, phone) = ("198.51.100.20:5070", "198.51.100.20:40000");
    let mut bench = all_at_home();
    bob_blocks(&mut bench, &["ann@domain.com"]);
    registers(&mut bench, "bob", BOB, other, 5);
    let write = |bench: &mut Bench, branch: &str| {
        let text = request("MESSAGE", &format!("sip:x@{other}"), (ANN_WRITES, TO_BOB), branch, "");
        prove(bench, "ann", ANN_AT, &text)
    };
    assert_eq!(write(&mut bench, "oa1"), [] as [u16; 0], "it may be anybody's");
    bench.sent.clear();
    let ring = |bench: &mut Bench, branch: &str| {
        let text = request("INVITE", "sip:bob@domain.com", (EVE, TO_BOB), branch, "");
        (0..11).for_each(|_| bench.receive(udp(STRANGER), &text));
        let (there, all) = (bench.take(other).len(), bench.take(BOB).len());
        (there, all)
    };
    let gone = register("bob", &format!("<sip:bob@{BOB}>"), 6, 0);
    let asked = bench.ask(BOB, &gone);
    assert_eq!(status(&bench.ask(BOB, &proved("bob", &asked, &gone, "Authorization"))), 200);
    bench.advance_ms(60_000);
    bench.sent.clear();
    assert_eq!(ring(&mut bench, "oa2"), (FEW, 0));
    bench.advance_ms(60_000);
    // His phone registers from another port of it, which is tried after the first one.
    let text = register("bob", &format!("<sip:bob@{phone}>;q=0.1"), 7, 3600);
    let asked = bench.ask(phone, &text);
    assert_eq!(status(&bench.ask(phone, &proved("bob", &asked, &text, "Authorization"))), 200);
    assert_eq!(write(&mut bench, "oa3"), [403]);
    assert_eq!(ring(&mut bench, "oa4"), (11, 0));
}

#[test]
fn w29_a_call_to_a_binding_that_a_trusted_peer_made_goes_there_in_full_and_is_for_its_user() {
    let place = "198.51.100.30:5060";
    let mut bench = asking();
    let text = register("ann", &format!("<sip:ann@{place}>"), 7, 3600);
    assert_eq!(status(&bench.ask(GATEWAY, &text)), 200);
    // The peer has asked her: she is there, though nobody registered from there.
    assert_eq!(reached(&mut bench, "ann", place), 11);
    let call = request("INVITE", "sip:ann@domain.com", (EVE, "<sip:ann@domain.com>"), "shann", "");
    bench.receive(udp(STRANGER), &call);
    let invite = bench.take_one(place);
    bench.receive(udp(place), &answered(&invite, "200 OK", &format!("sip:ann@{place}")));
    assert_eq!(status(&bench.take_one(STRANGER)), 200);
    let route = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    let at = "<sip:ann@domain.com>;tag=b1";
    for method in ["ACK", "INFO", "BYE", "MESSAGE"] {
        let text = request(method, &format!("sip:ann@{place}"), (EVE, at), &format!("tp{method}"), &route);
        bench.receive(udp(STRANGER), &text);
        let passed = bench.take_one(place);
        assert!(passed.starts_with(&format!("{method} sip:ann@{place} SIP/2.0\r\n")), "{passed}");
    }
    // A call to Bob does not lead to her, and her block holds at that place.
    let theirs = stands(&mut bench);
    let text = request("INFO", &format!("sip:ann@{place}"), (EVE, BOB_AT), "tp1", &theirs);
    assert_eq!(status(&bench.ask(STRANGER, &text)), 403);
    let blocked = vec![Aor::parse("eve@evil.org").unwrap(), Aor::parse("bob@domain.com").unwrap()];
    let people = [UserRow { blocked, ..user("ann") }, user("bob"), user("ceo")];
    bench.input(Input::Command(ProxyCommand::Users(people.into())));
    assert_eq!(status(&bench.ask(STRANGER, &call.replace("Kshann", "Kshann2"))), 403);
    let bobs = "<sip:bob@domain.com>;tag=q1";
    for (number, method) in ["INVITE", "MESSAGE"].into_iter().enumerate() {
        let text =
            request(method, &format!("sip:x@{place}"), (bobs, "<sip:x@y.org>"), &format!("tp2{number}"), "");
        assert_eq!(prove(&mut bench, "bob", BOB, &text), [403], "{method}");
    }
    assert!(is_silent(&bench), "{:?}", bench.sent);
}
