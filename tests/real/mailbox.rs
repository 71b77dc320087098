//! Absent people, absent devices and duplicates: through kills, over the other transport, on real files.

use crate::common::{Proxy, outcomes};
use crate::program::fanfare;
use crate::socket::{Answering, Message, Phone, Wire, call_id, register, submission};

const ANN: &str = "im:ann@domain.com";
const FOR_AN_HOUR: &str = "Expires: 3600\r\n";

fn told(report: &Message) -> (&str, Vec<(String, String)>) {
    (report.value("Subscription-State"), outcomes(report))
}

fn line(state: &str) -> Vec<(String, String)> {
    vec![(ANN.to_owned(), state.to_owned())]
}

/// The next report on this request, which is answered.
fn report(james: &Phone, request: &str) -> Message {
    loop {
        let report = james.receive_the("NOTIFY");
        james.answer(&report, "200 OK");
        if report.value("Call-ID") == call_id(request) {
            return report;
        }
    }
}

/// The next different report after `before`, which may come once more.
fn later_report(james: &Phone, request: &str, before: &Message) -> Message {
    loop {
        let next = report(james, request);
        if next.value("CSeq") != before.value("CSeq") && next.body() != before.body() {
            return next;
        }
    }
}

/// Registers a device with an instance id, or un-registers it (RFC 5626).
fn device(phone: &Phone, proxy: &Proxy, name: &str, expires: u32) {
    let contact = format!("<{}>;+sip.instance=\"<urn:uuid:{name}>\";expires={expires}", phone.uri("ann"));
    let answer = phone.ask(proxy.address, &register("ann", &contact, phone.address));
    assert_eq!(answer.start(), "SIP/2.0 200 OK", "{}", answer.text);
}

fn expires_of(message: &Message) -> u32 {
    message.value("Expires").parse().unwrap()
}

#[test]
fn w18_who_was_absent_when_the_proxy_was_killed_gets_it_when_he_comes() {
    let mut proxy = Proxy::start();
    let james = Phone::new();
    let request = submission(james.address, &[ANN], FOR_AN_HOUR, "While you were away.");
    james.send(proxy.address, &request);
    let interim = report(&james, &request);
    assert_eq!(told(&interim), ("active", line("deferred")));

    proxy = proxy.kill_and_start_again();
    let ann = Phone::new();
    ann.register("ann", proxy.address);
    let leg = ann.receive_the("MESSAGE");
    assert_eq!(leg.body(), "While you were away.");
    assert!((3500..=3600).contains(&expires_of(&leg)), "what remains: {}", leg.text);
    ann.answer(&leg, "200 OK");
    let last = later_report(&james, &request, &interim);
    assert_eq!(told(&last), ("terminated;reason=noresource", line("success")));

    // W15: nobody who has it gets it again.
    proxy = proxy.kill_and_start_again();
    ann.register("ann", proxy.address);
    let marker = submission(james.address, &[ANN], "", "A marker.");
    james.send(proxy.address, &marker);
    assert_eq!(ann.receive_the("MESSAGE").body(), "A marker.");
}

#[test]
fn w18_who_has_gone_silent_gets_it_at_the_next_registration_in_order() {
    let mut proxy = Proxy::start();
    let asleep = Phone::new();
    asleep.register("ann", proxy.address);
    let james = Phone::new();
    for text in ["One.", "Two.", "Three."] {
        let request = submission(james.address, &[ANN], FOR_AN_HOUR, text);
        james.send(proxy.address, &request);
        assert_eq!(told(&report(&james, &request)), ("active", line("deferred")));
    }
    let first = asleep.receive_the("MESSAGE");
    proxy = proxy.kill_and_start_again();
    let ann = Phone::new();
    let awake = Answering::new(
        {
            ann.register("ann", proxy.address);
            ann
        },
        |_, _| Some("200 OK"),
    );
    let legs = awake.wait("all three", |legs| {
        let mut bodies: Vec<_> = legs.iter().map(|leg| leg.body().to_owned()).collect();
        bodies.dedup();
        (bodies.len() >= 3).then_some(bodies)
    });
    assert_eq!(legs, ["One.", "Two.", "Three."]);
    assert_eq!(awake.seen()[0].identity(), first.identity(), "W15: one leg, however often it comes");
}

