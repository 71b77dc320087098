//! Credentials and identities in what passes, redirects and blocks: W14, W15, W18, W29; RFC 3325.

use super::*;

#[test]
fn w15_credentials_for_us_stay_here_and_those_for_others_go_on() {
    let mut bench = asking_with(ProxyConfig { trust: vec!["udp:192.0.2.6/32".parse().unwrap()], ..config() });
    bench.register("ann", ANN);
    let request = SUBMISSION
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "");
    let nonce = nonce_for(&mut bench, &request);
    let others = "Proxy-Authorization: Digest username=\"j\", realm=\"elsewhere.com\", nonce=\"n\", uri=\"sip:e\", response=\"0\"";
    let request = james(&nonce, "00000001")
        .with(&request, "Proxy-Authorization")
        .replace("\nCall-ID", &format!("\n{others}\nCall-ID"));
    bench.receive(udp(JAMES), &request);
    let relayed = bench.take_one(ANN);
    let left = fields(&relayed, "Proxy-Authorization");
    assert_eq!(left.len(), 1, "{relayed}");
    assert!(left[0].contains("elsewhere.com"), "{relayed}");
    let submitted = james(&nonce, "00000002").with(&submission(9), "Proxy-Authorization");
    bench.receive(udp(JAMES), &submitted);
    let leg = bench.take(ANN).remove(0);
    assert!(leg.starts_with("MESSAGE ") && !leg.contains("uthorization"), "{leg}");
}

/// RFC 3261 §16.3 step 1, §22.3: what is for others is theirs to judge, and passes; what cannot be read may be for us.
#[test]
fn credentials_for_others_cost_nothing_whatever_they_look_like() {
    for (number, (others, passes)) in [
        ("Digest username=\"j\", realm=\"elsewhere.com\", nonce=\"n\", uri=\"sip:e\", response=\"0\", qop=auth-int", true),
        ("Digest realm=\"elsewhere.com\", qop=auth, nc=1", true),
        ("Digest realm=\"elsewhere.com\", nonce=\"a\", nonce=\"b\"", true),
        ("Digest realm=\"elsewhere.com", false),
        ("Digest realm=\"domain.com\", response=\"0\", qop=auth-int", false),
        ("Bearer abc", true),
    ]
    .into_iter()
    .enumerate()
    {
        for is_first in [true, false] {
            let mut bench =
                asking_with(ProxyConfig { trust: vec!["udp:192.0.2.6/32".parse().unwrap()], ..config() });
            bench.register("ann", ANN);
            let request = SUBMISSION
                .replace("Secondary-To: <im:bob@domain.com>\n", "")
                .replace("Proxy-Require: secondary-to\n", "");
            let nonce = nonce_for(&mut bench, &request);
            let request = james(&nonce, "00000001").with(&request, "Proxy-Authorization");
            let place = if is_first { "\nFrom" } else { "\nContent-Type" };
            let request = request.replacen(place, &format!("\nProxy-Authorization: {others}{place}"), 1);
            bench.receive(udp(JAMES), &request);
            let relayed = bench.take_one(ANN);
            let left = fields(&relayed, "Proxy-Authorization");
            assert_eq!(left, if passes { vec![others] } else { vec![] }, "{number}: {relayed}");
        }
    }
}

