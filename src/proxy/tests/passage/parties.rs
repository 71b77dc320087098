//! Who is a party of a dialog, and whom a block keeps from whom.

use super::*;

pub(super) const ANN_AT: &str = "192.0.2.77:5060";
pub(super) const CEO_AT: &str = "192.0.2.78:5060";

/// Everybody is registered, each at a different address.
pub(super) fn all_at_home() -> Bench {
    let mut bench = asking();
    sign_in(&mut bench, "ann", ANN_AT, 1);
    sign_in(&mut bench, "ceo", CEO_AT, 1);
    bench.sent.clear();
    bench
}

/// Bob blocks these senders.
pub(super) fn bob_blocks(bench: &mut Bench, blocked: &[&str]) {
    let blocked = blocked.iter().map(|name| Aor::parse(name).unwrap()).collect();
    let people = [user("ann"), UserRow { blocked, ..user("bob") }, user("ceo")];
    bench.input(Input::Command(ProxyCommand::Users(people.into())));
}

/// The statuses that an authenticated user gets for a request, if any.
pub(super) fn prove(bench: &mut Bench, name: &str, at: &str, text: &str) -> Vec<u16> {
    let text = text.replace(&format!("UDP {STRANGER}"), &format!("UDP {at}"));
    let asked = bench.ask(at, &text);
    assert_eq!(status(&asked), 407, "{asked}");
    bench
        .receive(udp(at), &proved(name, &asked, &text, "Proxy-Authorization").replace("z9hG4bK", "z9hG4bKp"));
    let answers = bench.take(at);
    answers.iter().filter(|text| text.starts_with("SIP/2.0 ")).map(|answer| status(answer)).collect()
}

pub(super) const TO_CEO: &str = "<sip:ceo@domain.com>";
const CEO_ANSWERS: &str = "<sip:ceo@domain.com>;tag=b1";

/// Eve calls Ann and claims to call the ceo; Ann, her accomplice, answers from there. Returns Eve's Route of ours.
fn stands_with_ann(bench: &mut Bench, contact: &str) -> String {
    let call = request(
        "INVITE",
        "sip:ann@domain.com",
        (EVE, TO_CEO),
        "acc",
        &format!("Contact: <sip:eve@{STRANGER}>\n"),
    );
    bench.receive(udp(STRANGER), &call);
    let invite = bench.take_one(ANN_AT);
    bench.receive(udp(ANN_AT), &answered(&invite, "200 OK", contact));
    let ok = bench.take_one(STRANGER);
    format!("Route: {}\n", field(&ok, "Record-Route").unwrap())
}

#[test]
fn w29_the_seal_names_who_was_really_called_and_not_whom_to_names() {
    let anns = format!("sip:ann@{ANN_AT}");
    for contact in [anns.clone(), format!("sip:ceo@{CEO_AT}"), "sip:ceo@domain.com".to_owned()] {
        let mut bench = all_at_home();
        let route = stands_with_ann(&mut bench, &contact);
        let trust = vec!["udp:192.0.2.9/32".parse().unwrap()];
        let inbound = InboundConfig { mode: Inbound::Off, ..InboundConfig::default() };
        let settings = ProxyConfig { auth: Auth::On, trust, inbound, ..config() };
        bench.config = settings.clone();
        bench.input(Input::Command(ProxyCommand::Settings(Box::new(settings))));
        for is_after_restart in [false, true] {
            if is_after_restart {
                bench.crash();
                bench.input(Input::Command(users()));
            }
            let methods = ["MESSAGE", "INFO", "INVITE", "BYE", "NOTIFY", "SUBSCRIBE", "OPTIONS", "ACK"];
            for (number, method) in methods.into_iter().enumerate() {
                let number = number + if is_after_restart { 100 } else { 0 };
                let places =
                    ["sip:ceo@domain.com".to_owned(), format!("sip:ceo@{CEO_AT}"), format!("sip:x@{CEO_AT}")];
                for (place, uri) in places.iter().enumerate() {
                    let branch = format!("q{number}-{place}");
                    bench.receive(udp(STRANGER), &request(method, uri, (EVE, CEO_ANSWERS), &branch, &route));
                    let told: Vec<_> = bench.take(STRANGER).iter().map(|answer| status(answer)).collect();
                    assert!(
                        told.iter().all(|told| [403, 405, 501].contains(told)),
                        "{method} {uri}: {told:?}"
                    );
                    assert_eq!(told.is_empty(), method == "ACK", "{method} {uri}");
                    assert!(is_silent(&bench), "{method} {uri} {contact}: {:?}", bench.sent);
                }
                let text = request(method, &anns, (EVE, CEO_ANSWERS), &format!("r{number}"), &route);
                bench.receive(udp(STRANGER), &text);
                let passed = bench.take_one(ANN_AT);
                assert!(passed.starts_with(&format!("{method} {anns} SIP/2.0\r\n")), "{passed}");
            }
        }
        // A Route with a changed name is not ours.
        let (ours, named) = route.trim_end().trim_end_matches('>').rsplit_once('.').unwrap();
        let is_ann = |byte: &str| "ann@domain.com".bytes().any(|other| format!("{other:02x}") == byte);
        assert!(named.as_bytes().chunks(2).all(|pair| is_ann(std::str::from_utf8(pair).unwrap())), "{route}");
        let ceo: String = "ceo@domain.com".bytes().map(|byte| format!("{byte:02x}")).collect();
        for forged in
            [format!("{ours}>\n"), format!("{ours}.{ceo}>\n"), format!("{ours}.>\n"), format!("{ours}.zz>\n")]
        {
            let text = request("INFO", &format!("sip:ceo@{CEO_AT}"), (EVE, CEO_ANSWERS), "fo", &forged);
            assert!([403, 501].contains(&status(&bench.ask(STRANGER, &text))), "{forged}");
            assert!(is_silent(&bench), "{:?}", bench.sent);
        }
    }
}

