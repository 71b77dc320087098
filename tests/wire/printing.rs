//! What we print, against literal bytes and against rsip, the second reader: W15, W7, RFC 3261 §8.2.6, §16.6, §18.2.1, RFC 3581.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use fanfare::sip::second_reader::{self, Start};
use fanfare::sip::{
    Addressed, Compose, Dialog, Edit, Leg, LegTemplate, Message, Method, NameAddr, ReportLine, ReportMode,
    ReportOptions, ReportState, Uri, parse, reason_phrase, recipients, refusal, write_report,
};

use crate::reading::{message, request};

const DATE: &str = "Sat, 15 Oct 2005 04:44:56 GMT";

fn source() -> SocketAddr {
    "192.0.2.9:40123".parse().unwrap()
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap()
}

/// Reads `bytes` with our reader and with rsip; both must see the same. Traps of rsip that are passed over: its phrases (only
/// the number is compared), its own spelling of the names that it knows, runs of blanks (the normalizer before it folds them
/// into one). It refuses unknown methods and IPv6 literals in a Request-URI, and takes the `:`, `;` or `?` of a user for the
/// end of it: such messages are not given to it.
pub(crate) fn agrees(bytes: &Bytes) -> Message {
    let ours =
        parse(bytes.clone()).unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(bytes)));
    let theirs = second_reader::read(bytes).unwrap_or_else(|error| panic!("rsip: {error} in {ours:?}"));
    let (fields, body) = match (&ours, &theirs.start) {
        (Message::Request(request), Start::Request { method, uri }) => {
            assert_eq!((request.method().as_str(), request.uri().as_str()), (method.as_str(), uri.as_str()));
            (request.fields(), request.body())
        }
        (Message::Response(response), Start::Response { status }) => {
            assert_eq!(response.status(), *status);
            (response.fields(), response.body())
        }
        (ours, theirs) => panic!("{ours:?} is {theirs:?} to rsip"),
    };
    let theirs_normal: Vec<_> = theirs.fields.iter().map(|(name, value)| normal((name, value))).collect();
    assert_eq!(fields.all().map(normal).collect::<Vec<_>>(), theirs_normal);
    assert_eq!(body[..], theirs.body[..]);
    ours
}

/// Name and value with what rsip does not keep taken out.
fn normal((name, value): (&str, &str)) -> (String, String) {
    let long = match name.to_ascii_lowercase().as_str() {
        "c" => "Content-Type",
        "f" => "From",
        "i" => "Call-ID",
        "l" => "Content-Length",
        "m" => "Contact",
        "s" => "Subject",
        "t" => "To",
        "v" => "Via",
        _ => name,
    };
    (long.to_ascii_lowercase(), value.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
}

// ---- legs ----

const SUBMISSION: &str = "MESSAGE sip:ann@domain.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bK776;rport\r\n\
    v: SIP/2.0/TCP other.domain.com\r\n\
    Max-Forwards: 70\r\n\
    Route: <sip:domain.com;lr>\r\n\
    Record-Route: <sip:edge.domain.com;lr>\r\n\
    From: \"James, J\" <im:james@domain.com>;tag=49583\r\n\
    To: \"Ann\" <im:ann@domain.com>\r\n\
    Secondary-To: <im:bob@domain.com>\r\n\
    Secondary-To: im:cy@domain.com;copy=bcc, Dana <sips:dana@other.org>\r\n\
    Also-To: \"Eve\" <im:eve@domain.com>, <sip:ann@domain.com:5060>, <sip:eve@DOMAIN.com>, oops\r\n\
    Also-To: <im:cy@domain.com>, <sip:gus@domain.com?Subject=x>\r\n\
    Contact: <sip:james@jamesmob.domain.com>\r\n\
    i: asd88asd77a@jamesmob.domain.com\r\n\
    CSeq: 17 MESSAGE\r\n\
    Proxy-Require: secondary-to, other\r\n\
    proxy-require: Secondary-To\r\n\
    Proxy-Authorization: Digest username=\"james\"\r\n\
    Authorization: Digest username=\"james\"\r\n\
    Delivery-Report: each;detail;id=7x\r\n\
    Expires: 604800\r\n\
    sUBJECT :  lunch\r\n   today \r\n\
    X-Unknown: \u{e4},;\r\n\
    c: text/plain;charset=utf-8\r\n\
    l: 10\r\n\r\n\
    Come here.";

fn leg<'a>(recipient: usize, uri: &'a Uri, expires: Option<u32>) -> Leg<'a> {
    let via = "SIP/2.0/UDP domain.com;branch=z9hG4bKb1";
    Leg {
        recipient,
        uri,
        via,
        from_tag: "leg-tag",
        call_id: "leg1@domain.com",
        cseq: 1,
        dialog: None,
        expires,
        branches: 1,
        asserted: None,
    }
}

