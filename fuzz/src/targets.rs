//! One function for each place where bytes from outside come in. AFL++ drives them (`script/fuzz`), and
//! `tests/wire/corpus.rs` runs each kept input through them: they end by a panic where something is not as promised.

use std::path::Path;

use bytes::Bytes;
use fanfare::config::proxy::ProxySettings;
use fanfare::model::account::Account;
use fanfare::model::contacts::AddressBook;
use fanfare::model::names::Names;
use fanfare::model::snapshot::Settings;
use fanfare::sip::digest::{Algorithm, Challenge, Credentials, Ha1};
use fanfare::sip::{
    Aor, Cpim, Edit, Framed, Framer, HeaderCharset, Imdn, Message, Method, NameAddr, Params, ReportOptions,
    Request, Uri, also_to, content, file_name, inner_media_type, parameter, parse, read_report, recipients,
    refusal, with_secondary_to, write_report, xml_texts,
};
use fanfare::store::ron_file;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[path = "world.rs"]
mod world;

/// A name, and what takes an input.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// What an input is given to. A new grammar needs a line here and a file in `fuzz/corpus/NAME/`.
pub(crate) const TARGETS: &[Target] = &[
    ("proxy", world::proxy),
    ("client", world::client),
    ("stranger", world::stranger),
    ("uri", uri),
    ("stream", stream),
    ("secondary_to", secondary_to),
    ("delivery_report", delivery_report),
    ("proxy_settings", proxy_settings),
    ("client_files", client_files),
    ("digest", digest),
    ("resource_lists", resource_lists),
    ("xml", xml),
    ("body", body),
    ("parameter", mime_parameter),
    ("edit", edit),
];

/// One person is one person however he is spelled (W14), and what is read is read again from what is made of it.
fn uri(data: &[u8]) {
    let Some(uri) = std::str::from_utf8(data).ok().and_then(|text| Uri::parse(text).ok()) else { return };
    let aor = uri.aor();
    assert!(uri.same_as(&uri), "{uri}");
    assert_eq!(uri.to_sip().aor(), aor, "{uri}");
    assert_eq!(uri.to_target().aor(), aor, "{uri}");
    std::hint::black_box((uri.place(), uri.local_number(), uri.ip(), uri.names_somebody()));
    if uri.host().is_empty() {
        return;
    }
    assert_eq!(Aor::parse(aor.as_str()).as_ref(), Some(&aor), "{uri}");
    let user = uri.user().map(|user| format!("{user}@")).unwrap_or_default();
    let dot = if uri.host_ip().is_some() || uri.host().ends_with('.') { "" } else { "." };
    let other = format!("sips:{user}{}{dot}:9999;transport=tcp;", uri.host().to_ascii_uppercase());
    // The longest of all is too long with more behind it.
    if let Ok(other) = Uri::parse(&other) {
        assert_eq!(other.aor(), aor, "{other}");
        assert!(other.has_host(uri.host()) && uri.has_host(aor.domain()), "{other}");
    }
}

/// A stream is the same messages however it is cut; the first byte says how.
fn stream(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let whole = framed(stream.chunks(stream.len().max(1)));
    let pieces = framed(stream.chunks(usize::from(*cut).max(1)));
    assert_eq!(whole, pieces, "cut every {cut} bytes");
    for message in whole.0 {
        drop(parse(message));
    }
}

/// The messages, and what ended the stream. Keep-alives are answered as they come, so the cut may show in them.
fn framed<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Bytes>, Option<String>) {
    let mut framer = Framer::default();
    let mut messages = Vec::new();
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(Framed::Message(bytes))) => messages.push(bytes),
                Ok(Some(Framed::Ping | Framed::Pong)) => {}
                Ok(None) => break,
                Err(error) => return (messages, Some(error.to_string())),
            }
        }
    }
    (messages, None)
}

/// The recipients of a submission and the wish for a report: what was read is read again from what is printed.
fn secondary_to(data: &[u8]) {
    let mut lines = data.split(|byte| *byte == b'\n');
    let wish = lines.next().unwrap_or_default();
    let fields: Vec<u8> = lines.flat_map(|line| [b"Secondary-To: ", line, b"\r\n"].concat()).collect();
    let Some(request) = submission(&[b"Delivery-Report: ", wish, b"\r\n", &fields].concat()) else { return };
    drop((ReportOptions::of(request.fields()), also_to(request.fields())));
    let Ok(people) = recipients(request.fields()) else { return };
    let printed: String = people
        .iter()
        .skip(1)
        .map(|person| {
            let name = NameAddr { display: None, uri: person.uri.clone(), params: Default::default() };
            format!("Secondary-To: {name}{}\r\n", if person.bcc { ";copy=bcc" } else { "" })
        })
        .collect();
    let again = submission(printed.as_bytes()).expect("what we print");
    let again = recipients(again.fields()).expect("what we print");
    assert_eq!(again.len(), people.len(), "{printed}");
    for (one, other) in people.iter().zip(&again) {
        assert_eq!((one.uri.as_str(), one.bcc), (other.uri.as_str(), other.bcc), "{printed}");
    }
}

