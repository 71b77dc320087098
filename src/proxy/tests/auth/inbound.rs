//! What strangers may send, and who is banned (W13, W14, W31).

use super::*;
use crate::proxy::journal::AliasRow;
use crate::proxy::{Inbound, InboundConfig, Party, RefusalKind};
use crate::sip::Uri;

/// A stranger's address.
const EVE: &str = "198.51.100.7:5060";

fn party(text: &str) -> Party {
    text.parse().unwrap()
}

/// A bench where Ann and Bob are registered.
fn with(inbound: InboundConfig) -> Bench {
    let mut bench =
        asking_with(ProxyConfig { inbound, trust: vec!["udp:192.0.2.99/32".parse().unwrap()], ..config() });
    for (name, at) in [("ann", ANN), ("bob", BOB)] {
        let request = register(name, &format!("<sip:{name}@{at}>"), 1, 3600);
        let asked = ask(&mut bench, at, &request);
        let given = nonce(fields(&asked, "WWW-Authenticate")[0]);
        let password: String = name.chars().rev().collect();
        let said = Said { username: name, password: &password, ..james(&given, "00000001") };
        assert_eq!(status(&ask(&mut bench, at, &said.with(&request, "Authorization"))), 200);
    }
    bench
}

/// A stranger's request, each time with another From.
fn request(method: &str, to: &str, number: u32) -> String {
    format!(
        "{method} sip:{to}@domain.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.250;branch=z9hG4bK{method}{to}{number};rport\n\
         Max-Forwards: 70\nFrom: <sip:x{number}@elsewhere{number}.com>;tag={number}\nTo: <sip:{to}@domain.com>\n\
         Contact: <sip:x@198.51.100.7>\nCall-ID: {method}{to}{number}\nCSeq: 1 {method}\nContent-Length: 0\n\n"
    )
}

/// How many of these requests reach somebody.
fn taken(
    bench: &mut Bench,
    flow: impl Fn(u32) -> Flow,
    method: &str,
    to: &str,
    numbers: std::ops::Range<u32>,
) -> usize {
    bench.sent.clear();
    let at = if to == "ann" { ANN } else { BOB };
    for number in numbers {
        bench.receive(flow(number), &request(method, to, number));
    }
    bench.take(at).iter().filter(|text| text.starts_with(method)).count()
}

fn kinds(bench: &mut Bench) -> Vec<(RefusalKind, String)> {
    let events = std::mem::take(&mut bench.events);
    let told = events.into_iter().filter_map(|event| {
        let ProxyEvent::Offence(refusal) = event else { return None };
        Some((refusal.kind, refusal.source.to_string()))
    });
    told.collect()
}

#[test]
fn w31_one_source_gets_little_in_whatever_it_calls_itself() {
    for method in ["MESSAGE", "INVITE", "OPTIONS"] {
        let mut bench = with(InboundConfig::default());
        let from_eve = |_| udp(EVE);
        assert_eq!(taken(&mut bench, from_eve, method, "ann", 0..150), 20, "{method}");
        assert_eq!(taken(&mut bench, from_eve, method, "bob", 150..300), 0, "whoever it is for: {method}");
        let refused = ask(&mut bench, EVE, &request(method, "ann", 301));
        assert_eq!(status(&refused), 503, "{refused}");
        assert!(field(&refused, "Retry-After").is_some());
        assert_eq!(kinds(&mut bench), [(RefusalKind::RateLimited, "198.51.100.7".to_owned())]);
        let another = |_| tcp("198.51.100.8:40000", 1);
        assert_eq!(taken(&mut bench, another, method, "ann", 310..312), 2, "another one is not concerned");
        bench.advance_ms(5000);
        assert_eq!(taken(&mut bench, from_eve, method, "ann", 400..500), 5, "one a second: {method}");
    }
    // An IPv6 /64 is one source.
    let mut bench = with(InboundConfig::default());
    let network = |number: u32| match number % 2 {
        0 => udp(&format!("[2001:db8::{number:x}]:5060")),
        _ => tcp(&format!("[2001:db8::{number:x}]:5060"), u64::from(number)),
    };
    let both = taken(&mut bench, network, "MESSAGE", "ann", 0..100);
    assert_eq!(both, 40, "twenty in datagrams, and twenty over connections");
}