#[test]
fn w30_nobody_else_asks_our_users_for_a_proof_of_their_password_here() {
    let challenges = |scheme: &str, field: &str| {
        let of = |realm: &str| format!("{field}: {scheme} realm=\"{realm}\", nonce=\"evil\", qop=\"auth\"\n");
        of("Domain.com") + &of("elsewhere.com")
    };
    for (line, field) in [
        ("401 Unauthorized", "WWW-Authenticate"),
        ("407 Proxy Authentication Required", "Proxy-Authenticate"),
    ] {
        for (scheme, is_trusted) in [("Digest", false), ("Basic", false), ("Digest", true)] {
            let peer = if is_trusted { ANN } else { BOB };
            let trust = vec![format!("udp:{}", address(peer).ip()).parse().unwrap()];
            let mut bench = asking_with(ProxyConfig { trust, ..config() });
            let ann = register("ann", &format!("<sip:ann@{ANN}>"), 1, 600);
            let asked = ask(&mut bench, ANN, &ann);
            if !is_trusted {
                let given = nonce(&asked);
                let said = Said { username: "ann", password: "nna", nonce: &given, ..james("", "00000001") };
                assert_eq!(status(&ask(&mut bench, ANN, &said.with(&ann, "Authorization"))), 200);
            }
            for method in ["MESSAGE", "INVITE"] {
                let request = SUBMISSION
                    .replace("Secondary-To: <im:bob@domain.com>\n", "")
                    .replace("Proxy-Require: secondary-to\n", "")
                    .replace("MESSAGE", method);
                let given = nonce_for(&mut bench, &request);
                bench.receive(udp(JAMES), &james(&given, "00000001").with(&request, "Proxy-Authorization"));
                let leg = bench.take_one(ANN);
                bench.take(JAMES);
                let vias: String = fields(&leg, "Via").iter().map(|via| format!("Via: {via}\n")).collect();
                let answer = Bench::answer_text(&leg, line, &challenges(scheme, field));
                let answer = answer.replacen(&format!("Via: {}\n", fields(&leg, "Via")[0]), &vias, 1);
                bench.receive(udp(ANN), &answer);
                let answer = bench.take(JAMES).join("\n");
                assert!(answer.starts_with(&format!("SIP/2.0 {line}")), "{method} {leg} {answer}");
                assert!(answer.contains("elsewhere.com"), "{answer}");
                assert_eq!(answer.contains("Domain.com"), is_trusted, "{scheme} {method}: {answer}");
            }
        }
    }
}

/// Challenges that somebody might take for ours.
const OURS: &[&str] = &[
    "Digest realm=\"domain.com\", nonce=\"n\"",
    "Digest realm=domain.com, nonce=\"n\"",
    "Digest realm=\"DOMAIN.com\", nonce=\"n\"",
    "Digest realm=\"domain.com.\", nonce=\"n\"",
    "Digest realm=\" domain.com\", nonce=\"n\"",
    "Digest realm=\"domain.com\t\", nonce=\"n\"",
    "Digest realm=\"'domain.com'\", nonce=\"n\"",
    "Digest realm='domain.com', nonce='n'",
    "Digest realm=\"<domain.com>\", nonce=\"n\"",
    "Digest realm=\"do\\main.com\", nonce=\"n\"",
    "Digest realm=\"\\\"domain.com\\\"\", nonce=\"n\"",
    "Digest  realm = \"domain.com\" , nonce = \"n\"",
    "digest REALM=\"domain.com\", nonce=\"n\"",
    "DIGEST nonce=\"n\", realm=\"domain.com\"",
    "Digest ,, realm=\"domain.com\",, nonce=\"n\",",
    "Digest realm=\"elsewhere.com\", realm=\"domain.com\", nonce=\"n\"",
    "Digest realm=\"domain.com\", realm=\"elsewhere.com\", nonce=\"n\"",
    "Digest realm=\"elsewhere.com\", nonce=\"n\", Digest realm=\"domain.com\", nonce=\"n\"",
    "Digest realm=\"elsewhere.com\", nonce=\"n\", Basic realm=\"domain.com\"",
    "Basic realm=\"domain.com\"",
    "Basic realm=domain.com",
    "Bearer realm=\"domain.com\"",
    "Negotiate realm=\"domain.com\"",
    "Digest realm=\"domain.com\" nonce=\"n\"",
    "Digest realm=\"domain.com\"; nonce=\"n\"",
    "Digest realm=\"domain.com, nonce=\"n\"",
    "Digest realm=\"domain.com\", nonce=\"n",
    "Digest: realm=\"domain.com\", nonce=\"n\"",
    "Digest, realm=\"domain.com\", nonce=\"n\"",
    "Digest=realm=\"domain.com\"",
    "\"Digest\" realm=\"domain.com\", nonce=\"n\"",
    "Digest realm:\"domain.com\", nonce:\"n\"",
    "Digest \"realm\"=\"domain.com\", nonce=\"n\"",
    "Digest realm=domain.com:5060, nonce=\"n\"",
    "realm=\"domain.com\", nonce=\"n\"",
    "Digest nonce=\"n\"",
    "Digest realm, nonce=\"n\"",
    "Digest realm=, nonce=\"n\", realm=\"domain.com\"",
    "Basic",
    "\u{feff}Digest realm=\"domain.com\", nonce=\"n\"",
];

