//! Text from strangers, where it is printed: it neither moves the cursor nor looks like a line of ours.

use std::net::SocketAddr;

use serde_json::Value;

use crate::common::{Proxy, listener, message_to, register_listener};
use crate::program::{Ended, Program, fanfare, fanfare_command};
use crate::socket::{Answering, Phone, answer_to, refusing};

/// Escape sequences, C1 controls, direction marks and a carriage return, as a hostile phone puts them into a reason
/// phrase.
const PHRASE: &str =
    "486 Busy\u{1b}[31m\u{1b}]0;pwn\u{7}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}fake";
const PHRASE_SHOWN: &str =
    "486 Busy⟨U+001B⟩[31m⟨U+001B⟩]0;pwn⟨U+0007⟩⟨U+009B⟩31m⟨U+202E⟩⟨U+2066⟩⟨U+200B⟩⟨U+FEFF⟩⟨U+E0041⟩fake";

/// Nothing that a terminal interprets; line breaks are excluded, as the lines were split at them.
fn assert_harmless(lines: &[String]) {
    let harmful = |c: char| {
        c.is_control() && c != '\t'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    };
    for line in lines {
        assert!(!line.chars().any(harmful), "{line:?}");
    }
}

fn send(proxy: SocketAddr, more: &[&str]) -> Ended {
    let proxy = format!("udp:{proxy}");
    let args = ["send", "--from", "im:james@domain.com", "--proxy", &proxy, "--timeout", "10s"];
    fanfare(&[&args[..], more].concat()).end()
}

#[test]
fn send_prints_a_reason_phrase_that_does_nothing_to_a_terminal() {
    let answering = refusing(PHRASE);
    let server = answering.address;
    let plain = send(server, &["--to", "im:ann@domain.com", "--text", "Hi"]);
    assert_eq!(plain.code(), 2, "{plain:?}");
    assert_eq!(plain.out, [format!("not accepted: {PHRASE_SHOWN}")]);
    assert_harmless(&plain.err);

    let exact = send(server, &["--to", "im:ann@domain.com", "--text", "Hi", "--json"]);
    assert_harmless(&exact.out);
    let told: Value = serde_json::from_str(&exact.out[0]).unwrap();
    assert_eq!(told["reason"], PHRASE.strip_prefix("486 ").unwrap(), "{exact:?}");
}

fn outcome_line(proxy: &Proxy, report: &str) -> Ended {
    send(
        proxy.address,
        &["--to", "im:ann@domain.com", "--to", "im:bob@domain.com", "--text", "Hi", "--report", report],
    )
}

#[test]
fn a_recipients_reason_phrase_is_harmless_in_the_outcome_too() {
    let proxy = Proxy::start();
    let phone = |user: &str, status: &'static str| {
        let phone = Phone::new();
        phone.register(user, proxy.address);
        Answering::new(phone, move |_, _| Some(status))
    };
    let (_ann, _bob) = (phone("ann", PHRASE), phone("bob", "200 OK"));
    for report in ["final", "each"] {
        let ended = outcome_line(&proxy, report);
        assert_eq!(ended.code(), 1, "{ended:?}");
        assert_harmless(&ended.out);
        assert_harmless(&ended.err);
        let of_ann = ended.out.iter().find(|line| line.contains("im:ann@domain.com failure")).unwrap();
        assert!(of_ann.contains("486 Busy"), "{of_ann}");
    }
}

/// `fanfare listen` at a socket that plays its server; also returns its address.
fn listening(server: &Phone, more: &[&str]) -> (Program, String) {
    let over = format!("udp:{}", server.address);
    let bob = fanfare(&[&["listen", "--as", "im:bob@domain.com", "--proxy", &over][..], more].concat());
    let contact = register_listener(server);
    (bob, contact)
}

