//! Literal bytes in: W1, W2, W4, W5, W7, W9, W13's words, W20, W21, and the framing of RFC 3261 §18.3.

use std::time::Duration;

use bytes::Bytes;
use fanfare::limits::{HEAD_BYTES_MAX, HEADER_FIELDS_MAX, MESSAGE_BYTES_MAX};
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
    let table: [(&str, &[&str]); 14] = [
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
        ("<im:b@d>;", "Bad Secondary-To: no address at byte 9"),
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
    for broken in ["", "each detail", "each;", "each,none", "each;id="] {
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
fn w20_a_line_of_another_grammar_is_named() {
    let table = [
        ("im:a@b delivery success\r\n\r\nim:c@d delivered\r\n", "no word delivery in line 3"),
        ("im:a@b", "no word delivery in line 1"),
        ("im:a@b delivery", "no state in line 1"),
        ("im:a@b delivery ;x", "no state in line 1"),
        ("ann delivery success", "no address in line 1"),
        ("im:", "no address in line 1"),
        ("im:a@b delivery success failure", "more than a state in line 1"),
        ("im:a@b delivery success;", "bad parameter in line 1"),
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

// ---- heads ----

#[test]
fn mandatory_fields_are_missed_by_name() {
    let whole = String::from_utf8(message("<im:ann@domain.com>", "", "x")).unwrap();
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let without: String =
            whole.split_inclusive("\r\n").filter(|line| !line.starts_with(&format!("{name}:"))).collect();
        assert_eq!(refused(without.as_bytes()), (400, format!("Bad {name}: missing")));
    }
}

#[test]
fn a_repeated_field_must_say_the_same() {
    for (name, same, other) in [
        ("f", "<im:james@domain.com>;tag=49583", "<im:eve@domain.com>;tag=49583"),
        ("T", "im:b@d", "im:c@d"),
        ("i", "asd88asd77a@jamesmob.domain.com", "x"),
        ("cseq", "1 MESSAGE", "2 MESSAGE"),
        ("MAX-FORWARDS", "70", "71"),
        ("l", "1", "0"),
    ] {
        request(&message("im:b@d", &format!("{name}: {same}\r\n"), "x"));
        let (status, reason) = refused(&message("im:b@d", &format!("{name}: {other}\r\n"), "x"));
        assert!(status == 400 && reason.ends_with(": two that differ"), "{name}: {reason}");
    }
}

#[test]
fn heads_that_are_no_heads_are_refused() {
    let table: [(&[u8], &str); 12] = [
        (b"", "Bad head: ends early at byte 0"),
        (b"\r\n\r\n", "Bad head: ends early at byte 0"),
        (b"MESSAGE sip:a@b SIP/2.0\r\n", "Bad head: ends early at byte 25"),
        (b"MESSAGE sip:a@b SIP/2.0\r\nTo: x\r\n", "Bad head: ends early at byte 32"),
        (b"MESSAGE sip:a@b SIP/2.0\r\nTo: x\n\r\n\r\n", "Bad head: line end not CRLF at byte 30"),
        (b"MESSAGE sip:a@b SIP/2.0\r\nTo: x\ry\r\n\r\n", "Bad head: line end not CRLF at byte 30"),
        (b"MESSAGE sip:a@b SIP/2.0\r\n To: x\r\n\r\n", "Bad head: blank after start line at byte 25"),
        (b"MESSAGE sip:a@b SIP/2.0\r\nTo x\r\n\r\n", "Bad head: no field name at byte 25"),
        (b"MESSAGE sip:a@b SIP/2.0\r\n: x\r\n\r\n", "Bad head: no field name at byte 25"),
        (b"MESSAGE sip:\xe9@b SIP/2.0\r\nTo: x\r\n\r\n", "Bad start line: not of a user at byte 12"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "Bad start line: no SIP version at byte 6"),
        (b"MESSAGE sip:a@b\r\nTo: x\r\n\r\n", "Bad start line: not of three words at byte 0"),
    ];
    for (bytes, reason) in table {
        assert_eq!(refused(bytes), (400, reason.to_owned()), "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn bodies_follow_content_length() {
    let whole = message("im:b@d", "", "Come here.");
    let mut surplus = whole.clone();
    surplus.extend_from_slice(b"MESSAGE sip:x@y SIP/2.0\r\n\r\n");
    let cut = request(&surplus);
    assert_eq!((cut.body(), &cut.bytes()[..]), (Bytes::from("Come here."), &whole[..]));
    assert_eq!(refused(&whole[..whole.len() - 1]), (400, "Bad Content-Length: body is shorter".to_owned()));
    // W4: any bytes.
    let mut binary = message("im:b@d", "", "12345");
    binary.truncate(binary.len() - 5);
    binary.extend_from_slice(b"\0\xff\r\n\xfe");
    assert_eq!(request(&binary).body(), b"\0\xff\r\n\xfe"[..]);
    for wrong in ["-1", "+5", "5 5", "", "0x5", "99999999999999999999999"] {
        let bytes = message("im:b@d", &format!("l: {wrong}\r\n"), "12345");
        assert_eq!(refused(&bytes).0, 400, "{wrong}");
    }
}

#[test]
fn line_ends_before_the_start_line_are_passed_over() {
    let mut bytes = b"\r\n\r\n\r\n".to_vec();
    bytes.extend(message("im:b@d", "", "x"));
    assert_eq!(request(&bytes).bytes()[..], bytes[6..]);
}

#[test]
fn limits_have_their_status() {
    let fields = "X: y\r\n".repeat(HEADER_FIELDS_MAX);
    assert_eq!(refused(&message("im:b@d", &fields, "")), (413, "Bad head: too many fields".to_owned()));
    let long = format!("X: {}\r\n", "y".repeat(HEAD_BYTES_MAX));
    assert_eq!(refused(&message("im:b@d", &long, "")), (413, "Bad head: over the size limit".to_owned()));
    let body = "x".repeat(MESSAGE_BYTES_MAX);
    assert_eq!(refused(&message("im:b@d", "", &body)), (413, "Bad message: over the size limit".to_owned()));
}

#[test]
fn typed_fields_say_what_is_wrong_with_them() {
    let fields = |more: &str| request(&message("im:b@d", more, "x")).fields().clone();
    assert_eq!(fields("Expires: 604800\r\n").expires(), Ok(Some(604_800)));
    assert_eq!(fields("").expires(), Ok(None));
    for wrong in ["-1", "4294967296", "soon", ""] {
        let error = fields(&format!("Expires: {wrong}\r\n")).expires().unwrap_err();
        assert_eq!(error.reason(), "Bad Expires: no number in range");
    }
    assert_eq!(fields("m: *\r\n").contacts(), Ok(Contacts::All));
    assert_eq!(fields("").contacts(), Ok(Contacts::List(vec![])));
    assert!(fields("Contact: *, <sip:a@b>\r\n").contacts().is_err());
    assert!(fields("Contact: *\r\nContact: <sip:a@b>\r\n").contacts().is_err());
    assert!(fields("Contact: <sip:a@b>,\r\n").contacts().is_err());
    let routes =
        fields("Route: <sip:p1;lr>, \"x, y\" <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n").routes("Route").unwrap();
    let hosts: Vec<_> = routes.iter().map(|route| route.uri.host().to_owned()).collect();
    assert_eq!(hosts, ["p1", "p2", "p3"]);
    let broken = fields("Route: <sip:p1;lr>\r\nRoute: p2\r\n").routes("Route").unwrap_err();
    assert_eq!(broken.reason(), "Bad route header 2: no scheme at byte 0");
    let many = fields("Proxy-Require: a ,Secondary-To\r\nproxy-require:\tb,,c\r\n");
    assert_eq!(many.tokens("Proxy-Require").collect::<Vec<_>>(), ["a", "Secondary-To", "b", "c"]);
    assert!(many.has_token("Proxy-Require", "secondary-to") && !many.has_token("Require", "a"));
    assert_eq!(fields("k: 100rel, x\r\nSupported: y\r\n").tokens("Supported").count(), 3);
}

// ---- streams ----

fn frames(chunks: &[&[u8]]) -> Result<Vec<Framed>, Error> {
    let (mut framer, mut frames) = (Framer::default(), Vec::new());
    for chunk in chunks {
        framer.push(chunk);
        while let Some(framed) = framer.next()? {
            frames.push(framed);
        }
    }
    Ok(frames)
}

#[test]
fn a_stream_is_cut_where_content_length_says() {
    let (one, two) = (message("im:b@d", "", "one\r\n\r\n"), message("im:b@d", "X: y\r\n", ""));
    let wanted = || vec![Framed::Message(one.clone().into()), Framed::Message(two.clone().into())];
    let both = [&one[..], &two[..]].concat();
    assert_eq!(frames(&[&both]), Ok(wanted()));
    let bytes: Vec<_> = both.chunks(1).collect();
    assert_eq!(frames(&bytes), Ok(wanted()));
    let odd = b"OPTIONS sip:a@b SIP/2.0\r\ncontent-length\t :\r\n 3 \r\nX: l: 9\r\n\r\nabcSIP/2.0 200 OK\r\nL:0\r\n\r\n";
    let cut = frames(&[odd]).unwrap();
    assert!(
        matches!(&cut[..], [Framed::Message(one), Framed::Message(two)] if one.ends_with(b"abc") && two.ends_with(b"L:0\r\n\r\n"))
    );
}

#[test]
fn a_stream_without_a_length_or_over_a_limit_ends() {
    let head = |fields: &str| format!("MESSAGE sip:a@b SIP/2.0\r\n{fields}\r\n\r\n");
    let long = format!("X: {}", "y".repeat(HEAD_BYTES_MAX));
    let table = [
        (head("To: x"), 400, "Bad Content-Length: missing on a stream"),
        (head("l: 5\r\nContent-Length: 6"), 400, "Bad Content-Length: two that differ"),
        (head("l: -5"), 400, "Bad Content-Length: not a length"),
        (head("l: 1048576"), 413, "Bad message: over the size limit"),
        (head("l: 18446744073709551615"), 413, "Bad message: over the size limit"),
        (head(&long), 413, "Bad head: over the size limit"),
        (long, 413, "Bad head: over the size limit"),
    ];
    for (bytes, status, reason) in table {
        let mut framer = Framer::default();
        framer.push(bytes.as_bytes());
        for _ in 0..2 {
            let error = framer.next().unwrap_err();
            assert_eq!((error.status(), error.reason().as_str()), (status, reason));
            framer.push(&message("im:b@d", "", ""));
        }
        assert!(!framer.is_mid_message());
    }
}

#[test]
fn one_refused_message_does_not_end_the_stream() {
    let broken = b"MESSAGE sip:a@b SIP/2.0\r\nTo: \xff\r\nno field\r\nl: 2\r\n\r\nab";
    let good = message("im:b@d", "", "x");
    let cut = frames(&[&[&broken[..], &good[..]].concat()]).unwrap();
    assert_eq!(cut, [Framed::Message(Bytes::from_static(broken)), Framed::Message(good.into())]);
}

#[test]
fn keep_alives_are_told_apart() {
    let good = message("im:b@d", "", "x");
    let message = || Framed::Message(good.clone().into());
    assert_eq!(frames(&[b"\r\n\r\n"]), Ok(vec![Framed::Ping]));
    assert_eq!(frames(&[b"\r\n"]), Ok(vec![Framed::Pong]));
    // A ping in two reads is answered all the same.
    assert_eq!(frames(&[b"\r", b"\n\r", b"\n"]), Ok(vec![Framed::Pong, Framed::Ping]));
    let around = [b"\r\n\r\n", &good[..], b"\r\n", &good[..], b"\r\n\r\n"].concat();
    assert_eq!(frames(&[&around]), Ok(vec![Framed::Ping, message(), Framed::Pong, message(), Framed::Ping]));
    let mut framer = Framer::default();
    framer.push(b"\r\n\r\nMESS");
    assert_eq!((framer.next(), framer.next()), (Ok(Some(Framed::Ping)), Ok(None)));
    assert!(framer.is_mid_message());
}
