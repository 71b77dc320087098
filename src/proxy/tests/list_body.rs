//! A submission in the form of RFC 5365: W26.

use super::*;

/// RFC 5365 §8 in our domain.
const LIST: &str = r#"<?xml version="1.0"?>
<resource-lists xmlns="urn:ietf:params:xml:ns:resource-lists" xmlns:cp="urn:ietf:params:xml:ns:copycontrol">
 <list>
  <entry uri="sip:ann@domain.com" cp:copyControl="to"/>
  <entry uri="sip:bob@domain.com" cp:copyControl="cc"/>
 </list>
</resource-lists>"#;

fn submission(list: &str, more: &str) -> String {
    let body = format!(
        "--b1\nContent-Type: text/plain\n\nCome here.\n--b1\nContent-Type: application/resource-lists+xml\n\
         Content-Disposition: recipient-list\n\n{list}\n--b1--\n"
    );
    let body = body.replace("\r\n", "\n").replace('\n', "\r\n");
    format!(
        "MESSAGE sip:lists@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKlist1\r\n\
         Max-Forwards: 70\r\nFrom: <sip:james@domain.com>;tag=49583\r\nTo: <sip:lists@domain.com>\r\n\
         Call-ID: list@jamesmob.domain.com\r\nCSeq: 1 MESSAGE\r\nRequire: recipient-list-message\r\n{more}\
         Content-Type: multipart/mixed;boundary=b1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Sends a request unchanged, and takes the answer.
fn ask(bench: &mut Bench, text: &str) -> String {
    bench.receive_bytes(udp(JAMES), text.as_bytes().to_vec());
    bench.take_one(JAMES)
}

#[test]
fn w26_everybody_in_the_list_gets_the_message_and_no_report_comes_unasked() {
    let mut bench = Bench::at_home();
    let accepted = ask(&mut bench, &submission(LIST, ""));
    assert!(accepted.starts_with("SIP/2.0 202 Accepted\r\n"), "{accepted}");
    assert!(field(&accepted, "To").unwrap().starts_with("<sip:lists@domain.com>;tag="), "{accepted}");
    for (place, own, other) in [(ANN, "ann", "bob"), (BOB, "bob", "ann")] {
        let leg = bench.take_one(place);
        assert_eq!(field(&leg, "To"), Some(format!("<sip:{own}@domain.com>").as_str()));
        assert_eq!(field(&leg, "Also-To"), Some(format!("<sip:{other}@domain.com>").as_str()));
        assert_eq!((field(&leg, "Content-Type"), body(&leg)), (Some("text/plain"), "Come here."));
        assert!(field(&leg, "Require").is_none() && !leg.contains("resource-lists"), "{leg}");
        bench.answer(place, &leg, "200 OK");
    }
    bench.advance_ms(60_000);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}

#[test]
fn w26_the_same_again_starts_nothing_and_a_report_comes_where_it_is_asked_for() {
    let mut bench = Bench::at_home();
    let submission = submission(LIST, "Delivery-Report: final\r\nContact: <sip:james@192.0.2.1>\r\n");
    let first = ask(&mut bench, &submission);
    let ann = bench.take_one(ANN);
    bench.take_one(BOB);
    let again = ask(&mut bench, &submission.replace("z9hG4bKlist1", "z9hG4bKlist2"));
    assert_eq!((status(&again), field(&again, "To")), (202, field(&first, "To")));
    bench.answer(ANN, &ann, "200 OK");
    bench.advance_ms(32_000);
    let report = bench.take(JAMES).into_iter().find(|text| text.starts_with("NOTIFY")).unwrap();
    assert!(body(&report).contains("sip:ann@domain.com delivery success"), "{report}");
    assert!(body(&report).contains("sip:bob@domain.com delivery failure"), "{report}");
}

#[test]
fn w26_after_a_crash_the_list_is_still_known() {
    let mut bench = Bench::at_home();
    ask(&mut bench, &submission(LIST, ""));
    let ann = bench.take_one(ANN);
    bench.take_one(BOB);
    bench.answer(ANN, &ann, "200 OK");
    bench.advance_ms(200);
    bench.take(BOB);
    bench.crash();
    bench.advance_ms(0);
    assert!(bench.take(ANN).is_empty());
    assert_eq!(body(&bench.take_one(BOB)), "Come here.");
}

#[test]
fn w26_what_is_wrong_is_said_and_nobody_gets_anything() {
    let table = [
        (submission("<resource-lists><list>", ""), "SIP/2.0 400 Bad recipient list: broken XML in line 1"),
        (submission(LIST, "Require: x-new\r\n"), "SIP/2.0 420 "),
        (submission(LIST, "").replace("james@domain.com", "eve@elsewhere.org"), "SIP/2.0 403 "),
    ];
    for (text, start) in table {
        let mut bench = Bench::at_home();
        let refused = ask(&mut bench, &text);
        assert!(refused.starts_with(start), "{refused}");
        assert!(bench.sent.is_empty(), "{:?}", bench.sent);
    }
}
