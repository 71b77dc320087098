//! Strangers against the real program. At the proxy: who may write, who is banned, and what is logged (W14, W31). At a
//! client: only its server may write to it (W25).

use std::fs;
use std::net::{TcpStream, UdpSocket};

use tempfile::TempDir;

use crate::common::{Proxy, address_of, message_to, register_listener};
use crate::program::{WAIT, fanfare};
use crate::socket::{Message, Phone, Wire, register, unique};

/// An ordinary message to Bob from another domain.
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

#[test]
fn w25_who_writes_straight_to_a_client_or_forges_its_servers_address_gets_403() {
    // The server has another loopback address than the stranger.
    let socket = UdpSocket::bind("127.0.0.2:0").unwrap();
    socket.set_read_timeout(Some(WAIT)).unwrap();
    let address = socket.local_addr().unwrap();
    let server = Phone { socket, address };
    let folder = TempDir::new().unwrap();
    let (over, data) = (format!("udp:{address}"), folder.path().to_str().unwrap());
    let bob = fanfare(&["listen", "--as", "sip:bob@domain.com", "--proxy", &over, "--data", data]);
    let contact = register_listener(&server);
    let at = address_of(&contact);
    let refused = |answer: &Message| assert_eq!(answer.start(), "SIP/2.0 403 Forbidden", "{}", answer.text);

    // Directly to the client, over UDP and TCP: refused although the stranger knows its Contact.
    let stranger = Phone::new();
    refused(&stranger.ask(at, &message_to(&contact, &stranger, 1, "From a stranger.")));
    let mut wire = Wire::over(TcpStream::connect(at).unwrap());
    assert_ne!(wire.address.ip(), address.ip());
    wire.send(&message_to(&contact, &stranger, 2, "From a stranger.").replace("SIP/2.0/UDP", "SIP/2.0/TCP"));
    refused(&wire.receive().expect("an answer"));
    let answer = server.ask(at, &message_to(&contact, &server, 3, "From the server."));
    assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
    // With the server's address, but without the token in the Contact that only the server was told, and has used.
    let token = contact.split(['-', '@']).nth(1).unwrap();
    assert_eq!(token.len(), 16, "{contact}");
    for user in ["bob", "ann", token, &format!("{token}-bob")] {
        refused(
            &server.ask(at, &message_to(&format!("sip:{user}@{at}"), &server, unique(), "From a stranger.")),
        );
    }
    let made_up = format!("sip:bob-{}@{at}", token.chars().rev().collect::<String>());
    let answer = server.ask(at, &message_to(&made_up, &server, unique(), "From a stranger."));
    assert_eq!(answer.start(), "SIP/2.0 480 Temporarily Unavailable");

    bob.line_with("From the server.");
    assert_eq!(bob.lines().iter().filter(|line| line.contains("stranger")).count(), 0, "{:?}", bob.lines());
    for file in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!has("From a stranger."), "nothing of it is kept");
    }
}
