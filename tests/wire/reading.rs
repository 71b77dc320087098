//! Literal bytes in: W1, W2, W4, W5, W7, W9, W13's words, W20, W21, and the framing of RFC 3261 §18.3.

#[path = "reading/answers.rs"]
mod answers;
#[path = "reading/heads.rs"]
mod heads;
#[path = "reading/streams.rs"]
mod streams;

use std::time::Duration;

use bytes::Bytes;
use fanfare::limits::{CONTACTS_READ_MAX, HEAD_BYTES_MAX, HEADER_FIELDS_MAX, MESSAGE_BYTES_MAX};
use fanfare::sip::{
    Contacts, Error, Framed, Framer, Message, Method, ReportLine, ReportMode, ReportOptions, ReportState,
    Request, also_to, parse, read_report, recipients,
};

/// A MESSAGE with more fields after the mandatory ones.
pub(crate) fn message(to: &str, fields: &str, body: &str) -> Vec<u8> {
    format!(
        "MESSAGE sip:ann@domain.com SIP/2.0\r\n\
         Via: SIP/2.0/UDP jamesmob.domain.com;branch=z9hG4bK776;rport\r\n\
         Max-Forwards: 70\r\n\
         From: <im:james@domain.com>;tag=49583\r\n\
         To: {to}\r\n\
         {fields}\
         Call-ID: asd88asd77a@jamesmob.domain.com\r\n\
         CSeq: 1 MESSAGE\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

pub(crate) fn request(bytes: &[u8]) -> Request {
    match parse(Bytes::copy_from_slice(bytes)) {
        Ok(Message::Request(request)) => request,
        other => panic!("no request: {other:?}"),
    }
}

fn refused(bytes: &[u8]) -> (u16, String) {
    let error = parse(Bytes::copy_from_slice(bytes)).expect_err("a refusal");
    (error.status(), error.reason())
}

/// The recipients of a list in one Secondary-To, ann the primary left out: `display|uri|bcc`.
fn list(value: &str) -> Result<Vec<String>, Error> {
    let bytes = message("<im:ann@domain.com>", &format!("Secondary-To: {value}\r\n"), "x");
    let list = recipients(request(&bytes).fields())?;
    assert_eq!(list[0].uri.as_str(), "im:ann@domain.com");
    let show = |one: &fanfare::sip::Addressed| {
        let display = one.display.as_deref().map(|display| format!("{display}|")).unwrap_or_default();
        format!("{display}{}{}", one.uri, if one.bcc { "|bcc" } else { "" })
    };
    Ok(list.iter().skip(1).map(show).collect())
}

#[test]
fn w5_the_patents_minimal_request_is_enough() {
    let bytes = b"MESSAGE sip:ann@domain.com SIP/2.0\r\n\
        Via: SIP/2.0/UDP jamesmob.domain.com\r\n\
        From: im:james@domain.com\r\n\
        To: im:ann@domain.com\r\n\
        Secondary-To: im:bob@domain.com\r\n\
        Call-ID: asd88asd77a@jamesmob.domain.com\r\n\
        CSeq: 1 MESSAGE\r\n\
        Content-Type: text/plain\r\n\
        \r\n\
        Come here.";
    let request = request(bytes);
    assert_eq!((request.method(), request.uri().as_str()), (&Method::Message, "sip:ann@domain.com"));
    let fields = request.fields();
    assert_eq!(
        (fields.from().tag(), fields.top_via().branch(), fields.max_forwards()),
        (None, None, Ok(None))
    );
    // W4: over UDP a request without Content-Length takes the rest.
    assert_eq!(request.body(), "Come here.");
    let uris: Vec<_> = recipients(fields).unwrap().iter().map(|one| one.uri.to_string()).collect();
    assert_eq!(uris, ["im:ann@domain.com", "im:bob@domain.com"]);
    assert_eq!(ReportOptions::of(fields), Ok(ReportOptions::default()));
}

#[test]
fn w2_fields_of_their_own_come_in_order() {
    let fields = "Secondary-To: <im:bob@domain.com>\r\nsecondary-to : sip:cy@domain.com\r\nSECONDARY-TO:\r\n Dana <sip:d@x>\r\n";
    let request = request(&message("\"Ann\" <im:ann@domain.com>", fields, "x"));
    let list = recipients(request.fields()).unwrap();
    let uris: Vec<_> = list.iter().map(|one| one.uri.as_str()).collect();
    assert_eq!(uris, ["im:ann@domain.com", "im:bob@domain.com", "sip:cy@domain.com", "sip:d@x"]);
    assert_eq!((list[0].display.as_deref(), list[3].display.as_deref()), (Some("Ann"), Some("Dana")));
}

#[test]
fn w2_lists_are_taken_in_any_mix() {
    let table: [(&str, &[&str]); 18] = [
        ("<im:b@d>, <im:c@d>", &["im:b@d", "im:c@d"]),
        ("<im:b@d>; <im:c@d>", &["im:b@d", "im:c@d"]),
        ("im:b@d, sip:c@d;im:e@d,<sips:f@d>", &["im:b@d", "sip:c@d", "im:e@d", "sips:f@d"]),
        ("im:b@d ;\tim:c@d", &["im:b@d", "im:c@d"]),
        ("im:b@d;PRES:c@d;Sip:e@d", &["im:b@d", "PRES:c@d", "Sip:e@d"]),
        ("im:b@d;x=y;im:c@d", &["im:b@d", "im:c@d"]),
        ("<im:b@d;x=y>;z;<im:c@d>", &["im:b@d;x=y", "im:c@d"]),
        (r#""Bell, B; \"x\"" <im:b@d>;"C, D" <im:c@d>"#, &[r#"Bell, B; "x"|im:b@d"#, "C, D|im:c@d"]),
        ("Bob <im:b@d>; Cy D. <im:c@d>, Eli <im:e@d>", &["Bob|im:b@d", "Cy D.|im:c@d", "Eli|im:e@d"]),
        (r#"im:b@d;note="<im:x@y>;im:z@y,";im:c@d"#, &["im:b@d", "im:c@d"]),
        ("tel:+15551234;im:c@d", &["tel:+15551234", "im:c@d"]),
        ("im:b@d;copy=bcc", &["im:b@d|bcc"]),
        (
            "<im:b@d>;Copy=BCC, im:c@d;copy=cc;im:e@d ; x ; copy = \"bcc\"",
            &["im:b@d|bcc", "im:c@d", "im:e@d|bcc"],
        ),
        ("<im:b@d;copy=bcc>", &["im:b@d;copy=bcc"]),
        ("<im:b@d>;", &["im:b@d"]),
        ("<im:b@d>;;copy=bcc ; ;", &["im:b@d|bcc"]),
        ("im:b@d; , <im:c@d>;x;,im:e@d", &["im:b@d", "im:c@d", "im:e@d"]),
        ("im:b@d;x;;y;im:c@d;", &["im:b@d", "im:c@d"]),
    ];
    for (value, wanted) in table {
        assert_eq!(list(value).unwrap_or_else(|error| panic!("{value}: {error}")), wanted, "{value}");
    }
}

#[test]
fn w7_the_primary_may_be_bcc() {
    let bytes = message("<im:ann@domain.com>;copy=bcc", "Secondary-To: im:b@d\r\n", "x");
    let bcc: Vec<_> = recipients(request(&bytes).fields()).unwrap().iter().map(|one| one.bcc).collect();
    assert_eq!(bcc, [true, false]);
}

/// W13: the reason phrase says which.
#[test]
fn w13_a_broken_secondary_to_is_named_with_its_place() {
    let table = [
        ("", "Bad Secondary-To: no address at byte 0"),
        (",", "Bad Secondary-To: no address at byte 0"),
        ("<im:b@d>,", "Bad Secondary-To: no address at byte 9"),
        ("im:b@d,,im:c@d", "Bad Secondary-To: no address at byte 7"),
        ("im:b@d;;im:c@d", "Bad Secondary-To: no address at byte 7"),
        ("im:b@d; ;im:c@d", "Bad Secondary-To: no address at byte 8"),
        ("bob@domain.com", "Bad Secondary-To: no scheme at byte 0"),
        ("im:b@d, bob", "Bad Secondary-To: no scheme at byte 8"),
        ("im:b@d im:c@d", "Bad Secondary-To: no address at byte 7"),
        ("im:b@d;@", "Bad Secondary-To: no parameter name at byte 7"),
        ("im:a;b@d", "Bad Secondary-To: no address at byte 6"),
        ("im:b@d;copy=", "Bad Secondary-To: no parameter value at byte 12"),
        ("<im:b@d", "Bad Secondary-To: bracket not closed at byte 0"),
        ("\"Bob <im:b@d>", "Bad Secondary-To: quote not closed at byte 0"),
        ("im:b@d;\"Cy <im:c@d>", "Bad Secondary-To: no parameter name at byte 7"),
        ("<im:b@>", "Bad Secondary-To: no host at byte 6"),
        ("<sip:b@d?Subject=x>", "Bad Secondary-To: headers in address at byte 1"),
        ("im:b@d?x=y", "Bad Secondary-To: URI with ? not in brackets at byte 6"),
    ];
    for (value, reason) in table {
        let error = list(value).expect_err(value);
        assert_eq!((error.status(), error.reason().as_str()), (400, reason), "{value}");
    }
    let fields = "Secondary-To: im:b@d\r\nSecondary-To: im:c@d, oops\r\n";
    let error = recipients(request(&message("im:ann@domain.com", fields, "x")).fields()).unwrap_err();
    assert_eq!(error.reason(), "Bad Secondary-To 2: no scheme at byte 8");
    let error = recipients(request(&message("<sip:a@b?x=y>", "", "x")).fields()).unwrap_err();
    assert_eq!(error.reason(), "Bad To: headers in address at byte 0");
}

#[test]
fn w15_also_to_informs_and_never_fails() {
    let fields = "Also-To: \"Ann, B\" <sip:ann@domain.com>\r\nAlso-To: oops, <sip:cy@domain.com>;x, \"\r\n";
    let names = also_to(request(&message("im:b@d", fields, "x")).fields());
    let names: Vec<_> = names.iter().map(|one| (one.display.as_deref(), one.uri.as_str())).collect();
    assert_eq!(names, [(Some("Ann, B"), "sip:ann@domain.com"), (None, "sip:cy@domain.com")]);
}

#[test]
fn w9_the_report_wish_is_read() {
    let wish = |value: &str| {
        let fields = format!("Delivery-Report: {value}\r\n");
        ReportOptions::of(request(&message("im:b@d", &fields, "x")).fields())
    };
    let of = |mode, detail, id: Option<&str>| Ok(ReportOptions { mode, detail, id: id.map(str::to_owned) });
    assert_eq!(wish("each;detail;id=7x.a"), of(ReportMode::Each, true, Some("7x.a")));
    assert_eq!(wish("NONE"), of(ReportMode::None, false, None));
    assert_eq!(wish("final ; ID = \"a b\" ; later"), of(ReportMode::Final, false, Some("a b")));
    assert_eq!(wish("sometimes;detail"), of(ReportMode::Final, true, None));
    assert_eq!(wish("each;;detail; ;"), of(ReportMode::Each, true, None));
    for broken in ["", "each detail", "each;=", "each,none", "each;id="] {
        assert!(wish(broken).unwrap_err().reason().starts_with("Bad Delivery-Report: "), "{broken}");
    }
    let twice = "Delivery-Report: each\r\nDelivery-Report: none\r\n";
    assert!(ReportOptions::of(request(&message("im:b@d", twice, "x")).fields()).is_err());
}

fn line(address: &str, state: ReportState) -> ReportLine {
    ReportLine { address: address.to_owned(), state, status: None, reason: None, tries: None, after: None }
}

#[test]
fn w20_the_patents_report_is_read_with_all_its_liberties() {
    let wanted =
        [line("im:ann@domain.com", ReportState::Failure), line("im:bob@domain.com", ReportState::Success)];
    for body in [
        "im:ann@domain.com delivery failure\r\nim:bob@domain.com delivery success\r\n",
        "im:ann@domain.com delivery failure\nim:bob@domain.com delivery success",
        "\r\n\r\nim: ann@domain.com delivery failure\r\n \t\r\nim: bob@domain.com  Delivery  SUCCESS \r\n\r\n",
        "<im:ann@domain.com> delivery failure\r\n<im: bob@domain.com> delivery success\r\n",
        "im:ann@domain.com\tDELIVERY Failure;later=on;x;status=abc;y=\"z;delivery success\"\nim:bob@domain.com delivery success",
    ] {
        assert_eq!(read_report(body.as_bytes()).as_deref(), Ok(&wanted[..]), "{body}");
    }
    assert_eq!(read_report(b""), Ok(vec![]));
    let unknown =
        read_report(b"sip:a@b;x=y delivery Read\r\nim:c@d delivery pending\nim:e@f delivery deferred")
            .unwrap();
    assert_eq!(
        unknown,
        [
            line("sip:a@b;x=y", ReportState::Unknown("Read".to_owned())),
            line("im:c@d", ReportState::Pending),
            line("im:e@f", ReportState::Deferred),
        ]
    );
    let escaped = read_report(b"<sip:%61nn@domain.com;x=y> delivery success").unwrap();
    assert_eq!(escaped, [line("sip:%61nn@domain.com;x=y", ReportState::Success)]);
    for half in ["<im:a@b delivery success", "im:a@b> delivery success", "<> delivery success"] {
        assert!(read_report(half.as_bytes()).is_err(), "{half}");
    }
}

#[test]
fn w21_parameters_are_read() {
    let body = r#"im:ann@domain.com delivery failure ; Status=408;reason="Request \"Time;out\" \\";tries=11;after=32000"#;
    let wanted = ReportLine {
        status: Some(408),
        reason: Some(r#"Request "Time;out" \"#.to_owned()),
        tries: Some(11),
        after: Some(Duration::from_secs(32)),
        ..line("im:ann@domain.com", ReportState::Failure)
    };
    assert_eq!(read_report(body.as_bytes()), Ok(vec![wanted]));
}

#[test]
fn w20_what_is_around_the_lines_that_can_be_read_costs_none_of_them() {
    let wanted =
        [line("im:ann@domain.com", ReportState::Failure), line("im:bob@domain.com", ReportState::Success)];
    for body in [
        "\u{feff}im:ann@domain.com delivery failure\r\nim:bob@domain.com delivery success\r\n",
        "im:ann@domain.com delivery failure;\r\nim:bob@domain.com delivery success;;x; ;\r\n",
        "# begin\r\nim:ann@domain.com delivery failure\r\nim:bob@domain.com delivery success\r\n# end",
        "im:ann@domain.com delivery failure\r\n\"Eve B\" <sip:eve@domain.com> delivery success\r\nim:bob@domain.com delivery success",
    ] {
        assert_eq!(read_report(body.as_bytes()).as_deref(), Ok(&wanted[..]), "{body}");
    }
    let many = "# x\r\n".repeat(fanfare::limits::REPORT_LINES_MAX + 1);
    assert_eq!(read_report(many.as_bytes()).unwrap_err().reason(), "Bad delivery-report: too many lines");
}

#[test]
fn w20_a_line_of_another_grammar_is_named() {
    let table = [
        ("\r\n\r\nim:c@d delivered\r\n", "no word delivery in line 3"),
        ("im:a@b", "no word delivery in line 1"),
        ("im:a@b delivery", "no state in line 1"),
        ("im:a@b delivery ;x", "no state in line 1"),
        ("ann delivery success", "no address in line 1"),
        ("im:", "no address in line 1"),
        ("im:a@b delivery success failure", "more than a state in line 1"),
        ("im:a@b delivery success;=", "bad parameter in line 1"),
        ("im:a@b delivery success;reason=\"x", "bad parameter in line 1"),
    ];
    for (body, what) in table {
        assert_eq!(
            read_report(body.as_bytes()).unwrap_err().reason(),
            format!("Bad delivery-report: {what}"),
            "{body}"
        );
    }
    // A reason phrase in Latin-1 is the phrase of some device: what became of whom still counts.
    let latin =
        read_report(b"im:a@b delivery success;reason=\"T\xe9l\xe9\"\r\nim:c@d delivery failure").unwrap();
    assert_eq!((latin[0].state.as_str(), latin[0].reason.as_deref()), ("success", Some("T\u{e9}l\u{e9}")));
    assert_eq!(latin[1].state.as_str(), "failure");
    assert_eq!(
        read_report(b"im:\xe9@b delivery success").unwrap_err().reason(),
        "Bad delivery-report: no address in line 1"
    );
}
