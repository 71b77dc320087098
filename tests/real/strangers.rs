//! What the operator says of strangers, by the real program: who may write, who is banned, and what the log says (W14, W31).

use crate::common::Proxy;
use crate::socket::{Message, Phone, Wire, register, unique};

/// An ordinary message of somebody from elsewhere to Bob.
fn from_elsewhere(domain: &str, via: &str) -> String {
    let number = unique();
    format!(
        "MESSAGE sip:bob@domain.com SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bKs{number};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:eve@{domain}>;tag=s{number}\r\nTo: <sip:bob@domain.com>\r\nCall-ID: s{number}@bare\r\n\
         CSeq: 1 MESSAGE\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nHello"
    )
}

fn ask(proxy: &Proxy, phone: &Phone, domain: &str) -> Message {
    phone.ask(proxy.address, &from_elsewhere(domain, &format!("UDP {}", phone.address)))
}

#[test]
fn w14_strangers_are_let_in_or_not_as_the_operator_says_and_the_log_tells_who_was_refused() {
    let proxy = Proxy::start_with(&["--inbound", "known", "--known", "example.org", "--ban", "spam.example"]);
    let (bob, eve) = (Phone::new(), Phone::new());
    bob.register("bob", proxy.address);
    eve.send(proxy.address, &from_elsewhere("mail.example.org", &format!("UDP {}", eve.address)));
    let passed = bob.receive_the("MESSAGE");
    bob.answer(&passed, "200 OK");
    assert_eq!(eve.receive().start(), "SIP/2.0 200 OK");
    assert_eq!(ask(&proxy, &eve, "elsewhere.com").start(), "SIP/2.0 403 This Proxy Takes Nothing From You");
    assert_eq!(ask(&proxy, &eve, "deep.spam.example").start(), "SIP/2.0 403 Banned");
    let line = proxy.program.complaint_with("kind=not-admitted");
    let told =
        "refused source=127.0.0.1 kind=not-admitted verified=no transport=udp count=1 who=eve@elsewhere.com";
    assert!(line.ends_with(told), "{line}");
    let line = proxy.program.complaint_with("kind=banned");
    assert!(
        line.ends_with("kind=banned verified=no transport=udp count=1 who=eve@deep.spam.example"),
        "{line}"
    );
}

#[test]
fn who_is_banned_by_his_address_gets_nothing_and_a_connection_is_told_as_verified() {
    let proxy = Proxy::start_with(&["--ban", "127.0.0.0/8"]);
    let phone = Phone::new();
    let mut wire = Wire::to(proxy.address);
    wire.send(&from_elsewhere("elsewhere.com", &format!("TCP {}", wire.address)));
    let answer = wire.receive().expect("an answer");
    assert_eq!(answer.start(), "SIP/2.0 403 Banned");
    let line = proxy.program.complaint_with("kind=banned");
    assert!(line.ends_with("verified=yes transport=tcp count=1 who=eve@elsewhere.com"), "{line}");
    let own = register("bob", &format!("<{}>", phone.uri("bob")), phone.address);
    assert_eq!(phone.ask(proxy.address, &own).start(), "SIP/2.0 403 Banned");
}
