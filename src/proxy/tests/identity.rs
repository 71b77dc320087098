//! Whose a URI is, in any spelling, and that whoever uses a name of ours must prove it: W14, W30.

use super::*;
use crate::proxy::routing::domains::{Domains, Whose};
use crate::proxy::{Auth, ProxyCommand};
use crate::sip::Uri;

/// Two domains, one of them numeric, on an address of each family.
fn served() -> ProxyConfig {
    let mut config = config();
    config.domains = ["Domain.COM.", "xn--bcher-kva.example", "[2001:DB8::5]"].map(str::to_owned).to_vec();
    config.listens.push((Transport::Udp, address("[2001:db8::100]:5060")));
    config
}

const OURS: &[(&str, &str)] = &[
    ("sip:ceo@domain.com", "ceo@domain.com"),
    ("sip:ceo@DOMAIN.com", "ceo@domain.com"),
    ("SIP:ceo@domain.com", "ceo@domain.com"),
    ("sips:ceo@domain.com", "ceo@domain.com"),
    ("im:ceo@domain.com", "ceo@domain.com"),
    ("pres:ceo@Domain.Com", "ceo@domain.com"),
    ("sip:ceo@domain.com.", "ceo@domain.com"),
    ("sip:ceo@domain.com:5060", "ceo@domain.com"),
    ("sip:ceo@domain.com:5061", "ceo@domain.com"),
    ("sip:ceo@domain.com:9999", "ceo@domain.com"),
    ("sip:ceo@domain.com:0", "ceo@domain.com"),
    ("sip:ceo@domain.com:05060", "ceo@domain.com"),
    ("im:ceo@domain.com:9999", "ceo@domain.com"),
    ("sip:ceo@domain.com.:9999", "ceo@domain.com"),
    ("sip:%63eo@domain.com", "ceo@domain.com"),
    ("sip:%63%65%6F@domain.com", "ceo@domain.com"),
    ("sip:c%65%6f@domain.com", "ceo@domain.com"),
    ("sip:ceo:secret@domain.com", "ceo@domain.com"),
    ("sip:ceo:@domain.com", "ceo@domain.com"),
    ("sip:ceo@domain.com;transport=tcp", "ceo@domain.com"),
    ("sip:ceo@domain.com;user=phone", "ceo@domain.com"),
    ("sip:ceo@domain.com;", "ceo@domain.com"),
    ("sip:ceo@domain.com;maddr=192.0.2.100", "ceo@domain.com"),
    ("sip:ceo@domain.com?Subject=x", "ceo@domain.com"),
    ("sip:ceo@192.0.2.100", "ceo@domain.com"),
    ("sip:ceo@192.0.2.100:5060", "ceo@domain.com"),
    ("sip:ceo@[::ffff:192.0.2.100]", "ceo@domain.com"),
    ("sip:ceo@[::FFFF:c000:264]:5060", "ceo@domain.com"),
    ("sip:ceo@[0:0:0:0:0:ffff:192.0.2.100]", "ceo@domain.com"),
    ("sip:ceo@[::192.0.2.100]", "ceo@domain.com"),
    ("sip:ceo@[::c000:264]:5060", "ceo@domain.com"),
    ("sip:ceo@[2001:db8::100]", "ceo@domain.com"),
    ("sip:ceo@[2001:0DB8:0::0100]:5060", "ceo@domain.com"),
    ("sip:ceo@XN--BCHER-KVA.example", "ceo@xn--bcher-kva.example"),
    ("sip:ceo@[2001:db8:0:0::5]", "ceo@[2001:db8::5]"),
    ("sip:*21%23@domain.com", "*21%23@domain.com"),
    ("sip:*21#@domain.com", "*21%23@domain.com"),
    ("sip:domain.com", "domain.com"),
    ("sip:domain.com.:9", "domain.com"),
    ("sip:192.0.2.100", "domain.com"),
    ("sip:ceo;x=y@domain.com", "ceo;x=y@domain.com"),
    ("sip:CEO@domain.com", "CEO@domain.com"),
];

/// Named in our domains, but elsewhere.
const IN_OUR_NAME: &[(&str, &str)] = &[
    ("sip:ceo@192.0.2.100:9999", "ceo@domain.com"),
    ("sip:ceo@[::ffff:192.0.2.100]:9999", "ceo@domain.com"),
    ("sip:ceo@[2001:db8::100]:9999", "ceo@domain.com"),
    ("sip:ceo@[2001:db8::5]:9999", "ceo@[2001:db8::5]"),
    ("sip:ceo@domain.com;maddr=192.0.2.9", "ceo@domain.com"),
    ("sip:ceo@domain.com;MADDR=evil.org", "ceo@domain.com"),
    ("sip:ceo@domain.com;m%61ddr=evil.org", "ceo@domain.com"),
    ("sip:ceo@192.0.2.100;maddr=192.0.2.9", "ceo@domain.com"),
    ("tel:7042;phone-context=domain.com", "7042@domain.com"),
    ("tel:70-42;ext=1;Phone-Context=Domain%2ECom.", "7042@domain.com"),
];

