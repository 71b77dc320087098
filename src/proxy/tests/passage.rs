//! What passes through, and where it goes: ACK and CANCEL, Routes of others, Routes that we recorded, responses (RFC
//! 3261 §16.4, §16.6, §16.7; W14, W29).

mod bounds;
mod forwarded;
mod gateway;
mod looked_up;
mod parties;
mod shared;
mod strict;
mod responses;
mod way_back;
mod acks;

use super::auth::{Said, nonce, user};
use super::*;
use crate::limits::{ROUTES_MAX, SESSION_INVITE_KEPT, SESSION_ROUTE_SECS, UNCHALLENGED_BYTES_MAX};
use crate::proxy::journal::UserRow;
use crate::proxy::{Auth, Inbound, InboundConfig, ProxyCommand};
use crate::sip::Aor;

const STRANGER: &str = "203.0.113.66:5060";
const VICTIM: &str = "198.51.100.5:5060";
const GATEWAY: &str = "192.0.2.9:5060";

/// A proxy that authenticates, with Bob registered, and a trusted gateway.
fn asking() -> Bench {
    let trust = vec!["udp:192.0.2.9/32".parse().unwrap()];
    let mut bench = Bench::with(ProxyConfig { auth: Auth::On, trust, ..config() });
    bench.input(Input::Command(users()));
    sign_in(&mut bench, "bob", BOB, 1);
    bench
}

fn users() -> ProxyCommand {
    ProxyCommand::Users(["ann", "bob", "ceo"].iter().map(|name| user(name)).collect())
}

fn sign_in(bench: &mut Bench, name: &str, at: &str, cseq: u32) {
    let text = register(name, &format!("<sip:{name}@{at}>"), cseq, 3600);
    let asked = bench.ask(at, &text);
    let answer = bench.ask(at, &proved(name, &asked, &text, "Authorization"));
    assert_eq!(status(&answer), 200, "{answer}");
}

/// The request again, with credentials for the challenge.
fn proved(name: &str, asked: &str, text: &str, field_name: &str) -> String {
    let asks = if field_name == "Authorization" { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    let given = nonce(fields(asked, asks)[0]);
    let password: String = name.chars().rev().collect();
    Said { username: name, password: &password, nonce: &given, nc: "00000001", algorithm: "SHA-256" }
        .with(text, field_name)
}

/// A request over UDP from the stranger, with its own branch.
fn request(method: &str, uri: &str, (from, to): (&str, &str), branch: &str, more: &str) -> String {
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP {STRANGER};branch=z9hG4bK{branch}\nMax-Forwards: 70\nFrom: {from}\n\
         To: {to}\nCall-ID: call-1\nCSeq: 1 {method}\n{more}Content-Length: 3\n\nabc"
    )
}

const EVE: &str = "<sip:eve@evil.org>;tag=e1";
const CEO: &str = "<sip:ceo@domain.com>;tag=e1";
const TO_BOB: &str = "<sip:bob@domain.com>";
const BOB_AT: &str = "<sip:bob@domain.com>;tag=b1";

/// Eve calls Bob.
fn call() -> String {
    request("INVITE", "sip:bob@domain.com", (EVE, TO_BOB), "inv", &format!("Contact: <sip:eve@{STRANGER}>\n"))
}

fn answered(request: &str, line: &str, contact: &str) -> String {
    let copied: String = ["Via", "Record-Route"]
        .into_iter()
        .flat_map(|name| fields(request, name).into_iter().map(move |value| format!("{name}: {value}\n")))
        .collect();
    let [from, to, call_id, cseq] =
        ["From", "To", "Call-ID", "CSeq"].map(|name| field(request, name).unwrap());
    let tag = if to.contains(";tag=") { "" } else { ";tag=b1" };
    format!(
        "SIP/2.0 {line}\n{copied}From: {from}\nTo: {to}{tag}\nContact: <{contact}>\nCall-ID: {call_id}\nCSeq: {cseq}\n\
         Content-Length: 0\n\n"
    )
}

/// The name that was asked for last leads there.
fn leads_to(bench: &mut Bench, at: &str) {
    let (id, _) = bench.resolves.pop().expect("a name is looked up");
    let hops = vec![Hop { transport: Transport::Udp, remote: address(at) }];
    bench.input(Input::Resolved { id, hops });
}

