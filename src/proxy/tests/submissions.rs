//! Submission and acceptance: W1 to W3, W5, W7, W9, W11, W12.

use super::*;

#[test]
fn w17_w20_the_patents_example_ann_silent_bob_there() {
    let mut bench = Bench::at_home();
    bench.advance_ms(1000);
    let begin = Duration::from_millis(1000);
    let accepted = bench.ask(JAMES, SUBMISSION);
    assert!(accepted.starts_with("SIP/2.0 202 Accepted\r\n"), "{accepted}");
    assert_eq!(field(&accepted, "Supported"), Some("secondary-to"));
    let leg = bench.take_one(BOB);
    assert!(
        leg.starts_with(
            "MESSAGE sip:bob@192.0.2.7:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.100:5060;rport;branch=z9hG4bK"
        ),
        "{leg}"
    );
    assert!(leg.contains("\r\nTo: <sip:bob@domain.com>\r\n"), "{leg}");
    assert!(leg.contains("\r\nFrom: <sip:james@domain.com>;tag="), "{leg}");
    assert_eq!(field(&leg, "Also-To"), Some("<sip:ann@domain.com>"));
    assert_eq!(field(&leg, "Max-Forwards"), Some("69"));
    assert_eq!(field(&leg, "CSeq"), Some("1 MESSAGE"));
    for gone in ["Secondary-To", "Contact:", "Proxy-Require", "asd88asd77a", "49583"] {
        assert!(!leg.contains(gone), "{gone} in {leg}");
    }
    assert!(leg.ends_with("\r\nContent-Length: 10\r\n\r\nCome here."), "{leg}");
    bench.answer(BOB, &leg, "200 OK");
    bench.advance_ms(31_999);
    assert!(bench.take(JAMES).is_empty());
    bench.advance_ms(1);
    let at: Vec<_> = bench.take_sent(ANN).iter().map(|sent| (sent.after - begin).as_millis()).collect();
    assert_eq!(at, [0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert!(bench.take(BOB).is_empty());

    let notify = bench.take_one(JAMES);
    let to_tag = field(&accepted, "To").unwrap().split_once(";tag=").unwrap().1;
    let branch = field(&notify, "Via").unwrap().split_once("branch=").unwrap().1;
    let expected = format!(
        "NOTIFY sip:james@jamesmob.domain.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.100:5060;rport;branch={branch}\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:domain.com>;tag={to_tag}\r\n\
         To: <sip:james@domain.com>;tag=49583\r\n\
         Call-ID: asd88asd77a@jamesmob.domain.com\r\n\
         CSeq: 1 NOTIFY\r\n\
         Contact: <sip:192.0.2.100:5060>\r\n\
         Event: delivery-report\r\n\
         Subscription-State: terminated;reason=noresource\r\n\
         Content-Type: application/delivery-report\r\n\
         Content-Length: 72\r\n\
         \r\n\
         im:ann@domain.com delivery failure\r\n\
         im:bob@domain.com delivery success\r\n"
    );
    assert_eq!(notify, expected);
    bench.answer(JAMES, &notify, "200 OK");
    bench.advance_ms(3_600_000);
    assert!(bench.sent.is_empty(), "{:?}", bench.sent);
}