const OTHERS: &[&str] = &[
    "sip:ceo@evil.org",
    "sip:ceo@domain.com.evil.org",
    "sip:ceo@adomain.com",
    "sip:ceo@sub.domain.com",
    "sip:ceo@domain.com_",
    "sip:ceo@domain-com",
    "sip:ceo@xn--domin-7ve.com",
    "sip:ceo%40domain.com@evil.org",
    "sip:domain.com@evil.org",
    "sip:ceo@evil.org;maddr=domain.com",
    "sip:ceo@evil.org?From=sip:ceo%40domain.com",
    "sip:ceo@192.0.2.101",
    "sip:ceo@[2001:db8::101]",
    "sip:ceo@[64:ff9b::c000:264]",
    "tel:+12345",
    "tel:7042;phone-context=+1",
    "tel:7042;phone-context=evil.org",
    "mailto:ceo@domain.com",
    "xmpp:ceo@domain.com",
];

#[test]
fn w14_identity_is_the_host_alone_in_every_spelling() {
    let config = served();
    let domains = Domains::new(&config);
    for (text, name) in OURS {
        let uri = Uri::parse(text).unwrap();
        assert!(matches!(domains.whose(&uri), Whose::Ours(_)), "{text}: {:?}", domains.whose(&uri));
        let names = [domains.aor(&uri), domains.claimed(&uri), Some(domains.person(&uri))];
        assert!(names.iter().all(|aor| aor.as_ref().unwrap().as_str() == *name), "{text}: {names:?}");
    }
    for (text, name) in IN_OUR_NAME {
        let uri = Uri::parse(text).unwrap();
        assert!(matches!(domains.whose(&uri), Whose::InOurName(_)), "{text}: {:?}", domains.whose(&uri));
        assert_eq!(domains.claimed(&uri).unwrap().as_str(), *name, "{text}");
        assert_eq!((domains.aor(&uri), domains.serving(&uri)), (None, None), "{text}");
    }
    for text in OTHERS.iter().filter_map(|text| Uri::parse(text).ok()) {
        assert_eq!(domains.whose(&text), Whose::Others, "{text}");
        assert_eq!(domains.claimed(&text), None, "{text}");
    }
    let known = OURS.len() + IN_OUR_NAME.len() + OTHERS.len();
    assert!(known >= 70, "{known}");
}

#[test]
fn what_some_take_for_a_number_or_undo_as_an_escape_is_no_host() {
    for text in [
        "sip:ceo@domain%2ecom",
        "sip:ceo@%64omain.com",
        "sip:ceo@192.0.2.0100",
        "sip:ceo@192.000.002.100",
        "sip:ceo@0xc0000264",
        "sip:ceo@0Xc0.0.2.0x64",
        "sip:ceo@3221226084",
        "sip:ceo@192.0.612",
        "sip:ceo@domain.com..",
        "sip:ceo@.domain.com",
        "sip:ceo@domain..com",
        "sip:ceo@[fe80::1%25eth0]",
        "sip:ceo@dom\u{00e4}in.com",
        "sip:ceo@domain.com@evil.org",
        "sip:@domain.com",
        "sip:ceo@domain.com;;",
    ] {
        assert!(Uri::parse(text).is_err(), "{text}");
    }
}

/// A proxy that authenticates, with Ann registered through a trusted peer.
fn asking() -> Bench {
    let mut config = served();
    (config.auth, config.trust) = (Auth::On, vec!["udp:192.0.2.6/32".parse().unwrap()]);
    let mut bench = Bench::with(config);
    bench.input(Input::Command(ProxyCommand::Users(
        ["ann", "bob", "ceo"].iter().map(|name| auth::user(name)).collect(),
    )));
    bench.register("ann", ANN);
    bench
}

fn from(method: &str, from: &str, number: usize) -> String {
    format!(
        "{method} sip:ann@domain.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKs{number}\nMax-Forwards: 70\n\
         From: {from};tag=s{number}\nTo: <sip:ann@domain.com>\nContact: <sip:x@192.0.2.1>\nCall-ID: s{number}\n\
         CSeq: 1 {method}\nContent-Length: 0\n\n"
    )
}