fn deliver(server: &Phone, contact: &str, number: u64, change: impl FnOnce(String) -> String, text: &str) {
    let to = crate::common::address_of(contact);
    server.send(to, &change(message_to(contact, server, number, text)));
    // It also asks for our capabilities.
    let answer =
        std::iter::repeat_with(|| server.receive()).find(|heard| heard.start().starts_with("SIP/2.0"));
    assert_eq!(answer.unwrap().start(), "SIP/2.0 200 OK");
}

#[test]
fn a_line_end_in_a_message_forges_no_line_of_listen() {
    let server = Phone::new();
    let (bob, contact) = listening(&server, &[]);
    deliver(
        &server,
        &contact,
        1,
        |it| it,
        "Hi\nsip:ceo@domain.com: pay\rsip:ceo@domain.com: now\r\n\u{1b}[2K\u{85}end",
    );
    bob.line_with("end");
    assert_eq!(
        bob.lines(),
        [
            "sip:james@domain.com: Hi",
            "    sip:ceo@domain.com: pay",
            "    sip:ceo@domain.com: now",
            "    [2Kend",
        ]
    );
    let html = |it: String| it.replace("text/plain", "text/html");
    deliver(&server, &contact, 2, html, "&#27;[31mred&#155;31m&#x202e;abc<br>sip:ceo@domain.com: forged.");
    bob.line_with("forged.");
    let file = |it: String| it.replace("text/plain", "application/x; name=\"a\u{1b}[31mb\u{202e}gpj.exe\"");
    deliver(&server, &contact, 3, file, "x");
    bob.line_with("gpj.exe");
    assert_harmless(&bob.lines());
    let forged = bob.lines().into_iter().filter(|line| line.starts_with("sip:ceo"));
    assert_eq!(forged.count(), 0, "{:?}", bob.lines());
}

#[test]
fn json_of_a_message_is_exact_and_harmless() {
    let server = Phone::new();
    let (bob, contact) = listening(&server, &["--json"]);
    deliver(&server, &contact, 1, |it| it, "Hi\nthere\u{202e}\u{2028}\u{e0041} Zo\u{eb} end");
    let line = bob.line_with("end");
    assert_harmless(std::slice::from_ref(&line));
    let told: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(told["text"], "Hi\nthere\u{202e}\u{2028}\u{e0041} Zo\u{eb} end");
    assert!(line.contains("Hi\\nthere\\u202e\\u2028\\udb40\\udc41 Zo\u{eb}"), "{line}");
}

#[test]
fn the_log_is_harmless_and_without_colors() {
    let server = Phone::new();
    let over = format!("udp:{}", server.address);
    let mut command = fanfare_command(&["listen", "--as", "im:bob@domain.com", "--proxy", &over]);
    command.env("FANFARE_LOG", "debug");
    let bob = Program::start("fanfare", command, None);
    let register = server.receive_the("REGISTER");
    server.send(register.from, &answer_to(&register, "403 No\u{1b}[31m\u{7}\u{9b}\u{202e} log", ""));
    let line = bob.complaint_with("not registered");
    assert!(line.contains("403 No"), "{line}");
    bob.signal("TERM");
    assert_harmless(&bob.end().err);
}

#[test]
fn wrong_usage_repeats_nothing_that_a_terminal_acts_on() {
    let ended = fanfare(&["send", "--from", "a\u{1b}[31m\u{202e}b", "--to", "im:a@b", "--text", "x"]).end();
    assert_eq!(ended.code(), 2, "{ended:?}");
    assert_harmless(&ended.err);
    assert!(ended.said().contains("⟨U+202E⟩b"), "{ended:?}");
}

#[test]
fn a_listener_at_the_proxy_sees_the_same() {
    let proxy = Proxy::start();
    let bob = listener("bob", &proxy, &[]);
    let sent = send(proxy.address, &["--to", "im:bob@domain.com", "--text", "one\nim:ceo@domain.com: two"]);
    assert_eq!(sent.code(), 0, "{sent:?}");
    assert_eq!(bob.line_with("two"), "    im:ceo@domain.com: two");
}
