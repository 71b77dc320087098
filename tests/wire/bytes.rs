//! Bytes that are not UTF-8: what is not needed is passed on as it came, whatever its bytes (RFC 3261 §16.3 step 1); only what
//! is needed has to read.

use std::net::SocketAddr;

use bytes::Bytes;
use fanfare::sip::{
    Compose, Edit, Fields, Leg, LegTemplate, Message, Request, Response, Uri, parse, recipients, refusal,
};

const REQUEST: &[u8] = b"MESSAGE sip:bob@domain.com SIP/2.0\r\n\
    Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport;x=\"\xe9\";y=\xe9, SIP/2.0/UDP h;z=\"\xe9\"\r\n\
    From: \"J\xfcrgen\" <sip:james@domain.com>;tag=49583;note=\xfc\r\n\
    To: Bj\xf6rn\r\n <sip:bob@domain.com>\r\n\
    Call-ID: 1@h\r\nCSeq: 1 MESSAGE\r\n\
    Supported: a, \xe9, secondary-to\r\n\
    Subject: Gr\xfc\xdfe\r\n folded\r\n\
    User-Agent: Tel\xc3\xa9phone\r\n\
    Content-Length: 2\r\n\r\nhi";

fn request(bytes: &'static [u8]) -> Request {
    match parse(Bytes::from_static(bytes)) {
        Ok(Message::Request(request)) => request,
        other => panic!("no request: {other:?}"),
    }
}

fn response(bytes: &'static [u8]) -> Response {
    match parse(Bytes::from_static(bytes)) {
        Ok(Message::Response(response)) => response,
        other => panic!("no response: {other:?}"),
    }
}

fn holds(message: &[u8], line: &[u8]) -> bool {
    let line = [b"\r\n", line, b"\r\n"].concat();
    message.windows(line.len()).any(|window| window == line)
}

fn source() -> SocketAddr {
    "192.0.2.9:5061".parse().unwrap()
}

fn shown(fields: &Fields, name: &str) -> String {
    fields.first(name).unwrap().to_owned()
}

#[test]
fn what_is_read_of_it_is_read_as_latin_1_and_the_rest_as_utf_8() {
    let request = request(REQUEST);
    let fields = request.fields();
    assert_eq!(fields.from().display.as_deref(), Some("J\u{fc}rgen"));
    assert_eq!((fields.from().uri.as_str(), fields.from().tag()), ("sip:james@domain.com", Some("49583")));
    assert_eq!(fields.to().display.as_deref(), Some("Bj\u{f6}rn"));
    assert_eq!(fields.top_via().branch(), Some("z9hG4bK1"));
    assert_eq!(shown(fields, "Subject"), "Gr\u{fc}\u{df}e   folded");
    assert_eq!(shown(fields, "User-Agent"), "Tel\u{e9}phone");
    assert!(fields.has_token("Supported", "secondary-to"));
    let fields: Vec<_> = fields.all().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(
        fields,
        ["Via", "From", "To", "Call-ID", "CSeq", "Supported", "Subject", "User-Agent", "Content-Length"]
    );
}

#[test]
fn a_request_that_is_sent_on_keeps_its_bytes() {
    let request = request(REQUEST);
    let printed = Edit::request(&request)
        .uri(&Uri::parse("sip:bob@192.0.2.7").unwrap())
        .pop("Via")
        .push_front("Via", "SIP/2.0/UDP p;branch=z9hG4bK2")
        .remove_token("Supported", "secondary-to")
        .set("Max-Forwards", 69)
        .print();
    let wanted: &[u8] = b"MESSAGE sip:bob@192.0.2.7 SIP/2.0\r\n\
        Via: SIP/2.0/UDP p;branch=z9hG4bK2\r\n\
        Via: SIP/2.0/UDP h;z=\"\xe9\"\r\n\
        From: \"J\xfcrgen\" <sip:james@domain.com>;tag=49583;note=\xfc\r\n\
        To: Bj\xf6rn\r\n <sip:bob@domain.com>\r\n\
        Call-ID: 1@h\r\nCSeq: 1 MESSAGE\r\n\
        Supported: a, \xe9\r\n\
        Subject: Gr\xfc\xdfe\r\n folded\r\n\
        User-Agent: Tel\xc3\xa9phone\r\n\
        Content-Length: 2\r\n\
        Max-Forwards: 69\r\n\r\nhi";
    assert_eq!(printed.escape_ascii().to_string(), wanted.escape_ascii().to_string());
}