fn template(submission: &str) -> LegTemplate {
    let submission = request(submission.as_bytes());
    let recipients = recipients(submission.fields()).unwrap();
    LegTemplate::new(&submission, &recipients, DATE)
}

#[test]
fn w15_a_leg_byte_for_byte() {
    let binding = uri("sip:bob@192.0.2.7:5060");
    let leg = template(SUBMISSION).print(&leg(1, &binding, Some(3600)));
    assert_eq!(
        text(&leg),
        "MESSAGE sip:bob@192.0.2.7:5060 SIP/2.0\r\n\
         Via: SIP/2.0/UDP domain.com;branch=z9hG4bKb1\r\n\
         Max-Forwards: 69\r\n\
         From: \"James, J\" <sip:james@domain.com>;tag=leg-tag\r\n\
         To: <sip:bob@domain.com>\r\n\
         Also-To: \"Ann\" <sip:ann@domain.com>\r\n\
         Also-To: \"Dana\" <sips:dana@other.org>\r\n\
         Also-To: \"Eve\" <sip:eve@domain.com>\r\n\
         Call-ID: leg1@domain.com\r\n\
         CSeq: 1 MESSAGE\r\n\
         Expires: 3600\r\n\
         Proxy-Require: other\r\n\
         sUBJECT :  lunch\r\n   today \r\n\
         X-Unknown: \u{e4},;\r\n\
         c: text/plain;charset=utf-8\r\n\
         Date: Sat, 15 Oct 2005 04:44:56 GMT\r\n\
         Content-Length: 10\r\n\r\n\
         Come here."
    );
}

