//! Clients without an address that others can send to: RFC 5626, RFC 3581, RFC 7118 section 5.

use super::*;

/// A client's address as seen outside its NAT, and as the client sees it.
const SEEN: &str = "203.0.113.9:61000";
const THOUGHT: &str = "10.0.0.7:5060";

fn behind_nat(cseq: u32) -> String {
    register("bob", &format!("<sip:bob@{THOUGHT}>"), cseq, 600)
        .replace("SIP/2.0/UDP 192.0.2.250;", &format!("SIP/2.0/UDP {THOUGHT};rport;"))
}

fn flows(contact: &str, cseq: u32) -> String {
    register("bob", contact, cseq, 600)
        .replace("SIP/2.0/UDP", "SIP/2.0/TCP")
        .replace("Expires: 600\n", "Expires: 600\nSupported: path, outbound\n")
}

fn to_bob(number: u32) -> String {
    format!(
        "MESSAGE sip:bob@domain.com SIP/2.0\nVia: SIP/2.0/UDP {JAMES};branch=z9hG4bKf{number}\nMax-Forwards: 70\n\
         From: <sip:james@domain.com>;tag=t\nTo: <sip:bob@domain.com>\nCall-ID: f{number}\nCSeq: 1 MESSAGE\n\
         Proxy-Require: secondary-to\nContact: <sip:james@{JAMES}>\nContent-Type: text/plain\nContent-Length: 1\n\nx"
    )
}

fn told(bench: &mut Bench) -> String {
    let sent = bench.take(JAMES);
    let report = sent.iter().find(|text| text.starts_with("NOTIFY")).unwrap_or_else(|| panic!("{sent:?}"));
    body(report).to_owned()
}

#[test]
fn behind_a_nat_a_leg_goes_where_the_registration_came_from() {
    let mut bench = Bench::new();
    let answer = bench.ask(SEEN, &behind_nat(1));
    assert!(field(&answer, "Via").unwrap().contains("rport=61000"), "{answer}");
    bench.receive(udp(JAMES), &to_bob(1));
    let leg = bench.take_one(SEEN);
    assert!(leg.starts_with(&format!("MESSAGE sip:bob@{THOUGHT} SIP/2.0")), "{leg}");

    // The NAT assigns another port: the next registration shows it.
    bench.answer(SEEN, &leg, "200 OK");
    bench.take(JAMES);
    bench.ask("203.0.113.9:61001", &behind_nat(2));
    bench.crash();
    bench.receive(udp(JAMES), &to_bob(2));
    assert_eq!(bench.take("203.0.113.9:61001").len(), 1, "after a restart too");
}

#[test]
fn a_contact_that_is_no_end_of_a_nat_is_believed() {
    let mut bench = Bench::new();
    // It registers a contact at another host.
    let elsewhere = behind_nat(1).replace(&format!("<sip:bob@{THOUGHT}>"), "<sip:bob@192.0.2.7>");
    bench.ask(SEEN, &elsewhere);
    // With a proxy in between, that proxy knows how to reach the client.
    let by_proxy = behind_nat(2).replacen("Via:", "Via: SIP/2.0/UDP 192.0.2.33;branch=z9hG4bKedge\nVia:", 1);
    bench.ask("192.0.2.33:5060", &by_proxy.replace("Call-ID: reg-bob", "Call-ID: other"));
    bench.receive(udp(JAMES), &to_bob(1));
    assert_eq!(bench.take("192.0.2.7:5060").len(), 1);
    assert_eq!(bench.take(THOUGHT).len(), 1);
    assert!(bench.take(SEEN).is_empty());
}

#[test]
fn a_flow_that_is_registered_is_the_only_way_to_its_client() {
    let mut bench = Bench::new();
    let home = tcp("192.0.2.7:40000", 1);
    let contact = "<sip:bob@192.0.2.7:5060;transport=tcp>;+sip.instance=\"<urn:uuid:1>\";reg-id=1";
    bench.receive(home, &flows(contact, 1));
    let answer = bench.take_one("192.0.2.7:40000");
    assert_eq!(field(&answer, "Require"), Some("outbound"));
    assert_eq!(field(&answer, "Flow-Timer"), Some("120"));
    bench.receive(udp(JAMES), &to_bob(1));
    let leg = bench.take_one("192.0.2.7:40000");
    bench.answer_with(home, &leg, "200 OK", "");
    assert_eq!(status(&bench.take(JAMES)[0]), 202);

    bench.input(Input::Disconnected { flow: home });
    bench.receive(udp(JAMES), &to_bob(2));
    assert!(bench.connects.is_empty(), "nobody listens at a flow's Contact");
    assert!(told(&mut bench).ends_with(" failure\r\n"), "at once, as nobody is there");

    // It comes back over another connection, and the binding of the dead one is gone.
    let again = tcp("192.0.2.7:40001", 2);
    bench.receive(again, &flows(&contact.replace("5060", "5061"), 2));
    assert_eq!(fields(&bench.take_one("192.0.2.7:40001"), "Contact").len(), 1);
    bench.receive(udp(JAMES), &to_bob(3));
    assert_eq!(bench.take("192.0.2.7:40001").len(), 1);
}