/// Challenges of others.
const OTHERS: &[&str] = &[
    "Digest realm=\"elsewhere.com\", nonce=\"n\"",
    "Digest  realm = \"else\\where.com\" , nonce = \"n\",",
    "Digest realm=\"mydomain.com\", nonce=\"domain.com\", domain=\"sip:domain.com\"",
    "Digest realm=\"domain.com.elsewhere.com\", nonce=\"n\"",
    "Digest realm=\"a\", nonce=\"n\", Digest realm=\"b\", nonce=\"n\"",
    "Digest realm=\"\", nonce=\"n\"",
    "Basic realm=\"Caf\u{e9} at elsewhere.com\"",
    "Bearer authz_server=\"https://elsewhere.com\"",
];

/// What a client that reads leniently might take for a challenge of ours is removed; that of others passes byte for byte.
#[test]
fn w30_a_challenge_in_our_name_is_known_in_every_spelling() {
    let mut bench = asking();
    let ann = register("ann", &format!("<sip:ann@{ANN}>"), 1, 600);
    let given = nonce(&ask(&mut bench, ANN, &ann));
    let said = Said { username: "ann", password: "nna", nonce: &given, ..james("", "00000001") };
    assert_eq!(status(&ask(&mut bench, ANN, &said.with(&ann, "Authorization"))), 200);
    let all = OURS.iter().map(|value| (*value, false)).chain(OTHERS.iter().map(|value| (*value, true)));
    for (number, (value, passes)) in all.enumerate() {
        let request = submission(u32::try_from(number).unwrap())
            .replace("Secondary-To: <im:bob@domain.com>\n", "")
            .replace("Proxy-Require: secondary-to\n", "");
        let given = nonce_for(&mut bench, &request);
        bench.receive(udp(JAMES), &james(&given, "00000001").with(&request, "Proxy-Authorization"));
        let leg = bench.take_one(ANN);
        let vias: String = fields(&leg, "Via").iter().map(|via| format!("Via: {via}\n")).collect();
        let answer = Bench::answer_text(&leg, "401 Unauthorized", &format!("WWW-Authenticate: {value}\n"));
        let answer = answer.replacen(&format!("Via: {}\n", fields(&leg, "Via")[0]), &vias, 1);
        bench.receive(udp(ANN), &answer);
        let answer = bench.take(JAMES).pop().unwrap();
        assert_eq!(status(&answer), 401, "{value}: {answer}");
        assert_eq!(fields(&answer, "WWW-Authenticate"), if passes { vec![value] } else { vec![] }, "{value}");
    }
}

#[test]
fn w30_credentials_of_another_kind_do_not_stand_before_the_right_ones() {
    let mut bench = asking();
    let given = nonce_for(&mut bench, &submission(1));
    for (number, field) in [(1, "Authorization"), (2, "Proxy-Authorization")] {
        let stale = james("evil", "00000001").with(&submission(number), field);
        let both = james(&given, &format!("0000000{number}")).with(&stale, "Proxy-Authorization");
        let expected = if field == "Authorization" { 202 } else { 407 };
        assert_eq!(status(&ask(&mut bench, JAMES, &both)), expected, "{field}");
    }
}