#[test]
fn an_answer_has_what_it_copies_as_it_came() {
    let answer = Compose::response(&request(REQUEST), 200, None, "t1", source()).finish();
    let wanted: &[u8] = b"SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport=5061;x=\"\xe9\";y=\xe9;received=192.0.2.9, SIP/2.0/UDP h;z=\"\xe9\"\r\n\
        From: \"J\xfcrgen\" <sip:james@domain.com>;tag=49583;note=\xfc\r\n\
        To: Bj\xf6rn   <sip:bob@domain.com>;tag=t1\r\n\
        Call-ID: 1@h\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(answer.escape_ascii().to_string(), wanted.escape_ascii().to_string());
    // A request that cannot be read is answered with the same bytes.
    let broken = [&REQUEST[..REQUEST.len() - 6], b"\r\nno field\r\n\r\n"].concat();
    let error = parse(Bytes::from(broken.clone())).unwrap_err();
    let refused = refusal(&broken, &error, source(), "t1").unwrap();
    assert!(
        holds(&refused, b"From: \"J\xfcrgen\" <sip:james@domain.com>;tag=49583;note=\xfc"),
        "{refused:?}"
    );
    assert!(holds(&refused, b"To: Bj\xf6rn <sip:bob@domain.com>;tag=t1"), "{refused:?}");
}

#[test]
fn a_response_counts_whatever_its_reason_and_its_server_are_called() {
    let bytes: &[u8] = b"SIP/2.0 200 Tr\xe8s bien\r\nVia: SIP/2.0/UDP p;branch=z9hG4bK2\r\n\
        Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>;tag=2\r\nCall-ID: 1\r\n\
        CSeq: 1 MESSAGE\r\nServer: T\xe9l\xe9phone\r\nContact: \"T\xe9l\" <sip:b@192.0.2.7>;+sip.instance=\"\xe9\"\r\n\
        Content-Length: 0\r\n\r\n";
    let response = response(bytes);
    assert_eq!((response.status(), response.reason()), (200, "Tr\u{e8}s bien"));
    assert_eq!(response.fields().first("Server"), Some("T\u{e9}l\u{e9}phone"));
    assert!(response.fields().contacts().is_ok());
    let printed = Edit::response(&response).pop("Via").print();
    assert!(printed.starts_with(b"SIP/2.0 200 Tr\xe8s bien\r\nVia: SIP/2.0/UDP 192.0.2.1;"), "{printed:?}");
    assert!(holds(&printed, b"Server: T\xe9l\xe9phone"), "{printed:?}");
    assert!(holds(&printed, b"Contact: \"T\xe9l\" <sip:b@192.0.2.7>;+sip.instance=\"\xe9\""), "{printed:?}");
}

