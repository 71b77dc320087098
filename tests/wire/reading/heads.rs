//! Header sections: what is missing, what is repeated, where the body ends, and the limits (RFC 3261 §7, §18.3).

use super::*;

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
    for before in ["\r\n\r\n\r\n", "\n", "\n\r\n\n\n"] {
        let mut bytes = before.as_bytes().to_vec();
        bytes.extend(message("im:b@d", "", "x"));
        assert_eq!(request(&bytes).bytes()[..], bytes[before.len()..]);
    }
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
    for lenient in ["3600;a=b", "3600 ;a", "3600 (an hour)", "3600(x)"] {
        assert_eq!(fields(&format!("Expires: {lenient}\r\n")).expires(), Ok(Some(3600)), "{lenient}");
    }
    for wrong in ["-1", "4294967296", "soon", ""] {
        let error = fields(&format!("Expires: {wrong}\r\n")).expires().unwrap_err();
        assert_eq!(error.reason(), "Bad Expires: no number in range");
    }
    assert_eq!(fields("m: *\r\n").contacts(), Ok(Contacts::All));
    assert_eq!(fields("").contacts(), Ok(Contacts::List(vec![])));
    assert!(fields("Contact: *, <sip:a@b>\r\n").contacts().is_err());
    assert!(fields("Contact: *\r\nContact: <sip:a@b>\r\n").contacts().is_err());
    assert!(fields("Contact: <sip:a@b> <sip:c@d>\r\n").contacts().is_err());
    let routes =
        fields("Route: <sip:p1;lr>, \"x, y\" <sip:p2;lr>\r\nRoute: <sip:p3;lr>\r\n").routes("Route").unwrap();
    let hosts: Vec<_> = routes.iter().map(|route| route.uri.host().to_owned()).collect();
    assert_eq!(hosts, ["p1", "p2", "p3"]);
    // Empty elements do not count.
    let sparse =
        fields("Route:\r\nRoute: , <sip:p1;lr>,\t,<sip:p2;lr> ,\r\nRoute: ,\r\n").routes("Route").unwrap();
    assert_eq!(sparse.iter().map(|route| route.uri.as_str()).collect::<Vec<_>>(), ["sip:p1;lr", "sip:p2;lr"]);
    let Ok(Contacts::List(list)) = fields("Contact: <sip:a@b>,\r\n").contacts() else { panic!("no list") };
    assert_eq!(list.iter().map(|contact| contact.uri.as_str()).collect::<Vec<_>>(), ["sip:a@b"]);
    let broken = fields("Route: <sip:p1;lr>\r\nRoute: p2\r\n").routes("Route").unwrap_err();
    assert_eq!(broken.reason(), "Bad route header 2: no scheme at byte 0");
    let many = fields("Proxy-Require: a ,Secondary-To\r\nproxy-require:\tb,,c\r\n");
    assert_eq!(many.tokens("Proxy-Require").collect::<Vec<_>>(), ["a", "Secondary-To", "b", "c"]);
    assert!(many.has_token("Proxy-Require", "secondary-to") && !many.has_token("Require", "a"));
    assert_eq!(fields("k: 100rel, x\r\nSupported: y\r\n").tokens("Supported").count(), 3);
}

#[test]
fn of_contacts_there_are_so_many_and_the_first_is_read_without_the_others() {
    let fields = |more: &str| request(&message("im:b@d", more, "x")).fields().clone();
    let many = |count: usize| format!("m: {}\r\n", vec!["<sip:a@b>"; count].join(","));
    assert!(fields(&many(CONTACTS_READ_MAX)).contacts().is_ok());
    let error = fields(&many(CONTACTS_READ_MAX + 1)).contacts().unwrap_err();
    assert!(error.reason().starts_with("Bad Contact: too many addresses"), "{error}");
    for (value, first) in [
        ("<sip:a@b>;expires=6;, nonsense", Some("sip:a@b")),
        ("\r\nm: ,sip:a@b;;q=1,<sip:c@d>", Some("sip:a@b")),
        ("*", None),
        ("nonsense, <sip:a@b>", None),
        ("<sip:a@b> x", None),
    ] {
        let contact = fields(&format!("m: {value}\r\n")).first_contact();
        assert_eq!(contact.as_ref().map(|contact| contact.uri.as_str()), first, "{value}");
    }
}