#[test]
fn w14_a_message_from_elsewhere_reaches_our_users_unasked_and_one_in_our_name_does_not() {
    let mut bench = asking_with(ProxyConfig { trust: vec!["udp:192.0.2.6/32".parse().unwrap()], ..config() });
    bench.register("ann", ANN);
    let ordinary = SUBMISSION
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "");
    assert_eq!(status(&ask(&mut bench, JAMES, &ordinary)), 407);
    bench.receive(
        udp(JAMES),
        &ordinary.replace("james@domain.com", "eve@elsewhere.com").replace("K776", "K7"),
    );
    assert_eq!(bench.take(ANN).len(), 1);
    // Anybody may ask what we can do (W6).
    let options = ordinary
        .replace("MESSAGE sip:ann@domain.com", "OPTIONS sip:domain.com")
        .replace("1 MESSAGE", "1 OPTIONS");
    assert_eq!(status(&ask(&mut bench, JAMES, &options.replace("K776", "K8"))), 200);
}

#[test]
fn rfc_3325_an_asserted_identity_stays_among_those_who_trust_each_other() {
    let mut bench = asking_with(ProxyConfig { trust: vec!["udp:192.0.2.6/32".parse().unwrap()], ..config() });
    bench.register("ann", ANN);
    let bob = register("bob", &format!("<sip:bob@{BOB}>"), 1, 600);
    let asked = ask(&mut bench, BOB, &bob);
    let bobs = nonce(&asked);
    let said = Said { username: "bob", password: "bob", nonce: &bobs, nc: "00000001", algorithm: "SHA-256" };
    assert_eq!(status(&ask(&mut bench, BOB, &said.with(&bob, "Authorization"))), 200);
    let claim =
        "P-Asserted-Identity: <sip:boss@domain.com>\nP-Preferred-Identity: <sip:boss@domain.com>\nContact";
    // James claims to be the boss: Ann's host is trusted and is told who he really is; Bob is told nothing.
    let request = SUBMISSION.replacen("Contact", claim, 1);
    let nonce = nonce_for(&mut bench, &request);
    let answer = ask(&mut bench, JAMES, &james(&nonce, "00000001").with(&request, "Proxy-Authorization"));
    assert_eq!(status(&answer), 202);
    let (to_ann, to_bob) = (bench.take_one(ANN), bench.take_one(BOB));
    assert_eq!(fields(&to_ann, "P-Asserted-Identity"), ["<sip:james@domain.com>"]);
    assert!(!to_bob.contains("P-Asserted") && !to_bob.contains("P-Preferred"), "{to_bob}");
    bench.answer(ANN, &to_ann, "200 OK");
    bench.answer(BOB, &to_bob, "200 OK");
    bench.sent.clear();
    // The trusted host is believed; what it says goes to trusted hosts only.
    let request = submission(2).replacen("Contact", claim, 1);
    bench.receive(udp(ANN), &request);
    let to_ann = bench.take(ANN).into_iter().find(|text| text.starts_with("MESSAGE")).unwrap();
    assert_eq!(fields(&to_ann, "P-Asserted-Identity"), ["<sip:boss@domain.com>"]);
    assert!(!bench.take(BOB)[0].contains("P-Asserted"));
    // The same for an ordinary message.
    let ordinary = submission(3)
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "")
        .replacen("Contact", claim, 1);
    bench.receive(udp(ANN), &ordinary);
    let relayed = bench.take(ANN).into_iter().find(|text| text.starts_with("MESSAGE")).unwrap();
    assert_eq!(fields(&relayed, "P-Asserted-Identity"), ["<sip:boss@domain.com>"]);
    bench.receive(udp(ANN), &ordinary.replace("ann@domain.com", "bob@domain.com").replace("K3", "K4"));
    let relayed = bench.take_one(BOB);
    assert!(!relayed.contains("P-Asserted") && !relayed.contains("P-Preferred"), "{relayed}");
}

#[test]
fn a_redirect_does_not_lead_past_a_block() {
    for (blocks, reaches_bob) in [("james@domain.com", false), ("jim@domain.com", true)] {
        let mut bench = Bench::at_home();
        let blocked = vec![Aor::parse(blocks).unwrap()];
        bench.input(Input::Command(ProxyCommand::Users([UserRow { blocked, ..user("bob") }].into())));
        let to_ann = submission(1).replace("Secondary-To: <im:bob@domain.com>\n", "");
        assert_eq!(status(&ask(&mut bench, JAMES, &to_ann)), 202);
        let leg = bench.take_one(ANN);
        bench.answer_with(udp(ANN), &leg, "302 Moved", "Contact: <sip:bob@domain.com>\n");
        assert_eq!(bench.take(BOB).len(), usize::from(reaches_bob), "{blocks}");
    }
}

