//! What programs leave behind their parameters, and answers of which only the branch and the method are needed (RFC 3261
//! §17.1.3).

use fanfare::sip::{Edit, Response};

use super::*;

fn answer(bytes: &[u8]) -> Response {
    match parse(Bytes::copy_from_slice(bytes)) {
        Ok(Message::Response(response)) => response,
        other => panic!("no response: {other:?} to {:?}", String::from_utf8_lossy(bytes)),
    }
}

const ANSWER: &str = "SIP/2.0 200 OK\r\n\
    Via: SIP/2.0/UDP p;branch=z9hG4bK1\r\n\
    Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK0\r\n\
    From: <sip:james@domain.com>;tag=1\r\n\
    To: <sip:ann@domain.com>;tag=2\r\n\
    Call-ID: c1\r\n\
    CSeq: 1 MESSAGE\r\n\
    Content-Length: 2\r\n\r\nhi";

#[test]
fn a_semicolon_at_the_end_and_an_empty_parameter_are_passed_over() {
    for (from, to, via) in [
        ("<sip:a@b>;tag=1;", "<sip:c@d>;tag=2;", "SIP/2.0/UDP h;branch=z9hG4bK1;"),
        ("<sip:a@b>;;tag=1", "<sip:c@d>; ;tag=2 ; ;", "SIP/2.0/UDP h;;branch=z9hG4bK1;;rport;"),
        ("sip:a@b;tag=1;", "sip:c@d;;tag=2", "SIP/2.0/UDP h;branch=z9hG4bK1;, SIP/2.0/UDP i;branch=z9hG4bK2"),
    ] {
        let head = format!(
            "MESSAGE sip:c@d SIP/2.0\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n\
             Route: <sip:p;lr>;, <sip:q;lr>;;\r\nContact: <sip:a@h>;expires=6;\r\nContent-Length: 0\r\n\r\n"
        );
        let request = request(head.as_bytes());
        let fields = request.fields();
        assert_eq!((fields.from().tag(), fields.to().tag()), (Some("1"), Some("2")), "{head}");
        assert_eq!(fields.top_via().branch(), Some("z9hG4bK1"), "{head}");
        assert_eq!(fields.routes("Route").unwrap().len(), 2);
        let Ok(Contacts::List(contacts)) = fields.contacts() else { panic!("contacts") };
        assert_eq!(contacts[0].params.get("expires"), Some("6"));
        // Where the request came from is put in before the next element.
        let told = Edit::request(&request).came_from("192.0.2.9:5070".parse().unwrap()).print();
        let Ok(Message::Request(told)) = parse(told) else { panic!("a request") };
        let via = told.fields().top_via();
        assert_eq!(
            (via.branch(), via.params.get("received")),
            (Some("z9hG4bK1"), Some("192.0.2.9")),
            "{via}"
        );
    }
}

#[test]
fn an_answer_counts_whatever_its_from_and_to_and_via_look_like() {
    let (from, to) = ("<sip:james@domain.com>;tag=1", "<sip:ann@domain.com>;tag=2");
    let via = "SIP/2.0/UDP p;branch=z9hG4bK1";
    for (old, new) in [
        (from, "<sip:769@>;tag=1"),
        (from, "\"\"unknown\"\" <sip:james@domain.com>;tag=1"),
        (from, "Bob, the One <sip:james@domain.com>;tag=1"),
        (from, "bob@domain.com <sip:james@domain.com>;tag=1"),
        (from, "\"Anonymous\" sip:x"),
        (from, ""),
        (to, "<sip:ann b@domain.com>;tag=2"),
        (to, "\"Ann <sip:ann@domain.com>;tag=2"),
        (to, "<sip:ann@domain.com>;=x;tag=2;y="),
        (to, "<>;tag=2"),
        (to, "ann;tag=2"),
        (via, "SIP/2.0/UDP p;received=;rport=;branch=z9hG4bK1"),
        (via, "SIP/2.0/UDP p;branch=z9hG4bK1 (Acme Packet)"),
        (via, "SIP/2.0/UDP p:port;branch=z9hG4bK1"),
        (via, "SIP/2.0/UDP ;branch=z9hG4bK1"),
        ("Call-ID: c1", "Call-ID: \u{e9} 1"),
        ("200 OK", "200\tOK"),
    ] {
        let received = ANSWER.replacen(old, new, 1);
        let response = answer(received.as_bytes());
        assert_eq!((response.status(), &response.body()[..]), (200, &b"hi"[..]), "{new}");
        let fields = response.fields();
        assert_eq!(
            (fields.top_via().branch(), fields.cseq_method()),
            (Some("z9hG4bK1"), &Method::Message),
            "{new}"
        );
        assert_eq!(fields.to().tag(), Some("2"), "{new}");
        // It is passed on as it came, without the Via of the one who passes it on.
        let passed_on = Edit::response(&response).pop("Via").print();
        let left = received.lines().nth(1).unwrap();
        assert_eq!(passed_on, received.replacen(&format!("{left}\r\n"), "", 1), "{new}");
    }
    let unreadable = answer(ANSWER.replacen(from, "<sip:769@>;tag=1", 1).as_bytes());
    let read = unreadable.fields().from();
    assert_eq!(
        (read.uri.as_str(), read.uri.host(), read.tag()),
        ("sip:unreadable.invalid", "unreadable.invalid", Some("1"))
    );
}

