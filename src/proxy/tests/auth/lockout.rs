//! Who can lock whom out, and who cannot (W30).

use super::*;
use crate::proxy::{Refusal, RefusalKind};

/// A neighbour of James behind the same NAT: the same address, another port.
const NEIGHBOUR: &str = "192.0.2.1:40000";

fn invite(number: u32) -> String {
    format!(
        "INVITE sip:bob@domain.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKinv{number}\nMax-Forwards: 70\n\
         From: <sip:james@domain.com>;tag=j1\nTo: <sip:bob@domain.com>\nContact: <sip:james@192.0.2.9:5060>\n\
         Call-ID: invite{number}\nCSeq: 1 INVITE\nContent-Length: 0\n\n"
    )
}

fn registration(number: u32) -> String {
    register("james", &format!("<sip:james@{JAMES}>"), number, 600)
}

/// Each kind of request that is challenged, and the field for its credentials.
fn kinds(number: u32) -> [(String, &'static str); 4] {
    let ordinary = submission(number + 50_000)
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "");
    [
        (registration(number), "Authorization"),
        (submission(number), "Proxy-Authorization"),
        (ordinary, "Proxy-Authorization"),
        (invite(number), "Proxy-Authorization"),
    ]
}

fn challenge(answer: &str) -> String {
    let name = if status(answer) == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    fields(answer, name)[0].to_owned()
}

fn offences(bench: &mut Bench) -> Vec<Refusal> {
    let events = std::mem::take(&mut bench.events);
    let told = events
        .into_iter()
        .filter_map(|event| if let ProxyEvent::Offence(refusal) = event { Some(refusal) } else { None });
    told.collect()
}

/// As many wrong passwords for James as lock him out there, each with this nonce.
fn guess(bench: &mut Bench, from: &str, nonce: &str) {
    for number in 0..WRONG_PASSWORDS_MAX {
        let nc = format!("{:08x}", 0x1000 + number);
        let wrong = Said { password: "guess", ..james(nonce, &nc) };
        let answer = ask(bench, from, &wrong.with(&submission(1000 + number), "Proxy-Authorization"));
        assert_eq!(status(&answer), 407, "{answer}");
    }
}

#[test]
fn w30_who_never_sees_our_challenges_locks_nobody_out() {
    let mut bench = asking();
    let old = nonce_for(&mut bench, &submission(1));
    bench.advance(NONCE_LIFETIME + Duration::from_secs(1));
    let foreign = nonce_at(&mut bench, ANOTHER, &submission(2));
    for (round, nonce) in (1..).zip(["x", "", "0.0.0", &old, &foreign]) {
        let numbers = 100 * round..100 * round + 2 * WRONG_PASSWORDS_MAX;
        for (request, field) in numbers.flat_map(kinds) {
            // The right password gets the same answer as a wrong one.
            for (password, algorithm) in [("guess", "SHA-256"), ("guess", "MD5"), ("semaj", "SHA-256")] {
                let said = Said { password, algorithm, ..james(nonce, "00000001") };
                let answer = ask(&mut bench, JAMES, &said.with(&request, field));
                assert!([401, 407].contains(&status(&answer)), "{answer}");
                assert!(challenge(&answer).ends_with(", stale=true"), "{answer}");
            }
        }
    }
    assert_eq!(offences(&mut bench), [], "a program that reads the log bans nobody for it");
    let given = nonce_for(&mut bench, &submission(9));
    for (number, (request, field)) in (1..).zip(kinds(9000)) {
        let nc = format!("{number:08x}");
        bench.sent.clear();
        bench.receive(udp(JAMES), &james(&given, &nc).with(&request, field));
        let refused = bench
            .sent
            .iter()
            .any(|sent| sent.text.starts_with("SIP/2.0 40") && !sent.text.starts_with("SIP/2.0 404"));
        assert!(!refused, "{request}: {:?}", bench.sent);
    }
}

#[test]
fn w30_a_guesser_is_slowed_by_whichever_request_he_guesses() {
    for kind in 0..4 {
        for (from, elsewhere) in [
            (JAMES, NEIGHBOUR),
            ("[2001:db8::1]:5060", "[2001:db8::ffff]:6000"),
            ("[::ffff:192.0.2.1]:5060", JAMES),
        ] {
            let mut bench = asking();
            let nonce = nonce_at(&mut bench, from, &submission(1));
            for number in 0..WRONG_PASSWORDS_MAX {
                let (request, field) = kinds(100 + number)[kind].clone();
                let nc = format!("{:08x}", number + 1);
                let algorithm = if number % 2 == 0 { "SHA-256" } else { "MD5" };
                let wrong = Said { password: "guess", algorithm, ..james(&nonce, &nc) };
                let answer = ask(&mut bench, from, &wrong.with(&request, field));
                assert!(!challenge(&answer).contains("stale"), "{answer}");
            }
            // Another port of that address, or another address in that network, is the same guesser.
            let again = nonce_at(&mut bench, elsewhere, &submission(2));
            let (request, field) = kinds(200)[kind].clone();
            let answer = ask(&mut bench, elsewhere, &james(&again, "00000001").with(&request, field));
            assert!(answer.starts_with("SIP/2.0 403 Too Many Wrong Passwords"), "{from}: {answer}");
            assert_eq!(field_of(&answer), Some("60"));
        }
    }
}

