//! Inputs made to cost as much as their size allows, at the limits of size, and machines that take them. Used by
//! `tests/wire/cost.rs` and by `benches/wire.rs`.

#[path = "hostile/stand.rs"]
pub(crate) mod stand;

pub(crate) use self::stand::{client, proxy, report, reported};

use std::time::Duration;

use bytes::Bytes;
use fanfare::client::UserAgent;
use fanfare::limits::{HEAD_BYTES_MAX, MESSAGE_BYTES_MAX, RECIPIENTS_MAX};
use fanfare::machine::{ConnectionId, Flow, Input, Machine, Output};
use fanfare::model::account::{Account, AgentConfig};
use fanfare::model::command::{AgentCommand, Draft};
use fanfare::model::journal::PersonRow;
use fanfare::proxy::journal::UserRow;
use fanfare::proxy::{Auth, Proxy, ProxyCommand, ProxyConfig};
use fanfare::random::Random;
use fanfare::sip::digest::{Algorithm, Ha1};
use fanfare::sip::{Aor, ReportMode, ReportOptions, Transport};
use fanfare::time::{Clock, Now};

/// What a head may still have beside the field that fills it.
const HEAD: usize = HEAD_BYTES_MAX - 2000;
/// The same of a body.
const BODY: usize = MESSAGE_BYTES_MAX - 2000;

/// So often that it fills `bytes`; each time with its number.
fn fill(bytes: usize, piece: impl Fn(usize) -> String) -> String {
    let mut out = String::with_capacity(bytes);
    for number in 0.. {
        let next = piece(number);
        if out.len() + next.len() > bytes {
            break;
        }
        out.push_str(&next);
    }
    out
}

