//! What is sent to destinations that somebody else named (RFC 9000 §8; W17, W18, W24).

use super::*;
use crate::limits::{UNPROVEN_REQUESTS_MAX, UNPROVEN_TRANSMISSIONS_MAX};

/// A third party who never asked for anything.
const THIRD: &str = "192.0.2.50:5060";
const FEW: usize = UNPROVEN_TRANSMISSIONS_MAX as usize;
const TIMER_F: u64 = 32_000;

/// Ann registers these contacts from her own address.
fn registers(bench: &mut Bench, from: &str, contacts: &str, cseq: u32) {
    let request = register("ann", contacts, cseq, 3600);
    let mut answer = ask(bench, from, &request);
    if status(&answer) == 401 {
        let given = nonce(fields(&answer, "WWW-Authenticate")[0]);
        let ann = Said { username: "ann", password: "nna", ..james(&given, "00000001") };
        answer = ask(bench, from, &ann.with(&request, "Authorization"));
    }
    assert_eq!(status(&answer), 200, "{answer}");
}

/// Somebody from elsewhere writes to Ann.
fn stranger(number: u32) -> String {
    submission(number)
        .replace("Secondary-To: <im:bob@domain.com>\n", "")
        .replace("Proxy-Require: secondary-to\n", "")
        .replace("james@domain.com", "eve@elsewhere.com")
}

/// How many transmissions the address gets of these messages until they time out, on any port.
fn gets(bench: &mut Bench, ip: &str, numbers: impl IntoIterator<Item = u32>) -> usize {
    bench.sent.clear();
    for number in numbers {
        bench.receive(udp(ANOTHER), &stranger(number));
    }
    bench.advance_ms(TIMER_F);
    let ip = ip.parse::<std::net::IpAddr>().unwrap();
    bench.sent.iter().filter(|sent| sent.flow.remote.ip() == ip).count()
}

#[test]
fn a_third_party_that_somebody_registers_gets_three_datagrams_of_a_request_until_it_answers() {
    let mut bench = asking();
    let contacts: Vec<_> =
        (0..20).map(|number| format!("<sip:x{number}@192.0.2.50:{}>", 5060 + number / 2)).collect();
    registers(&mut bench, ANN, &contacts.join(", "), 1);
    assert_eq!(bench.rows.bindings.len(), 20);
    assert_eq!(gets(&mut bench, "192.0.2.50", [1]), FEW, "of twenty bindings one, three times");
    bench.advance_ms(60_000);
    let numbers = 100..100 + 3 * u32::try_from(UNPROVEN_REQUESTS_MAX).unwrap();
    assert_eq!(gets(&mut bench, "192.0.2.50", numbers), FEW * UNPROVEN_REQUESTS_MAX, "within a minute");
    bench.advance_ms(60_000);
    // It answers once, whatever it says: from then on it is like any other destination.
    bench.sent.clear();
    bench.receive(udp(ANOTHER), &stranger(200));
    let sent = bench.sent.iter().find(|sent| sent.text.starts_with("MESSAGE")).unwrap().clone();
    let to = sent.flow.remote.to_string();
    bench.answer(&to, &sent.text, "480 Not Now");
    bench.advance_ms(60_000);
    bench.sent.clear();
    bench.receive(udp(ANOTHER), &stranger(201));
    bench.advance_ms(TIMER_F);
    let again = bench.take(&to);
    assert!(again.len() == 11 || again.len() == 22, "{}", again.len());
}

#[test]
fn w17_who_registered_from_where_he_is_and_falls_silent_gets_eleven() {
    let third = format!("<sip:ann@{THIRD}>");
    let own = |contact: &str| contact.to_owned();
    let trusted = || ProxyConfig { trust: vec!["udp:192.0.2.6/32".parse().unwrap()], ..config() };
    let cases = [
        (asking(), own(&format!("<sip:ann@{ANN}>")), "192.0.2.6", 11),
        (asking(), own("<sip:ann@192.0.2.6:7777>"), "192.0.2.6", 11),
        (asking(), third.clone(), "192.0.2.50", FEW),
        // Without authentication consent is not checked, and a trusted peer knows what it registers.
        (Bench::new(), third.clone(), "192.0.2.50", 11),
        (asking_with(trusted()), third, "192.0.2.50", 11),
    ];
    for (mut bench, contact, ip, sent) in cases {
        registers(&mut bench, ANN, &contact, 1);
        assert_eq!(gets(&mut bench, ip, [1]), sent, "{contact}");
    }
}

