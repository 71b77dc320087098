//! The patent's example: James writes to Ann, who is registered and silent, and to Bob, who listens.

use std::collections::BTreeSet;

use crate::common::{Proxy, listener, objects, outcomes};
use crate::program::{Program, fanfare};
use crate::socket::{Answering, Message, Phone, Tap, Way};

/// The example's report, byte for byte (W20).
const REPORT: &str = "im:ann@domain.com delivery failure\r\nim:bob@domain.com delivery success\r\n";

/// Ann: registered, but never answers.
fn silent_ann(proxy: &Proxy) -> Answering {
    let ann = Phone::new();
    ann.register("ann", proxy.address);
    Answering::new(ann, |_, _| None)
}

/// One leg, transmitted 11 times with the same bytes (W17), and without anything that W15 removes.
fn assert_eleven_of_one_leg(ann: &Answering) -> Message {
    let seen = ann.seen();
    assert_eq!(seen.len(), 11, "{seen:#?}");
    let first = seen[0].clone();
    assert!(seen.iter().all(|message| message.text == first.text), "{seen:#?}");
    assert_eq!(first.start(), format!("MESSAGE sip:ann@{} SIP/2.0", ann.address));
    assert!(first.value("From").starts_with("<sip:james@domain.com>;tag="), "{}", first.text);
    assert_eq!(first.value("To"), "<sip:ann@domain.com>");
    assert_eq!(first.value("Also-To"), "<sip:bob@domain.com>");
    assert_eq!(first.value("CSeq"), "1 MESSAGE");
    assert_eq!(first.value("Content-Type"), "text/plain");
    assert_eq!(first.value("Content-Length"), "10");
    assert_eq!(first.values("Date").len(), 1);
    for taken_out in ["Contact", "Secondary-To", "Delivery-Report", "Proxy-Require"] {
        assert_eq!(first.values(taken_out), [""; 0], "{taken_out}");
    }
    assert_eq!(first.body(), "Come here.");
    first
}

#[test]
fn w1_w2_w17_w20_one_message_leaves_and_one_report_comes_back() {
    let proxy = Proxy::with_t1("50ms");
    let ann = silent_ann(&proxy);
    let bob = listener("bob", &proxy, &["--json"]);
    let tap = Tap::before(proxy.address);

    let over = format!("udp:{}", tap.address);
    let james = fanfare(&[
        "send",
        "--from",
        "im:james@domain.com",
        "--proxy",
        &over,
        "--to",
        "im:ann@domain.com",
        "--to",
        "im:bob@domain.com",
        "--text",
        "Come here.",
    ]);
    let ended = james.end();
    assert_eq!(ended.code(), 1, "Ann was not reached: {ended:?}");
    for address in ["im:ann@domain.com", "im:bob@domain.com"] {
        let lines = ended.out.iter().filter(|line| line.contains(address)).count();
        assert!(lines >= 1, "a line for {address}: {ended:?}");
    }

    let sent = assert_one_message_and_its_202(&tap);
    assert_one_report(&tap, &sent);
    assert_eleven_of_one_leg(&ann);
    assert_heard_once(bob);
}

/// What James's machine sent, byte for byte where the patent gives the bytes, and the proxy's answer.
fn assert_one_message_and_its_202(tap: &Tap) -> Message {
    let sent = tap.saw(Way::ToProxy, "MESSAGE");
    assert_eq!(sent.len(), 1, "one MESSAGE: {sent:#?}");
    let sent = sent[0].clone();
    assert_eq!(sent.start(), "MESSAGE sip:ann@domain.com SIP/2.0");
    assert!(sent.value("From").starts_with("<im:james@domain.com>;tag="), "{}", sent.text);
    assert_eq!(sent.value("To"), "<im:ann@domain.com>");
    assert_eq!(sent.value("Secondary-To"), "<im:bob@domain.com>");
    assert_eq!(sent.value("Proxy-Require"), "secondary-to");
    assert_eq!(sent.value("Content-Type"), "text/plain");
    assert_eq!(sent.value("Content-Length"), "10");
    assert_eq!(sent.body(), "Come here.");

    let answers = tap.saw(Way::ToClient, "SIP/2.0");
    let accepted =
        answers.iter().find(|answer| answer.value("CSeq").ends_with("MESSAGE")).expect("an answer");
    assert_eq!(accepted.start(), "SIP/2.0 202 Accepted");
    assert_eq!(accepted.value("Supported"), "secondary-to", "W6");
    sent
}

/// One report with the Call-ID of the message.
fn assert_one_report(tap: &Tap, sent: &Message) {
    let reports = tap.saw(Way::ToClient, "NOTIFY");
    let different: BTreeSet<_> = reports.iter().map(Message::identity).collect();
    assert_eq!(different.len(), 1, "one report: {reports:#?}");
    assert_eq!(reports[0].value("Call-ID"), sent.value("Call-ID"), "W22");
    assert_eq!(reports[0].value("Event"), "delivery-report");
    assert!(reports[0].value("Subscription-State").starts_with("terminated"), "{}", reports[0].text);
    assert_eq!(reports[0].value("Content-Type"), "application/delivery-report");
    let told = outcomes(&reports[0]);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].0 == "im:ann@domain.com" && told[0].1.starts_with("failure"), "{told:?}");
    assert!(told[1].0 == "im:bob@domain.com" && told[1].1.starts_with("success"), "{told:?}");
}

