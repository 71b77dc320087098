//! What we print, against literal bytes and against rsip, the second reader: W15, W7, RFC 3261 §8.2.6, §16.6, §18.2.1, RFC 3581.

#[path = "printing/requests.rs"]
mod requests;
#[path = "printing/responses.rs"]
mod responses;

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
        routes: &[],
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
                routes: &[],
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

/// W21: a recipient writes its reason phrase, and a report about many has to arrive.
#[test]
fn w21_reason_phrases_are_kept_in_part_and_left_out_of_a_report_that_fits_into_no_datagram() {
    let phrase = format!("{}é{}", "x".repeat(199), "y".repeat(70_000));
    let bytes = format!(
        "SIP/2.0 486 {phrase}\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\n\
         Call-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n"
    );
    let Ok(Message::Response(response)) = parse(bytes.into()) else { panic!("a response") };
    assert_eq!(response.reason(), "x".repeat(199), "no half of a letter");
    let read =
        fanfare::sip::read_report(format!("im:c@d delivery failure;reason=\"{phrase}\"").as_bytes()).unwrap();
    assert_eq!(read[0].reason, Some("x".repeat(199)));

    let line = |number: usize| ReportLine {
        address: format!("im:user{number}@domain.com"),
        state: ReportState::Failure,
        status: Some(486),
        reason: Some("z".repeat(200)),
        tries: Some(1),
        after: Some(Duration::from_millis(32)),
    };
    let lines: Vec<_> = (0..500).map(line).collect();
    let few = write_report(&lines[..200], true);
    assert!(few.contains(&"z".repeat(200)) && few.len() < 60_000, "{}", few.len());
    let all = write_report(&lines, true);
    assert!(all.len() < 60_000 && !all.contains("reason"), "{}", all.len());
    assert!(all.starts_with("im:user0@domain.com delivery failure;status=486;tries=1;after=32\r\n"));
    assert_eq!(all.lines().count(), 500);
}
