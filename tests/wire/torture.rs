//! RFC 4475: its 49 messages as data, each with what an element makes of it.
//!
//! `rfc4475/INDEX.tsv` says valid or invalid; the table here says more: which status the reader gives, or what it read.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use fanfare::sip::{
    Contacts, Error, Message, Method, Request, Response, Scheme, Transport, Uri, parse, refusal,
    second_reader,
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/rfc4475")
}

/// All files by name. All stored copies of baddn lack the final blank line, which is not the fault that it is about.
pub(crate) fn files() -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(name) = name.strip_suffix(".dat") {
            let mut bytes = std::fs::read(&path).unwrap();
            if name == "baddn" {
                bytes.extend_from_slice(b"\r\n");
            }
            files.insert(name.to_owned(), bytes);
        }
    }
    files
}

fn read(name: &str) -> Result<Message, Error> {
    parse(Bytes::from(files()[name].clone()))
}

fn request(name: &str) -> Request {
    match read(name) {
        Ok(Message::Request(request)) => request,
        other => panic!("{name}: {other:?}"),
    }
}

fn response(name: &str) -> Response {
    match read(name) {
        Ok(Message::Response(response)) => response,
        other => panic!("{name}: {other:?}"),
    }
}

/// Everything that an element which acts on a message reads of it: the typed fields, too.
fn whole(message: &Message) -> Result<(), Error> {
    let fields = match message {
        Message::Request(request) => request.fields(),
        Message::Response(response) => response.fields(),
    };
    fields.max_forwards()?;
    fields.expires()?;
    fields.contacts()?;
    fields.routes("Route")?;
    fields.routes("Record-Route").map(drop)
}

#[test]
fn all_49_behave_as_the_index_says() {
    let index = std::fs::read_to_string(folder().join("INDEX.tsv")).unwrap();
    let files = files();
    let mut seen = 0;
    for line in index.lines().skip(1) {
        let columns: Vec<_> = line.split('\t').collect();
        let name = columns[0].strip_suffix(".dat").unwrap();
        let valid = match (name, columns[2]) {
            // RFC 4475 §3.1.2.12 leaves it to an element that does not use the date to pass over it. We are one: nothing in
            // routing or delivery rests on Date, and W15 passes it on untouched.
            ("baddate", "invalid") => true,
            (_, said) => said == "valid",
        };
        let read = parse(Bytes::from(files[name].clone())).and_then(|message| whole(&message));
        assert_eq!(read.is_ok(), valid, "{name}: {read:?}");
        seen += 1;
    }
    assert_eq!((seen, files.len()), (49, 49));
}

/// The refusals, each with its reason: what `parse` says, or the typed getter that the layer above asks.
#[test]
fn each_invalid_one_is_refused_for_its_own_fault() {
    let table = [
        ("badinv01", 400, "Bad Via: no protocol at byte 25"),
        ("clerr", 400, "Bad Content-Length: body is shorter"),
        ("ncl", 400, "Bad Content-Length: not a length"),
        ("scalar02", 400, "Bad CSeq: no number below 2^31 at byte 0"),
        ("scalarlg", 400, "Bad CSeq: no number below 2^31 at byte 0"),
        ("quotbal", 400, "Bad To: quote not closed at byte 0"),
        ("ltgtruri", 400, "Bad start line: no scheme at byte 7"),
        ("lwsruri", 400, "Bad start line: no SIP version at byte 29"),
        ("lwsstart", 400, "Bad start line: no SIP version at byte 8"),
        ("trws", 400, "Bad start line: no SIP version at byte 38"),
        ("escruri", 400, "Bad start line: headers in Request-URI at byte 7"),
        ("regbadct", 400, "Bad Contact: URI with ? not in brackets at byte 20"),
        ("badaspec", 400, "Bad To: no scheme at byte 18"),
        ("baddn", 400, "Bad From: no scheme at byte 0"),
        ("badvers", 505, "Bad start line: unknown SIP version at byte 33"),
        ("mismatch01", 400, "Bad CSeq: method is not the request's"),
        ("mismatch02", 400, "Bad CSeq: method is not the request's"),
        ("bigcode", 400, "Bad start line: no status at byte 8"),
        ("insuf", 400, "Bad From: missing"),
        ("multi01", 400, "Bad CSeq: two that differ"),
        ("mcl01", 400, "Bad Content-Length: two that differ"),
    ];
    for (name, status, reason) in table {
        let error = read(name).and_then(|message| whole(&message)).unwrap_err();
        assert_eq!((error.status(), error.reason().as_str()), (status, reason), "{name}");
    }
}