#[test]
fn a_contact_that_was_his_is_a_third_partys_once_he_registers_from_elsewhere() {
    let mut bench = asking();
    let contact = format!("<sip:ann@{ANN}>");
    registers(&mut bench, ANN, &contact, 1);
    registers(&mut bench, ANOTHER, &contact, 2);
    assert_eq!(gets(&mut bench, "192.0.2.6", [1]), FEW);
    registers(&mut bench, ANN, &contact, 3);
    assert_eq!(gets(&mut bench, "192.0.2.6", [2]), 11);
    // Bindings that have expired or were removed get nothing.
    registers(&mut bench, ANN, &format!("<sip:ann@{THIRD}>;expires=0, {contact}"), 4);
    assert_eq!(gets(&mut bench, "192.0.2.50", [3]), 0);
}

#[test]
fn names_that_lead_to_a_third_party_count_as_it() {
    let mut bench = asking();
    let contacts = "<sip:a@one.example>, <sip:b@two.example>, <sip:c@192.0.2.50:7>";
    registers(&mut bench, ANN, contacts, 1);
    for (number, hops) in [(1, [THIRD, THIRD]), (2, [THIRD, "192.0.2.50:5061"])] {
        bench.sent.clear();
        bench.resolves.clear();
        bench.receive(udp(ANOTHER), &stranger(number));
        let asked = std::mem::take(&mut bench.resolves);
        assert_eq!(asked.len(), 2);
        for (id, _) in asked {
            let hops = hops.map(|hop| Hop { transport: Transport::Udp, remote: address(hop) }).to_vec();
            bench.input(Input::Resolved { id, hops });
        }
        bench.advance_ms(TIMER_F);
        let sent = bench.sent.iter().filter(|sent| sent.text.starts_with("MESSAGE")).count();
        assert_eq!(sent, FEW, "{hops:?}");
        bench.advance_ms(60_000);
    }
    // A host name in a Contact falls back to where the client registered from.
    registers(&mut bench, BOB, "<sip:a@home.example>, <sip:c@192.0.2.50:7>;expires=0", 2);
    bench.sent.clear();
    bench.resolves.clear();
    bench.receive(udp(ANOTHER), &stranger(3));
    for (id, uri) in std::mem::take(&mut bench.resolves) {
        let hop = Hop { transport: Transport::Udp, remote: address(BOB) };
        bench.input(Input::Resolved {
            id,
            hops: vec![hop].into_iter().filter(|_| uri.contains("home")).collect(),
        });
    }
    bench.advance_ms(TIMER_F);
    assert_eq!(bench.take(BOB).iter().filter(|text| text.starts_with("MESSAGE")).count(), 11);
}

#[test]
fn connections_to_a_third_party_are_tried_once_for_a_request() {
    let mut bench = asking();
    let contacts: Vec<_> =
        (0..20).map(|number| format!("<sip:x@192.0.2.50:{};transport=tcp>", 1 + number)).collect();
    registers(&mut bench, ANN, &contacts.join(", "), 1);
    bench.receive(udp(ANOTHER), &stranger(1));
    assert_eq!(bench.connects.len(), 1);
}

