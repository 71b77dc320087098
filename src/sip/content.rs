//! A body taken apart for a person: text to read, and files to keep (RFC 3428 §5, RFC 2045, RFC 2046).
//!
//! MIME itself, with its transfer encodings, charsets and nested parts, is read by `mail-parser`. Nothing here is
//! shown as it stands: what shows it takes control characters out.

use bytes::Bytes;
use mail_parser::decoders::html::html_to_text;
use mail_parser::{MessageParser, MessagePart, MimeHeaders, PartType};

use super::charset::decode;
use super::cpim::Cpim;
use crate::limits::BODY_FILES_MAX;

/// Messages within messages that are looked into.
const NESTED_MAX: u8 = 3;

/// What a body holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The text in it, in order; HTML without its tags.
    pub text: String,
    /// What is no text.
    pub files: Vec<File>,
}

/// What is kept of a body that is no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The name that it came with; none where it has none.
    pub name: Option<String>,
    /// `image/png`, without parameters.
    pub media_type: String,
    /// What is in it.
    pub bytes: Bytes,
}

impl File {
    /// Its name, or its media type where it has none.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.media_type)
    }
}

/// Takes a body apart. Never fails: what cannot be read is a file as it came.
#[must_use]
pub fn content(content_type: &str, body: &Bytes) -> Content {
    let mut content = Content::default();
    take(content_type, body, NESTED_MAX, &mut content);
    content
}

/// `type/subtype` in small letters, without parameters; `text/plain` when there is none (RFC 3428 §5).
#[must_use]
pub fn media_type(content_type: &str) -> String {
    let bare = content_type.split(';').next().unwrap_or_default();
    let bare: String = bare.chars().filter(|c| !c.is_whitespace()).collect();
    if bare.is_empty() { "text/plain".to_owned() } else { bare.to_ascii_lowercase() }
}

/// What a body is: its media type, or that of what CPIM wraps (RFC 3862 §2).
#[must_use]
pub fn inner_media_type(content_type: &str, body: &Bytes) -> String {
    let outer = media_type(content_type);
    let inner = Some(body).filter(|_| outer == "message/cpim").and_then(Cpim::parse);
    inner.map_or(outer, |cpim| media_type(&cpim.content_type))
}