#[test]
fn a_response_counts_whatever_the_lines_that_nobody_needs_look_like() {
    let head = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n\
        From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: 1@h\r\nCSeq: 1 MESSAGE\r\n";
    let sound = format!("{head}X-A: 1\r\nContent-Length: 2\r\n\r\nhi");
    for line in [
        "no colon at all\r\n",
        "no colon\r\n but a second line\r\n",
        ": no name\r\n",
        "two words: x\r\n",
        "S\u{e9}rver: x\r\n",
        "=====\r\n",
        "a\rb\r\n",
        "a\nb\r\n",
        "a\r\r\n",
    ] {
        let received = format!("{head}{line}X-A: 1\r\nContent-Length: 2\r\n\r\nhi");
        let response = response(received.into_bytes().leak());
        assert_eq!((response.status(), &response.body()[..]), (200, &b"hi"[..]), "{line:?}");
        // What is passed on has sound lines only.
        let passed_on = Edit::response(&response).print();
        assert_eq!(
            passed_on.escape_ascii().to_string(),
            sound.as_bytes().escape_ascii().to_string(),
            "{line:?}"
        );
    }
    // A lone CR or LF ends a line: the rest of the reason phrase, or of a value, is no field.
    for (received, shown) in [
        (sound.replace("200 OK", "200 O\rK"), sound.replace("200 OK", "200 O")),
        (sound.replace("200 OK", "200 O\nK"), sound.replace("200 OK", "200 O")),
        (sound.replace("200 OK", "200 OK\r\n K"), sound.clone()),
        (sound.replace("X-A: 1", "X-A: 1\r2"), sound.clone()),
        (sound.replace("X-A: 1\r\n", "X-A: 1\n"), sound.clone()),
        (sound.replace("\r\n", "\n"), sound.clone()),
    ] {
        let response = response(received.clone().into_bytes().leak());
        let passed_on = Edit::response(&response).print();
        assert_eq!(
            passed_on.escape_ascii().to_string(),
            shown.as_bytes().escape_ascii().to_string(),
            "{received:?}"
        );
    }
    // Two that differ of what means nothing here.
    for name in ["Expires", "Max-Forwards"] {
        let twice = sound.replace("X-A: 1", &format!("{name}: 1\r\n{name}: 2"));
        assert_eq!(response(twice.into_bytes().leak()).status(), 200, "{name}");
    }
    // A request is not mended.
    for line in ["no colon\r\n", "X: a\rb\r\n", "X: a\nb\r\n"] {
        let request = format!("{}{line}\r\n", head.replace("SIP/2.0 200 OK", "MESSAGE sip:b@h SIP/2.0"));
        assert_eq!(parse(Bytes::from(request)).unwrap_err().status(), 400, "{line:?}");
    }
}

#[test]
fn a_leg_has_the_fields_of_its_submission_as_they_came() {
    let request = request(REQUEST);
    let people = recipients(request.fields()).unwrap();
    let template = LegTemplate::new(&request, &people, "Sat, 15 Oct 2005 04:44:56 GMT");
    let uri = Uri::parse("sip:bob@192.0.2.7").unwrap();
    let leg = template.print(&Leg {
        recipient: 0,
        uri: &uri,
        via: "SIP/2.0/UDP p;branch=z9hG4bK2",
        from_tag: "t",
        call_id: "c",
        cseq: 1,
        dialog: None,
        routes: &[],
        expires: None,
        branches: 1,
        asserted: None,
    });
    assert!(holds(&leg, b"Subject: Gr\xfc\xdfe\r\n folded"), "{leg:?}");
    // What is written anew is UTF-8, which SIP asks for.
    assert!(holds(&leg, "From: \"J\u{fc}rgen\" <sip:james@domain.com>;tag=t".as_bytes()), "{leg:?}");
    assert!(parse(leg).is_ok());
}

#[test]
fn what_is_needed_has_to_read() {
    let text = |old: &str, new: &[u8]| {
        let (before, after) = (REQUEST, old.as_bytes());
        let at = before.windows(after.len()).position(|window| window == after).unwrap();
        [&before[..at], new, &before[at + after.len()..]].concat()
    };
    for (old, new, said) in [
        ("sip:bob@domain.com SIP", &b"sip:b\xe9@domain.com SIP"[..], "Bad start line: not of a user"),
        ("sip:james@domain", b"sip:j\xe9@domain", "Bad From: not of a user"),
        ("<sip:bob@domain.com>\r", b"<sip:bob@d\xe9.com>\r", "Bad To: "),
        ("1@h", b"\xe9@h", "Bad Call-ID: no Call-ID"),
        ("192.0.2.1;", b"\xe9;", "Bad Via: no host"),
        ("1 MESSAGE", b"1 M\xe9", "Bad CSeq: no method"),
        ("Subject", b"S\xe9", "Bad head: no field name"),
    ] {
        let error = parse(Bytes::from(text(old, new))).unwrap_err();
        assert!(error.status() == 400 && error.reason().starts_with(said), "{old}: {error}");
    }
}