#[test]
fn w18_a_redirect_to_a_third_party_is_no_reason_to_send_it_much() {
    for (mut bench, sent) in [(asking(), FEW), (Bench::new(), 11)] {
        registers(&mut bench, ANN, &format!("<sip:ann@{ANN}>"), 1);
        let message = submission(1).replace("Secondary-To: <im:bob@domain.com>\n", "");
        let asked = ask(&mut bench, JAMES, &message);
        if status(&asked) == 407 {
            let given = nonce(fields(&asked, "Proxy-Authenticate")[0]);
            let message = james(&given, "00000001").with(&message, "Proxy-Authorization");
            assert_eq!(status(&ask(&mut bench, JAMES, &message)), 202);
        }
        let leg = bench.take(ANN).remove(0);
        let moved = format!("Contact: <sip:ann@{THIRD}>, <sip:ann2@192.0.2.50:5061>\n");
        bench.answer_with(udp(ANN), &leg, "302 Moved", &moved);
        bench.advance_ms(TIMER_F);
        assert_eq!(bench.take(THIRD).len(), sent);
    }
}

/// James writes to Ann alone, and gets a 202.
fn james_writes_to_ann(bench: &mut Bench) {
    let message = submission(1).replace("Secondary-To: <im:bob@domain.com>\n", "");
    let given = nonce_for(bench, &message);
    let message = james(&given, "00000001").with(&message, "Proxy-Authorization");
    assert_eq!(status(&ask(bench, JAMES, &message)), 202);
}

#[test]
fn w18_a_redirect_has_the_consent_of_where_its_leg_went_and_not_of_what_the_contact_says() {
    let mut bench = asking();
    let flow = tcp(ANN, 9);
    let text = register("ann", "<sip:ann@192.0.2.50:5060;transport=tcp>", 1, 3600);
    bench.receive(flow, &text);
    let given = nonce(fields(&bench.take_one(ANN), "WWW-Authenticate")[0]);
    let ann = Said { username: "ann", password: "nna", ..james(&given, "00000001") };
    bench.receive(flow, &ann.with(&text, "Authorization"));
    assert_eq!(status(&bench.take_one(ANN)), 200);
    james_writes_to_ann(&mut bench);
    let leg = bench.take_one(ANN);
    assert!(leg.starts_with("MESSAGE sip:ann@192.0.2.50:5060;transport=tcp SIP/2.0\r\n"), "{leg}");
    let moved = "Contact: <sip:a@192.0.2.50:5061>, <sip:b@192.0.2.6:5070>\n";
    bench.answer_with(flow, &leg, "302 Moved", moved);
    bench.advance_ms(TIMER_F);
    assert_eq!(bench.take("192.0.2.50:5061").len(), FEW);
    assert_eq!(bench.take("192.0.2.6:5070").len(), 11, "her own address");
}

#[test]
fn w18_a_redirect_of_a_trusted_peer_and_one_to_a_route_of_the_operator_need_no_more_consent() {
    let route = Hop { transport: Transport::Udp, remote: address("192.0.2.60:5060") };
    let routes = vec![StaticRoute { domain: "partner.example".to_owned(), hop: route }];
    let mut bench =
        asking_with(ProxyConfig { trust: vec!["192.0.2.7".parse().unwrap()], routes, ..config() });
    registers(&mut bench, ANN, &format!("<sip:ann@{ANN}>"), 1);
    let message = submission(1).replace("im:bob@domain.com", &format!("sip:bob@{BOB}"));
    let given = nonce_for(&mut bench, &message);
    let message = james(&given, "00000001").with(&message, "Proxy-Authorization");
    assert_eq!(status(&ask(&mut bench, JAMES, &message)), 202);
    let leg = bench.take(ANN).remove(0);
    bench.answer_with(udp(ANN), &leg, "302 Moved", "Contact: <sip:ann@partner.example>\n");
    let at_peer = bench.take(BOB).remove(0);
    bench.answer_with(udp(BOB), &at_peer, "302 Moved", &format!("Contact: <sip:ann@{THIRD}>\n"));
    bench.advance_ms(TIMER_F);
    assert_eq!(bench.take(THIRD).len(), 11);
    assert_eq!(bench.take("192.0.2.60:5060").len(), 11);
}