/// W7: a bcc recipient is named to nobody, not by the sender's own Also-To either, and its own leg names nobody. W15:
/// whom a resend does not go to is named to all others.
#[test]
fn w7_each_leg_names_the_others_but_bcc_ones() {
    let template = template(SUBMISSION);
    let names = |recipient| {
        let target = uri("sip:x@192.0.2.7");
        let Message::Request(leg) = agrees(&template.print(&leg(recipient, &target, None))) else {
            panic!("no request")
        };
        let names: Vec<_> = leg.fields().every("Also-To").map(str::to_owned).collect();
        (leg.fields().first("To").unwrap().to_owned(), names)
    };
    let (ann, bob, dana) =
        ("\"Ann\" <sip:ann@domain.com>", "<sip:bob@domain.com>", "\"Dana\" <sips:dana@other.org>");
    let eve = "\"Eve\" <sip:eve@domain.com>";
    let wanted =
        |to: &str, names: &[&str]| (to.to_owned(), names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(names(0), wanted(ann, &[bob, dana, eve]));
    assert_eq!(names(1), wanted(bob, &[ann, dana, eve]));
    assert_eq!(names(2), wanted("<sip:cy@domain.com>", &[]));
    assert_eq!(names(3), wanted(dana, &[ann, bob, eve]));
    // A number that nobody has: no panic, nobody named.
    assert_eq!(names(4), wanted("<sip:x@192.0.2.7>", &[]));
}

#[test]
fn w7_with_all_of_them_bcc_no_leg_names_anybody() {
    let fields = "Secondary-To: im:bob@domain.com;copy=bcc\r\n";
    let template = template(&String::from_utf8(message("im:ann@domain.com;copy=bcc", fields, "x")).unwrap());
    for recipient in 0..2 {
        assert!(!text(&template.print(&leg(recipient, &uri("sip:a@b"), None))).contains("Also-To"));
    }
}

#[test]
fn w15_the_patents_own_request_makes_a_leg_too() {
    let submission = "MESSAGE sip:ann@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: im:james@domain.com\r\nTo: im:ann@domain.com\r\n\
        Call-ID: x\r\nCSeq: 1 MESSAGE\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nMax-Forwards: 0\r\n\r\nhi";
    let leg = text(&template(submission).print(&leg(0, &uri("sip:ann@192.0.2.7"), None)));
    assert!(
        leg.contains(
            "\r\nMax-Forwards: 0\r\nFrom: <sip:james@domain.com>;tag=leg-tag\r\nTo: <sip:ann@domain.com>\r\n"
        ),
        "{leg}"
    );
    assert!(leg.ends_with("\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nhi"), "{leg}");
    let without = submission.replace("Max-Forwards: 0\r\n", "");
    let leg = text(&template(&without).print(&self::leg(0, &uri("sip:ann@192.0.2.7"), None)));
    assert!(leg.contains("\r\nMax-Forwards: 70\r\n"), "{leg}");
    let binary = [without.as_bytes(), b"\0\xff\r\n\r\n"].concat();
    let binary = LegTemplate::new(&request(&binary), &[], DATE);
    assert!(
        binary
            .print(&self::leg(0, &uri("sip:a@b"), None))
            .ends_with(b"Content-Length: 8\r\n\r\nhi\0\xff\r\n\r\n")
    );
}

#[test]
fn no_value_can_end_its_field() {
    let evil = "x\r\nEvil: 1\n\r\n";
    let printed = [
        text(&Compose::request(&Method::Options, &uri("sip:a@b")).field("Subject", evil).body(evil, b"")),
        text(
            &Edit::request(&request(&message("im:b@d", "", "")))
                .set("Subject", evil)
                .push_front("Via", evil)
                .print(),
        ),
        text(
            &Compose::response(&request(&message("im:b@d", "", "")), 200, Some(evil), evil, source())
                .finish(),
        ),
        {
            let recipients = [Addressed { uri: uri("sip:b@d"), display: Some(evil.to_owned()), bcc: false }];
            let template = LegTemplate::new(&request(&message("im:b@d", "", "")), &recipients, evil);
            let target = uri("sip:b@d");
            let dialog = Dialog { to_tag: evil.to_owned(), routes: vec![evil.to_owned()] };
            let leg = Leg {
                recipient: 0,
                uri: &target,
                via: evil,
                from_tag: evil,
                call_id: evil,
                cseq: 1,
                dialog: Some(&dialog),
                expires: None,
                branches: 1,
                asserted: None,
            };
            text(&template.print(&leg))
        },
    ];
    for printed in printed {
        let lines: Vec<_> = printed.split("\r\n").collect();
        assert!(
            !lines.iter().any(|line| line.starts_with("Evil") || line.contains(['\r', '\n'])),
            "{printed}"
        );
        assert_eq!(
            lines.iter().filter(|line| line.is_empty()).count(),
            2,
            "one blank line, and the end: {printed}"
        );
    }
}

/// W20: a report is lines, so nothing in one may make another.
#[test]
fn w20_no_reason_can_begin_a_line() {
    let line = ReportLine {
        address: "im:ann@domain.com\r\nim:eve@domain.com".to_owned(),
        state: ReportState::Failure,
        status: Some(404),
        reason: Some("x\r\nim:eve@domain.com delivery success".to_owned()),
        tries: Some(1),
        after: Some(Duration::from_millis(32)),
    };
    assert_eq!(
        write_report(&[line], true),
        "im:ann@domain.comim:eve@domain.com delivery failure;status=404;\
         reason=\"x  im:eve@domain.com delivery success\";tries=1;after=32\r\n"
    );
    let address = NameAddr { display: Some("x\r\ny".to_owned()), ..NameAddr::parse("sip:a@b").unwrap() };
    assert_eq!(address.to_string(), "\"x  y\" <sip:a@b>");
}

// ---- responses ----

#[test]
fn a_response_copies_what_it_must_and_fills_in_the_top_via() {
    let response = Compose::response(&request(SUBMISSION.as_bytes()), 202, None, "p1", source())
        .field("Supported", "secondary-to")
        .finish();
    assert_eq!(
        text(&response),
        "SIP/2.0 202 Accepted\r\n\
         Via: SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bK776;rport=40123;received=192.0.2.9\r\n\
         Via: SIP/2.0/TCP other.domain.com\r\n\
         From: \"James, J\" <im:james@domain.com>;tag=49583\r\n\
         To: \"Ann\" <im:ann@domain.com>;tag=p1\r\n\
         Call-ID: asd88asd77a@jamesmob.domain.com\r\n\
         CSeq: 17 MESSAGE\r\n\
         Supported: secondary-to\r\n\
         Content-Length: 0\r\n\r\n"
    );
    agrees(&response);
}

#[test]
fn the_top_via_says_where_the_request_came_from() {
    let table = [
        // RFC 3261 §18.2.1: only where sent-by is not the source.
        ("SIP/2.0/UDP 192.0.2.9;branch=x", "SIP/2.0/UDP 192.0.2.9;branch=x"),
        ("SIP/2.0/UDP 192.0.2.9:5070", "SIP/2.0/UDP 192.0.2.9:5070"),
        ("SIP/2.0/UDP 192.0.2.8;branch=x", "SIP/2.0/UDP 192.0.2.8;branch=x;received=192.0.2.9"),
        ("SIP/2.0/UDP host", "SIP/2.0/UDP host;received=192.0.2.9"),
        // RFC 3581 §4: with rport always.
        (
            "SIP/2.0/UDP 192.0.2.9 ; rport ; branch=x",
            "SIP/2.0/UDP 192.0.2.9;rport=40123; branch=x;received=192.0.2.9",
        ),
        // What the sender claims itself does not stay.
        (
            "SIP/2.0/UDP h;received=10.0.0.1;rport=1;x=\";,\"",
            "SIP/2.0/UDP h;rport=40123;x=\";,\";received=192.0.2.9",
        ),
        // Only the first of a list.
        (
            "SIP/2.0/UDP h;a=b , SIP/2.0/TCP g;rport",
            "SIP/2.0/UDP h;a=b;received=192.0.2.9, SIP/2.0/TCP g;rport",
        ),
    ];
    for (via, wanted) in table {
        let bytes = format!(
            "OPTIONS sip:a@b SIP/2.0\r\nVia: {via}\r\nFrom: sip:a@b\r\nTo: sip:c@d\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        let response = text(&Compose::response(&request(bytes.as_bytes()), 200, None, "", source()).finish());
        assert_eq!(response.split("\r\n").nth(1).unwrap(), format!("Via: {wanted}"));
        assert!(response.contains("\r\nTo: sip:c@d\r\n"), "no tag where none is given");
    }
    let six: SocketAddr = "[2001:db8::9]:5060".parse().unwrap();
    let bytes = message("sip:c@d;tag=there", "", "");
    let response = text(&Compose::response(&request(&bytes), 180, Some("Ring ring"), "new", six).finish());
    assert!(
        response.starts_with("SIP/2.0 180 Ring ring\r\n")
            && response.contains(";rport=5060;received=2001:db8::9\r\n")
    );
    assert!(response.contains("\r\nTo: sip:c@d;tag=there\r\n"), "a tag that is there stays");
}

#[test]
fn every_status_has_a_phrase() {
    for (status, phrase) in [
        (200, "OK"),
        (202, "Accepted"),
        (408, "Request Timeout"),
        (420, "Bad Extension"),
        (483, "Too Many Hops"),
    ] {
        assert_eq!(reason_phrase(status), phrase);
    }
    assert!((100..700).all(|status| !reason_phrase(status).is_empty()));
    assert_eq!(
        (reason_phrase(299), reason_phrase(499), reason_phrase(699)),
        ("OK", "Bad Request", "Busy Everywhere")
    );
}

#[test]
fn refusals_answer_requests_and_nothing_else() {
    let broken = message("im:b@d", "no field\r\n", "x");
    let error = parse(Bytes::from(broken.clone())).unwrap_err();
    let answer = refusal(&broken, &error, source(), "p1").unwrap();
    assert!(text(&answer).starts_with("SIP/2.0 400 Bad head: no field name at byte "));
    agrees(&answer);
    let refused = |bytes: &[u8]| refusal(bytes, &error, source(), "t");
    for nothing in [
        &b""[..],
        b"\r\n\r\n",
        b"\0\xff\xfe",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        b"ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        b"MESSAGE sip:a@b SIP/2.0\r\nTo: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nVia: SIP/2.0/UDP h\r\n\r\n",
        b"SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n",
    ] {
        assert_eq!(refused(nothing), None, "{:?}", String::from_utf8_lossy(nothing));
    }
    // Controls in what is copied cannot end a line, a Via after the head does not count.
    let answer = refused(b"X sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h\ry\r\nf:\0a\r\n\r\n").unwrap();
    assert!(text(&answer).contains("\r\nVia: SIP/2.0/UDP h y\r\nFrom: a\r\n"), "{}", text(&answer));
    assert_eq!(refused(b"X sip:a@b SIP/2.0\r\nTo: x\r\n\r\nVia: SIP/2.0/UDP h\r\n\r\n"), None);
}

// ---- requests, and messages sent on ----

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