fn is_silent(bench: &Bench) -> bool {
    bench.sent.is_empty() && bench.connects.is_empty() && bench.resolves.is_empty()
}

#[test]
fn w14_a_route_of_others_is_followed_for_proven_users_and_trusted_peers_alone() {
    let mut bench = asking();
    let us = format!("<sip:{PROXY};lr>");
    let routes = [
        format!("Route: <sip:{VICTIM};lr>\n"),
        format!("Route: <sip:{VICTIM}>\n"),
        format!("Route: <sip:{VICTIM};transport=tcp;lr>\n"),
        format!("Route: {us}, <sip:{VICTIM};lr>\n"),
        "Route: <sip:domain.com.:9999;lr>, <sip:victim.org;lr>\n".to_owned(),
        format!("Route: {us}\nRoute: {us}\nRoute: <sips:victim.org>\n"),
        format!("Route: <sip:domain.com;lr;maddr={}>\n", VICTIM.split(':').next().unwrap()),
        "Route: <sip:192.0.2.100:9999;lr>\n".to_owned(),
    ];
    let methods = ["MESSAGE", "OPTIONS", "INVITE", "BYE", "SUBSCRIBE", "PUBLISH", "NOTIFY", "INFO", "FOO"];
    let uris = ["sip:bob@domain.com", "sip:nobody@domain.com", "sip:domain.com", "sip:x@third.test"];
    let mut number = 0;
    for route in &routes {
        for (method, uri) in methods.iter().flat_map(|method| uris.iter().map(move |uri| (method, uri))) {
            number += 1;
            let text = request(method, uri, (EVE, &format!("<{uri}>")), &format!("r{number}"), route);
            let text = text.replace("call-1", &format!("call-r{number}"));
            let answer = bench.ask(STRANGER, &text);
            let may_be = [200, 403, 405, 501];
            assert!(may_be.contains(&status(&answer)), "{method} {uri} {route}: {answer}");
            assert!(status(&answer) != 200 || (*method, *uri) == ("OPTIONS", "sip:domain.com"), "{answer}");
            assert!(is_silent(&bench), "{method} {uri} {route}: {:?}", bench.sent);
            // Nor for one who claims to be one of ours.
            let claimed = text.replace("eve@evil.org", "ceo@domain.com").replace("z9hG4bKr", "z9hG4bKc");
            assert_ne!(status(&bench.ask(STRANGER, &claimed)) / 100, 1);
            assert!(is_silent(&bench), "{method} {uri} {route}: {:?}", bench.sent);
        }
    }
    // A trusted peer may, and so may an authenticated user.
    let route = format!("Route: {us}, <sip:{VICTIM};lr>\n");
    for (number, method) in ["MESSAGE", "INVITE"].into_iter().enumerate() {
        let text = request(method, "sip:bob@domain.com", (EVE, TO_BOB), &format!("t{number}"), &route);
        bench.receive(udp(GATEWAY), &text);
        let passed = bench.take_one(VICTIM);
        assert_eq!(field(&passed, "Route"), Some(format!("<sip:{VICTIM};lr>").as_str()), "{passed}");
        let text = text.replace("eve@evil.org", "ann@domain.com").replace("z9hG4bKt", "z9hG4bKu");
        let asked = bench.ask(STRANGER, &text);
        assert_eq!(status(&asked), 407, "{asked}");
        bench.receive(udp(STRANGER), &proved("ann", &asked, &text, "Proxy-Authorization"));
        bench.take_one(VICTIM);
    }
}

#[test]
fn a_request_with_more_routes_than_any_has_need_of_is_refused() {
    let mut bench = asking();
    let many = format!("Route: {}\n", vec!["<sip:domain.com;lr>"; ROUTES_MAX + 1].join(","));
    for (number, method) in ["MESSAGE", "INVITE", "BYE", "OPTIONS"].into_iter().enumerate() {
        let text = request(method, "sip:bob@domain.com", (EVE, TO_BOB), &format!("m{number}"), &many);
        assert!(bench.ask(STRANGER, &text).starts_with("SIP/2.0 400 Too Many Routes\r\n"));
        let broken = text.replace(&many, "Route: <sip:>\n").replace("z9hG4bKm", "z9hG4bKn");
        assert_eq!(status(&bench.ask(STRANGER, &broken)), 400, "{broken}");
    }
    assert!(is_silent(&bench));
}