/// Ann redirects to two names.
fn moves_to_names(bench: &mut Bench) {
    let leg = bench.take(ANN).into_iter().find(|text| text.starts_with("MESSAGE")).unwrap();
    let moved = "Contact: <sip:z@n1.evil.example>, <sip:z@n2.evil.example>\n";
    bench.resolves.clear();
    bench.answer_with(udp(ANN), &leg, "302 Moved", moved);
}

/// The two names lead there.
fn names_lead(bench: &mut Bench, hops: &[&str]) {
    let asked = std::mem::take(&mut bench.resolves);
    assert_eq!(asked.len(), 2);
    for (id, _) in asked {
        let hops = hops.iter().map(|hop| Hop { transport: Transport::Udp, remote: address(hop) }).collect();
        bench.input(Input::Resolved { id, hops });
    }
}

#[test]
fn w15_a_leg_that_goes_once_more_gets_no_more_consent_than_it_had_at_first() {
    // At once; where its first address fails; and after a restart, when it begins anew.
    for (hops, restarts) in [(&[THIRD][..], false), (&[ANN, THIRD], false), (&[THIRD], true)] {
        let mut bench = asking();
        let message = submission(1).replace("Secondary-To: <im:bob@domain.com>\n", "");
        let message = message.replace("im:ann@", "sip:ann@").replace("ann@domain.com", &format!("ann@{ANN}"));
        let given = nonce_for(&mut bench, &message);
        let message = james(&given, "00000001").with(&message, "Proxy-Authorization");
        assert_eq!(status(&ask(&mut bench, JAMES, &message)), 202);
        moves_to_names(&mut bench);
        names_lead(&mut bench, &[ANN]);
        let legs = bench.take(ANN);
        assert_eq!(legs.len(), 2);
        for leg in legs {
            bench.answer(ANN, &leg, "482 Merged");
        }
        if restarts {
            bench.crash();
            bench.input(Input::Command(users(&["james", "ann", "bob"])));
            moves_to_names(&mut bench);
        } else {
            bench.advance_ms(TIMER_F);
        }
        names_lead(&mut bench, hops);
        for leg in bench.take(ANN) {
            bench.answer(ANN, &leg, "503 Busy");
        }
        bench.advance_ms(TIMER_F);
        assert_eq!(bench.take(THIRD).len(), FEW, "{hops:?} {restarts}");
    }
}

#[test]
fn who_saw_a_branch_at_one_hop_of_a_name_does_not_answer_for_the_next_hop() {
    let mut bench = asking();
    registers(&mut bench, ANN, "<sip:ann@evil.example>", 1);
    james_writes_to_ann(&mut bench);
    let (id, _) = bench.resolves.remove(0);
    let hops = [ANN, THIRD].map(|hop| Hop { transport: Transport::Udp, remote: address(hop) }).to_vec();
    bench.input(Input::Resolved { id, hops });
    let leg = bench.take_one(ANN);
    bench.answer(ANN, &leg, "503 Busy");
    let at_third = bench.take_one(THIRD);
    let branch = |text: &str| field(text, "Via").unwrap().split("branch=").nth(1).unwrap().to_owned();
    assert!(branch(&at_third).starts_with(&format!("{}.1.", branch(&leg))), "{at_third}");
    // Ann, with the source of the third party.
    let forged = leg.replace(&branch(&leg), &format!("{}.1", branch(&leg)));
    bench.answer(THIRD, &forged, "200 OK");
    bench.advance_ms(TIMER_F);
    assert_eq!(1 + bench.take(THIRD).len(), FEW);
}

#[test]
fn w24_a_report_goes_little_to_a_contact_that_is_not_where_the_message_came_from() {
    let mut bench = asking();
    let message = SUBMISSION
        .replace("sip:james@jamesmob.domain.com>\nCall", &format!("sip:james@{THIRD}>\nCall"))
        .replace("im:ann@domain.com", "im:nobody@domain.com");
    assert!(message.contains(THIRD));
    let given = nonce_for(&mut bench, &message);
    let answer = ask(&mut bench, JAMES, &james(&given, "00000001").with(&message, "Proxy-Authorization"));
    assert_eq!(status(&answer), 202);
    bench.advance(Duration::from_secs(26 * 3600));
    let at_james = bench.take(JAMES).iter().filter(|text| text.starts_with("NOTIFY")).count();
    assert!(at_james > 11 * 20, "where he wrote from it is told as before: {at_james}");
    assert_eq!(bench.take(THIRD).len(), FEW, "in all the rounds of a day");
}

