//! Messages and reports that are forged, or designed to cost the proxy more than they should.

use super::{Honest, ends_well, peak_mib};
use crate::common::{Proxy, outcomes};
use crate::program::fanfare;
use crate::socket::{Message, Phone, Wire, answer_to, submission, unique};

/// A report on a submission, as its proxy would send it.
fn report_on(submission: &Message, via: &Phone, call_id: &str, line: &str) -> String {
    let tag = submission.value("From").split("tag=").nth(1).unwrap();
    format!(
        "NOTIFY sip:james@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKn{}\r\nMax-Forwards: 70\r\n\
         From: <sip:domain.com>;tag=p1\r\nTo: {};tag={tag}\r\nCall-ID: {call_id}\r\nCSeq: 1 NOTIFY\r\n\
         Contact: <sip:{}>\r\nEvent: delivery-report\r\nSubscription-State: terminated;reason=noresource\r\n\
         Content-Type: application/delivery-report\r\nContent-Length: {}\r\n\r\n{line}\r\n",
        via.address,
        unique(),
        submission.value("From").split(";tag=").next().unwrap(),
        via.address,
        line.len() + 2,
    )
}

#[test]
fn w25_a_forged_report_and_one_for_a_foreign_call_get_481_and_the_true_one_counts() {
    let (proxy, forger) = (Phone::new(), Phone::new());
    let over = format!("udp:{}", proxy.address);
    let people = ["--to", "im:ann@domain.com", "--to", "im:bob@domain.com"];
    let account = ["send", "--from", "im:james@domain.com", "--proxy", &over, "--text", "Hello."];
    let send = fanfare(&[&account[..], &people[..]].concat());
    let request = loop {
        let request = proxy.receive();
        if request.method() == "MESSAGE" {
            break request;
        }
        proxy.send(
            request.from,
            &answer_to(&request, "200 OK", "Supported: secondary-to\r\nExpires: 600\r\n"),
        );
    };
    proxy.send(request.from, &answer_to(&request, "202 Accepted", "Supported: secondary-to\r\n"));
    let call_id = request.value("Call-ID").to_owned();
    let line = "im:ann@domain.com delivery success\r\nim:bob@domain.com delivery success";
    // The right Call-ID and tag from a stranger's socket; a wrong Call-ID from the right one.
    for (from, call_id) in [(&forger, call_id.as_str()), (&proxy, "foreign@bare")] {
        let forged = report_on(&request, from, call_id, line).replace("tag=p1", "tag=bare");
        from.send(request.from, &forged);
        let answer = from.receive_the("SIP/2.0");
        assert!(answer.start().starts_with("SIP/2.0 481 "), "{}", answer.text);
    }
    let truth = "im:ann@domain.com delivery failure\r\nim:bob@domain.com delivery success";
    let report = report_on(&request, &proxy, &call_id, truth).replace("tag=p1", "tag=bare");
    proxy.send(request.from, &report);
    assert!(proxy.receive_the("SIP/2.0").start().starts_with("SIP/2.0 200 "));
    let ended = send.end();
    ended.assert_no_panic();
    assert_eq!(ended.code(), 1, "Ann has it not: {ended:?}");
}

/// RFC 3261 §16.3: a phone that sends Latin-1 in fields the proxy need not read is reached, and its bytes are passed on
/// unchanged.
#[test]
fn w18_a_phone_that_writes_latin_1_is_reached_and_its_bytes_are_passed_on() {
    let latin = |text: &str| -> Vec<u8> {
        text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect()
    };
    let proxy = Proxy::start();
    let (phone, james) = (Phone::new(), Phone::new());
    phone.register("bob", proxy.address);
    let text =
        submission(james.address, &["im:bob@domain.com"], "Delivery-Report: final;detail\r\n", "Hello.");
    assert_eq!(james.ask(proxy.address, &text).start(), "SIP/2.0 202 Accepted");
    let leg = phone.receive_the("MESSAGE");
    let answer = answer_to(&leg, "200 Tr\u{e8}s bien", "Server: T\u{e9}l\u{e9}phone\r\n");
    phone.socket.send_to(&latin(&answer), leg.from).unwrap();
    let report = james.receive_the("NOTIFY");
    let said = outcomes(&report);
    assert!(said[0].1.starts_with("success;status=200;reason=\"Tr\u{e8}s bien\";tries=1;"), "{said:?}");
    james.answer(&report, "200 OK");

    // An ordinary message, and its answer.
    let text = submission(james.address, &["sip:bob@domain.com"], "Subject: Gr\u{fc}\u{df}e\r\n", "Hi.")
        .replace("Proxy-Require: secondary-to\r\n", "");
    james.socket.send_to(&latin(&text), proxy.address).unwrap();
    let mut buffer = [0; 2000];
    let (length, from) = phone.socket.recv_from(&mut buffer).unwrap();
    let holds = |bytes: &[u8], line: &[u8]| bytes.windows(line.len()).any(|window| window == line);
    assert!(holds(&buffer[..length], b"\r\nSubject: Gr\xfc\xdfe\r\n"));
    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
    let relayed = Message { at: leg.at, from, text };
    phone.socket.send_to(&latin(&answer_to(&relayed, "486 Occup\u{e9}", "")), from).unwrap();
    let (length, _) = james.socket.recv_from(&mut buffer).unwrap();
    assert!(buffer[..length].starts_with(b"SIP/2.0 486 Occup\xe9\r\n"));
    ends_well(proxy);
}