/// Eve's call is established; returns the Route of ours that she has.
fn stands(bench: &mut Bench) -> String {
    bench.receive(udp(STRANGER), &call());
    let invite = bench.take_one(BOB);
    bench.receive(udp(BOB), &answered(&invite, "200 OK", &format!("sip:bob@{BOB}")));
    let ok = bench.take_one(STRANGER);
    format!("Route: {}\n", field(&ok, "Record-Route").unwrap())
}

#[test]
fn w29_a_recorded_route_is_for_the_parties_of_its_dialog_and_leads_to_them() {
    let mut bench = asking();
    let route = stands(&mut bench);
    let (victim, bobs) = (format!("sip:x@{VICTIM}"), format!("sip:bob@{BOB}"));
    let methods =
        ["BYE", "INFO", "REFER", "NOTIFY", "SUBSCRIBE", "PUBLISH", "FOO", "MESSAGE", "OPTIONS", "INVITE"];
    let mut number = 0;
    let mut ask = |bench: &mut Bench, method: &str, uri: &str, people: (&str, &str), more: &str| {
        number += 1;
        let text = request(method, uri, people, &format!("s{number}"), more);
        let cseq = format!("CSeq: {} ", number + 1);
        let answer = bench.ask(STRANGER, &text.replace("CSeq: 1 ", &cseq));
        assert!(is_silent(bench), "{method} {uri} {people:?} {more}: {:?}", bench.sent);
        status(&answer)
    };
    let beyond = route.replace('\n', &format!(", <sip:{VICTIM};lr>\n"));
    for method in methods {
        // Anywhere else.
        assert_eq!(ask(&mut bench, method, &victim, (EVE, BOB_AT), &route), 403, "{method}");
        assert_eq!(ask(&mut bench, method, &format!("{victim};transport=tcp"), (EVE, BOB_AT), &route), 403);
        let way = ask(&mut bench, method, &bobs, (EVE, BOB_AT), &beyond);
        assert_eq!(way, 403, "{method} beyond us");
        // As somebody else, for whom it is no Route of that dialog.
        for other in [
            ("<sip:mallory@evil.org>;tag=e1", BOB_AT),
            ("<sip:eve@evil.org>;tag=e2", BOB_AT),
            (EVE, "<sip:ann@domain.com>;tag=b1"),
            (EVE, TO_BOB),
            ("<sip:mallory@evil.org>;tag=b1", "<sip:eve@evil.org>;tag=e1"),
        ] {
            let status = ask(&mut bench, method, &bobs, other, &route);
            assert!([403, 405, 501].contains(&status), "{method} {other:?}: {status}");
        }
        // As a user of ours, party of the dialog or not: must authenticate.
        for ours in [(CEO, BOB_AT), ("<sip:bob@domain.com>;tag=b1", EVE), ("<sip:domain.com>;tag=e1", BOB_AT)]
        {
            for uri in [&victim, &bobs, &format!("sip:eve@{STRANGER}")] {
                let status = ask(&mut bench, method, uri, ours, &route);
                let is_party = ours.0.contains("bob");
                let expected: &[u16] = if is_party { &[407] } else { &[407, 405, 501] };
                assert!(expected.contains(&status), "{method} {ours:?} {uri}: {status}");
            }
        }
    }
    // In the dialog, to Bob, whatever Eve claims.
    for method in methods {
        let text = request(method, &bobs, (EVE, BOB_AT), &format!("in{method}"), &route);
        bench.receive(udp(STRANGER), &text);
        assert!(bench.take_one(BOB).starts_with(&format!("{method} {bobs} SIP/2.0\r\n")));
    }
    // Bob can hang up once he has authenticated.
    let hangs_up = |branch: &str| {
        let uri = format!("sip:eve@{STRANGER}");
        request("BYE", &uri, (BOB_AT, EVE), branch, &route)
            .replace(&format!("UDP {STRANGER}"), &format!("UDP {BOB}"))
    };
    let asked = bench.ask(BOB, &hangs_up("h1"));
    assert_eq!(status(&asked), 407, "{asked}");
    bench.receive(udp(BOB), &proved("bob", &asked, &hangs_up("h2"), "Proxy-Authorization"));
    let bye = bench.take_one(STRANGER);
    assert!(bye.starts_with("BYE ") && field(&bye, "Proxy-Authorization").is_none(), "{bye}");
}