fn submission(fields: &[u8]) -> Option<Request> {
    let head = b"MESSAGE sip:ann@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:james@domain.com>;tag=1\r\n\
        To: <sip:ann@domain.com>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n";
    match parse([head, fields, b"\r\n"].concat().into()) {
        Ok(Message::Request(request)) => Some(request),
        Ok(Message::Response(_)) | Err(_) => None,
    }
}

/// A report that was read is the same when it is written and read again.
fn delivery_report(data: &[u8]) {
    let Ok(lines) = read_report(data) else { return };
    let written = write_report(&lines, true);
    let again = read_report(written.as_bytes()).expect("what we write");
    assert_eq!(write_report(&again, true), written);
    assert_eq!(again.len(), lines.len(), "{written}");
}

/// Credentials of a request, and a server's challenges: what was read is read again from what is printed.
fn digest(data: &[u8]) {
    let name = |name: &'static [u8]| {
        data.split(|byte| *byte == b'\n').flat_map(move |line| [name, line, b"\r\n"].concat())
    };
    let fields: Vec<u8> = name(b"Authorization: ").chain(name(b"WWW-Authenticate: ")).collect();
    let Some(request) = submission(&fields) else { return };
    let method = Method::Message;
    for credentials in Credentials::in_realm(request.fields(), "domain.com").unwrap_or_default() {
        let ha1 = Ha1::new(
            credentials.algorithm.unwrap_or(Algorithm::Md5),
            &credentials.username,
            &credentials.realm,
            "secret",
        );
        std::hint::black_box((credentials.count(), credentials.prove(&ha1, &method)));
    }
    for challenge in Challenge::all(request.fields(), "WWW-Authenticate") {
        let printed =
            submission(format!("WWW-Authenticate: {challenge}\r\n").as_bytes()).expect("what we print");
        // One that names no algorithm is printed with the one that it means.
        let name = &challenge.algorithm_name;
        let again = Challenge::all(printed.fields(), "WWW-Authenticate").into_iter();
        let again: Vec<_> = again
            .map(|read| Challenge { algorithm_name: name.clone(), charset: challenge.charset, ..read })
            .collect();
        assert_eq!(again, std::slice::from_ref(&challenge));
        let answer = challenge.answer(("james", "secret"), (&method, "sip:ann@domain.com"), (1, "chance"));
        let answered = [b"Authorization: ", &answer[..], b"\r\n"].concat();
        let answered = submission(&answered).expect("what we print");
        let ours = Credentials::in_realm(answered.fields(), &challenge.realm).expect("what we print");
        let ha1 = Ha1::new(challenge.algorithm, "james", &challenge.realm, "secret");
        // We ourselves ask in ASCII.
        let is_provable = challenge.charset == HeaderCharset::Utf8;
        assert!(ours.len() == 1 && (!is_provable || ours[0].prove(&ha1, &method)), "{answer:?}");
    }
}

/// A message with a list of its recipients in its body (RFC 5365): as we write it anew it is a submission that can be read. The
/// first line is its Content-Type; as a body of any type it is taken apart, too.
fn resource_lists(data: &[u8]) {
    let mut halves = data.splitn(2, |byte| *byte == b'\n');
    let (kind, body) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    drop(content(&String::from_utf8_lossy(kind), &Bytes::copy_from_slice(body)));
    let length = format!("\r\nContent-Length: {}\r\n\r\n", body.len());
    let fields =
        [b"Require: recipient-list-message\r\nContent-Type: ".as_slice(), kind, length.as_bytes(), body];
    let Some(request) = submission(&fields.concat()) else { return };
    let Ok(written) = with_secondary_to(&request) else { return };
    // An address that no submission may name is refused where any submission is.
    let Ok(people) = recipients(written.fields()) else { return };
    assert!(!people.is_empty());
}