/// Bob got it once.
fn assert_heard_once(bob: Program) {
    bob.line_with("Come here.");
    bob.signal("INT");
    let heard = objects(&bob.end().out);
    let messages: Vec<_> = heard.iter().filter(|object| object["event"] == "message").collect();
    assert_eq!(messages.len(), 1, "Bob has it once: {heard:?}");
    assert_eq!(messages[0]["from"], "sip:james@domain.com");
    assert_eq!(messages[0]["also_to"], serde_json::json!(["sip:ann@domain.com"]));
    assert_eq!(messages[0]["type"], "text/plain");
    assert_eq!(messages[0]["text"], "Come here.");
}

/// The request as printed in the patent, plus the fields that RFC 3261 has required since.
const REQUEST: &str = "MESSAGE sip:ann@domain.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bK776;rport\r\n\
    Max-Forwards: 70\r\n\
    From: <im:james@domain.com>;tag=49583\r\n\
    To: <im:ann@domain.com>\r\n\
    Secondary-To: <im:bob@domain.com>\r\n\
    Contact: <sip:james@jamesmob.domain.com>\r\n\
    Call-ID: asd88asd77a@jamesmob.domain.com\r\n\
    CSeq: 1 MESSAGE\r\n\
    Proxy-Require: secondary-to\r\n\
    Content-Type: text/plain\r\n\
    Content-Length: 10\r\n\
    \r\n\
    Come here.";

#[test]
fn w22_a_bare_sender_gets_the_report_under_its_own_call_id() {
    let proxy = Proxy::with_t1("50ms");
    let ann = silent_ann(&proxy);
    let bob = listener("bob", &proxy, &[]);
    let james = Phone::new();

    james.send(proxy.address, REQUEST);
    let accepted = james.receive();
    assert_eq!(accepted.start(), "SIP/2.0 202 Accepted");
    assert_eq!(accepted.value("Supported"), "secondary-to");
    assert_eq!(accepted.value("Call-ID"), "asd88asd77a@jamesmob.domain.com");
    assert_eq!(accepted.value("From"), "<im:james@domain.com>;tag=49583");
    let tag = accepted.value("To").split_once("<im:ann@domain.com>;tag=").expect("a To tag").1.to_owned();

    let report = james.receive();
    // W24: over the submission's flow, with its Contact as Request-URI.
    assert_eq!(report.start(), "NOTIFY sip:james@jamesmob.domain.com SIP/2.0");
    assert_eq!(report.value("Call-ID"), "asd88asd77a@jamesmob.domain.com");
    assert!(report.value("From").ends_with(&format!(";tag={tag}")), "{}", report.text);
    assert!(report.value("To").ends_with(";tag=49583"), "{}", report.text);
    assert!(report.value("CSeq").ends_with(" NOTIFY"), "{}", report.text);
    assert_eq!(report.value("Event"), "delivery-report");
    assert_eq!(report.value("Subscription-State"), "terminated;reason=noresource");
    assert_eq!(report.value("Content-Type"), "application/delivery-report");
    assert_eq!(report.value("Content-Length"), REPORT.len().to_string());
    assert_eq!(report.values("Contact").len(), 1, "RFC 6665");
    assert_eq!(report.body(), REPORT);
    james.answer(&report, "200 OK");

    assert_eleven_of_one_leg(&ann);
    bob.line_with("Come here.");
}

/// The request exactly as printed in the patent: no Max-Forwards, no tag, no branch, no Proxy-Require.
const MINIMAL: &str = "MESSAGE sip:ann@domain.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP jamesmob.domain.com\r\n\
    From: <im:james@domain.com>\r\n\
    To: <im:ann@domain.com>\r\n\
    Secondary-To: <im:bob@domain.com>\r\n\
    Call-ID: asd88asd77a@jamesmob.domain.com\r\n\
    CSeq: 1 MESSAGE\r\n\
    Content-Type: text/plain\r\n\
    Content-Length: 10\r\n\
    \r\n\
    Come here.";

#[test]
fn w5_the_patents_own_minimal_request_works() {
    let proxy = Proxy::with_t1("50ms");
    let ann = silent_ann(&proxy);
    let bob = listener("bob", &proxy, &[]);
    let james = Phone::new();

    james.send(proxy.address, MINIMAL);
    let accepted = james.receive();
    assert_eq!(accepted.start(), "SIP/2.0 202 Accepted");
    assert!(accepted.value("Via").starts_with("SIP/2.0/UDP jamesmob.domain.com"), "{}", accepted.text);
    // The same request again, as from a sender whose 202 was lost: the same 202, and nobody gets the message twice
    // (W12).
    james.send(proxy.address, MINIMAL);
    assert_eq!(james.receive().text, accepted.text);

    let report = james.receive_the("NOTIFY");
    assert_eq!(report.value("Call-ID"), "asd88asd77a@jamesmob.domain.com");
    assert!(!report.value("To").contains("tag="), "the sender gave none: {}", report.text);
    assert_eq!(
        outcomes(&report),
        [
            ("im:ann@domain.com".to_owned(), "failure".to_owned()),
            ("im:bob@domain.com".to_owned(), "success".to_owned()),
        ]
    );
    james.answer(&report, "200 OK");

    assert_eleven_of_one_leg(&ann);
    bob.line_with("Come here.");
    bob.signal("INT");
    let heard = bob.end();
    assert_eq!(heard.out.iter().filter(|line| line.contains("Come here.")).count(), 1, "{heard:?}");
}