#[test]
fn w29_one_call_is_no_pass_to_everybody_here() {
    let mut bench = asking();
    let route = stands(&mut bench);
    sign_in(&mut bench, "ann", "192.0.2.77:5060", 7);
    bench.sent.clear();
    let trust = vec!["udp:192.0.2.9/32".parse().unwrap()];
    let inbound = InboundConfig { mode: Inbound::Off, ..InboundConfig::default() };
    let settings = ProxyConfig { auth: Auth::On, trust, inbound, ..config() };
    bench.input(Input::Command(ProxyCommand::Settings(Box::new(settings))));
    for method in ["INVITE", "INFO", "MESSAGE", "BYE", "NOTIFY", "SUBSCRIBE"] {
        let text = request(method, "sip:ann@domain.com", (EVE, BOB_AT), &format!("p{method}"), &route);
        let status = status(&bench.ask(STRANGER, &text));
        assert!([403, 405, 501].contains(&status), "{method}: {status}");
        assert!(is_silent(&bench), "{method}: {:?}", bench.sent);
    }
}

#[test]
fn who_is_blocked_is_so_in_a_dialog_too() {
    let mut bench = asking();
    let route = stands(&mut bench);
    let blocked = vec![Aor::parse("eve@evil.org").unwrap()];
    let bob = UserRow { blocked, ..user("bob") };
    bench.input(Input::Command(ProxyCommand::Users([bob].into())));
    for method in ["INVITE", "INFO", "MESSAGE", "BYE"] {
        let uri = format!("sip:bob@{BOB}");
        let text = request(method, &uri, (EVE, BOB_AT), &format!("b{method}"), &route);
        assert_eq!(status(&bench.ask(STRANGER, &text)), 403, "{method}");
        assert!(is_silent(&bench), "{method}: {:?}", bench.sent);
    }
    for method in ["INVITE", "MESSAGE"] {
        let other = EVE.replace("eve@", "eve;line=2@");
        let text = request(method, "sip:bob@domain.com", (&other, TO_BOB), &format!("bl{method}"), "");
        assert_eq!(status(&bench.ask(STRANGER, &text)), 403, "{method}");
    }
}

#[test]
fn w29_who_answers_a_forwarded_call_hangs_up_under_his_own_password_and_writes_to_nobody_else() {
    let mut bench = asking();
    // The caller dialled another number of ours, which was forwarded to Bob.
    let call = call().replace("To: <sip:bob@", "To: <sip:sales@");
    bench.receive(udp(STRANGER), &call);
    let invite = bench.take_one(BOB);
    bench.receive(udp(BOB), &answered(&invite, "200 OK", &format!("sip:bob@{BOB}")));
    let route = format!("Route: {}\n", field(&bench.take_one(STRANGER), "Record-Route").unwrap());
    let people = ("<sip:sales@domain.com>;tag=b1", EVE);
    let bye = |uri: &str, branch: &str| {
        request("BYE", uri, people, branch, &route).replace(&format!("UDP {STRANGER}"), &format!("UDP {BOB}"))
    };
    let (eves, others) = (format!("sip:eve@{STRANGER}"), format!("sip:x@{VICTIM}"));
    let asked = bench.ask(BOB, &bye(&others, "f1"));
    let refused = bench.ask(BOB, &proved("bob", &asked, &bye(&others, "f2"), "Proxy-Authorization"));
    assert!(refused.starts_with("SIP/2.0 403 From Is Another User's\r\n"), "{refused}");
    let asked = bench.ask(BOB, &bye(&eves, "f3"));
    bench.receive(udp(BOB), &proved("bob", &asked, &bye(&eves, "f4"), "Proxy-Authorization"));
    assert!(bench.take_one(STRANGER).starts_with("BYE "));
    // No other stranger reaches the place that the caller named.
    let elsewhere = call.replace("sip:sales@domain.com", "sip:sales@evil.org").replace(STRANGER, VICTIM);
    let elsewhere =
        elsewhere.replace("call-1", "call-2").replace(&format!("UDP {VICTIM}"), &format!("UDP {STRANGER}"));
    bench.receive(udp(STRANGER), &elsewhere);
    let invite = bench.take_one(BOB);
    let route = format!("Route: {}\n", field(&invite, "Record-Route").unwrap());
    let people = ("<sip:sales@evil.org>;tag=b1", EVE);
    let text = request("BYE", &format!("sip:eve@{VICTIM}"), people, "f5", &route).replace("call-1", "call-2");
    assert_eq!(status(&bench.ask(STRANGER, &text)), 403);
    assert!(is_silent(&bench), "{:?}", bench.sent);
}