#[test]
fn what_cannot_be_parsed_is_answered_all_the_same() {
    let source: SocketAddr = "198.51.100.7:40000".parse().unwrap();
    let answer = |name: &str| {
        let error = read(name).unwrap_err();
        refusal(&files()[name], &error, source, "t1").map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    };
    assert_eq!(
        answer("badvers").unwrap(),
        "SIP/2.0 505 Bad start line: unknown SIP version at byte 33\r\n\
         Via: SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw;received=198.51.100.7\r\n\
         From: A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe\r\n\
         To: T. Watson <sip:t.watson@example.org>;tag=t1\r\n\
         Call-ID: badvers.31417@c.example.com\r\n\
         CSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    );
    // RFC 4475 §3.3.1: ideally a 400, with what there is.
    assert_eq!(
        answer("insuf").unwrap(),
        "SIP/2.0 400 Bad From: missing\r\n\
         Via: SIP/2.0/UDP 192.0.2.95;branch=z9hG4bKkdj.insuf;received=198.51.100.7\r\n\
         CSeq: 193942 INVITE\r\n\
         Content-Length: 0\r\n\r\n"
    );
    // A Via that does not parse is copied as it is, a To that does not parse gets no tag.
    assert!(answer("badinv01").unwrap().contains("\r\nVia: SIP/2.0/UDP 192.0.2.15;;,;,,\r\n"));
    assert!(answer("quotbal").unwrap().contains("\r\nTo: \"Mr. J. User <sip:j.user@example.com>\r\n"));
    // Responses are dropped.
    assert_eq!(answer("bigcode"), None);
    assert_eq!(answer("scalarlg"), None);
    let requests = [
        "clerr", "ncl", "scalar02", "ltgtruri", "lwsruri", "lwsstart", "trws", "escruri", "badaspec", "baddn",
    ];
    for name in requests.into_iter().chain(["mismatch01", "mismatch02", "multi01", "mcl01"]) {
        assert!(answer(name).unwrap().starts_with("SIP/2.0 400 Bad "), "{name}");
    }
}

#[test]
fn wsinv_is_read_through_its_folds_and_compact_names() {
    let request = request("wsinv");
    let fields = request.fields();
    assert_eq!((fields.cseq(), request.method()), (9, &Method::Invite));
    assert_eq!(fields.max_forwards(), Ok(Some(68)));
    assert_eq!(fields.to().tag(), Some("1918181833n"));
    assert_eq!(fields.from().display.as_deref(), Some(r#"J Rosenberg \""#));
    assert_eq!(fields.from().tag(), Some("98asjd8"));
    let via = fields.top_via();
    assert_eq!(
        (via.transport.as_str(), via.host.as_str(), via.branch()),
        ("UDP", "192.0.2.2", Some("390skdjuw"))
    );
    assert_eq!(fields.first("Subject"), Some(""));
    assert_eq!(fields.first("UnknownHeaderWithUnusualValue"), Some(";;,,;;,;"));
    let route = &fields.routes("Route").unwrap()[0];
    assert_eq!((route.uri.param("lr"), route.uri.param("unknownwith")), (Some(""), Some("value")));
    let Contacts::List(contacts) = fields.contacts().unwrap() else { panic!("no list") };
    assert_eq!(contacts[0].display.as_deref(), Some(r#"Quoted string """#));
    assert_eq!(
        (contacts[0].params.get("newparam"), contacts[0].params.get("q")),
        (Some("newvalue"), Some("0.33"))
    );
    assert_eq!((contacts[0].params.get("secondparam"), contacts[0].params.get("none")), (Some(""), None));
    assert_eq!(request.body().len(), 150);
    let vias: Vec<_> = fields.tokens("Via").collect();
    assert_eq!(vias.len(), 3);
}

#[test]
fn escapes_and_odd_letters_stay_as_written() {
    let intmeth = request("intmeth");
    assert_eq!(intmeth.method().as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    assert_eq!(intmeth.uri().user(), Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
    assert_eq!(intmeth.fields().to().display.as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    assert_eq!(intmeth.fields().from().display.as_deref(), Some("token1~` token2'+_ token3*%!.-"));
    assert_eq!(intmeth.fields().from().params.get("fromParam''~+*_!.-%"), Some("работающий"));
    assert_eq!(intmeth.fields().first("extensionHeader-!.%*+_`'~"), Some("\u{feff}大停電"));
}

#[test]
fn escapes_are_undone_only_to_compare() {
    let esc01 = request("esc01");
    assert_eq!((esc01.uri().user(), esc01.uri().host()), (Some("sips%3Auser%40example.com"), "example.net"));
    assert!(esc01.fields().to().uri.same_as(&Uri::parse("sip:user@example.com").unwrap()));
    let Contacts::List(contacts) = esc01.fields().contacts().unwrap() else { panic!("no list") };
    assert_eq!(
        (contacts[0].uri.param("lr"), contacts[0].uri.param("name")),
        (Some(""), Some("v%61lue%25%34%31"))
    );

    let escnull = request("escnull");
    let Contacts::List(contacts) = escnull.fields().contacts().unwrap() else { panic!("no list") };
    assert!(!contacts[0].uri.same_as(&contacts[1].uri));
    assert_ne!(contacts[0].uri.aor(), contacts[1].uri.aor());

    let esc02 = request("esc02");
    assert_eq!(esc02.method(), &Method::Other("RE%47IST%45R".into()));
    assert!(matches!(esc02.fields().contacts(), Ok(Contacts::List(list)) if list.len() == 2));

    let semiuri = request("semiuri");
    assert_eq!(semiuri.uri().user(), Some("user;par=u%40example.net"));
    assert_eq!(semiuri.fields().tokens("Accept").count(), 6);
    assert_eq!(request("lwsdisp").fields().from().display.as_deref(), Some("caller"));
    assert_eq!(request("longreq").fields().tokens("Via").count(), 34);
}

#[test]
fn bodies_end_where_content_length_says() {
    let dblreq = request("dblreq");
    assert_eq!((dblreq.method(), dblreq.body().len()), (&Method::Register, 0));
    assert!(dblreq.bytes().ends_with(b"Content-Length: 0\r\n\r\n"), "the second request is cut off");
    let mpart01 = request("mpart01");
    assert_eq!(mpart01.body().len(), 553);
    assert_eq!(mpart01.body(), files()["mpart01"][1290 - 553..]);
    let inv2543 = request("inv2543");
    assert!(inv2543.fields().first("Content-Length").is_none());
    assert!(inv2543.body().starts_with(b"v=0\r\n") && inv2543.fields().top_via().branch().is_none());
}

#[test]
fn responses_keep_their_phrase() {
    let unreason = response("unreason");
    assert_eq!(
        (unreason.status(), unreason.reason()),
        (200, "= 2**3 * 5**2 но сто девяносто девять - простое")
    );
    let noreason = response("noreason");
    assert_eq!((noreason.status(), noreason.reason()), (100, ""));
    assert_eq!(response("bcast").fields().tokens("Via").count(), 2);
}

/// What the layers above go by when they answer 416, 420, 415, 483, 406 or act on a branch without more than the cookie.
#[test]
fn the_layers_above_can_tell_what_they_must_refuse() {
    assert_eq!(request("unkscm").uri().scheme(), &Scheme::Other("nobodyknowsthisscheme".into()));
    assert_eq!(request("novelsc").uri().scheme(), &Scheme::Other("soap.beep".into()));
    let unksm2 = request("unksm2");
    assert_eq!(unksm2.fields().to().uri.scheme(), &Scheme::Other("isbn".into()));
    assert_eq!(unksm2.fields().from().uri.as_str(), "http://www.example.com");
    let bext01 = request("bext01");
    assert!(bext01.fields().has_token("Proxy-Require", "nordoanyproxiessupportthis"));
    assert_eq!(bext01.fields().tokens("Require").count(), 2);
    assert_eq!(request("invut").fields().first("Content-Type"), Some("application/unknownformat"));
    assert_eq!(request("sdp01").fields().first("Accept"), Some("text/nobodyKnowsThis"));
    assert_eq!(request("zeromf").fields().max_forwards(), Ok(Some(0)));
    assert_eq!(request("badbranch").fields().top_via().branch(), Some("z9hG4bK"));
    assert_eq!(
        request("regaut01").fields().first("Authorization"),
        Some("NoOneKnowsThisScheme opaque-data=here")
    );
    let transports = request("transports");
    assert_eq!(Transport::parse(&transports.fields().top_via().transport), Some(Transport::Udp));
    assert_eq!(Transport::parse("UNKNOWN"), None);
}

/// A parameter after a bare address is the header's, in brackets it is the URI's (RFC 3261 §20.10).
#[test]
fn contact_parameters_belong_where_the_brackets_say() {
    let contact = |name: &str| match request(name).fields().contacts() {
        Ok(Contacts::List(mut list)) => list.remove(0),
        other => panic!("{name}: {other:?}"),
    };
    let (header, uri, escaped) = (contact("cparam01"), contact("cparam02"), contact("regescrt"));
    assert!(header.params.has("unknownparam") && header.uri.param("unknownparam").is_none());
    assert!(!uri.params.has("unknownparam") && uri.uri.param("unknownparam").is_some());
    assert_eq!(escaped.uri.as_str(), "sip:user@example.com?Route=%3Csip:sip.example.com%3E");
}

/// The independent reader agrees on every valid message that it can read at all.
#[test]
fn the_second_reader_reads_the_same() {
    let mut refused = Vec::new();
    for (name, bytes) in files() {
        let read = parse(Bytes::from(bytes.clone())).and_then(|message| whole(&message));
        match (read, second_reader::read(&bytes)) {
            (Ok(()), Ok(_)) => drop(crate::printing::agrees(&Bytes::from(bytes))),
            (Ok(()), Err(_)) => refused.push(name),
            (Err(_), _) => {}
        }
    }
    // An unknown method (rsip knows a closed list), `;` in a user, a scheme with nothing of a host after it.
    assert_eq!(refused, ["esc02", "intmeth", "semiuri", "unkscm"]);
}