#[test]
fn w29_whoever_was_really_called_answers_and_blocks() {
    let mut bench = all_at_home();
    let route = stands_with_ann(&mut bench, &format!("sip:ann@{ANN_AT}"));
    let bye = request("BYE", &format!("sip:eve@{STRANGER}"), (CEO_ANSWERS, EVE), "wr", &route);
    assert_eq!(prove(&mut bench, "ann", ANN_AT, &bye), [] as [u16; 0]);
    assert!(bench.take_one(STRANGER).starts_with("BYE "));
    let blocked = vec![Aor::parse("eve@evil.org").unwrap()];
    let people = [UserRow { blocked, ..user("ann") }, user("bob"), user("ceo")];
    bench.input(Input::Command(ProxyCommand::Users(people.into())));
    for method in ["INFO", "MESSAGE", "INVITE", "BYE"] {
        let text =
            request(method, &format!("sip:ann@{ANN_AT}"), (EVE, CEO_ANSWERS), &format!("wb{method}"), &route);
        assert_eq!(status(&bench.ask(STRANGER, &text)), 403, "{method}");
    }
    assert!(is_silent(&bench));
}

#[test]
fn who_is_blocked_writes_to_no_device_by_its_number() {
    let mut bench = all_at_home();
    bob_blocks(&mut bench, &["ann@domain.com"]);
    let ip = BOB.split(':').next().unwrap();
    let ann = "<sip:ann@domain.com>;tag=a1";
    let mut number = 0;
    let spellings = [
        format!("sip:bob@{BOB}"),
        format!("sip:bob@{ip}"),
        format!("sip:anybody@{BOB}"),
        format!("sip:{ip}"),
        format!("sip:bob@{BOB};transport=tcp"),
        format!("sip:bob@[::ffff:{ip}]:5060"),
        format!("sip:bob@elsewhere.org;maddr={ip}"),
        format!("sip:bob@domain.com;maddr={ip}"),
        format!("sip:bob@domain.com:5060;maddr=[::ffff:{ip}]"),
        "sip:bob@domain.com".to_owned(),
    ];
    for uri in &spellings {
        for method in ["MESSAGE", "INVITE", "OPTIONS", "BYE"] {
            number += 1;
            let text = request(method, uri, (ann, "<sip:x@y.org>"), &format!("n{number}"), "");
            assert_eq!(prove(&mut bench, "ann", ANN_AT, &text), [403], "{method} {uri}");
            assert!(is_silent(&bench), "{method} {uri}: {:?}", bench.sent);
        }
    }
    // Nor along a Route.
    let route = format!("Route: <sip:{BOB};lr>\n");
    for method in ["MESSAGE", "INVITE"] {
        let text = request(method, "sip:x@y.org", (ann, "<sip:x@y.org>"), &format!("nr{method}"), &route);
        assert_eq!(prove(&mut bench, "ann", ANN_AT, &text), [403], "{method}");
    }
    // Nor by a host name that leads there.
    for (number, method) in ["MESSAGE", "INVITE", "BYE"].into_iter().enumerate() {
        let text = request(method, "sip:x@evil.org", (ann, "<sip:x@evil.org>"), &format!("nn{number}"), "");
        assert_eq!(prove(&mut bench, "ann", ANN_AT, &text), [] as [u16; 0]);
        let (id, _) = bench.resolves.pop().unwrap();
        let hops = vec![Hop { transport: Transport::Udp, remote: address(BOB) }];
        bench.input(Input::Resolved { id, hops });
        let told: Vec<_> = bench.take(ANN_AT).iter().map(|answer| status(answer)).collect();
        assert!(told == [403] || told == [500], "{method}: {told:?}");
        assert!(is_silent(&bench), "{method}: {:?}", bench.sent);
    }
    // Nor as one recipient of many.
    let many = request("MESSAGE", "sip:ceo@domain.com", (ann, TO_CEO), "nm", "")
        .replace("Call-ID", &format!("Secondary-To: <sip:bob@{BOB}>\nCall-ID"));
    assert_eq!(prove(&mut bench, "ann", ANN_AT, &many), [202]);
    assert_eq!((bench.take(CEO_AT).len(), bench.take(BOB).len()), (1, 0));
    // Others may, and so may she elsewhere.
    let text =
        request("MESSAGE", &format!("sip:bob@{BOB}"), ("<sip:ceo@domain.com>;tag=c1", TO_BOB), "nc", "");
    assert_eq!(prove(&mut bench, "ceo", CEO_AT, &text), [] as [u16; 0]);
    bench.take_one(BOB);
    for uri in [format!("sip:x@{VICTIM}"), format!("sip:bob@{ip}:5999")] {
        let text = request("MESSAGE", &uri, (ann, "<sip:x@y.org>"), &format!("ne{}", uri.len()), "");
        assert_eq!(prove(&mut bench, "ann", ANN_AT, &text), [] as [u16; 0], "{uri}");
    }
    // Once he is no longer registered there, it is nobody's place.
    bench.sent.clear();
    let gone = register("bob", &format!("<sip:bob@{BOB}>"), 9, 0);
    let asked = bench.ask(BOB, &gone);
    assert_eq!(status(&bench.ask(BOB, &proved("bob", &asked, &gone, "Authorization"))), 200);
    let text = request("MESSAGE", &format!("sip:bob@{BOB}"), (ann, TO_BOB), "ng", "");
    assert_eq!(prove(&mut bench, "ann", ANN_AT, &text), [] as [u16; 0]);
    bench.take_one(BOB);
}

