//! Loops: two proxies that send to each other, a sender who is also a recipient, the proxy as a recipient.

use std::net::SocketAddr;

use super::{Honest, ends_well};
use crate::common::{Proxy, free_address};
use crate::program::{Program, fanfare};
use crate::socket::{Message, Phone, Tap, Way, submission, unique};

/// A second proxy behind a tap. The tap's address is the domain it serves, so everything sent there is counted.
fn other_proxy() -> (Program, Tap) {
    let address = free_address();
    let (listen, tap) = (format!("udp:{address}"), Tap::before(address));
    let domain = tap.address.to_string();
    let program = fanfare(&["proxy", "--domain", &domain, "--listen", &listen, "--t1", "20ms"]);
    program.line_with("listening udp");
    (program, tap)
}

/// Registers these contacts for the user `loop` of a domain.
fn register_loop(domain: &str, proxy: SocketAddr, contacts: &[String]) {
    let phone = Phone::new();
    let number = unique();
    let contacts: String = contacts.iter().map(|contact| format!("Contact: <{contact}>\r\n")).collect();
    let answer = phone.ask(
        proxy,
        &format!(
            "REGISTER sip:{domain} SIP/2.0\r\nVia: SIP/2.0/UDP {};branch=z9hG4bKl{number};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:loop@{domain}>;tag=l{number}\r\nTo: <sip:loop@{domain}>\r\nCall-ID: l{number}@bare\r\n\
             CSeq: 1 REGISTER\r\n{contacts}Expires: 3600\r\nContent-Length: 0\r\n\r\n",
            phone.address
        ),
    );
    assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
}

/// The lines of a report with their details.
fn lines(report: &Message) -> Vec<String> {
    report.body().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn w31_a_circle_of_two_proxies_ends_and_does_not_multiply() {
    let proxy = Proxy::start();
    let honest = Honest::at(&proxy);
    let (other, tap) = other_proxy();
    // Four contacts at each: without a limit, 4 to the power of the number of hops.
    let there: Vec<String> = (0..4).map(|n| format!("sip:loop@{};n={n}", tap.address)).collect();
    let back: Vec<String> = (0..4).map(|n| format!("sip:loop@{};n={n}", proxy.address)).collect();
    register_loop("domain.com", proxy.address, &there);
    register_loop(&tap.address.to_string(), tap.address, &back);

    let james = Phone::new();
    let everybody = ["im:loop@domain.com", "im:bob@domain.com"];
    let request =
        submission(james.address, &everybody, "Delivery-Report: final;detail\r\n", "Round and round.");
    assert_eq!(james.ask(proxy.address, &request).start(), "SIP/2.0 202 Accepted");
    let report = james.receive_the("NOTIFY");
    james.answer(&report, "200 OK");
    let lines = lines(&report);
    assert!(lines[0].starts_with("im:loop@domain.com delivery failure;status="), "{lines:?}");
    assert!(lines[1].starts_with("im:bob@domain.com delivery success;"), "{lines:?}");
    honest.is_served(&proxy);
    let seen = tap.saw(Way::ToProxy, "MESSAGE").len();
    println!("{seen} messages went round; {}", lines[0]);
    assert!((1..1000).contains(&seen), "{seen} messages went round");
    ends_well(proxy);
    other.signal("TERM");
    other.end().assert_no_panic();
}

#[test]
fn w14_the_sender_himself_and_the_proxy_itself_are_recipients_like_others() {
    let proxy = Proxy::start();
    let honest = Honest::at(&proxy);
    let james = Phone::new();
    james.register("james", proxy.address);
    // A user who registers the proxy's own address gets nothing sent there.
    register_loop("domain.com", proxy.address, &[format!("sip:loop@{}", proxy.address)]);
    let own = format!("sip:{}", proxy.address);
    let nobody = format!("sip:nobody@{}", proxy.address);
    let everybody = ["im:james@domain.com", "sip:domain.com", &own, &nobody, "im:loop@domain.com"];
    let request = submission(james.address, &everybody, "Delivery-Report: final;detail\r\n", "To myself.");
    james.send(proxy.address, &request);
    let (mut got, mut accepted) = (0, 0);
    let report = loop {
        let message = james.receive();
        match message.method() {
            "NOTIFY" => break message,
            "MESSAGE" => {
                got += 1;
                assert_eq!(message.body(), "To myself.");
                james.answer(&message, "200 OK");
            }
            _ => accepted += usize::from(message.start() == "SIP/2.0 202 Accepted"),
        }
    };
    james.answer(&report, "200 OK");
    assert_eq!((got, accepted), (1, 1));
    let lines = lines(&report);
    let outcome = |place: usize| lines[place].split_once(" delivery ").unwrap().1;
    assert!(outcome(0).starts_with("success;status=200"), "{lines:?}");
    assert!(lines[1..].iter().all(|line| line.contains(" delivery failure;status=")), "{lines:?}");
    assert!(outcome(lines.len() - 1).contains("status=503"), "{lines:?}");
    honest.is_served(&proxy);
    ends_well(proxy);
}