/// A name, and header lines that fill a head.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn heads() -> Vec<(&'static str, String)> {
    let field = |name: &str, value: String| format!("{name}: {}\r\n", value.trim_end_matches(", "));
    let same = |piece: &'static str| fill(HEAD, |_| piece.to_owned());
    let mut heads = vec![
        ("Secondary-To, addresses", field("Secondary-To", fill(HEAD, |n| format!("sip:{n}@a, ")))),
        (
            "Secondary-To, spellings",
            field("Secondary-To", fill(HEAD, |n| format!("<sip:x@a.b;maddr={n}>, "))),
        ),
        (
            "Secondary-To, our spellings",
            field("Secondary-To", fill(HEAD, |n| format!("<sip:b@domain.com;p={n}>, "))),
        ),
        ("Secondary-To, flags", field("Secondary-To", format!("<sip:a@b>{}", same(";a")))),
        ("Secondary-To, semicolons", field("Secondary-To", format!("<sip:a@b>{}", same(";")))),
        ("Secondary-To, open quotes", field("Secondary-To", format!("<sip:a@b>{}", same(";a\"\\")))),
        ("Secondary-To, quotes", field("Secondary-To", format!("<sip:a@b>{}", same(";a=\";\"")))),
        ("Secondary-To, brackets", field("Secondary-To", same("<"))),
        ("Secondary-To, words", field("Secondary-To", same("a "))),
        ("Also-To", field("Also-To", fill(HEAD, |n| format!("\"\\\"{n}\" <sip:{n}@a>, ")))),
        ("No field, CR", same("\r")),
        ("No field, LF", format!("X: {}", same("\n "))),
        ("No field, words", same("a\r")),
        ("Via, list", field("Via", fill(HEAD, |n| format!("SIP/2.0/UDP h{n};branch=z9hG4bK{n}, ")))),
        (
            "Via and Contact",
            field("Via", fill(HEAD / 2, |_| "SIP/2.0/UDP a, ".to_owned()))
                + &field("Contact", fill(HEAD / 2, |_| "<sip:a>, ".to_owned())),
        ),
        (
            "Supported and Contact",
            field("Supported", fill(HEAD / 2, |_| "a,".to_owned()))
                + &field("Contact", fill(HEAD / 2, |_| "<sip:a>;reg-id=1, ".to_owned())),
        ),
        ("Route, ours", field("Route", same("<sip:domain.com;lr>, "))),
        ("Route, others", field("Route", fill(HEAD, |n| format!("<sip:h{n}.org;lr>, ")))),
        ("Route, bare", field("Route", same("<sip:h>, "))),
        ("Record-Route", field("Record-Route", fill(HEAD, |n| format!("<sip:h{n}.org;lr>, ")))),
        ("Contact", field("Contact", fill(HEAD, |n| format!("<sip:c@192.0.2.8:{n}>, ")))),
        (
            "Contact, parameters",
            field("Contact", format!("<sip:c@192.0.2.8>{}", fill(HEAD, |n| format!(";p{n}=\"\\\"\"")))),
        ),
        (
            "P-Asserted-Identity",
            field("P-Asserted-Identity", fill(HEAD, |n| format!("<sip:{n}@domain.com>, "))),
        ),
        (
            "Authorization, parameters",
            field("Authorization", format!("Digest {}", fill(HEAD, |n| format!("p{n:x}=1, ")))),
        ),
        ("Authorization, schemes", field("Proxy-Authorization", same("Digest a=1 "))),
        ("Require", field("Require", fill(HEAD, |n| format!("t{n}, ")))),
        ("Proxy-Require", field("Proxy-Require", fill(HEAD, |n| format!("t{n}, ")))),
        ("Supported", field("Supported", same(","))),
        ("Delivery-Report", field("Delivery-Report", format!("each{}", same(";a=\"\\\"\"")))),
        ("Subject, folded", field("Subject", same("\r\n "))),
        ("Subject, Latin-1", field("Subject", same("\u{e9}"))),
        ("Expires", field("Expires", same("1"))),
        ("Max-Forwards", field("Max-Forwards", same("7"))),
        (
            "Content-Type, parameters",
            field("Content-Type", format!("text/plain{}", fill(HEAD, |n| format!(";p{n}=\"\\\"\"")))),
        ),
        (
            "Content-Type, pieces",
            field("Content-Type", format!("image/png{}", fill(HEAD, |n| format!(";name*{n}=a")))),
        ),
        ("Content-Type, comments", field("Content-Type", format!("image/png{}", same("(;\\")))),
        ("Content-Type, boundary", field("Content-Type", format!("multipart/mixed;boundary={}", same("-")))),
        (
            "Content-Disposition",
            field("Content-Disposition", format!("attachment;filename=\"{}\"", same("=?a?q? "))),
        ),
        ("Date", field("Date", same("a, "))),
        ("Contact, bare", field("m", same("a:b,"))),
        ("Contact, parameters", field("m", same("a:b;c,"))),
        ("Contact, brackets", field("Contact", same("x<a:b>,"))),
        ("Contact, semicolons", field("Contact", format!("<sip:a@b>{}", same("; ;")))),
    ];
    let many = |name: &'static str, value: &'static str| {
        (0..4000).map(|n| format!("{name}: {value}{n}\r\n")).collect::<String>()
    };
    heads.push(("4000 fields", many("X", "")));
    heads.push(("4000 Vias", many("Via", "SIP/2.0/UDP h;branch=z9hG4bK")));
    heads.push(("4000 Routes", many("Route", "<sip:domain.com;lr>;a=")));
    heads.push((
        "4000 credentials",
        many("Authorization", "Digest username=a, realm=\"domain.com\", nonce=b, uri=c, response="),
    ));
    // As many and as long as may be.
    let digests = |count| vec!["Digest realm=x"; count].join(", ");
    heads.push(("credentials, lists", field("Authorization", digests(32)).repeat(32)));
    heads.push((
        "credentials, long",
        field("Proxy-Authorization", fill(500, |n| format!("Digest p{n:x}=1, "))).repeat(31),
    ));
    heads.push(("4000 Secondary-To", many("Secondary-To", "sip:a@b;c=")));
    heads.push(("4000 lists", many("Supported", "secondary-to, a")));
    heads
}

/// A name, and a From that fills a head: what no request is served with.
pub(crate) fn senders() -> Vec<(&'static str, String)> {
    vec![
        ("From, display name", format!("\"{}\" <sip:james@domain.com>;tag=1", "\\\"".repeat(HEAD / 2))),
        ("From, words", format!("{} <sip:james@domain.com>;tag=1", "a ".repeat(HEAD / 2))),
        ("From, parameters", format!("<sip:james@domain.com>;tag=1{}", fill(HEAD, |n| format!(";p{n}")))),
        ("From, escapes", format!("<sip:{}@domain.com>;tag=1", "%41".repeat(HEAD / 3))),
        ("From, brackets", "<".repeat(HEAD)),
        ("From, display name of 15 KB", format!("\"{}\" <sip:james@domain.com>;tag=1", "\\\"".repeat(7_500))),
        ("From, escapes of 4 KB", format!("<sip:{}@domain.com>;tag=1", "%41".repeat(1_300))),
        (
            "From, parameters of an address",
            format!("<sip:james@domain.com{}>;tag=1", fill(3_900, |n| format!(";p{n}"))),
        ),
    ]
}