#[test]
fn w31_one_of_ours_gets_little_from_however_many_sources() {
    let mut bench = with(InboundConfig::default());
    let many = |number: u32| udp(&format!("198.51.{}.{}:5060", number / 250, number % 250));
    assert_eq!(taken(&mut bench, many, "MESSAGE", "ann", 0..500), 30);
    assert_eq!(taken(&mut bench, many, "MESSAGE", "bob", 600..610), 10, "others are not concerned");
    // Our own users and trusted peers are not strangers.
    let trusted = |_| udp("192.0.2.99:5060");
    assert_eq!(taken(&mut bench, trusted, "MESSAGE", "ann", 700..800), 100);
    let message = submission(1)
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "");
    let given = nonce_for(&mut bench, &message);
    bench.take(ANN);
    bench.receive(udp(JAMES), &james(&given, "00000001").with(&message, "Proxy-Authorization"));
    assert_eq!(bench.take(ANN).len(), 1);
}

#[test]
fn w31_an_alias_is_counted_as_whom_it_stands_for() {
    let mut bench = with(InboundConfig::default());
    let row = |alias: &str, member: &str| AliasRow {
        alias: Aor::parse(alias).unwrap(),
        members: vec![Uri::parse(member).unwrap()],
    };
    let rows = vec![
        row("info@domain.com", "sip:ann@domain.com"),
        row("help@domain.com", "sip:info@domain.com"),
        row("away@domain.com", "sip:zed@192.0.2.66"),
    ];
    bench.input(Input::Command(ProxyCommand::Aliases(rows.into())));
    let many = |number: u32| udp(&format!("198.51.{}.{}:5060", number / 250, number % 250));
    let mut reached = |method: &str, names: &[&str], numbers: std::ops::Range<u32>| {
        bench.sent.clear();
        for number in numbers {
            for name in names {
                bench.receive(many(number), &request(method, name, number));
            }
        }
        bench.sent.iter().filter(|sent| sent.text.starts_with(method)).count()
    };
    for method in ["MESSAGE", "OPTIONS"] {
        assert_eq!(reached(method, &["ann", "info", "help"], 0..200), 30, "{method}: all its names together");
        let elsewhere = reached(method, &["away"], 1000..1400);
        assert_eq!(elsewhere, 30, "{method}: whoever is behind it is not known here");
    }
}

#[test]
fn w31_what_comes_in_one_way_spends_nothing_of_what_may_come_in_another() {
    let known = ["203.0.113.0/24", "listed.example"].into_iter().map(party).collect();
    let mut bench = with(InboundConfig { known, ..InboundConfig::default() });
    // Invented sources, in whatever name: each request from another one.
    let invented = |number: u32| udp(&format!("198.51.{}.{}:5060", number / 250, number % 250));
    let listed = |number: u32| udp(&format!("203.0.113.{}:5060", number % 250));
    let in_name = |bench: &mut Bench, number: u32| {
        let text =
            request("MESSAGE", "ann", number).replace(&format!("elsewhere{number}.com"), "listed.example");
        bench.receive(invented(number), &text);
        bench.take(ANN).len()
    };
    assert_eq!(taken(&mut bench, invented, "OPTIONS", "ann", 0..200), 30);
    assert_eq!(taken(&mut bench, invented, "INVITE", "ann", 200..400), 30, "calls");
    assert_eq!(taken(&mut bench, invented, "MESSAGE", "ann", 400..600), 30, "and messages");
    assert_eq!((1000..1200).map(|number| in_name(&mut bench, number)).sum::<usize>(), 30, "in a listed name");
    assert_eq!(taken(&mut bench, listed, "MESSAGE", "ann", 2000..2200), 30, "from listed addresses");
    // None of that keeps anybody out who connects, from whatever of these addresses.
    let connected = |from: &'static str| move |number: u32| tcp(from, u64::from(number));
    assert_eq!(taken(&mut bench, connected("203.0.113.5:40000"), "MESSAGE", "ann", 3000..3020), 20);
    assert_eq!(taken(&mut bench, connected("198.51.1.5:40000"), "MESSAGE", "ann", 3100..3120), 20);
    assert_eq!(taken(&mut bench, connected("198.51.1.5:40000"), "MESSAGE", "ann", 3120..3130), 0);
    assert_eq!(taken(&mut bench, invented, "MESSAGE", "bob", 3200..3202), 2, "others are not concerned");
}

