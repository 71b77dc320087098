//! Responses that we compose (RFC 3261 §8.2.6, §18.2.1, RFC 3581).

use super::*;

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