#[test]
fn of_two_flows_of_one_device_the_newest_that_lives_gets_the_leg() {
    let mut bench = Bench::new();
    for (number, port) in [(1, 40_001), (2, 40_002)] {
        bench.advance_ms(10);
        let contact = format!(
            "<sip:bob@192.0.2.7:{port};transport=tcp>;+sip.instance=\"<urn:uuid:1>\";reg-id={number}"
        );
        bench.receive(
            tcp(&format!("192.0.2.7:{port}"), number),
            &flows(&contact, u32::try_from(number).unwrap()),
        );
        assert_eq!(bench.take(&format!("192.0.2.7:{port}")).len(), 1);
    }
    bench.receive(udp(JAMES), &to_bob(1));
    assert!(bench.take("192.0.2.7:40001").is_empty());
    let leg = bench.take_one("192.0.2.7:40002");
    bench.answer_with(tcp("192.0.2.7:40002", 2), &leg, "200 OK", "");
    bench.input(Input::Disconnected { flow: tcp("192.0.2.7:40002", 2) });
    bench.receive(udp(JAMES), &to_bob(2));
    assert_eq!(bench.take("192.0.2.7:40001").len(), 1);
}

#[test]
fn the_senders_end_of_a_connection_is_no_address_to_connect_to() {
    let mut bench = Bench::new();
    let home = tcp("192.0.2.7:40000", 1);
    bench.receive(home, &register("bob", "<sip:bob@192.0.2.7:40000;transport=tcp>", 1, 600));
    bench.take("192.0.2.7:40000");
    bench.input(Input::Disconnected { flow: home });
    bench.receive(udp(JAMES), &to_bob(1));
    assert!(bench.connects.is_empty());
    assert!(told(&mut bench).ends_with(" failure\r\n"), "at once, as nobody is there");
}

#[test]
fn w4_behind_a_nat_what_is_large_goes_by_datagram_as_nothing_listens_at_the_nat() {
    let mut bench = Bench::new();
    bench.ask(SEEN, &behind_nat(1));
    let text = "x".repeat(1400);
    let large =
        |number| to_bob(number).replace("Content-Length: 1\n\nx", &format!("Content-Length: 1400\n\n{text}"));
    bench.receive(udp(JAMES), &large(1));
    let leg = bench.take_one(SEEN);
    assert!(bench.connects.is_empty());
    assert_eq!(body(&leg), text);
    bench.answer(SEEN, &leg, "200 OK");
    assert!(told(&mut bench).contains("delivery success"));
    // An ordinary message goes the same way.
    let ordinary = large(2)
        .replace("Proxy-Require: secondary-to\n", "")
        .replace(&format!("Contact: <sip:james@{JAMES}>\n"), "");
    bench.receive(udp(JAMES), &ordinary);
    assert_eq!(body(&bench.take_one(SEEN)), text);
    assert!(bench.connects.is_empty());
}

#[test]
fn w4_the_large_report_for_somebody_behind_a_nat_goes_by_datagram_too() {
    let mut bench = Bench::new();
    bench.ask(SEEN, &behind_nat(1).replace("sip:bob@", "sip:james@"));
    let many: Vec<_> = (0..60).map(|number| format!("<im:person{number}@domain.com>")).collect();
    let submission = to_bob(1)
        .replace(&format!("SIP/2.0/UDP {JAMES}"), &format!("SIP/2.0/UDP {THOUGHT};rport"))
        .replace(&format!("<sip:james@{JAMES}>"), &format!("<sip:james@{THOUGHT}>"))
        .replace("Proxy-Require", &format!("Secondary-To: {}\nProxy-Require", many.join(", ")));
    bench.receive(udp(SEEN), &submission);
    let sent = bench.take(SEEN);
    let report = sent.iter().find(|text| text.starts_with("NOTIFY")).unwrap_or_else(|| panic!("{sent:?}"));
    assert!(report.len() > 1300 && bench.connects.is_empty(), "{}", report.len());
    assert_eq!(body(report).lines().count(), 61);
}