#[test]
fn w30_who_writes_in_a_name_of_ours_proves_it_in_every_spelling_and_for_every_method() {
    let mut bench = asking();
    let claims = OURS.iter().chain(IN_OUR_NAME).filter(|(claim, _)| !claim.contains('?'));
    for (number, (claim, _)) in claims.enumerate() {
        for method in ["MESSAGE", "INVITE", "OPTIONS", "BYE"] {
            let answer = bench.ask(JAMES, &from(method, &format!("\"x\" <{claim}>"), number));
            assert_eq!(status(&answer), 407, "{method} {claim}: {answer}");
        }
        let many = from("MESSAGE", &format!("<{claim}>"), 1000 + number)
            .replace("Contact", "Secondary-To: <sip:bob@domain.com>\nContact");
        assert_eq!(status(&bench.ask(JAMES, &many)), 407, "{claim}");
        assert!(bench.sent.is_empty(), "{claim}: {:?}", bench.sent);
    }
    // The user part of a registered contact is checked in the same way.
    let register = register("ceo", "<sip:ceo@192.0.2.1>", 1, 600);
    for (number, to) in
        ["ceo@domain.com:9999", "ceo@192.0.2.100:9", "%63eo@Domain.com."].into_iter().enumerate()
    {
        let spelled = register.replace("To: <sip:ceo@domain.com>", &format!("To: <sip:{to}>"));
        let answer = bench.ask(JAMES, &spelled.replace("z9hG4bKreg", &format!("z9hG4bK{number}reg")));
        assert_eq!(status(&answer), 401, "{to}: {answer}");
    }
}