#[test]
fn w29_a_recorded_route_holds_across_a_restart_and_not_for_ever() {
    let mut bench = asking();
    let route = stands(&mut bench);
    let in_dialog =
        |method: &str, uri: &str, branch: &str| request(method, uri, (EVE, BOB_AT), branch, &route);
    let bobs = format!("sip:bob@{BOB}");
    bench.crash();
    bench.input(Input::Command(users()));
    bench.receive(udp(STRANGER), &in_dialog("INFO", &bobs, "x1"));
    assert!(bench.take_one(BOB).starts_with("INFO "));
    assert_eq!(status(&bench.ask(STRANGER, &in_dialog("BYE", &format!("sip:x@{VICTIM}"), "x2"))), 403);
    let mut cseq = 1;
    for hours in [23, 2] {
        for _ in 0..hours * 2 {
            bench.advance(Duration::from_secs(1800));
            cseq += 1;
            sign_in(&mut bench, "bob", BOB, cseq * 2);
        }
        let passes = cseq < 48;
        bench.receive(udp(STRANGER), &in_dialog("BYE", &bobs, &format!("y{hours}")));
        assert_eq!(bench.take(BOB).len(), usize::from(passes), "after {cseq} half hours");
        assert_eq!(
            bench.take(STRANGER).iter().map(|it| status(it)).collect::<Vec<_>>(),
            if passes { vec![] } else { vec![403] }
        );
    }
    assert_eq!(SESSION_ROUTE_SECS, 24 * 3600);
    // A Route whose expiry was changed is not ours.
    let (ends, seal) = route.split("d=").nth(1).unwrap().split_once('.').unwrap();
    let later = u64::from_str_radix(ends, 16).unwrap() + 100;
    let forged = route.replace(&format!("{ends}.{seal}"), &format!("{later:x}.{seal}"));
    let text = request("BYE", &bobs, (EVE, BOB_AT), "z1", &forged);
    assert_eq!(status(&bench.ask(STRANGER, &text)), 403);
}

#[test]
fn rfc_3261_a_response_goes_back_along_the_via_that_we_wrote_and_no_other() {
    let mut bench = asking();
    bench.receive(udp(STRANGER), &call());
    let invite = bench.take_one(BOB);
    let ok = answered(&invite, "200 OK", &format!("sip:bob@{BOB}"));
    let ip = |place: &str| place.split(':').next().unwrap().to_owned();
    let via = format!("SIP/2.0/UDP {STRANGER};branch=z9hG4bKinv;received={};rport=5060", ip(STRANGER));
    assert!(ok.contains(&format!("Via: {via}\n")), "{ok}");
    for (old, new) in [
        (format!("received={}", ip(STRANGER)), format!("received={}", ip(VICTIM))),
        (";rport=5060\nR".to_owned(), ";rport=5061\nR".to_owned()),
        (format!("UDP {STRANGER}"), format!("TCP {STRANGER}")),
        (format!("UDP {STRANGER}"), format!("UDP {VICTIM}")),
        (
            format!("received={};", ip(STRANGER)),
            format!("received={};received={};", ip(VICTIM), ip(STRANGER)),
        ),
        (";rport=5060\nR".to_owned(), "\nR".to_owned()),
        ("Kinv;".to_owned(), "Kinw;".to_owned()),
    ] {
        let forged = ok.replacen(&old, &new, 2);
        assert_ne!(forged, ok, "{old}");
        for from in [BOB, VICTIM, STRANGER] {
            bench.receive(udp(from), &forged);
            assert!(is_silent(&bench), "{new}: {:?}", bench.sent);
        }
    }
    bench.receive(udp(BOB), &ok);
    assert_eq!(bench.take(STRANGER).len(), 1);
    // Also after a restart, since the key is stored.
    bench.crash();
    bench.receive(udp(BOB), &ok);
    assert_eq!(bench.take(STRANGER).len(), 1);
}