/// A name, the Content-Type, and a body that fills a message.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(crate) fn bodies() -> Vec<(&'static str, String, Bytes)> {
    let same = |piece: &'static str| fill(BODY, |_| piece.to_owned());
    let mixed = "multipart/mixed;boundary=b";
    let of = |name, kind: &str, body: String| (name, kind.to_owned(), Bytes::from(body));
    let nested =
        fill(BODY, |n| format!("--b{n}\r\nContent-Type: multipart/mixed;boundary=b{}\r\n\r\n", n + 1));
    let pieces = fill(BODY - 100, |n| format!(";name*{n}=a"));
    let xml = "<?xml version=\"1.0\"?>";
    let imdn = |inner: String| format!("{xml}<imdn{inner}</imdn>");
    let attributes = fill(BODY - 200, |n| format!(" a{n:x}=\"\""));
    let cpim = "message/cpim";
    vec![
        of("90,000 parts", mixed, same("--b\r\n\r\nx\r\n")),
        of("parts with a head", mixed, same("--b\r\nContent-Type: text/html\r\n\r\n<\r\n")),
        of("parts within parts", "multipart/mixed;boundary=b0", nested),
        of(
            "parts that name lost boundaries",
            mixed,
            fill(BODY, |n| format!("--b\r\nContent-Type: multipart/mixed;boundary=z{n}\r\n\r\n")),
        ),
        of(
            "alternatives",
            "multipart/alternative;boundary=b",
            same("--b\r\nContent-Type: text/html\r\n\r\n<p>\r\n"),
        ),
        of(
            "an encoded word without end",
            mixed,
            format!(
                "--b\r\nContent-Description: {}\r\n\r\nx\r\n",
                fill(BODY - 100, |_| "=?ab?q? ".to_owned())
            ),
        ),
        of("a name in pieces", mixed, format!("--b\r\nContent-Type: image/png{pieces}\r\n\r\nx\r\n")),
        of("folds", mixed, format!("--b\r\nX: y{}\r\n\r\nx\r\n", fill(BODY - 100, |_| "\r\n z".to_owned()))),
        of("a long boundary", &format!("multipart/mixed;boundary=\"{}x\"", "-".repeat(100_000)), same("-")),
        of(
            "hyphens",
            "multipart/mixed;boundary=\"------------------------------------------------------------------x\"",
            same("-"),
        ),
        of("lines of hyphens", mixed, same("--\n")),
        of(
            "base64",
            mixed,
            format!("--b\r\nContent-Transfer-Encoding: base64\r\n\r\n{}", "QUFB".repeat(BODY / 4 - 100)),
        ),
        of(
            "quoted-printable",
            mixed,
            format!("--b\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{}", " ".repeat(BODY - 100)),
        ),
        of("tags", "text/html", same("<p>")),
        of("open tags", "text/html", same("<")),
        of("references", "text/html", same("&amp;&")),
        of("comments", "text/html", same("<!--")),
        of("words", "text/plain", same("a ")),
        of("blanks", "text/plain", same(" ")),
        of("marks of direction", "text/plain", same("\u{202e}")),
        ("GB18030", "text/plain;charset=gb18030".to_owned(), Bytes::from(vec![0x81; BODY])),
        (
            "ISO-2022-JP",
            "text/plain;charset=iso-2022-jp".to_owned(),
            Bytes::from("\x1b$B!!\x1b(B".repeat(BODY / 8)),
        ),
        ("UTF-16", "text/html;charset=utf-16".to_owned(), Bytes::from(b"\x00<".repeat(BODY / 2))),
        of("headers of a CPIM", cpim, fill(BODY, |_| "a:\n".to_owned())),
        of("namespaces of a CPIM", cpim, fill(BODY, |n| format!("NS: p{n} <u>\n"))),
        of("wishes of a CPIM", cpim, format!("imdn.Disposition-Notification: {}\n\n\nx", same("a,\";"))),
        of("a CPIM in a CPIM", cpim, fill(BODY, |_| "a: b\n\nContent-Type: message/cpim\n\n".to_owned())),
        of(
            "a CPIM of parts",
            cpim,
            format!(
                "a: b\n\nContent-Type: {mixed}\n\n{}",
                fill(BODY - 100, |_| "--b\r\n\r\nx\r\n".to_owned())
            ),
        ),
        of("attributes of an IMDN", "message/imdn+xml", imdn(format!("{attributes}>"))),
        of(
            "elements of an IMDN",
            "message/imdn+xml",
            imdn(format!(">{}", fill(BODY - 200, |_| "<a>".to_owned()))),
        ),
        of(
            "attributes of is-composing",
            "application/im-iscomposing+xml",
            format!("<isComposing{attributes}><state>active</state></isComposing>"),
        ),
        of("elements of is-composing", "application/im-iscomposing+xml", fill(BODY, |_| "<a>".to_owned())),
        of("a file", "application/zip", same("PK")),
    ]
}