#[test]
fn w24_a_report_goes_little_to_a_binding_that_is_not_where_it_registered_from() {
    let mut bench = asking();
    let signs_in = |bench: &mut Bench, cseq: u32| {
        let request = register("james", &format!("<sip:james@{THIRD}>, <sip:j@192.0.2.51>"), cseq, 3600);
        let given = nonce(fields(&ask(bench, JAMES, &request), "WWW-Authenticate")[0]);
        let answer = ask(bench, JAMES, &james(&given, "00000001").with(&request, "Authorization"));
        assert_eq!(status(&answer), 200, "{answer}");
    };
    signs_in(&mut bench, 1);
    let message = SUBMISSION
        .replace("Contact: <sip:james@jamesmob.domain.com>\n", "")
        .replace("im:ann@domain.com", "im:nobody@domain.com");
    let given = nonce_for(&mut bench, &message);
    let answer = ask(&mut bench, JAMES, &james(&given, "00000001").with(&message, "Proxy-Authorization"));
    assert_eq!(status(&answer), 202);
    let mut at_james = 0;
    for cseq in 2..30 {
        bench.advance(Duration::from_secs(3000));
        at_james += bench.take(JAMES).iter().filter(|text| text.starts_with("NOTIFY")).count();
        signs_in(&mut bench, cseq);
    }
    assert!(at_james > 11 * 20, "where he wrote from it is told as before: {at_james}");
    assert_eq!(bench.take(THIRD).len(), FEW, "in all the rounds of a day");
    assert_eq!(bench.take("192.0.2.51:5060").len(), FEW);
}

#[test]
fn w31_what_a_user_himself_sends_to_an_address_has_its_eleven() {
    let mut bench = asking();
    let to_third = submission(1).replace("im:bob@domain.com", &format!("sip:bob@{THIRD}"));
    let given = nonce_for(&mut bench, &to_third);
    let said = james(&given, "00000001").with(&to_third, "Proxy-Authorization");
    assert_eq!(status(&ask(&mut bench, JAMES, &said)), 202);
    bench.advance_ms(TIMER_F);
    assert_eq!(bench.take(THIRD).len(), 11);
}

#[test]
fn a_third_party_on_a_path_that_somebody_registers_gets_three_datagrams_until_it_answers() {
    let with_path = |at: &str| {
        let contact = |number: u32| format!("<sip:x{number}@192.0.2.6>");
        format!("{}\nPath: <sip:{at};lr>", (0..20).map(contact).collect::<Vec<_>>().join(", "))
    };
    for at in ["192.0.2.50", "192.0.2.50:7777", "u%40v@192.0.2.6;maddr=192.0.2.50"] {
        let mut bench = asking();
        registers(&mut bench, ANN, &with_path(at), 1);
        assert_eq!(gets(&mut bench, "192.0.2.50", [1]), FEW, "{at}: of twenty bindings one, three times");
        assert_eq!(gets(&mut bench, "192.0.2.6", [2]), 0, "{at}");
    }
    // The proxy from which the REGISTER came is proven.
    let mut bench = asking();
    registers(&mut bench, ANN, "<sip:ann@192.0.2.50>\nPath: <sip:192.0.2.6;lr>", 1);
    assert_eq!(gets(&mut bench, "192.0.2.6", [1]), 11);
    assert_eq!(gets(&mut bench, "192.0.2.50", [2]), 0);
    // What only this computer can reach stays out of reach.
    let mut bench = asking();
    registers(&mut bench, ANN, "<sip:ann@192.0.2.6>\nPath: <sip:127.0.0.1:11211;lr>", 1);
    assert_eq!(gets(&mut bench, "127.0.0.1", [1]), 0);
}