/// An XML body, as each of those who read one does it.
fn xml(data: &[u8]) {
    let root = ["isComposing", "imdn", "resource-lists"];
    for root in root {
        let wanted: [&[&str]; 3] = [&["state"], &["a", "*"], &["message-id"]];
        if let Ok(found) = xml_texts(data, root, wanted) {
            assert!(found.iter().flatten().map(String::len).sum::<usize>() <= data.len() * 2);
        }
    }
    if let Some(imdn) = Imdn::parse(data) {
        let printed = imdn.print("2010-11-13T23:29:00Z");
        assert_eq!(Imdn::parse(printed.as_bytes()), Some(imdn), "{printed}");
    }
    let list = [&b"--b\n\nx\n--b\nContent-Type: application/resource-lists+xml\n\n"[..], data, b"\n--b--\n"]
        .concat();
    let head = format!(
        "Require: recipient-list-message\r\nContent-Type: multipart/mixed;boundary=b\r\nContent-Length: {}\r\n\r\n",
        list.len()
    );
    if let Some(request) = submission(&[head.as_bytes(), &list].concat()) {
        drop(with_secondary_to(&request));
    }
}

/// A body of any type is taken apart: nothing of it is lost, and a text that was read is read again from UTF-8. The first line
/// is its Content-Type.
fn body(data: &[u8]) {
    let mut halves = data.splitn(2, |byte| *byte == b'\n');
    let (kind, body) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let (kind, body) = (String::from_utf8_lossy(kind), Bytes::copy_from_slice(body));
    let got = content(&kind, &body);
    assert!(got.files.len() <= 100 && got.files.iter().all(|file| file.bytes.len() <= body.len()));
    let again = content("text/plain;charset=utf-8", &Bytes::copy_from_slice(got.text.as_bytes()));
    assert_eq!(again.text, got.text.strip_prefix('\u{FEFF}').unwrap_or(&got.text));
    drop((inner_media_type(&kind, &body), Cpim::parse(&body)));
}

/// A parameter of a Content-Type: as we write it, it is read; however it is written, it is read or there is none.
fn mime_parameter(data: &[u8]) {
    let text = String::from_utf8_lossy(data).replace(['\r', '\n'], " ");
    drop((parameter(&text, "name"), file_name(&text, "filename")));
    let written =
        format!("a/b{};y=z", Params(vec![("x".to_owned(), None), ("name".to_owned(), Some(text.clone()))]));
    assert_eq!(parameter(&written, "name"), Some(text), "{written}");
}

/// A message that is sent on keeps its bytes, whatever they are; what is refused is answered with what can be read of it.
fn edit(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let source = "192.0.2.9:5060".parse().expect("an address");
    match parse(bytes.clone()) {
        Ok(Message::Request(request)) => {
            let same = Edit::request(&request).print();
            if request.fields().first("Content-Length").is_some() {
                assert_eq!(same, request.bytes());
            }
            let step_by_step = Edit::request(&request).pop("Route").pop("Route").pop("Via").print();
            assert_eq!(Edit::request(&request).pop_many("Route", 2).pop("Via").print(), step_by_step);
            drop(Edit::request(&request).remove_token("Require", "a").set("To", "<sip:a@b>").print());
            let answer = fanfare::sip::Compose::response(&request, 200, None, "t", source).finish();
            assert!(matches!(parse(answer), Ok(Message::Response(_))));
        }
        Ok(Message::Response(response)) => {
            let same = Edit::response(&response).print();
            // One that cannot be read is not passed on.
            let length = response.fields().first("Content-Length");
            if length.is_some_and(|length| {
                length.bytes().all(|digit| digit.is_ascii_digit()) && length.parse::<usize>().is_ok()
            }) {
                assert_eq!(same, response.bytes());
            }
        }
        Err(error) => drop(refusal(&bytes, &error, source, "t")),
    }
}

/// `fanfare proxy --config FILE`.
fn proxy_settings(data: &[u8]) {
    if let Ok(settings) = ProxySettings::from_bytes(data, Path::new("proxy.ron")) {
        drop(settings.over(ProxySettings::default()).config());
    }
}

/// Account, contacts and settings of the client: what was read is the same when it is written and read again.
fn client_files(data: &[u8]) {
    let account: Option<Account> = kept(data);
    if let Some(account) = account {
        drop(account.check());
    }
    let book: Option<AddressBook> = kept(data);
    if let Some(book) = book {
        assert!(Names::of(&book).search("a").count() <= book.contacts.len());
        assert!(book.name_of("sip:ann@domain.com").is_none_or(|name| !name.is_empty()));
    }
    let _: Option<Settings> = kept(data);
}

fn kept<T: DeserializeOwned + Serialize>(data: &[u8]) -> Option<T> {
    let value: T = ron_file::from_bytes(data, Path::new("file.ron")).ok()?;
    let text = ron_file::to_text(&value).expect("what was read can be written");
    let again: T = ron_file::from_bytes(text.as_bytes(), Path::new("file.ron")).expect("what we write");
    // As text: a scale may be no number, which is unlike itself.
    assert_eq!(ron_file::to_text(&again).ok(), Some(text));
    Some(value)
}