#[test]
fn w4_a_message_that_no_datagram_holds_fails_alone_and_at_once() {
    let proxy = Proxy::with_t1("500ms");
    // It accepts datagrams only, and answers slowly.
    let (peer, james) = (Phone::new(), Phone::new());
    let small = submission(james.address, &[&peer.uri("bob")], "", "Small.");
    assert_eq!(james.ask(proxy.address, &small).start(), "SIP/2.0 202 Accepted");
    let leg = peer.receive_the("MESSAGE");

    let mut eve = Wire::to(proxy.address);
    let fields = "Delivery-Report: final;detail\r\n";
    let large = submission(eve.address, &[&peer.uri("ann")], fields, &"A".repeat(70_000));
    eve.send(&large.replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    assert_eq!(eve.receive().expect("an answer").start(), "SIP/2.0 202 Accepted");
    let report = eve.receive().expect("a report");
    let said = outcomes(&report);
    let why = "failure;status=503;reason=\"Too Large For UDP, And No Connection\";tries=0;after=";
    assert!(said.len() == 1 && said[0].1.starts_with(why), "{said:?}");

    peer.answer(&leg, "200 OK");
    let report = james.receive_the("NOTIFY");
    assert!(outcomes(&report)[0].1.starts_with("success"), "{}", report.text);
    ends_well(proxy);
}

#[test]
fn w13_w31_a_hundred_thousand_recipients_reach_nobody_and_cost_little() {
    let proxy = Proxy::start();
    let honest = Honest::at(&proxy);
    let before = peak_mib(&proxy.program);
    // 4,000 in a datagram, 20,000 over a stream as one list, and as many spellings of one person as fit.
    let list =
        |count: usize| (0..count).map(|number| format!("sip:{number:x}@y")).collect::<Vec<_>>().join(",");
    let alike: Vec<String> = (0..7000).map(|number| format!("<sip:x@192.0.2.1;maddr={number}>")).collect();
    let many = |secondary: &str, phone: std::net::SocketAddr| {
        submission(phone, &["im:bob@domain.com"], &format!("Secondary-To: {secondary}\r\n"), "To all.")
    };
    let phone = Phone::new();
    let answer = phone.ask(proxy.address, &many(&list(4000), phone.address));
    assert!(answer.start().starts_with("SIP/2.0 403 Too Many Recipients"), "{}", answer.start());
    assert!(answer.value("Warning").ends_with("\"at most 500 recipients\""));
    for secondary in [list(20_000), alike.join(",")] {
        let mut wire = Wire::to(proxy.address);
        wire.send(&many(&secondary, wire.address).replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
        let answer = wire.receive().expect("an answer");
        assert!(answer.start().starts_with("SIP/2.0 403 Too Many Recipients"), "{}", answer.start());
    }
    // 100,000, in one header field or one field each, exceed the maximum size of a head.
    let own: String = (0..100_000).map(|number| format!("Secondary-To: sip:{number:x}@y\r\n")).collect();
    let one = format!("Secondary-To: {}\r\n", list(100_000));
    for secondary in [own, one] {
        let mut wire = Wire::to(proxy.address);
        let request = submission(wire.address, &["im:bob@domain.com"], &secondary, "To all.");
        wire.send_as_much_as_goes(&request.replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
        assert!(wire.receive_or_end().is_none(), "it is closed");
    }
    honest.is_served(&proxy);
    let bodies: Vec<String> = honest.bob.seen().iter().map(|leg| leg.body().to_owned()).collect();
    assert!(!bodies.iter().any(|body| body == "To all."), "refused means that nobody gets it");
    assert!(peak_mib(&proxy.program) - before < 60);
    ends_well(proxy);
}

#[test]
fn w25_the_proxy_takes_no_report_and_no_answer_that_was_not_asked_for() {
    let proxy = Proxy::with_t1("200ms");
    let honest = Honest::at(&proxy);
    let (james, ann, forger) = (Phone::new(), Phone::new(), Phone::new());
    ann.register("ann", proxy.address);
    let request = submission(james.address, &["im:ann@domain.com"], "", "To Ann.");
    assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
    let leg = ann.receive_the("MESSAGE");

    let notify = report_on(&leg, &forger, leg.value("Call-ID"), "im:ann@domain.com delivery success");
    forger.send(proxy.address, &notify);
    assert!(forger.receive_the("SIP/2.0").start().starts_with("SIP/2.0 405 "));
    // An answer with a branch that is almost the leg's.
    let branch = leg.value("Via").split("branch=").nth(1).unwrap().to_owned();
    let mut other = branch.clone();
    let last = other.pop().unwrap();
    other.push(if last == '0' { '1' } else { '0' });
    forger.send(proxy.address, &answer_to(&leg, "200 OK", "").replace(&branch, &other));
    honest.is_served(&proxy);
    ann.answer(&leg, "486 Busy Here");
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    assert_eq!(outcomes(&report), [("im:ann@domain.com".to_owned(), "failure".to_owned())]);
    ends_well(proxy);
}