fn field_of(answer: &str) -> Option<&str> {
    field(answer, "Retry-After")
}

#[test]
fn w30_a_guesser_behind_the_same_nat_locks_out_no_neighbour_who_is_there() {
    let mut bench = asking();
    // James has registered, and has authenticated with this nonce.
    let request = registration(1);
    let asked = ask(&mut bench, JAMES, &request);
    let his = nonce(&challenge(&asked));
    assert_eq!(
        status(&ask(&mut bench, JAMES, &james(&his, "00000001").with(&request, "Authorization"))),
        200
    );
    for round in 0..3 {
        let theirs = nonce_at(&mut bench, NEIGHBOUR, &submission(5));
        guess(&mut bench, NEIGHBOUR, &theirs);
        let right = james(&theirs, "00000001").with(&submission(7), "Proxy-Authorization");
        assert!(ask(&mut bench, NEIGHBOUR, &right).starts_with("SIP/2.0 403 Too Many"), "the guesser waits");
        // He uses that nonce again.
        let nc = format!("{:08x}", 2 + 2 * round);
        let answer =
            ask(&mut bench, JAMES, &james(&his, &nc).with(&submission(10 + round), "Proxy-Authorization"));
        assert_eq!(status(&answer), 202, "{answer}");
        // From another port he is asked anew, and neither locked out nor counted: it may be a neighbour's.
        let nc = format!("{:08x}", 3 + 2 * round);
        let moved = james(&his, &nc).with(&submission(20 + round), "Proxy-Authorization");
        let asked = ask(&mut bench, "192.0.2.1:50000", &moved);
        assert!(status(&asked) == 407 && challenge(&asked).ends_with(", stale=true"), "{asked}");
        // He uses a new nonce, at the flow where he is registered.
        let new = nonce_for(&mut bench, &submission(6));
        let answer = ask(
            &mut bench,
            JAMES,
            &james(&new, "00000001").with(&submission(30 + round), "Proxy-Authorization"),
        );
        assert_eq!(status(&answer), 202, "{answer}");
        bench.advance_ms(60_000);
    }
    let theirs = nonce_at(&mut bench, NEIGHBOUR, &submission(50));
    guess(&mut bench, NEIGHBOUR, &theirs);
    // Ann has never been there before.
    let request = register("ann", "<sip:ann@192.0.2.1:50001>", 1, 600);
    let asked = ask(&mut bench, "192.0.2.1:50001", &request);
    let given = nonce(&challenge(&asked));
    let ann = Said { username: "ann", password: "nna", ..james(&given, "00000001") };
    assert_eq!(status(&ask(&mut bench, "192.0.2.1:50001", &ann.with(&request, "Authorization"))), 200);
    // A request through a proxy that others use too is not from a known flow.
    let via = "Via: SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bK";
    let new = nonce_for(&mut bench, &submission(8));
    let by_proxy = james(&new, "00000001").with(&submission(40), "Proxy-Authorization").replacen(
        via,
        &format!("Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKedge\n{via}"),
        1,
    );
    assert!(ask(&mut bench, JAMES, &by_proxy).starts_with("SIP/2.0 403 Too Many Wrong Passwords"));
}

#[test]
fn w30_wrong_passwords_and_a_lockout_are_told_once_a_minute() {
    let mut bench = asking();
    let nonce = nonce_for(&mut bench, &submission(1));
    guess(&mut bench, JAMES, &nonce);
    for number in 0..5 {
        let nc = format!("{:08x}", 0x2000 + number);
        ask(&mut bench, JAMES, &james(&nonce, &nc).with(&submission(50 + number), "Proxy-Authorization"));
    }
    let told = offences(&mut bench);
    let lines: Vec<_> = told.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "refused source=192.0.2.1 kind=wrong-password verified=yes transport=udp count=1 who=james@domain.com",
            "refused source=192.0.2.1 kind=locked-out verified=yes transport=udp count=1 who=james@domain.com",
        ]
    );
    bench.advance_ms(60_000);
    guess(&mut bench, JAMES, &nonce);
    let counts: Vec<_> = offences(&mut bench).iter().map(|told| (told.kind, told.count)).collect();
    assert_eq!(counts, [(RefusalKind::WrongPassword, 9), (RefusalKind::LockedOut, 6)]);
}

#[test]
fn w14_a_relay_that_is_refused_is_told() {
    let mut bench = asking();
    let elsewhere = submission(1)
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "")
        .replace("domain.com", "elsewhere.com");
    let spoofed = |text: &str| text.replace("james@", "eve@");
    assert_eq!(status(&ask(&mut bench, ANOTHER, &spoofed(&elsewhere))), 403);
    let call = invite(1).replace("domain.com", "elsewhere.com");
    bench.receive(tcp(BOB, 1), &spoofed(&call));
    let lines: Vec<_> = offences(&mut bench).iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "refused source=192.0.2.2 kind=relay-denied verified=no transport=udp count=1 who=eve@elsewhere.com",
            "refused source=192.0.2.7 kind=relay-denied verified=yes transport=tcp count=1 who=eve@elsewhere.com",
        ]
    );
}