#[test]
fn w14_the_operator_says_which_strangers_may_write() {
    let known = || vec![party("elsewhere1.com"), party("x2@elsewhere2.com"), party("198.51.100.0/24")];
    let from = |address: &'static str| move |_: u32| udp(address);
    for method in ["MESSAGE", "INVITE", "OPTIONS"] {
        for (mode, counts) in
            [(Inbound::Open, [1; 4]), (Inbound::Known, [1, 1, 0, 1]), (Inbound::Off, [0; 4])]
        {
            let mut bench = with(InboundConfig { mode, known: known(), ..InboundConfig::default() });
            let got = [
                taken(&mut bench, from("203.0.113.1:5060"), method, "ann", 1..2),
                taken(&mut bench, from("203.0.113.1:5060"), method, "ann", 2..3),
                taken(&mut bench, from("203.0.113.1:5060"), method, "ann", 3..4),
                taken(&mut bench, from(EVE), method, "ann", 4..5),
            ];
            assert_eq!(got, counts, "{mode:?} {method}");
            let refused: Vec<_> = kinds(&mut bench).into_iter().map(|(kind, _)| kind).collect();
            let told = counts.contains(&0);
            assert_eq!(refused.contains(&RefusalKind::NotAdmitted), told, "{mode:?}");
            assert_eq!(taken(&mut bench, from("192.0.2.99:5060"), method, "ann", 9..10), 1, "a trusted peer");
        }
    }
}

#[test]
fn w31_whoever_tries_names_to_learn_who_exists_has_a_strangers_limits() {
    let mut bench = with(InboundConfig::default());
    let statuses: Vec<u16> = (0..40)
        .map(|number| status(&ask(&mut bench, EVE, &request("MESSAGE", &format!("guess{number}"), number))))
        .collect();
    assert_eq!(statuses, [vec![404; 20], vec![503; 20]].concat());
    // Where strangers are not wanted, they learn nothing.
    for mode in [Inbound::Known, Inbound::Off] {
        let mut bench = with(InboundConfig { mode, ..InboundConfig::default() });
        for (number, name) in ["ann", "guess", "ceo"].into_iter().enumerate() {
            let number = u32::try_from(number).unwrap();
            let answer = ask(&mut bench, EVE, &request("MESSAGE", name, number));
            assert!(answer.starts_with("SIP/2.0 403 This Proxy Takes Nothing From You"), "{mode:?} {answer}");
        }
    }
}