/// The value of a parameter of a Content-Type, unquoted.
#[must_use]
pub fn parameter(content_type: &str, name: &str) -> Option<String> {
    content_type.split(';').skip(1).find_map(|param| {
        let (known, value) = param.split_once('=')?;
        known.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn take(content_type: &str, body: &Bytes, nested: u8, content: &mut Content) {
    let media_type = media_type(content_type);
    match media_type.split_once('/') {
        Some(("text", subtype)) => {
            let charset = parameter(content_type, "charset").unwrap_or_default();
            match decode(&charset, body) {
                Some(text) if subtype == "html" => content.add_text(html_to_text(&text)),
                Some(text) => content.add_text(text),
                None => content.add_file(File { name: None, media_type, bytes: body.clone() }),
            }
        }
        Some(("multipart", _)) => take_parts(content_type, body, nested, content),
        Some(("message", "cpim")) if nested > 0 => match Cpim::parse(body) {
            Some(cpim) => take(&cpim.content_type, &cpim.body, nested - 1, content),
            None => match decode("", body) {
                Some(text) => content.add_text(text),
                None => content.add_file(File { name: None, media_type, bytes: body.clone() }),
            },
        },
        Some(_) | None => {
            let name = parameter(content_type, "name").filter(|name| !name.is_empty());
            content.add_file(File { name, media_type, bytes: body.clone() });
        }
    }
}

/// RFC 2046 §5.1: of alternatives the plain text, of everything else all.
fn take_parts(content_type: &str, body: &Bytes, nested: u8, content: &mut Content) {
    let line: String = content_type.chars().filter(|c| !c.is_control()).collect();
    let head = format!("Content-Type: {line}\r\n\r\n");
    let whole = Bytes::from([head.as_bytes(), body].concat());
    let Some(parsed) = MessageParser::default().parse(&whole) else {
        return content.add_file(File {
            name: None,
            media_type: media_type(content_type),
            bytes: body.clone(),
        });
    };
    for (id, part) in (0_u32..).zip(&parsed.parts) {
        let is_read = parsed.text_body.contains(&id);
        match &part.body {
            PartType::Multipart(_) => {}
            PartType::Text(text) if is_read => content.add_text(text.clone().into_owned()),
            PartType::Html(html) if is_read => content.add_text(html_to_text(html)),
            // The same as the text that is read.
            PartType::Html(_) | PartType::Text(_) if parsed.html_body.contains(&id) => {}
            PartType::Text(_) | PartType::Html(_) | PartType::Binary(_) | PartType::InlineBinary(_) => {
                take_part(part, part.contents(), nested, content);
            }
            PartType::Message(_) => {
                let ends = usize_of(part.offset_body)..usize_of(part.offset_end);
                take_part(part, whole.get(ends).unwrap_or_default(), nested, content);
            }
        }
    }
}

fn take_part(part: &MessagePart<'_>, bytes: &[u8], nested: u8, content: &mut Content) {
    let media_type = part.content_type().map_or_else(
        || "application/octet-stream".to_owned(),
        |known| {
            format!("{}/{}", known.ctype(), known.subtype().unwrap_or("octet-stream")).to_ascii_lowercase()
        },
    );
    let bytes = Bytes::copy_from_slice(bytes);
    if media_type == "message/cpim" && nested > 0 {
        return take(&media_type, &bytes, nested - 1, content);
    }
    let name = part.attachment_name().filter(|name| !name.is_empty()).map(str::to_owned);
    content.add_file(File { name, media_type, bytes });
}

fn usize_of(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl Content {
    fn add_text(&mut self, text: String) {
        if self.text.is_empty() {
            self.text = text;
        } else if !text.is_empty() {
            self.text.push('\n');
            self.text.push_str(&text);
        }
    }

    fn add_file(&mut self, file: File) {
        if self.files.len() < BODY_FILES_MAX {
            self.files.push(file);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(content_type: &str, body: &str) -> Content {
        content(content_type, &Bytes::copy_from_slice(body.replace('\n', "\r\n").as_bytes()))
    }

    fn text(content_type: &str, body: &[u8]) -> String {
        content(content_type, &Bytes::copy_from_slice(body)).text
    }

    #[test]
    fn w4_the_charset_decides_and_what_cannot_be_read_is_a_file() {
        assert_eq!(text("text/plain;charset=ISO-8859-1", b"gr\xfc\xdf"), "gr\u{fc}\u{df}");
        assert_eq!(text("text/plain; charset=\"utf-8\"", "gr\u{fc}".as_bytes()), "gr\u{fc}");
        assert_eq!(text("text/plain;charset=gb2312", b"\xcc\xd8\xce\xac"), "\u{7279}\u{7ef4}");
        assert_eq!(text("", b"x"), "x");
        let unread: [(&str, &'static [u8]); 5] = [
            ("text/plain;charset=us-ascii", b"gr\xfc"),
            ("text/plain", b"gr\xfc"),
            ("text/plain;charset=made-up", b"x"),
            ("text/html; charset=\"euc-kr\"", b"<p>\xbe"),
            ("message/cpim", b"no header \xfc"),
        ];
        for (kind, bytes) in unread {
            let media_type = media_type(kind);
            let file = File { name: None, media_type, bytes: Bytes::from_static(bytes) };
            let got = content(kind, &Bytes::from_static(bytes));
            assert_eq!(got, Content { text: String::new(), files: vec![file] }, "{kind}");
        }
    }

    #[test]
    fn html_is_text_without_its_tags_and_its_scripts() {
        let html = b"<html><head><title>t</title><script>alert(1)</script></head><body><p>Come <b>here</b> &amp; sit.</p></body></html>";
        assert_eq!(text("text/html", html).trim(), "Come here & sit.");
    }

    #[test]
    fn what_is_no_text_is_a_file_as_it_came() {
        let got = content("Image/PNG; name=\"cat.png\"", &Bytes::from_static(b"\x89PNG"));
        let cat = File {
            name: Some("cat.png".into()),
            media_type: "image/png".into(),
            bytes: Bytes::from_static(b"\x89PNG"),
        };
        assert_eq!(got, Content { text: String::new(), files: vec![cat] });
    }

    const MIXED: &str = "preamble\n--b1\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n\
        --b1\nContent-Type: image/png\nContent-Disposition: attachment; filename=\"cat.png\"\nContent-Transfer-Encoding: base64\n\niVBORw==\n\
        --b1\nContent-Type: text/csv\nContent-Disposition: attachment; filename=\"a.csv\"\n\n1,2\n--b1--\nepilogue";

    #[test]
    fn a_mixed_body_is_its_text_and_its_files() {
        let got = of("multipart/mixed; boundary=\"b1\"", MIXED);
        assert_eq!(got.text.trim_end(), "Gr\u{fc}\u{df}e");
        let files: Vec<_> =
            got.files.iter().map(|it| (it.name.as_deref(), it.media_type.as_str(), &it.bytes[..])).collect();
        assert_eq!(
            files,
            [(Some("cat.png"), "image/png", &b"\x89PNG"[..]), (Some("a.csv"), "text/csv", &b"1,2"[..])]
        );
    }

    #[test]
    fn of_alternatives_the_plain_text_is_read_once() {
        let body =
            "--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n";
        let got = of("multipart/alternative;boundary=b", body);
        assert_eq!((got.text.trim(), got.files.len()), ("plain", 0));
        let html_only = "--b\nContent-Type: text/html\n\n<p>rich</p>\n--b--\n";
        assert_eq!(of("multipart/alternative;boundary=b", html_only).text.trim(), "rich");
    }

    #[test]
    fn w28_the_inner_text_of_cpim_is_shown() {
        let body = "From: <im:ann@domain.com>\nTo: <im:bob@domain.com>\n\nContent-Type: text/plain; charset=utf-8\n\nCome here.";
        assert_eq!(of("message/cpim", body).text, "Come here.");
        assert_eq!(of("Message/CPIM", "no headers").text, "no headers");
    }

    #[test]
    fn a_body_without_its_boundary_is_not_lost() {
        let got = of("multipart/mixed", "just bytes");
        assert!(
            got.text.contains("just bytes") || got.files.iter().any(|file| &file.bytes[..] == b"just bytes")
        );
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_panic(body in proptest::collection::vec(any::<u8>(), 0..400), kind in 0..5_usize) {
            let kinds = ["text/html", "multipart/mixed; boundary=b", "message/cpim", "text/plain;charset=utf-16", "multipart/alternative;boundary=\"\""];
            drop(content(kinds[kind], &Bytes::from(body)));
        }

        #[test]
        fn no_markup_is_a_panic(body in "[<>&;/!a-z \u{e9}\"-]{0,80}", parts in 0..6_usize) {
            drop(content("text/html", &Bytes::from(body.clone())));
            let mixed = format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: text/html\r\n\r\n{body}\r\n").repeat(parts);
            drop(content("multipart/mixed;boundary=b", &Bytes::from(mixed)));
        }
    }
}