#[test]
fn w14_who_writes_in_the_name_of_others_reaches_our_users_and_a_name_that_is_no_address_does_not() {
    let mut bench = asking();
    let readable = OTHERS.iter().filter(|text| Uri::parse(text).is_ok() && !text.contains('?'));
    for (number, claim) in readable.enumerate() {
        bench.receive(udp(JAMES), &from("MESSAGE", &format!("<{claim}>"), number));
        let is_taken = !claim.starts_with("mailto") && !claim.starts_with("xmpp");
        let reached = bench.take(ANN);
        assert_eq!(reached.len(), usize::from(is_taken), "{claim}");
        if !is_taken {
            let answer = bench.take_one(JAMES);
            assert!(
                answer.starts_with("SIP/2.0 400 From Needs A sip, sips, im, pres Or tel URI\r\n"),
                "{answer}"
            );
        }
        bench.sent.clear();
    }
    for (number, method) in ["INVITE", "OPTIONS", "BYE", "REGISTER", "SUBSCRIBE"].into_iter().enumerate() {
        let answer = bench.ask(JAMES, &from(method, "<mailto:ceo@domain.com>", 100 + number));
        assert_eq!(status(&answer), 400, "{method}: {answer}");
    }
    bench.receive(udp(JAMES), &from("ACK", "<mailto:ceo@domain.com>", 200));
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

/// RFC 3966 §3: what is no number might be read by a recipient as an address, and a ban of that address would not hold.
#[test]
fn w14_a_from_with_tel_is_a_number() {
    let mut bench = asking();
    for (number, claim) in [
        "tel:ceo@domain.com",
        "tel:ceo1@domain.com",
        "tel://ceo@domain.com",
        "tel:sip:ceo@domain.com",
        "TEL:ceo@DOMAIN.COM",
        "tel:ceo%40domain.com",
        "tel:ceo@domain.com;x",
        "tel:ceo;phone-context=evil.org",
        "tel:+1555;x=ceo@domain.com",
        "tel:7042;phone-context=sip:domain.com",
        "tel:7042;phone-context=//domain.com",
        "tel:7042;%70hone-context=ceo@domain.com",
        "tel:7042;phone-context=[2001:db8::5]",
        "tel:7042;phone-context=",
        "tel:+",
        "tel:-",
        "tel:+49abc",
        "tel:7042/1",
    ]
    .into_iter()
    .enumerate()
    {
        for (place, method) in ["MESSAGE", "OPTIONS", "INVITE"].into_iter().enumerate() {
            let answer = bench.ask(JAMES, &from(method, &format!("<{claim}>"), 300 + 10 * number + place));
            assert!(answer.starts_with("SIP/2.0 400 "), "{method} {claim}: {answer}");
            assert!(bench.take(ANN).is_empty(), "{method} {claim}");
            bench.sent.clear();
        }
    }
    for (number, claim) in [
        "tel:+1-555-(123).45",
        "tel:+15551234;ext=7;isub=1",
        "tel:7042",
        "tel:*21#;phone-context=+49",
        "tel:7a.F;phone-context=evil.org",
    ]
    .into_iter()
    .enumerate()
    {
        bench.receive(udp(JAMES), &from("MESSAGE", &format!("<{claim}>"), 600 + number));
        assert_eq!(bench.take(ANN).len(), 1, "{claim}: {:?}", bench.sent);
        bench.sent.clear();
    }
}

#[test]
fn two_senders_in_one_request_are_none() {
    let mut bench = asking();
    let text = from("MESSAGE", "<sip:x@evil.org>", 1);
    for (number, more) in [
        "From: <sip:ceo@domain.com>;tag=s1\n",
        "f: <sip:ceo@domain.com>;tag=s1\n",
        "FROM : <sip:ceo@domain.com>;tag=s1\n",
    ]
    .into_iter()
    .enumerate()
    {
        let two = text.replace("To:", &format!("{more}To:")).replace("Ks1", &format!("Ks1{number}"));
        assert_eq!(status(&bench.ask(JAMES, &two)), 400, "{two}");
    }
    for (number, one) in ["<sip:x@evil.org>, <sip:ceo@domain.com>", "<sip:x@evil.org> <sip:ceo@domain.com>"]
        .into_iter()
        .enumerate()
    {
        assert_eq!(status(&bench.ask(JAMES, &from("MESSAGE", one, 50 + number))), 400, "{one}");
    }
    // Folded, or in compact form, it is a field like any other.
    let compact =
        text.replace("From: <sip:x@evil.org>", "f:\n <sip:ceo@domain.com:9999>").replace("Ks1", "Ks9");
    assert_eq!(status(&bench.ask(JAMES, &compact)), 407, "{compact}");
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

#[test]
fn who_somebody_is_is_said_by_those_who_are_trusted_and_to_them_alone() {
    let names = ["P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "P-Served-User"];
    let claims: String =
        names.iter().map(|name| format!("{name}: \"Boss\" <sip:ceo@domain.com>\n")).collect();
    let has = |text: &str| names.map(|name| fields(text, name).len());
    for (number, method) in ["MESSAGE", "INVITE", "OPTIONS"].into_iter().enumerate() {
        let mut bench = asking();
        let text = from(method, "<sip:x@evil.org>", number).replace("Contact", &format!("{claims}Contact"));
        let small = text.replace("Remote-Party-ID", "remote-party-ID").replace("Ks", "Kt");
        for text in [&text, &small] {
            bench.receive(udp(JAMES), text);
            let passed = bench.take_one(ANN);
            assert_eq!(has(&passed), [0; 4], "{passed}");
            assert!(!passed.contains("Boss"), "{passed}");
            bench.sent.clear();
        }
        // An authenticated user cannot claim more than that.
        let ours = text
            .replace("x@evil.org", "ceo@domain.com")
            .replace("Ks", "Ku")
            .replace("192.0.2.1:", "192.0.2.8:");
        let asked = bench.ask("192.0.2.8:5060", &ours);
        let given = auth::nonce(fields(&asked, "Proxy-Authenticate")[0]);
        let said = auth::Said {
            username: "ceo",
            password: "oec",
            nonce: &given,
            nc: "00000001",
            algorithm: "SHA-256",
        };
        bench.receive(udp("192.0.2.8:5060"), &said.with(&ours, "Proxy-Authorization"));
        let passed = bench.take_one(ANN);
        assert_eq!(has(&passed), [1, 0, 0, 0], "{passed}");
        assert_eq!(field(&passed, "P-Asserted-Identity"), Some("<sip:ceo@domain.com>"));
        // Between two trusted peers it is passed on.
        let text = text.replace("192.0.2.1:", "192.0.2.6:").replace("Ks", "Kv");
        bench.receive(udp(ANN), &text);
        let passed = bench.take_one(ANN);
        assert_eq!(has(&passed), [1, 0, 1, 1], "{passed}");
        // Identity claims in responses are no more believed than in requests.
        let answer = |at: &str, number: usize| {
            let mut bench = asking();
            assert_eq!(status(&bench.ask(ANN, &register("bob", &format!("<sip:bob@{at}>"), 2, 600))), 200);
            let text = from(method, "<sip:x@evil.org>", number).replace("ann@", "bob@");
            bench.receive(udp(JAMES), &text);
            let passed = bench.take_one(at);
            let vias: String = fields(&passed, "Via").iter().map(|via| format!("Via: {via}\n")).collect();
            let own = format!("Via: {}\n", field(&passed, "Via").unwrap());
            let answer = Bench::answer_text(&passed, "200 OK", &claims).replace(&own, &vias);
            bench.receive(udp(at), &answer);
            bench.take_one(JAMES)
        };
        assert_eq!(has(&answer("192.0.2.66:5060", 900 + number)), [0; 4], "{method}");
        assert_eq!(has(&answer(ANN, 950 + number)), [1; 4], "{method}");
    }
}