#[test]
fn an_answer_without_a_branch_or_a_method_is_nobodys() {
    for (old, new) in [
        ("SIP/2.0/UDP p;branch=z9hG4bK1", "SIP/2.0/UDP p;received="),
        ("1 MESSAGE", "1"),
        ("Via: ", "X: "),
        ("From: ", "X: "),
        ("Call-ID: c1\r\n", "Call-ID: c1\r\nCall-ID: c2\r\n"),
        ("Content-Length: 2", "Content-Length: 2\r\nContent-Length: 1"),
        ("Content-Length: 2", "Content-Length: 3"),
    ] {
        let received = ANSWER.replace(old, new);
        assert!(parse(Bytes::from(received)).is_err(), "{new}");
    }
}

/// A request is what its next hop reads too: it has to be the same there.
#[test]
fn a_request_is_not_read_so_leniently() {
    for (name, value) in [
        ("From", "<sip:769@>;tag=1"),
        ("From", "Bob, the One <sip:james@domain.com>"),
        ("Via", "SIP/2.0/UDP p;branch=z9hG4bK1;rport="),
    ] {
        let bytes = String::from_utf8(message("im:b@d", "", "x")).unwrap();
        let line = bytes.lines().find(|line| line.starts_with(name)).unwrap();
        let bytes = bytes.replacen(line, &format!("{name}: {value}"), 1);
        assert_eq!(refused(bytes.as_bytes()).0, 400, "{value}");
    }
}

#[test]
fn a_length_that_cannot_be_read_is_not_passed_on() {
    for value in ["", "two", "2 (bytes)", "-1"] {
        let response = answer(ANSWER.replace("Content-Length: 2", &format!("l: {value}")).as_bytes());
        assert_eq!(&response.body()[..], b"hi", "{value}");
        let passed_on = Edit::response(&response).print();
        assert_eq!(passed_on, ANSWER, "{value}");
    }
}

/// RFC 3261 §20.14, §20.15: a body has a Content-Type, so an answer without one ends with its head.
#[test]
fn an_answer_on_a_stream_without_a_length_has_no_body_if_it_names_no_type() {
    for length in ["", "Content-Length:\r\n", "l: \r\n"] {
        let without = ANSWER.replace("Content-Length: 2\r\n", length).replace("hi", "");
        let mut framer = Framer::default();
        framer.push([without.as_bytes(), ANSWER.as_bytes()].concat().as_slice());
        assert_eq!(framer.next(), Ok(Some(Framed::Message(Bytes::from(without.clone())))), "{length}");
        assert_eq!(framer.next(), Ok(Some(Framed::Message(Bytes::from(ANSWER)))), "{length}");
        assert_eq!(answer(without.as_bytes()).body(), "");
        let typed = without.replace("Call-ID", "c: text/plain\r\nCall-ID");
        let request = without.replace("SIP/2.0 200 OK", "MESSAGE sip:a@b SIP/2.0");
        for ambiguous in [typed, request] {
            let mut framer = Framer::default();
            framer.push(ambiguous.as_bytes());
            assert!(framer.next().is_err(), "{ambiguous}");
        }
    }
}