#[test]
fn of_those_who_share_a_place_each_blocks_for_himself_and_nobody_for_a_place_that_is_not_his() {
    let mut bench = all_at_home();
    let ann = "<sip:ann@domain.com>;tag=a1";
    // A trusted gateway registers Bob and the ceo.
    for name in ["bob", "ceo"] {
        let text = register(name, &format!("<sip:{name}@{GATEWAY}>"), 7, 3600);
        assert_eq!(status(&bench.ask(GATEWAY, &text)), 200);
    }
    // Bob claims to be at Victim's address as well.
    let text = register("bob", &format!("<sip:bob@{VICTIM}>"), 8, 3600);
    let asked = bench.ask(BOB, &text);
    assert_eq!(status(&bench.ask(BOB, &proved("bob", &asked, &text, "Authorization"))), 200);
    bob_blocks(&mut bench, &["ann@domain.com"]);
    let mut number = 0;
    for (uri, told) in [
        (format!("sip:bob@{GATEWAY}"), &[403][..]),
        (format!("sip:ceo@{GATEWAY}"), &[]),
        (format!("sip:bob@{VICTIM}"), &[]),
    ] {
        number += 1;
        let text = request("MESSAGE", &uri, (ann, "<sip:x@y.org>"), &format!("sh{number}"), "");
        assert_eq!(prove(&mut bench, "ann", ANN_AT, &text), told, "{uri}");
    }
}

#[test]
fn a_block_concerns_the_request_uri_and_not_what_to_says_beside_a_route_of_others() {
    let mut bench = all_at_home();
    bob_blocks(&mut bench, &["evil.org"]);
    let route = format!("Route: <sip:{PROXY};lr>, <sip:{VICTIM};lr>\n");
    let (bob, carol) = ("sip:bob@domain.com", "sip:carol@example.net");
    for (number, method) in ["MESSAGE", "INVITE"].into_iter().enumerate() {
        for (uri, to, count) in [(bob, carol, 0), (bob, bob, 0), (carol, bob, 1), (carol, carol, 1)] {
            let branch = format!("b{number}{}{}", uri.len(), to.len());
            bench.receive(udp(GATEWAY), &request(method, uri, (EVE, &format!("<{to}>")), &branch, &route));
            assert_eq!(bench.take(VICTIM).len(), count, "{method} {uri} {to}");
            let refused = bench.take(GATEWAY);
            assert_eq!(
                refused.iter().filter(|text| status(text) == 403).count(),
                1 - count,
                "{method} {uri} {to}"
            );
        }
    }
}