#[test]
fn a_blocked_sender_gets_403_for_that_recipient_and_no_other() {
    let mut bench = Bench::at_home();
    let blocked = |senders: &[&str]| {
        let blocked = senders.iter().map(|sender| Aor::parse(sender).unwrap()).collect();
        ProxyCommand::Users([UserRow { blocked, ..user("bob") }].into())
    };
    for (number, senders, is_blocked) in [
        (1, &["james@domain.com"][..], true),
        (2, &["domain.com"], true),
        (3, &["jim@domain.com", "elsewhere.com"], false),
    ] {
        bench.input(Input::Command(blocked(senders)));
        assert_eq!(status(&ask(&mut bench, JAMES, &submission(number))), 202);
        assert_eq!(bench.take(BOB).len(), usize::from(!is_blocked), "{senders:?}");
        let leg = bench.take_one(ANN);
        bench.answer(ANN, &leg, "200 OK");
        bench.advance_ms(1000);
        let outcomes = &bench.rows.dispatches.last().unwrap().outcomes;
        let bobs = outcomes.iter().find(|row| row.recipient == 1).map(|row| row.status);
        assert_eq!(bobs, is_blocked.then_some(403), "{senders:?}");
        bench.sent.clear();
        let ordinary = submission(number + 10)
            .replace("Secondary-To: <im:bob@domain.com>\n", "")
            .replace("Proxy-Require: secondary-to\n", "")
            .replace("ann@domain.com", "bob@domain.com");
        bench.receive(udp(JAMES), &ordinary);
        assert_eq!(bench.take(BOB).len(), usize::from(!is_blocked));
        assert_eq!(bench.take(JAMES).first().map(|text| status(text)), is_blocked.then_some(403));
    }
}

#[test]
fn w29_a_call_is_asked_for_credentials_which_go_no_further_and_may_be_sent_again() {
    let mut bench = asking();
    let bob = Said { username: "bob", password: "bob", ..james("", "") };
    let contact = "<sip:bob@192.0.2.7:5060>";
    let register = register("bob", contact, 1, 600);
    let asked = ask(&mut bench, BOB, &register);
    let given = nonce(fields(&asked, "WWW-Authenticate")[0]);
    let bob = Said { nonce: &given, nc: "00000001", ..bob }.with(&register, "Authorization");
    assert_eq!(status(&ask(&mut bench, BOB, &bob)), 200);
    let invite = "INVITE sip:bob@domain.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKinv1\nMax-Forwards: 70\n\
         From: <sip:james@domain.com>;tag=j1\nTo: <sip:bob@domain.com>\nContact: <sip:james@192.0.2.9:5060>\n\
         Call-ID: call1\nCSeq: 1 INVITE\nContent-Length: 0\n\n";
    let given = nonce_for(&mut bench, invite);
    assert!(bench.take(BOB).is_empty(), "nobody's phone rings");
    let proved = james(&given, "00000001").with(invite, "Proxy-Authorization");
    for _ in 0..2 {
        bench.receive(udp(JAMES), &proved);
        assert!(bench.take(JAMES).is_empty(), "a retransmission is not asked again");
        let passed = bench.take_one(BOB);
        assert!(passed.starts_with("INVITE sip:bob@192.0.2.7:5060 "), "{passed}");
        assert_eq!(field(&passed, "Proxy-Authorization"), None);
    }
    let wrong = Said { password: "guess", ..james(&given, "00000002") }.with(invite, "Proxy-Authorization");
    assert_eq!(status(&ask(&mut bench, JAMES, &wrong)), 407);
    assert!(bench.take(BOB).is_empty());
}