#[test]
fn w16_a_device_that_was_away_gets_what_another_one_took() {
    let mut proxy = Proxy::start();
    let (phone, laptop) = (Phone::new(), Phone::new());
    device(&laptop, &proxy, "laptop", 3600);
    device(&laptop, &proxy, "laptop", 0);
    device(&phone, &proxy, "phone", 3600);
    let james = Phone::new();
    let request = submission(james.address, &[ANN], FOR_AN_HOUR, "On both.");
    james.send(proxy.address, &request);
    let leg = phone.receive_the("MESSAGE");
    phone.answer(&leg, "200 OK");
    assert_eq!(told(&report(&james, &request)), ("terminated;reason=noresource", line("success")));

    proxy = proxy.kill_and_start_again();
    device(&laptop, &proxy, "laptop", 3600);
    let late = laptop.receive_the("MESSAGE");
    assert_eq!((late.body(), late.identity()), ("On both.", leg.identity()));
    laptop.answer(&late, "200 OK");

    // The phone has it already: the next thing it gets is the next message.
    let marker = submission(james.address, &[ANN], "", "A marker.");
    james.send(proxy.address, &marker);
    let next = std::iter::repeat_with(|| phone.receive_the("MESSAGE")).find(|leg| leg.body() != "On both.");
    assert_eq!(next.unwrap().body(), "A marker.");
}

#[test]
fn w8_without_expires_or_without_a_mailbox_the_patents_report_comes() {
    let proxy = Proxy::start();
    let james = Phone::new();
    let request = submission(james.address, &[ANN], "", "Now or never.");
    james.send(proxy.address, &request);
    assert_eq!(told(&report(&james, &request)), ("terminated;reason=noresource", line("failure")));

    let program =
        fanfare(&["proxy", "--domain", "domain.com", "--listen", "udp:127.0.0.1:0", "--mailbox", "off"]);
    let listening = program.line_with("listening udp");
    let address = listening.trim_start_matches("listening udp ").parse().unwrap();
    let request = submission(james.address, &[ANN], FOR_AN_HOUR, "No mailbox.");
    james.send(address, &request);
    assert_eq!(told(&report(&james, &request)), ("terminated;reason=noresource", line("failure")));
}

#[test]
fn w12_over_udp_and_then_over_tcp_with_another_branch_it_is_one_message() {
    let mut proxy = Proxy::start();
    let phone = Phone::new();
    phone.register("ann", proxy.address);
    let ann = Answering::new(phone, |_, _| Some("200 OK"));
    let james = Phone::new();
    let request = submission(james.address, &[ANN], "", "Once.");
    let accepted = james.ask(proxy.address, &request);
    assert_eq!(accepted.start(), "SIP/2.0 202 Accepted");
    let first = report(&james, &request);

    proxy = proxy.kill_and_start_again();
    let mut wire = Wire::to(proxy.address);
    let over_tcp = request.replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace("z9hG4bKsub", "z9hG4bKtcp");
    wire.send(&over_tcp);
    let again = wire.receive().unwrap();
    assert_eq!((again.start(), again.value("To")), (accepted.start(), accepted.value("To")));
    let repeated = wire.receive().unwrap();
    assert_eq!(
        (repeated.method(), repeated.body()),
        ("NOTIFY", first.body()),
        "its flow is the report's now"
    );

    for (other, branch) in [
        (over_tcp.replace("Once.", "More."), "z9hG4bKbody"),
        (over_tcp.replace("ann@domain.com", "bob@domain.com"), "z9hG4bKpeople"),
    ] {
        wire.send(&other.replace("z9hG4bKtcp", branch));
        let refusal =
            std::iter::repeat_with(|| wire.receive().unwrap()).find(|text| text.method() == "SIP/2.0");
        assert!(refusal.unwrap().start().starts_with("SIP/2.0 400 "));
    }
    assert_eq!(ann.seen().len(), 1, "{:#?}", ann.seen());
}

#[test]
fn w8_send_with_expires_tells_who_is_deferred_and_if_it_waits_that_he_has_it() {
    let proxy = Proxy::start();
    let over = proxy.udp();
    let send = |more: &[&str]| {
        let args =
            ["send", "--from", "im:james@domain.com", "--proxy", &over, "--to", ANN, "--expires", "1h"];
        fanfare(&[&args[..], &["--text", "Later.", "--report", "each", "--json"], more].concat())
    };
    let waits = send(&["--wait"]);
    assert!(waits.line_with("deferred").contains(ANN));
    let phone = Phone::new();
    phone.register("ann", proxy.address);
    let _ann = Answering::new(phone, |_, _| Some("200 OK"));
    let ended = waits.end();
    assert!(ended.said().contains(r#""state":"complete""#), "{ended:?}");
    assert_eq!(ended.code(), 0, "deferred is not the end: {ended:?}");

    let nobody = fanfare(&[
        "send",
        "--from",
        "im:james@domain.com",
        "--proxy",
        &over,
        "--to",
        "im:eve@domain.com",
        "--expires",
        "1h",
        "--text",
        "Later.",
        "--json",
    ]);
    // It ends once all that can be known now is known, long before its time is up.
    let ended = nobody.end();
    assert!(ended.said().contains(r#""event":"report","state":"deferred""#), "{ended:?}");
    assert_eq!(ended.code(), 1, "she has it not yet: {ended:?}");
}
