//! URIs, addresses and who they are: RFC 3261 §19.1, §20.10, §25.1; W3.

use fanfare::sip::{Aor, NameAddr, Scheme, Transport, Uri};

fn uri(text: &str) -> Uri {
    Uri::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn parts_are_where_the_grammar_says() {
    let whole = uri("sips:alice:sec%20ret@[2001:DB8::9:1]:5061;transport=tcp;lr?subject=x&priority=urgent");
    assert_eq!(
        (whole.scheme(), whole.user(), whole.host()),
        (&Scheme::Sips, Some("alice"), "[2001:DB8::9:1]")
    );
    assert_eq!((whole.port(), whole.ip()), (Some(5061), "2001:db8::9:1".parse().ok()));
    assert_eq!(
        (whole.param("LR"), whole.param("Transport"), whole.param("ttl")),
        (Some(""), Some("tcp"), None)
    );
    assert_eq!(whole.transport(), Some(Transport::Tls), "sips is TLS whatever it names");
    let short = uri("im:domain.com");
    assert_eq!(
        (short.scheme(), short.user(), short.host(), short.port()),
        (&Scheme::Im, None, "domain.com", None)
    );
    assert_eq!(uri("sip:a@192.0.2.4;maddr=192.0.2.9").ip(), "192.0.2.9".parse().ok(), "where it leads");
    assert_eq!(uri("sip:a@192.0.2.4;maddr=192.0.2.9").host_ip(), "192.0.2.4".parse().ok());
    assert_eq!(uri("sip:a@h;transport=TCP").transport(), Some(Transport::Tcp));
    assert_eq!(uri("sip:a@h;transport=sctp").transport(), None);
    for opaque in ["tel:+1-201-555-0123;phone-context=x", "isbn:2983792873", "http://www.example.com/a?b=c"] {
        let opaque = uri(opaque);
        assert_eq!((opaque.user(), opaque.host(), opaque.port(), opaque.ip()), (None, "", None, None));
    }
}

#[test]
fn what_is_no_uri_is_refused_and_says_where() {
    let table = [
        ("", "no scheme at byte 0"),
        ("ann@domain.com", "no scheme at byte 0"),
        ("1sip:ann@domain.com", "no scheme at byte 0"),
        ("sip:", "no host at byte 4"),
        ("sip:@domain.com", "empty user at byte 4"),
        ("sip:ann@", "no host at byte 8"),
        ("sip:ann@domain..com", "no host at byte 8"),
        ("sip:ann@.domain.com", "no host at byte 8"),
        ("sip:ann@192.0.2", "no host at byte 8"),
        ("sip:ann@192.0.2.256", "no host at byte 8"),
        ("sip:ann@[::1", "no host at byte 8"),
        ("sip:ann@[fe80::1%25eth0]", "no host at byte 8"),
        ("sip:ann@2001:db8::1", "no host at byte 8"),
        ("sip:ann@domain.com:", "no port at byte 19"),
        ("sip:ann@domain.com:65536", "no port at byte 19"),
        ("sip:ann@domain.com:5060x", "not of a URI at byte 23"),
        ("sip:a nn@domain.com", "not of a user at byte 5"),
        ("sip:ann%4@domain.com", "not of a user at byte 7"),
        ("sip:ann%zz@domain.com", "not of a user at byte 7"),
        ("sip:j\u{fc}rgen@domain.com", "not of a user at byte 5"),
        ("sip:ann@bob@domain.com", "not of a URI at byte 11"),
        ("sip:ann@domain.com;;", "empty URI parameter at byte 19"),
        ("sip:ann@domain.com;;lr", "empty URI parameter at byte 19"),
        ("sip:ann@domain.com;=x", "empty URI parameter at byte 19"),
        ("sip:ann@domain.com;a<b", "not of a URI parameter at byte 20"),
        ("sip:ann@domain.com?", "empty URI headers at byte 18"),
        ("sip:ann@domain.com\r\nX: y", "not of a URI at byte 18"),
        ("tel:", "nothing after scheme at byte 4"),
        ("mailto:a b", "not of a URI at byte 8"),
    ];
    for (text, what) in table {
        let error = Uri::parse(text).map(|uri| uri.to_string()).unwrap_err();
        assert_eq!(error.reason(), format!("Bad value: {what}"), "{text}");
    }
    for (text, parts) in [
        ("sip:ann@domain.com;", (Some("ann"), "domain.com")),
        ("sip:ann@domain.com;lr;", (Some("ann"), "domain.com")),
        ("sip:*21#@domain.com", (Some("*21#"), "domain.com")),
    ] {
        let uri = Uri::parse(text).unwrap();
        assert_eq!((uri.user(), uri.host(), uri.as_str()), (parts.0, parts.1, text), "taken as it came");
    }
    let long = format!("sip:{}@domain.com", "a".repeat(5000));
    assert_eq!(Uri::parse(&long).unwrap_err().reason(), "Bad URI: too long");
}

/// The sets of RFC 3261 §19.1.4, and what follows from its text.
#[test]
fn equality_is_that_of_the_rfc() {
    let same = [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;security=on"),
        ("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("SIP:alice@h", "sip:alice@h"),
        ("sip:a@[2001:DB8::1]", "sip:a@[2001:db8:0:0::1]"),
        ("sip:a%2fb@h", "sip:a%2Fb@h"),
        ("sip:a@h;%6Cr", "sip:a@h;lr"),
        ("tel:+15551234", "TEL:+15551234"),
    ];
    for (one, other) in same {
        assert!(uri(one).same_as(&uri(other)) && uri(other).same_as(&uri(one)), "{one} {other}");
    }
    let different = [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:a@h", "sips:a@h"),
        ("sip:a@h", "im:a@h"),
        ("sip:a@h;user=phone", "sip:a@h"),
        ("sip:a@h;ttl=5", "sip:a@h"),
        ("sip:a@h;method=INVITE", "sip:a@h"),
        ("sip:a@h;maddr=1.2.3.4", "sip:a@h"),
        ("sip:a:x@h", "sip:a@h"),
        ("sip:a@h", "sip:h"),
        ("sip:a%2Fb@h", "sip:a/b@h"),
        ("sip:%00@h", "sip:%00%00@h"),
        ("tel:+15551234", "tel:+15551235"),
    ];
    for (one, other) in different {
        assert!(!uri(one).same_as(&uri(other)) && !uri(other).same_as(&uri(one)), "{one} {other}");
    }
}

/// W3: im: and pres: are routed as sip:, the rest stays as it is.
#[test]
fn w3_im_and_pres_become_sip() {
    assert_eq!(uri("im:bob@domain.com").to_sip().as_str(), "sip:bob@domain.com");
    assert_eq!(uri("PRES:bob@domain.com:5070;x=y").to_sip().as_str(), "sip:bob@domain.com:5070;x=y");
    for other in ["sip:bob@domain.com", "sips:bob@domain.com", "tel:+1", "isbn:1"] {
        assert_eq!(uri(other).to_sip().as_str(), other);
    }
}

/// W3: within a domain `user@domain` alone decides.
#[test]
fn w3_the_address_of_record_is_canonical() {
    let table = [
        ("sip:ann@domain.com", "ann@domain.com", "ann", "domain.com"),
        ("sips:%61nn@DOMAIN.com:5070;transport=tls?a=b", "ann@domain.com", "ann", "domain.com"),
        ("im:ann:secret@domain.com.", "ann@domain.com", "ann", "domain.com"),
        ("sip:Ann@domain.com", "Ann@domain.com", "Ann", "domain.com"),
        ("sip:a%2fb%40c@h.net", "a%2Fb%40c@h.net", "a%2Fb%40c", "h.net"),
        ("sip:a@[2001:DB8:0::1]", "a@[2001:db8::1]", "a", "[2001:db8::1]"),
        ("sip:domain.com", "domain.com", "", "domain.com"),
        ("tel:+1-201-555", "tel:+1201555@", "tel:+1201555", ""),
    ];
    for (text, aor, user, domain) in table {
        let read = uri(text).aor();
        assert_eq!((read.as_str(), read.user(), read.domain()), (aor, user, domain), "{text}");
        assert_eq!(Aor::parse(read.as_str()), Some(read), "{text}");
    }
    assert_eq!(Aor::parse(""), None);
}

#[test]
fn what_a_person_types_becomes_a_uri() {
    let table = [
        ("ann@domain.com", "sip:ann@domain.com"),
        ("  ann@domain.com:5070 ", "sip:ann@domain.com:5070"),
        ("domain.com", "sip:domain.com"),
        ("localhost:5060", "sip:localhost:5060"),
        ("192.0.2.1:5060", "sip:192.0.2.1:5060"),
        ("im:ann@domain.com", "im:ann@domain.com"),
        ("sips:ann@domain.com", "sips:ann@domain.com"),
        ("tel:112", "tel:112"),
        ("J\u{fc}rgen@domain.com", "sip:J%C3%BCrgen@domain.com"),
        ("sip:J\u{fc}rgen@domain.com", "sip:J%C3%BCrgen@domain.com"),
        ("im:J\u{fc}rgen@domain.com", "im:J%C3%BCrgen@domain.com"),
        ("SIPS:J%C3%BCrgen@domain.com;transport=tcp", "SIPS:J%C3%BCrgen@domain.com;transport=tcp"),
        ("100#@domain.com", "sip:100%23@domain.com"),
        ("sip:100#@domain.com", "sip:100%23@domain.com"),
        ("sip:50%@domain.com", "sip:50%25@domain.com"),
        ("50%ax@domain.com", "sip:50%25ax@domain.com"),
        ("sip:ann:secret@domain.com", "sip:ann:secret@domain.com"),
        ("sip:domain.com?Subject=a@b", "sip:domain.com?Subject=a@b"),
    ];
    for (typed, text) in table {
        assert_eq!(Uri::typed(typed).unwrap().as_str(), text, "{typed}");
    }
    for typed in [
        "ann@@domain.com",
        "sip:ann@b@domain.com",
        "",
        "ann@",
        "@domain.com",
        "ann bob",
        "ann bob@domain.com",
        "sip:ann@",
    ] {
        assert!(Uri::typed(typed).is_err(), "{typed}");
    }
}

#[test]
fn addresses_are_read_with_and_without_brackets() {
    let table = [
        ("sip:ann@domain.com", None, "sip:ann@domain.com", None),
        ("sip:ann@domain.com;tag=x", None, "sip:ann@domain.com", Some("x")),
        ("<sip:ann@domain.com;tag=uri>;tag=x", None, "sip:ann@domain.com;tag=uri", Some("x")),
        ("Ann B. <im:ann@domain.com> ; TAG = x", Some("Ann B."), "im:ann@domain.com", Some("x")),
        (r#""Bell, \"A\" <x>" <sip:a@b>;tag="q;\"r""#, Some(r#"Bell, "A" <x>"#), "sip:a@b", Some(r#"q;"r"#)),
        (r#""" <sip:a@b>"#, None, "sip:a@b", None),
        ("J\u{fc}rgen <sip:a@b>", Some("J\u{fc}rgen"), "sip:a@b", None),
        ("<sip:a@b>;", None, "sip:a@b", None),
        ("<sip:a@b>;;tag=x ; ;", None, "sip:a@b", Some("x")),
        ("sip:a@b;;tag=x;", None, "sip:a@b", Some("x")),
    ];
    for (text, display, uri, tag) in table {
        let read = NameAddr::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!((read.display.as_deref(), read.uri.as_str(), read.tag()), (display, uri, tag), "{text}");
        assert_eq!(NameAddr::parse(&read.to_string()), Ok(read), "{text}");
    }
    for text in [
        "",
        "ann",
        "<>",
        "<sip:a@b",
        "\"Ann <sip:a@b>",
        "Ann, B <sip:a@b>",
        "sip:a@b?x=y",
        "<sip:a@b>;=x",
        "<sip:a@b>;tag=",
        "<sip:a@b> x",
        "<sip:a@b>, <sip:c@d>",
        "< sip:a@b >",
    ] {
        assert!(NameAddr::parse(text).is_err(), "{text}");
    }
}