#[test]
fn who_is_banned_sends_nothing_by_address_network_domain_or_name() {
    let bans = ["198.51.100.7", "203.0.113.0/24", "2001:db8::/32", "elsewhere5.com", "x6@elsewhere6.com"];
    let bans = bans.into_iter().map(party).collect();
    let mut bench = with(InboundConfig { bans, ..InboundConfig::default() });
    let clean = "192.0.2.77:5060";
    let cases = [
        (EVE, 1, 0),
        ("203.0.113.9:5060", 2, 0),
        ("[2001:db8:9::1]:5060", 3, 0),
        (clean, 4, 1),
        (clean, 5, 0),
        (clean, 6, 0),
        (clean, 7, 1),
    ];
    for (from, number, count) in cases {
        for method in ["MESSAGE", "INVITE", "OPTIONS"] {
            let got = taken(&mut bench, |_| udp(from), method, "ann", number..number + 1);
            assert_eq!(got, count, "{from} {number}");
        }
    }
    let told = kinds(&mut bench);
    assert_eq!(told.len(), 4, "each source once: {told:?}");
    // Whoever registers is in To.
    let third = register("x6", "<sip:x@192.0.2.77>", 6, 600)
        .replace("From: <sip:x6@domain.com>", "From: <sip:x7@elsewhere7.com>")
        .replace("To: <sip:x6@domain.com>", "To: <sip:x6@elsewhere6.com>");
    assert!(ask(&mut bench, clean, &third).starts_with("SIP/2.0 403 Banned"));
    // No password is asked for either, and an ACK is not answered.
    let own = register("ann", "<sip:ann@198.51.100.7>", 5, 600);
    assert!(ask(&mut bench, EVE, &own).starts_with("SIP/2.0 403 Banned"));
    bench.sent.clear();
    bench.receive(udp(EVE), &request("ACK", "ann", 8));
    assert!(bench.sent.is_empty());
}

#[test]
fn a_ban_of_a_domain_finds_it_in_every_spelling_of_from() {
    let bans = ["evil.org", "eve@bad.org", "7042@bad.org"].into_iter().map(party).collect();
    let mut bench = with(InboundConfig { bans, ..InboundConfig::default() });
    let banned = [
        "<sip:x@evil.org>",
        "<sip:x;a=b@evil.org>",
        "<sip:x;a=b@EVIL.org.:5070;user=phone>",
        "<sip:x:secret@sub.evil.org>",
        "<sips:evil.org>",
        "\"evil\" <im:x%3B@evil.org>",
        "<pres:x@evil.org>",
        "<sip:x@evil.org;maddr=192.0.2.1>",
        "<tel:7042;phone-context=evil.org>",
        "<tel:70-42;ext=1;Phone-Context=Sub.Evil%2Eorg.>",
        "<tel:+7042;phone-context=evil.org>",
        "<sip:%65ve@bad.org>",
        "<sip:eve;a=b@bad.org>",
        "<sip:eve%3Ba@bad.org>",
        "<tel:(70)42;phone-context=bad.org>",
    ];
    let free = [
        "<sip:x@evil.org.example>",
        "<sip:evil.org@good.org>",
        "<sip:x;phone-context=evil.org@good.org>",
        "<tel:+7042>",
        "<tel:7042;phone-context=+1>",
        "<sip:x@bad.org>",
    ];
    for (number, from) in banned.iter().chain(&free).enumerate() {
        for method in ["MESSAGE", "INVITE", "OPTIONS"] {
            let number = u32::try_from(number).unwrap();
            let text = request(method, "ann", number);
            let own = format!("<sip:x{number}@elsewhere{number}.com>");
            assert!(text.contains(&own));
            bench.receive(udp("192.0.2.77:5060"), &text.replace(&own, from));
            let refused = bench.take("192.0.2.77:5060");
            let is_banned = refused.iter().any(|text| text.starts_with("SIP/2.0 403 Banned\r\n"));
            assert_eq!(is_banned, banned.contains(from), "{method} {from}: {refused:?}");
            assert_eq!(bench.take(ANN).len(), usize::from(!is_banned), "{method} {from}");
            bench.advance_ms(1000);
            bench.sent.clear();
        }
    }
}

#[test]
fn where_nobody_is_asked_who_he_is_strangers_are_not_counted_and_may_be_shut_out() {
    let mut bench = Bench::at_home();
    assert_eq!(taken(&mut bench, |_| udp(EVE), "MESSAGE", "ann", 0..100), 100);
    let inbound = InboundConfig { mode: Inbound::Off, ..InboundConfig::default() };
    let mut bench = Bench::with(ProxyConfig { inbound, ..config() });
    bench.register("ann", ANN);
    assert_eq!(taken(&mut bench, |_| udp(EVE), "MESSAGE", "ann", 0..3), 0);
}
