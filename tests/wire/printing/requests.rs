//! Requests that we compose, and messages that we pass on (RFC 3261 §16.6, §16.7).

use super::*;

#[test]
fn a_submission_is_composed_as_the_protocol_draws_it() {
    let wish = ReportOptions { mode: ReportMode::Each, detail: true, id: Some("7x".to_owned()) };
    let secondary = NameAddr::parse("\"Bob\" <im:bob@domain.com>").unwrap();
    let composed = Compose::request(&Method::Message, &uri("sip:ann@domain.com"))
        .field("Via", "SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bK776;rport")
        .field("Max-Forwards", 70)
        .field("From", "<im:james@domain.com>;tag=49583")
        .field("To", "<im:ann@domain.com>")
        .field("Secondary-To", secondary)
        .field("Call-ID", "asd88asd77a@jamesmob.domain.com")
        .field("CSeq", "1 MESSAGE")
        .field("Delivery-Report", wish)
        .body("text/plain", b"Come here.");
    insta::assert_snapshot!(text(&composed).replace('\r', "\\r"), @r#"
    MESSAGE sip:ann@domain.com SIP/2.0\r
    Via: SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bK776;rport\r
    Max-Forwards: 70\r
    From: <im:james@domain.com>;tag=49583\r
    To: <im:ann@domain.com>\r
    Secondary-To: "Bob" <im:bob@domain.com>\r
    Call-ID: asd88asd77a@jamesmob.domain.com\r
    CSeq: 1 MESSAGE\r
    Delivery-Report: each;detail;id=7x\r
    Content-Type: text/plain\r
    Content-Length: 10\r
    \r
    Come here.
    "#);
    agrees(&composed);
}

#[test]
fn a_message_sent_on_changes_only_where_asked() {
    let submission = request(SUBMISSION.as_bytes());
    assert_eq!(Edit::request(&submission).print(), SUBMISSION.as_bytes());
    let printed = text(
        &Edit::request(&submission)
            .uri(&uri("sip:ann@192.0.2.7:5060"))
            .pop("Route")
            .push_front("via", "SIP/2.0/TCP domain.com;branch=z9hG4bKx")
            .push_front("Path", "<sip:domain.com;lr>")
            .set("max-forwards", 69)
            .set("Secondary-To", "im:x@y")
            .set("Server", "Fanfare")
            .remove("Contact")
            .remove_token("Proxy-Require", "SECONDARY-TO")
            .print(),
    );
    let wanted = SUBMISSION
        .replace(
            "sip:ann@domain.com SIP/2.0\r\n",
            "sip:ann@192.0.2.7:5060 SIP/2.0\r\nPath: <sip:domain.com;lr>\r\n",
        )
        .replace("Via: SIP/2.0/UDP", "via: SIP/2.0/TCP domain.com;branch=z9hG4bKx\r\nVia: SIP/2.0/UDP")
        .replace("Route: <sip:domain.com;lr>\r\nRecord", "Record")
        .replace("Max-Forwards: 70", "max-forwards: 69")
        .replace(
            "<im:bob@domain.com>\r\nSecondary-To: im:cy@domain.com;copy=bcc, Dana <sips:dana@other.org>",
            "im:x@y",
        )
        .replace("Contact: <sip:james@jamesmob.domain.com>\r\n", "")
        .replace("secondary-to, other\r\nproxy-require: Secondary-To\r\n", "other\r\n")
        .replace("l: 10\r\n", "l: 10\r\nServer: Fanfare\r\n");
    assert_eq!(printed, wanted);
    agrees(&Bytes::from(printed));
}

#[test]
fn a_response_goes_back_without_our_via() {
    let bytes = "SIP/2.0 200 Fine by me\r\nv: SIP/2.0/UDP p;branch=z9hG4bKb1 , SIP/2.0/TCP \"q\r\n"
        .replace(" \"q", " h;x=\",\";branch=z9hG4bK776, SIP/2.0/TLS i")
        + "From: sip:a@b;tag=1\r\nTo: sip:c@d;tag=2\r\ni: x\r\nCSeq: 5 MESSAGE\r\nX-Y: z\r\n\r\nbody";
    let Ok(Message::Response(response)) = parse(Bytes::from(bytes.clone())) else { panic!("no response") };
    let printed = Edit::response(&response).uri(&uri("sip:no@where")).pop("Via").pop("Route").print();
    let wanted = bytes
        .replace("SIP/2.0/UDP p;branch=z9hG4bKb1 , ", "")
        .replace("X-Y: z\r\n", "X-Y: z\r\nContent-Length: 4\r\n");
    assert_eq!(text(&printed), wanted, "a missing Content-Length is added");
    let Message::Response(once) = agrees(&printed) else { panic!("no response") };
    assert_eq!(once.fields().top_via().branch(), Some("z9hG4bK776"));
    let Ok(Message::Response(twice)) = parse(Edit::response(&once).pop("Via").print()) else {
        panic!("no response")
    };
    assert_eq!((twice.fields().top_via().transport.as_str(), twice.reason()), ("TLS", "Fine by me"));
    assert!(parse(Edit::response(&twice).pop("Via").print()).is_err(), "the last Via's field goes");
}