/// A name, and lists of recipients (RFC 5365) that fill a body.
pub(crate) fn lists() -> Vec<(&'static str, Bytes)> {
    let head = "--b\r\n\r\nx\r\n--b\r\nContent-Type: application/resource-lists+xml\r\n\r\n<resource-lists>";
    let of = |name, list: String| (name, Bytes::from(format!("{head}{list}</resource-lists>\r\n--b--\r\n")));
    let size = BODY - 1000;
    let attributes = fill(size - 20, |n| format!(" a{n:x}=\"\""));
    vec![
        of("attributes of a list", format!("<list{attributes}/>")),
        of(
            "attributes of a list within the size",
            format!("<list{}/>", fill(500_000, |n| format!(" a{n:x}=\"\""))),
        ),
        of("lists within lists", "<list>".repeat(size / 7)),
        of("lists within lists within the size", "<list>".repeat(70_000)),
        of("entries of a list", fill(size, |n| format!("<entry uri=\"sip:{n}@a\"/>"))),
        of(
            "as many entries as there may be",
            fill(500_000, |n| format!("<entry uri=\"sip:{n:0>20}@a.example.com\"/>")),
        ),
        of("references of a list", format!("<entry uri=\"sip:{}\"/>", "&#x41;".repeat(80_000))),
        of("texts of a list", "x&amp;".repeat(80_000)),
        of(
            "parts beside a list",
            format!("</resource-lists>{}", fill(size, |_| "\r\n--b\r\n\r\nx".to_owned())),
        ),
        of("a comment of a list", "<!--".repeat(100_000)),
        of("an empty list", String::new()),
    ]
}

/// A name, and reports that fill a body.
pub(crate) fn reports() -> Vec<(&'static str, Bytes)> {
    let same = |piece: &'static str| fill(BODY, |_| piece.to_owned());
    let of = |name, text: String| (name, Bytes::from(text));
    let line = "im:ann@domain.com delivery success";
    vec![
        of("the same line", same("im:ann@domain.com delivery success\r\n")),
        of("lines of many people", fill(BODY, |n| format!("im:{n}@domain.com delivery failure\r\n"))),
        of(
            "spellings of one person",
            fill(BODY, |n| format!("sip:ann@domain.com;p={n} delivery pending\r\n")),
        ),
        of("unknown states", fill(BODY, |n| format!("im:ann@domain.com delivery s{n}\r\n"))),
        of("a long reason", format!("{line};reason=\"{}\"", "\\\"".repeat(BODY / 2 - 100))),
        of("parameters", format!("{line}{}", fill(BODY - 100, |n| format!(";p{n}=1")))),
        of("empty lines", same("\r\n")),
        of("carriage returns", same("\r")),
        of("escapes", format!("im:{}@domain.com delivery success", "%41".repeat(1_300))),
        of(
            "all lines that there may be",
            (0..10_000)
                .map(|n| format!("im:{}@domain.com delivery pending;reason=\"{n}\"\r\n", n % 500))
                .collect(),
        ),
        of(
            "ever more states",
            ["pending", "deferred", "failure", "success"]
                .iter()
                .flat_map(|state| (0..500).map(move |n| format!("im:{n}@domain.com delivery {state}\r\n")))
                .collect(),
        ),
        ("Latin-1", Bytes::from(b"im:ann@domain.com delivery success;reason=\"\xe9\"\r\n".repeat(BODY / 50))),
    ]
}

/// A request over a stream; `from` is the value of From.
pub(crate) fn request(method: &str, from: &str, more: &str, kind: &str, body: &[u8]) -> Bytes {
    let kind =
        if more.starts_with("Content-Type") { String::new() } else { format!("Content-Type: {kind}\r\n") };
    let head = format!(
        "{method} sip:bob@domain.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.66;branch=z9hG4bKh\r\n\
         From: {from}\r\nTo: <sip:bob@domain.com>\r\nCall-ID: c\r\nCSeq: 1 {method}\r\n{more}{kind}\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    // What stands for Latin-1 above is one byte.
    let head: Vec<u8> = head.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
    [head.as_slice(), body].concat().into()
}

/// A MESSAGE with its list of recipients in its body.
pub(crate) fn list_request(from: &str, body: &[u8]) -> Bytes {
    let more = "Require: recipient-list-message\r\n";
    let request = request("MESSAGE", from, more, "multipart/mixed;boundary=b", body);
    let text = b"MESSAGE sip:bob@domain.com";
    [b"MESSAGE sip:domain.com", request.get(text.len()..).unwrap_or_default()].concat().into()
}
